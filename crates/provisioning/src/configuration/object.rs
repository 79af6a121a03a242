//! One object mapping of a file: its rows and filters one by one, so that each problem has its place, and so that the rest can be used where
//! one cannot be read.

use mapping::validation::Unread;
use mapping::{
    AttributeMapping, Clause, FilterGroup, FilterKind, Language, MappingSource, ObjectMapping, ScopingFilters, nearest,
};
use serde_json::{Value, json};
use toml::de::DeTable;

use super::Place;
use super::places::ObjectPlaces;
use super::read::{listed, typed};
use super::rows::{Item, Reader, json_of, member, object_of};
use crate::trial::Unparsed;

/// The lists of rows of an object mapping that are read one by one.
const ATTRIBUTES: &str = "attributes";
const TARGET_ATTRIBUTES: &str = "targetAttributes";
/// The lists of filters of an object mapping, and their kinds.
const FILTERS: [(&str, FilterKind); 3] =
    [("scoping", FilterKind::Scoping), ("inputFilters", FilterKind::Input), ("categoryFilters", FilterKind::Category)];

/// A filter that was read, with the places of its clauses.
pub(super) struct ReadFilter {
    pub(super) group: FilterGroup,
    clauses: Vec<Place>,
    /// Nothing of it was left out.
    is_whole: bool,
}

/// An object mapping with what of it could not be read; `None` where nobody knows what objects it is for.
pub(super) fn read<'t>(reader: &mut Reader<'t>, item: &Item<'t>) -> Option<(ObjectMapping, ObjectPlaces, Unread)> {
    let table = reader.table("mappings", item)?;
    let mut unread = Unread::default();
    let object = itself(reader, item, table, &mut unread);
    let (attributes, rows): (Vec<_>, Vec<Place>) = attributes(reader, table, &mut unread).into_iter().unzip();
    let definitions = listed(reader, table, TARGET_ATTRIBUTES, |reader, item| {
        let definition = typed(reader, "an entry of targetAttributes", item);
        if definition.is_none() {
            match text(item, "name") {
                Some(name) => unread.add_definition(name),
                None => unread.more_definitions = true,
            }
        }
        definition
    });
    let (definitions, defined): (Vec<_>, Vec<Place>) = definitions.into_iter().unzip();
    let filters = FILTERS.map(|(name, kind)| (kind, filters(reader, table, (name, kind), &mut unread)));
    if member(table, ATTRIBUTES).is_none() {
        reader.problem(item.span().start, "a mapping has no `attributes`; list each target attribute there");
        unread.more_mappings = true;
    }
    let mut object = object?;
    (object.attributes, object.target_attributes) = (attributes, definitions);
    let of_filters = filters.iter().flat_map(|(kind, filters)| {
        filters.iter().map(move |(filter, place)| (*kind, &filter.group, *place, filter.clauses.clone()))
    });
    let places = ObjectPlaces::new(&object, reader.place(item.span().start), (&rows, &defined), of_filters.collect());
    let [scoping, input, category] =
        filters.map(|(_, filters)| ScopingFilters(filters.into_iter().map(|(filter, _)| filter.group).collect()));
    (object.scoping, object.input_filters, object.category_filters) = (scoping, input, category);
    Some((object, places, unread))
}

/// The object mapping without its lists.
fn itself<'t>(
    reader: &mut Reader<'t>,
    item: &Item<'t>,
    table: &DeTable<'t>,
    unread: &mut Unread,
) -> Option<ObjectMapping> {
    let mut without = vec![ATTRIBUTES, TARGET_ATTRIBUTES];
    without.extend(FILTERS.map(|(name, _)| name));
    let mut plain = Value::Object(object_of(table, &without));
    plain[ATTRIBUTES] = json!([]);
    let mut left_out = Vec::new();
    let object = reader.partly("a mapping", item, plain, &mut left_out);
    // A list under another name is not there.
    let is_meant = |list: &str| {
        let names = [ATTRIBUTES, TARGET_ATTRIBUTES];
        member(table, list).is_none() && left_out.iter().any(|key| nearest(key, names.into_iter()) == Some(list))
    };
    unread.more_definitions |= is_meant(TARGET_ATTRIBUTES);
    unread.settings |= !left_out.is_empty() || object.is_none();
    object.or_else(|| {
        let named = ["targetObject", "sourceObject"].into_iter().filter_map(|key| text(item, key));
        let mut known = named.filter_map(|name| {
            serde_json::from_value(json!({ "sourceObject": name, "targetObject": name, ATTRIBUTES: [] })).ok()
        });
        known.next()
    })
}

