//! What the mappings and rules of a job make of one object: scope, the values by which its account is found, what the
//! account should hold. Nothing is sent from here.

use jiff::Timestamp;
use mapping::{ObjectMapping, Operation, ScopingFilters, Undecided, World};
use serde_json::{Map, Value};
use store::links::{LinkRecord, LinkState};

use super::context::{Cycle, Trust};
use super::note::REFERENCE_REFUSED;
use super::subject::Subject;
use crate::object_plan::{
    Desired, Difference, Failure, MatchValue, ObjectPlan, Wish, differences, fingerprint, hidden_part,
    with_hidden_part_of,
};
use crate::plan::{Known, Leaving, is_quiet, is_settled};
use crate::redaction::Redacted;
use crate::scope::{OutOfScope, Scope, ScopeRules, scope_of_group, scope_of_user};
use crate::surroundings::{GROUPS_MAX, MEMBER_OF, TRANSITIVE_MEMBER_OF};
use crate::target_path::TargetPath;

/// The bit of a stored fingerprint that tells that this job has written a manager to the account: so it can be taken back
/// also when the manager's own account is forgotten.
pub(super) const MANAGER_WRITTEN: i64 = 1;

/// Whether an export has written a manager.
pub(super) const fn wrote_manager(exported: i64) -> bool {
    exported & MANAGER_WRITTEN != 0
}

/// What is kept of an export when nobody knows which values the account holds that its target never tells.
pub(super) const fn remnant(exported: i64) -> i64 {
    exported & MANAGER_WRITTEN
}

/// What is kept of an export when the account is not known to hold what is wanted, but for what the target never tells: that was not
/// written since.
pub(super) const fn hidden_remnant(exported: i64) -> i64 {
    with_hidden_part_of(exported, remnant(exported))
}

/// What is wanted of an object's account.
pub(super) struct Evaluation<'p> {
    pub(super) plan: &'p ObjectPlan,
    pub(super) scope: Scope,
    /// Where the account is looked for, in this order.
    pub(super) matches: Vec<MatchValue<'p>>,
    /// What the account should hold: in scope everything, out of scope what follows from `IsSoftDeleted`.
    pub(super) wishes: Vec<Wish<'p>>,
    /// A mapping says to leave the object out.
    pub(super) ignored: bool,
    pub(super) fingerprint: i64,
}

impl Evaluation<'_> {
    /// Whether accounts are found by this attribute.
    pub(super) fn looks_for(&self, path: &TargetPath) -> bool {
        self.matches.iter().any(|wanted| wanted.path.text() == path.text())
    }

    /// The fingerprint of what is wanted, if the manager had this id at the target.
    pub(super) fn fingerprint_with(&self, subject: &Subject, manager_target: Option<&str>) -> i64 {
        // Where no mapping writes managers, another one changes nothing.
        let manager = subject.user.as_ref().and_then(|user| user.manager);
        let manager = manager.filter(|_| self.plan.reference("manager").is_some());
        let references = manager.map(|id| format!("{id} {}", manager_target.unwrap_or_default()));
        let wrote = subject.link.as_ref().and_then(|link| link.exported).is_some_and(wrote_manager);
        let writes = manager.is_some() && (wrote || manager_target.is_some());
        let digest = fingerprint(&self.wishes, references.as_slice());
        (digest & !MANAGER_WRITTEN) | if writes { MANAGER_WRITTEN } else { 0 }
    }
}

