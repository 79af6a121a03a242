//! A file applied: all of it in one transaction, and only to the job that its difference was made of.

use directory::Activity;
use serde_json::json;
use store::{AppId, LogId, ReadTx, WriteTx};

use super::propose::{Assigned, Proposal};
use super::state::JobState;
use crate::cycle::Reassigned;
use crate::engine::Engine;
use crate::gallery::Template;
use crate::job::{Entry, JobChange, JobError, NewJob, checked_token};
use crate::settings::JobStatus;
use crate::view::JobView;

/// The part of a configuration that belongs into the transaction of a change beside what the change says.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigurationStep {
    expected: Option<JobState>,
    has_users: bool,
    has_groups: bool,
    /// Each with the id of its record in the audit log.
    assigns: Vec<(LogId, Assigned)>,
    ends: Vec<(LogId, Assigned)>,
}

impl ConfigurationStep {
    /// Refuses where the job is another than the one that the difference was made of.
    pub(crate) fn refuse_other(&self, tx: &mut ReadTx<'_>, app: AppId) -> Result<(), JobError> {
        let found = JobState::read(tx, app, self.has_users, self.has_groups)?;
        if self.expected.as_ref().is_some_and(|expected| *expected != found) {
            return Err(JobError::ChangedMeanwhile);
        }
        Ok(())
    }

    /// The assignments that it makes and ends.
    pub(crate) fn reassigned(&self) -> Reassigned {
        let mut reassigned = Reassigned::default();
        for (_, one) in &self.ends {
            reassigned.end(one.id, one.kind(), &one.role);
        }
        for (_, one) in &self.assigns {
            reassigned.make(one.id, one.kind(), &one.role);
        }
        reassigned
    }

    /// Makes and ends assignments.
    pub(crate) fn assign(&self, tx: &mut WriteTx<'_>, app: AppId, entry: &Entry) -> Result<(), JobError> {
        let name = directory::application(tx, app)?.name;
        let told = |one: &Assigned| json!({ "principal": one.id, "principalName": one.name, "role": one.role });
        for (id, one) in &self.ends {
            directory::unassign(tx, app, one.id, Some(&one.role), entry.at)?;
            directory::record(tx, *id, entry.at, &entry.actor, Activity::RemoveAssignment, &name, &told(one))?;
        }
        for (id, one) in &self.assigns {
            directory::assign(tx, app, one.id, one.kind(), Some(&one.role), entry.at)?;
            directory::record(tx, *id, entry.at, &entry.actor, Activity::AddAssignment, &name, &told(one))?;
        }
        Ok(())
    }
}

impl Engine {
    /// Makes a job what a file says, all of it or nothing: adds the application where it is not there. `secret_token` is needed where
    /// [`Proposal::needs_token`] says so: the token that is stored was given for another server, and is not shown to a new one.
    /// Refused with [`JobError::ChangedMeanwhile`] where the job has been changed since the difference was made. `reason` is what the
    /// version of the mappings tells.
    pub async fn apply(
        &self,
        proposal: &Proposal,
        secret_token: Option<&str>,
        reason: &str,
    ) -> Result<JobView, JobError> {
        match self.change_of(proposal, reason) {
            Some((app, change)) => {
                self.change_job(app, JobChange { secret_token: secret_token.map(str::to_owned), ..change }).await
            }
            None => self.add_configured(proposal, self.step(proposal), secret_token).await,
        }
    }

    /// The change of a job that is there; nothing of a new one.
    pub(super) fn change_of(&self, proposal: &Proposal, reason: &str) -> Option<(AppId, JobChange)> {
        let (app, state) = (proposal.app?, proposal.state.as_ref()?);
        Some((app, change_of(proposal, state, self.step(proposal), reason)))
    }

    fn step(&self, proposal: &Proposal) -> ConfigurationStep {
        let with_id = |list: &[Assigned]| list.iter().map(|one| (self.new_id(), one.clone())).collect();
        ConfigurationStep {
            expected: proposal.state.clone(),
            has_users: proposal.after.users.is_some(),
            has_groups: proposal.after.groups.is_some(),
            assigns: with_id(&proposal.assigns),
            ends: with_id(&proposal.ends),
        }
    }

    async fn add_configured(
        &self,
        proposal: &Proposal,
        step: ConfigurationStep,
        secret_token: Option<&str>,
    ) -> Result<JobView, JobError> {
        let after = &proposal.after;
        let template = Template::by_name(&after.template)
            .ok_or_else(|| JobError::Invalid(format!("no gallery template is named {:?}", after.template)))?;
        let token = secret_token.ok_or_else(|| {
            JobError::Invalid(format!("the application {} is new, and its secret token is missing", after.name))
        })?;
        let token = checked_token(token)?;
        let mut settings = after.job_settings(template);
        settings.check(template, self.installation())?;
        settings.discovered = self.test(&settings, template, &token).await?.discovered;
        let new = NewJob {
            template: after.template.clone(),
            name: after.name.clone(),
            roles: after.roles.clone().unwrap_or_default(),
            enabled: after.on.unwrap_or_default(),
            ..NewJob::default()
        };
        self.insert(new, settings, &token, Some(step)).await
    }
}

fn change_of(proposal: &Proposal, state: &JobState, step: ConfigurationStep, reason: &str) -> JobChange {
    let (after, old, new) = (&proposal.after, state.settings, proposal.after.settings);
    let roles = after.roles.as_ref().unwrap_or(&state.roles);
    let differing = |all: &[String], but: &[String]| all.iter().filter(|role| !but.contains(role)).cloned().collect();
    JobChange {
        tenant_url: after.tenant_url.clone().filter(|url| *url != state.tenant_url),
        scope: (old.scope != new.scope).then_some(new.scope),
        interval_seconds: (old.interval_seconds != new.interval_seconds).then_some(new.interval_seconds),
        dialect: (old.dialect != new.dialect).then_some(new.dialect),
        exclude_default_access: (old.exclude_default_access != new.exclude_default_access)
            .then_some(new.exclude_default_access),
        concurrency: (old.concurrency != new.concurrency).then_some(new.concurrency),
        request_timeout_seconds: (old.request_timeout_seconds != new.request_timeout_seconds)
            .then_some(new.request_timeout_seconds),
        settle_seconds: (old.settle_seconds != new.settle_seconds).then_some(new.settle_seconds),
        objects: after.objects.clone().filter(|objects| *objects != state.objects),
        status: after.on.filter(|on| *on != state.on).map(|on| if on { JobStatus::On } else { JobStatus::Off }),
        add_roles: differing(roles, &state.roles),
        remove_roles: differing(&state.roles, roles),
        reason: Some(reason.to_owned()),
        configuration: Some(Box::new(step)),
        ..JobChange::default()
    }
}
