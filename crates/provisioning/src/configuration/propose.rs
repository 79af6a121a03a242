//! What a file would change: found out before anything is, and shown.

use std::collections::BTreeSet;

use directory::DirectoryError;
use mapping::nearest;
use mapping::schema::Difference;
use mapping::validation::UnreadMappings;
use serde::Serialize;
use serde_json::{Value, json};
use store::applications::AssignmentRecord;
use store::{AppId, ObjectId, ObjectKind, ReadTx};

use super::state::{AssignmentKey, JobState, find, name_of};
use super::text::unified;
use super::{AssignmentRow, BadConfiguration, ConfigurationFile, ConfigurationProblem, JobConfiguration, Place};
use crate::cycle::ScopeLoss;
use crate::discovery::Discovered;
use crate::engine::Engine;
use crate::gallery::Template;
use crate::job::JobError;
use crate::settings::{JobSettings, Located, TENANT_URL};
use crate::surroundings::missing_groups;
use crate::target::TenantUrl;
use crate::validation::Installation;

/// Assignments that are read at a time.
const ASSIGNMENTS_STEP: u32 = 500;

/// The template of applications that have none of their own.
const ANY_TEMPLATE: &str = "scim";

/// An assignment that a file makes or ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Assigned {
    /// Who.
    pub id: ObjectId,
    /// `userPrincipalName` or `displayName`; the id where nobody knows it any more.
    pub name: String,
    /// Whether that is a group.
    pub is_group: bool,
    /// The value of the app role.
    pub role: String,
}

impl Assigned {
    pub(super) const fn kind(&self) -> ObjectKind {
        if self.is_group { ObjectKind::Group } else { ObjectKind::User }
    }
}

/// What a file would change, and of what that was found out.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The application, where it is there.
    pub app: Option<AppId>,
    /// The job as it is, as far as the file speaks of it.
    pub before: Option<JobConfiguration>,
    /// The job as it would be.
    pub after: JobConfiguration,
    /// Assignments that would be made.
    pub assigns: Vec<Assigned>,
    /// Assignments that would end.
    pub ends: Vec<Assigned>,
    /// Accounts that would leave the scope, or not be managed any more.
    pub scope_losses: Vec<ScopeLoss>,
    /// What an administrator should know about the mappings that there would be, where the file changes the job; each is one sentence.
    pub mapping_warnings: Vec<String>,
    pub(super) state: Option<JobState>,
}

impl Proposal {
    /// Whether the job is already as the file says.
    pub fn is_empty(&self) -> bool {
        self.before.as_ref() == Some(&self.after)
    }

    /// Whether the secret token must be given: the application is new, or its address leads to another server.
    pub fn needs_token(&self) -> bool {
        self.app.is_none() || self.differs_by(TenantUrl::are_of_two_servers)
    }

    /// Whether the address is that of another set of objects, so that links are forgotten.
    fn moves(&self) -> bool {
        self.app.is_some() && self.differs_by(TenantUrl::are_of_two_targets)
    }

    fn differs_by(&self, are_different: fn(&str, &str) -> bool) -> bool {
        let before = self.before.as_ref().and_then(|before| before.tenant_url.as_deref());
        are_different(before.unwrap_or_default(), self.after.tenant_url.as_deref().unwrap_or_default())
    }

