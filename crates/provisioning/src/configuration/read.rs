//! The file read: every problem at once, each with its place.

use mapping::validation::UnreadMappings;
use mapping::{ObjectMapping, ScopingFilters};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::de::DeTable;

use super::places::{Gaps, Places};
use super::rows::{Item, Reader, json_of, key_of, member, value_of};
use super::{
    ASSIGNMENTS_MAX, AssignmentRow, BadConfiguration, CONFIGURATION_BYTES_MAX, ConfigurationFile, ConfigurationProblem,
    JobConfiguration, Place, PlainSettings, ROWS_MAX, json, object,
};
use crate::gallery::Template;

/// The keys at the top of the file.
const KEYS: [&str; 16] = [
    "name",
    "template",
    "tenantUrl",
    "status",
    "scope",
    "intervalSeconds",
    "dialect",
    "excludeDefaultAccess",
    "concurrency",
    "requestTimeoutSeconds",
    "settleSeconds",
    "roles",
    "secretTokenFile",
    "secretTokenVariable",
    "mappings",
    "assignments",
];
/// `status` in the file.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    On,
    Off,
}

/// An assignment in the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AssignmentFile {
    name: Option<String>,
    id: Option<String>,
    role: Option<String>,
}

impl ConfigurationFile {
    /// Reads a file; every problem of it at once.
    pub fn parse(text: &str) -> Result<Self, BadConfiguration> {
        let file = Self::read(text)?;
        if file.problems.is_empty() { Ok(file) } else { Err(BadConfiguration::of(file.problems)) }
    }

    /// Reads what can be read of a file. The rest is told by [`Engine::propose`](crate::Engine::propose), together with what is wrong with it
    /// at its job. Fails where the file is no TOML.
    pub fn read(text: &str) -> Result<Self, BadConfiguration> {
        if json::is_json(text) {
            return Err(BadConfiguration::whole(
                "this is JSON, and the file of a job is TOML, as lockstep config export writes it; a synchronization schema is taken over with lockstep schema import or made such a file with lockstep schema convert, and mappings in JSON with lockstep app set --mappings",
            ));
        }
        let table = toml_of(text)?;
        let mut reader = Reader::new(text);
        let mut file = file(&mut reader, &table);
        file.problems = reader.problems;
        Ok(file)
    }

    /// What a job would be that a file need not be read for.
    pub fn of(wanted: JobConfiguration) -> Self {
        let count = |rows: &Option<Vec<AssignmentRow>>| rows.as_ref().map_or(0, Vec::len);
        let (users, groups) = (count(&wanted.users), count(&wanted.groups));
        let places = Places {
            users: vec![Place::default(); users],
            groups: vec![Place::default(); groups],
            ..Places::default()
        };
        let (gaps, problems) = (Gaps::default(), Vec::new());
        Self { wanted, secret_token_file: None, secret_token_variable: None, places, gaps, problems }
    }
}

/// The tables of a TOML file.
pub(super) fn toml_of(text: &str) -> Result<DeTable<'_>, BadConfiguration> {
    if text.len() as u64 > CONFIGURATION_BYTES_MAX {
        return Err(BadConfiguration::whole(format!(
            "the file has more than {CONFIGURATION_BYTES_MAX} bytes and is no configuration of a job"
        )));
    }
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader::new(text);
    for error in &errors {
        let byte = error.span().map_or(0, |span| span.start);
        reader.problem(byte, format!("this is no TOML: {}", error.message().replace('\n', ", ")));
    }
    if errors.is_empty() { Ok(table.into_inner()) } else { Err(BadConfiguration::of(reader.problems)) }
}

fn file<'t>(reader: &mut Reader<'t>, table: &DeTable<'t>) -> ConfigurationFile {
    for key in table.keys() {
        if !KEYS.contains(&key.get_ref().as_ref()) {
            reader.unknown_key(key.span().start, key.get_ref(), "this file", KEYS.into_iter());
        }
    }
    let (template, known) = template(reader, table);
    let mut places = Places {
        name: reader.place(key_of(table, "name").unwrap_or_default()),
        template: reader.place(key_of(table, "template").unwrap_or_default()),
        roles: key_of(table, "roles").map(|byte| reader.place(byte)),
        ..Places::default()
    };
    let name = required(reader, table, "name", "the display name of the application");
    let mut gaps = Gaps::default();
    let settings =
        Settings { reader, table, places: &mut places, gaps: &mut gaps }.read(PlainSettings::default_of(known));
    places.settings.extend(key_of(table, "tenantUrl").map(|byte| ("tenantUrl", reader.place(byte))));
    let objects = member(table, "mappings").map(|list| objects(reader, list, &mut places, &mut gaps.mappings));
    let roles = whole(reader, &mut gaps.roles, |reader| roles(reader, table));
    let (users, groups) = assignments(reader, table, &mut places);
    let wanted = JobConfiguration {
        name,
        template,
        tenant_url: value(reader, table, "tenantUrl"),
        on: value(reader, table, "status").map(|status| matches!(status, Status::On)),
        settings,
        roles,
        objects,
        users,
        groups,
    };
    ConfigurationFile {
        wanted,
        secret_token_file: value(reader, table, "secretTokenFile"),
        secret_token_variable: value(reader, table, "secretTokenVariable"),
        places,
        gaps,
        problems: Vec::new(),
    }
}

