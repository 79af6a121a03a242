//! A made-up organisation of any size: people with names in several scripts, departments, managers and addresses, the
//! same in every run, as the CSV file that the product imports. What the product makes of them is not known here.

use std::io::Write;

use crate::random::Random;

/// The domain of all names; reserved for examples (RFC 2606).
const DOMAIN: &str = "contoso.example";
/// People that report to one manager.
const SPAN_OF_CONTROL: usize = 8;
/// The columns of the file, as Entra's *Download users* names them.
const COLUMNS: &str = "userPrincipalName,displayName,givenName,surname,mail,jobTitle,department,employeeId,companyName,streetAddress,city,state,postalCode,country,usageLocation,telephoneNumber,mobilePhone,accountEnabled,manager";

/// Given names, as written and as they appear in addresses.
const GIVEN_NAMES: [(&str, &str); 16] = [
    ("Anna", "anna"),
    ("Łucja", "lucja"),
    ("Søren", "soren"),
    ("Zoë", "zoe"),
    ("Дмитрий", "dmitri"),
    ("Ольга", "olga"),
    ("Ελένη", "eleni"),
    ("Γιώργος", "giorgos"),
    ("愛子", "aiko"),
    ("伟", "wei"),
    ("민준", "minjun"),
    ("فاطمة", "fatima"),
    ("יעל", "yael"),
    ("अनन्या", "ananya"),
    ("Nguyễn", "nguyen"),
    ("Mary-Jane", "maryjane"),
];
/// Family names, likewise; one has a quotation mark and a comma, which files have to survive.
const SURNAMES: [(&str, &str); 16] = [
    ("Ångström", "angstrom"),
    ("O'Neill", "oneill"),
    ("Müller-Lüdenscheidt", "muller"),
    ("Smith \"Bob\", Jr.", "smith"),
    ("Иванов", "ivanov"),
    ("Παπαδόπουλος", "papadopoulos"),
    ("田中", "tanaka"),
    ("王", "wang"),
    ("김", "kim"),
    ("الفارسي", "alfarsi"),
    ("כהן", "cohen"),
    ("शर्मा", "sharma"),
    ("García Márquez", "garcia"),
    ("Çelik", "celik"),
    ("Dvořák", "dvorak"),
    ("van der Berg", "vanderberg"),
];
const DEPARTMENTS: [&str; 8] =
    ["Sales", "Finance", "Human Resources", "Research & Development", "IT", "Legal", "Vertrieb Süd", "製造部"];
const JOB_TITLES: [&str; 8] = [
    "Engineer",
    "Account Manager",
    "Controller",
    "Recruiter",
    "Counsel, Senior",
    "Ingénieure",
    "Technician",
    "Analyst",
];
/// City, state, country, street, postal code.
const PLACES: [(&str, &str, &str, &str, &str); 4] = [
    ("Stockholm", "Stockholms län", "SE", "Sveavägen 44", "111 34"),
    ("München", "Bayern", "DE", "Leopoldstraße 9", "80802"),
    ("Austin", "TX", "US", "500 Congress Ave", "78701"),
    ("東京", "東京都", "JP", "丸の内1-9-2", "100-6701"),
];

/// One person, as the directory is to hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The number from which all else follows.
    pub number: usize,
    /// How often the person moved: another title and department each time.
    pub moves: usize,
    /// Whether the account is enabled; a leaver's is not.
    pub enabled: bool,
    given: usize,
    surname: usize,
}

impl Person {
    /// The person of this number, as hired.
    pub fn hired(number: usize) -> Self {
        let mut random = Random::new(number as u64);
        let mut pick = |from: usize| usize::try_from(random.below(from as u64)).unwrap_or(0);
        let (given, surname) = (pick(GIVEN_NAMES.len()), pick(SURNAMES.len()));
        Self { number, moves: 0, enabled: true, given, surname }
    }

    /// `userPrincipalName`, unique by the number in it.
    pub fn user_principal_name(&self) -> String {
        let (given, surname) = (GIVEN_NAMES[self.given].1, SURNAMES[self.surname].1);
        format!("{given}.{surname}.{}@{DOMAIN}", self.number)
    }

