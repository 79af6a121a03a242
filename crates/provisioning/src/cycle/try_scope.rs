//! Trying out scoping filters on the directory: who is in scope, who is out, and by which clause. Objects are read page by page, so that it
//! needs little memory however many there are. Nothing is written, and the target is not asked.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;
use std::sync::Arc;

use mapping::{ObjectMapping, ObjectType, ScopingFilters};
use serde::Serialize;
use store::applications::EntitlementRecord;
use store::{AppId, ObjectId, ObjectKind, ReadTx, Store, StoreError, groups, users};

use super::evaluate::scope_of;
use super::subject::Subject;
use crate::engine::Engine;
use crate::job::JobError;
use crate::scope::{Scope, ScopeRules, ScopeSetting};
use crate::surroundings::JobNeeds;
use crate::trial::{FilterTrial, ScopeTally, explained};

/// Objects of one page.
pub(super) const PAGE: u32 = 200;
/// Groups whose names are kept; those beyond are told by their ids.
const GROUPS_NAMED_MAX: usize = 10_000;

/// Filters to be tried.
#[derive(Clone, Debug)]
pub struct ScopeTrialOf {
    /// The application.
    pub app: AppId,
    /// Users or groups.
    pub object: ObjectType,
    /// What is tried in place of the job's filters.
    pub filters: Option<ScopingFilters>,
    /// What is tried in place of the job's setting.
    pub scope: Option<ScopeSetting>,
}

/// An object that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scoped {
    /// Its name.
    pub object: String,
    /// Its object id.
    pub id: ObjectId,
    /// Whether it is in scope.
    pub in_scope: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_because: Option<String>,
    /// By what it is: the assignment that makes it a candidate, and, where there are several filters, those that let it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_because: Option<String>,
}

/// One object, filter by filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeTrial {
    /// The object, and whether it is in scope.
    #[serde(flatten)]
    pub scoped: Scoped,
    /// Every filter with every clause, whatever else decides.
    pub filters: Vec<FilterTrial>,
}

/// What decides.
struct Rules {
    assigned: ScopeRules,
    mapping: ObjectMapping,
    needs: Arc<JobNeeds>,
}

impl Rules {
    fn scoped(&self, subject: &Subject, now: jiff::Timestamp, groups: &GroupNames) -> (Scoped, Option<Scope>) {
        let scope = scope_of(self.assigned, &self.mapping, subject, now);
        let out_because = match &scope {
            Ok(scope) => scope.out_because(),
            Err(undecided) => Some(undecided.to_string()),
        };
        let in_because = out_because.is_none().then(|| self.in_because(subject, now, groups));
        let (object, id) = (subject.label(), subject.id);
        (Scoped { object, id, in_scope: out_because.is_none(), out_because, in_because }, scope.ok())
    }

    fn in_because(&self, subject: &Subject, now: jiff::Timestamp, groups: &GroupNames) -> String {
        let candidate = if self.assigned.scope == ScopeSetting::All {
            "all are in scope".to_owned()
        } else {
            match self.counting(subject).filter(|one| !one.direct) {
                Some(through) => match groups.get(&through.principal) {
                    Some(name) => format!("assigned through the group {name}"),
                    None => format!("assigned through the group {}", through.principal),
                },
                None if subject.kind == ObjectKind::User => "assigned directly".to_owned(),
                None => "assigned".to_owned(),
            }
        };
        let filters = &self.mapping.scoping;
        if filters.0.len() < 2 {
            return candidate;
        }
        let tried = subject.with_source(false, |source| explained(filters, source, now)).unwrap_or_default();
        let names: Vec<String> = tried.into_iter().filter(|one| one.holds).map(|one| one.name).collect();
        let (filters, let_in) = if names.len() > 1 { ("filters", "let") } else { ("filter", "lets") };
        format!("{candidate}, and the {filters} {} {let_in} it in", names.join(", "))
    }

    /// The entitlement by which a user is a candidate.
    fn counting<'s>(&self, subject: &'s Subject) -> Option<&'s EntitlementRecord> {
        let counts = |one: &&EntitlementRecord| {
            !self.assigned.exclude_default_access || one.role.value != directory::DEFAULT_ACCESS
        };
        subject.entitlements.iter().find(counts)
    }

    /// Reads the names of the groups through which users are assigned, those that are not known yet.
    async fn learn_groups(&self, store: &Store, subjects: &[Subject], groups: &mut GroupNames) -> Result<(), JobError> {
        let through = subjects.iter().filter_map(|subject| self.counting(subject)).filter(|one| !one.direct);
        let new: BTreeSet<ObjectId> = through.map(|one| one.principal).filter(|id| !groups.contains_key(id)).collect();
        if new.is_empty() || groups.len() >= GROUPS_NAMED_MAX {
            return Ok(());
        }
        let read = store.scan(move |tx| {
            let mut found = Vec::new();
            for id in new {
                found.extend(directory::group(tx, id.group())?.map(|group| (id, group.display_name)));
            }
            Ok::<_, JobError>(found)
        });
        groups.extend(read.await?);
        Ok(())
    }
}

