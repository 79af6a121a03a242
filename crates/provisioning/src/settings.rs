//! The settings of a job: what is stored beside its secret token, and the check of all of it at once.

use std::time::Duration;

use jiff::SignedDuration;
use mapping::validation::{Finding, Place, Rule, Severity, UnreadMappings};
use mapping::{AttributeMapping, MappingSource, ObjectMapping, ObjectType};
use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use store::jobs::JobRecord;

use crate::discovery::Discovered;
use crate::gallery::{Dialect, Template};
use crate::object_plan::ObjectPlan;
use crate::scope::{ScopeRules, ScopeSetting};
use crate::source::unknown_attribute;
use crate::target::{BadTenantUrl, TargetFacts, TenantUrl};
use crate::target_path::BadTarget;
use crate::validation::Installation;

/// Time between cycles unless set otherwise: Entra's 40 minutes.
pub const INTERVAL_SECONDS: u64 = 40 * 60;
const INTERVAL_SECONDS_RANGE: std::ops::RangeInclusive<u64> = 1..=30 * 24 * 3600;
const CONCURRENCY_RANGE: std::ops::RangeInclusive<usize> = 1..=256;
/// A request must end while the lease that was checked before it still lasts.
pub(crate) const REQUEST_TIMEOUT_SECONDS_RANGE: std::ops::RangeInclusive<u64> = 1..=60;
const SETTLE_SECONDS_RANGE: std::ops::RangeInclusive<u64> = 1..=24 * 3600;

/// The setting that holds the Tenant URL.
pub(crate) const TENANT_URL: &[&str] = &["tenantUrl"];

/// Whether a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JobStatus {
    /// Its cycles run when they are due.
    On,
    /// Only by command.
    Off,
    /// The target could not be worked with; cycles run more rarely until one succeeds.
    Quarantine,
}

impl JobStatus {
    /// The word under which it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
            Self::Quarantine => "quarantine",
        }
    }

    /// Whether a stored job runs, and how.
    pub(crate) fn of(job: &JobRecord) -> Self {
        match (job.status.as_str(), &job.quarantine) {
            ("on", Some(_)) => Self::Quarantine,
            ("on", None) => Self::On,
            _ => Self::Off,
        }
    }
}

/// The settings of a job.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Map<String, Value>")]
pub struct JobSettings {
    /// The Tenant URL.
    pub tenant_url: String,
    /// Those that have a default in the template.
    #[serde(flatten)]
    pub plain: PlainSettings,
    /// The mappings.
    pub objects: Vec<ObjectMapping>,
    /// What the target told of its attributes.
    pub discovered: Discovered,
}

/// The settings of a job that have a default in its template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PlainSettings {
    /// Which objects are candidates.
    pub scope: ScopeSetting,
    /// Seconds between cycles.
    pub interval_seconds: u64,
    /// How requests are written; a flag in the Tenant URL stands above it.
    pub dialect: Dialect,
    /// Whether *Default Access* counts for nothing.
    pub exclude_default_access: bool,
    /// Objects that are worked on at the same time.
    pub concurrency: usize,
    /// Seconds after which a request without answer is given up.
    pub request_timeout_seconds: u64,
    /// Seconds that must pass before a create of unknown outcome may be sent again, where the target accepts duplicates.
    pub settle_seconds: u64,
}

/// Serde cannot refuse unknown keys of a structure with another one in it: what is left when the others are taken out is all of the other.
impl TryFrom<Map<String, Value>> for JobSettings {
    type Error = serde_json::Error;

    fn try_from(mut stored: Map<String, Value>) -> Result<Self, Self::Error> {
        let mut part = |name| stored.remove(name).ok_or_else(|| serde_json::Error::missing_field(name));
        let (tenant_url, objects) = (part("tenantUrl")?, part("objects")?);
        let discovered = part("discovered").ok();
        Ok(Self {
            tenant_url: serde_json::from_value(tenant_url)?,
            objects: serde_json::from_value(objects)?,
            discovered: discovered.map(serde_json::from_value).transpose()?.unwrap_or_default(),
            plain: serde_json::from_value(Value::Object(stored))?,
        })
    }
}