    /// `givenName`.
    pub const fn given_name(&self) -> &'static str {
        GIVEN_NAMES[self.given].0
    }

    /// `surname`.
    pub const fn surname(&self) -> &'static str {
        SURNAMES[self.surname].0
    }

    /// `displayName`.
    pub fn display_name(&self) -> String {
        format!("{} {}", self.given_name(), self.surname())
    }

    /// `jobTitle`; the number of moves makes each one new.
    pub fn job_title(&self) -> String {
        let title = JOB_TITLES[(self.number + self.moves) % JOB_TITLES.len()];
        if self.moves == 0 { title.to_owned() } else { format!("{title} {}", self.moves + 1) }
    }

    /// `department`.
    pub const fn department(&self) -> &'static str {
        DEPARTMENTS[(self.number / SPAN_OF_CONTROL + self.moves) % DEPARTMENTS.len()]
    }

    /// The number of the manager; the first person has none.
    pub const fn manager(&self) -> Option<usize> {
        match self.number {
            0 => None,
            number => Some((number - 1) / SPAN_OF_CONTROL),
        }
    }

    fn fields(&self) -> [String; 19] {
        let upn = self.user_principal_name();
        let (city, state, country, street, postal_code) = PLACES[self.number % PLACES.len()];
        [
            upn.clone(),
            self.display_name(),
            self.given_name().to_owned(),
            self.surname().to_owned(),
            upn,
            self.job_title(),
            self.department().to_owned(),
            format!("{:07}", self.number),
            "Contoso".to_owned(),
            street.to_owned(),
            city.to_owned(),
            state.to_owned(),
            postal_code.to_owned(),
            country.to_owned(),
            country.to_owned(),
            format!("+46 8 555 {:06}", self.number % 1_000_000),
            format!("+46 70 555 {:06}", self.number % 1_000_000),
            if self.enabled { "True" } else { "False" }.to_owned(),
            self.manager().map(|number| Self::hired(number).user_principal_name()).unwrap_or_default(),
        ]
    }
}

/// Writes people as CSV (RFC 4180), with the header.
pub fn write_csv<'p>(people: impl IntoIterator<Item = &'p Person>, out: &mut impl Write) -> std::io::Result<()> {
    write!(out, "{COLUMNS}\r\n")?;
    for person in people {
        let fields = person.fields().map(|field| quoted(&field));
        write!(out, "{}\r\n", fields.join(","))?;
    }
    Ok(())
}

fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{COLUMNS, Person, quoted, write_csv};

    #[test]
    fn people_are_the_same_in_every_run_and_their_names_are_unique() {
        let names = || (0..1_000).map(|number| Person::hired(number).user_principal_name());
        assert_eq!(names().collect::<Vec<_>>(), names().collect::<Vec<_>>());
        assert_eq!(names().collect::<HashSet<_>>().len(), 1_000);
        assert!(names().all(|name| name.is_ascii()));
    }

    #[test]
    fn a_move_changes_title_and_department() {
        let before = Person::hired(7);
        let after = Person { moves: 1, ..before.clone() };
        assert_ne!(before.job_title(), after.job_title());
        assert_ne!(before.department(), after.department());
        assert_eq!(before.display_name(), after.display_name());
    }

    #[test]
    fn everyone_but_the_first_has_a_manager_who_came_before() {
        assert_eq!(Person::hired(0).manager(), None);
        assert!((1..100).all(|number| Person::hired(number).manager().unwrap() < number));
    }

    #[test]
    fn fields_are_quoted_where_needed() {
        for (field, expected) in
            [("plain", "plain"), ("a,b", "\"a,b\""), ("say \"hi\"", "\"say \"\"hi\"\"\""), ("", "")]
        {
            assert_eq!(quoted(field), expected);
        }
    }

    #[test]
    fn the_file_has_a_header_and_a_row_for_each() {
        let people = [Person::hired(0), Person { enabled: false, ..Person::hired(1) }];
        let mut file = Vec::new();
        write_csv(&people, &mut file).unwrap();
        let text = String::from_utf8(file).unwrap();
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!((lines.len(), lines[0]), (3, COLUMNS));
        assert_eq!(COLUMNS.split(',').count(), people[0].fields().len());
        assert!(lines[1].contains(",True,") && lines[2].contains(",False,"));
        assert!(lines[2].ends_with(&people[0].user_principal_name()));
    }
}
