//! The databases a figure is measured on: for each measurement a new one, gone afterwards.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Context as _;

use crate::folder::Folder;

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Embedded; the one that is judged.
    Sqlite,
    /// A server; reported.
    Postgres,
}

impl Kind {
    /// Its name in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A new database, removed when dropped.
#[derive(Debug)]
pub enum Database {
    /// A folder for the file.
    Sqlite { folder: Folder },
    /// A database of its own on a server, with a folder for what is not in it.
    Postgres { url: String, name: String, server: String, folder: Folder },
}

impl Database {
    /// A new database of the kind; `server` is the URL of the PostgreSQL server.
    pub fn new(kind: Kind, parent: &Path, server: Option<&str>) -> anyhow::Result<Self> {
        let folder = Folder::within(parent)?;
        if kind == Kind::Sqlite {
            return Ok(Self::Sqlite { folder });
        }
        let server = server.context("no PostgreSQL server is given")?.to_owned();
        let name = format!("bench_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        on_server(&server, &format!("CREATE DATABASE {name}"))?;
        Ok(Self::Postgres { url: with_name(&server, &name)?, name, server, folder })
    }

    /// The folder that belongs to it.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Sqlite { folder } | Self::Postgres { folder, .. } => folder.path(),
        }
    }

    /// The URL, of a database on a server.
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres { url, .. } => Some(url),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres { name, server, .. } = self
            && let Err(error) = on_server(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        {
            eprintln!("warning: the database {name} is left behind: {error:#}");
        }
    }
}

fn on_server(url: &str, sql: &str) -> anyhow::Result<()> {
    let mut client =
        postgres::Client::connect(url, postgres::NoTls).context("the PostgreSQL server does not answer")?;
    Ok(client.batch_execute(sql)?)
}

/// The URL of another database of the same server.
fn with_name(url: &str, name: &str) -> anyhow::Result<String> {
    let (address, options) = url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let (scheme, rest) = address.split_once("://").context("the PostgreSQL URL has no scheme")?;
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    Ok(format!("{scheme}://{host}/{name}{options}"))
}

#[cfg(test)]
mod tests {
    use super::{Database, Kind, with_name};

    #[test]
    fn another_database_of_the_same_server() {
        for (url, expected) in [
            ("postgres://u@127.0.0.1:5/postgres", "postgres://u@127.0.0.1:5/b"),
            ("postgres://u:p@h", "postgres://u:p@h/b"),
            ("postgres://h/a?sslmode=disable&x=/", "postgres://h/b?sslmode=disable&x=/"),
        ] {
            assert_eq!(with_name(url, "b").unwrap(), expected);
        }
        assert!(with_name("host=127.0.0.1", "b").is_err());
    }

    #[test]
    fn a_server_is_needed_for_postgresql_only() {
        let parent = std::env::temp_dir();
        assert!(Database::new(Kind::Postgres, &parent, None).is_err());
        let sqlite = Database::new(Kind::Sqlite, &parent, None).unwrap();
        assert_eq!(sqlite.url(), None);
        assert!(sqlite.folder().is_dir());
    }
}
