//! What filters and mappings read of an object beside itself: its manager, and the groups it is in. It is read from the directory only
//! where something asks for it.

use std::collections::BTreeSet;

use directory::User;
use mapping::validation::Place;
use mapping::{Clause, ObjectMapping, ObjectType, Source, Value};
use store::{ObjectId, ReadTx, groups};

use crate::job::JobError;
use crate::settings::{BadSettings, Located, sentences};
use crate::source::UserSource;

/// Groups that an object may be in, nested ones included, for filters to be asked about them.
pub const GROUPS_MAX: u32 = 10_000;
/// What stands before the name of an attribute of the manager.
pub(crate) const MANAGER: &str = "manager.";
/// The ids of the groups that an object is in directly.
pub(crate) const MEMBER_OF: &str = "memberOf";
/// The same with groups that it is in through others.
pub(crate) const TRANSITIVE_MEMBER_OF: &str = "transitiveMemberOf";

/// What the mapping of one object type asks for beside the object.
#[expect(clippy::struct_excessive_bools, reason = "each is asked for, or not, whatever the others are")]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Attributes of the manager.
    pub manager: bool,
    /// The groups of which is asked whether the object is a direct member.
    pub groups: BTreeSet<ObjectId>,
    /// All groups that have the object as a direct member.
    pub every_group: bool,
    /// All groups, nested ones included.
    pub nested: bool,
    /// The groups of which is asked whether the object is a member through others.
    pub nested_in: BTreeSet<ObjectId>,
    /// Memberships through others are asked for in more ways than that.
    pub nested_in_any: bool,
    /// Filters compare dates with the clock.
    pub time: bool,
}

impl Needs {
    /// What a mapping asks for.
    pub fn of(mapping: &ObjectMapping) -> Self {
        let clauses = || mapping.filter_groups().flat_map(|group| &group.clauses);
        let named = |name| -> Vec<_> {
            clauses().filter(|clause| clause.reads() == name).filter_map(mapping::Clause::group).collect()
        };
        let (direct, nested) = (named(MEMBER_OF), named(TRANSITIVE_MEMBER_OF));
        let reads_beyond =
            |name, named: &[&str]| mapping.reads().filter(|(_, read)| *read == name).count() > named.len();
        let ids = |named: &[&str]| {
            named.iter().filter_map(|id| id.parse::<uuid::Uuid>().ok()).map(ObjectId::new).collect::<BTreeSet<_>>()
        };
        Self {
            manager: mapping.reads().any(|(_, name)| name.starts_with(MANAGER)),
            every_group: reads_beyond(MEMBER_OF, &direct),
            groups: ids(&direct),
            nested_in: ids(&nested),
            nested_in_any: reads_beyond(TRANSITIVE_MEMBER_OF, &nested),
            nested: mapping.reads().any(|(_, name)| name == TRANSITIVE_MEMBER_OF),
            time: clauses().any(mapping::Clause::depends_on_time),
        }
    }

    /// Whether who is a member of this group matters.
    pub fn counts(&self, group: ObjectId) -> bool {
        self.nested || self.every_group || self.groups.contains(&group)
    }

    /// Whether it matters to the members of a group that lies in these, itself among them, that it was restored.
    fn reaches(&self, group: ObjectId, above: &[ObjectId]) -> bool {
        self.every_group
            || self.groups.contains(&group)
            || self.nested_in_any
            || self.nested_in.contains(&group)
            || above.iter().any(|above| self.nested_in.contains(above))
    }
}

/// What both mappings of a job ask for.
#[derive(Clone, Debug, Default)]
pub(crate) struct JobNeeds {
    users: Needs,
    groups: Needs,
}

impl JobNeeds {
    pub(crate) fn new(users: Option<&ObjectMapping>, groups: Option<&ObjectMapping>) -> Self {
        Self { users: users.map(Needs::of).unwrap_or_default(), groups: groups.map(Needs::of).unwrap_or_default() }
    }

    /// All that can be asked for.
    pub(crate) fn everything() -> Self {
        let needs = Needs { manager: true, every_group: true, nested: true, nested_in_any: true, ..Needs::default() };
        Self { users: needs.clone(), groups: needs }
    }

