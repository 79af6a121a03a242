//! The program under test, driven by its command line only: its server on a port of its own, a tenant for each suite.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;
use serde_json::Value;

use super::databases::Database;

/// A running server with its folder. Dropping it stops the server and removes the folder.
#[derive(Debug)]
pub struct Product {
    program: PathBuf,
    database: Option<String>,
    folder: PathBuf,
    server: Option<Child>,
}

/// Where a suite finds a tenant.
#[derive(Debug)]
pub struct Endpoint {
    /// The base address of its SCIM endpoint.
    pub url: String,
    /// A bearer token.
    pub token: String,
}

impl Product {
    /// Starts the server over an empty database and waits until it listens.
    pub fn start(program: &Path, database: &Database) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("lockstep-conformance-{}", std::process::id()));
        std::fs::create_dir(&folder).with_context(|| format!("cannot make {}; set TMPDIR", folder.display()))?;
        let url = match database {
            Database::Sqlite => None,
            Database::Postgres(url) => Some(url.clone()),
        };
        let mut product = Self { program: program.to_owned(), database: url, folder, server: None };
        let log = std::fs::File::create(product.folder.join("log"))?;
        let mut command = product.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.stdout(Stdio::piped()).stderr(log);
        let server = command.spawn().with_context(|| format!("cannot run {}", program.display()))?;
        let output = product.server.insert(server).stdout.take().context("no pipe from the server")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        anyhow::ensure!(line.contains("listening"), "`lockstep serve` does not start: {}", product.log());
        Ok(product)
    }

    /// Makes a tenant, with more arguments of `tenant add`, and a token for it.
    pub fn tenant(&self, name: &str, arguments: &[&str]) -> anyhow::Result<Endpoint> {
        let tenant = self.answer(&[["tenant", "add", name].as_slice(), arguments].concat())?;
        let token = self.answer(&["token", "add", name, "suite"])?;
        let text = |answer: &Value, key: &str| {
            answer[key].as_str().map(str::to_owned).with_context(|| format!("the answer has no `{key}`"))
        };
        Ok(Endpoint { url: text(&tenant, "scim_url")?, token: text(&token, "token")? })
    }

    /// A folder for what a suite writes; it goes with the product.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn answer(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self.command(arguments).output()?;
        let name = arguments.join(" ");
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "`lockstep {name}` failed: {}", said.trim());
        serde_json::from_slice(&output.stdout).with_context(|| format!("`lockstep {name}` answered no JSON"))
    }

    /// Neither the environment nor a configuration file of whoever runs this has a say.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LOCKSTEP_")) {
            command.env_remove(name);
        }
        if let Some(url) = &self.database {
            command.env("LOCKSTEP_DATABASE", url);
        }
        command.current_dir(&self.folder).arg("--data").arg(self.folder.join("data")).args(arguments).arg("--json");
        command.stdin(Stdio::null());
        command
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default().trim().to_owned()
    }
}

impl Drop for Product {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            // One that has ended already cannot be killed, which is as good.
            drop(server.kill());
            drop(server.wait());
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("warning: {} is left behind: {error}", self.folder.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Product;
    use crate::conformance::databases::Database;

    #[test]
    fn a_program_that_does_not_serve_is_an_error_and_leaves_nothing() {
        let error = Product::start(Path::new("true"), &Database::Sqlite).unwrap_err().to_string();
        assert!(error.starts_with("`lockstep serve` does not start"), "{error}");
        let folder = std::env::temp_dir().join(format!("lockstep-conformance-{}", std::process::id()));
        assert!(!folder.exists());
    }
}
