//! Bodies of requests: from bytes to JSON, with a limit and a deadline.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body as _;
use provider::{Caller, CustomSchemas, ProviderError, SCHEMA_BYTES_MAX, SchemaError};
use serde_json::Value;
use store::TenantKey;

use super::visitor::Admitted;
use super::{BodyPlace, Rejection, Room};
use crate::App;
use crate::media_type::{is_coded, is_utf_8_of};
use crate::trail::Trail;

/// Longest body, in bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Longest time for a body to arrive.
pub const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// Largest body that needs no place of its own while it comes, in bytes: as many of them as there are connections fit into memory. It is
/// also read and made sense of at once, in less time than it would take to wake another thread and to wait for it.
const SMALL_BODY_BYTES: usize = 64 << 10;

/// What a body may take as JSON without room of its own, in bytes: that of most. As many as may wait for their turns fit into memory.
const SMALL_JSON_BYTES: usize = 128 << 10;
/// What an object takes beside what is in it, in bytes: a node of a map, which has places for eleven members.
const OBJECT_BYTES: usize = 720;
/// What a list takes beside what is in it: places for four values.
const LIST_BYTES: usize = 160;
/// What a further value takes, in bytes: in a map, whose nodes are at least half full, and in a list, which has up to twice the places
/// that it needs.
const VALUE_BYTES: usize = 112;

/// The body of a request as JSON.
pub(crate) struct ScimBody {
    pub(crate) value: Value,
    /// Whether it takes so long to make something of it that others would wait.
    is_large: bool,
}

impl FromRequest<App> for ScimBody {
    type Rejection = Rejection;

    async fn from_request(request: Request, app: &App) -> Result<Self, Rejection> {
        let (value, is_large) = read_json(request, app, BODY_BYTES_MAX).await?;
        Ok(Self { value, is_large })
    }
}

/// A document of schemas as JSON.
pub(crate) struct DefinitionBody {
    value: Value,
    is_large: bool,
}

impl FromRequest<App> for DefinitionBody {
    type Rejection = Rejection;

    async fn from_request(request: Request, app: &App) -> Result<Self, Rejection> {
        match read_json(request, app, SCHEMA_BYTES_MAX).await {
            Err(Rejection::TooLarge) => Err(Rejection::DefinitionTooLarge),
            read => read.map(|(value, is_large)| Self { value, is_large }),
        }
    }
}

impl DefinitionBody {
    /// What it defines.
    pub(crate) async fn made(self, app: &App, tenant: TenantKey) -> Result<CustomSchemas, Rejection> {
        let Self { value, is_large } = self;
        let read = move || CustomSchemas::of(&value).map_err(|wrong| SchemaError::Wrong(wrong).into());
        if is_large { app.room().aside(tenant).await?.aside(&app.store, read).await? } else { read() }
    }
}

/// The body of a request, of no more than `max` bytes, and whether it is large.
async fn read_json(request: Request, app: &App, max: usize) -> Result<(Value, bool), Rejection> {
    let trail = request.extensions().get::<Arc<Trail>>().cloned();
    let (bytes, place, tenant) = bytes(request, app.room(), max).await?;
    let Some(tenant) = tenant.filter(|_| bytes.len() > SMALL_BODY_BYTES) else {
        return Ok((scim::parse_json(&bytes)?, false));
    };
    let turn = app.room().aside(tenant).await?;
    let parse = move || {
        // Held until the body is read, also where the client has gone.
        let _held = (place, trail);
        scim::parse_json(&bytes)
    };
    Ok((turn.aside(&app.store, parse).await??, true))
}

impl ScimBody {
    /// Makes something of the body: of a large one on a thread where that keeps nobody waiting.
    pub(crate) async fn made<T: Send + 'static>(
        self,
        app: &App,
        of: &Admitted,
        make: impl FnOnce(&Caller, Value) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<T, Rejection> {
        let Self { value, is_large } = self;
        if !is_large {
            return Ok(make(&of.caller, value)?);
        }
        let turn = app.room().aside(of.caller.tenant()).await?;
        let (caller, trail) = (Arc::clone(&of.caller), of.trail.clone());
        let make = move || {
            let _held = trail;
            make(&caller, value)
        };
        Ok(turn.aside(&app.store, make).await??)
    }
}

