//! The commands that run provisioning for one object, and that read its log.

use clap::{Args, Subcommand, ValueEnum};

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
    /// Only records of this user or group, by userPrincipalName, displayName or object id, also of one that is gone
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Only records that ended so
    #[arg(long, value_enum, value_name = "STATUS")]
    pub status: Option<LogStatus>,
    /// How many at the most; 0 lists all
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: u32,
    /// Show the steps of each record
    #[arg(long)]
    pub verbose: bool,
}

/// How what a record tells of ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogStatus {
    /// It was done
    Success,
    /// Nothing was to be done, and the record says why
    Skipped,
    /// It failed, and is tried again
    Failure,
}

impl LogStatus {
    /// The word in the record.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Skipped => "skipped",
            Self::Failure => "failure",
        }
    }
}

/// What to show of the log.
#[derive(Clone, Debug, Subcommand)]
pub enum LogsCommand {
    /// Show one record with its steps
    Show {
        /// The record's id
        id: String,
    },
}
