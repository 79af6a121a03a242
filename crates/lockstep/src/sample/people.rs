//! The people of the sample: who they are, what they do, whom they report to.

use directory::UserDraft;

use super::PEOPLE;
use super::names::{CULTURES, Culture};

/// The departments, in the order of their numbers.
pub const DEPARTMENTS: [&str; 10] =
    ["Engineering", "Sales", "Support", "Marketing", "Finance", "People", "Legal", "Product", "Operations", "Research"];
/// People who head a department: those after the first person.
const HEADS: usize = 10;
/// The last person who manages others.
const LAST_MANAGER: usize = 60;

/// One person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The person's number; managers have smaller ones.
    pub index: usize,
    /// `displayName`.
    pub display_name: String,
    /// Given name as written.
    pub given: &'static str,
    /// Family name as written.
    pub family: &'static str,
    /// `given.family` in ASCII.
    account: String,
    /// The number of the department; the first person has none.
    pub department: Option<usize>,
    /// The number of the manager.
    pub manager: Option<usize>,
    /// Somebody of a partner organisation.
    pub guest: bool,
    /// Sign-in is not allowed.
    pub disabled: bool,
    /// In the recycle bin.
    pub deleted: bool,
}

/// All people. Nobody's attributes depend on anything but the number.
pub fn people() -> Vec<Person> {
    (0..PEOPLE).map(person).collect()
}

fn person(index: usize) -> Person {
    let culture = &CULTURES[index % CULTURES.len()];
    let number = index / CULTURES.len();
    // Twelve given and eleven family names have no common divisor: 132 different pairs before one comes again.
    let ((given, given_ascii), (family, family_ascii)) = (culture.given[number % 12], culture.family[number % 11]);
    let display_name = if culture.family_first { format!("{family} {given}") } else { format!("{given} {family}") };
    let later = index > LAST_MANAGER;
    let guest = later && index % 20 == 17;
    Person {
        index,
        display_name,
        given,
        family,
        account: format!("{given_ascii}.{family_ascii}.{}", culture.office.code.to_lowercase()),
        department: index.checked_sub(1).map(|index| index % DEPARTMENTS.len()),
        manager: manager(index),
        guest,
        disabled: later && index % 50 == 49,
        deleted: later && index % 100 == 73,
    }
}

fn manager(index: usize) -> Option<usize> {
    let department = index.checked_sub(1)? % DEPARTMENTS.len();
    Some(if index <= HEADS {
        0
    } else if index <= LAST_MANAGER {
        department + 1
    } else {
        // Managers 11 to 50 of the same department take turns.
        HEADS + 1 + department + DEPARTMENTS.len() * (index / DEPARTMENTS.len() % 4)
    })
}

impl Person {
    fn culture(&self) -> &'static Culture {
        &CULTURES[self.index % CULTURES.len()]
    }

    /// `userPrincipalName`: guests have the form that Entra gives them.
    pub fn user_principal_name(&self) -> String {
        if self.guest {
            format!("{}_partner.example#EXT#@contoso.example", self.account)
        } else {
            format!("{}@contoso.example", self.account)
        }
    }

    /// The name of the person's accounts at applications: guests have that of the address to which they were invited.
    pub fn account_name(&self) -> String {
        if self.guest { self.mail() } else { self.user_principal_name() }
    }

    fn mail(&self) -> String {
        format!("{}@{}", self.account, if self.guest { "partner.example" } else { "contoso.example" })
    }

    fn job_title(&self) -> String {
        match self.department.map(|department| DEPARTMENTS[department]) {
            None => "Chief Executive Officer".to_owned(),
            Some(department) if self.index <= HEADS => format!("Head of {department}"),
            Some(department) if self.index <= LAST_MANAGER => format!("{department} Manager"),
            Some(department) => format!("{department} Specialist"),
        }
    }

    /// The user to make, without manager.
    pub fn draft(&self) -> UserDraft {
        let office = &self.culture().office;
        let sam: String = self.account.chars().take(20).collect();
        let mut draft = UserDraft::new(self.user_principal_name(), &self.display_name)
            .with("givenName", self.given)
            .with("surname", self.family)
            .with("mail", self.mail())
            .with("jobTitle", self.job_title())
            .with("employeeId", format!("{:06}", self.index + 1))
            .with("companyName", if self.guest { "Partner" } else { "Contoso" })
            .with("userType", if self.guest { "Guest" } else { "Member" })
            .with("city", office.city)
            .with("streetAddress", office.street)
            .with("postalCode", office.postal_code)
            .with("country", office.country)
            .with("usageLocation", office.code)
            .with("preferredLanguage", self.culture().language)
            .with("physicalDeliveryOfficeName", office.name)
            .with("telephoneNumber", format!("+44 20 7946 {:04}", self.index))
            .with("onPremisesSamAccountName", sam)
            .with("netBiosName", "CONTOSO");
        if let Some(department) = self.department {
            draft = draft.with("department", DEPARTMENTS[department]);
        }
        draft.account_enabled = !self.disabled;
        draft
    }

    /// The number of the person's office.
    pub const fn office(&self) -> usize {
        self.index % CULTURES.len()
    }
}
