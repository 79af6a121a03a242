//! What each application has to hold, worked out from the sample alone: a second opinion on the provisioning service, by
//! plain sets, without its code. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::applications::Definition;
use crate::sample::{Person, groups, people};

/// A person, as far as it matters who gets an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Somebody {
    /// The `userName` of the person's accounts.
    pub name: String,
    /// Neither disabled nor soft-deleted.
    pub active: bool,
}

/// The directory as sets.
#[derive(Clone, Debug)]
pub struct Model {
    /// Everybody, by number.
    pub people: Vec<Somebody>,
    /// The numbers of the direct members of each group.
    pub groups: BTreeMap<String, BTreeSet<usize>>,
}

/// The accounts at an application by number, each with whether it is active.
pub type Accounts = BTreeMap<usize, bool>;

/// What a tenant holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Users by `userName`, each with whether it is active.
    pub users: BTreeMap<String, bool>,
    /// The `userName`s of the members of each group.
    pub groups: BTreeMap<String, BTreeSet<String>>,
}

impl Model {
    /// The sample as it is loaded.
    pub fn new() -> Self {
        let somebody =
            |person: &Person| Somebody { name: person.account_name(), active: !person.disabled && !person.deleted };
        Self {
            people: people().iter().map(somebody).collect(),
            groups: groups().into_iter().map(|group| (group.name, group.members.into_iter().collect())).collect(),
        }
    }

    /// Whether a person is to have an active account.
    fn in_scope(&self, definition: &Definition, number: usize) -> bool {
        let counts = |role: Option<&str>| role.is_some() || !definition.excludes_default_access();
        let entitled = definition.assigned.iter().any(|(group, role)| counts(*role) && self.is_member(group, number));
        entitled && self.people[number].active
    }

    fn is_member(&self, group: &str, number: usize) -> bool {
        self.groups.get(group).is_some_and(|members| members.contains(&number))
    }

    /// Brings the accounts at an application to where a cycle brings them.
    pub fn advance(&self, definition: &Definition, accounts: &mut Accounts) {
        for number in 0..self.people.len() {
            let in_scope = self.in_scope(definition, number);
            match accounts.get_mut(&number) {
                None if in_scope => drop(accounts.insert(number, true)),
                None => {}
                Some(active) if in_scope || definition.disables => *active = in_scope,
                Some(_) => drop(accounts.remove(&number)),
            }
        }
    }

    /// What the application's tenant has to hold.
    pub fn contents(&self, definition: &Definition, accounts: &Accounts) -> Contents {
        let name = |number: &usize| self.people[*number].name.clone();
        let users = accounts.iter().map(|(number, active)| (name(number), *active)).collect();
        let mut groups = BTreeMap::new();
        if definition.has_groups() {
            for (group, _) in definition.assigned {
                let members =
                    self.groups.get(*group).into_iter().flatten().filter(|number| accounts.contains_key(number));
                groups.insert((*group).to_owned(), members.map(name).collect());
            }
        }
        Contents { users, groups }
    }
}

#[cfg(test)]
mod tests {
    use super::super::applications::DEFINITIONS;
    use super::*;

    #[test]
    fn counts_of_the_initial_cycle() {
        let model = Model::new();
        let mut seen = Vec::new();
        for definition in &DEFINITIONS {
            let mut accounts = Accounts::new();
            model.advance(definition, &mut accounts);
            let contents = model.contents(definition, &accounts);
            seen.push((definition.name, contents.users.len(), contents.groups.len()));
        }
        assert_eq!(
            seen,
            [("Netskope", 924, 3), ("Palo Alto CIE", 971, 6), ("Forcepoint CSG", 199, 3), ("Storegate", 61, 0)]
        );
    }

    #[test]
    fn every_assigned_group_is_there() {
        let model = Model::new();
        for (group, _) in DEFINITIONS.iter().flat_map(|definition| definition.assigned) {
            assert!(model.groups.contains_key(*group), "{group}");
        }
    }

    #[test]
    fn a_leaver_is_disabled_or_deleted() {
        let mut model = Model::new();
        for definition in &DEFINITIONS {
            let mut accounts = Accounts::new();
            model.people[13].active = true;
            model.advance(definition, &mut accounts);
            assert_eq!(accounts.get(&13), Some(&true), "{}", definition.name);
            model.people[13].active = false;
            model.advance(definition, &mut accounts);
            assert_eq!(accounts.get(&13), definition.disables.then_some(&false), "{}", definition.name);
        }
    }
}
