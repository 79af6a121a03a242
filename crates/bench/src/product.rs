//! The product under test, driven by its command line only: building it, starting its server, running its commands.
//! What is measured with it is decided elsewhere.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use crate::child::Child;
use crate::database::Database;
use crate::run::{Run, progress};
use crate::scim::{self, Endpoint};

/// How long the server may take until it answers.
const START_MAX: Duration = Duration::from_secs(60);
/// How long a command may take that does not say otherwise.
const COMMAND_MAX: Duration = Duration::from_secs(60);
/// How often the starting server is asked.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Bytes of a log that are shown with a failure.
const LOG_BYTES_SHOWN: usize = 2_000;
/// The tenant that all figures use.
const TENANT: &str = "acme";

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// The program, with a database of its own.
#[derive(Debug)]
pub struct Product {
    program: PathBuf,
    port: u16,
    database: Database,
}

/// What a command answered.
#[derive(Debug)]
pub struct Answered {
    /// Its JSON.
    pub json: Value,
    /// The most memory its process was seen to use, in bytes.
    pub peak_bytes: u64,
}

impl Product {
    /// The program of this run over a new database.
    pub fn new(run: &Run, database: Database) -> anyhow::Result<Self> {
        // The port is free now; nothing else on the machine is expected to take it before the server does.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let program = run.lockstep.clone().context("the program under test is not known")?;
        Ok(Self { program, port, database })
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The folder of this product's files; it goes with the product.
    pub fn folder(&self) -> &Path {
        self.database.folder()
    }

    /// The program over this database, without arguments.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        // Neither the environment nor a configuration file of whoever measures has a say.
        command.stdin(Stdio::null()).current_dir(self.folder());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("LOCKSTEP_")) {
            command.env_remove(name);
        }
        if let Some(url) = self.database.url() {
            command.env("LOCKSTEP_DATABASE", url);
        }
        command
    }

    fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// Starts the server and waits until it answers.
    pub fn serve(&self) -> anyhow::Result<Child> {
        let log = self.folder().join("serve.log");
        let mut command = self.command();
        command.args(["serve", "--data"]).arg(self.data()).args(["--listen", &self.address().to_string()]);
        command.stdout(Stdio::null()).stderr(File::options().create(true).append(true).open(&log)?);
        let mut server = Child::spawn(&mut command)?;
        let begun = Instant::now();
        loop {
            if let Some(status) = server.ended()? {
                anyhow::bail!("`lockstep serve` ended with {status}: {}", end_of(&log));
            }
            if matches!(scim::request(self.address(), "GET", "/healthz", None, None), Ok((200, _))) {
                return Ok(server);
            }
            anyhow::ensure!(begun.elapsed() < START_MAX, "`lockstep serve` does not answer: {}", end_of(&log));
            std::thread::sleep(ASK_EVERY);
        }
    }

    /// Starts a command whose end is waited for with [`Running::finish`].
    pub fn start(&self, arguments: &[&str]) -> anyhow::Result<Running> {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let [answer, log] = ["json", "log"].map(|kind| self.folder().join(format!("command-{number}.{kind}")));
        let mut command = self.command();
        command.arg("--data").arg(self.data()).args(arguments).arg("--json");
        command.stdout(File::create(&answer)?).stderr(File::create(&log)?);
        Ok(Running { child: Child::spawn(&mut command)?, name: arguments.join(" "), answer, log })
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Answered> {
        self.run_within(arguments, COMMAND_MAX)
    }

    /// Runs a command that may take longer.
    pub fn run_within(&self, arguments: &[&str], within: Duration) -> anyhow::Result<Answered> {
        self.start(arguments)?.finish(within)
    }

    /// Makes the tenant with a token. The server runs, so that the endpoint's address is known.
    pub fn tenant(&self) -> anyhow::Result<Endpoint> {
        self.tenant_named(TENANT)
    }

    /// Makes a tenant of that name with a token.
    pub fn tenant_named(&self, name: &str) -> anyhow::Result<Endpoint> {
        let tenant = self.run(&["tenant", "add", name, "--profile", "generic"])?.json;
        let token = self.run(&["token", "add", name, "entra"])?.json;
        let url = tenant["scim_url"].as_str().context("`tenant add` answers no scim_url")?;
        let token = token["token"].as_str().context("`token add` answers no token")?;
        Ok(Endpoint { address: self.address(), base: path_of(url)?.to_owned(), token: token.to_owned() })
    }
}

/// A command under way.
#[derive(Debug)]
pub struct Running {
    /// Its process.
    pub child: Child,
    name: String,
    answer: PathBuf,
    log: PathBuf,
}

