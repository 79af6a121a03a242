//! The command line: every command and option there is, with its help. What a command does is in `commands`.

mod application;
mod configuration;
mod directory;
mod examples;
mod provisioning;
mod tenant;
#[cfg(test)]
mod tests;
mod trying;

use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

pub use application::{
    AppCommand, AssignArgs, DialectName, JobSettingsArgs, PrincipalArgs, ScopeName, Switch, UnassignArgs,
};
pub use configuration::{ConfigCommand, SchemaConvertArgs, SchemaFileCommand, SchemaImportArgs, VersionsCommand};
pub use directory::{AdminCommand, GroupCommand, ImportArgs, ImportCommand, ImportFormat, MembersCommand, UserCommand};
pub use provisioning::{LogStatus, LogsArgs, LogsCommand, ProvisionArgs};
pub use tenant::{
    ClientCommand, ClientSecretCommand, EventsArgs, RequestsArgs, SchemaCommand, TenantChange, TenantCommand, Toggle,
    TokenCommand, WebhookCommand,
};
pub use trying::{EvalArgs, ExpressionCommand, FilterCommand, FilterTestArgs, MappingCommand, MappingTestArgs, Side};

use crate::config::LogFormat;
use crate::output::Color;

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  failed; the sentence on standard error says why and what to do (doctor, expression,
     mapping: problems were found)
  2  the command line or the configuration is wrong
  3  done in part: some rows or objects failed, and the report says which

Configuration, the later the stronger:
  lockstep.toml in the data folder, else in the current folder (or --config FILE)
  LOCKSTEP_DATA, LOCKSTEP_LISTEN, LOCKSTEP_DATABASE, LOCKSTEP_PUBLIC_URL, LOCKSTEP_LOG,
  OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS
  options";

/// Keeps the accounts and groups of every application in lockstep with a directory.
#[derive(Debug, Parser)]
#[command(name = "lockstep", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The whole command line as clap knows it, with the examples that its help shows.
pub fn command() -> clap::Command {
    with_negative_numbers(examples::with_examples(Cli::command()))
}

/// Takes `-1` behind an option for its value, so that the answer says which numbers it takes, not that there is no option `-1`.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let has_value = |argument: &clap::Arg| argument.get_long().is_some() && argument.get_action().takes_values();
    command
        .mut_args(|argument| if has_value(&argument) { argument.allow_negative_numbers(true) } else { argument })
        .mut_subcommands(with_negative_numbers)
}

/// Reads the command line that the program was started with; ends the program where it is wrong, or asks for help.
pub fn read() -> Cli {
    Cli::from_arg_matches(&command().get_matches()).unwrap_or_else(|error| error.exit())
}

