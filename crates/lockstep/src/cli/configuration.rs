//! The commands that show and change how a job is configured: versions of its mappings, its schema, and whole jobs as files.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Commands of the versions of a job's mappings.
#[derive(Clone, Debug, Subcommand)]
pub enum VersionsCommand {
    /// List the versions of the mappings of an application, newest first
    Versions {
        /// The application, by name or id; may be left out where there is only one
        #[arg(long, value_name = "APP")]
        app: Option<String>,
        /// How many at the most; 0 lists all
        #[arg(long, value_name = "COUNT", default_value_t = 50)]
        limit: u32,
    },
    /// Show the mappings as they stand in the file of a job
    Show {
        /// The application, by name or id; may be left out where there is only one
        #[arg(long, value_name = "APP")]
        app: Option<String>,
        /// The version [default: the latest]
        version: Option<i64>,
    },
    /// Show what differs between two versions of the mappings
    Diff {
        /// The application, by name or id; may be left out where there is only one
        #[arg(long, value_name = "APP")]
        app: Option<String>,
        /// The older version [default: the one before the latest]
        #[arg(value_name = "A")]
        from: Option<i64>,
        /// The newer version [default: the latest]
        #[arg(value_name = "B")]
        to: Option<i64>,
    },
    /// Give an application the mappings of an earlier version again, as a new one; shows the difference and asks
    Rollback {
        /// The application, by name or id; may be left out where there is only one
        #[arg(long, value_name = "APP")]
        app: Option<String>,
        /// The version to go back to
        version: i64,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Give an application the mappings and filters of its template again; shows the difference and asks
    Restore {
        /// The application, by name or id; may be left out where there is only one
        #[arg(long, value_name = "APP")]
        app: Option<String>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Commands of the synchronization schema.
#[derive(Clone, Debug, Subcommand)]
pub enum SchemaFileCommand {
    /// Write the mappings of an application as a synchronization schema of Microsoft Graph, as Entra's portal takes it
    Export {
        /// The application, by name or id; may be left out where there is only one
        #[arg(long, value_name = "APP")]
        app: Option<String>,
        /// The file to write, or - [default: standard output]
        file: Option<PathBuf>,
        /// Replace a file that says something else
        #[arg(long)]
        force: bool,
    },
    /// Take over the mappings of a synchronization schema, as downloaded from Entra's portal; shows what is not supported and the difference, and asks
    Import(SchemaImportArgs),
    /// Write a synchronization schema as the file of a job, for `config apply`; needs no application
    Convert(SchemaConvertArgs),
}

/// Options of `schema convert`.
#[derive(Clone, Debug, Args)]
pub struct SchemaConvertArgs {
    /// The JSON file, or - for standard input
    pub file: PathBuf,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// The name of the application [default: that of the target directory]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The gallery template of the application
    #[arg(long, value_name = "TEMPLATE", default_value = "scim")]
    pub template: String,
    /// The application's Tenant URL
    #[arg(long, value_name = "URL")]
    pub tenant_url: Option<String>,
    /// Take over the rest where parts are not supported
    #[arg(long)]
    pub leave_out: bool,
    /// Replace a file that is there already
    #[arg(long)]
    pub force: bool,
}

/// Options of `schema import`.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct SchemaImportArgs {
    /// The application, by name or id; may be left out where there is only one
    #[arg(long, value_name = "APP")]
    pub app: Option<String>,
    /// The JSON file, or - for standard input
    pub file: PathBuf,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Take over the rest where parts are not supported
    #[arg(long)]
    pub leave_out: bool,
    /// Write the job with these mappings to a file for `config apply`, and change nothing
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
    /// Replace a file that is there already
    #[arg(long, requires = "to")]
    pub force: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// Commands of jobs as files.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    /// Write a job with its settings, mappings, filters and assignments as a TOML file, without secrets
    Export {
        /// The application, by name or id; may be left out where there is only one
        #[arg(long, value_name = "APP", conflicts_with = "all")]
        app: Option<String>,
        /// All applications, each in a file of its own in a folder
        #[arg(long, requires = "path")]
        all: bool,
        /// Leave out who is assigned; applying the file then leaves assignments alone
        #[arg(long)]
        without_assignments: bool,
        /// The file, or the folder, to write to [default: standard output]
        path: Option<PathBuf>,
        /// Replace files that say something else
        #[arg(long)]
        force: bool,
    },
    /// Show what files would change
    Diff {
        /// Files of jobs, one of them may be - for standard input
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// End with exit code 1 where something would change
        #[arg(long)]
        exit_code: bool,
    },
    /// Make jobs what files say; shows the difference and asks
    Apply {
        /// Files of jobs, one of them may be - for standard input
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// File with the secret token of an application that is new or has another server now, or - for standard input
        #[arg(long, value_name = "FILE")]
        secret_token_file: Option<PathBuf>,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}
