//! Whose account a change of a job gives up, whatever the change is: other rules or filters, or assignments that end. Who is in scope under
//! the job as it is and under the job as it would be is held against each other. Nothing is written, and the target is not asked.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use mapping::{ObjectMapping, ObjectType, Operation, counted};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use store::applications::ways_in;
use store::{AppId, ObjectId, ObjectKind, ReadTx};

use super::evaluate::scope_of;
use super::reassigned::{Afterwards, Reassigned};
use super::subject::Subject;
use super::try_scope::{PAGE, count, kind_of, page};
use crate::engine::Engine;
use crate::gallery::Template;
use crate::job::{JobChange, JobError};
use crate::late_departure::ends_accounts;
use crate::object_plan::{
    Desired, Difference, ObjectPlan, has_soft_delete, new_account, reads_is_soft_deleted, switches_off,
};
use crate::plan::{Action, SkipReason};
use crate::scope::{OutOfScope, Scope, ScopeRules};
use crate::settings::JobSettings;
use crate::surroundings::JobNeeds;
use crate::target::TenantUrl;
use crate::validation::{ACTIVE, is_active_name};

/// Objects up to which those who lose something are counted before somebody is asked; more would keep them waiting.
const COUNTED_MAX: usize = 50_000;
/// Accounts that are told by name.
const NAMES_MAX: usize = 20;

/// What becomes of an account that a change gives up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "fate", rename_all = "camelCase")]
pub enum Fate {
    /// Its object leaves the scope, and it is switched off or removed.
    Lost,
    /// Its object leaves the scope, and it stays as it is.
    Kept {
        /// Why nothing switches it off or removes it.
        because: String,
    },
    /// Input or category filters take its object out of what the job looks after: it stays as it is.
    Unmanaged,
}

/// Accounts that a change gives up in one way. `Display` is one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScopeLoss {
    /// Users or groups.
    pub object: ObjectType,
    /// How many; none where there are too many to count them for this.
    pub accounts: Option<u64>,
    /// The names of the first of them.
    pub names: Vec<String>,
    /// What becomes of them.
    #[serde(flatten)]
    pub fate: Fate,
}

impl fmt::Display for ScopeLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = self.object.plural();
        let Some(accounts) = self.accounts else {
            let ends = match &self.fate {
                Fate::Lost => "loses the account".to_owned(),
                Fate::Kept { because } => format!("keeps the account, because {because}"),
                Fate::Unmanaged => "is no longer managed".to_owned(),
            };
            return write!(
                f,
                "who is in scope changes for {objects}, and they are too many to be counted here: whoever leaves the scope {ends}; \
                 lockstep filter test tells who is in it"
            );
        };
        let more = if accounts > self.names.len() as u64 { ", …" } else { "" };
        let names = format!("{}{more}", self.names.join(", "));
        let one = match self.object {
            ObjectType::User => "user",
            ObjectType::Group => "group",
        };
        let leaving = counted(accounts, one);
        let (theirs, they_are, stay) = if accounts == 1 {
            ("the account", "it is", "stay as it is")
        } else {
            ("their accounts", "they are", "stay as they are")
        };
        match &self.fate {
            Fate::Lost => write!(f, "{leaving} would leave the scope and lose {theirs}: {names}"),
            Fate::Kept { because } => {
                write!(f, "{leaving} would leave the scope and keep {theirs}, because {because}; {they_are} {names}")
            }
            Fate::Unmanaged => {
                let given_up = counted(accounts, "account");
                write!(f, "{given_up} of {objects} would no longer be managed and {stay}: {names}")
            }
        }
    }
}

impl Engine {
    /// Whose account a change of a job gives up: of its mappings, of its rules of who is in scope, or of its assignments; nothing where
    /// nobody's is. Accounts of a mapping that is gone or switched off stay as they are and are not counted; neither are those at a target
    /// that the job would leave.
    pub async fn scope_losses(&self, app: AppId, change: &JobChange) -> Result<Vec<ScopeLoss>, JobError> {
        let (_, template, settings) = self.load(app).await?;
        let changed = change.applied(&settings);
        if TenantUrl::are_of_two_targets(&settings.tenant_url, &changed.tenant_url) {
            return Ok(Vec::new());
        }
        let reassigned = change.configuration.as_ref().map(|step| step.reassigned()).unwrap_or_default();
        self.losses(app, template, (&settings, &changed), reassigned).await
    }

