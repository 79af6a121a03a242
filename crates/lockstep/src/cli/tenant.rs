//! The commands of tenants, their secret tokens and their OAuth clients.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::config::requests_per_second;

/// Commands of tenants.
#[derive(Clone, Debug, Subcommand)]
pub enum TenantCommand {
    /// Add a tenant
    Add {
        /// The name: 1 to 63 of a-z, 0-9 and -
        name: String,
        /// The application it stands for: generic, forcepoint-csg, netskope, palo-alto-cie or storegate
        #[arg(long, value_name = "PROFILE", default_value = "generic")]
        profile: String,
        /// Whether no two groups may have the same displayName [default: as the profile says]
        #[arg(long, value_name = "BOOLEAN")]
        unique_group_names: Option<bool>,
        /// A file with schemas and resource types of its own, as for `tenant schema set`
        #[arg(long, value_name = "FILE")]
        schema: Option<PathBuf>,
        /// A path of its own for its endpoint, like /api/v2/scim
        #[arg(long, value_name = "PATH")]
        path: Option<String>,
        /// A host of its own for its endpoint, like acme.example
        #[arg(long, value_name = "HOST")]
        host: Option<String>,
    },
    /// List tenants
    List,
    /// Show a tenant: its address, what it has, its tokens and settings
    Show {
        /// The tenant
        name: String,
    },
    /// Write all that a tenant has as JSON lines: the tenant itself, users, groups with members; no secrets
    Export {
        /// The tenant
        name: String,
        /// The file to write [default: standard output]
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Replace the file where it is there already
        #[arg(long, requires = "output")]
        force: bool,
    },
    /// OAuth 2.0 clients of a tenant
    #[command(subcommand)]
    Client(ClientCommand),
    /// Change a tenant's address, what it may have and ask for, and what is kept of its requests
    Set {
        /// The tenant
        name: String,
        #[command(flatten)]
        change: TenantChange,
    },
    /// Show the latest requests of a tenant, newest first; with --json also the bodies that were kept
    Requests(RequestsArgs),
    /// Show what changed in a tenant, oldest first: by default the latest changes
    Events(EventsArgs),
    /// Send what changes in a tenant to an application of yours
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// Suspend a tenant: its tokens are refused until it is resumed
    Suspend {
        /// The tenant
        name: String,
    },
    /// End the suspension of a tenant
    Resume {
        /// The tenant
        name: String,
    },
    /// Set, show, clear schemas and resource types that a tenant defines itself
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Remove a tenant with all its users, groups and tokens
    Remove {
        /// The tenant
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What is to be different of a tenant.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = true)]
pub struct TenantChange {
    /// Requests that it may send in a second; 0 for the common rate
    #[arg(long, value_name = "COUNT", value_parser = requests_per_second)]
    pub requests_per_second: Option<u32>,
    /// Whether the request log keeps bodies, with the values in them masked
    #[arg(long, value_name = "on|off")]
    pub log_bodies: Option<Toggle>,
    /// Users that it may have; 0 for no limit
    #[arg(long, value_name = "COUNT")]
    pub users_max: Option<u32>,
    /// Groups that it may have; 0 for no limit
    #[arg(long, value_name = "COUNT")]
    pub groups_max: Option<u32>,
    /// A path of its own for its endpoint, like /api/v2/scim
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
    /// A host of its own for its endpoint, like acme.example; empty for the server's
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// Take away the address of its own
    #[arg(long, conflicts_with_all = ["path", "host"])]
    pub no_address: bool,
}

/// Commands of the schemas that a tenant defines itself.
#[derive(Clone, Debug, Subcommand)]
pub enum SchemaCommand {
    /// Set schemas and resource types from a JSON file, in place of those before
    Set {
        /// The tenant
        tenant: String,
        /// The file: {"schemas": […], "resourceTypes": […]}, or what /Schemas of another server answers
        file: PathBuf,
        /// Check everything and say what would change, without changing it
        #[arg(long)]
        dry_run: bool,
    },
    /// Show schemas and resource types as JSON that `set` takes
    Show {
        /// The tenant
        tenant: String,
    },
    /// Remove all schemas and resource types that the tenant defined; refused while resources need them
    Clear {
        /// The tenant
        tenant: String,
    },
}

