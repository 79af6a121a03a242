//! The commands of the directory: users, groups, members, imports.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Commands of users.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// List users
    List {
        /// Only users with this text in their displayName or userPrincipalName
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Only soft-deleted users
        #[arg(long)]
        deleted: bool,
        /// Only users who may sign in, or only those who may not
        #[arg(long, value_name = "BOOLEAN")]
        enabled: Option<bool>,
        /// How many at the most; 0 lists all
        #[arg(long, value_name = "COUNT", default_value_t = 100)]
        limit: u32,
    },
    /// Show one user with all attributes, groups and assignments
    Show {
        /// userPrincipalName or object id
        user: String,
    },
    /// Add a user
    Add {
        /// userPrincipalName, like ann@contoso.example
        user_principal_name: String,
        /// displayName; unless given, the part of the userPrincipalName before the @
        #[arg(long, value_name = "NAME")]
        display_name: Option<String>,
        /// An attribute, like department=Sales; several values of a multi-valued attribute are separated by ;
        #[arg(long = "set", value_name = "ATTRIBUTE=VALUE")]
        attributes: Vec<String>,
        /// The manager, by userPrincipalName or object id
        #[arg(long, value_name = "USER")]
        manager: Option<String>,
        /// Do not allow sign-in
        #[arg(long)]
        disabled: bool,
    },
    /// Change attributes of a user
    Set {
        /// userPrincipalName or object id
        user: String,
        /// Attributes with their new values; ATTRIBUTE= clears one; manager takes a userPrincipalName
        #[arg(required = true, value_name = "ATTRIBUTE=VALUE")]
        attributes: Vec<String>,
        /// Also switch off the last Global Administrator who may sign in
        #[arg(long)]
        force: bool,
    },
    /// Soft-delete a user: it can be restored for 30 days
    Delete {
        /// userPrincipalName or object id
        user: String,
        /// Also the last Global Administrator who may sign in
        #[arg(long)]
        force: bool,
    },
    /// Restore a soft-deleted user
    Restore {
        /// userPrincipalName or object id
        user: String,
    },
    /// Remove a soft-deleted user for good
    Purge {
        /// userPrincipalName or object id
        user: String,
        /// Also the last Global Administrator
        #[arg(long)]
        force: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// Commands of groups.
#[derive(Clone, Debug, Subcommand)]
pub enum GroupCommand {
    /// List groups
    List {
        /// Only groups with this text in their displayName
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
        /// Only soft-deleted groups
        #[arg(long)]
        deleted: bool,
        /// How many at the most; 0 lists all
        #[arg(long, value_name = "COUNT", default_value_t = 100)]
        limit: u32,
    },
    /// Show one group with all attributes
    Show {
        /// displayName or object id
        group: String,
    },
    /// Add a group
    Add {
        /// displayName
        display_name: String,
        /// An attribute, like description=Everybody
        #[arg(long = "set", value_name = "ATTRIBUTE=VALUE")]
        attributes: Vec<String>,
    },
    /// Change attributes of a group
    Set {
        /// displayName or object id
        group: String,
        /// Attributes with their new values; ATTRIBUTE= clears one
        #[arg(required = true, value_name = "ATTRIBUTE=VALUE")]
        attributes: Vec<String>,
    },
    /// Soft-delete a group: it can be restored for 30 days
    Delete {
        /// displayName or object id
        group: String,
    },
    /// Restore a soft-deleted group
    Restore {
        /// displayName or object id
        group: String,
    },
    /// Remove a soft-deleted group for good
    Purge {
        /// displayName or object id
        group: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// List, add, remove direct members
    #[command(subcommand)]
    Members(MembersCommand),
}

/// Commands of a group's members.
#[derive(Clone, Debug, Subcommand)]
pub enum MembersCommand {
    /// List direct members
    List {
        /// displayName or object id of the group
        group: String,
        /// How many at the most; 0 lists all
        #[arg(long, value_name = "COUNT", default_value_t = 100)]
        limit: u32,
    },
    /// Add direct members
    Add {
        /// displayName or object id of the group
        group: String,
        /// userPrincipalNames, displayNames of groups, or object ids
        #[arg(required = true)]
        members: Vec<String>,
    },
    /// Remove direct members
    Remove {
        /// displayName or object id of the group
        group: String,
        /// userPrincipalNames, displayNames of groups, or object ids
        #[arg(required = true)]
        members: Vec<String>,
    },
}

/// Commands of admin roles.
#[derive(Clone, Debug, Subcommand)]
pub enum AdminCommand {
    /// List who has which admin role
    List,
    /// Give a user an admin role
    Grant {
        /// userPrincipalName or object id
        user: String,
        /// Global Administrator, Application Administrator or Cloud Application Administrator
        #[arg(long, value_name = "ROLE")]
        role: String,
    },
    /// Take an admin role from a user
    Revoke {
        /// userPrincipalName or object id
        user: String,
        /// Global Administrator, Application Administrator or Cloud Application Administrator
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// Take the role of Global Administrator also from the last one who may sign in
        #[arg(long)]
        force: bool,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What to import.
#[derive(Clone, Debug, Subcommand)]
pub enum ImportCommand {
    /// Users; needs the columns userPrincipalName and displayName
    Users(ImportArgs),
    /// Groups; columns displayName, description, securityEnabled
    Groups(ImportArgs),
    /// Direct members of groups; columns groupDisplayName, userPrincipalName
    Members {
        /// The file and how to read it
        #[command(flatten)]
        import: ImportArgs,
        /// The group of rows that name none, by displayName or object id
        #[arg(long, value_name = "GROUP")]
        group: Option<String>,
    },
}

/// Options of every import.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// The file, or - for standard input
    pub file: PathBuf,
    /// Report what the import would do, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Leave an attribute alone where its cell is empty, instead of clearing it
    #[arg(long)]
    pub keep_empty: bool,
    /// Form of the file [default: jsonl for .jsonl and .ndjson, csv for all others]
    #[arg(long, value_enum)]
    pub format: Option<ImportFormat>,
}

/// Form of a file to import.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// A table with a header row
    Csv,
    /// One JSON object a line
    Jsonl,
}
