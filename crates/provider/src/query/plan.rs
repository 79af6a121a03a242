//! How candidates for a filter are found: by what an index leads to, or by looking at all.
//!
//! An `and` is narrowed by the member that leads to least; an `or` is the union of what its members lead to, where each of them leads
//! somewhere. The filter still decides among the candidates, unless the index says all that it says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use scim::{AttributePath, Filter, Literal, Operator, Resolved};
use store::resources::{self, ResourceKind, ResourceRecord};
use store::{ReadTx, ResourceId, listing, members, unique_values};

use super::{CANDIDATES_MAX, too_many};
use crate::paths::{INDEX_KEY_BYTES_MAX, IndexedPath};
use crate::{Caller, ProviderError, Rules, document};

/// How candidates are found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Look at all.
    All,
    /// Look at what these lead to; where there are none, nothing can match.
    LookUps(Vec<LookUp>),
}

/// One question to an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LookUp {
    Id(ResourceId),
    /// The key of the unique attribute.
    Unique(String),
    /// The beginning of such a key.
    UniquePrefix(String),
    /// The path and the key of an indexed attribute.
    Key(Arc<str>, String),
    /// The beginning of such a key.
    KeyPrefix(Arc<str>, String),
    /// The path and the key of a value that only one resource has.
    Value(Arc<str>, String),
    /// Groups that have this member.
    Member(ResourceId),
    /// Users that are members of this group.
    Group(ResourceId),
    /// Users that are members of a group of this name.
    GroupNamed(String),
}

/// Look-ups with whether they lead to all that a filter means and nothing else.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) plan: Plan,
    pub(super) is_exact: bool,
}

/// Candidates that were looked up.
#[derive(Debug)]
pub(super) enum Found {
    /// The only ones there can be.
    Records(Vec<ResourceRecord>),
    /// Their ids, in order.
    Ids(Vec<ResourceId>),
    /// So many begin alike that looking at all costs no more.
    TooMany,
}

/// Plans a filter that the resource type has accepted.
pub(super) fn plan(caller: &Caller, kind: ResourceKind, rules: &Rules, filter: &Filter) -> Planned {
    match look_ups(&Indexes { caller, kind, rules }, filter) {
        Some((look_ups, is_exact)) => Planned { plan: Plan::LookUps(look_ups), is_exact },
        None => Planned { plan: Plan::All, is_exact: false },
    }
}

struct Indexes<'a> {
    caller: &'a Caller,
    kind: ResourceKind,
    rules: &'a Rules,
}

/// As deep as the filter, whose depth its parser has bounded.
fn look_ups(indexes: &Indexes<'_>, filter: &Filter) -> Option<(Vec<LookUp>, bool)> {
    match filter {
        Filter::And(all) => {
            let narrowed = all.iter().filter_map(|member| look_ups(indexes, member));
            narrowed.map(|(found, _)| (found, false)).min_by_key(|(found, _)| cost(found))
        }
        Filter::Or(any) => {
            let (mut union, mut is_exact) = (Vec::new(), true);
            for member in any {
                let (found, exact) = look_ups(indexes, member)?;
                union.extend(found);
                is_exact &= exact;
            }
            Some((union, is_exact))
        }
        Filter::Present(_) | Filter::ValuePath { .. } | Filter::Compare { .. }
            if filter.check(&indexes.rules.resource_type).is_err() =>
        {
            // Only a search of several resource types comes here with what makes no sense for one of them.
            let needs_none = matches!(filter, Filter::Compare { operator: Operator::Ne, .. })
                != matches!(filter, Filter::Compare { value: Literal::Null, .. });
            (!needs_none).then_some((Vec::new(), true))
        }
        Filter::Not(_) | Filter::Present(_) => None,
        Filter::Compare { operator: Operator::Sw, .. } => {
            indexes.prefix(filter).map(|found| (vec![found], false)).or_else(|| indexes.equality(filter))
        }
        Filter::Compare { .. } => indexes.equality(filter),
        Filter::ValuePath { path, filter: brackets } => {
            indexes.equality(filter).or_else(|| bracketed(indexes, path, brackets))
        }
    }
}

