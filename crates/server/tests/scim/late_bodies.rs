//! A body that comes long after the head: what its token opens is asked anew.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http::header;
use hyper::body::{Body as HttpBody, Frame};
use store::testing::on_both;
use tokio::sync::oneshot;

use crate::world::World;

/// A body that says when it is waited for, and comes when it is let go.
struct Late {
    waited_for: Option<oneshot::Sender<()>>,
    comes: Option<oneshot::Receiver<Bytes>>,
}

impl HttpBody for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(waited_for) = self.waited_for.take() {
            waited_for.send(()).unwrap();
        }
        let Some(comes) = &mut self.comes else { return Poll::Ready(None) };
        let bytes = std::task::ready!(Pin::new(comes).poll(context)).unwrap();
        self.comes = None;
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

#[test]
fn au_04_a_token_that_is_revoked_while_a_body_comes_neither_reads_nor_writes() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        world.user("ann").await;
        let search = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}"#;
        let person = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"late"}"#;
        for (path, body) in [("/Users/.search", search), ("/.search", search), ("/Users", person)] {
            for (is_revoked, expected) in [(true, 401), (false, if body == person { 201 } else { 200 })] {
                let name = format!("late {path} {is_revoked}");
                let held = World { token: world.new_token("contoso", &name, 365).await, ..world.clone() };
                let ((waited_for, waited), (come, comes)) = (oneshot::channel(), oneshot::channel());
                let body_to_come = Late { waited_for: Some(waited_for), comes: Some(comes) };
                let request = held
                    .request("POST", path)
                    .header(header::CONTENT_TYPE, "application/scim+json")
                    .body(Body::new(body_to_come))
                    .unwrap();
                let (answer, ()) = tokio::join!(held.send(request), async {
                    waited.await.unwrap();
                    if is_revoked {
                        let now = world.now();
                        world.write(move |tx| provider::revoke_token(tx, "contoso", &name, now)).await;
                    }
                    come.send(Bytes::from(body)).unwrap();
                });
                assert_eq!(answer.status.as_u16(), expected, "{path} {is_revoked}");
            }
        }
    });
}
