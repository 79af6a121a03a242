//! The commands of tenants and their secret tokens.

use std::path::PathBuf;

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
        /// A file with schemas and resource types of its own, as for `tenant schema set`
        #[arg(long, value_name = "FILE")]
        schema: Option<PathBuf>,
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