/// What a filter in brackets leads to by its parts: an element that meets one of several meets the `or` of them.
fn bracketed(indexes: &Indexes<'_>, path: &AttributePath, brackets: &Filter) -> Option<(Vec<LookUp>, bool)> {
    let part = |part: &Filter| {
        let part = Filter::ValuePath { path: path.clone(), filter: Box::new(part.clone()) };
        look_ups(indexes, &part).map(|(found, _)| found)
    };
    let found = match brackets {
        Filter::And(all) => all.iter().filter_map(part).min_by_key(|found| cost(found))?,
        Filter::Or(any) => any.iter().map(part).collect::<Option<Vec<_>>>()?.concat(),
        Filter::Not(_) | Filter::Present(_) | Filter::Compare { .. } | Filter::ValuePath { .. } => return None,
    };
    Some((found, false))
}

/// What reading the candidates may cost, roughly: one, some, or many.
fn cost(found: &[LookUp]) -> usize {
    let each = |look_up: &LookUp| match look_up {
        LookUp::Id(_) | LookUp::Unique(_) | LookUp::Value(..) => 1,
        LookUp::Key(..) => 10,
        LookUp::Member(_) | LookUp::Group(_) => 100,
        LookUp::GroupNamed(_) => 200,
        LookUp::UniquePrefix(_) | LookUp::KeyPrefix(..) => 1000,
    };
    found.iter().map(each).sum()
}

impl Indexes<'_> {
    /// What one comparison, or one in brackets, leads to.
    fn equality(&self, filter: &Filter) -> Option<(Vec<LookUp>, bool)> {
        let is_plain = matches!(filter, Filter::Compare { path, .. } if path.filter.is_none());
        let found = filter.equality_terms(&self.rules.resource_type).into_iter().filter_map(|(path, value)| {
            // Of texts a number in the filter is one as it was written.
            value.text().and_then(|text| self.look_up(&path, text)).or_else(|| self.value(&path, value))
        });
        let (found, is_exact) = found.min_by_key(|(found, _)| cost(found.as_slice()))?;
        Some((found.into_iter().collect(), is_exact && is_plain))
    }

    fn look_up(&self, path: &str, text: &str) -> Option<(Option<LookUp>, bool)> {
        if path == "id" {
            return Some((ResourceId::exact(text).map(LookUp::Id), true));
        }
        if path == "meta.resourceType" {
            // Of all resources of this type nothing is left out; of others there are none here.
            return (text != self.rules.resource_type.name).then_some((None, true));
        }
        if Some(path) == self.caller.unique_attribute(self.kind) {
            // A name that cannot be stored is nobody's name.
            return Some((document::folded(self.kind, text).ok().map(LookUp::Unique), true));
        }
        if path == "members.value" && self.kind == ResourceKind::Group {
            return Some((ResourceId::exact(text).map(LookUp::Member), true));
        }
        if path == "groups.value" && self.kind == ResourceKind::User {
            return Some((ResourceId::exact(text).map(LookUp::Group), true));
        }
        if path == "groups.display" && self.kind == ResourceKind::User {
            let is_whole = is_whole(&group_names(self.caller)?.key(text));
            return Some((Some(LookUp::GroupNamed(text.to_owned())), is_whole));
        }
        let indexed = self.rules.indexed.iter().find(|indexed| *indexed.path == *path)?;
        let key = indexed.key(text);
        let is_whole = is_whole(&key);
        Some((Some(LookUp::Key(Arc::clone(&indexed.path), key)), is_whole))
    }

    /// Where an attribute other than a text is unique, whose value this is.
    fn value(&self, path: &str, value: &Literal) -> Option<(Option<LookUp>, bool)> {
        let (path, key) = self.rules.unique.iter().find_map(|unique| unique.look_up(path, value))?;
        Some((Some(LookUp::Value(Arc::clone(path), key)), false))
    }

    /// What a text that must begin so leads to.
    fn prefix(&self, filter: &Filter) -> Option<LookUp> {
        let Filter::Compare { path, value: Literal::String(text), .. } = filter else { return None };
        let resolved = self.rules.resource_type.resolve(path).filter(|_| path.filter.is_none())?;
        let compared = resolved.compared()?;
        let is_part = resolved.sub_attribute.is_some() || !std::ptr::eq(compared, resolved.attribute);
        let path = Resolved { sub_attribute: is_part.then_some(compared), ..resolved }.to_string();
        if text.is_empty() {
            return None;
        }
        if Some(path.as_str()) == self.caller.unique_attribute(self.kind) {
            // A part of a name need not be a name by itself.
            let folded = document::folded(self.kind, text).unwrap_or_else(|_| scim::fold(text));
            return Some(LookUp::UniquePrefix(folded));
        }
        let indexed = self.rules.indexed.iter().find(|indexed| *indexed.path == *path)?;
        Some(LookUp::KeyPrefix(Arc::clone(&indexed.path), indexed.key(text)))
    }
}

