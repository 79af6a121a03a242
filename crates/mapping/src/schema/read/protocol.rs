//! Whether the target of a document speaks SCIM, as far as the names of its attributes tell.

use super::super::document::Schema;
use super::super::finding::Finding;
use super::super::standard;
use super::Located;
use crate::object_mapping::{ObjectMapping, ObjectType};

/// So many names that are none of SCIM's say something.
const FOREIGN_MIN: usize = 4;
/// So many of them are told.
const TOLD_MAX: usize = 4;

/// What tells that the target is no SCIM application. It blocks: all else that would be told follows from it.
pub(super) fn tell(schema: &Schema, located: &[Located]) -> Option<Finding> {
    // Of what is too much only some is read.
    let mut judged = located.iter().filter(|one| !one.unread.more_mappings);
    let first = judged.clone().next()?;
    let judged = judged.find(|one| one.mapping.source_object == ObjectType::User).unwrap_or(first);
    let foreign = foreign(&judged.mapping)?;
    let rule = &schema.synchronization_rules.items()[judged.rule];
    let names: Vec<String> = foreign.iter().take(TOLD_MAX).map(|name| format!("`{name}`")).collect();
    let more = if foreign.len() > TOLD_MAX { ", …" } else { "" };
    let reason = format!(
        "it speaks another protocol than SCIM, as far as the names of its attributes tell ({}{more}), and applications are provisioned over SCIM 2.0 here; if it has a SCIM endpoint, too, give the target attributes the names that they have there, such as `userName`, `active`, `name.givenName` and `emails[type eq \"work\"].value`, and import again",
        names.join(", ")
    );
    let place = match rule.target_directory_name.text() {
        "" => "the target".to_owned(),
        name => format!("the target `{name}`"),
    };
    Some(Finding::not_supported(place, reason).blocking())
}

/// The target attributes whose names are none of SCIM's, where they are the most of them and none is made as only SCIM makes names: with
/// a URN, with a filter, or as a part of what RFC 7643 defines.
fn foreign(mapping: &ObjectMapping) -> Option<Vec<&str>> {
    let object = mapping.target_object;
    let key = if object == ObjectType::User { "userName" } else { "displayName" };
    let targets = || mapping.attributes.iter().map(|attribute| attribute.target.as_str());
    let is_known = |name: &str| standard::of_target(object, name).is_some();
    let is_scim = |name: &str| name == key || name.contains([':', '[']) || (name.contains('.') && is_known(name));
    if targets().any(is_scim) {
        return None;
    }
    let (known, foreign): (Vec<&str>, Vec<&str>) = targets().partition(|name| is_known(name));
    (foreign.len() >= FOREIGN_MIN && foreign.len() > known.len()).then_some(foreign)
}
