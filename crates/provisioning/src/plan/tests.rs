//! The deprovisioning table and the life of a link, as tables.

use super::*;
use store::{ObjectId, ObjectKind};

fn link(state: LinkState) -> LinkRecord {
    LinkRecord {
        kind: ObjectKind::User,
        source_id: ObjectId::new(store::version_7(Timestamp::UNIX_EPOCH, [1; 10])),
        target_id: Some("t1".into()),
        state,
        attempt: 1,
        at: Timestamp::UNIX_EPOCH,
        fence: 1,
        match_key: "[]".into(),
        label: "Ada".into(),
        exported: None,
        kept: state == LinkState::LeftActive,
    }
}

/// What is decided, in short: `differs` tells whether the account, if it exists, differs from what is wanted.
fn decide(
    scope: &Scope,
    state: Option<LinkState>,
    exists: bool,
    differs: bool,
    leaving: Leaving,
    settled: bool,
) -> String {
    decide_allowed(scope, state, (exists, differs), leaving, settled, FlowTypes::default())
}

/// The same where not every write is allowed.
fn decide_allowed(
    scope: &Scope,
    state: Option<LinkState>,
    (exists, differs): (bool, bool),
    leaving: Leaving,
    settled: bool,
    allowed: FlowTypes,
) -> String {
    let link = state.map(link);
    let known = Known { scope, link: link.as_ref(), leaving, allowed, unchanged: false, settled, quiet: settled };
    let path = crate::target_path::TargetPath::parse("active", mapping::ObjectType::User).unwrap();
    let difference = Difference {
        path: &path,
        before: None,
        after: Some(false.into()),
        redacted: false,
        joins: false,
        needs_element: false,
        roles: None,
    };
    let found = match (lookup(known), exists) {
        (Lookup::Nothing, _) => Found::NotAsked,
        (_, false) => Found::Absent,
        (_, true) => {
            Found::Account { target_id: "t1".into(), differences: if differs { vec![difference] } else { vec![] } }
        }
    };
    match match scope {
        Scope::In => decide_in_scope(known, found, Desired::Values(Vec::new())),
        Scope::Out(why) => decide_out_of_scope(known, why, found),
    } {
        Action::Create(_) => "create".into(),
        Action::Update(_) => "update".into(),
        Action::Disable { release, .. } => format!("disable{}", if release { ", release" } else { "" }),
        Action::Delete => "delete".into(),
        Action::NoteLink { state, .. } => format!("note {state:?}"),
        Action::Forget => "forget".into(),
        Action::Rematch => "rematch".into(),
        Action::Skip(_) => "skip".into(),
        Action::Wait => "wait".into(),
    }
}

