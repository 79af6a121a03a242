//! The commands of applications and assignments.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Commands of applications.
#[derive(Clone, Debug, Subcommand)]
pub enum AppCommand {
    /// Search the gallery for templates
    Gallery {
        /// Words that are part of the template's name or title
        words: Vec<String>,
    },
    /// Add an application from a gallery template; its connection is tested first
    Add {
        /// The template: forcepoint-csg, netskope, palo-alto-cie, storegate, or scim for any other application
        #[arg(long, value_name = "TEMPLATE")]
        template: String,
        /// The display name [default: the template's title]
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// The application's Tenant URL, like `https://app.example.com/scim/v2`
        #[arg(long, value_name = "URL")]
        tenant_url: String,
        /// File with the secret token, or - for standard input; asked for where there is a terminal
        #[arg(long, value_name = "FILE")]
        secret_token_file: Option<PathBuf>,
        /// An app role beside Default Access; may be given several times
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// Further settings of the job
        #[command(flatten)]
        settings: JobSettingsArgs,
        /// Whether cycles run by themselves while `serve` runs
        #[arg(long, value_enum, value_name = "STATUS", default_value = "off")]
        status: Switch,
    },
    /// List applications
    List,
    /// Show an application with its settings
    Show {
        /// The application, by name or id
        app: String,
    },
    /// Change an application; its connection is tested first where that is touched
    Set {
        /// The application, by name or id
        app: String,
        /// Another display name
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Another Tenant URL; one of another server comes with --secret-token-file
        #[arg(long, value_name = "URL")]
        tenant_url: Option<String>,
        /// File with another secret token, or - for standard input
        #[arg(long, value_name = "FILE")]
        secret_token_file: Option<PathBuf>,
        /// Settings of the job
        #[command(flatten)]
        settings: JobSettingsArgs,
        /// Whether cycles run by themselves while `serve` runs
        #[arg(long, value_enum, value_name = "STATUS")]
        status: Option<Switch>,
        /// Objects that are worked on at the same time: 1 to 256, at first 64
        #[arg(long, value_name = "COUNT")]
        concurrency: Option<usize>,
        /// Seconds before a create of unknown outcome may be sent again
        #[arg(long, value_name = "SECONDS")]
        settle: Option<u64>,
        /// Seconds after which a request is given up
        #[arg(long, value_name = "SECONDS")]
        request_timeout: Option<u64>,
        /// File with the attribute mappings, all of them, as `app show --json` prints them or `config export` writes them; - for standard input
        #[arg(long, value_name = "FILE")]
        mappings: Option<PathBuf>,
        /// Do not ask before other mappings are taken, or accounts are given up
        #[arg(long)]
        yes: bool,
        /// One more app role; may be given several times
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// An app role to take away, with which nobody may be assigned; may be given several times
        #[arg(long = "remove-role", value_name = "ROLE")]
        remove_roles: Vec<String>,
        /// Begin again with an initial cycle; links stay
        #[arg(long)]
        restart: bool,
    },
    /// Add what the application's `/Schemas` tell of its attributes to its attribute list
    Discover {
        /// The application, by name or id
        app: String,
    },
    /// Remove an application with its job and assignments; accounts at the application stay
    Remove {
        /// The application, by name or id
        app: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List who is assigned to an application
    Assignments {
        /// The application, by name or id
        app: String,
        /// How many at the most; 0 lists all
        #[arg(long, value_name = "COUNT", default_value_t = 100)]
        limit: u32,
    },
}

/// Settings of a job that can be given when it is added and later.
#[derive(Clone, Debug, Default, Args)]
pub struct JobSettingsArgs {
    /// Who is provisioned: only assigned users and groups, or all
    #[arg(long, value_enum, value_name = "SCOPE")]
    pub scope: Option<ScopeName>,
    /// Seconds between cycles
    #[arg(long, value_name = "SECONDS")]
    pub interval: Option<u64>,
    /// How requests are written: as Entra does, as Entra's compliant client does, or by RFC 7644 to the letter
    #[arg(long, value_enum, value_name = "DIALECT")]
    pub dialect: Option<DialectName>,
    /// Whether people who have nothing but the role Default Access are left out
    #[arg(long, value_name = "BOOLEAN")]
    pub exclude_default_access: Option<bool>,
}

/// Who is provisioned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScopeName {
    /// Only assigned users and groups
    Assigned,
    /// All users and groups
    All,
}

/// How requests are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DialectName {
    /// As Entra's client does
    Entra,
    /// As Entra's client does with aadOptscim062020
    EntraCompliant,
    /// By RFC 7644 to the letter
    Rfc,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// Cycles run by themselves
    On,
    /// Cycles run only by command
    Off,
}

/// Who is assigned to what.
#[derive(Clone, Debug, Args)]
pub struct AssignArgs {
    /// The application, by name or id
    pub app: String,
    /// Whom to assign
    #[command(flatten)]
    pub principals: PrincipalArgs,
    /// The app role, by value or display name [default: Default Access]
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,
}

/// Whose assignment ends.
#[derive(Clone, Debug, Args)]
pub struct UnassignArgs {
    /// The application, by name or id
    pub app: String,
    /// Whose assignments to end
    #[command(flatten)]
    pub principals: PrincipalArgs,
    /// Only the assignment with this app role [default: all]
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,
    /// Do not ask before accounts are given up
    #[arg(long)]
    pub yes: bool,
}

/// Users and groups, one at the least.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = true)]
pub struct PrincipalArgs {
    /// A user, by userPrincipalName or object id; may be given several times
    #[arg(long = "user", value_name = "USER")]
    pub users: Vec<String>,
    /// A group, by displayName or object id; may be given several times
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
}