/// The index of names of groups.
fn group_names(caller: &Caller) -> Option<&IndexedPath> {
    caller.rules(ResourceKind::Group).ok()?.indexed.iter().find(|indexed| *indexed.path == *GROUP_NAME)
}

/// What a user's `groups.display` shows of the group.
const GROUP_NAME: &str = "displayName";

/// Whether a key is all of its value; a longer value shares the key of its beginning. A character has at most four bytes.
const fn is_whole(key: &str) -> bool {
    key.len() + 4 <= INDEX_KEY_BYTES_MAX
}

/// Asks the indexes.
pub(super) fn ask(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    look_ups: &[LookUp],
) -> Result<Found, ProviderError> {
    let tenant = caller.tenant();
    if let [LookUp::Id(id)] = look_ups {
        return Ok(Found::Records(resources::by_id(tx, tenant, kind, *id)?.into_iter().collect()));
    }
    if let [LookUp::Unique(key)] = look_ups {
        return Ok(Found::Records(resources::by_unique_key(tx, tenant, kind, key)?.into_iter().collect()));
    }
    let mut ids = BTreeSet::new();
    for look_up in look_ups {
        let (found, is_prefix) = match look_up {
            LookUp::UniquePrefix(prefix) => (listing::ids_by_unique_prefix(tx, tenant, kind, prefix, LIMIT)?, true),
            LookUp::KeyPrefix(path, prefix) => {
                (listing::ids_by_key_prefix(tx, tenant, kind, (path, prefix), LIMIT)?, true)
            }
            LookUp::Member(member) => (members::group_ids_of(tx, tenant, *member, None, LIMIT)?, false),
            LookUp::Group(group) => (members::member_ids_of(tx, tenant, (*group, kind), None, LIMIT)?, false),
            LookUp::GroupNamed(name) => {
                for group in groups_named(tx, caller, name)? {
                    add(&mut ids, members::member_ids_of(tx, tenant, (group, kind), None, LIMIT)?)?;
                }
                continue;
            }
            LookUp::Id(_) | LookUp::Unique(_) | LookUp::Key(..) | LookUp::Value(..) => continue,
        };
        if is_prefix && found.len() > CANDIDATES_MAX as usize {
            return Ok(Found::TooMany);
        }
        add(&mut ids, found)?;
    }
    add(&mut ids, named(tx, caller, kind, look_ups)?)?;
    Ok(Found::Ids(ids.into_iter().collect()))
}

/// The groups of a name. One may be from a time when names were unique in the tenant, or were not.
fn groups_named(tx: &mut ReadTx<'_>, caller: &Caller, name: &str) -> Result<Vec<ResourceId>, ProviderError> {
    let Some(index) = group_names(caller) else { return Ok(Vec::new()) };
    let (tenant, kind, key) = (caller.tenant(), ResourceKind::Group, index.key(name));
    let mut groups = listing::ids_by_keys(tx, tenant, kind, (&index.path, &[&key]), NAMESAKES_MAX + 1)?;
    if caller.unique_attribute(kind).is_some()
        && let Ok(key) = document::folded(kind, name)
    {
        groups.extend(listing::ids_by_unique_keys(tx, tenant, kind, &[&key])?);
    }
    if groups.len() > NAMESAKES_MAX as usize { Err(too_many(NAMESAKES_MAX)) } else { Ok(groups) }
}

/// Most groups of one name whose members a filter may ask for.
const NAMESAKES_MAX: u32 = 1000;
/// One more than there may be shows that there are too many.
const LIMIT: u32 = CANDIDATES_MAX + 1;