/// Names of assigned groups, each read once.
type GroupNames = HashMap<ObjectId, String>;

impl Engine {
    /// Decides about every user, or every group, of the directory. `seen` gets each, with how many were looked at and how many
    /// there are, soft-deleted ones among them, in the order of ids; it can end the work.
    pub async fn try_scope(
        &self,
        wanted: &ScopeTrialOf,
        mut seen: impl FnMut(Scoped, u64, u64) -> ControlFlow<()> + Send,
    ) -> Result<ScopeTally, JobError> {
        let rules = self.rules(wanted).await?;
        let (app, kind) = (wanted.app, kind_of(wanted.object));
        let total = self.store().read(move |tx| count(tx, kind)).await?;
        let mut tally = ScopeTally::of(&rules.mapping.scoping);
        let (mut after, mut groups) = (None, GroupNames::new());
        loop {
            let needs = Arc::clone(&rules.needs);
            let subjects = self.store().scan(move |tx| page(tx, app, &needs, kind, after)).await?;
            after = subjects.last().map(|subject| subject.id);
            rules.learn_groups(self.store(), &subjects, &mut groups).await?;
            let now = self.now();
            for subject in &subjects {
                let (scoped, scope) = rules.scoped(subject, now, &groups);
                subject.with_source(false, |source| tally.count(scope.as_ref(), &rules.mapping.scoping, source, now));
                if seen(scoped, tally.looked_at, total).is_break() {
                    return Ok(tally);
                }
            }
            if after.is_none() {
                return Ok(tally);
            }
        }
    }

    /// Decides about one object, and tells what every clause found.
    pub async fn explain_scope(&self, wanted: &ScopeTrialOf, id: ObjectId) -> Result<ScopeTrial, JobError> {
        let rules = self.rules(wanted).await?;
        let (app, kind, now) = (wanted.app, kind_of(wanted.object), self.now());
        let needs = Arc::clone(&rules.needs);
        let subject = self.store().read(move |tx| Subject::load(tx, app, &needs, kind, id)).await?;
        let mut groups = GroupNames::new();
        rules.learn_groups(self.store(), std::slice::from_ref(&subject), &mut groups).await?;
        let filters = subject.with_source(false, |source| explained(&rules.mapping.scoping, source, now));
        Ok(ScopeTrial { scoped: rules.scoped(&subject, now, &groups).0, filters: filters.unwrap_or_default() })
    }

    async fn rules(&self, wanted: &ScopeTrialOf) -> Result<Rules, JobError> {
        let (_, _, settings) = self.load(wanted.app).await?;
        let mut rules = settings.scope_rules();
        rules.scope = wanted.scope.unwrap_or(rules.scope);
        let mapping = settings.object(wanted.object).cloned();
        let mut mapping = mapping.ok_or_else(|| {
            let objects = wanted.object.plural();
            JobError::Invalid(format!("the job does not provision {objects}: it has no mapping of them"))
        })?;
        if let Some(filters) = &wanted.filters {
            mapping.scoping = filters.clone();
        }
        let needs = Arc::new(JobNeeds::of_one(&mapping));
        Ok(Rules { assigned: rules, mapping, needs })
    }
}

pub(super) const fn kind_of(object: ObjectType) -> ObjectKind {
    match object {
        ObjectType::User => ObjectKind::User,
        ObjectType::Group => ObjectKind::Group,
    }
}

pub(super) fn count(tx: &mut ReadTx<'_>, kind: ObjectKind) -> Result<u64, StoreError> {
    if kind == ObjectKind::Group { groups::count_groups(tx) } else { Ok(users::count_users(tx)?.0) }
}

/// The objects behind an id.
pub(super) fn page(
    tx: &mut ReadTx<'_>,
    app: AppId,
    needs: &JobNeeds,
    kind: ObjectKind,
    after: Option<ObjectId>,
) -> Result<Vec<Subject>, JobError> {
    let ids: Vec<ObjectId> = if kind == ObjectKind::Group {
        groups::group_ids_after(tx, after.map(ObjectId::group), PAGE)?.into_iter().map(Into::into).collect()
    } else {
        users::user_ids_after(tx, after.map(ObjectId::user), PAGE)?.into_iter().map(Into::into).collect()
    };
    if kind == ObjectKind::User {
        let together = Subject::load_users(tx, app, &ids, true, needs)?;
        if together.len() == ids.len() {
            return Ok(together);
        }
    }
    ids.into_iter().map(|id| Subject::load(tx, app, needs, kind, id)).collect()
}
