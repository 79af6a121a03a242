//! The configuration: options, environment and one file, checked as a whole. Only the checked form travels on.
//!
//! [`ConfigFile`] is what `lockstep.toml` may say; `check` makes a [`Config`] of it, and names every key that is wrong.

mod edge;
#[cfg(test)]
mod tests;
mod traces;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use mapping::nearest;
use outbound::WebAddress;
use store::Database;
use toml::{Table, Value};
use tracing_subscriber::EnvFilter;

pub use self::edge::{EdgeConfig, requests_per_second};
use self::traces::TracesFile;
pub use self::traces::{TracesConfig, collector_policy};
use crate::cli::GlobalArgs;
use crate::files::cannot_read;
use crate::outcome::usage;

/// The name of the file.
pub const FILE_NAME: &str = "lockstep.toml";
/// The longest file, in bytes.
pub const FILE_BYTES_MAX: u64 = 1 << 20;
/// What begins the sentence of a failure.
const WHAT: &str = "the configuration file";
/// Where data lies unless said otherwise.
const DATA_DEFAULT: &str = "lockstep-data";
/// Where to listen unless said otherwise.
const LISTEN_DEFAULT: &str = "127.0.0.1:8080";
/// Shortest and longest time between cycles, in seconds.
const INTERVAL_SECONDS: RangeInclusive<u64> = 1..=2_592_000;
/// Days that provisioning logs are kept unless said otherwise.
const LOG_DAYS_DEFAULT: u16 = 30;
/// Least and most days that provisioning logs are kept.
const LOG_DAYS: RangeInclusive<u64> = 1..=3_650;

/// Unknown keys of a file that are told of.
const UNKNOWN_TOLD_MAX: usize = 20;

/// The longest domain, in bytes.
const DOMAIN_MAX: usize = 253;
/// The longest label of a domain, in characters.
const LABEL_MAX: usize = 63;
/// How much is logged, from nothing to everything.
const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// The words of the file.
#[derive(Clone, Debug, Default, PartialEq)]
struct ConfigFile {
    data: Option<PathBuf>,
    listen: Option<String>,
    database: Option<String>,
    public_url: Option<String>,
    default_domain: Option<String>,
    log: Option<String>,
    log_format: Option<LogFormat>,
    outbound: OutboundFile,
    provisioning: ProvisioningFile,
    edge: EdgeConfig,
    traces: TracesFile,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct OutboundFile {
    private_networks: Option<bool>,
    plain_http: Option<bool>,
    ca_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct ProvisioningFile {
    interval_seconds: Option<u64>,
    log_days: Option<u64>,
}

/// Every key of the file.
pub const KEYS: [&str; 23] = [
    "data",
    "listen",
    "database",
    "public_url",
    "default_domain",
    "log",
    "log_format",
    "outbound.private_networks",
    "outbound.plain_http",
    "outbound.ca_file",
    "provisioning.interval_seconds",
    "provisioning.log_days",
    "limits.requests_per_second",
    "limits.connections",
    "limits.connections_per_address",
    "request_log.on",
    "request_log.days",
    "request_log.megabytes",
    "metrics.listen",
    "traces.endpoint",
    "traces.headers",
    "traces.service_name",
    "traces.share",
];

/// Where targets may be, and whom to trust there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// Whether loopback and private networks may be dialled.
    pub private_networks: bool,
    /// Whether `http://` may be used beyond them.
    pub plain_http: bool,
    /// A PEM file of further certificate authorities.
    pub ca_file: Option<PathBuf>,
}

/// The checked configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// A PostgreSQL database; `None` is the file in the data folder.
    pub postgres: Option<String>,
    /// The address under which others reach the server, without slash at its end, where it is not the listening one.
    pub public_url: Option<String>,
    /// The organisation's default domain, which `DefaultDomain` gives.
    pub default_domain: Option<String>,
    /// Which log lines to print.
    pub log: String,
    /// Their form.
    pub log_format: LogFormat,
    /// Where targets may be.
    pub outbound: Outbound,
    /// Seconds between the cycles of a new job, where it names none.
    pub interval_seconds: Option<u64>,
    /// Days that provisioning logs are kept.
    pub log_days: u16,
    /// Limits, the request log, metrics.
    pub edge: EdgeConfig,
    /// Traces, where they are on.
    pub traces: Option<TracesConfig>,
}