/// Reads a part, and notes whether something in it could not be read.
fn whole<'t, T>(reader: &mut Reader<'t>, gap: &mut bool, read: impl FnOnce(&mut Reader<'t>) -> T) -> T {
    let before = reader.problems.len();
    let part = read(reader);
    *gap = reader.problems.len() > before;
    part
}

/// The object mappings of a list, with their places and what of them could not be read.
pub(super) fn objects<'t>(
    reader: &mut Reader<'t>,
    list: &Item<'t>,
    places: &mut Places,
    unread: &mut UnreadMappings,
) -> Vec<ObjectMapping> {
    let before = reader.problems.len();
    let items = at_most(reader, "mappings", list, ROWS_MAX);
    unread.more |= reader.problems.len() > before;
    let mut objects = Vec::with_capacity(items.len());
    for item in items {
        match object::read(reader, item) {
            Some((object, at, of_object)) => {
                places.objects.push(at);
                unread.add(object.target_object, of_object);
                objects.push(object);
            }
            None => unread.more = true,
        }
    }
    objects
}

/// A value that need not be there.
fn value<T: DeserializeOwned>(reader: &mut Reader<'_>, table: &DeTable<'_>, key: &str) -> Option<T> {
    let item = member(table, key)?;
    match serde_json::from_value(json_of(item)) {
        Ok(value) => Some(value),
        Err(error) => {
            let what = super::rows::explained(&format!("`{key}`"), &error.to_string());
            reader.problem(item.span().start, what);
            None
        }
    }
}

fn required(reader: &mut Reader<'_>, table: &DeTable<'_>, key: &str, what: &str) -> String {
    if member(table, key).is_none() {
        let what = format!("`{key}` is missing; it is {what}");
        reader.problems.push(ConfigurationProblem { place: None, what });
        return String::new();
    }
    let text: String = value(reader, table, key).unwrap_or_default();
    text.trim().to_owned()
}

/// The name of the template, and the one whose defaults count.
fn template(reader: &mut Reader<'_>, table: &DeTable<'_>) -> (String, &'static Template) {
    let name = required(reader, table, "template", "the gallery template, as lockstep app gallery lists them");
    let any = || Template::by_name("scim").unwrap_or_else(|| &Template::all()[0]);
    let Some(known) = Template::by_name(&name) else {
        if let Some(item) = member(table, "template").filter(|_| !name.is_empty()) {
            let names: Vec<&str> = Template::all().iter().map(|template| template.name.as_str()).collect();
            let told = mapping::nearest(&name, names.iter().copied())
                .map_or_else(|| format!("there are {}", names.join(", ")), |name| format!("did you mean `{name}`?"));
            reader.problem(item.span().start, format!("no gallery template is named `{name}`; {told}"));
        }
        return (name, any());
    };
    (name, known)
}

/// The settings that have a default, on their way out of a file.
struct Settings<'r, 't> {
    reader: &'r mut Reader<'t>,
    table: &'r DeTable<'t>,
    places: &'r mut Places,
    gaps: &'r mut Gaps,
}

impl Settings<'_, '_> {
    fn read(mut self, defaults: PlainSettings) -> PlainSettings {
        PlainSettings {
            scope: self.value("scope", defaults.scope),
            interval_seconds: self.value("intervalSeconds", defaults.interval_seconds),
            dialect: self.value("dialect", defaults.dialect),
            exclude_default_access: self.value("excludeDefaultAccess", defaults.exclude_default_access),
            concurrency: self.value("concurrency", defaults.concurrency),
            request_timeout_seconds: self.value("requestTimeoutSeconds", defaults.request_timeout_seconds),
            settle_seconds: self.value("settleSeconds", defaults.settle_seconds),
        }
    }

