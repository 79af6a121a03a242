//! The commands that run provisioning for one object, and that read its log.

use clap::{Args, Subcommand};

/// Options of `provision`.
#[derive(Clone, Debug, Args)]
pub struct ProvisionArgs {
    /// A user by userPrincipalName, or a group by displayName, or an object id
    pub principal: String,
    /// The application, by name or id; may be left out where there is only one
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
}

/// Options of `logs`.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct LogsArgs {
    /// One record
    #[command(subcommand)]
    pub command: Option<LogsCommand>,
    /// Only records of this application, by name or id
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
    /// Only records of this user or group, by userPrincipalName, displayName or object id
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// How many at the most
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(LOGS_MAX)))]
    pub limit: u32,
    /// Show the steps of each record
    #[arg(long)]
    pub verbose: bool,
}

/// The most records that one call of `logs` or `audit` shows.
pub const LOGS_MAX: u32 = 10_000;

/// What to show of the log.
#[derive(Clone, Debug, Subcommand)]
pub enum LogsCommand {
    /// Show one record with its steps
    Show {
        /// The record's id
        id: String,
    },
}