    /// What to know before this is applied, beside who is not assigned any more; each is one sentence.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.moves() {
            let token = if self.needs_token() { ", and its secret token must be given again" } else { "" };
            warnings.push(format!(
                "the Tenant URL of {} becomes another: all links to accounts are forgotten, and every account is matched anew there{token}",
                self.after.name
            ));
        }
        warnings.extend(self.scope_losses.iter().map(ToString::to_string));
        warnings.extend_from_slice(&self.mapping_warnings);
        warnings
    }

    /// The difference in unified form.
    pub fn text(&self) -> String {
        let before = self.before.as_ref().map(JobConfiguration::to_toml).unwrap_or_default();
        let names = (format!("{} (now)", self.after.name), format!("{} (file)", self.after.name));
        unified(&before, &self.after.to_toml(), (&names.0, &names.1))
    }

    /// Who would not be assigned with any role any more, where all those who are assigned are told.
    pub fn losing(&self) -> Vec<&Assigned> {
        let Some(state) = &self.state else { return Vec::new() };
        let keeps = |one: &Assigned| {
            let kept = if one.is_group { &state.groups } else { &state.users };
            let ended = |role: &String| self.ends.iter().any(|end| end.id == one.id && end.role == *role);
            kept.iter().any(|(id, role)| *id == one.id && !ended(role))
                || self.assigns.iter().any(|new| new.id == one.id)
        };
        let mut seen = BTreeSet::new();
        self.ends.iter().filter(|one| !keeps(one) && seen.insert(one.id)).collect()
    }

    /// The changes for programs.
    pub fn to_json(&self) -> Value {
        let settings: Vec<Value> = self
            .plain(self.before.as_ref())
            .into_iter()
            .zip(self.plain(Some(&self.after)))
            .filter(|((_, old), (_, new))| old != new && !new.is_null())
            .map(|((name, old), (_, new))| json!({ "setting": name, "old": old, "new": new }))
            .collect();
        let objects = |side: Option<&JobConfiguration>| side.and_then(|one| one.objects.clone()).unwrap_or_default();
        let mappings = Difference::between(&objects(self.before.as_ref()), &objects(Some(&self.after)));
        json!({
            "app": self.app, "name": self.after.name, "isNew": self.app.is_none(), "isChanged": !self.is_empty(),
            "settings": settings, "mappings": mappings, "assigns": self.assigns, "ends": self.ends,
            "scopeLosses": self.scope_losses, "warnings": self.warnings(),
        })
    }

    fn plain(&self, side: Option<&JobConfiguration>) -> Vec<(&'static str, Value)> {
        let mut all = self.after.settings.members();
        match side {
            Some(side) => all = side.settings.members(),
            None => all.iter_mut().for_each(|(_, value)| *value = Value::Null),
        }
        all.push(("tenantUrl", json!(side.and_then(|side| side.tenant_url.as_ref()))));
        let status = side.and_then(|side| side.on).map(|on| if on { "on" } else { "off" });
        all.push(("status", json!(status)));
        all.push(("roles", json!(side.and_then(|side| side.roles.as_ref()))));
        all
    }
}

impl Engine {
    /// A job as a file says it.
    pub async fn configuration(&self, app: AppId, assignments: bool) -> Result<JobConfiguration, JobError> {
        let read = self.store().scan(move |tx| {
            JobState::read(tx, app, assignments, assignments)?.configuration(tx, assignments, assignments)
        });
        read.await
    }

    /// Finds out what a file would change; every problem of it at once, with those of its reading. Nothing is written.
    pub async fn propose(&self, file: &ConfigurationFile) -> Result<Proposal, JobError> {
        let (file, installation) = (file.clone(), self.installation());
        let mut proposal = self.store().scan(move |tx| propose(tx, &file, installation)).await?;
        if !proposal.is_empty() {
            proposal.mapping_warnings = self.mapping_warnings(&proposal).await?;
        }
        if let Some((app, change)) = self.change_of(&proposal, "") {
            proposal.scope_losses = self.scope_losses(app, &change).await?;
        }
        Ok(proposal)
    }

    async fn mapping_warnings(&self, proposal: &Proposal) -> Result<Vec<String>, JobError> {
        let Some(template) = Template::by_name(&proposal.after.template) else { return Ok(Vec::new()) };
        let mut settings = proposal.after.job_settings(template);
        // Another target has told nothing yet.
        let Some(app) = proposal.app.filter(|_| !proposal.moves()) else { return Ok(settings.warnings(template)) };
        let now = self.load(app).await?.2;
        settings.discovered = now.discovered;
        let mut warnings = settings.warnings(template);
        warnings.extend(self.late_departures(app, template, &now.objects, &settings.objects).await?);
        Ok(warnings)
    }
}