impl Running {
    /// Waits for the end of the command; one that fails is an error with its words.
    pub fn finish(self, within: Duration) -> anyhow::Result<Answered> {
        let Self { child, name, answer, log } = self;
        let (status, peak_bytes) = child.finish(within).with_context(|| format!("`lockstep {name}`"))?;
        anyhow::ensure!(status.success(), "`lockstep {name}` ended with {status}: {}", end_of(&log));
        let text = std::fs::read_to_string(&answer)?;
        let json = serde_json::from_str(&text).with_context(|| format!("`lockstep {name}` answered no JSON"))?;
        Ok(Answered { json, peak_bytes })
    }
}

/// A count of an answer.
pub fn count(answer: &Value, name: &str) -> anyhow::Result<u64> {
    answer[name].as_u64().with_context(|| format!("the answer has no count `{name}`: {answer}"))
}

/// A number of an answer.
pub fn number(answer: &Value, name: &str) -> anyhow::Result<f64> {
    answer[name].as_f64().with_context(|| format!("the answer has no number `{name}`: {answer}"))
}

/// The end of a log, for a person.
pub fn end_of(log: &Path) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let skipped = text.chars().count().saturating_sub(LOG_BYTES_SHOWN);
    text.chars().skip(skipped).collect::<String>().trim().to_owned()
}

/// The path of an absolute URL, without a slash at its end.
fn path_of(url: &str) -> anyhow::Result<&str> {
    let (_, rest) = url.split_once("://").with_context(|| format!("{url} is no absolute URL"))?;
    Ok(rest.find('/').map_or("", |at| &rest[at..]).trim_end_matches('/'))
}

/// The program that is given, or else the one of this checkout, built with optimisation and put into `folder`: each
/// measurement of a run is of the same program, whatever is built meanwhile.
pub fn under_test(given: Option<&Path>, folder: &Path) -> anyhow::Result<PathBuf> {
    let Some(given) = given else { return kept(&built()?, folder) };
    // A name without a folder is looked for in PATH; a path is made independent of the current folder.
    let is_path = given.components().count() > 1;
    if is_path { std::path::absolute(given).context("the program's path") } else { Ok(given.to_owned()) }
}

fn built() -> anyhow::Result<PathBuf> {
    let beside = std::env::current_exe()?.with_file_name("lockstep");
    let target = beside.parent().and_then(Path::parent).context("this program is in no target folder")?;
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let mut command = Command::new("cargo");
    // Variables that describe this package would have build scripts run again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command.args(["build", "--release", "--quiet", "-p", "lockstep", "--manifest-path"]).arg(manifest);
    command.arg("--target-dir").arg(target);
    let status = command.status().context("cannot run cargo; name the built program with --lockstep")?;
    anyhow::ensure!(status.success(), "the program under test could not be built");
    progress(&format!("built {}", beside.display()));
    Ok(beside)
}

/// A copy of a program, which stays what it is when the program is built anew.
fn kept(program: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let copy = folder.join("lockstep-under-test");
    std::fs::copy(program, &copy).with_context(|| format!("cannot write {}", copy.display()))?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::{Product, count, kept, number, path_of};
    use crate::database::Kind;
    use crate::folder::Folder;
    use crate::run::Run;

    fn product(program: &str) -> Product {
        let run = Run {
            folder: std::env::temp_dir(),
            postgres: None,
            seconds: 1.0,
            rounds: 1,
            quick: true,
            lockstep: Some(program.into()),
            seed: 1,
        };
        Product::new(&run, run.database(Kind::Sqlite).unwrap()).unwrap()
    }

    #[test]
    fn what_is_built_meanwhile_is_not_measured() {
        let folder = Folder::temporary().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, "first").unwrap();
        let copy = kept(&program, folder.path()).unwrap();
        std::fs::write(&program, "second").unwrap();
        assert_eq!(std::fs::read(copy).unwrap(), b"first");
    }

    #[test]
    fn paths_of_endpoints() {
        for (url, expected) in [
            ("http://127.0.0.1:1/t/acme/scim/v2", "/t/acme/scim/v2"),
            ("https://scim.example/scim/", "/scim"),
            ("http://127.0.0.1:1", ""),
        ] {
            assert_eq!(path_of(url).unwrap(), expected);
        }
        assert!(path_of("/t/acme").is_err());
    }

    #[test]
    fn a_command_that_fails_or_says_nothing_is_an_error() {
        for (program, expected) in [
            ("false", "`lockstep sync CIE` ended with exit status: 1: "),
            ("true", "`lockstep sync CIE` answered no JSON"),
        ] {
            assert_eq!(product(program).run(&["sync", "CIE"]).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_server_that_ends_does_not_serve() {
        let error = product("false").serve().unwrap_err().to_string();
        assert_eq!(error, "`lockstep serve` ended with exit status: 1: ");
    }

    #[test]
    fn numbers_of_answers() {
        let answer = serde_json::json!({"requests": 0, "seconds": 0.5, "cycle": "initial"});
        assert_eq!(count(&answer, "requests").unwrap(), 0);
        assert!((number(&answer, "seconds").unwrap() - 0.5).abs() < f64::EPSILON);
        assert!(number(&answer, "cycle").is_err() && count(&answer, "failed").is_err());
    }
}