    /// The same of assignments that end: of these users and groups, with the role of that value or display name, or with any.
    pub async fn losses_by_unassigning(
        &self,
        app: AppId,
        principals: Vec<(ObjectId, ObjectKind)>,
        role: Option<String>,
    ) -> Result<Vec<ScopeLoss>, JobError> {
        let (_, template, settings) = self.load(app).await?;
        let ended = self.store().scan(move |tx| {
            let role = role.map(|role| directory::role_named(tx, app, Some(&role))).transpose()?;
            let mut ended = Reassigned::default();
            for (principal, kind) in principals {
                let ways = ways_in(tx, app, principal)?.into_iter().filter(|way| way.direct);
                for way in ways.filter(|way| role.as_ref().is_none_or(|role| role.id == way.role.id)) {
                    ended.end(principal, kind, &way.role.value);
                }
            }
            Ok::<_, JobError>(ended)
        });
        self.losses(app, template, (&settings, &settings), ended.await?).await
    }

    async fn losses(
        &self,
        app: AppId,
        template: &Template,
        (before, after): (&JobSettings, &JobSettings),
        reassigned: Reassigned,
    ) -> Result<Vec<ScopeLoss>, JobError> {
        let reassigned = Arc::new(reassigned);
        let mut losses = Vec::new();
        for old in before.objects.iter().filter(|old| old.enabled) {
            let same_target = |new: &&ObjectMapping| new.enabled && new.target_object == old.target_object;
            let Some(new) = after.objects.iter().find(same_target) else { continue };
            let is_same = before.scope_rules() == after.scope_rules()
                && old.scoping == new.scoping
                && old.input_filters == new.input_filters
                && old.category_filters == new.category_filters;
            if is_same && reassigned.is_empty() {
                continue;
            }
            let ahead = Ahead {
                app,
                before: (before.scope_rules(), old),
                after: (after.scope_rules(), new),
                // Where a target cannot be written to, the change is refused.
                plans: before.plan(old).ok().zip(after.plan(new).ok()),
                application_has_soft_delete: template.has_soft_delete(old.target_object),
                reassigned: Arc::clone(&reassigned),
            };
            losses.extend(self.losses_of(&ahead, !is_same).await?);
        }
        Ok(losses)
    }

    async fn losses_of(&self, ahead: &Ahead<'_>, is_everybody: bool) -> Result<Vec<ScopeLoss>, JobError> {
        let (app, object, kind) = (ahead.app, ahead.after.1.target_object, kind_of(ahead.after.1.target_object));
        let Some(mut walk) = self.walk(ahead, kind, is_everybody).await? else {
            return Ok(vec![ScopeLoss { object, accounts: None, names: Vec::new(), fate: ahead.presumed_fate() }]);
        };
        let (needs, now) = (Arc::new(needs_of_both(ahead.before.1, ahead.after.1)), self.now());
        let mut found: BTreeMap<Fate, (u64, Vec<String>)> = BTreeMap::new();
        loop {
            let (needs, reassigned, mut going) = (Arc::clone(&needs), Arc::clone(&ahead.reassigned), walk);
            let read = self.store().scan(move |tx| {
                let subjects = going.next(tx, app, &needs, kind)?;
                Ok::<_, JobError>((with_afterwards(tx, app, subjects, &reassigned)?, going))
            });
            let (subjects, gone) = read.await?;
            walk = gone;
            for (subject, afterwards) in subjects {
                let label = subject.label();
                let Some(fate) = ahead.fate(self, subject, afterwards, now) else { continue };
                let (accounts, names) = found.entry(fate).or_default();
                *accounts += 1;
                if names.len() < NAMES_MAX {
                    names.push(label);
                }
            }
            if walk.is_over() {
                let loss = |(fate, (accounts, names))| ScopeLoss { object, accounts: Some(accounts), names, fate };
                return Ok(found.into_iter().map(loss).collect());
            }
        }
    }

    /// Whom to look at; `None` where those are too many.
    async fn walk(&self, ahead: &Ahead<'_>, kind: ObjectKind, is_everybody: bool) -> Result<Option<Walk>, JobError> {
        if is_everybody {
            let is_small = self.store().read(move |tx| count(tx, kind)).await? <= COUNTED_MAX as u64;
            return Ok(is_small.then_some(Walk::Everybody { after: None, is_over: false }));
        }
        let (app, reassigned) = (ahead.app, Arc::clone(&ahead.reassigned));
        let reached = self.store().scan(move |tx| reassigned.reached(tx, app, kind, COUNTED_MAX)).await?;
        Ok(reached.map(Walk::These))
    }
}

/// Objects that are looked at, page by page.
enum Walk {
    /// All of the directory, those behind an id.
    Everybody { after: Option<ObjectId>, is_over: bool },
    /// Those that are left of these.
    These(Vec<ObjectId>),
}

