//! Decides what a cycle does about one object. Pure: no clock, no network, no database. What talks to the target lives
//! in `cycle`; what is sent is written by `dialect`.

use jiff::{SignedDuration, Timestamp};
use mapping::FlowTypes;
use store::links::{LinkRecord, LinkState};

use crate::object_plan::{Desired, Difference, Failure, Wish};
use crate::scope::{OutOfScope, Scope};

/// What is known about an object before the target is asked.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Whether it is to have an account.
    pub scope: &'a Scope,
    /// Its link, if it has one.
    pub link: Option<&'a LinkRecord>,
    /// What becomes of its account when it leaves the scope.
    pub leaving: Leaving,
    /// Which writes the job may make.
    pub allowed: FlowTypes,
    /// Whether what was exported last is what is wanted now, and that may be relied on (an incremental cycle).
    pub unchanged: bool,
    /// Whether a create of unknown outcome may be sent again when the account is not found.
    pub settled: bool,
    /// Whether so much time has passed since the last write that none can be on its way any more. Only then does an
    /// account that is not found not exist.
    pub quiet: bool,
}

/// What becomes of the account of an object that leaves the scope and is not gone for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// A mapping that reads `IsSoftDeleted` switches it off.
    SwitchedOff,
    /// It stays as it is: the application can switch accounts off, and no mapping of the job does.
    Kept,
    /// It is deleted: the application cannot switch accounts off (row 13 of the deprovisioning table).
    Deleted,
}

/// What must be read from the target before the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// Nothing.
    Nothing,
    /// The account with the linked id.
    ById,
    /// Accounts with the matching value.
    ByMatch,
}

/// What the target was found to hold.
#[derive(Clone, Debug)]
pub enum Found<'p> {
    /// It was not asked.
    NotAsked,
    /// No such account.
    Absent,
    /// The account, with what would have to change about it.
    Account {
        /// Its id.
        target_id: String,
        /// How it differs from what is wanted.
        differences: Vec<Difference<'p>>,
    },
}

/// Why nothing is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// Out of scope and never provisioned, or already switched off.
    OutOfScope(OutOfScope),
    /// Both sides are equal.
    RedundantExport,
    /// The job may not create, update or delete.
    ActionDisabled(&'static str),
    /// A mapping says to leave the object out.
    Ignored,
    /// No matching attribute has a value, so nobody knows which account is the object's.
    NoMatchingValue,
    /// Out of scope, and its account stays as it is: no mapping switches accounts off, or it is none of the mapping's business.
    Kept(OutOfScope),
}