    /// What one mapping asks for.
    pub(crate) fn of_one(mapping: &ObjectMapping) -> Self {
        match mapping.source_object {
            ObjectType::User => Self::new(Some(mapping), None),
            ObjectType::Group => Self::new(None, Some(mapping)),
        }
    }

    pub(crate) const fn of(&self, object: ObjectType) -> &Needs {
        match object {
            ObjectType::User => &self.users,
            ObjectType::Group => &self.groups,
        }
    }

    /// Whether memberships through other groups count for either.
    pub(crate) const fn nested(&self) -> bool {
        self.users.nested || self.groups.nested
    }

    /// Whether who is beneath a group that has changed may be in scope by other groups than before. A deleted group connected whoever is
    /// beneath it with what was above, whatever is there now. One that is not connects nobody but by what is above it now: where that was
    /// taken away at the same time, nobody beneath has gained or lost anything.
    pub(crate) fn may_move_members(&self, tx: &mut ReadTx<'_>, group: ObjectId) -> Result<bool, JobError> {
        if !self.counts(group) {
            return Ok(false);
        }
        if groups::group_by_id(tx, group.group())?.is_none_or(|found| found.deleted.is_some()) {
            return Ok(true);
        }
        let above = if self.nested() { groups::nested_groups_of(tx, group, GROUPS_MAX + 1)? } else { Vec::new() };
        let above: Vec<ObjectId> = above.into_iter().map(ObjectId::from).collect();
        let is_known = above.len() <= GROUPS_MAX as usize;
        Ok(!is_known || self.users.reaches(group, &above) || self.groups.reaches(group, &above))
    }

    /// Whether who is a member of this group matters to either.
    pub(crate) fn counts(&self, group: ObjectId) -> bool {
        self.users.counts(group) || self.groups.counts(group)
    }
}

/// What was read of an object's surroundings.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    manager: Option<User>,
    groups: Vec<String>,
    nested_groups: Vec<String>,
    is_in_too_many: bool,
}

impl Surroundings {
    /// Reads what is asked for about a user or group.
    pub fn load(
        tx: &mut ReadTx<'_>,
        needs: &Needs,
        id: ObjectId,
        manager: Option<store::UserId>,
    ) -> Result<Self, JobError> {
        let mut around = Self::default();
        if let Some(manager) = manager.filter(|_| needs.manager) {
            around.manager = directory::user(tx, manager)?;
        }
        if needs.every_group || !needs.groups.is_empty() {
            around.groups = around.ids(&groups::live_groups_of(tx, id, GROUPS_MAX + 1)?);
        }
        if needs.nested {
            around.nested_groups = around.ids(&groups::nested_groups_of(tx, id, GROUPS_MAX + 1)?);
        }
        Ok(around)
    }

    fn ids(&mut self, groups: &[store::GroupId]) -> Vec<String> {
        self.is_in_too_many |= groups.len() > GROUPS_MAX as usize;
        let mut ids: Vec<String> = groups.iter().map(ToString::to_string).collect();
        ids.sort_unstable();
        ids
    }

    /// Whether the object is in more groups than [`GROUPS_MAX`]: nothing can be told about its memberships then.
    pub const fn is_in_too_many_groups(&self) -> bool {
        self.is_in_too_many
    }
}

/// An object and what is around it.
pub struct Surrounded<'a> {
    /// The object.
    pub object: &'a dyn Source,
    /// What is around it.
    pub around: &'a Surroundings,
}

impl Source for Surrounded<'_> {
    fn attribute(&self, name: &str) -> Value {
        match name {
            MEMBER_OF => Value::List(self.around.groups.clone()),
            TRANSITIVE_MEMBER_OF => Value::List(self.around.nested_groups.clone()),
            _ => match (name.strip_prefix(MANAGER), &self.around.manager) {
                (Some(of_manager), Some(user)) => {
                    UserSource { user, entitlements: &[], is_soft_deleted: false }.attribute(of_manager)
                }
                (Some(_), None) => Value::Null,
                (None, _) => self.object.attribute(name),
            },
        }
    }
}

