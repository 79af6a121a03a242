//! The sample directory of the demo: 1,000 people and 40 groups, the same each time. Pure: no clock, no randomness, no store.
//! What is done with it is in `commands::demo`.

mod groups;
mod names;
mod people;

pub use groups::{ALL_STAFF, MANAGERS, SampleGroup, department_group, groups};
pub use people::{Person, people};

/// How many people there are.
pub const PEOPLE: usize = 1_000;
/// How many groups there are.
pub const GROUPS: usize = 40;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_sample_is_what_the_demo_promises() {
        let (people, groups) = (people(), groups());
        assert_eq!((people.len(), groups.len()), (PEOPLE, GROUPS));
        let names: BTreeSet<String> = people.iter().map(|person| person.user_principal_name().to_lowercase()).collect();
        assert_eq!(names.len(), PEOPLE, "no two people have one name");
        let titles: BTreeSet<&str> = groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(titles.len(), GROUPS, "no two groups have one name");
        let count = |what: fn(&Person) -> bool| people.iter().filter(|person| what(person)).count();
        assert_eq!((count(|one| one.guest), count(|one| one.disabled), count(|one| one.deleted)), (47, 19, 10));
        assert!(groups.iter().flat_map(|group| &group.members).all(|member| *member < PEOPLE));
        let scripts: BTreeSet<char> = people.iter().filter_map(|person| person.display_name.chars().next()).collect();
        assert!(scripts.iter().filter(|first| !first.is_ascii()).count() > 20, "names stand in several scripts");
    }

    #[test]
    fn everybody_but_one_has_a_manager_who_stays() {
        let people = people();
        for (index, person) in people.iter().enumerate() {
            match person.manager {
                None => assert_eq!(index, 0),
                Some(manager) => {
                    let manager = &people[manager];
                    assert!(
                        manager.index < index && !manager.disabled && !manager.deleted && !manager.guest,
                        "{index}"
                    );
                }
            }
        }
    }

    #[test]
    fn it_is_the_same_each_time() {
        assert_eq!(people(), people());
        assert_eq!(groups(), groups());
    }
}