/// What is done about an object.
#[derive(Clone, Debug)]
pub enum Action<'p> {
    /// A new account.
    Create(Vec<Wish<'p>>),
    /// Changes to an account, linked or just matched.
    Update(Vec<Difference<'p>>),
    /// Switching off. `release`: the object is no longer managed afterwards.
    Disable {
        /// The changes.
        differences: Vec<Difference<'p>>,
        /// Whether the object is no longer managed afterwards.
        release: bool,
    },
    /// Removal of the account.
    Delete,
    /// Nothing is sent, but the link is written down as it is now known: adopted, released.
    NoteLink {
        /// The state of the link from now on.
        state: LinkState,
        /// Why nothing is sent.
        reason: SkipReason,
    },
    /// Nothing is sent, and the link is dropped: the account is gone, or is no longer ours.
    Forget,
    /// The linked account is gone, or cannot be seen yet: the object is matched anew.
    Rematch,
    /// Nothing.
    Skip(SkipReason),
    /// A create of unknown outcome: nothing before its window has passed.
    Wait,
}

/// What must be read from the target to decide about an object.
pub fn lookup(known: Known<'_>) -> Lookup {
    let state = known.link.map(|link| link.state);
    match (known.scope, state) {
        (_, Some(LinkState::Creating)) | (Scope::In, None) => Lookup::ByMatch,
        (Scope::In, Some(LinkState::Linked)) if known.unchanged => Lookup::Nothing,
        (Scope::In, Some(_)) => Lookup::ById,
        (Scope::Out(why), Some(LinkState::LeftAlone | LinkState::LeftActive)) if why.leaves_account() => {
            Lookup::Nothing
        }
        (
            Scope::Out(why),
            Some(
                state @ (LinkState::Linked
                | LinkState::Verify
                | LinkState::Deleting
                | LinkState::LeftAlone
                | LinkState::LeftActive),
            ),
        ) if *why != OutOfScope::HardDeleted => match known.leaving {
            Leaving::SwitchedOff => Lookup::ById,
            Leaving::Kept if !matches!(state, LinkState::Linked | LinkState::LeftActive) => Lookup::ById,
            Leaving::Kept | Leaving::Deleted => Lookup::Nothing,
        },
        (Scope::Out(_), _) => Lookup::Nothing,
    }
}

/// Decides about an object in scope. `new` is what a new account would hold.
pub fn decide_in_scope<'p>(known: Known<'_>, found: Found<'p>, new: Desired<'p>) -> Action<'p> {
    let state = known.link.map(|link| link.state);
    match found {
        Found::NotAsked => Action::Skip(SkipReason::RedundantExport),
        Found::Absent => match state {
            Some(LinkState::Creating) if !known.settled => Action::Wait,
            None | Some(LinkState::Creating) if known.allowed.create => match new {
                Desired::Values(wishes) => Action::Create(wishes),
                Desired::Ignored => Action::Skip(SkipReason::Ignored),
            },
            None => Action::Skip(SkipReason::ActionDisabled("Create")),
            Some(LinkState::Creating) if !known.quiet => Action::Wait,
            // Nothing can arrive any more, and nothing is made anew.
            Some(LinkState::Creating) => Action::Forget,
            Some(
                LinkState::Linked
                | LinkState::Verify
                | LinkState::Deleting
                | LinkState::Released
                | LinkState::LeftAlone
                | LinkState::LeftActive,
            ) => Action::Rematch,
        },
        Found::Account { differences, .. } if differences.is_empty() => {
            Action::NoteLink { state: LinkState::Linked, reason: SkipReason::RedundantExport }
        }
        Found::Account { .. } if !known.allowed.update => {
            Action::NoteLink { state: LinkState::Linked, reason: SkipReason::ActionDisabled("Update") }
        }
        Found::Account { differences, .. } => Action::Update(differences),
    }
}

/// Decides about an object out of scope: the deprovisioning table.
pub fn decide_out_of_scope<'p>(known: Known<'_>, why: &OutOfScope, found: Found<'p>) -> Action<'p> {
    let Some(link) = known.link else { return Action::Skip(SkipReason::OutOfScope(why.clone())) };
    let hard_deleted = *why == OutOfScope::HardDeleted;
    match (link.state, &found) {
        (LinkState::Released | LinkState::LeftAlone | LinkState::LeftActive, _) if hard_deleted => {
            return Action::Forget;
        }
        (LinkState::LeftAlone | LinkState::LeftActive, _) if why.leaves_account() => {
            let reason = SkipReason::Kept(why.clone());
            // That it stays is no longer because nothing switches it off.
            return if link.kept { Action::NoteLink { state: link.state, reason } } else { Action::Skip(reason) };
        }
        (LinkState::Released, _) => return Action::Skip(SkipReason::OutOfScope(why.clone())),
        // Who refuses duplicates makes it safe to send a create again, but not to forget one that may still arrive.
        (LinkState::Creating, Found::Absent) if !known.quiet => return Action::Wait,
        (_, Found::Absent) if !known.quiet => return Action::Rematch,
        (_, Found::Absent) => return Action::Forget,
        (
            LinkState::Creating
            | LinkState::Linked
            | LinkState::Verify
            | LinkState::Deleting
            | LinkState::LeftAlone
            | LinkState::LeftActive,
            _,
        ) => {}
    }
    // An account that stays is counted for as long as it does. What is written down so already is not written down again.
    let stay = |state, reason: SkipReason| {
        let is_noted = link.state == state && link.kept == reason.keeps_account();
        if is_noted { Action::Skip(reason) } else { Action::NoteLink { state, reason } }
    };
    if hard_deleted || known.leaving == Leaving::Deleted {
        let managed = if link.state.is_open() { LinkState::Linked } else { link.state };
        return match (known.allowed.delete, hard_deleted) {
            (true, _) => Action::Delete,
            (false, true) => Action::Forget,
            (false, false) => stay(managed, SkipReason::ActionDisabled("Delete")),
        };
    }
    let release = why.ends_management();
    let state = match why {
        _ if why.leaves_account() => LinkState::LeftAlone,
        _ if release => LinkState::Released,
        _ => LinkState::Linked,
    };
    // Who is let go while nothing switches the account off is remembered: it is made up for as soon as something does.
    let left = if state == LinkState::Released { LinkState::LeftActive } else { state };
    match found {
        _ if known.leaving == Leaving::Kept => stay(left, SkipReason::Kept(why.clone())),
        Found::Account { differences, .. } if differences.is_empty() => {
            Action::NoteLink { state, reason: SkipReason::OutOfScope(why.clone()) }
        }
        // Rows 3, 7 and 9: without Update nothing is switched off.
        Found::Account { .. } if !known.allowed.update => stay(left, SkipReason::ActionDisabled("Update")),
        Found::Account { differences, .. } => Action::Disable { differences, release },
        Found::NotAsked | Found::Absent => Action::Skip(SkipReason::OutOfScope(why.clone())),
    }
}