impl PlainSettings {
    /// The defaults of a template.
    pub const fn default_of(template: &Template) -> Self {
        Self {
            scope: ScopeSetting::Assigned,
            interval_seconds: INTERVAL_SECONDS,
            dialect: template.dialect,
            exclude_default_access: template.exclude_default_access,
            concurrency: 64,
            request_timeout_seconds: 30,
            settle_seconds: 120,
        }
    }

    /// Each by the name that it has in files, and where it is stored.
    pub(crate) fn members(self) -> Vec<(&'static str, Value)> {
        vec![
            ("scope", json!(self.scope)),
            ("intervalSeconds", json!(self.interval_seconds)),
            ("dialect", json!(self.dialect)),
            ("excludeDefaultAccess", json!(self.exclude_default_access)),
            ("concurrency", json!(self.concurrency)),
            ("requestTimeoutSeconds", json!(self.request_timeout_seconds)),
            ("settleSeconds", json!(self.settle_seconds)),
        ]
    }
}

/// What is wrong with settings: every problem at once, each one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct BadSettings(pub Vec<String>);

/// A problem of settings, with the place in the mappings that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Located {
    /// Where; the place of nothing where it is about other settings.
    pub place: Place,
    /// What, in one sentence.
    pub what: String,
    /// Whether it is that something is not there.
    pub is_lack: bool,
    /// The settings that it is about, by their names in files, where it is not about mappings.
    pub settings: &'static [&'static str],
}

impl Located {
    pub(crate) fn at(place: Place, what: impl Into<String>) -> Self {
        Self { place, what: what.into(), is_lack: false, settings: &[] }
    }

    fn lack(place: Place, what: impl Into<String>) -> Self {
        Self { is_lack: true, ..Self::at(place, what) }
    }
}

/// Problems as people read them.
pub(crate) fn sentences(problems: Vec<Located>) -> Vec<String> {
    problems.into_iter().map(|problem| problem.what).collect()
}

impl JobSettings {
    /// The defaults of a template.
    pub fn of(template: &Template, tenant_url: &str) -> Self {
        Self {
            tenant_url: tenant_url.trim().to_owned(),
            plain: PlainSettings::default_of(template),
            objects: template.objects.clone(),
            discovered: Discovered::default(),
        }
    }

    /// Checks everything; tells every problem at once.
    pub fn check(&self, template: &Template, installation: Installation) -> Result<(), BadSettings> {
        let problems = sentences(self.problems(template, installation));
        if problems.is_empty() { Ok(()) } else { Err(BadSettings(problems)) }
    }

    /// The same, each with its place.
    pub(crate) fn problems(&self, template: &Template, installation: Installation) -> Vec<Located> {
        self.problems_of_part(template, installation, &UnreadMappings::default())
    }

    /// The same of mappings of which something could not be read: all that is wrong with the rest.
    pub(crate) fn problems_of_part(
        &self,
        template: &Template,
        installation: Installation,
        unread: &UnreadMappings,
    ) -> Vec<Located> {
        let of_job = |(settings, what)| Located { settings, ..Located::at(Place::default(), what) };
        let mut problems: Vec<Located> = self.basic_problems().into_iter().map(of_job).collect();
        self.check_mappings(template, installation, unread, &mut problems);
        problems
    }

