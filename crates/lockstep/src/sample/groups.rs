//! The groups of the sample and who is in them.

use super::names::CULTURES;
use super::people::{DEPARTMENTS, Person, people};

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleGroup {
    /// `displayName`.
    pub name: String,
    /// `description`.
    pub description: String,
    /// `securityEnabled`.
    pub security: bool,
    /// The numbers of the people who are direct members.
    pub members: Vec<usize>,
    /// The names of the groups that are direct members.
    pub nested: Vec<&'static str>,
}

/// Everybody but guests.
pub const ALL_STAFF: &str = "All staff";
/// All guests.
pub const ALL_GUESTS: &str = "All guests";
/// Everybody who manages people.
pub const MANAGERS: &str = "Managers";
/// Those who head departments, and the chief.
pub const EXECUTIVES: &str = "Executives";

const PROJECTS: [&str; 11] =
    ["Aurora", "Borealis", "Cascade", "Delta", "Ember", "Fjord", "Glacier", "Horizon", "Iris", "Juniper", "Kestrel"];

/// All groups.
pub fn groups() -> Vec<SampleGroup> {
    let people = people();
    let who = |test: &dyn Fn(&Person) -> bool| {
        people.iter().filter(|person| test(person)).map(|person| person.index).collect()
    };
    let mut groups = vec![
        group(ALL_STAFF, "Everybody who works here", who(&|one| !one.guest)),
        group(ALL_GUESTS, "People of partner organisations", who(&|one| one.guest)),
        group(MANAGERS, "Everybody who manages people", who(&|one| one.index <= 60 && !one.guest)),
        group(EXECUTIVES, "Heads of departments", who(&|one| one.index <= 10)),
        group("Newcomers", "Joined this quarter", who(&|one| one.index >= 980)),
        group("VPN users", "May work from anywhere", who(&|one| one.index % 3 == 0)),
        group("Administrators of applications", "Administer what we use", who(&|one| one.index % 100 == 1)),
        group("Contractors", "Work here for a time", who(&|one| one.index % 13 == 5)),
        group("Empty group", "Nobody yet", Vec::new()),
    ];
    for (number, department) in DEPARTMENTS.iter().enumerate() {
        groups.push(group(
            &department_group(department),
            "A department",
            who(&|one| one.department == Some(number) && !one.guest),
        ));
    }
    for (number, culture) in CULTURES.iter().enumerate() {
        let name = format!("Office {}", culture.office.city);
        groups.push(group(&name, culture.office.name, who(&|one| one.office() == number)));
    }
    for (number, project) in PROJECTS.iter().enumerate() {
        groups.push(group(&format!("Project {project}"), "A project", who(&|one| one.index % 37 == number)));
    }
    let mut announcements = group(
        "Announcements",
        "A mailing list, which no application can be assigned to",
        who(&|one| one.index % 2 == 0),
    );
    announcements.security = false;
    groups.push(announcements);
    let mut company = group("Company", "Staff and guests, by nesting", Vec::new());
    company.nested = vec![ALL_STAFF, ALL_GUESTS];
    groups.push(company);
    groups
}

/// The name of a department's group.
pub fn department_group(department: &str) -> String {
    format!("Department {department}")
}

fn group(name: &str, description: &str, members: Vec<usize>) -> SampleGroup {
    SampleGroup {
        name: name.to_owned(),
        description: description.to_owned(),
        security: true,
        members,
        nested: Vec::new(),
    }
}
