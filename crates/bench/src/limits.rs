//! The limits of the machine: durable inserts without HTTP, a bare handler without a database, and a minimal handler
//! with both. The handlers themselves are in `serve`, the inserts in `group_commit`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::database::{Database, Kind};
use crate::document;
use crate::figures::{Figure, Unit, median, median_load};
use crate::group_commit::{Insert, Writer};
use crate::load::{Load, Request, Stop};
use crate::run::{Run, progress, timed};
use crate::serve;

/// Callers of the inserts without HTTP.
const CALLERS: usize = 64;
/// Connections of a load of GETs.
pub const GET_CONNECTIONS: usize = 32;
/// Connections of the loads of POSTs.
pub const POST_CONNECTIONS: [usize; 2] = [8, 64];

/// Measures all limits.
pub fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for kind in run.kinds() {
        figures.push(Figure::new(INSERTS, Some(kind), durable_inserts(run, kind)?, Unit::PerSecond));
    }
    let bare = serve::start_bare()?;
    for connections in [GET_CONNECTIONS, POST_CONNECTIONS[1]] {
        let name = format!("bare handler, GET, {connections} connections");
        let load = bare_get(bare.address, connections, run.stop());
        let reports = (0..run.rounds).map(|_| timed(&name, &load)).collect::<anyhow::Result<_>>()?;
        figures.push(Figure::of_load(name, None, &median_load(reports)));
    }
    drop(bare);
    for kind in run.kinds() {
        figures.extend(minimal(run, kind)?);
    }
    Ok(figures)
}

/// The name of the figure of [`durable_inserts`].
pub const INSERTS: &str = "durable inserts, 64 callers, no HTTP";

fn minimal(run: &Run, kind: Kind) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for connections in POST_CONNECTIONS {
        let database = run.database(kind)?;
        let minimal = serve::start_minimal(&database)?;
        let name = format!("minimal handler, POST, {connections} connections");
        let (mut first_number, mut reports) = (0, Vec::new());
        for _ in 0..run.rounds {
            let load = post(minimal.address, "/Users", None, first_number, connections, run.stop());
            let report = timed(&format!("{name}, {}", kind.name()), &load)?;
            first_number = report.next_number;
            reports.push(report);
        }
        figures.push(Figure::of_load(name, Some(kind), &median_load(reports)));
    }
    Ok(figures)
}

/// GETs of the bare handler's document.
pub fn bare_get(address: SocketAddr, connections: usize, stop: Stop) -> Load {
    let request = Request {
        method: "GET".to_owned(),
        // As long as a request for a user by id, with a token, is.
        path: "/Users/018f9d5c-4b1e-7a3c-9d2e-1f0a5b6c7d8e".to_owned(),
        token: Some("lst_0000000000000000000000000000000000000000000".to_owned()),
        ..Request::default()
    };
    Load { address, connections, stop, request, first_number: 0, expected_status: 200, keep_ids: false }
}

/// POSTs of users whose numbers begin at `first_number`.
pub fn post(
    address: SocketAddr,
    path: &str,
    token: Option<String>,
    first_number: u64,
    connections: usize,
    stop: Stop,
) -> Load {
    let request = Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        token,
        body: Some(document::user("post")),
        ..Request::default()
    };
    Load { address, connections, stop, request, first_number, expected_status: 201, keep_ids: false }
}

/// Durable inserts per second of the same document, by 64 callers that each wait for theirs.
pub fn durable_inserts(run: &Run, kind: Kind) -> anyhow::Result<f64> {
    let mut rates = Vec::new();
    for _ in 0..run.rounds {
        let database = run.database(kind)?;
        let writer = match &database {
            Database::Sqlite { folder } => Writer::sqlite(&folder.path().join("inserts.db"))?,
            Database::Postgres { url, .. } => Writer::postgres(url)?,
        };
        let rate = insert_for(&writer, Duration::from_secs_f64(run.seconds))?;
        progress(&format!("{INSERTS}, {}: {rate:.0}/s", kind.name()));
        rates.push(rate);
    }
    Ok(median(rates))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn insert_for(writer: &Writer, time: Duration) -> anyhow::Result<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let document = document::user("limit");
    let next = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    runtime.block_on(async {
        let mut callers = tokio::task::JoinSet::new();
        for _ in 0..CALLERS {
            let (writer, document, next) = (writer.clone(), document.clone(), Arc::clone(&next));
            callers.spawn(async move {
                while begun.elapsed() < time {
                    insert(&writer, &document, next.fetch_add(1, Ordering::Relaxed)).await?;
                }
                anyhow::Ok(())
            });
        }
        while let Some(caller) = callers.join_next().await {
            caller??;
        }
        anyhow::Ok(())
    })?;
    Ok(next.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64())
}

async fn insert(writer: &Writer, document: &str, number: u64) -> anyhow::Result<()> {
    let (tell, told) = tokio::sync::oneshot::channel();
    writer.insert(Insert {
        id: u128::from(number).to_be_bytes(),
        user_name: format!("limit.{number}@contoso.example"),
        document: document.to_owned(),
        done: Box::new(move |outcome| drop(tell.send(outcome))),
    });
    told.await?.map_err(|reason| anyhow::anyhow!("an insert failed: {reason}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{bare_get, insert_for, post};
    use crate::folder::Folder;
    use crate::group_commit::Writer;
    use crate::load::Stop;

    #[test]
    fn inserts_are_counted() {
        let folder = Folder::temporary().unwrap();
        let writer = Writer::sqlite(&folder.path().join("limit.db")).unwrap();
        assert!(insert_for(&writer, Duration::from_millis(20)).unwrap() > 0.0);
    }

    #[test]
    fn loads_expect_what_the_handlers_answer() {
        let address = "127.0.0.1:1".parse().unwrap();
        assert_eq!(bare_get(address, 1, Stop::Requests(1)).expected_status, 200);
        let post = post(address, "/Users", None, 7, 1, Stop::Requests(1));
        assert_eq!((post.expected_status, post.first_number), (201, 7));
    }
}