    /// Checks what no cycle can work without: address and ranges, targets that can be written to, attributes to match by, filters and mappings
    /// that read what there is. A job that was saved before something else counted as a problem goes on, and its view tells of it.
    pub fn check_workable(&self) -> Result<(), BadSettings> {
        let mut problems: Vec<String> = self.basic_problems().into_iter().map(|(_, what)| what).collect();
        for object in self.objects.iter().filter(|object| object.enabled) {
            problems.extend(unknown_attributes(object).map(|problem| problem.what));
            problems.extend(self.plan(object).err().map(|error| error.to_string()));
            if !object.attributes.iter().any(AttributeMapping::is_matching) {
                let name = object.target_object.plural();
                problems.push(format!("no mapping of {name} matches objects; give one a matching priority of 1"));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(BadSettings(problems)) }
    }

    /// Each with the settings that it is about.
    fn basic_problems(&self) -> Vec<(&'static [&'static str], String)> {
        let mut problems: Vec<(&'static [&'static str], String)> = Vec::new();
        if let Err(error) = self.url() {
            problems.push((TENANT_URL, error.to_string()));
        }
        let ranges: [(&'static [&'static str], _, _, _); 4] = [
            (
                &["intervalSeconds"],
                "interval",
                INTERVAL_SECONDS_RANGE.contains(&self.plain.interval_seconds),
                bounds(INTERVAL_SECONDS_RANGE, " seconds"),
            ),
            (
                &["concurrency"],
                "concurrency",
                CONCURRENCY_RANGE.contains(&self.plain.concurrency),
                bounds(CONCURRENCY_RANGE, ""),
            ),
            (
                &["requestTimeoutSeconds"],
                "request timeout",
                REQUEST_TIMEOUT_SECONDS_RANGE.contains(&self.plain.request_timeout_seconds),
                bounds(REQUEST_TIMEOUT_SECONDS_RANGE, " seconds"),
            ),
            (
                &["settleSeconds"],
                "settle window",
                SETTLE_SECONDS_RANGE.contains(&self.plain.settle_seconds),
                bounds(SETTLE_SECONDS_RANGE, " seconds"),
            ),
        ];
        problems.extend(
            ranges
                .into_iter()
                .filter(|(_, _, good, _)| !good)
                .map(|(settings, name, _, range)| (settings, format!("the {name} must be {range}"))),
        );
        if self.plain.settle_seconds < 2 * self.plain.request_timeout_seconds {
            let what = format!(
                "the settle window of {} s must be at least twice the request timeout of {} s",
                self.plain.settle_seconds, self.plain.request_timeout_seconds
            );
            problems.push((&["settleSeconds", "requestTimeoutSeconds"], what));
        }
        problems
    }

    /// Whether a finding is that a mapping, the source of one, or a clause is not there.
    fn is_lack(&self, finding: &Finding) -> bool {
        let Place { object, target, filter, .. } = &finding.place;
        let object = object.and_then(|object| self.object(object));
        let Some(target) = target else {
            let mut filters = object.into_iter().flat_map(ObjectMapping::named_filter_groups);
            return filter.as_ref().is_none_or(|(kind, name)| {
                filters.any(|(of, group)| of == *kind && group.name == *name && group.clauses.is_empty())
            });
        };
        let mut mappings = object.into_iter().flat_map(|object| &object.attributes);
        finding.rule == Rule::RequiredAttribute
            || mappings.any(|mapping| mapping.target.trim() == target.trim() && mapping.source == MappingSource::None)
    }

    fn check_mappings(
        &self,
        template: &Template,
        installation: Installation,
        unread: &UnreadMappings,
        problems: &mut Vec<Located>,
    ) {
        let findings = self.findings_of_part(installation, unread);
        problems.extend(findings.iter().filter(|finding| finding.severity == Severity::Problem).map(|finding| {
            let (place, what) = (finding.place.clone(), finding.message.clone());
            Located { is_lack: self.is_lack(finding), ..Located::at(place, what) }
        }));
        for object in &self.objects {
            let of = Place { object: Some(object.target_object), ..Place::default() };
            problems.extend(unknown_attributes(object));
            let at = |target: &str| Place { target: Some(target.to_owned()), ..of.clone() };
            let (bad, plan) = ObjectPlan::of_good_targets(object.clone(), self.discovered.of(object.target_object));
            problems.extend(bad.into_iter().map(|error| Located::at(at(&error.target), error.to_string())));
            let unread = unread.objects.get(&object.target_object);
            let without_source = plan.without_source().into_iter();
            let told = without_source.filter(|target| unread.is_none_or(|unread| !unread.lacks_of(target)));
            problems.extend(told.map(|target| {
                let what = format!("the required target attribute `{target}` has no source; map a source attribute to it or set a default");
                Located::lack(at(target), what)
            }));
        }
        self.check_required_of_template(template, unread, &findings, problems);
    }

    /// What the application requires, beside what every target does.
    fn check_required_of_template(
        &self,
        template: &Template,
        unread: &UnreadMappings,
        findings: &[Finding],
        problems: &mut Vec<Located>,
    ) {
        let has_more = |object| unread.objects.get(&object).is_some_and(|unread| unread.more_mappings);
        for required in template.objects.iter().filter(|required| !has_more(required.target_object)) {
            // Whoever provisions users alone needs no mapping of groups.
            let Some(given) = self.objects.iter().find(|object| object.target_object == required.target_object) else {
                continue;
            };
            let lacks = |target: &str| !given.attributes.iter().any(|mapping| mapping.target == target);
            // What every target requires is told of already.
            let is_told = |target: &str| {
                findings.iter().any(|finding| {
                    let place = (finding.rule, finding.place.object, finding.place.target.as_deref());
                    place == (Rule::RequiredAttribute, Some(required.target_object), Some(target))
                })
            };
            let missing = required
                .attributes
                .iter()
                .filter(|mapping| mapping.required && lacks(&mapping.target) && !is_told(&mapping.target));
            problems.extend(missing.map(|mapping| {
                let what = format!(
                    "the target attribute `{}` of {} is required by {} and has no mapping",
                    mapping.target,
                    required.target_object.plural(),
                    template.title
                );
                Located::lack(Place { object: Some(required.target_object), ..Place::default() }, what)
            }));
        }
    }

    /// The Tenant URL, parsed.
    pub fn url(&self) -> Result<TenantUrl, BadTenantUrl> {
        self.tenant_url.parse()
    }

    /// How requests are written: as the Tenant URL's flag says, else as set.
    pub fn effective_dialect(&self) -> Dialect {
        match self.url().ok().and_then(|url| url.compliant()) {
            Some(true) => Dialect::EntraCompliant,
            Some(false) => Dialect::Entra,
            None => self.plain.dialect,
        }
    }

    pub(crate) const fn scope_rules(&self) -> ScopeRules {
        ScopeRules { scope: self.plain.scope, exclude_default_access: self.plain.exclude_default_access }
    }

    pub(crate) const fn facts(&self, template: &Template) -> TargetFacts {
        TargetFacts {
            unique_users: template.unique_users || self.discovered.unique_users,
            unique_groups: template.unique_groups || self.discovered.unique_groups,
        }
    }

    pub(crate) const fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.plain.request_timeout_seconds)
    }

    pub(crate) fn settle_window(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.plain.settle_seconds).unwrap_or(i64::MAX))
    }

    pub(crate) fn interval(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.plain.interval_seconds).unwrap_or(i64::MAX))
    }

    /// A mapping made ready, with what is known of the target's attributes.
    pub(crate) fn plan(&self, mapping: &ObjectMapping) -> Result<ObjectPlan, BadTarget> {
        ObjectPlan::with_discovered(mapping.clone(), self.discovered.of(mapping.target_object))
    }

    /// The mapping of an object type, if the job provisions it.
    pub fn object(&self, object: ObjectType) -> Option<&ObjectMapping> {
        self.objects.iter().find(|mapping| mapping.target_object == object)
    }
}

