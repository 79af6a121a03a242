//! Configuration as code: a job, its settings, roles, mappings, filters and assignments as one TOML file that people read and compare.
//! The file says what is to be; a setting that it leaves out has the default of the template, a whole part that it leaves out (`tenantUrl`,
//! `status`, `roles`, `mappings`, each list of `assignments`) stays as it is. No secret is ever in it.

mod apply;
mod given;
mod json;
mod object;
mod places;
mod propose;
mod read;
mod rows;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod write;

use std::fmt;

use mapping::ObjectMapping;
use mapping::validation::UnreadMappings;
use serde::Serialize;
use store::ObjectId;

use crate::gallery::Template;
use crate::outlook::Outlook;
pub use crate::settings::PlainSettings;
use crate::settings::{JobSettings, sentences};
use crate::validation::Installation;

pub(crate) use self::apply::ConfigurationStep;
pub use self::given::{GivenMappings, filters_of, keys_given_twice, mappings_of};
use self::places::{Gaps, Places};
pub use self::propose::{Assigned, Proposal};
pub use self::text::unified;
pub use self::write::mappings_text;

/// The longest file, in bytes.
pub const CONFIGURATION_BYTES_MAX: u64 = 16 << 20;
/// The most users, and the most groups, that a file may assign.
pub const ASSIGNMENTS_MAX: usize = 100_000;
/// Problems of a file that are told of.
const PROBLEMS_TOLD_MAX: usize = 100;
/// Problems of a file after which no more are looked for.
const PROBLEMS_KEPT_MAX: usize = 1_000;
/// The rows of a list in a file, but for assignments.
const ROWS_MAX: usize = 10_000;

/// What a file says of a job, or a job as a file says it.
#[derive(Clone, Debug, PartialEq)]
pub struct JobConfiguration {
    /// The display name of the application, by which it is found.
    pub name: String,
    /// The gallery template, by name.
    pub template: String,
    /// The Tenant URL.
    pub tenant_url: Option<String>,
    /// Whether cycles run by themselves.
    pub on: Option<bool>,
    /// The settings that have a default.
    pub settings: PlainSettings,
    /// The values of the app roles beside *Default Access*, in their order.
    pub roles: Option<Vec<String>>,
    /// The mappings with their filters.
    pub objects: Option<Vec<ObjectMapping>>,
    /// The users that are assigned, in the order of their names.
    pub users: Option<Vec<AssignmentRow>>,
    /// The groups that are assigned, in the order of their names.
    pub groups: Option<Vec<AssignmentRow>>,
}

/// The address of a job that has none yet.
const SOME_TENANT_URL: &str = "https://application.example/scim";

impl JobConfiguration {
    /// The settings of the job, with the template's where the file says nothing.
    fn job_settings(&self, template: &Template) -> JobSettings {
        let mut settings = JobSettings::of(template, self.tenant_url.as_deref().unwrap_or_default());
        settings.plain = self.settings;
        if let Some(objects) = &self.objects {
            settings.objects.clone_from(objects);
        }
        settings
    }

    /// What is wrong with mappings of it of which something could not be read, beside that; each is one sentence.
    pub fn problems_of_part(&self, template: &Template, unread: &UnreadMappings) -> Vec<String> {
        let settings = self.with_some_url().job_settings(template);
        sentences(settings.problems_of_part(template, Installation::UNKNOWN, unread))
    }

    fn with_some_url(&self) -> Self {
        let tenant_url = self.tenant_url.clone().or_else(|| Some(SOME_TENANT_URL.to_owned()));
        Self { tenant_url, ..self.clone() }
    }

    /// What would come of a new job that is made of this, on whatever installation. That it has no Tenant URL yet is not held against it.
    pub fn outlook(&self, template: &Template) -> Outlook {
        let settings = self.with_some_url().job_settings(template);
        Outlook::of(&settings, template, Installation::UNKNOWN)
    }
}

/// A user or group that is assigned with one role.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssignmentRow {
    /// The `userPrincipalName` or `displayName`; beside an id it is for people only.
    pub name: Option<String>,
    /// The object id, where the name does not tell who is meant.
    pub id: Option<ObjectId>,
    /// The value of the app role; *Default Access* unless given.
    pub role: Option<String>,
}

/// A place in a file, counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// One thing that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ConfigurationProblem {
    /// Where, if it is at one place.
    pub place: Option<Place>,
    /// What, in one sentence with the cure.
    pub what: String,
}

impl fmt::Display for ConfigurationProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Place { line, column }) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.what)
    }
}

/// All that is wrong with a file, in the order of the places.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct BadConfiguration(pub Vec<ConfigurationProblem>);

impl BadConfiguration {
    /// One problem, of the whole file.
    fn whole(what: impl Into<String>) -> Self {
        Self(vec![ConfigurationProblem { place: None, what: what.into() }])
    }

    fn of(mut problems: Vec<ConfigurationProblem>) -> Self {
        problems.sort_by_key(|problem| problem.place.map_or((1, Place::default()), |place| (0, place)));
        let more = problems.len().saturating_sub(PROBLEMS_TOLD_MAX);
        if more > 0 {
            problems.truncate(PROBLEMS_TOLD_MAX);
            let least = if more + PROBLEMS_TOLD_MAX < PROBLEMS_KEPT_MAX { "" } else { "at least " };
            problems.push(ConfigurationProblem { place: None, what: format!("and {least}{more} more") });
        }
        Self(problems)
    }
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigurationFile {
    /// What it says.
    pub wanted: JobConfiguration,
    /// A file with the secret token of an application that is new, or has another server now, relative to this one.
    pub secret_token_file: Option<String>,
    /// The environment variable with that secret token.
    pub secret_token_variable: Option<String>,
    places: Places,
    gaps: Gaps,
    /// What is wrong with what could not be read.
    problems: Vec<ConfigurationProblem>,
}
