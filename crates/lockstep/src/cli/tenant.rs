//! The commands of tenants and their secret tokens.

use clap::{Args, Subcommand};

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
    },
    /// List tenants
    List,
    /// Change what a tenant may ask for, and what is kept of its requests
    Set {
        /// The tenant
        name: String,
        /// Requests that it may send in a second; 0 for the common rate
        #[arg(long, value_name = "COUNT", required_unless_present = "log_bodies")]
        requests_per_second: Option<u32>,
        /// Whether the request log keeps bodies, with the values in them masked
        #[arg(long, value_name = "on|off")]
        log_bodies: Option<Toggle>,
    },
    /// Show the latest requests of a tenant, newest first
    Requests(RequestsArgs),
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
    /// Remove a tenant with all its users, groups and tokens
    Remove {
        /// The tenant
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
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
    /// With this token, by its name
    #[arg(long, value_name = "TOKEN")]
    pub caller: Option<String>,
    /// With this id, as in the header X-Request-Id
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,
    /// How many; 0 for all
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: usize,
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