/// A configuration with where it was read, for messages.
#[derive(Default)]
struct Source {
    /// The file, if there is one.
    path: Option<PathBuf>,
    file: ConfigFile,
    /// Keys of the file that could not be read, with what is wrong with each.
    problems: Vec<(String, String)>,
}

impl Config {
    /// Reads options, environment and file, and checks them. An error names every key that is wrong.
    pub fn load(args: &GlobalArgs) -> anyhow::Result<Self> {
        let data = args.data.clone().unwrap_or_else(|| PathBuf::from(DATA_DEFAULT));
        let source = if args.without_file { Source::default() } else { find_file(args.config.as_deref(), &data)? };
        check(args, &source).map_err(|problems| usage(problems.join("\nerror: ")))
    }

    /// The database: the file in the data folder, or PostgreSQL.
    pub fn database(&self, file: &Path) -> Database {
        self.postgres.clone().map_or_else(|| Database::Sqlite(file.to_owned()), Database::Postgres)
    }
}

/// The file that was named, else the one in the data folder, else the one in the current folder, else none.
fn find_file(named: Option<&Path>, data: &Path) -> anyhow::Result<Source> {
    if let Some(path) = named {
        return read(path)?.ok_or_else(|| {
            usage(format!("the configuration file {} is not there; check its name after --config", path.display()))
        });
    }
    let inside = data.join(FILE_NAME);
    if let Some(mut source) = read(&inside)? {
        if source.file.data.is_some() {
            let problem = "a file inside a data folder cannot name another; take the key out";
            source.problems.push(("data".to_owned(), problem.to_owned()));
        }
        return Ok(source);
    }
    Ok(read(Path::new(FILE_NAME))?.unwrap_or_default())
}

fn read(path: &Path) -> anyhow::Result<Option<Source>> {
    match std::fs::metadata(path) {
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(cannot_look(path, error)),
        Ok(found) if found.len() > FILE_BYTES_MAX => {
            return Err(usage(format!(
                "the configuration file {} has more than {FILE_BYTES_MAX} bytes",
                path.display()
            )));
        }
        Ok(_) => {}
    }
    let text = std::fs::read_to_string(path).map_err(|error| cannot_read(path, WHAT, error))?;
    let (file, problems) = parse(&text).map_err(|problem| usage(format!("{}: {problem}", path.display())))?;
    Ok(Some(Source { path: Some(path.to_owned()), file, problems }))
}

/// Why nobody can say whether there is such a file. Where that is forbidden it is by the folder, so the file, which need not be
/// there, is not what is told of.
fn cannot_look(path: &Path, error: std::io::Error) -> anyhow::Error {
    if error.kind() != std::io::ErrorKind::PermissionDenied {
        return cannot_read(path, WHAT, error);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")).display();
    anyhow::anyhow!(
        "{folder} cannot be entered: permission denied; run this as the owner of the folder, or name another"
    )
}

/// Whether there is no such file; a data folder that is a file is told of when it is opened.
fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
}

/// Reads the file's words, and tells of each key that is unknown or cannot be read. Where the text is no TOML at all, the
/// message shows the line.
fn parse(text: &str) -> Result<(ConfigFile, Vec<(String, String)>), String> {
    let table: Table = text.parse().map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())?;
    let mut keys = Keys::of(table);
    let file = ConfigFile {
        data: keys.text("data").map(PathBuf::from),
        listen: keys.text("listen"),
        database: keys.text("database"),
        public_url: keys.text("public_url"),
        default_domain: keys.text("default_domain"),
        log: keys.text("log"),
        log_format: keys.take("log_format", "must be \"text\" or \"json\"", |value| {
            LogFormat::from_str(value.as_str()?, false).ok()
        }),
        outbound: OutboundFile {
            private_networks: keys.flag("outbound.private_networks"),
            plain_http: keys.flag("outbound.plain_http"),
            ca_file: keys.text("outbound.ca_file").map(PathBuf::from),
        },
        provisioning: ProvisioningFile {
            interval_seconds: keys.number("provisioning.interval_seconds", INTERVAL_SECONDS, "seconds"),
            log_days: keys.number("provisioning.log_days", LOG_DAYS, "days"),
        },
        edge: EdgeConfig::read(&mut keys),
        traces: TracesFile::read(&mut keys),
    };
    Ok((file, keys.told()))
}

