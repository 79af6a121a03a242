//! The documents, and the ids that tests give to new ones.

use mapping::schema::{Names, SOURCE_DIRECTORY, TARGET_DIRECTORY};

/// A SCIM application that is in no gallery, as it is exported.
pub const CUSTOMAPPSSO: &str = include_str!("../schemas/customappsso.json");
/// A template of the gallery, with its schema inside.
pub const PALO_ALTO: &str = include_str!("../schemas/palo-alto-cie.json");
/// Filters of every operator, and of every kind.
pub const FILTERS: &str = include_str!("../schemas/filters.json");
/// What people and portals do to documents.
pub const ODDITIES: &str = include_str!("../schemas/oddities.json");
/// An application of the gallery that has other names than SCIM's, with trees whose keys are those of Graph's list of functions.
pub const GRAPH_KEYS: &str = include_str!("../schemas/graph-keys.json");
pub const ALL: [&str; 5] = [CUSTOMAPPSSO, PALO_ALTO, FILTERS, ODDITIES, GRAPH_KEYS];

pub fn names() -> Names {
    Names {
        schema_id: "job".into(),
        rule_id: "rule".into(),
        source_directory_id: "source".into(),
        target_directory_id: "target".into(),
        source_directory: SOURCE_DIRECTORY.into(),
        target_directory: TARGET_DIRECTORY.into(),
    }
}
