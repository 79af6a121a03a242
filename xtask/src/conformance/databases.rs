//! The databases that the program is checked on: a file, and a new database of a PostgreSQL server, gone afterwards.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context as _;

use crate::postgres::{self, Server, URL_VARIABLE};

/// One database.
#[derive(Debug)]
pub enum Database {
    /// The file in the data folder.
    Sqlite,
    /// A database on a server, by its URL.
    Postgres(String),
}

impl Database {
    /// Its name in tables and JSON.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }
}

/// The databases of a run. Dropping them removes what was made for it.
#[derive(Debug)]
pub struct Databases {
    all: Vec<Database>,
    made: Option<Made>,
    /// Ours, where none was given. Declared last: it ends after its database is gone.
    _server: Option<Server>,
}

/// What undoes the making of a database.
#[derive(Debug)]
struct Made {
    dropdb: PathBuf,
    server: String,
    name: String,
}

impl Databases {
    /// SQLite alone.
    pub const fn sqlite() -> Self {
        Self { all: Vec::new(), made: None, _server: None }
    }

    /// SQLite and PostgreSQL: the server that is given for tests, else one of our own.
    pub fn both() -> anyhow::Result<Self> {
        let programs = postgres::programs()?;
        let given = std::env::var_os(URL_VARIABLE).and_then(|url| url.into_string().ok());
        let server = if given.is_some() { None } else { Some(Server::start()?) };
        let url = given.or_else(|| server.as_ref().map(Server::url)).context("there is no PostgreSQL server")?;
        let name = format!("conformance_{}", std::process::id());
        on_server(&programs.join("createdb"), &url, &name)?;
        let database = Database::Postgres(with_name(&url, &name)?);
        let made = Made { dropdb: programs.join("dropdb"), server: url, name };
        Ok(Self { all: vec![database], made: Some(made), _server: server })
    }

    /// SQLite first.
    pub fn all(&self) -> impl Iterator<Item = &Database> {
        std::iter::once(&Database::Sqlite).chain(&self.all)
    }
}

impl Drop for Databases {
    fn drop(&mut self) {
        if let Some(made) = &self.made
            && let Err(error) = on_server(&made.dropdb, &made.server, &made.name)
        {
            eprintln!("warning: the database {} is left behind: {error:#}", made.name);
        }
    }
}

fn on_server(program: &std::path::Path, server: &str, name: &str) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.arg(format!("--maintenance-db={server}")).arg(name).stdin(Stdio::null());
    let output = command.output().with_context(|| format!("cannot run {}", program.display()))?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{} failed: {}", program.display(), said.trim());
    Ok(())
}

/// The URL of another database of the same server.
fn with_name(url: &str, name: &str) -> anyhow::Result<String> {
    let (address, options) = url.split_once('?').map_or((url, None), |(address, options)| (address, Some(options)));
    let (scheme, rest) = address.split_once("://").with_context(|| format!("{URL_VARIABLE} is no URL"))?;
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    Ok(format!("{scheme}://{host}/{name}{options}"))
}

#[cfg(test)]
mod tests {
    use super::{Databases, with_name};

    #[test]
    fn another_database_of_the_same_server() {
        for (url, expected) in [
            ("postgres://u@127.0.0.1:5/postgres", "postgres://u@127.0.0.1:5/c"),
            ("postgres://u@h", "postgres://u@h/c"),
            ("postgres://h/a?sslmode=disable", "postgres://h/c?sslmode=disable"),
        ] {
            assert_eq!(with_name(url, "c").unwrap(), expected);
        }
        assert!(with_name("host=127.0.0.1", "c").is_err());
    }

    #[test]
    fn sqlite_is_always_there() {
        let names: Vec<_> = Databases::sqlite().all().map(super::Database::name).collect();
        assert_eq!(names, ["SQLite"]);
    }
}