impl Cycle {
    /// Runs something with the world that expressions may ask.
    fn with_world<T>(&self, with: impl FnOnce(&World<'_>) -> T) -> T {
        let random = |bytes: &mut [u8]| (self.engine.0.random)(bytes);
        with(&World { now: self.engine.now(), default_domain: self.engine.default_domain(), random: &random })
    }

    pub(super) fn scope_of(&self, plan: &ObjectPlan, subject: &Subject) -> Result<Scope, Failure> {
        let (rules, now) = (self.settings.scope_rules(), self.engine.now());
        if !subject.around.is_in_too_many_groups() {
            return scope_of(rules, &plan.mapping, subject, now).map_err(|undecided| undecided_scope(&undecided));
        }
        let first = [&plan.mapping.input_filters, &plan.mapping.category_filters];
        if first.into_iter().any(asks_for_memberships) {
            return Err(too_many_groups());
        }
        // Who is out whatever the scoping filters say is out although they cannot be asked.
        let mapping = ObjectMapping { scoping: ScopingFilters::default(), ..plan.mapping.clone() };
        match scope_of(rules, &mapping, subject, now).map_err(|undecided| undecided_scope(&undecided))? {
            Scope::In => Err(too_many_groups()),
            out @ Scope::Out(_) => Ok(out),
        }
    }

    /// Evaluates an object; one that is out of scope only where something may be done about its account.
    pub(super) fn evaluate<'p>(&self, plan: &'p ObjectPlan, subject: &Subject) -> Result<Evaluation<'p>, Failure> {
        let scope = self.scope_of(plan, subject)?;
        let is_out = scope != Scope::In;
        let mut evaluation =
            Evaluation { plan, scope, matches: Vec::new(), wishes: Vec::new(), ignored: false, fingerprint: 0 };
        if matches!(&evaluation.scope, Scope::Out(why) if !may_be_ended(why, subject.link.as_ref())) {
            return Ok(evaluation);
        }
        let evaluated = subject.with_source(is_out, |source| {
            self.with_world(|world| {
                let matches = plan.match_values(source, world);
                let desired = if is_out {
                    // The account of who leaves is known, and switching it off waits for no mapping that does not do it.
                    evaluation.matches = matches.unwrap_or_default();
                    plan.disabling(source, world)?
                } else {
                    evaluation.matches = matches?;
                    plan.desired(source, world, Operation::Update)?
                };
                match desired {
                    Desired::Values(wishes) => evaluation.wishes = wishes,
                    Desired::Ignored => evaluation.ignored = true,
                }
                Ok(())
            })
        });
        evaluated.transpose()?;
        evaluation.fingerprint = evaluation.fingerprint_with(subject, subject.manager_target.as_deref());
        Ok(evaluation)
    }

    /// What a new account should hold: defaults apply, required attributes must have a value.
    pub(super) fn desired_of_new<'p>(&self, plan: &'p ObjectPlan, subject: &Subject) -> Result<Desired<'p>, Failure> {
        let desired = subject
            .with_source(false, |source| self.with_world(|world| plan.desired(source, world, Operation::Create)));
        // An object that is gone is not in scope: nothing is made for it.
        Ok(desired.transpose()?.unwrap_or(Desired::Ignored))
    }

    /// A failure as it may be told: a target may repeat in its answer what it holds, was asked for, or was sent. What is
    /// made by chance is another each time, and is hidden where it was sent.
    pub(super) fn told(&self, subject: &Subject, failure: &Failure) -> Failure {
        let Some(plan) = self.plan_of(subject.kind).filter(|plan| !plan.secrets().is_empty()) else {
            return failure.clone();
        };
        let redacted = subject.with_source(false, |source| {
            self.with_world(|world| {
                let mut wishes = Vec::new();
                for operation in [Operation::Update, Operation::Create] {
                    if let Ok(Desired::Values(values)) = plan.desired(source, world, operation) {
                        wishes.extend(values);
                    }
                }
                let sent = Redacted::of(&wishes, &plan.match_values(source, world).unwrap_or_default());
                sent.and(plan.secrets().texts(source, world))
            })
        });
        redacted.map_or_else(|| failure.clone(), |redacted| redacted.hide_in(failure))
    }

    /// What is known before the target is asked.
    pub(super) fn known<'s>(
        &self,
        plan: &ObjectPlan,
        subject: &'s Subject,
        evaluation: &'s Evaluation<'_>,
    ) -> Known<'s> {
        let link = subject.link.as_ref();
        // A name that the target refuses to give twice protects from a create that arrives late only as long as it is
        // that name that would be sent again.
        let renamed = link.is_some_and(|link| subject.exists() && link.match_key != match_key(&evaluation.matches));
        let refuses_duplicates = self.facts.refuses_duplicates(subject.object()) && !renamed;
        let (window, now) = (self.settings.settle_window(), self.engine.now());
        // What a look that failed was to find out is still to be found out.
        let failed = subject.escrow.as_ref().is_some_and(|escrow| escrow.code != REFERENCE_REFUSED);
        Known {
            scope: &evaluation.scope,
            link,
            leaving: match &evaluation.scope {
                Scope::Out(why) if why.leaves_account() => Leaving::Kept,
                Scope::Out(_) => leaving_by(self.leaving_of(subject.kind), &evaluation.wishes),
                Scope::In => self.leaving_of(subject.kind),
            },
            allowed: plan.mapping.flow_types,
            unchanged: self.trust == Trust::Exports
                && !failed
                && link.is_some_and(|link| {
                    link.state == LinkState::Linked && !link.kept && link.exported == Some(evaluation.fingerprint)
                }),
            settled: link.is_none_or(|link| is_settled(link, refuses_duplicates, window, now)),
            quiet: link.is_none_or(|link| is_quiet(link, window, now)),
        }
    }

    /// How an account differs from what is wanted, its manager included where that can be written already. `ours` tells
    /// whether an id at the target belongs to an object that this job manages.
    pub(super) fn differences_of<'p>(
        plan: &'p ObjectPlan,
        subject: &Subject,
        evaluation: &Evaluation<'p>,
        held: &Map<String, Value>,
        ours: bool,
    ) -> Vec<Difference<'p>> {
        let mut wishes = evaluation.wishes.clone();
        // What the target never tells is written again when the source gives something else, and not because it is not seen.
        let exported = subject.link.as_ref().and_then(|link| link.exported);
        if exported.is_some_and(|exported| hidden_part(exported) == hidden_part(evaluation.fingerprint)) {
            wishes.retain(|wish| !wish.path.is_write_only() || wish.always);
        }
        let mut found = differences(wishes, held);
        if evaluation.scope == Scope::In
            && let Some(path) = plan.reference("manager")
        {
            found.extend(manager_difference(path, subject, held, ours));
        }
        found
    }
}

