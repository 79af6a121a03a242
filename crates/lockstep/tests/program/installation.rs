//! An installation of the program in a folder of its own: running commands, serving, asking over HTTP.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use store::Database;
use store::testing::{POSTGRES_VARIABLE, TestDatabase, fill_up};

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A data folder, with a database.
pub struct Installation {
    folder: PathBuf,
    postgres: Option<(TestDatabase, String)>,
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Answer {
    /// The JSON of a command that succeeded.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{self:?}");
        self.any_json()
    }

    /// The JSON, whatever the exit code.
    #[track_caller]
    pub fn any_json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The JSON lines of a command that succeeded.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        assert_eq!(self.code, 0, "{self:?}");
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Checks that the command was carried out.
    #[track_caller]
    pub fn expect_done(&self) {
        assert_eq!(self.code, 0, "{self:?}");
    }

    /// Checks that the command was refused with one sentence that holds the words.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &str) {
        assert_eq!(self.code, code, "{self:?}");
        assert!(self.err.starts_with("error: ") && self.err.contains(words), "{words:?} in {self:?}");
    }
}

impl Installation {
    /// One with the embedded database.
    pub fn embedded() -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("lockstep-program-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, postgres: None }
    }

    /// One of each kind there is.
    pub fn each() -> Vec<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests are told by the environment where their server is")]
        let server = std::env::var(POSTGRES_VARIABLE).ok();
        let on_server = server.map(|url| {
            let database = TestDatabase::postgres(&url);
            let Database::Postgres(url) = database.database().clone() else { panic!("not a PostgreSQL database") };
            let mut installation = Self::embedded();
            installation.postgres = Some((database, url));
            installation
        });
        std::iter::once(Self::embedded()).chain(on_server).collect()
    }

    /// The data folder; it is made by the first command.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// A file beside the data folder.
    pub fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The path of such a file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The program on this data, ready for its arguments.
    pub fn command(&self) -> Command {
        let mut command = self.bare();
        command.arg("--data").arg(self.data());
        if let Some((_, url)) = &self.postgres {
            command.env("LOCKSTEP_DATABASE", url);
        }
        command
    }

    /// The program, in this folder, without any data being named.
    pub fn bare(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockstep"));
        for name in ["DATA", "LISTEN", "DATABASE", "PUBLIC_URL", "LOG"] {
            command.env_remove(format!("LOCKSTEP_{name}"));
        }
        for name in ["ENDPOINT", "HEADERS"] {
            command.env_remove(format!("OTEL_EXPORTER_OTLP_{name}"));
        }
        command.current_dir(&self.folder).env("TMPDIR", &self.folder).stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Answer {
        answer(self.command().args(arguments))
    }

    /// Runs a command that has to succeed, and gives its JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).json()
    }

    /// Adds an application of a tenant, with more options.
    #[track_caller]
    pub fn add_app(&self, template: &str, name: &str, tenant: &Tenant, more: &[&str]) -> Answer {
        let to = ["--tenant-url", &tenant.url, "--secret-token-file", &tenant.token_file, "--json"];
        let added = self.run(&[&["app", "add", "--template", template, "--name", name][..], &to, more].concat());
        added.expect_done();
        added
    }

    /// Lets the database take no more writes, as a full disk would.
    pub fn fill_up(&self) {
        match &self.postgres {
            Some((database, _)) => database.fill_up(),
            None => fill_up(&Database::Sqlite(self.data().join("lockstep.db"))),
        }
    }

    /// Serves as [`Self::serve`] does, telling everything it can in a file beside the data folder.
    pub fn serve_with_log(&self, log: &str) -> Serving {
        let file = std::fs::File::create(self.path(log)).unwrap();
        let mut command = self.command();
        self.serving(command.env("LOCKSTEP_LOG", "trace").stderr(file))
    }

    /// Serves at a free port, until dropped. The line that tells where is printed when it listens.
    pub fn serve(&self) -> Serving {
        self.serving(&mut self.command())
    }

    /// The same with variables set.
    pub fn serve_with(&self, variables: &[(&str, &str)]) -> Serving {
        self.serving(self.command().envs(variables.iter().copied()))
    }

    #[expect(clippy::unused_self, reason = "who serves must still have its folder")]
    fn serving(&self, command: &mut Command) -> Serving {
        let mut child =
            command.args(["serve", "--listen", "127.0.0.1:0", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let told: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        let address = told["listening"].as_str().unwrap().to_owned();
        let serving = Serving { child, _out: out, address };
        assert_eq!(serving.get("/healthz", None).0, 200);
        serving
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Runs a prepared command to its end.
#[track_caller]
pub fn answer(command: &mut Command) -> Answer {
    let output = command.output().unwrap();
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A running `serve`.
pub struct Serving {
    child: Child,
    _out: BufReader<ChildStdout>,
    pub address: String,
}

impl Serving {
    /// Sends a GET with a bearer token; gives status and body.
    pub fn get(&self, path: &str, token: Option<&str>) -> (u16, String) {
        get(&self.address, path, token)
    }

    /// Asks it to stop as the system does, and waits for the end.
    pub fn terminate(mut self) -> ExitStatus {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.child.wait().unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends a GET; gives status and body.
pub fn get(address: &str, path: &str, token: Option<&str>) -> (u16, String) {
    let authorization = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    send(address, &format!("GET {path}"), &authorization, "")
}

/// Sends a request; gives status and body. `headers` end with a line break each.
pub fn send(address: &str, what: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    write!(stream, "{what} HTTP/1.1\r\nHost: test\r\n{headers}{length}Connection: close\r\n\r\n{body}").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// A tenant with a token, and the file that holds it.
pub struct Tenant {
    pub url: String,
    pub token: String,
    pub token_file: String,
}

impl Tenant {
    /// Adds one by command.
    #[track_caller]
    pub fn add(installation: &Installation, name: &str, profile: &str) -> Self {
        let tenant = installation.json(&["tenant", "add", name, "--profile", profile]);
        assert_eq!(tenant["tenant"], name);
        let token = installation.json(&["token", "add", name, "entra"]);
        assert_eq!(token["name"], "entra");
        let token = token["token"].as_str().unwrap().to_owned();
        let token_file = installation.file(&format!("{name}.token"), format!("{token}\n"));
        Self { url: tenant["scim_url"].as_str().unwrap().to_owned(), token, token_file }
    }

    /// The path of its endpoint on the server.
    pub fn path(&self, below: &str) -> String {
        let path = self.url.splitn(4, '/').nth(3).unwrap();
        format!("/{path}{below}")
    }
}

/// Whether a folder is there and holds nothing whose name begins so.
pub fn holds_none(folder: &Path, beginning: &str) -> bool {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.into_iter().all(|name| !name.starts_with(beginning))
}