    fn value<T: DeserializeOwned>(&mut self, key: &'static str, default: T) -> T {
        let place = value_of(Some(self.table), key).map(|byte| (key, self.reader.place(byte)));
        self.places.settings.extend(place);
        let value = value(self.reader, self.table, key);
        if value.is_none() && place.is_some() {
            self.gaps.settings.insert(key);
        }
        value.unwrap_or(default)
    }
}

fn roles(reader: &mut Reader<'_>, table: &DeTable<'_>) -> Option<Vec<String>> {
    let mut roles: Vec<String> = value(reader, table, "roles")?;
    roles.retain(|role| role != directory::DEFAULT_ACCESS);
    roles.sort();
    let twice = roles.iter().zip(roles.iter().skip(1)).find(|(role, next)| role == next);
    if let Some((twice, _)) = twice {
        let byte = value_of(Some(table), "roles").unwrap_or_default();
        reader.problem(byte, format!("the role {twice:?} is there twice"));
    }
    Some(roles)
}

/// The filters of a list.
pub(super) fn filters<'t>(reader: &mut Reader<'t>, list: &Item<'t>) -> ScopingFilters {
    let read = rows(reader, "the filters", list, object::filter);
    ScopingFilters(read.into_iter().map(|(filter, _)| filter.group).collect())
}

pub(super) fn listed<'t, T>(
    reader: &mut Reader<'t>,
    table: &DeTable<'t>,
    name: &str,
    read: impl FnMut(&mut Reader<'t>, &Item<'t>) -> Option<T>,
) -> Vec<(T, Place)> {
    member(table, name).map(|item| rows(reader, name, item, read)).unwrap_or_default()
}

/// The items of a list; none where there are too many.
fn at_most<'v, 't>(reader: &mut Reader<'t>, name: &str, item: &'v Item<'t>, most: usize) -> Vec<&'v Item<'t>> {
    let items: Vec<_> = reader.list(name, item).collect();
    if items.len() <= most {
        return items;
    }
    reader.problem(item.span().start, format!("`{name}` has {} rows, at most {most} are allowed", items.len()));
    Vec::new()
}

/// The rows of a list, each with its place.
fn rows<'t, T>(
    reader: &mut Reader<'t>,
    name: &str,
    item: &Item<'t>,
    mut read: impl FnMut(&mut Reader<'t>, &Item<'t>) -> Option<T>,
) -> Vec<(T, Place)> {
    at_most(reader, name, item, ROWS_MAX)
        .into_iter()
        .filter_map(|item| Some((read(reader, item)?, reader.place(item.span().start))))
        .collect()
}

pub(super) fn typed<'t, T: DeserializeOwned>(reader: &mut Reader<'t>, of: &str, item: &Item<'t>) -> Option<T> {
    reader.typed(of, item, json_of(item))
}

type Rows = Option<Vec<AssignmentRow>>;

fn assignments<'t>(reader: &mut Reader<'t>, table: &DeTable<'t>, places: &mut Places) -> (Rows, Rows) {
    let Some(item) = member(table, "assignments") else { return (None, None) };
    let Some(table) = reader.table("assignments", item) else { return (None, None) };
    for key in table.keys().filter(|key| !["users", "groups"].contains(&key.get_ref().as_ref())) {
        reader.unknown_key(key.span().start, key.get_ref(), "assignments", ["users", "groups"].into_iter());
    }
    let users = member(table, "users").map(|item| assigned(reader, "users", item, &mut places.users));
    let groups = member(table, "groups").map(|item| assigned(reader, "groups", item, &mut places.groups));
    (users, groups)
}

fn assigned<'t>(reader: &mut Reader<'t>, name: &str, item: &Item<'t>, places: &mut Vec<Place>) -> Vec<AssignmentRow> {
    let items = at_most(reader, name, item, ASSIGNMENTS_MAX);
    let mut rows = Vec::with_capacity(items.len());
    for item in items {
        let Some(row) = typed::<AssignmentFile>(reader, "an assignment", item) else { continue };
        let id = match row.id.as_deref().map(str::parse::<uuid::Uuid>) {
            None => None,
            Some(Ok(id)) => Some(store::ObjectId::from(id)),
            Some(Err(_)) => {
                reader.problem(item.span().start, "the `id` of an assignment must be an object id");
                continue;
            }
        };
        if row.name.is_none() && id.is_none() {
            reader.problem(item.span().start, "an assignment needs the `name` or the `id` of whom it is for");
            continue;
        }
        rows.push(AssignmentRow {
            name: row.name,
            id,
            role: row.role.filter(|role| role != directory::DEFAULT_ACCESS),
        });
        places.push(reader.place(item.span().start));
    }
    rows
}
