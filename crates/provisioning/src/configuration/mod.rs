//! Configuration as code: a job, its settings, roles, mappings, filters and assignments as one TOML file that people read and compare.
//! The file says what is to be; a setting that it leaves out has the default of the template, a whole part that it leaves out (`tenantUrl`,
//! `status`, `roles`, `mappings`, each list of `assignments`) stays as it is. No secret is ever in it.

mod apply;
mod given;
mod json;
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
use serde::Serialize;
use store::ObjectId;

use crate::gallery::{Dialect, Template};
use crate::outlook::Outlook;
use crate::scope::ScopeSetting;
use crate::settings::JobSettings;
use crate::validation::Installation;

pub(crate) use self::apply::ConfigurationStep;
pub use self::given::{filters_of, keys_given_twice, mappings_of};
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

/// The settings of a job that have a default in its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainSettings {
    /// Which objects are candidates.
    pub scope: ScopeSetting,
    /// Seconds between cycles.
    pub interval_seconds: u64,
    /// How requests are written.
    pub dialect: Dialect,
    /// Whether *Default Access* counts for nothing.
    pub exclude_default_access: bool,
    /// Objects that are worked on at the same time.
    pub concurrency: usize,
    /// Seconds after which a request without answer is given up.
    pub request_timeout_seconds: u64,
    /// Seconds before a create of unknown outcome may be sent again.
    pub settle_seconds: u64,
}

impl PlainSettings {
    /// The defaults of a template.
    pub fn default_of(template: &Template) -> Self {
        Self::of(&JobSettings::of(template, ""))
    }

    /// Those of a job.
    pub const fn of(settings: &JobSettings) -> Self {
        Self {
            scope: settings.scope,
            interval_seconds: settings.interval_seconds,
            dialect: settings.dialect,
            exclude_default_access: settings.exclude_default_access,
            concurrency: settings.concurrency,
            request_timeout_seconds: settings.request_timeout_seconds,
            settle_seconds: settings.settle_seconds,
        }
    }

    const fn put(self, settings: &mut JobSettings) {
        settings.scope = self.scope;
        settings.interval_seconds = self.interval_seconds;
        settings.dialect = self.dialect;
        settings.exclude_default_access = self.exclude_default_access;
        settings.concurrency = self.concurrency;
        settings.request_timeout_seconds = self.request_timeout_seconds;
        settings.settle_seconds = self.settle_seconds;
    }
}

/// The address of a job that has none yet.
const SOME_TENANT_URL: &str = "https://application.example/scim";

impl JobConfiguration {
    /// The settings of the job, with the template's where the file says nothing.
    fn job_settings(&self, template: &Template) -> JobSettings {
        let mut settings = JobSettings::of(template, self.tenant_url.as_deref().unwrap_or_default());
        self.settings.put(&mut settings);
        if let Some(objects) = &self.objects {
            settings.objects.clone_from(objects);
        }
        settings
    }

    /// What would come of a new job that is made of this, on whatever installation. That it has no Tenant URL yet is not held against it.
    pub fn outlook(&self, template: &Template) -> Outlook {
        let tenant_url = self.tenant_url.clone().or_else(|| Some(SOME_TENANT_URL.to_owned()));
        let settings = Self { tenant_url, ..self.clone() }.job_settings(template);
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
