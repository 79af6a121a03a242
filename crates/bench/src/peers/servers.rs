//! The public SCIM servers, each started as its makers describe, on a port of its own. Their packages are installed by
//! `cargo xtask bench --peers`; the few lines of ours around two of them are in `crates/bench/peers`.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::child::Child;
use crate::folder::Folder;
use crate::product::end_of;
use crate::scim::{self, Endpoint};

/// How long a peer may take until it answers.
const START_MAX: Duration = Duration::from_secs(30);
/// How often a starting peer is asked.
const ASK_EVERY: Duration = Duration::from_millis(50);
/// The bearer token of every peer.
const TOKEN: &str = "lst_0000000000000000000000000000000000000000000";
/// The path before `/Users` of every peer.
const BASE: &str = "/v2";

/// Where the packages of the peers are.
#[derive(Clone, Debug)]
pub struct Packages {
    /// The folder of the programs of a Python environment.
    pub python: PathBuf,
    /// The folder with `server.mjs` and its packages.
    pub node: PathBuf,
}

/// A public SCIM server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// The test server of the python-scim project.
    Scim2Server,
    /// The Node.js library with its Express router.
    Scimmy,
    /// The library for Django, behind gunicorn.
    DjangoScim2,
}

/// All of them.
pub const ALL: [Peer; 3] = [Peer::Scim2Server, Peer::Scimmy, Peer::DjangoScim2];

/// A peer that runs.
#[derive(Debug)]
pub struct Running {
    /// Where it answers.
    pub endpoint: Endpoint,
    _process: Child,
    _folder: Folder,
}

impl Peer {
    /// Its name, with where it keeps its data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scim2Server => "scim2-server (memory)",
            Self::Scimmy => "scimmy (memory)",
            Self::DjangoScim2 => "django-scim2 (SQLite)",
        }
    }

    /// Whether what it has answered survives its end.
    pub const fn is_durable(self) -> bool {
        match self {
            Self::Scim2Server | Self::Scimmy => false,
            Self::DjangoScim2 => true,
        }
    }

    /// Starts it over nothing and waits until it answers.
    pub fn start(self, packages: &Packages, parent: &Path) -> anyhow::Result<Running> {
        let folder = Folder::within(parent)?;
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = match self {
            Self::Scim2Server => scim2_server(packages, address),
            Self::Scimmy => scimmy(packages, address),
            Self::DjangoScim2 => django(packages, address, folder.path())?,
        };
        let log = folder.path().join("log");
        command.stdin(Stdio::null()).stdout(File::create(&log)?).stderr(File::options().append(true).open(&log)?);
        let mut process = Child::spawn(&mut command)?;
        let endpoint = Endpoint { address, base: BASE.to_owned(), token: TOKEN.to_owned() };
        let begun = Instant::now();
        while scim::request(address, "GET", &endpoint.path("/ServiceProviderConfig"), Some(TOKEN), None).is_err() {
            anyhow::ensure!(process.ended()?.is_none(), "{} ended: {}", self.name(), end_of(&log));
            anyhow::ensure!(begun.elapsed() < START_MAX, "{} does not answer: {}", self.name(), end_of(&log));
            std::thread::sleep(ASK_EVERY);
        }
        Ok(Running { endpoint, _process: process, _folder: folder })
    }
}

fn scim2_server(packages: &Packages, address: SocketAddr) -> Command {
    let mut command = Command::new(packages.python.join("scim2-server"));
    command.args(["--port", &address.port().to_string(), "--bearer-token", TOKEN]);
    command
}

fn scimmy(packages: &Packages, address: SocketAddr) -> Command {
    let mut command = Command::new("node");
    command.arg(packages.node.join("server.mjs")).args([&address.port().to_string(), TOKEN]);
    command.env("NODE_ENV", "production");
    command
}

/// Behind as many workers as the machine has cores, as its makers advise.
fn django(packages: &Packages, address: SocketAddr, folder: &Path) -> anyhow::Result<Command> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/django");
    let with_settings = |mut command: Command| {
        command.current_dir(folder).env("PYTHONPATH", &project).env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("DJANGO_SETTINGS_MODULE", "settings").env("PEER_FOLDER", folder).env("PEER_TOKEN", TOKEN);
        command
    };
    let mut migrate = with_settings(Command::new(packages.python.join("python")));
    let output = migrate.args(["-m", "django", "migrate", "--run-syncdb"]).output().context("cannot run Django")?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "Django cannot make its database: {}", said.trim());
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).to_string();
    let mut command = with_settings(Command::new(packages.python.join("gunicorn")));
    command.args(["--bind", &address.to_string(), "--workers", &workers, "--keep-alive", "60"]);
    command.args(["--worker-class", "gthread", "--threads", "4"]);
    command.arg("--control-socket").arg(folder.join("control")).arg("wsgi");
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::{ALL, START_MAX};

    #[test]
    fn one_peer_is_durable() {
        assert_eq!(ALL.iter().filter(|peer| peer.is_durable()).count(), 1);
        assert!(ALL.iter().all(|peer| peer.name().contains(if peer.is_durable() { "SQLite" } else { "memory" })));
        assert_eq!(START_MAX.as_secs(), 30);
    }
}
