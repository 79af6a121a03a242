//! The commands of tenants and their secret tokens.

use clap::Subcommand;

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