/// Whether a create of unknown outcome may be sent again. A target that refuses a second account of the same name makes
/// that safe at once; otherwise the settle window must have passed, after which a request that was on its way is taken
/// to have been carried out or lost.
pub fn is_settled(link: &LinkRecord, target_refuses_duplicates: bool, window: SignedDuration, now: Timestamp) -> bool {
    target_refuses_duplicates || is_quiet(link, window, now)
}

/// Whether the settle window has passed since the last write about an object.
pub fn is_quiet(link: &LinkRecord, window: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(link.at) >= window
}

/// When a failed object is tried again: in the next cycle at first, then 6, 12 and 24 hours after the first failure, then daily.
/// Attempts beside those, such as the ones after a change of the object, put none of them off.
pub fn next_attempt(first_failed: Timestamp, attempts: i64, now: Timestamp) -> Timestamp {
    if attempts <= 1 {
        return now;
    }
    let hours = match now.duration_since(first_failed).as_hours() {
        ..6 => 6,
        6..12 => 12,
        passed => (passed / 24 + 1) * 24,
    };
    first_failed + SignedDuration::from_hours(hours)
}

/// How long a failed object is kept for another attempt.
pub const ESCROW_DAYS: i64 = 28;

impl SkipReason {
    /// Whether an account of whoever is out of scope stays as it is because nothing may switch it off or remove it.
    pub const fn keeps_account(&self) -> bool {
        match self {
            Self::Kept(why) => !why.leaves_account(),
            Self::ActionDisabled(_) => true,
            Self::OutOfScope(_) | Self::RedundantExport | Self::Ignored | Self::NoMatchingValue => false,
        }
    }

    /// The reason in the words of the provisioning log.
    pub fn text(&self) -> String {
        match self {
            Self::OutOfScope(why) => why.reason(),
            Self::Kept(why) if why.leaves_account() => why.reason(),
            Self::RedundantExport => "RedundantExport".to_owned(),
            Self::ActionDisabled(action) => format!("ActionDisabled: the job does not allow {action}"),
            Self::Kept(why) => {
                format!("{}; no mapping of IsSoftDeleted switches the account off, so it stays as it is", why.reason())
            }
            Self::Ignored => "IgnoreObjectFlow: a mapping leaves the object out".to_owned(),
            Self::NoMatchingValue => {
                "ImportSkipped: the object has no value for any matching attribute; fill the source attribute"
                    .to_owned()
            }
        }
    }
}

/// A failure that more than one target object matches.
pub fn duplicate_target_entries(count: usize) -> Failure {
    let reason = format!("{count} objects of the target match; remove the surplus ones or match by another attribute");
    Failure { code: "DuplicateTargetEntries", reason }
}

#[cfg(test)]
mod tests;