fn add(ids: &mut BTreeSet<ResourceId>, found: Vec<ResourceId>) -> Result<(), ProviderError> {
    ids.extend(found);
    if ids.len() > CANDIDATES_MAX as usize { Err(too_many(CANDIDATES_MAX)) } else { Ok(()) }
}

/// What is named whole, each index asked once: a union may name hundreds.
fn named(
    tx: &mut ReadTx<'_>,
    caller: &Caller,
    kind: ResourceKind,
    look_ups: &[LookUp],
) -> Result<Vec<ResourceId>, ProviderError> {
    let (mut ids, mut names, mut keys) = (Vec::new(), Vec::new(), BTreeMap::<&str, Vec<&str>>::new());
    let mut values = BTreeMap::<&str, Vec<&str>>::new();
    for look_up in look_ups {
        match look_up {
            LookUp::Id(id) => ids.push(*id),
            LookUp::Unique(key) => names.push(key.as_str()),
            LookUp::Key(path, key) => keys.entry(path).or_default().push(key),
            LookUp::Value(path, key) => values.entry(path).or_default().push(key),
            LookUp::UniquePrefix(_)
            | LookUp::KeyPrefix(..)
            | LookUp::Member(_)
            | LookUp::Group(_)
            | LookUp::GroupNamed(_) => {}
        }
    }
    let tenant = caller.tenant();
    let mut found = Vec::new();
    if !ids.is_empty() {
        found.extend(listing::ids_there_are(tx, tenant, kind, &ids)?);
    }
    if !names.is_empty() {
        found.extend(listing::ids_by_unique_keys(tx, tenant, kind, &names)?);
    }
    for (path, keys) in keys {
        let of_path = listing::ids_by_keys(tx, tenant, kind, (path, &keys), LIMIT)?;
        // One resource may have several of the keys, so that some may be missing although there are fewer.
        if of_path.len() > CANDIDATES_MAX as usize {
            return Err(too_many(CANDIDATES_MAX));
        }
        found.extend(of_path);
    }
    for (path, keys) in values {
        found.extend(unique_values::owners(tx, tenant, kind, (path, &keys))?);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Profile, TenantSettings};

    fn caller() -> Caller {
        let profile = Arc::clone(Profile::by_name("generic").expect("it is built in"));
        Caller::new(store::testing::tenant_key(1), "acme".to_owned(), profile, TenantSettings::default(), None, None)
    }

    fn planned(kind: ResourceKind, filter: &str) -> String {
        planned_for(&caller(), kind, filter)
    }

    fn planned_for(caller: &Caller, kind: ResourceKind, filter: &str) -> String {
        let Planned { plan: found, is_exact } =
            plan(caller, kind, caller.rules(kind).expect("it has both"), &filter.parse().expect("it is a filter"));
        let exactly = if is_exact { "exactly " } else { "" };
        match found {
            Plan::All => "all".to_owned(),
            Plan::LookUps(look_ups) => {
                format!("{exactly}{}", look_ups.iter().map(shown).collect::<Vec<_>>().join(" + "))
            }
        }
    }

    fn shown(look_up: &LookUp) -> String {
        match look_up {
            LookUp::Id(_) => "id".to_owned(),
            LookUp::Unique(key) => format!("unique {key}"),
            LookUp::UniquePrefix(prefix) => format!("unique {prefix}*"),
            LookUp::Key(path, key) | LookUp::Value(path, key) => format!("{path} {key}"),
            LookUp::KeyPrefix(path, prefix) => format!("{path} {prefix}*"),
            LookUp::Member(_) => "member".to_owned(),
            LookUp::Group(_) => "group".to_owned(),
            LookUp::GroupNamed(name) => format!("group named {name}"),
        }
    }

    const ID: &str = "01a1fcff-9d56-7a9e-8292-becdc33d4463";
    const NUMBER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";

    /// A filter with an index looks at what the index leads to, never at all.
    #[test]
    fn what_filters_of_users_look_at() {
        for (filter, expected) in [
            ("userName eq \"Ada\"", "exactly unique ada".to_owned()),
            ("userName eq \"not  a name\"", "exactly ".to_owned()),
            (&format!("id eq \"{ID}\""), "exactly id".to_owned()),
            ("id eq \"x\"", "exactly ".to_owned()),
            ("externalId eq \"X\"", "exactly externalId X".to_owned()),
            ("emails eq \"A@x\"", "exactly emails.value a@x".to_owned()),
            ("emails[type eq \"work\"].value eq \"A@x\"", "emails.value a@x".to_owned()),
            ("emails[type eq \"work\" and value eq \"A@x\"]", "emails.value a@x".to_owned()),
            (&format!("groups eq \"{ID}\""), "exactly group".to_owned()),
            (&format!("groups[value eq \"{ID}\"] and active eq true"), "group".to_owned()),
            (&format!("groups.value eq \"{ID}\" and userName eq \"a\""), "unique a".to_owned()),
            ("groups.value eq \"x\"", "exactly ".to_owned()),
            ("groups pr", "all".to_owned()),
            ("groups.display eq \"Sales\"", "exactly group named Sales".to_owned()),
            ("groups[type eq \"direct\" and display eq \"Sales\"]", "group named Sales".to_owned()),
            (&format!("groups[value eq \"{ID}\" or display eq \"Sales\"]"), "group + group named Sales".to_owned()),
            (&format!("groups[value eq \"{ID}\" and display eq \"Sales\"]"), "group".to_owned()),
            ("groups[value eq \"x\" or type pr]", "all".to_owned()),
            ("groups.display co \"Sales\"", "all".to_owned()),
            (
                "emails[type eq \"w\" and (value eq \"A\" or value eq \"b\")]",
                "emails.value a + emails.value b".to_owned(),
            ),
            ("emails[value eq \"a\"].type sw \"w\"", "emails.value a".to_owned()),
            // Who has no such address matches too.
            ("emails[value eq \"a\"].type ne \"w\"", "all".to_owned()),
            ("emails[value eq \"a\"].type eq null", "all".to_owned()),
            ("emails[value eq \"a\"].type ne null", "emails.value a".to_owned()),
            ("employeeNumber eq \"17\"", format!("exactly {NUMBER} 17")),
            ("title eq \"x\" and externalId eq \"X\" and active eq true", "externalId X".to_owned()),
            ("emails eq \"a\" and userName eq \"Ada\" and userName sw \"a\"", "unique ada".to_owned()),
            (
                "userName eq \"a\" or externalId eq \"b\" or emails.value eq \"c\"",
                "exactly unique a + externalId b + emails.value c".to_owned(),
            ),
            ("active eq true and (userName eq \"a\" or userName eq \"b\")", "unique a + unique b".to_owned()),
            ("(userName eq \"a\" and active eq true) or userName eq \"b\"", "unique a + unique b".to_owned()),
            ("userName sw \"Ad\"", "unique ad*".to_owned()),
            ("userName sw \"two words\"", "unique two words*".to_owned()),
            ("externalId sw 7a", "externalId 7a*".to_owned()),
            ("emails sw \"Ada@\"", "emails.value ada@*".to_owned()),
            ("meta.resourceType eq \"Group\"", "exactly ".to_owned()),
            ("meta.resourceType eq \"User\"", "all".to_owned()),
            ("userName eq \"a\" or title eq \"b\"", "all".to_owned()),
            ("not (userName eq \"a\")", "all".to_owned()),
            ("userName ne \"a\"", "all".to_owned()),
            ("externalId eq null", "all".to_owned()),
            ("externalId pr", "all".to_owned()),
            ("userName co \"a\"", "all".to_owned()),
            // Only a search of several resource types asks these of a user.
            ("members eq \"x\"", "exactly ".to_owned()),
            ("nothing pr or userName eq \"a\"", "exactly unique a".to_owned()),
            ("nothing ne \"a\"", "all".to_owned()),
            ("nothing eq null", "all".to_owned()),
            ("nothing ne null", "exactly ".to_owned()),
        ] {
            assert_eq!(planned(ResourceKind::User, filter), expected, "{filter}");
        }
    }

    /// RFC 7643 §2.2: what is unique need not be a text.
    #[test]
    fn what_filters_by_unique_numbers_and_instants_look_at() {
        let unique = |name: &str, kind: &str| serde_json::json!({ "name": name, "type": kind, "uniqueness": "server" });
        let badge = serde_json::json!({ "name": "badge", "type": "complex", "uniqueness": "server",
            "subAttributes": [{ "name": "value", "type": "integer" }, { "name": "room", "type": "integer" }] });
        let schema = serde_json::json!({ "id": "urn:example:User", "name": "More", "attributes":
            [unique("number", "integer"), unique("share", "decimal"), unique("since", "dateTime"), unique("first", "boolean"), badge] });
        let document = serde_json::json!({ "schemas": [schema], "resourceTypes": [{ "name": "User",
            "schemaExtensions": [{ "schema": "urn:example:User", "required": false }] }] })
        .to_string();
        let definition = crate::CustomSchemas::read(&document).expect("the schema is valid");
        let generic = Profile::by_name("generic").expect("it is built in");
        let profile = Arc::new(definition.compile(generic, &mut BTreeMap::new()).expect("the schema fits"));
        let settings = TenantSettings::default();
        let caller = Caller::new(store::testing::tenant_key(1), "acme".to_owned(), profile, settings, None, None);
        for (filter, expected) in [
            ("number eq 7", "number =7"),
            ("number eq 7.0 and title pr", "number =7"),
            ("number eq -0.0", "number =0"),
            ("number eq 9007199254740991", "number =9007199254740991"),
            ("number eq 9007199254740992", "all"),
            ("share eq 1.50", "share =1.5"),
            ("share eq 2e0 or number eq 1", "share =2 + number =1"),
            ("since eq \"1970-01-01T00:00:01Z\"", "since =1000000000"),
            ("since eq \"1970-01-01T01:00:01.000+01:00\"", "since =1000000000"),
            ("since eq \"1970-01-02\"", "since =86400000000000"),
            ("since eq \"1970-01-02T00:00Z\"", "since =86400000000000"),
            ("first eq true", "first =true"),
            ("badge eq 3", "badge =3"),
            ("badge[value eq 3 and room eq 4]", "badge =3"),
            ("badge.room eq 4", "all"),
            ("number gt 7", "all"),
            ("number ne 7", "all"),
            ("number eq 7 and userName eq \"Ada\"", "number =7"),
            ("number eq 7 and externalId eq \"X\"", "number =7"),
        ] {
            let found = planned_for(&caller, ResourceKind::User, filter).replace("urn:example:User:", "");
            assert_eq!(found, expected, "{filter}");
        }
    }

    #[test]
    fn what_filters_of_groups_look_at() {
        for (filter, expected) in [
            ("displayName eq \"Sales\"", "exactly displayName sales"),
            (&format!("members eq \"{ID}\""), "exactly member"),
            (&format!("members[value eq \"{ID}\"] and displayName sw \"s\""), "member"),
            (&format!("members[value eq \"{ID}\" and type eq \"User\"]"), "member"),
            (&format!("members[value eq \"{ID}\" or value eq \"{ID}\"]"), "member + member"),
            ("members[type eq \"User\"]", "all"),
            ("members.type eq \"User\"", "all"),
            ("members eq null", "all"),
            (&format!("members.value eq \"{ID}\" and displayName eq \"s\""), "displayName s"),
            ("members eq \"x\"", "exactly "),
        ] {
            assert_eq!(planned(ResourceKind::Group, filter), expected, "{filter}");
        }
    }

    /// SF-04. As many terms as there may be are as many look-ups, and a value that shares its key with others is looked at.
    #[test]
    fn hundreds_of_names_and_long_values() {
        let names: Vec<String> = (0..200).map(|number| format!("userName eq \"u{number}\"")).collect();
        assert_eq!(planned(ResourceKind::User, &names.join(" or ")).matches("unique").count(), 200);
        let long = |length: usize| planned(ResourceKind::User, &format!("externalId eq \"{}\"", "x".repeat(length)));
        assert!(long(INDEX_KEY_BYTES_MAX - 4).starts_with("exactly"));
        assert!(!long(INDEX_KEY_BYTES_MAX - 3).starts_with("exactly"));
    }
}
