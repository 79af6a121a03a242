//! The commands that try expressions, mappings and filters out. They write nothing.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::application::ScopeName;
use super::configuration::VersionsCommand;

/// Commands of expressions.
#[derive(Clone, Debug, Subcommand)]
pub enum ExpressionCommand {
    /// Evaluate an expression on a user, a group or a sample, and print its value
    Eval(EvalArgs),
    /// Run a table of expressions with their inputs and expected values
    Check {
        /// File with tab-separated columns expression, input_json, expected_json; - for standard input
        file: PathBuf,
        /// The expressions may call the functions that only Lockstep has
        #[arg(long)]
        extensions: bool,
    },
    /// List the functions with their parameters
    Functions {
        /// Only functions whose names hold this
        name: Option<String>,
    },
}

/// Options of `expression eval`.
#[derive(Clone, Debug, Args)]
pub struct EvalArgs {
    /// The expression, as in a mapping; - reads it from standard input
    #[arg(allow_hyphen_values = true)]
    pub expression: String,
    /// The user it reads, by userPrincipalName, its part before the @, or object id
    #[arg(long, value_name = "USER", conflicts_with_all = ["group", "input"])]
    pub user: Option<String>,
    /// The group it reads, by displayName or object id
    #[arg(long, value_name = "GROUP", conflicts_with = "input")]
    pub group: Option<String>,
    /// JSON file with an object of attributes that it reads, needing no directory; - for standard input
    #[arg(long, value_name = "FILE")]
    pub input: Option<PathBuf>,
    /// An attribute with another value than the object has; may be given several times
    #[arg(long = "set", value_name = "ATTRIBUTE=VALUE")]
    pub set: Vec<String>,
    /// The application, by name or id, for app roles and for values that are to be unique at its target
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
    /// The target attribute in which a value is to be unique [default: that of the mapping with this expression]
    #[arg(long, value_name = "ATTRIBUTE", requires = "app")]
    pub target: Option<String>,
    /// The moment it is [default: now]
    #[arg(long, value_name = "INSTANT")]
    pub now: Option<String>,
    /// The expression may call the functions that only Lockstep has [default: as the mapping of --app says]
    #[arg(long)]
    pub extensions: bool,
    /// Show a value that Redact hides
    #[arg(long)]
    pub reveal: bool,
}

/// Commands of attribute mappings.
#[derive(Clone, Debug, Subcommand)]
pub enum MappingCommand {
    /// Show what each attribute mapping makes of a user or a group
    Test(MappingTestArgs),
    /// Versions of the mappings
    #[command(flatten)]
    Versions(VersionsCommand),
}

/// Options of `mapping test`.
#[derive(Clone, Debug, Args)]
pub struct MappingTestArgs {
    /// The application, by name or id; may be left out where there is only one
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
    /// The user, by userPrincipalName, its part before the @, or object id
    #[arg(long, value_name = "USER", required_unless_present = "group")]
    pub user: Option<String>,
    /// The group, by displayName or object id
    #[arg(long, value_name = "GROUP", conflicts_with = "user")]
    pub group: Option<String>,
    /// Compare with the account that the target holds, instead of showing what a new one gets
    #[arg(long)]
    pub update: bool,
    /// File with mappings to try in place of the job's, as `app show --json` prints them or `config export` writes them; - for standard input
    #[arg(long, value_name = "FILE")]
    pub mappings: Option<PathBuf>,
    /// Show values that are hidden: under Redact, or never told by the target
    #[arg(long)]
    pub reveal: bool,
}

/// Commands of scoping filters.
#[derive(Clone, Debug, Subcommand)]
pub enum FilterCommand {
    /// Show who is in scope and who is out, and by which clause
    Test(FilterTestArgs),
    /// List the operators of clauses
    Operators,
}

/// Options of `filter test`.
#[derive(Clone, Debug, Args)]
pub struct FilterTestArgs {
    /// The application, by name or id; may be left out where there is only one
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
    /// Explain one user, by userPrincipalName, its part before the @, or object id
    #[arg(long, value_name = "USER", conflicts_with_all = ["group", "groups", "only"])]
    pub user: Option<String>,
    /// Explain one group, by displayName or object id
    #[arg(long, value_name = "GROUP", conflicts_with_all = ["groups", "only"])]
    pub group: Option<String>,
    /// Groups instead of users
    #[arg(long)]
    pub groups: bool,
    /// File with filters to try in place of the job's, or with mappings that hold them; - for standard input
    #[arg(long, value_name = "FILE")]
    pub filters: Option<PathBuf>,
    /// As if the job provisioned only those who are assigned, or all
    #[arg(long, value_enum, value_name = "SCOPE")]
    pub scope: Option<ScopeName>,
    /// List only those who are in scope, or only those who are out
    #[arg(long, value_enum, value_name = "SIDE")]
    pub only: Option<Side>,
    /// How many to list at the most; 0 lists all
    #[arg(long, value_name = "COUNT", default_value_t = 50)]
    pub limit: u32,
}

/// In scope or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// In scope
    In,
    /// Out of scope
    Out,
}
