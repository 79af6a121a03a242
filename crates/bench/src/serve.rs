//! The servers that set the marks, each in a process of its own: the bare handler, which returns a stored document, and
//! the minimal handler, which parses a document and inserts it by group commit. They run as the product does: axum,
//! a runtime of many threads, mimalloc. Starting them and loading them is the business of `limits`.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use bytes::Bytes;

use crate::child::Child;
use crate::database::Database;
use crate::document;
use crate::group_commit::{Insert, Writer};
use crate::indexed;

const SCIM_JSON: (header::HeaderName, &str) = (header::CONTENT_TYPE, "application/scim+json");

/// Where a handler listens, with its process.
#[derive(Debug)]
pub struct Peer {
    /// The address.
    pub address: SocketAddr,
    _process: Child,
}

/// Starts the bare handler.
pub fn start_bare() -> anyhow::Result<Peer> {
    start(&["serve-bare".to_owned()])
}

/// Starts the minimal indexed handler over a new file in the folder, with so many users.
pub fn start_indexed(folder: &Path, users: usize) -> anyhow::Result<Peer> {
    let path = folder.join("indexed.db").display().to_string();
    start(&["serve-indexed".to_owned(), "--sqlite".to_owned(), path, "--users".to_owned(), users.to_string()])
}

/// The process of the minimal indexed handler.
pub fn indexed(path: &Path, users: u64) -> anyhow::Result<()> {
    listen(indexed::router(path, users)?)
}

/// Starts the minimal handler over an empty database.
pub fn start_minimal(database: &Database) -> anyhow::Result<Peer> {
    let place = match database {
        Database::Sqlite { folder } => ["--sqlite".to_owned(), folder.path().join("minimal.db").display().to_string()],
        Database::Postgres { url, .. } => ["--into".to_owned(), url.clone()],
    };
    start(&[&["serve-minimal".to_owned()], place.as_slice()].concat())
}

fn start(arguments: &[String]) -> anyhow::Result<Peer> {
    let program = std::env::current_exe().context("the path of this program is not known")?;
    let mut command = std::process::Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = Child::spawn(&mut command)?;
    let mut line = String::new();
    let output = process.stdout().context("no pipe from the handler")?;
    BufReader::new(output).read_line(&mut line)?;
    let port: u16 = line.trim().parse().with_context(|| format!("{} does not start", arguments.join(" ")))?;
    Ok(Peer { address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), _process: process })
}

/// The process of the bare handler.
pub fn bare() -> anyhow::Result<()> {
    let stored = Bytes::from(document::user("stored"));
    let answer = move || std::future::ready(([SCIM_JSON], stored.clone()));
    listen(Router::new().route("/Users/{id}", get(answer)))
}

/// What the minimal handler writes to.
#[derive(Clone, Debug)]
pub enum Place {
    /// A new file.
    Sqlite(PathBuf),
    /// An empty database.
    Postgres(String),
}

/// The process of the minimal handler.
pub fn minimal(place: &Place) -> anyhow::Result<()> {
    let writer = match place {
        Place::Sqlite(path) => Writer::sqlite(path)?,
        Place::Postgres(url) => Writer::postgres(url)?,
    };
    listen(minimal_router(writer))
}

fn minimal_router(writer: Writer) -> Router {
    let state = Minimal { writer, next_id: Arc::new(AtomicU64::new(1)) };
    Router::new().route("/Users", post(insert)).with_state(state)
}

#[derive(Clone)]
struct Minimal {
    writer: Writer,
    next_id: Arc<AtomicU64>,
}

async fn insert(State(minimal): State<Minimal>, body: Bytes) -> Response {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    let Some((user_name, document)) = parsed.and_then(|value| {
        let user_name = value.get("userName")?.as_str()?.to_lowercase();
        Some((user_name, value.to_string()))
    }) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let (tell, told) = tokio::sync::oneshot::channel();
    minimal.writer.insert(Insert {
        id: u128::from(minimal.next_id.fetch_add(1, Ordering::Relaxed)).to_be_bytes(),
        user_name,
        document: document.clone(),
        // A caller that has gone does not want to know.
        done: Box::new(move |outcome| drop(tell.send(outcome))),
    });
    match told.await {
        Ok(Ok(())) => (StatusCode::CREATED, [SCIM_JSON], document).into_response(),
        Ok(Err(reason)) => (StatusCode::CONFLICT, reason).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Serves until standard input closes, which it does when the parent goes, however it goes.
fn listen(router: Router) -> anyhow::Result<()> {
    std::thread::spawn(|| {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        println!("{}", listener.local_addr()?.port());
        // A socket that refuses the option is slower, not wrong.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        Ok(axum::serve(listener, router).await?)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::minimal_router;
    use crate::folder::Folder;
    use crate::group_commit::Writer;
    use crate::scim::request;

    #[test]
    fn the_minimal_handler_answers_once_the_document_is_there() {
        let folder = Folder::temporary().unwrap();
        let path = folder.path().join("minimal.db");
        let router = minimal_router(Writer::sqlite(&path).unwrap());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async { axum::serve(listener, router).await });
        for (body, expected) in [
            (json!({"userName": "Ann"}), 201),
            (json!({"userName": "Bob"}), 201),
            (json!({"userName": "ann"}), 409),
            (json!({"name": "Ann"}), 400),
        ] {
            assert_eq!(request(address, "POST", "/Users", None, Some(&body)).unwrap().0, expected, "{body}");
        }
        let connection = rusqlite::Connection::open(&path).unwrap();
        let names: i64 = connection.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).unwrap();
        assert_eq!(names, 2);
    }
}