fn propose(tx: &mut ReadTx<'_>, file: &ConfigurationFile, installation: Installation) -> Result<Proposal, JobError> {
    let wanted = &file.wanted;
    let (users, groups) = (wanted.users.is_some(), wanted.groups.is_some());
    let app = match directory::find_application(tx, &wanted.name) {
        Ok(application) => Some(application.id),
        Err(DirectoryError::NotFound { .. }) => None,
        Err(other) => return Err(other.into()),
    };
    let state = app.map(|app| JobState::read(tx, app, users, groups)).transpose()?;
    let mut look = Look { file, state: state.as_ref(), problems: file.problems.clone() };
    look.check_itself();
    let users = look.assignments(tx, ObjectKind::User)?;
    let groups = look.assignments(tx, ObjectKind::Group)?;
    look.check_settings(installation);
    look.check_groups(tx)?;
    if let Some(app) = app {
        look.check_removed_roles(tx, app)?;
    }
    if !look.problems.is_empty() {
        return Err(BadConfiguration::of(look.problems).into());
    }
    let mut wanted_state = state.clone().unwrap_or_else(|| new_state(wanted));
    wanted_state.settings = wanted.settings;
    if let Some(users) = &users {
        wanted_state.users.clone_from(users);
    }
    if let Some(groups) = &groups {
        wanted_state.groups.clone_from(groups);
    }
    let before = state.as_ref().map(|state| state.configuration(tx, users.is_some(), groups.is_some())).transpose()?;
    let mut after = wanted_state.configuration(tx, users.is_some(), groups.is_some())?;
    after.tenant_url = wanted.tenant_url.as_ref().map(|url| url.trim().to_owned()).or(after.tenant_url);
    after.on = wanted.on.or(after.on);
    after.roles = wanted.roles.clone().or(after.roles);
    after.objects = wanted.objects.clone().or(after.objects);
    let (assigns, ends) = steps(tx, state.as_ref(), &wanted_state)?;
    Ok(Proposal { app, before, after, assigns, ends, scope_losses: Vec::new(), mapping_warnings: Vec::new(), state })
}

/// What a new job has where the file says nothing.
fn new_state(wanted: &JobConfiguration) -> JobState {
    let template = Template::by_name(&wanted.template);
    JobState {
        name: wanted.name.clone(),
        template: wanted.template.clone(),
        tenant_url: String::new(),
        on: false,
        settings: wanted.settings,
        roles: Vec::new(),
        objects: template.map(|template| template.objects.clone()).unwrap_or_default(),
        discovered: Discovered::default(),
        users: BTreeSet::new(),
        groups: BTreeSet::new(),
    }
}

fn steps(
    tx: &mut ReadTx<'_>,
    before: Option<&JobState>,
    after: &JobState,
) -> Result<(Vec<Assigned>, Vec<Assigned>), JobError> {
    let none = BTreeSet::new();
    let (mut assigns, mut ends) = (Vec::new(), Vec::new());
    for (kind, old, new) in [
        (ObjectKind::User, before.map_or(&none, |state| &state.users), &after.users),
        (ObjectKind::Group, before.map_or(&none, |state| &state.groups), &after.groups),
    ] {
        for key in new.difference(old) {
            assigns.push(assigned(tx, kind, key)?);
        }
        for key in old.difference(new) {
            ends.push(assigned(tx, kind, key)?);
        }
    }
    Ok((assigns, ends))
}

fn assigned(tx: &mut ReadTx<'_>, kind: ObjectKind, (id, role): &AssignmentKey) -> Result<Assigned, JobError> {
    let name = name_of(tx, kind, *id)?.unwrap_or_else(|| id.to_string());
    Ok(Assigned { id: *id, name, is_group: kind == ObjectKind::Group, role: role.clone() })
}

