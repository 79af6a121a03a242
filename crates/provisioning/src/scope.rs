//! Who is in scope: the assignment test, the state of the source object, the scoping filter, each with its reason.

use directory::{DEFAULT_ACCESS, Group, User};
use jiff::Timestamp;
use mapping::{ObjectMapping, Source, Undecided};
use serde::{Deserialize, Serialize};
use store::applications::EntitlementRecord;

/// Which objects are candidates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ScopeSetting {
    /// Only assigned users and groups.
    #[default]
    Assigned,
    /// All users and groups.
    All,
}

/// Whether an object is to have an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// It is.
    In,
    /// It is not.
    Out(OutOfScope),
}

impl Scope {
    /// Why the object is not to have one, in the words of the provisioning log.
    pub fn out_because(&self) -> Option<String> {
        match self {
            Self::In => None,
            Self::Out(reason) => Some(reason.reason()),
        }
    }
}

/// Why an object is out of scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutOfScope {
    /// The input filters pass it over; the clauses that failed. Whatever account it has stays as it is.
    PassedOver(Vec<String>),
    /// The category filters say that it is not for this mapping; the clauses that failed. Whatever account it has stays as it is.
    AnotherCategory(Vec<String>),
    /// Neither it nor one of its groups is assigned to the application.
    NotAssigned,
    /// It is assigned only with the role *Default Access*, which this job leaves out.
    DefaultAccessOnly,
    /// Scoping filters exclude it; the clauses that failed.
    Filtered(Vec<String>),
    /// `accountEnabled` is false.
    Disabled,
    /// It is in the recycle bin.
    SoftDeleted,
    /// It is gone from the directory.
    HardDeleted,
}

impl OutOfScope {
    /// Whether the object is no longer managed once it has been switched off (rows 1 and 4 of the deprovisioning
    /// table). A disabled or soft-deleted user stays managed (rows 6 and 8).
    pub const fn ends_management(&self) -> bool {
        match self {
            Self::PassedOver(_)
            | Self::AnotherCategory(_)
            | Self::NotAssigned
            | Self::DefaultAccessOnly
            | Self::Filtered(_) => true,
            Self::Disabled | Self::SoftDeleted | Self::HardDeleted => false,
        }
    }

    /// Whether the object is none of this mapping's business: its account is never switched off or deleted.
    pub const fn leaves_account(&self) -> bool {
        matches!(self, Self::PassedOver(_) | Self::AnotherCategory(_))
    }

    /// The skip reason in the words of the provisioning log.
    pub fn reason(&self) -> String {
        match self {
            Self::PassedOver(clauses) => {
                format!(
                    "ImportSkipped: the input filters pass it over, and its account is left as it is: {}",
                    clauses.join("; ")
                )
            }
            Self::AnotherCategory(clauses) => format!(
                "NotInCategory: the category filters leave it to another mapping, and its account is left as it is: {}",
                clauses.join("; ")
            ),
            Self::NotAssigned => "NotEffectivelyEntitled: not assigned to the application".to_owned(),
            Self::DefaultAccessOnly => "NotEffectivelyEntitled: assigned with Default Access only".to_owned(),
            Self::Filtered(clauses) => format!("NotInScope: {}", clauses.join("; ")),
            Self::Disabled => "NotActive: accountEnabled is false".to_owned(),
            Self::SoftDeleted => "NotActive: soft-deleted".to_owned(),
            Self::HardDeleted => "NotActive: deleted from the directory".to_owned(),
        }
    }
}

/// The facts of a job that decide about scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeRules {
    /// Which objects are candidates.
    pub scope: ScopeSetting,
    /// Whether *Default Access* counts for nothing.
    pub exclude_default_access: bool,
}

/// Whether the filters that come before everything else leave the object to itself, and why.
fn left_alone(mapping: &ObjectMapping, source: &dyn Source, now: Timestamp) -> Result<Option<Scope>, Undecided> {
    let read = mapping.input_filters.evaluate(source, now)?;
    if !read.in_scope {
        return Ok(Some(Scope::Out(OutOfScope::PassedOver(read.failed))));
    }
    let category = mapping.category_filters.evaluate(source, now)?;
    Ok((!category.in_scope).then_some(Scope::Out(OutOfScope::AnotherCategory(category.failed))))
}

/// Decides about a user. Input and category filters come before everything else, then assignment, then scoping filters: whoever fails one of
/// those is no longer managed, disabled or not. Who is disabled or deleted is out also where the scoping filters cannot be decided.
pub fn scope_of_user(
    rules: ScopeRules,
    mapping: &ObjectMapping,
    user: &User,
    entitlements: &[EntitlementRecord],
    source: &dyn Source,
    now: Timestamp,
) -> Result<Scope, Undecided> {
    if let Some(out) = left_alone(mapping, source, now)? {
        return Ok(out);
    }
    if rules.scope == ScopeSetting::Assigned {
        if entitlements.is_empty() {
            return Ok(Scope::Out(OutOfScope::NotAssigned));
        }
        if rules.exclude_default_access
            && entitlements.iter().all(|entitlement| entitlement.role.value == DEFAULT_ACCESS)
        {
            return Ok(Scope::Out(OutOfScope::DefaultAccessOnly));
        }
    }
    let inactive = match (&user.deleted, user.account_enabled) {
        (Some(_), _) => Some(OutOfScope::SoftDeleted),
        (None, false) => Some(OutOfScope::Disabled),
        (None, true) => None,
    };
    filtered(mapping, inactive, source, now)
}

/// What the scoping filters make of a candidate that may be inactive. Whose filters cannot be decided must not keep an account that is
/// to be switched off whatever they say.
fn filtered(
    mapping: &ObjectMapping,
    inactive: Option<OutOfScope>,
    source: &dyn Source,
    now: Timestamp,
) -> Result<Scope, Undecided> {
    match (mapping.scoping.evaluate(source, now), inactive) {
        (Ok(verdict), _) if !verdict.in_scope => Ok(Scope::Out(OutOfScope::Filtered(verdict.failed))),
        (_, Some(inactive)) => Ok(Scope::Out(inactive)),
        (verdict, None) => verdict.map(|_| Scope::In),
    }
}

/// Decides about a group. With scope *assigned* the group itself must be assigned; only security-enabled groups count.
pub fn scope_of_group(
    rules: ScopeRules,
    mapping: &ObjectMapping,
    group: &Group,
    assigned: bool,
    source: &dyn Source,
    now: Timestamp,
) -> Result<Scope, Undecided> {
    if let Some(out) = left_alone(mapping, source, now)? {
        return Ok(out);
    }
    if rules.scope == ScopeSetting::Assigned && !(assigned && group.security_enabled) {
        return Ok(Scope::Out(OutOfScope::NotAssigned));
    }
    filtered(mapping, group.deleted.is_some().then_some(OutOfScope::SoftDeleted), source, now)
}