/// Whether something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Toggle {
    /// Yes
    On,
    /// No
    Off,
}

/// Which requests are shown.
#[derive(Clone, Debug, Args)]
pub struct RequestsArgs {
    /// The tenant
    pub name: String,
    /// Since this moment, like 2026-01-31T09:00:00Z, or for so long, like 90m, 6h or 2d
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// With this status, like 409, or with one of these, like 4xx
    #[arg(long, value_name = "STATUS")]
    pub status: Option<String>,
    /// With this method
    #[arg(long, value_name = "METHOD")]
    pub method: Option<String>,
    /// With this in the address
    #[arg(long, value_name = "TEXT")]
    pub path: Option<String>,
    /// With this token, or an access token of this OAuth client, by its name
    #[arg(long, value_name = "NAME")]
    pub caller: Option<String>,
    /// With this id, as in the header X-Request-Id
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// How many; 0 for all
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: usize,
}

/// Which events are shown.
#[derive(Clone, Debug, Args)]
pub struct EventsArgs {
    /// The tenant
    pub name: String,
    /// Those after this number
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(0..))]
    pub after: Option<i64>,
    /// How many; 0 for all
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: u32,
    /// With --json, tell each resource as it is now, not only which attributes changed
    #[arg(long)]
    pub full: bool,
    /// Go on with what changes from now on, until Ctrl+C
    #[arg(long)]
    pub follow: bool,
}

/// Commands of webhooks.
#[derive(Clone, Debug, Subcommand)]
pub enum WebhookCommand {
    /// Add a webhook that is sent what changes from now on; the secret of its signatures is shown this once
    Add {
        /// The tenant
        tenant: String,
        /// A name to tell it from the tenant's other webhooks
        name: String,
        /// Where events are sent
        #[arg(long, value_name = "URL")]
        url: String,
        /// Send each resource as it is now, not only which attributes changed
        #[arg(long)]
        full: bool,
        /// Only these: create, patch, put, delete, activate, deactivate
        #[arg(long, value_name = "EVENT,…", value_delimiter = ',')]
        events: Vec<String>,
        /// Only resources of these types, such as User or Group
        #[arg(long, value_name = "TYPE,…", value_delimiter = ',')]
        types: Vec<String>,
    },
    /// List the webhooks of a tenant
    List {
        /// The tenant
        tenant: String,
    },
    /// Show how far a webhook has come, and what failed last
    Show {
        /// The tenant
        tenant: String,
        /// The webhook's name
        name: String,
    },
    /// Remove a webhook
    Remove {
        /// The tenant
        tenant: String,
        /// The webhook's name
        name: String,
    },
    /// Send nothing until the webhook is resumed
    Pause {
        /// The tenant
        tenant: String,
        /// The webhook's name
        name: String,
    },
    /// Go on where the webhook was, and at once
    Resume {
        /// The tenant
        tenant: String,
        /// The webhook's name
        name: String,
    },
    /// Send a verification event now, and say how it was answered
    Test {
        /// The tenant
        tenant: String,
        /// The webhook's name
        name: String,
    },
}

/// Commands of secret tokens.
#[derive(Clone, Debug, Subcommand)]
pub enum TokenCommand {
    /// Add a secret token to a tenant; it is shown this once
    Add {
        /// The tenant
        tenant: String,
        /// A name to tell it from the tenant's other tokens
        name: String,
        /// How many days it works
        #[arg(long, value_name = "DAYS", default_value_t = provider::TOKEN_DAYS_DEFAULT, value_parser = clap::value_parser!(u16).range(1..))]
        days: u16,
        /// What it may do
        #[arg(long, value_enum, default_value_t)]
        scope: ScopeArg,
    },
    /// Make a successor of a token under its name and with its scope; the old one works a while longer
    Rotate {
        /// The tenant
        tenant: String,
        /// The token's name
        name: String,
        /// How many days the successor works
        #[arg(long, value_name = "DAYS", default_value_t = provider::TOKEN_DAYS_DEFAULT, value_parser = clap::value_parser!(u16).range(1..))]
        days: u16,
        /// How many hours the old one works from now on, at most
        #[arg(long, value_name = "HOURS", default_value_t = 24)]
        overlap: u16,
    },
    /// List the tokens of a tenant
    List {
        /// The tenant
        tenant: String,
    },
    /// Revoke a token: the next request with it is refused
    #[command(visible_alias = "remove")]
    Revoke {
        /// The tenant
        tenant: String,
        /// The token's name
        name: String,
    },
}

