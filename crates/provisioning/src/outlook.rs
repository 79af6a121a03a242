//! What would be wrong with a job after a change of it, found out before anybody is asked about the change. The rules are those by which the
//! change itself is taken or refused.

use mapping::ObjectMapping;
use serde::Serialize;
use store::{AppId, ReadTx};

use crate::cycle::ScopeTrialOf;
use crate::engine::Engine;
use crate::gallery::Template;
use crate::job::{JobChange, JobError};
use crate::settings::{BadSettings, JobSettings, sentences};
use crate::surroundings::missing_groups;
use crate::target::TenantUrl;
use crate::validation::Installation;

/// What is to be known of a change. Each is one sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outlook {
    /// What keeps it from being saved.
    pub problems: Vec<String>,
    /// What an administrator should know about the mappings that there would be.
    pub warnings: Vec<String>,
}

impl Outlook {
    /// The warnings; an error where there are problems.
    pub fn refuse(self) -> Result<Vec<String>, BadSettings> {
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(BadSettings(self.problems)) }
    }

    /// What is to be known of settings, of whatever job they become.
    pub(crate) fn of(settings: &JobSettings, template: &Template, installation: Installation) -> Self {
        let problems = settings.check(template, installation).err().map(|bad| bad.0).unwrap_or_default();
        Self { problems, warnings: settings.warnings(template) }
    }
}

impl Engine {
    /// What would come of a change of a job. Nothing is written, and no target is asked. Of mappings that the job has already nothing is said.
    pub async fn look_ahead(&self, app: AppId, change: &JobChange) -> Result<Outlook, JobError> {
        let (_, template, before) = self.load(app).await?;
        let change = change.without_same(&before);
        let after = change.applied(&before);
        let mut outlook =
            Outlook { problems: change.problems(&before, &after, template, self.installation()), warnings: Vec::new() };
        if change.objects.is_none() {
            return Ok(outlook);
        }
        outlook.warnings = after.warnings(template);
        // At another target no account is known.
        if !TenantUrl::are_of_two_targets(&before.tenant_url, &after.tenant_url) {
            outlook.warnings.extend(self.late_departures(app, template, &before.objects, &after.objects).await?);
        }
        if !change.goes_back() {
            outlook.problems.extend(self.missing_groups(before.objects, after.objects).await?);
        }
        Ok(outlook)
    }

    /// What would keep filters that are tried from being saved in place of a job's; what is wrong without them too is not told.
    pub async fn filter_problems(&self, wanted: &ScopeTrialOf) -> Result<Vec<String>, JobError> {
        let Some(filters) = &wanted.filters else { return Ok(Vec::new()) };
        let (_, template, before) = self.load(wanted.app).await?;
        let mut after = before.clone();
        for mapping in after.objects.iter_mut().filter(|mapping| mapping.target_object == wanted.object) {
            mapping.scoping = filters.clone();
        }
        let old = Outlook::of(&before, template, self.installation()).problems;
        let mut problems = Outlook::of(&after, template, self.installation()).problems;
        problems.retain(|problem| !old.contains(problem));
        problems.extend(self.missing_groups(before.objects, after.objects).await?);
        Ok(problems)
    }

    async fn missing_groups(
        &self,
        before: Vec<ObjectMapping>,
        after: Vec<ObjectMapping>,
    ) -> Result<Vec<String>, JobError> {
        self.store().read(move |tx: &mut ReadTx<'_>| missing_groups(tx, &before, &after).map(sentences)).await
    }
}