fn text<'v>(item: &'v Item<'_>, key: &str) -> Option<&'v str> {
    member(item.get_ref().as_table()?, key)?.get_ref().as_str().filter(|text| !text.trim().is_empty())
}

fn attributes<'t>(reader: &mut Reader<'t>, table: &DeTable<'t>, unread: &mut Unread) -> Vec<(AttributeMapping, Place)> {
    // Where it cannot be read whether there are extensions, none is refused.
    let extensions = member(table, "extensions").is_some_and(|item| item.get_ref().as_bool().unwrap_or(true));
    let before = reader.problems.len();
    let rows =
        listed(reader, table, ATTRIBUTES, |reader, item| attribute(reader, item, Language { extensions }, unread));
    unread.more_mappings |= rows.is_empty() && reader.problems.len() > before;
    rows
}

/// The mapping of one attribute. An expression that is none is told with a pointer to the place.
fn attribute<'t>(
    reader: &mut Reader<'t>,
    item: &Item<'t>,
    language: Language,
    unread: &mut Unread,
) -> Option<AttributeMapping> {
    let (mut json, target) = (json_of(item), text(item, "target"));
    let (mut source, mut lacks_source) = (None, false);
    if let Some(given) = item.get_ref().as_table().and_then(|table| member(table, "source"))
        && let Some(text) = given.get_ref().as_str()
    {
        match MappingSource::parse_with(text, language) {
            Ok(parsed) => source = Some(parsed),
            Err(error) => {
                lacks_source = true;
                if let Some(unparsed) = &mut reader.unparsed {
                    unparsed.insert(item.span().start, Unparsed { text: text.to_owned(), error });
                } else {
                    let place = error.pointer(text).replace('\n', "\n    ");
                    reader.problem(given.span().start, format!("{error}\n    {place}"));
                }
            }
        }
        // Parsed here, in the language of the object mapping.
        json.as_object_mut()?.remove("source");
    }
    let mut left_out = Vec::new();
    let mapping: Option<AttributeMapping> = reader.partly("an attribute mapping", item, json, &mut left_out);
    let Some(target) = target else {
        unread.more_mappings |= mapping.is_none();
        return mapping.map(|mapping| AttributeMapping { source: source.unwrap_or_default(), ..mapping });
    };
    if mapping.is_none() || !left_out.is_empty() {
        unread.add_mapping(target);
        lacks_source |= source.is_none();
    }
    if lacks_source {
        unread.add_source(target);
    }
    let mapping = mapping.unwrap_or_else(|| AttributeMapping::new(target.trim(), MappingSource::None));
    Some(AttributeMapping { source: source.unwrap_or_default(), ..mapping })
}

fn filters<'t>(
    reader: &mut Reader<'t>,
    table: &DeTable<'t>,
    (name, kind): (&str, FilterKind),
    unread: &mut Unread,
) -> Vec<(ReadFilter, Place)> {
    let (before, mut is_one_missing) = (reader.problems.len(), false);
    let read = listed(reader, table, name, |reader, item| {
        let read = filter(reader, item);
        is_one_missing |= read.is_none();
        read
    });
    if is_one_missing || read.is_empty() && reader.problems.len() > before {
        unread.more_filters.insert(kind);
    }
    for (filter, _) in read.iter().filter(|(filter, _)| !filter.is_whole) {
        unread.add_filter(kind, &filter.group.name);
    }
    read
}

/// A filter, with the places of its clauses.
pub(super) fn filter<'t>(reader: &mut Reader<'t>, item: &Item<'t>) -> Option<ReadFilter> {
    let before = reader.problems.len();
    let table = reader.table("a filter", item)?;
    let mut plain = Value::Object(object_of(table, &["clauses"]));
    plain["clauses"] = json!([]);
    let group: Option<FilterGroup> = reader.partly("a filter", item, plain, &mut Vec::new());
    let title = member(table, "name").and_then(|name| name.get_ref().as_str());
    let filter = title.map_or_else(|| "a filter without a name".to_owned(), |title| format!("the filter `{title}`"));
    let mut number = 0;
    let clauses = listed(reader, table, "clauses", |reader, item| {
        number += 1;
        typed(reader, &format!("clause {number} of {filter}"), item)
    });
    let (clauses, places): (Vec<Clause>, _) = clauses.into_iter().unzip();
    let is_whole = reader.problems.len() == before;
    Some(ReadFilter { group: FilterGroup { clauses, ..group? }, clauses: places, is_whole })
}
