//! What differs between two sets of object mappings, for people and programs.
//!
//! Properties are those of the data files, so a property that is added there is compared without a word here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::object_mapping::{ObjectMapping, ObjectType};
use crate::scoping::{Clause, FilterGroup, ScopingFilters};

/// The properties of an object mapping that are lists and have a part of their own.
const LISTS: [&str; 6] =
    ["attributes", "scoping", "inputFilters", "categoryFilters", "targetAttributes", "flowNullValues"];

/// All that differs, object type by object type. Empty exactly when both sides are equal.
///
/// `Display` prints one line for each change: `~ users: title  source: [jobTitle] → ToUpper([jobTitle])`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Difference {
    /// One after the other, in the order in which they are shown.
    pub changes: Vec<Change>,
}

/// Which part of an object mapping has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// The object mapping itself: there or not, switched on or off, its target object actions.
    ObjectMapping,
    /// The mapping of one target attribute.
    Attribute,
    /// A scoping filter.
    ScopingFilter,
    /// A filter of `inputFilterGroups`.
    InputFilter,
    /// A filter of `categoryFilterGroups`.
    CategoryFilter,
    /// An entry of the target's attribute list.
    TargetAttribute,
    /// A source attribute that may flow null.
    FlowNullValues,
}

/// What has happened to a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is no more.
    Removed,
    /// It is another.
    Changed,
}

/// One part that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Of the mapping of which source objects.
    pub object: ObjectType,
    /// Which part.
    pub part: Part,
    /// Which of them: a target attribute, a filter's title, a source attribute; `""` for the object mapping itself.
    pub name: String,
    /// What has happened.
    pub kind: ChangeKind,
    /// The properties that differ; of what is added or removed, all it has.
    pub properties: Vec<PropertyChange>,
}

/// One property that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PropertyChange {
    /// Its name in data files, such as `source`; `clause` for one clause of a filter.
    pub property: String,
    /// What it was; none where it had its default or was not there.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
}

impl Difference {
    /// What has to change for `old` to become `new`.
    pub fn between(old: &[ObjectMapping], new: &[ObjectMapping]) -> Self {
        let mut changes = Vec::new();
        let key = |mapping: &ObjectMapping| format!("{:?}", mapping.source_object);
        for (_, pair) in pairs(old, new, key) {
            let mapping = pair.new.or(pair.old).expect("a pair has one side at least");
            let mut part = PartDifference { object: mapping.source_object, changes: &mut changes };
            part.object_mapping(&pair);
        }
        if changes.is_empty() && old != new {
            let object = new.first().or(old.first()).map_or(ObjectType::User, |mapping| mapping.source_object);
            let names = |side: &[ObjectMapping]| side.iter().map(key).collect::<Vec<_>>().join(", ");
            PartDifference { object, changes: &mut changes }.order(names(old), names(new));
        }
        Self { changes }
    }

    /// Whether both sides are equal.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// The same thing on both sides, or what one side alone has.
struct Pair<'a, T> {
    old: Option<&'a T>,
    new: Option<&'a T>,
}

/// Pairs what has the same name, the second of a name with the second; in the order of the new side, what is no more behind.
fn pairs<'a, T>(old: &'a [T], new: &'a [T], name: impl Fn(&T) -> String) -> Vec<(String, Pair<'a, T>)> {
    let mut olds: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, item) in old.iter().enumerate().rev() {
        olds.entry(name(item)).or_default().push(index);
    }
    let mut gone: BTreeSet<usize> = (0..old.len()).collect();
    let mut all = Vec::new();
    for item in new {
        let name = name(item);
        let before = olds.get_mut(&name).and_then(Vec::pop);
        if let Some(index) = before {
            gone.remove(&index);
        }
        all.push((name, Pair { old: before.map(|index| &old[index]), new: Some(item) }));
    }
    all.extend(gone.into_iter().map(|index| (name(&old[index]), Pair { old: Some(&old[index]), new: None })));
    all
}

/// Collects the changes of one object mapping.
struct PartDifference<'a> {
    object: ObjectType,
    changes: &'a mut Vec<Change>,
}

