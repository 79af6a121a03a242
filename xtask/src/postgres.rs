//! A PostgreSQL server of our own: made in a temporary folder, gone afterwards. Nothing of the machine's own clusters
//! is used or touched. Where the programs come from is decided in `binaries`, what was left behind by a killed run
//! is removed in `leftovers`.
//!
//! The server is kept by a small shell process that holds the other end of a pipe. When the pipe closes, it stops the
//! server and removes the folder. So the end is the same when the tests pass, when they fail, at Ctrl-C and when this
//! program is killed: no signal handler is needed, which std does not have.

mod binaries;
mod leftovers;

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::Context as _;

use crate::system_packages::{is_root, user_number};

/// The variable by which tests and benchmarks learn the URL of a server they may create databases on.
pub const URL_VARIABLE: &str = "LOCKSTEP_TEST_POSTGRES";

/// Connections of all tests that run at the same time.
const CONNECTIONS_MAX: u32 = 200;

/// How long the server may take to answer after its start.
const START_SECONDS_MAX: u32 = 60;

/// Users that may run the server where we are root, which PostgreSQL refuses. The first comes with its package.
const SERVER_USERS: [&str; 2] = ["postgres", "nobody"];

/// Makes the cluster, starts it, says so, waits for the end of its input, stops it, removes it.
///
/// Signals are ignored: Ctrl-C goes to everyone in the terminal, and the keeper must outlive the others. The default
/// collation is a linguistic one as on most servers in the field, not bytes, so that a statement that relies on the
/// order of bytes without saying so fails here. Durability stays on as in the field.
const KEEPER: &str = r#"
trap '' INT TERM HUP
binaries=$1 folder=$2 options=$3 seconds=$4
"$binaries/initdb" --pgdata="$folder/data" --username=lockstep --auth=trust --encoding=UTF8 \
    --locale=C --locale-provider=icu --icu-locale=en-US >"$folder/log" 2>&1 &&
"$binaries/pg_ctl" --pgdata="$folder/data" --log="$folder/log" --options="$options" \
    --wait --timeout="$seconds" --silent start >>"$folder/log" 2>&1 </dev/null &&
echo ready || echo failed
read -r _
"$binaries/pg_ctl" --pgdata="$folder/data" --mode=immediate --silent stop >/dev/null 2>&1
rm -rf "$folder"
"#;

/// A running server. Dropping it stops the server and removes its folder.
#[derive(Debug)]
pub struct Server {
    keeper: Child,
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Starts a server on a free port of this machine. Installs PostgreSQL first where it is missing.
    pub fn start() -> anyhow::Result<Self> {
        let binaries = binaries::found_or_installed()?;
        let temporary = std::env::temp_dir();
        leftovers::remove(&temporary, &binaries);
        let folder = leftovers::folder_of(&temporary, std::process::id());
        std::fs::create_dir(&folder)
            .with_context(|| format!("cannot make {}; set TMPDIR", folder.display()))?;
        let port = free_port()?;
        let keeper = keep(&binaries, &folder, port);
        // From here on, dropping `server` cleans up whatever the keeper has made.
        let mut server = match keeper {
            Ok(keeper) => Self {
                keeper,
                folder,
                port,
            },
            Err(error) => {
                leftovers::remove_folder(&folder);
                return Err(error);
            }
        };
        server.wait_until_ready()?;
        Ok(server)
    }

    /// The URL for a user who may create databases.
    pub fn url(&self) -> String {
        format!("postgres://lockstep@127.0.0.1:{}/postgres", self.port)
    }

    fn wait_until_ready(&mut self) -> anyhow::Result<()> {
        let output = self
            .keeper
            .stdout
            .take()
            .expect("the keeper was started with a pipe for its output");
        // After a failure the keeper waits for us as well, so that the log is still there to be read.
        let mut answer = String::new();
        BufReader::new(output).read_line(&mut answer)?;
        if answer.trim() == "ready" {
            return Ok(());
        }
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        anyhow::bail!(
            "PostgreSQL did not start; its log may say why:\n{}",
            log.trim_end()
        )
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // The keeper ends when the server has stopped. That it cannot be waited for would be the system's failure.
        if let Err(error) = self.keeper.wait() {
            eprintln!("warning: cannot wait for the end of PostgreSQL: {error}");
        }
        leftovers::remove_folder(&self.folder);
    }
}

fn keep(binaries: &Path, folder: &Path, port: u16) -> anyhow::Result<Child> {
    let options = format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='{}' -c max_connections={CONNECTIONS_MAX}",
        folder.display()
    );
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(KEEPER)
        .arg("keeper")
        .args([binaries, folder])
        .arg(options)
        .arg(START_SECONDS_MAX.to_string());
    command
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    // A caller's settings for his own servers must not reach this one.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    if is_root() {
        let (user, group) = server_user()?;
        chown(folder, Some(user), Some(group))
            .context("cannot give the folder to the user of the server")?;
        command.uid(user).gid(group);
    }
    command.spawn().context("cannot run `sh`")
}

fn server_user() -> anyhow::Result<(u32, u32)> {
    let found = SERVER_USERS.iter().find_map(|name| {
        Some((
            user_number("-u", Some(name))?,
            user_number("-g", Some(name))?,
        ))
    });
    found.context("PostgreSQL refuses to run as root; add a user called postgres")
}

fn free_port() -> anyhow::Result<u16> {
    // Another program may take it before the server does; then the start fails and the log says so.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .context("there is no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::{KEEPER, Server, binaries, free_port};

    #[test]
    fn durability_and_the_order_of_text_are_those_of_the_field() {
        assert!(!KEEPER.contains("fsync"));
        assert!(KEEPER.contains("--icu-locale=en-US"));
    }

    #[test]
    fn a_free_port_can_be_listened_on() {
        assert_ne!(free_port().unwrap(), 0);
    }

    #[test]
    fn a_server_answers_and_is_gone_afterwards() {
        // Tests install nothing: without PostgreSQL, this story is told by `cargo xtask test` alone.
        if binaries::found().is_none() {
            return;
        }
        let server = Server::start().unwrap();
        let (folder, port) = (server.folder.clone(), server.port);
        assert!(folder.join("data").exists());
        assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert_eq!(
            server.url(),
            format!("postgres://lockstep@127.0.0.1:{port}/postgres")
        );
        drop(server);
        assert!(!folder.exists());
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}