#[test]
fn the_deprovisioning_table() {
    use Leaving::{Deleted, Kept, SwitchedOff};
    use LinkState::{Creating, Deleting, LeftActive, LeftAlone, Linked, Released, Verify};
    let out = Scope::Out;
    let (passed, another) = (OutOfScope::PassedOver(vec![]), OutOfScope::AnotherCategory(vec![]));
    let cases = [
        // row, why, link, what leavers' accounts become -> what is done
        ("1", out(OutOfScope::NotAssigned), Some(Linked), SwitchedOff, "disable, release"),
        ("3", out(OutOfScope::NotAssigned), Some(Linked), Kept, "note LeftActive"),
        ("3", out(OutOfScope::DefaultAccessOnly), Some(Linked), Kept, "note LeftActive"),
        ("4", out(OutOfScope::Filtered(vec![])), Some(Linked), SwitchedOff, "disable, release"),
        ("4 without mapping", out(OutOfScope::Filtered(vec![])), Some(Linked), Kept, "note LeftActive"),
        ("6", out(OutOfScope::Disabled), Some(Linked), SwitchedOff, "disable"),
        ("7", out(OutOfScope::Disabled), Some(Linked), Kept, "note Linked"),
        ("8", out(OutOfScope::SoftDeleted), Some(Linked), SwitchedOff, "disable"),
        ("9", out(OutOfScope::SoftDeleted), Some(Linked), Kept, "note Linked"),
        ("10", out(OutOfScope::HardDeleted), Some(Linked), SwitchedOff, "delete"),
        ("10 without mapping", out(OutOfScope::HardDeleted), Some(Linked), Kept, "delete"),
        ("12", out(OutOfScope::HardDeleted), Some(Released), SwitchedOff, "forget"),
        ("3, then 12", out(OutOfScope::HardDeleted), Some(Released), Kept, "forget"),
        ("13 of 1", out(OutOfScope::NotAssigned), Some(Linked), Deleted, "delete"),
        ("13 of 4", out(OutOfScope::Filtered(vec![])), Some(Linked), Deleted, "delete"),
        ("13 of 6", out(OutOfScope::Disabled), Some(Linked), Deleted, "delete"),
        ("13 of 8", out(OutOfScope::SoftDeleted), Some(Linked), Deleted, "delete"),
        ("16", out(OutOfScope::NotAssigned), None, SwitchedOff, "skip"),
        ("16", out(OutOfScope::NotAssigned), None, Kept, "skip"),
        ("A13", out(OutOfScope::Disabled), None, SwitchedOff, "skip"),
        ("1, then 8", out(OutOfScope::SoftDeleted), Some(Released), SwitchedOff, "skip"),
        ("3, then 9", out(OutOfScope::SoftDeleted), Some(Released), Kept, "skip"),
        ("7 while a write is open", out(OutOfScope::Disabled), Some(Verify), Kept, "note Linked"),
        ("3 while a write is open", out(OutOfScope::NotAssigned), Some(Deleting), Kept, "note LeftActive"),
        ("3 again", out(OutOfScope::NotAssigned), Some(LeftActive), Kept, "skip"),
        ("3, then 1", out(OutOfScope::NotAssigned), Some(LeftActive), SwitchedOff, "disable, release"),
        ("3, then 6", out(OutOfScope::Disabled), Some(LeftActive), SwitchedOff, "disable"),
        ("3, then 7", out(OutOfScope::Disabled), Some(LeftActive), Kept, "note Linked"),
        ("3, then 12 of who is active", out(OutOfScope::HardDeleted), Some(LeftActive), SwitchedOff, "forget"),
        ("3, then 13", out(OutOfScope::NotAssigned), Some(LeftActive), Deleted, "delete"),
        ("3, then passed over", out(passed.clone()), Some(LeftActive), Kept, "note LeftActive"),
        ("3, then 17", Scope::In, Some(LeftActive), SwitchedOff, "update"),
        ("passed over", out(passed.clone()), None, Kept, "skip"),
        ("passed over", out(passed.clone()), Some(Linked), Kept, "note LeftAlone"),
        ("passed over", out(another), Some(Linked), Kept, "note LeftAlone"),
        ("passed over again", out(passed.clone()), Some(LeftAlone), Kept, "skip"),
        ("passed over, switched off before", out(passed.clone()), Some(Released), Kept, "skip"),
        ("passed over while a write is open", out(passed.clone()), Some(Deleting), Kept, "note LeftAlone"),
        ("passed over while a create is open", out(passed), Some(Creating), Kept, "note LeftAlone"),
        ("passed over, then 1", out(OutOfScope::NotAssigned), Some(LeftAlone), SwitchedOff, "disable, release"),
        ("passed over, then 6", out(OutOfScope::Disabled), Some(LeftAlone), SwitchedOff, "disable"),
        ("passed over, then 7", out(OutOfScope::Disabled), Some(LeftAlone), Kept, "note Linked"),
        ("passed over, then 12", out(OutOfScope::HardDeleted), Some(LeftAlone), SwitchedOff, "forget"),
        ("passed over, then in scope", Scope::In, Some(LeftAlone), SwitchedOff, "update"),
        ("17", Scope::In, Some(Released), SwitchedOff, "update"),
        ("17", Scope::In, Some(Released), Kept, "update"),
    ];
    for (row, scope, state, leaving, expected) in cases {
        assert_eq!(decide(&scope, state, true, true, leaving, false), expected, "row {row}");
    }
}

#[test]
fn the_deprovisioning_table_where_not_every_write_is_allowed() {
    let no_update = FlowTypes { update: false, ..FlowTypes::default() };
    let no_delete = FlowTypes { delete: false, ..FlowTypes::default() };
    let cases = [
        // row, why, allowed, what leavers' accounts become -> what is done
        ("3", OutOfScope::NotAssigned, no_update, Leaving::SwitchedOff, "note LeftActive"),
        ("4 without Update", OutOfScope::Filtered(vec![]), no_update, Leaving::SwitchedOff, "note LeftActive"),
        ("7", OutOfScope::Disabled, no_update, Leaving::SwitchedOff, "note Linked"),
        ("9", OutOfScope::SoftDeleted, no_update, Leaving::SwitchedOff, "note Linked"),
        ("10", OutOfScope::HardDeleted, no_update, Leaving::SwitchedOff, "delete"),
        ("11", OutOfScope::HardDeleted, no_delete, Leaving::SwitchedOff, "forget"),
        ("11", OutOfScope::HardDeleted, no_delete, Leaving::Kept, "forget"),
        ("13 without Delete", OutOfScope::NotAssigned, no_delete, Leaving::Deleted, "note Linked"),
    ];
    for (row, why, allowed, leaving, expected) in cases {
        let done = decide_allowed(&Scope::Out(why), Some(LinkState::Linked), (true, true), leaving, false, allowed);
        assert_eq!(done, expected, "row {row}");
    }
}