/// Refuses filters that ask for members of groups that the directory does not have. Those that were there before are left as they are:
/// their group has been deleted since.
pub(crate) fn check_groups(
    tx: &mut ReadTx<'_>,
    before: &[ObjectMapping],
    after: &[ObjectMapping],
) -> Result<(), JobError> {
    let problems = missing_groups(tx, before, after)?;
    if problems.is_empty() { Ok(()) } else { Err(BadSettings(sentences(problems)).into()) }
}

/// The same, one for each clause.
pub(crate) fn missing_groups(
    tx: &mut ReadTx<'_>,
    before: &[ObjectMapping],
    after: &[ObjectMapping],
) -> Result<Vec<Located>, JobError> {
    let known: BTreeSet<&str> = groups_asked_for(before).map(|(_, group)| group).collect();
    let mut problems = Vec::new();
    for (place, group) in groups_asked_for(after).filter(|(_, group)| !known.contains(group)) {
        let id = group.parse::<uuid::Uuid>().ok().map(ObjectId::new);
        if id.map(|id| groups::group_by_id(tx, id.group())).transpose()?.flatten().is_none() {
            let what =
                format!("{place} asks for the members of {group}, and the directory has no group with that object id");
            problems.push(Located::at(place, what));
        }
    }
    Ok(problems)
}

/// The groups whose members filters ask for, each with its place.
fn groups_asked_for(objects: &[ObjectMapping]) -> impl Iterator<Item = (Place, &str)> {
    let of_filter = |object: &ObjectMapping, kind, name: &str, clause: &Clause| Place {
        object: Some(object.target_object),
        filter: Some((kind, name.to_owned())),
        clause: Some(clause.to_string()),
        ..Place::default()
    };
    let filters =
        objects.iter().flat_map(|object| object.named_filter_groups().map(move |(kind, group)| (object, kind, group)));
    filters.flat_map(move |(object, kind, group)| {
        let asking = group.clauses.iter().filter_map(|clause| Some((clause, clause.group()?)));
        asking.map(move |(clause, asked)| (of_filter(object, kind, &group.name, clause), asked))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gallery::Template;

    fn needs(clauses: &serde_json::Value) -> Needs {
        let mut mapping = Template::by_name("scim").unwrap().objects[0].clone();
        mapping.input_filters = serde_json::from_value(json!([{ "name": "F", "clauses": clauses }])).unwrap();
        Needs::of(&mapping)
    }

    #[test]
    fn only_what_is_asked_for_is_read() {
        let id = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
        let group = ObjectId::new(id.parse().unwrap());
        let other = ObjectId::new(uuid::Uuid::nil());
        let of = |attribute: &str, operator: &str, value: Option<&str>| {
            needs(&json!([{ "attribute": attribute, "operator": operator, "value": value }]))
        };
        let none = Needs::default();
        assert_eq!(of("department", "EQUALS", Some("Sales")), none);
        assert_eq!(of("employeeHireDate", "IS AFTER", Some("2026-01-01")), none);
        assert_eq!(of("employeeHireDate", "ANY IS AFTER", Some("now")), Needs { time: true, ..none.clone() });
        assert_eq!(of("manager.city", "IS NULL", None), Needs { manager: true, ..none.clone() });
        let direct = of("memberOf", "IS NOT MEMBER OF", Some(id));
        assert_eq!(direct, Needs { groups: BTreeSet::from([group]), ..none.clone() });
        assert_eq!((direct.counts(group), direct.counts(other)), (true, false));
        let every = of("memberOf", "ANY EQUALS", Some(id));
        assert_eq!(every, Needs { every_group: true, ..none.clone() });
        assert!(every.counts(other));
        let nested = of("memberOf", "IS NESTED MEMBER OF", Some(id));
        assert_eq!(nested, Needs { nested: true, nested_in: BTreeSet::from([group]), ..none.clone() });
        assert!(nested.counts(other));
        assert_eq!((nested.reaches(group, &[]), nested.reaches(other, &[group])), (true, true));
        assert_eq!((nested.reaches(other, &[]), nested.reaches(other, &[other])), (false, false));
        let any = of("transitiveMemberOf", "ANY EQUALS", Some(id));
        assert_eq!(any, Needs { nested: true, nested_in_any: true, ..none });
    }
}