impl PartDifference<'_> {
    fn object_mapping(&mut self, pair: &Pair<'_, ObjectMapping>) {
        let before = self.changes.len();
        let of_itself = |mapping: &ObjectMapping| {
            let mut own = properties_of(mapping);
            own.retain(|name, _| !LISTS.contains(&name.as_str()));
            own
        };
        self.compare(Part::ObjectMapping, "", pair.old.map(of_itself), pair.new.map(of_itself));
        let attributes = |mapping: &ObjectMapping| mapping.attributes.clone();
        self.list(Part::Attribute, pair, attributes, |mapping| mapping.target.clone());
        self.filters(Part::ScopingFilter, pair, |mapping| &mapping.scoping);
        self.filters(Part::InputFilter, pair, |mapping| &mapping.input_filters);
        self.filters(Part::CategoryFilter, pair, |mapping| &mapping.category_filters);
        let list = |mapping: &ObjectMapping| mapping.target_attributes.clone();
        self.list(Part::TargetAttribute, pair, list, |definition| definition.name.clone());
        let nulls = |mapping: &ObjectMapping| mapping.flow_null_values.iter().cloned().collect();
        self.list(Part::FlowNullValues, pair, nulls, Clone::clone);
        if self.changes.len() == before
            && let (Some(old), Some(new)) = (pair.old, pair.new)
            && old != new
        {
            self.order(order_of(old), order_of(new));
        }
    }

    fn list<T: Serialize>(
        &mut self,
        part: Part,
        pair: &Pair<'_, ObjectMapping>,
        list: impl Fn(&ObjectMapping) -> Vec<T>,
        name: impl Fn(&T) -> String,
    ) {
        let (old, new) = (pair.old.map(&list).unwrap_or_default(), pair.new.map(&list).unwrap_or_default());
        for (title, item) in pairs(&old, &new, name) {
            self.compare(part, &title, item.old.map(properties_of), item.new.map(properties_of));
        }
    }

    fn filters(
        &mut self,
        part: Part,
        pair: &Pair<'_, ObjectMapping>,
        filters: impl for<'m> Fn(&'m ObjectMapping) -> &'m ScopingFilters,
    ) {
        let of = |side: Option<&ObjectMapping>| side.map(|mapping| filters(mapping).0.clone()).unwrap_or_default();
        let (old, new) = (of(pair.old), of(pair.new));
        for (title, group) in pairs(&old, &new, |group: &FilterGroup| group.name.clone()) {
            let clauses = |side: Option<&FilterGroup>| side.map(|group| group.clauses.clone()).unwrap_or_default();
            let properties = clauses_between(&clauses(group.old), &clauses(group.new));
            let kind = kind_of(group.old.is_some(), group.new.is_some());
            if kind != ChangeKind::Changed || !properties.is_empty() {
                self.push(part, &title, kind, properties);
            }
        }
    }

    fn compare(&mut self, part: Part, name: &str, old: Option<Map<String, Value>>, new: Option<Map<String, Value>>) {
        let kind = kind_of(old.is_some(), new.is_some());
        let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let differing = names.into_iter().filter(|name| old.get(*name) != new.get(*name));
        let properties: Vec<PropertyChange> = differing
            .map(|name| PropertyChange {
                property: name.clone(),
                old: old.get(name).map(text_of),
                new: new.get(name).map(text_of),
            })
            .collect();
        if kind != ChangeKind::Changed || !properties.is_empty() {
            self.push(part, name, kind, properties);
        }
    }

    fn order(&mut self, old: String, new: String) {
        let order = PropertyChange { property: "order".to_owned(), old: Some(old), new: Some(new) };
        self.push(Part::ObjectMapping, "", ChangeKind::Changed, vec![order]);
    }

    fn push(&mut self, part: Part, name: &str, kind: ChangeKind, properties: Vec<PropertyChange>) {
        self.changes.push(Change { object: self.object, part, name: name.to_owned(), kind, properties });
    }
}

fn kind_of(was_there: bool, is_there: bool) -> ChangeKind {
    match (was_there, is_there) {
        (false, _) => ChangeKind::Added,
        (true, false) => ChangeKind::Removed,
        (true, true) => ChangeKind::Changed,
    }
}

