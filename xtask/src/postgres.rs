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

/// How often the server is asked whether it answers, ten times a second: one minute.
const START_TRIES_MAX: u32 = 600;

/// Users that may run the server where we are root, which PostgreSQL refuses. The first comes with its package.
const SERVER_USERS: [&str; 2] = ["postgres", "nobody"];

/// Makes the cluster, starts it, says so, waits for the end of its input, stops it, removes it.
///
/// Signals are ignored: Ctrl-C goes to everyone in the terminal, and the keeper must outlive the others; the pipe for
/// its answer may be closed before it answers. The server is its own child, so that none is left for a container's
/// first process to wait for. The default collation is a linguistic one as on most servers in the field, so that a
/// statement that relies on the order of bytes without saying so fails here. Durability stays on as in the field.
const KEEPER: &str = r#"
trap '' INT TERM HUP PIPE
binaries=$1 folder=$2 port=$3 connections=$4 tries=$5 server=

"$binaries/initdb" --pgdata="$folder/data" --username=lockstep --auth=trust --encoding=UTF8 \
    --locale=C --locale-provider=icu --icu-locale=en-US >"$folder/log" 2>&1 && {
    "$binaries/postgres" -D "$folder/data" -k "$folder" -h 127.0.0.1 -p "$port" -N "$connections" \
        >>"$folder/log" 2>&1 </dev/null &
    server=$!
}
answer=failed
while [ -n "$server" ] && [ "$tries" -gt 0 ] && kill -0 "$server" 2>/dev/null; do
    if "$binaries/pg_isready" --quiet --host="$folder" --port="$port"; then answer=ready; break; fi
    tries=$((tries - 1))
    sleep 0.1
done
echo "$answer"

read -r _
if [ -n "$server" ]; then
    kill -QUIT "$server" 2>/dev/null
    wait "$server"
fi
rm -rf "$folder"
"#;

/// The folder of PostgreSQL's programs, which are installed where they are missing.
pub fn programs() -> anyhow::Result<PathBuf> {
    binaries::found_or_installed()
}

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
        std::fs::create_dir(&folder).with_context(|| format!("cannot make {}; set TMPDIR", folder.display()))?;
        let port = free_port()?;
        let keeper = keep(&binaries, &folder, port);
        // From here on, dropping `server` cleans up whatever the keeper has made.
        let mut server = match keeper {
            Ok(keeper) => Self { keeper, folder, port },
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
        let output = self.keeper.stdout.take().expect("the keeper was started with a pipe for its output");
        // After a failure the keeper waits for us as well, so that the log is still there to be read.
        let mut answer = String::new();
        BufReader::new(output).read_line(&mut answer)?;
        if answer.trim() == "ready" {
            return Ok(());
        }
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        anyhow::bail!("PostgreSQL did not start; its log may say why:\n{}", log.trim_end())
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
    let mut command = Command::new("sh");
    command.arg("-c").arg(KEEPER).arg("keeper").args([binaries, folder]);
    command.args([port.to_string(), CONNECTIONS_MAX.to_string(), START_TRIES_MAX.to_string()]);
    command.current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    // A caller's settings for his own servers must not reach this one.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PG") {
            command.env_remove(name);
        }
    }
    if is_root() {
        let (user, group) = server_user()?;
        chown(folder, Some(user), Some(group)).context("cannot give the folder to the user of the server")?;
        command.uid(user).gid(group);
    }
    command.spawn().context("cannot run `sh`")
}

fn server_user() -> anyhow::Result<(u32, u32)> {
    let found =
        SERVER_USERS.iter().find_map(|name| Some((user_number("-u", Some(name))?, user_number("-g", Some(name))?)));
    found.context("PostgreSQL refuses to run as root; add a user called postgres")
}

fn free_port() -> anyhow::Result<u16> {
    // Another program may take it before the server does; then the start fails and the log says so.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("there is no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::{CONNECTIONS_MAX, KEEPER, START_TRIES_MAX, Server, binaries, free_port};

    #[test]
    fn limits() {
        assert_eq!((CONNECTIONS_MAX, START_TRIES_MAX), (200, 600));
    }

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
        assert_eq!(server.url(), format!("postgres://lockstep@127.0.0.1:{port}/postgres"));
        drop(server);
        assert!(!folder.exists());
        assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}