/// A file that is held against what there is.
struct Look<'l> {
    file: &'l ConfigurationFile,
    state: Option<&'l JobState>,
    problems: Vec<ConfigurationProblem>,
}

impl Look<'_> {
    fn problem(&mut self, place: Option<Place>, what: impl Into<String>) {
        let place = place.filter(|place| place.line > 0);
        self.problems.push(ConfigurationProblem { place, what: what.into() });
    }

    fn check_itself(&mut self) {
        let (wanted, places) = (&self.file.wanted, &self.file.places);
        match self.state {
            // A template that there is not has been told of, and so has a name that is missing.
            Some(_) if Template::by_name(&wanted.template).is_none() => {}
            None if wanted.name.is_empty() => {}
            Some(state) if state.template != wanted.template => {
                let what = format!(
                    "the application {} is made from the template `{}`, which cannot be changed; remove it first, or give the file another name",
                    state.name, state.template
                );
                self.problem(Some(places.template), what);
            }
            None if wanted.tenant_url.is_none() && !places.settings.contains_key(TENANT_URL[0]) => {
                let what = format!(
                    "no application is named {:?} yet, and a new one needs a `tenantUrl`, such as \"https://app.example.com/scim/v2\"",
                    wanted.name
                );
                self.problem(Some(places.name), what);
            }
            _ => {}
        }
    }

    /// The users or groups that the file assigns.
    fn assignments(
        &mut self,
        tx: &mut ReadTx<'_>,
        kind: ObjectKind,
    ) -> Result<Option<BTreeSet<AssignmentKey>>, JobError> {
        let (wanted, places) = (&self.file.wanted, &self.file.places);
        let (rows, places) =
            if kind == ObjectKind::User { (&wanted.users, &places.users) } else { (&wanted.groups, &places.groups) };
        let Some(rows) = rows else { return Ok(None) };
        let mut keys = BTreeSet::new();
        for (row, place) in rows.iter().zip(places) {
            let role = row.role.clone().unwrap_or_else(|| directory::DEFAULT_ACCESS.to_owned());
            self.check_role(&role, *place);
            let Some(id) = self.principal(tx, kind, row, *place)? else { continue };
            if !keys.insert((id, role)) {
                let shown = row.name.clone().unwrap_or_else(|| id.to_string());
                self.problem(Some(*place), format!("{shown:?} is assigned twice with the same role"));
            }
        }
        Ok(Some(keys))
    }

    /// Groups that new filters ask for and the directory does not have.
    fn check_groups(&mut self, tx: &mut ReadTx<'_>) -> Result<(), JobError> {
        let Some(after) = &self.file.wanted.objects else { return Ok(()) };
        let before = self.state.map(|state| state.objects.as_slice()).unwrap_or_default();
        for missing in missing_groups(tx, before, after)? {
            self.problem(self.file.places.of(&missing.place), missing.what);
        }
        Ok(())
    }

    /// Roles that the file removes while somebody is assigned with them whom it leaves alone.
    fn check_removed_roles(&mut self, tx: &mut ReadTx<'_>, app: AppId) -> Result<(), JobError> {
        let wanted = &self.file.wanted;
        let (Some(state), Some(roles)) = (self.state, &wanted.roles) else { return Ok(()) };
        let mut removed: BTreeSet<&String> = state.roles.iter().filter(|role| !roles.contains(role)).collect();
        let mut after = None;
        while !removed.is_empty() {
            let page = directory::assignments(tx, app, after, ASSIGNMENTS_STEP)?;
            for AssignmentRecord { kind, role, .. } in page.items {
                let is_listed = if kind == ObjectKind::User { wanted.users.is_some() } else { wanted.groups.is_some() };
                if !is_listed && removed.remove(&role.value) {
                    let what = format!(
                        "`roles` leaves out {:?}, and users or groups are assigned with it; list the role, or give `assignments` that do without it",
                        role.value
                    );
                    self.problem(self.file.places.roles, what);
                }
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn check_role(&mut self, role: &str, place: Place) {
        let known = self.file.wanted.roles.as_ref().or(self.state.map(|state| &state.roles));
        let known: Vec<&str> = known.into_iter().flatten().map(String::as_str).collect();
        if role == directory::DEFAULT_ACCESS || known.contains(&role) || self.file.gaps.roles {
            return;
        }
        let told = nearest(role, known.iter().copied())
            .map_or_else(|| "add it to `roles`".to_owned(), |name| format!("did you mean {name:?}?"));
        self.problem(Some(place), format!("the application has no role {role:?}; {told}"));
    }

    fn principal(
        &mut self,
        tx: &mut ReadTx<'_>,
        kind: ObjectKind,
        row: &AssignmentRow,
        place: Place,
    ) -> Result<Option<ObjectId>, JobError> {
        if let Some(id) = row.id {
            let held = self.state.map(|state| if kind == ObjectKind::User { &state.users } else { &state.groups });
            // Who is assigned already may be soft-deleted by now.
            if held.is_some_and(|held| held.iter().any(|(other, _)| *other == id)) {
                return Ok(Some(id));
            }
        }
        let named = row.id.map(|id| id.to_string()).or_else(|| row.name.clone()).unwrap_or_default();
        match find(tx, kind, &named) {
            Ok(id) => Ok(Some(id)),
            Err(error @ (DirectoryError::NotFound { .. } | DirectoryError::Ambiguous { .. })) => {
                self.problem(Some(place), error.to_string());
                Ok(None)
            }
            Err(other) => Err(other.into()),
        }
    }

    /// What is wrong with the settings and mappings as a whole; not what was so before where the file leaves that alone.
    fn check_settings(&mut self, installation: Installation) {
        let wanted = &self.file.wanted;
        // That there is no such template is told already, and hides nothing else.
        let named =
            [Some(wanted.template.as_str()), self.state.map(|state| state.template.as_str()), Some(ANY_TEMPLATE)];
        let Some(template) = named.into_iter().flatten().find_map(Template::by_name) else { return };
        let made = |state: Option<&JobState>, is_wanted: bool| {
            let url = wanted.tenant_url.as_deref().filter(|_| is_wanted);
            let mut settings =
                JobSettings::of(template, url.or(state.map(|state| state.tenant_url.as_str())).unwrap_or(""));
            let objects = wanted.objects.as_ref().filter(|_| is_wanted).or(state.map(|state| &state.objects));
            if let Some(objects) = objects {
                settings.objects.clone_from(objects);
            }
            let plain = if is_wanted { Some(wanted.settings) } else { state.map(|state| state.settings) };
            if let Some(plain) = plain {
                settings.plain = plain;
            }
            if let Some(state) = state {
                settings.discovered.clone_from(&state.discovered);
            }
            let unread = if is_wanted { self.file.gaps.mappings.clone() } else { UnreadMappings::default() };
            settings.problems_of_part(template, installation, &unread)
        };
        let mut problems = made(self.state, true);
        let is_same = self.state.is_some_and(|state| wanted.objects.as_ref().is_none_or(|new| *new == state.objects));
        if is_same {
            let old = made(self.state, false);
            problems.retain(|problem| !old.contains(problem));
        }
        // That there is no address at all is told in other words; and of what could not be read nothing is known.
        let has_url = wanted.tenant_url.is_some() || self.state.is_some();
        let is_unread = |setting: &&str| self.file.gaps.settings.contains(setting);
        let is_known = |problem: &Located| !problem.settings.iter().any(is_unread);
        problems.retain(|problem| (has_url || problem.settings != TENANT_URL) && is_known(problem));
        for problem in problems {
            let places = &self.file.places;
            let of_setting = problem.settings.iter().find_map(|setting| places.settings.get(setting)).copied();
            self.problem(of_setting.or_else(|| places.of(&problem.place)), problem.what);
        }
    }
}
