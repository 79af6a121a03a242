//! The minimal indexed handler: answers one look-up by an indexed key from SQLite as a list of one, and does nothing else. It sets the
//! mark for filters, at any number of users. It runs in a process of its own; starting it is the business of `serve`.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rusqlite::{Connection, OpenFlags};

use crate::document::{NUMBER, person};

const SCHEMA: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, user_name TEXT NOT NULL, external_id TEXT NOT NULL,
    email TEXT NOT NULL, doc TEXT NOT NULL);";
const INDEXES: &str =
    "CREATE UNIQUE INDEX users_name ON users (user_name); CREATE INDEX users_external ON users (external_id);
    CREATE INDEX users_email ON users (email);";
const INSERT: &str = "INSERT INTO users (user_name, external_id, email, doc) VALUES (?1, ?2, ?3, ?4)";
/// What a query begins with, and the statement that answers it.
const LOOK_UPS: [(&str, &str); 3] = [
    ("filter=userName%20eq", "SELECT doc FROM users WHERE user_name = ?1"),
    ("filter=externalId%20eq", "SELECT doc FROM users WHERE external_id = ?1"),
    ("filter=emails", "SELECT doc FROM users WHERE email = ?1"),
];
/// Pages that a connection keeps, in KiB as SQLite counts them when negative: as much as the product's.
const CACHE: &str = "PRAGMA cache_size=-8192; PRAGMA mmap_size=268435456;";

thread_local! {
    /// A connection of each thread: nothing is waited for.
    static CONNECTION: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// The handler over a new file with so many users.
pub fn router(path: &Path, users: u64) -> anyhow::Result<Router> {
    fill(path, users)?;
    Ok(Router::new().route("/Users", get(look_up)).with_state(Arc::new(path.to_owned())))
}

fn fill(path: &Path, users: u64) -> anyhow::Result<()> {
    let mut connection = Connection::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;")?;
    connection.execute_batch(SCHEMA).context("the database is not new")?;
    let template = person("scale");
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare(INSERT)?;
        for number in 0..users {
            let name = format!("scale.{number}@contoso.example");
            let document = template.replace(NUMBER, &number.to_string());
            insert.execute((&name, format!("scale-{number}"), &name, document))?;
        }
    }
    transaction.commit()?;
    connection.execute_batch(INDEXES)?;
    Ok(())
}

async fn look_up(State(path): State<Arc<PathBuf>>, RawQuery(query): RawQuery) -> Response {
    match found(&path, &query.unwrap_or_default()) {
        Ok(document) => {
            let (count, document) = document.map_or((0, String::new()), |document| (1, document));
            let list = format!(
                r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":{count},"startIndex":1,"itemsPerPage":{count},"Resources":[{document}]}}"#
            );
            ([(header::CONTENT_TYPE, "application/scim+json")], list).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

fn found(path: &Path, query: &str) -> anyhow::Result<Option<String>> {
    let statement = LOOK_UPS.iter().find(|(begin, _)| query.starts_with(begin)).context("no such look-up")?.1;
    let value = query.rsplit("%22").nth(1).context("no value")?.replace("%40", "@");
    CONNECTION.with_borrow_mut(|connection| {
        let connection = match connection {
            Some(open) => open,
            None => connection.insert(open(path)?),
        };
        let mut statement = connection.prepare_cached(statement)?;
        let mut rows = statement.query([value])?;
        rows.next()?.map(|row| row.get(0)).transpose().map_err(Into::into)
    })
}

fn open(path: &Path) -> anyhow::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.execute_batch(CACHE)?;
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::{fill, found};
    use crate::folder::Folder;

    #[test]
    fn each_key_finds_its_user() {
        let folder = Folder::temporary().unwrap();
        let path = folder.path().join("indexed.db");
        fill(&path, 3).unwrap();
        for query in [
            "filter=userName%20eq%20%22scale.2%40contoso.example%22",
            "filter=externalId%20eq%20%22scale-2%22",
            "filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22scale.2%40contoso.example%22",
        ] {
            assert!(found(&path, query).unwrap().unwrap().contains("Person 2"), "{query}");
        }
        assert_eq!(found(&path, "filter=externalId%20eq%20%22nobody%22").unwrap(), None);
        assert!(found(&path, "filter=title%20eq%20%22x%22").is_err());
    }
}