/// The keys of a file by their full names, taken out one by one, and what is wrong with them.
struct Keys {
    values: BTreeMap<String, Value>,
    problems: Vec<(String, String)>,
}

impl Keys {
    fn of(table: Table) -> Self {
        let mut keys = Self { values: BTreeMap::new(), problems: Vec::new() };
        for (name, value) in table {
            let is_table = KEYS.iter().any(|key| key.split_once('.').is_some_and(|(table, _)| table == name));
            match value {
                Value::Table(inner) if is_table || !inner.is_empty() => {
                    keys.values.extend(inner.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
                }
                _ if is_table => {
                    keys.problems.push((name.clone(), format!("is a table; write its keys below [{name}]")));
                }
                value => drop(keys.values.insert(name, value)),
            }
        }
        keys
    }

    /// The value of a key, if it is there and can be read. The file may hold a password, so no message repeats a value.
    fn take<T>(&mut self, key: &str, problem: &str, read: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        let value = self.values.remove(key)?;
        let found = read(&value);
        if found.is_none() {
            self.problems.push((key.to_owned(), problem.to_owned()));
        }
        found
    }

    fn text(&mut self, key: &str) -> Option<String> {
        self.take(key, "must be a text in quotation marks", |value| value.as_str().map(str::to_owned))
    }

    fn flag(&mut self, key: &str) -> Option<bool> {
        self.take(key, "must be true or false, without quotation marks", Value::as_bool)
    }

    fn number(&mut self, key: &str, range: RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let problem = must_be_within(&range, unit);
        let within = |value: &Value| u64::try_from(value.as_integer()?).ok().filter(|number| range.contains(number));
        self.take(key, &problem, within)
    }

    /// All problems; the keys that nobody took are unknown.
    fn told(self) -> Vec<(String, String)> {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let unknown = self.values.into_keys().take(UNKNOWN_TOLD_MAX).map(|key| {
            let elsewhere = KEYS.into_iter().find(|known| last(known) == last(&key));
            let meant = elsewhere.or_else(|| nearest(&key, KEYS.into_iter()));
            let cure = meant
                .map_or_else(|| format!("there are {}", KEYS.join(", ")), |meant| format!("did you mean {meant}?"));
            (key, format!("is not a key of this file; {cure}"))
        });
        self.problems.into_iter().chain(unknown).collect()
    }
}

/// What is said of a number outside its range.
fn must_be_within(range: &RangeInclusive<u64>, unit: &str) -> String {
    format!("must be a whole number between {} and {} {unit}", range.start(), range.end())
}

/// Collects what is wrong, each with its key and where that was set.
struct Checks<'a> {
    file: Option<&'a Path>,
    problems: Vec<String>,
}

impl Checks<'_> {
    /// Takes the stronger of an option (or variable) and the file's value, parsed; a bad one is noted and left out.
    fn pick<T>(
        &mut self,
        key: &str,
        option: Option<&String>,
        file: Option<&String>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let place = format!("--{} or LOCKSTEP_{}", key.replace('_', "-"), key.to_uppercase());
        self.pick_at(key, &place, option, file, parse)
    }

    /// The same where the option is called otherwise than the key.
    fn pick_at<T>(
        &mut self,
        key: &str,
        place: &str,
        option: Option<&String>,
        file: Option<&String>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let place = match (option, self.file) {
            (None, Some(path)) => path.display().to_string(),
            _ => place.to_owned(),
        };
        match parse(option.or(file)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problems.push(format!("{place}: {key}: {problem}"));
                None
            }
        }
    }

    fn refuse(&mut self, key: &str, problem: &str) {
        let place = self.file.map_or_else(|| FILE_NAME.to_owned(), |path| path.display().to_string());
        self.problems.push(format!("{place}: {key}: {problem}"));
    }
}

