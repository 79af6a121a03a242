//! What Entra will not take of the mappings, or not do the same way.

use super::super::finding::Finding;
use super::super::read::lacking;
use super::super::standard;
use crate::attribute_mapping::AttributeMapping;
use crate::object_mapping::ObjectMapping;
use crate::schema::AttributeType;
use crate::scoping::RegexMode;

/// What the document held before, `base`, Entra has taken once.
pub(super) fn tell(mapping: &ObjectMapping, base: Option<&ObjectMapping>, findings: &mut Vec<Finding>) {
    let objects = mapping.source_object.plural();
    for attribute in &mapping.attributes {
        let place = format!("{objects}, target attribute {}", attribute.target);
        findings.extend(extension(attribute, base, &place));
        if mapping.clears(attribute) {
            let reason = "Entra removes values for inbound jobs only; there, the application will keep the value";
            findings.push(Finding::different(place, reason));
        }
    }
    filters(mapping, objects, findings);
    for definition in &mapping.target_attributes {
        let is_custom = standard::of_target(mapping.source_object, &definition.name).is_none();
        if is_custom && (definition.multivalued || definition.kind == AttributeType::Reference) {
            let place = format!("{objects}, attribute list, {}", definition.name);
            let reason = "attributes of their own of applications that are in no gallery can be neither multi-valued nor references in Entra";
            findings.push(Finding::note(place, reason));
        }
    }
}

fn extension(attribute: &AttributeMapping, base: Option<&ObjectMapping>, place: &str) -> Option<Finding> {
    let function = attribute.source.extension()?;
    let lacking = lacking(function);
    let is_same = |old: &AttributeMapping| old.target == attribute.target && old.source == attribute.source;
    if base.is_some_and(|base| base.attributes.iter().any(is_same)) {
        let reason = format!("{lacking}; the imported document has the same expression, which stays as it was");
        return Some(Finding::note(place, reason));
    }
    let reason = format!("{lacking}, and Entra will refuse the document; use functions of Entra's instead");
    Some(Finding::not_supported(place, reason))
}

fn filters(mapping: &ObjectMapping, objects: &str, findings: &mut Vec<Finding>) {
    for group in
        [&mapping.scoping, &mapping.input_filters, &mapping.category_filters].into_iter().flat_map(|one| &one.0)
    {
        for clause in &group.clauses {
            let place = format!("{objects}, filter `{}`, clause `{clause}`", group.name);
            if clause.is_extension() {
                let reason = "Entra has no such clause, and will refuse the document; remove it there and see who is in scope then";
                findings.push(Finding::not_supported(place, reason));
            } else if clause.regex_mode() == RegexMode::Full {
                let reason = "Entra cannot be told that the whole value is meant, so the pattern is written between `^(?:` and `)$`";
                findings.push(Finding::note(place, reason));
            }
        }
    }
}