#[test]
fn an_account_that_stays_is_noted_once() {
    let no_delete = FlowTypes { delete: false, ..FlowTypes::default() };
    for (why, state, leaving, allowed) in [
        (OutOfScope::Disabled, LinkState::Linked, Leaving::Kept, FlowTypes::default()),
        (OutOfScope::NotAssigned, LinkState::LeftActive, Leaving::Kept, FlowTypes::default()),
        (OutOfScope::SoftDeleted, LinkState::Linked, Leaving::Deleted, no_delete),
    ] {
        let scope = Scope::Out(why.clone());
        for kept in [false, true] {
            let link = LinkRecord { kept, ..link(state) };
            let known = Known {
                scope: &scope,
                link: Some(&link),
                leaving,
                allowed,
                unchanged: false,
                settled: true,
                quiet: true,
            };
            match decide_out_of_scope(known, &why, Found::NotAsked) {
                Action::NoteLink { state: noted, reason } if !kept => {
                    assert!(noted == state && reason.keeps_account(), "{why:?}");
                }
                Action::Skip(reason) if kept => assert!(reason.keeps_account(), "{why:?}"),
                other => panic!("{why:?} {kept}: {other:?}"),
            }
        }
    }
}

#[test]
fn what_may_not_be_written_leaves_no_write_open() {
    use LinkState::{Creating, Deleting, Verify};
    let allowed = FlowTypes { create: false, delete: false, ..FlowTypes::default() };
    let left = Scope::Out(OutOfScope::NotAssigned);
    let cases = [
        // scope, link, the account exists, the window has passed -> what is done
        (&Scope::In, Creating, false, false, "wait"),
        (&Scope::In, Creating, false, true, "forget"),
        (&left, Creating, true, true, "note Linked"),
        (&left, Deleting, true, true, "note Linked"),
        (&left, Verify, true, true, "note Linked"),
    ];
    for (scope, state, exists, settled, expected) in cases {
        let done = decide_allowed(scope, Some(state), (exists, true), Leaving::Deleted, settled, allowed);
        assert_eq!(done, expected, "{scope:?} {state:?} {exists} {settled}");
    }
}

#[test]
fn a_create_of_unknown_outcome() {
    use LinkState::Creating;
    let left = Scope::Out(OutOfScope::NotAssigned);
    let purged = Scope::Out(OutOfScope::HardDeleted);
    let cases = [
        // scope, the account exists, the window has passed -> what is done
        (&Scope::In, true, false, "update"),
        (&Scope::In, false, false, "wait"),
        (&Scope::In, false, true, "create"),
        (&left, true, false, "disable, release"),
        (&left, false, false, "wait"),
        (&left, false, true, "forget"),
        (&purged, true, false, "delete"),
        (&purged, false, true, "forget"),
    ];
    for (scope, exists, settled, expected) in cases {
        assert_eq!(
            decide(scope, Some(Creating), exists, true, Leaving::SwitchedOff, settled),
            expected,
            "{scope:?} {exists} {settled}"
        );
    }
}

#[test]
fn in_scope() {
    use LinkState::{Linked, Verify};
    let cases = [
        (None, false, true, "create"),
        (None, true, true, "update"),
        (None, true, false, "note Linked"),
        (Some(Linked), true, false, "note Linked"),
        (Some(Linked), false, false, "rematch"),
        (Some(Verify), true, true, "update"),
    ];
    for (state, exists, differs, expected) in cases {
        assert_eq!(
            decide(&Scope::In, state, exists, differs, Leaving::SwitchedOff, false),
            expected,
            "{state:?} {exists} {differs}"
        );
    }
}

#[test]
fn failures_are_tried_again_ever_more_rarely() {
    let at = |hours| Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours);
    for (attempts, now, expected) in [
        (1, 0, 0),
        (2, 1, 6),
        (3, 6, 12),
        (3, 7, 12),
        (4, 13, 24),
        (5, 24, 48),
        (5, 25, 48),
        (6, 49, 72),
        // Tried late, as the service was off; tried often, as the object was changed.
        (2, 10, 12),
        (50, 1, 6),
        (50, 24 * 27, 24 * 28),
    ] {
        assert_eq!(next_attempt(at(0), attempts, at(now)), at(expected), "{attempts} attempts, now {now} h");
    }
}

#[test]
fn a_window_passes_or_is_not_needed() {
    let window = SignedDuration::from_secs(120);
    let at = |seconds| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds);
    for (unique, now, expected) in [(false, 119, false), (false, 120, true), (true, 0, true)] {
        assert_eq!(is_settled(&link(LinkState::Creating), unique, window, at(now)), expected, "{unique} {now}");
    }
}