/// Options that every command takes, before or after its name.
#[derive(Clone, Debug, Default, Args)]
pub struct GlobalArgs {
    /// Folder of the data, made when it is not there [default: lockstep-data]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "LOCKSTEP_DATA",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub data: Option<PathBuf>,
    /// Configuration file [default: lockstep.toml in the data folder, else in the current folder]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// PostgreSQL database, as postgres://user@host/name, instead of the file in the data folder
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "LOCKSTEP_DATABASE",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub database: Option<String>,
    /// Address under which others reach this server [default: http:// and the address it listens at]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "LOCKSTEP_PUBLIC_URL",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub public_url: Option<String>,
    /// The organisation's default domain, such as contoso.com, which DefaultDomain() gives [default: none]
    #[arg(
        long,
        global = true,
        value_name = "DOMAIN",
        env = "LOCKSTEP_DEFAULT_DOMAIN",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub default_domain: Option<String>,
    /// Answer in JSON, for programs
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// When to use colours
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "Global options"
    )]
    pub color: Color,
    /// Which log lines to print: error, warn, info, debug, trace, or parts as in warn,provisioning=debug [default: warn]
    #[arg(
        long,
        global = true,
        value_name = "LEVELS",
        env = "LOCKSTEP_LOG",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub log: Option<String>,
    /// Form of log lines on standard error [default: text]
    #[arg(long, global = true, value_enum, value_name = "FORM", help_heading = "Global options")]
    pub log_format: Option<LogFormat>,
    /// Address to listen at, where the command serves; filled from the options of `serve`
    #[arg(skip)]
    pub listen: Option<String>,
    /// The collector of traces; filled from the options of `serve`
    #[arg(skip)]
    pub otlp_endpoint: Option<String>,
    /// Headers for it, which are a secret; filled from the environment, where the command serves
    #[arg(skip)]
    pub otlp_headers: Option<String>,
    /// Whether no configuration file is looked for; so for the demo, which has a folder of its own
    #[arg(skip)]
    pub without_file: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show everything on a sample directory of 1,000 people, four tenants and four applications
    Demo(DemoArgs),
    /// Run the provisioning service and the tenants until stopped
    Serve(ServeArgs),
    /// Import users, groups or members from a CSV or JSON lines file
    #[command(subcommand)]
    Import(ImportCommand),
    /// List, show, add, change, delete, restore users of the directory
    #[command(subcommand)]
    User(UserCommand),
    /// List, show, add, change, delete, restore groups of the directory, and their members
    #[command(subcommand)]
    Group(GroupCommand),
    /// Grant, revoke, list admin roles
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Search the gallery; add, list, show, change, remove applications
    #[command(subcommand)]
    App(AppCommand),
    /// Assign users and groups to an application
    Assign(AssignArgs),
    /// End assignments of users and groups to an application
    Unassign(UnassignArgs),
    /// Tenants of the application side: their address, credentials, schemas, request log, events, webhooks, export
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Add, rotate, list, revoke secret tokens of a tenant
    #[command(subcommand)]
    Token(TokenCommand),
    /// Try expressions of attribute mappings out: on a user, on a sample, on a table
    #[command(subcommand)]
    Expression(ExpressionCommand),
    /// Attribute mappings of an application: try them out on a user or a group, see their versions, go back
    #[command(subcommand)]
    Mapping(MappingCommand),
    /// Try the scoping filters of an application out: who is in scope, and who is not
    #[command(subcommand)]
    Filter(FilterCommand),
    /// Export and import the mappings of an application as a synchronization schema of Microsoft Graph
    #[command(subcommand)]
    Schema(SchemaFileCommand),
    /// Jobs as files for version control: export, diff, apply
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Test the connection to an application
    TestConnection {
        /// The application, by name or id
        app: String,
    },
    /// Show every request that the next cycle would send, without sending a write
    Plan {
        /// The application, by name or id
        app: String,
    },
    /// Run one provisioning cycle now
    Sync {
        /// The application, by name or id
        app: String,
        /// Wait until creates of unknown outcome can be settled, and sync again
        #[arg(long)]
        settle: bool,
    },
    /// Provision one user or group now, and show each step
    Provision(ProvisionArgs),
    /// Show the state of each application's provisioning
    Status {
        /// Only this application, by name or id
        app: Option<String>,
    },
    /// Show the provisioning log, newest first
    Logs(LogsArgs),
    /// Show who changed which configuration, newest first
    Audit {
        /// How many at the most; 0 lists all
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: u32,
    },
    /// Look for problems in the data folder, the database, the key and the jobs
    Doctor {
        /// Also test the connection to each application
        #[arg(long)]
        connections: bool,
    },
    /// Write a consistent copy of the data, with its key, into a new folder, also while `serve` runs
    Backup {
        /// The folder to make; it must not be there yet
        folder: PathBuf,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// Options of `demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// End when the summary is printed, instead of serving on; fails when a count is not the expected one
    #[arg(long)]
    pub once: bool,
    /// Address to serve at; a free port of the loopback interface is taken unless given
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
}

/// Options of `serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// Address to listen at [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS", env = "LOCKSTEP_LISTEN", hide_env_values = true)]
    pub listen: Option<String>,
    /// Collector to which traces are sent, as http://127.0.0.1:4318 (OpenTelemetry, OTLP over HTTP)
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT", hide_env_values = true)]
    pub otlp_endpoint: Option<String>,
}