/// What filters and mappings read that objects of the directory do not have.
fn unknown_attributes(object: &ObjectMapping) -> impl Iterator<Item = Located> {
    object.reads().filter_map(|(place, name)| {
        let problem = unknown_attribute(object.source_object, name)?;
        let shown = match (&place.target, &place.filter) {
            (Some(target), _) => format!("the mapping of `{target}`"),
            (None, Some((kind, filter))) => format!("the {kind} `{filter}`"),
            (None, None) => place.to_string(),
        };
        Some(Located::at(place, format!("{shown} reads `{name}`, which {problem}")))
    })
}

fn bounds<T: std::fmt::Display>(range: std::ops::RangeInclusive<T>, unit: &str) -> String {
    format!("from {} to {}{unit}", range.start(), range.end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(change: impl FnOnce(&mut JobSettings)) -> Vec<String> {
        let template = Template::by_name("palo-alto-cie").unwrap();
        let mut settings = JobSettings::of(template, "https://app.example.com/scim");
        change(&mut settings);
        settings.check(template, Installation::UNKNOWN).err().map(|bad| bad.0).unwrap_or_default()
    }

    #[test]
    fn the_defaults_of_every_template_are_good() {
        for template in Template::all() {
            JobSettings::of(template, "https://app.example.com/scim").check(template, Installation::UNKNOWN).unwrap();
        }
    }

    /// As they have been stored since the first version; a job of a later one, with keys that nobody knows here, is not half understood.
    #[test]
    fn they_are_stored_as_one_object_without_unknown_keys() {
        let template = Template::by_name("scim").unwrap();
        let settings = JobSettings { objects: Vec::new(), ..JobSettings::of(template, "https://a/scim") };
        let stored = serde_json::to_value(&settings).unwrap();
        let plain = json!({ "tenantUrl": "https://a/scim", "scope": "assigned", "intervalSeconds": 2400, "dialect": "rfc",
            "excludeDefaultAccess": false, "concurrency": 64, "requestTimeoutSeconds": 30, "settleSeconds": 120, "objects": [] });
        let mut whole = plain.clone();
        whole["discovered"] = json!(settings.discovered);
        assert_eq!(stored, whole);
        let again: JobSettings = serde_json::from_value(plain.clone()).unwrap();
        assert_eq!(serde_json::to_value(again).unwrap(), whole);
        assert!(settings.plain.members().iter().all(|(name, value)| plain[name] == *value));
        for (change, told) in [
            (json!({ "retries": 3 }), "unknown field `retries`"),
            (json!({ "concurrency": "many" }), "invalid type: string"),
        ] {
            let mut other = plain.as_object().unwrap().clone();
            other.extend(change.as_object().unwrap().clone());
            let refused = serde_json::from_value::<JobSettings>(Value::Object(other)).unwrap_err().to_string();
            assert!(refused.contains(told), "{refused}");
        }
        for key in plain.as_object().unwrap().keys() {
            let mut without = plain.as_object().unwrap().clone();
            without.remove(key);
            let refused = serde_json::from_value::<JobSettings>(Value::Object(without)).unwrap_err().to_string();
            assert!(refused.contains(&format!("missing field `{key}`")), "{refused}");
        }
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let found = problems(|settings| {
            settings.tenant_url = "ftp://x".into();
            settings.plain.interval_seconds = 0;
            settings.objects[0].attributes.retain(|mapping| mapping.target != "name.givenName");
            settings.objects[0].attributes[1].source = mapping::MappingSource::None;
        });
        assert_eq!(
            found,
            [
                "the Tenant URL must begin with https:// (http:// only inside your own network), not ftp://",
                "the interval must be from 1 to 2592000 seconds",
                "the required target attribute `active` has no source; map a source attribute to it or set a default",
                "the target attribute `name.givenName` of users is required by Palo Alto Networks Cloud Identity Engine - Cloud Authentication Service and has no mapping",
            ]
        );
    }

    #[test]
    fn who_provisions_users_alone_needs_no_mapping_of_groups() {
        let template = Template::by_name("scim").unwrap();
        let mut settings = JobSettings::of(template, "https://app.example.com/scim");
        assert_eq!(settings.objects.len(), 2);
        settings.objects.retain(|object| object.target_object == ObjectType::User);
        assert_eq!(settings.check(template, Installation::UNKNOWN), Ok(()));
    }

    #[test]
    fn mappings_and_filters_read_what_the_directory_has() {
        let found = problems(|settings| {
            let user = &mut settings.objects[0];
            let title = user.attributes.iter_mut().find(|mapping| mapping.target == "title").unwrap();
            title.source = r#"Join(" ", [jobTitel], [extension_1_grade])"#.parse().unwrap();
            user.scoping = serde_json::from_value(serde_json::json!([{"name": "Sales", "clauses": [
                {"attribute": "departmnt", "operator": "EQUALS", "value": "Sales"},
                {"attribute": "startDate", "operator": "IS NULL"},
            ]}]))
            .unwrap();
        });
        assert_eq!(
            found,
            [
                "the scoping filter `Sales` uses `startDate`, which Entra's operators cannot use; write `IS BEFORE`, `IS AFTER`, `IS ON OR BEFORE`, `IS ON OR AFTER`, `HAS VALUE` or `HAS NO VALUE`",
                "the mapping of `title` reads `jobTitel`, which is not an attribute of users; did you mean `jobTitle`?",
                "the scoping filter `Sales` reads `departmnt`, which is not an attribute of users; did you mean `department`?",
            ]
        );
    }

    #[test]
    fn the_flag_in_the_address_chooses_the_dialect() {
        let template = Template::by_name("scim").unwrap();
        for (url, expected) in [
            ("https://a/scim", Dialect::Rfc),
            ("https://a/scim?aadOptscim062020", Dialect::EntraCompliant),
            ("https://a/scim?AzureAdScimPatch2017", Dialect::Entra),
        ] {
            assert_eq!(JobSettings::of(template, url).effective_dialect(), expected, "{url}");
        }
    }
}