/// Whether something may be done about the account of an object that is out of scope: not where it never had one, is left alone, or was
/// let go when its account was switched off.
pub(super) fn may_be_ended(why: &OutOfScope, link: Option<&LinkRecord>) -> bool {
    !why.leaves_account() && link.is_some_and(|link| link.state != LinkState::Released)
}

/// What becomes of an account, where these are the values that are to switch it off. A mapping that gives none, because it applies at
/// creation only or leaves the attribute out, switches nothing off.
pub(super) const fn leaving_by(leaving: Leaving, disabling: &[Wish<'_>]) -> Leaving {
    match leaving {
        Leaving::SwitchedOff if disabling.is_empty() => Leaving::Kept,
        _ => leaving,
    }
}

fn asks_for_memberships(filters: &ScopingFilters) -> bool {
    let clauses = || filters.0.iter().flat_map(|group| &group.clauses);
    clauses().any(|clause| [MEMBER_OF, TRANSITIVE_MEMBER_OF].contains(&clause.reads()))
}

fn too_many_groups() -> Failure {
    let reason = format!("it is in more than {GROUPS_MAX} groups, so filters cannot ask for its memberships");
    Failure { code: "ScopingFilterEvaluation", reason }
}

/// Whether an object is to have an account.
pub(super) fn scope_of(
    rules: ScopeRules,
    mapping: &ObjectMapping,
    subject: &Subject,
    now: Timestamp,
) -> Result<Scope, Undecided> {
    let scope = subject.with_source(false, |source| match (&subject.user, &subject.group) {
        (Some(user), _) => scope_of_user(rules, mapping, user, &subject.entitlements, source, now),
        (None, Some(group)) => scope_of_group(rules, mapping, group, subject.assigned, source, now),
        (None, None) => Ok(Scope::Out(OutOfScope::HardDeleted)),
    });
    Ok(scope.transpose()?.unwrap_or(Scope::Out(OutOfScope::HardDeleted)))
}

fn undecided_scope(undecided: &Undecided) -> Failure {
    Failure { code: "ScopingFilterEvaluation", reason: undecided.to_string() }
}

/// The look-up by which an account is found again, as it is kept with the link.
pub(super) fn match_key(matches: &[MatchValue<'_>]) -> String {
    let pairs: Vec<(&str, &str)> = matches.iter().map(|wanted| (wanted.path.text(), wanted.value.as_str())).collect();
    pairs.into_iter().map(|(path, value)| Value::from(vec![path, value])).collect::<Value>().to_string()
}

/// The id that an account holds as its manager.
pub(super) fn held_manager(path: &TargetPath, held: &Map<String, Value>) -> Option<String> {
    match path.read(held)? {
        Value::String(id) => Some(id.clone()),
        Value::Object(object) => object.get("value").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    }
}

fn manager_difference<'p>(
    path: &'p TargetPath,
    subject: &Subject,
    held: &Map<String, Value>,
    ours: bool,
) -> Option<Difference<'p>> {
    let before = held_manager(path, held);
    let has_manager = subject.user.as_ref().is_some_and(|user| user.manager.is_some());
    let after = match &subject.manager_target {
        Some(wanted) if before.as_ref() == Some(wanted) => return None,
        Some(wanted) => Some(wanted.as_str()),
        // No manager any more: what this job wrote is taken back, anything else is not ours.
        None if !has_manager && before.is_some() && ours => None,
        // The manager has no account yet: the reference waits.
        None => return None,
    };
    Some(Difference::of_reference(path, before, after))
}