impl Walk {
    fn next(
        &mut self,
        tx: &mut ReadTx<'_>,
        app: AppId,
        needs: &JobNeeds,
        kind: ObjectKind,
    ) -> Result<Vec<Subject>, JobError> {
        match self {
            Self::Everybody { after, is_over } => {
                let subjects = page(tx, app, needs, kind, *after)?;
                *after = subjects.last().map(|subject| subject.id);
                *is_over = after.is_none();
                Ok(subjects)
            }
            Self::These(ids) => {
                let some: Vec<ObjectId> = ids.drain(..ids.len().min(PAGE as usize)).collect();
                some.into_iter().map(|id| Subject::load(tx, app, needs, kind, id)).collect()
            }
        }
    }

    const fn is_over(&self) -> bool {
        match self {
            Self::Everybody { is_over, .. } => *is_over,
            Self::These(ids) => ids.is_empty(),
        }
    }
}

/// Who has an account, each with what decides afterwards where that is something else.
fn with_afterwards(
    tx: &mut ReadTx<'_>,
    app: AppId,
    subjects: Vec<Subject>,
    reassigned: &Reassigned,
) -> Result<Vec<(Subject, Option<Afterwards>)>, JobError> {
    let linked = subjects.into_iter().filter(|subject| subject.link.is_some());
    linked
        .map(|subject| {
            let is_same = reassigned.is_empty();
            let afterwards = if is_same { None } else { Some(reassigned.afterwards(tx, app, &subject)?) };
            Ok((subject, afterwards))
        })
        .collect()
}

/// One mapping of a job as it is and as it would be.
struct Ahead<'a> {
    app: AppId,
    before: (ScopeRules, &'a ObjectMapping),
    after: (ScopeRules, &'a ObjectMapping),
    plans: Option<(ObjectPlan, ObjectPlan)>,
    application_has_soft_delete: bool,
    reassigned: Arc<Reassigned>,
}

impl Ahead<'_> {
    /// What becomes of the account of an object; `None` where nothing new does.
    fn fate(
        &self,
        engine: &Engine,
        mut subject: Subject,
        afterwards: Option<Afterwards>,
        now: jiff::Timestamp,
    ) -> Option<Fate> {
        let was = scope_of(self.before.0, self.before.1, &subject, now).ok()?;
        if let Some(Afterwards { entitlements, assigned }) = afterwards {
            (subject.entitlements, subject.assigned) = (entitlements, assigned);
        }
        let Scope::Out(why) = scope_of(self.after.0, self.after.1, &subject, now).ok()? else { return None };
        match was {
            Scope::Out(was) if was.ends_management() => None,
            _ if why.leaves_account() => Some(Fate::Unmanaged),
            Scope::Out(_) => None,
            Scope::In => Some(self.ending(engine, &subject, &why)),
        }
    }

    /// What a cycle would do about the account of who leaves the scope.
    fn ending(&self, engine: &Engine, subject: &Subject, why: &OutOfScope) -> Fate {
        let Some((before, after)) = &self.plans else { return Fate::Lost };
        let held = presumed_account(engine, before, subject);
        let because = match engine.parting(after, self.application_has_soft_delete, (subject, why), &held) {
            Ok(Action::Disable { differences, .. }) if differences.iter().all(switches_on) => self.does_not(),
            Ok(Action::Skip(reason) | Action::NoteLink { reason, .. }) => match reason {
                SkipReason::ActionDisabled(action) => format!("`flowTypes` lacks {action}"),
                SkipReason::Ignored => "a mapping leaves them out (`IgnoreObjectFlow`)".to_owned(),
                SkipReason::Kept(_) => self.why_kept(),
                SkipReason::OutOfScope(_) | SkipReason::RedundantExport | SkipReason::NoMatchingValue => {
                    self.does_not()
                }
            },
            Ok(_) => return Fate::Lost,
            Err(_) => "what would switch them off fails (`lockstep mapping test --update` tells why)".to_owned(),
        };
        Fate::Kept { because }
    }

    /// What becomes of whoever leaves the scope, as far as the mapping tells.
    fn presumed_fate(&self) -> Fate {
        let mapping = self.after.1;
        if ends_accounts(mapping, self.application_has_soft_delete) {
            return Fate::Lost;
        }
        let is_mapped = mapping.attributes.iter().any(switches_off);
        let because = match (is_mapped, has_soft_delete(mapping) || self.application_has_soft_delete) {
            (true, _) => "`flowTypes` lacks Update".to_owned(),
            (false, true) => self.why_kept(),
            (false, false) => "`flowTypes` lacks Delete".to_owned(),
        };
        Fate::Kept { because }
    }

    fn why_kept(&self) -> String {
        let mapping = self.after.1;
        if !has_soft_delete(mapping) {
            return "no mapping reads `IsSoftDeleted`".to_owned();
        }
        if mapping.attributes.iter().any(switches_off) {
            return format!("the mapping of {} gives them no value", self.switch());
        }
        format!("{} is written at creation only", self.switch())
    }

    fn does_not(&self) -> String {
        format!("the mapping of {} does not switch them off", self.switch())
    }

    /// The target attributes that are to switch accounts off.
    fn switch(&self) -> String {
        let reading = self.after.1.attributes.iter().filter(|one| reads_is_soft_deleted(one));
        reading.map(|one| format!("`{}`", one.target)).collect::<Vec<_>>().join(" and ")
    }
}