fn check(args: &GlobalArgs, source: &Source) -> Result<Config, Vec<String>> {
    let file = &source.file;
    let mut checks = Checks { file: source.path.as_deref(), problems: Vec::new() };
    let listen = checks.pick("listen", args.listen.as_ref(), file.listen.as_ref(), socket_address);
    let postgres = checks.pick("database", args.database.as_ref(), file.database.as_ref(), postgres_url);
    let public_url = checks.pick("public_url", args.public_url.as_ref(), file.public_url.as_ref(), public_url);
    let default_domain =
        checks.pick("default_domain", args.default_domain.as_ref(), file.default_domain.as_ref(), domain);
    let log = checks.pick("log", args.log.as_ref(), file.log.as_ref(), log_levels);
    let traces = traces::check(&mut checks, args, file);
    for (key, problem) in &source.problems {
        checks.refuse(key, problem);
    }
    let ca_file = file.outbound.ca_file.clone();
    if let Some(path) = ca_file.as_ref().filter(|path| !path.is_file()) {
        checks.refuse(
            "outbound.ca_file",
            &format!("{} is not a file; name one with certificates in PEM", path.display()),
        );
    }
    if !checks.problems.is_empty() {
        return Err(checks.problems);
    }
    Ok(Config {
        data: args.data.clone().or_else(|| file.data.clone()).unwrap_or_else(|| PathBuf::from(DATA_DEFAULT)),
        listen: listen.unwrap_or_else(|| socket_address(LISTEN_DEFAULT).expect("the default is an address")),
        postgres,
        public_url,
        default_domain,
        log: log.unwrap_or_else(|| "warn".to_owned()),
        log_format: args.log_format.or(file.log_format).unwrap_or_default(),
        outbound: Outbound {
            private_networks: file.outbound.private_networks.unwrap_or(true),
            plain_http: file.outbound.plain_http.unwrap_or(false),
            ca_file,
        },
        interval_seconds: file.provisioning.interval_seconds,
        log_days: file.provisioning.log_days.and_then(|days| days.try_into().ok()).unwrap_or(LOG_DAYS_DEFAULT),
        edge: file.edge.clone(),
        traces,
    })
}

fn socket_address(text: &str) -> Result<SocketAddr, String> {
    let text = text.replace("localhost:", "127.0.0.1:");
    text.parse().map_err(|_| format!("{text:?} is no address with a port, like {LISTEN_DEFAULT} or [::]:8080"))
}

/// The URL is not repeated in the message: it may hold a password.
fn postgres_url(text: &str) -> Result<String, String> {
    if text.starts_with("postgres://") || text.starts_with("postgresql://") {
        Ok(text.to_owned())
    } else {
        Err("is no PostgreSQL address, like postgres://user@host/name; leave it out for the file in the data folder"
            .to_owned())
    }
}

fn public_url(text: &str) -> Result<String, String> {
    let url = base_url(text).ok_or_else(|| format!("{text:?} is no address like https://scim.example.com"))?;
    match url.parse::<WebAddress>() {
        Ok(_) => Ok(url),
        Err(error) => Err(format!("{text:?} is no address like https://scim.example.com: {error}")),
    }
}

/// A name as a directory has it: labels of letters, digits and dashes, at least two.
fn domain(text: &str) -> Result<String, String> {
    let is_label = |label: &str| {
        let is_inside = |c: char| c.is_alphanumeric() || c == '-';
        (1..=LABEL_MAX).contains(&label.chars().count())
            && label.chars().all(is_inside)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let is_name = text.len() <= DOMAIN_MAX && text.contains('.') && text.split('.').all(is_label);
    if is_name { Ok(text.to_owned()) } else { Err(format!("{text:?} is no domain like contoso.com")) }
}

/// An address without a query, a fragment and a user, and without slash at its end.
fn base_url(text: &str) -> Option<String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let plain = rest.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '@' | '\\'));
    let is_one = !rest.trim_end_matches('/').is_empty() && !rest.starts_with('/') && plain;
    is_one.then(|| text.trim_end_matches('/').to_owned())
}

/// Targets of log lines are ASCII; the parser of levels would panic on some other texts.
fn log_levels(text: &str) -> Result<String, String> {
    // A word alone would be taken for a part of the program, and a mistyped level would print nothing.
    let levels = text.split(',').map(|part| part.rsplit_once('=').map_or(part, |(_, level)| level).trim());
    let known = |level: &str| LOG_LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level));
    if text.is_ascii() && levels.into_iter().all(known) && EnvFilter::try_new(text).is_ok() {
        return Ok(text.to_owned());
    }
    Err(format!(
        "{text:?} names no log levels, like warn or warn,provisioning=debug; there are {}",
        LOG_LEVELS.join(", ")
    ))
}
