//! The commands of attribute mappings.

use clap::Subcommand;

use super::configuration::VersionsCommand;

/// Commands of attribute mappings.
#[derive(Clone, Debug, Subcommand)]
pub enum MappingCommand {
    /// Versions of the mappings
    #[command(flatten)]
    Versions(VersionsCommand),
}