/// The properties of the data-file form, without the name that the change has already.
fn properties_of<T: Serialize>(item: &T) -> Map<String, Value> {
    match serde_json::to_value(item) {
        Ok(Value::Object(mut properties)) => {
            properties.retain(|name, _| !["target", "name", "sourceObject"].contains(&name.as_str()));
            properties
        }
        _ => Map::new(),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(Value::is_string) => {
            items.iter().map(text_of).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn clauses_between(old: &[Clause], new: &[Clause]) -> Vec<PropertyChange> {
    let all = pairs(old, new, clause_text);
    let one_sided = all.into_iter().filter(|(_, pair)| pair.old.is_none() || pair.new.is_none());
    let (come, gone): (Vec<_>, Vec<_>) = one_sided.partition(|(_, pair)| pair.new.is_some());
    let mut gone: Vec<_> = gone.into_iter().filter_map(|(text, pair)| Some((text, pair.old?.attribute()))).collect();
    let change = |old, new| PropertyChange { property: "clause".to_owned(), old, new };
    let mut changes = Vec::new();
    for (text, pair) in come {
        // A clause of the same attribute that is no more has become this one.
        let before = pair.new.and_then(|new| gone.iter().position(|(_, attribute)| *attribute == new.attribute()));
        changes.push(change(before.map(|index| gone.remove(index).0), Some(text)));
    }
    changes.extend(gone.into_iter().map(|(text, _)| change(Some(text), None)));
    if changes.is_empty() && old != new {
        let text = |clauses: &[Clause]| Some(clauses.iter().map(clause_text).collect::<Vec<_>>().join("; "));
        changes.push(PropertyChange { property: "order".to_owned(), old: text(old), new: text(new) });
    }
    changes
}

/// As people read a clause, and behind it whatever else its data-file form says.
fn clause_text(clause: &Clause) -> String {
    let mut more = properties_of(clause);
    more.retain(|name, _| !["attribute", "operator", "value"].contains(&name.as_str()));
    let more = more.iter().map(|(name, value)| format!(" ({name} {})", text_of(value)));
    std::iter::once(clause.to_string()).chain(more).collect()
}

/// The names of all lists in their order: shown where nothing but the order differs.
fn order_of(mapping: &ObjectMapping) -> String {
    let targets = mapping.attributes.iter().map(|attribute| attribute.target.as_str());
    let groups = [&mapping.scoping, &mapping.input_filters, &mapping.category_filters];
    let titles = groups.into_iter().flat_map(|filters| filters.0.iter().map(|group| group.name.as_str()));
    let list = mapping.target_attributes.iter().map(|definition| definition.name.as_str());
    targets.chain(titles).chain(list).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.kind {
            ChangeKind::Added => '+',
            ChangeKind::Removed => '-',
            ChangeKind::Changed => '~',
        };
        let objects = self.object.plural();
        write!(f, "{sign} {objects}")?;
        let name = &self.name;
        match self.part {
            Part::ObjectMapping => {}
            Part::Attribute => write!(f, ": {name}")?,
            Part::ScopingFilter => write!(f, ": scoping filter `{name}`")?,
            Part::InputFilter => write!(f, ": input filter `{name}`")?,
            Part::CategoryFilter => write!(f, ": category filter `{name}`")?,
            Part::TargetAttribute => write!(f, ": attribute list, {name}")?,
            Part::FlowNullValues => write!(f, ": {name} may flow null")?,
        }
        for (index, property) in self.properties.iter().enumerate() {
            f.write_str(if index == 0 { "  " } else { "; " })?;
            property.write(self.kind, f)?;
        }
        Ok(())
    }
}

impl PropertyChange {
    fn write(&self, kind: ChangeKind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |side: &Option<String>| match side.as_deref() {
            None => "(none)".to_owned(),
            Some("") => "\"\"".to_owned(),
            Some(text) => text.to_owned(),
        };
        let (name, old, new) = (&self.property, shown(&self.old), shown(&self.new));
        match kind {
            ChangeKind::Added => write!(f, "{name}: {new}"),
            ChangeKind::Removed => write!(f, "{name}: {old}"),
            ChangeKind::Changed => write!(f, "{name}: {old} → {new}"),
        }
    }
}

#[cfg(test)]
mod tests;
