//! Where Lockstep is known to do otherwise than Entra. Each is a decision, told to whoever brings mappings from there.

use super::super::finding::Finding;
use crate::attribute_mapping::MappingSource;
use crate::object_mapping::ObjectMapping;
use crate::scoping::FilterOperator;

/// Source attributes that refer to other objects.
const REFERENCES: [&str; 2] = ["manager", "members"];

/// Nothing about an object mapping that is switched off: it does nothing on either side.
pub(super) fn tell(mapping: &ObjectMapping, place: &str, findings: &mut Vec<Finding>) {
    if !mapping.enabled {
        return;
    }
    attributes(mapping, place, findings);
    let groups = [&mapping.scoping, &mapping.input_filters, &mapping.category_filters];
    for (group, clause) in groups
        .iter()
        .flat_map(|filters| &filters.0)
        .flat_map(|group| group.clauses.iter().map(move |clause| (group, clause)))
    {
        let place = format!("{place}, filter `{}`, clause `{clause}`", group.name);
        if clause.is_unanchored() && !clause.value().is_some_and(spans_the_value) {
            let reason = "the pattern is looked for anywhere in the value; put it between `^` and `$` where the whole value is meant. Microsoft does not say which of the two Entra does";
            findings.push(Finding::note(place, reason));
        } else if matches!(clause.operator(), FilterOperator::BitAnd | FilterOperator::NotBitAnd) {
            let reason = "of two whole numbers the bits are compared; otherwise the value must stand inside the operand. What Entra does is hardly documented";
            findings.push(Finding::note(place, reason));
        }
    }
}

/// Whether a pattern means the same looked for anywhere as for the whole value, because it takes all that stands before and behind:
/// `.*@contoso\.com$`.
fn spans_the_value(pattern: &str) -> bool {
    let begins = ["^", "\\A", ".*"].iter().any(|begin| pattern.starts_with(begin));
    let ends = ["$", "\\z", "\\Z", ".*"].iter().any(|end| pattern.ends_with(end)) && !pattern.ends_with("\\.*");
    begins && ends && !pattern.contains('|')
}

fn attributes(mapping: &ObjectMapping, place: &str, findings: &mut Vec<Finding>) {
    for attribute in &mapping.attributes {
        let place = format!("{place}, target attribute {}", attribute.target);
        let mut different = |reason: &str| findings.push(Finding::different(place.clone(), reason));
        if matches!(&attribute.source, MappingSource::Attribute(name) if REFERENCES.contains(&name.as_str())) {
            different("whoever comes into scope later is written then; Entra notices after a restart only");
        }
        if attribute.source.uses_function("SingleAppRoleAssignment") {
            different(
                "of several roles the one that is assigned directly counts, then the first by name; Entra takes any of them",
            );
        }
        if attribute.source.uses_function("SelectUniqueValue") {
            different("the values are looked up at the application; Entra does that in Active Directory only");
        }
        if mapping.clears(attribute) {
            different(
                "the application's value is removed when the source has none any more; Entra does that for inbound jobs only",
            );
        }
    }
}