/// Waits for the room that a body takes as JSON, where that is more than small, and has its request hold it: the JSON is handed on, and may
/// wait for its turn to be written.
async fn hold_room(bytes: &Bytes, trail: &Trail, (room, tenant): (&Room, TenantKey)) -> Result<(), Rejection> {
    // Most are so short that they need not be looked at.
    if bytes.len() * (2 + OBJECT_BYTES) > SMALL_JSON_BYTES {
        let size = json_bytes(bytes);
        if size > SMALL_JSON_BYTES {
            trail.hold(room.read(tenant, size).await?);
        }
    }
    Ok(())
}

/// What a body takes as JSON at the most, in bytes, told by its marks: those within texts count too.
fn json_bytes(body: &[u8]) -> usize {
    let of = |byte: &u8| match byte {
        b'{' => 2 + OBJECT_BYTES,
        b'[' => 2 + LIST_BYTES,
        b',' => 2 + VALUE_BYTES,
        _ => 2,
    };
    body.iter().map(of).sum()
}

/// The bytes of a body that says it is JSON, and whose they are.
async fn bytes(
    request: Request,
    room: &Room,
    max: usize,
) -> Result<(Bytes, Option<BodyPlace>, Option<TenantKey>), Rejection> {
    let (parts, body) = request.into_parts();
    check_media_type(&parts.headers)?;
    let trail = parts.extensions.get::<Arc<Trail>>();
    let tenant = trail.and_then(|trail| trail.tenant());
    let (bytes, place) = read(body, tenant.map(|tenant| (room, tenant)), max).await?;
    if let Some(trail) = trail {
        trail.came(&bytes);
        if let Some(tenant) = tenant {
            hold_room(&bytes, trail, (room, tenant)).await?;
        }
    }
    Ok((bytes, place, tenant))
}

/// All of a body, if it comes in time.
async fn read(
    mut body: Body,
    place: Option<(&Room, TenantKey)>,
    max: usize,
) -> Result<(Bytes, Option<BodyPlace>), Rejection> {
    let collected = tokio::time::timeout(BODY_DEADLINE, collect(&mut body, place, max));
    collected.await.map_err(|_| Rejection::BodyTooSlow)?
}

/// The whole of a body. One that says it is more than small, or turns out to be, waits for a place; who sends many and ends none takes
/// those of no other tenant.
async fn collect(
    body: &mut Body,
    place: Option<(&Room, TenantKey)>,
    max: usize,
) -> Result<(Bytes, Option<BodyPlace>), Rejection> {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > max {
        return Err(Rejection::TooLarge);
    }
    let (mut first, mut all, mut held) = (Bytes::new(), BytesMut::new(), None);
    // Before anything of it is read: who waits for a place then takes next to no memory.
    if let (Some((room, tenant)), true) = (place, announced > SMALL_BODY_BYTES) {
        held = Some(room.body(tenant).await?);
        all.reserve(announced);
    }
    let mut body = Limited::new(body, max);
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|error| broken(error.as_ref()))?.into_data() else { continue };
        let come = first.len() + all.len() + piece.len();
        if let (None, Some((room, tenant)), true) = (&held, place, come > SMALL_BODY_BYTES) {
            held = Some(room.body(tenant).await?);
        }
        // Most come in one piece, which is not copied.
        if come == piece.len() {
            first = piece;
            continue;
        }
        all.extend_from_slice(&std::mem::take(&mut first));
        all.extend_from_slice(&piece);
    }
    Ok((if all.is_empty() { first } else { all.freeze() }, held))
}