/// What the account of an object in scope is taken to hold: what the mappings gave it, and that it is switched on.
fn presumed_account(engine: &Engine, plan: &ObjectPlan, subject: &Subject) -> Map<String, Json> {
    let desired = engine
        .with_world_of(subject, false, |source, world| plan.desired(source, world, Operation::Create).ok())
        .flatten();
    let mut account = match desired {
        Some(Desired::Values(wishes)) => new_account(&wishes),
        Some(Desired::Ignored) | None => Map::new(),
    };
    account.entry(ACTIVE).or_insert(Json::Bool(true));
    account
}

/// Whether a change is no switching off but its opposite.
fn switches_on(difference: &Difference<'_>) -> bool {
    is_active_name(difference.path.text()) && difference.after == Some(Json::Bool(true))
}

/// What the filters of either mapping read beside an object.
fn needs_of_both(before: &ObjectMapping, after: &ObjectMapping) -> JobNeeds {
    let mut both = before.clone();
    both.scoping.0.extend(after.scoping.0.iter().cloned());
    both.input_filters.0.extend(after.input_filters.0.iter().cloned());
    both.category_filters.0.extend(after.category_filters.0.iter().cloned());
    // What switches accounts off may read more than filters do.
    both.attributes.extend(after.attributes.iter().cloned());
    JobNeeds::of_one(&both)
}

#[cfg(test)]
mod tests {
    use mapping::FlowType;

    use super::*;
    use crate::scope::ScopeSetting;

    fn loss(accounts: Option<u64>, names: &[&str], fate: Fate) -> String {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        ScopeLoss { object: ObjectType::Group, accounts, names, fate }.to_string()
    }

    #[test]
    fn one_is_told_as_one_and_many_by_their_first() {
        let kept = || Fate::Kept { because: "`flowTypes` lacks Delete".to_owned() };
        for (told, words) in [
            (loss(Some(1), &["A"], Fate::Lost), "1 group would leave the scope and lose the account: A"),
            (loss(Some(3), &["A", "B"], Fate::Lost), "3 groups would leave the scope and lose their accounts: A, B, …"),
            (
                loss(Some(2), &["A", "B"], kept()),
                "2 groups would leave the scope and keep their accounts, because `flowTypes` lacks Delete; they are A, B",
            ),
            (
                loss(Some(1), &["A"], Fate::Unmanaged),
                "1 account of groups would no longer be managed and stay as it is: A",
            ),
            (
                loss(None, &[], kept()),
                "who is in scope changes for groups, and they are too many to be counted here: whoever leaves the scope keeps the account, \
                 because `flowTypes` lacks Delete; lockstep filter test tells who is in it",
            ),
        ] {
            assert_eq!(told, words);
        }
    }

    #[test]
    fn of_many_the_mapping_tells_what_becomes_of_them() {
        type Change = fn(&mut ObjectMapping);
        let cases: [(Change, ObjectType, Option<&str>); 6] = [
            (|_| {}, ObjectType::User, None),
            (|users| users.flow_types.update = false, ObjectType::User, Some("`flowTypes` lacks Update")),
            (
                |users| users.attributes.retain(|one| !reads_is_soft_deleted(one)),
                ObjectType::User,
                Some("no mapping reads `IsSoftDeleted`"),
            ),
            (
                |users| users.attributes.iter_mut().for_each(|one| one.flow_type = FlowType::ObjectAddOnly),
                ObjectType::User,
                Some("`active` is written at creation only"),
            ),
            (|_| {}, ObjectType::Group, None),
            (|groups| groups.flow_types.delete = false, ObjectType::Group, Some("`flowTypes` lacks Delete")),
        ];
        for (change, object, because) in cases {
            let template = Template::by_name("scim").unwrap();
            let mut mapping = template.objects.iter().find(|one| one.target_object == object).unwrap().clone();
            change(&mut mapping);
            let rules = ScopeRules { scope: ScopeSetting::All, exclude_default_access: false };
            let ahead = Ahead {
                app: AppId::new(uuid::Uuid::nil()),
                before: (rules, &mapping),
                after: (rules, &mapping),
                plans: None,
                application_has_soft_delete: template.has_soft_delete(object),
                reassigned: Arc::default(),
            };
            let fate = because.map_or(Fate::Lost, |because| Fate::Kept { because: because.to_owned() });
            assert_eq!(ahead.presumed_fate(), fate);
        }
    }
}