/// What a token, or those of a client, may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ScopeArg {
    /// Read, search and list
    Read,
    /// All of that, and write
    #[default]
    Write,
    /// Read and change the tenant's own schemas, and nothing else
    Schemas,
}

impl From<ScopeArg> for provider::Scope {
    fn from(scope: ScopeArg) -> Self {
        match scope {
            ScopeArg::Read => Self::Read,
            ScopeArg::Write => Self::Write,
            ScopeArg::Schemas => Self::Schemas,
        }
    }
}

/// Commands of OAuth 2.0 clients.
#[derive(Clone, Debug, Subcommand)]
pub enum ClientCommand {
    /// Add a client with a first secret, which is shown this once
    Add {
        /// The tenant
        tenant: String,
        /// A name to tell it from the tenant's other clients
        name: String,
        /// What its access tokens may do
        #[arg(long, value_enum, default_value_t)]
        scope: ScopeArg,
        /// How many minutes its access tokens work: 60 to 360
        #[arg(long, value_name = "MINUTES", default_value_t = provider::oauth::TOKEN_MINUTES_DEFAULT)]
        token_minutes: u16,
        /// How many days its secret works: at most 1095
        #[arg(long, value_name = "DAYS", default_value_t = provider::oauth::SECRET_DAYS_DEFAULT)]
        secret_days: u16,
        /// Without a secret, for a client that an identity provider vouches for
        #[arg(long)]
        no_secret: bool,
    },
    /// List the clients of a tenant
    List {
        /// The tenant
        tenant: String,
    },
    /// Remove a client with its secrets and its access tokens, at once
    Remove {
        /// The tenant
        tenant: String,
        /// The client's name
        name: String,
    },
    /// Secrets of a client: two may be valid at a time
    #[command(subcommand)]
    Secret(ClientSecretCommand),
    /// Let an identity provider vouch for a client (RFC 7523), in place of the one before
    #[command(group(clap::ArgGroup::new("keys").args(["jwks_url", "jwks_file"]).required(true)))]
    Federate {
        /// The tenant
        tenant: String,
        /// The client's name
        name: String,
        /// What the claim iss must be
        #[arg(long, value_name = "URL")]
        issuer: String,
        /// What the claim aud must name
        #[arg(long, value_name = "TEXT")]
        audience: String,
        /// What the claim sub must be
        #[arg(long, value_name = "TEXT")]
        subject: Option<String>,
        /// Where the provider's keys are fetched
        #[arg(long, value_name = "URL")]
        jwks_url: Option<String>,
        /// A file with the provider's keys
        #[arg(long, value_name = "FILE")]
        jwks_file: Option<PathBuf>,
        /// Take the provider's tokens also as bearer tokens, as Entra sends them where its Secret Token is empty
        #[arg(long)]
        accept_bearer: bool,
    },
    /// Let no identity provider vouch for a client any more
    Unfederate {
        /// The tenant
        tenant: String,
        /// The client's name
        name: String,
    },
}

/// Commands of secrets of OAuth 2.0 clients.
#[derive(Clone, Debug, Subcommand)]
pub enum ClientSecretCommand {
    /// Add a secret; it is shown this once
    Add {
        /// The tenant
        tenant: String,
        /// The client's name
        name: String,
        /// How many days it works: at most 1095
        #[arg(long, value_name = "DAYS", default_value_t = provider::oauth::SECRET_DAYS_DEFAULT)]
        days: u16,
    },
    /// Revoke a secret, with the access tokens that were issued for it
    Revoke {
        /// The tenant
        tenant: String,
        /// The client's name
        name: String,
        /// How the secret begins, as the list shows it
        begins: String,
    },
}