fn broken(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Rejection {
    if error.is::<LengthLimitError>() { Rejection::TooLarge } else { Rejection::BodyBroken }
}

/// Says what it is: JSON in UTF-8, uncompressed.
fn check_media_type(headers: &HeaderMap) -> Result<(), Rejection> {
    if is_coded(headers) {
        return Err(Rejection::ContentEncoding);
    }
    if is_utf_8_of(headers, &["application/scim+json", "application/json"]) {
        Ok(())
    } else {
        Err(Rejection::MediaType)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use http::header;
    use hyper::body::Frame;
    use tokio::time::{Instant, Sleep, sleep};

    use super::*;

    /// A body without end or length: some bytes each second.
    struct Endless {
        bytes: usize,
        pause: Pin<Box<Sleep>>,
    }

    impl hyper::body::Body for Endless {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            ready!(self.pause.as_mut().poll(context));
            self.pause = Box::pin(sleep(Duration::from_secs(1)));
            Poll::Ready(Some(Ok(Frame::data(vec![b'['; self.bytes].into()))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sj_05_a_body_without_end_holds_its_place_for_the_deadline_and_no_longer() {
        for (bytes, seconds, too_slow) in [(1, 30, true), (1000, 30, true), (BODY_BYTES_MAX, 2, false)] {
            let body = Body::new(Endless { bytes, pause: Box::pin(sleep(Duration::from_secs(1))) });
            let request = Request::post("/Users").header(header::CONTENT_TYPE, "application/json").body(body).unwrap();
            let begun = Instant::now();
            let refused = super::bytes(request, &Room::new(2, true), BODY_BYTES_MAX).await.err().unwrap();
            let is_expected = if too_slow {
                matches!(refused, Rejection::BodyTooSlow)
            } else {
                matches!(refused, Rejection::TooLarge)
            };
            assert!(is_expected, "{bytes}: {refused:?}");
            assert_eq!(begun.elapsed(), Duration::from_secs(seconds), "{bytes}");
        }
        assert_eq!(BODY_DEADLINE, Duration::from_secs(30));
    }

    /// What a value takes, but for what the allocator adds.
    fn taken(value: &Value) -> usize {
        let node = 11 * (size_of::<String>() + size_of::<Value>());
        match value {
            Value::Object(object) => {
                let nodes = object.len().div_ceil(6) * node;
                nodes + object.iter().map(|(key, value)| key.len() + taken(value)).sum::<usize>()
            }
            Value::Array(list) => list.capacity() * size_of::<Value>() + list.iter().map(taken).sum::<usize>(),
            Value::String(text) => text.capacity(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
    }

    #[test]
    fn a_body_takes_no_more_than_it_is_given_room_for() {
        let keys: Vec<String> = (0..5000).map(|number| format!("\"{number}\":0")).collect();
        for body in [
            format!("[{}{{}}]", "{\"a\":1},".repeat(5000)),
            format!("[{}[]]", "[],".repeat(5000)),
            format!("[{}[0]]", "[0],".repeat(5000)),
            format!("[{}0]", "0,".repeat(5000)),
            format!("[{}0]", "\"\",".repeat(5000)),
            format!("[{}0]", "{\"a\":[{\"b\":[0]}]},".repeat(2000)),
            format!("{{{}}}", keys.join(",")),
            format!("\"{}\"", "x".repeat(10_000)),
        ] {
            let value: Value = serde_json::from_str(&body).unwrap();
            let (taken, given) = (taken(&value), json_bytes(body.as_bytes()));
            assert!(taken <= given, "{}: {taken} {given}", &body[..20]);
        }
        let user =
            br#"{"schemas":["urn:x"],"userName":"a","name":{"givenName":"A"},"emails":[{"value":"a@b.example"}]}"#;
        assert!(json_bytes(user) < SMALL_JSON_BYTES);
    }

    /// Eight such bodies that waited to be written took most of a gigabyte.
    #[tokio::test(start_paused = true)]
    async fn the_room_of_a_body_is_held_until_its_request_is_over() {
        let (room, tenant) = (Room::new(2, true), store::testing::tenant_key(1));
        let large = Bytes::from(format!("[{}0]", "{},".repeat(BODY_BYTES_MAX / 3 - 1)));
        let small = Bytes::from(format!("[{}0]", "0,".repeat(1000)));
        let hold = async |bytes: &Bytes| {
            let trail = Trail::default();
            let held = tokio::time::timeout(Duration::from_secs(1), hold_room(bytes, &trail, (&room, tenant)));
            held.await.is_ok().then_some(trail)
        };
        let first = hold(&large).await;
        assert!(first.is_some() && hold(&small).await.is_some());
        assert!(hold(&large).await.is_none(), "there is room for one of them");
        drop(first);
        assert!(hold(&large).await.is_some());
    }

    /// Nine hundred that waited to be written took half a gigabyte, each being too small to be counted.
    #[tokio::test(start_paused = true)]
    async fn many_bodies_of_some_kilobytes_are_counted_too() {
        let (room, tenant) = (Room::new(2, true), store::testing::tenant_key(1));
        let body = Bytes::from(format!("[{}0]", "{\"a\":{}},".repeat(1000)));
        let mut held = Vec::new();
        loop {
            let trail = Trail::default();
            let place = hold_room(&body, &trail, (&room, tenant));
            if tokio::time::timeout(Duration::from_secs(1), place).await.is_err() {
                break;
            }
            held.push(trail);
        }
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert!(held.len() > 50, "{}", held.len());
        assert!(held.len() * taken(&value) < 256 << 20, "{} of {}", held.len(), taken(&value));
    }
}
