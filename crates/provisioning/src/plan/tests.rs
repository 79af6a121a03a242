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
    }
}

/// What is decided, in short: `differs` tells whether the account, if it exists, differs from what is wanted.
#[expect(clippy::fn_params_excessive_bools, reason = "the columns of a table")]
fn decide(
    scope: &Scope,
    state: Option<LinkState>,
    exists: bool,
    differs: bool,
    disables: bool,
    settled: bool,
) -> String {
    let link = state.map(link);
    let known = Known {
        scope,
        link: link.as_ref(),
        disables,
        allowed: FlowTypes::default(),
        unchanged: false,
        settled,
        quiet: settled,
    };
    let path = crate::target_path::TargetPath::parse("active", mapping::ObjectType::User).unwrap();
    let difference = Difference { path: &path, before: None, after: Some(false.into()), redacted: false };
    let found = match (lookup(known), exists) {
        (Lookup::Nothing, _) => Found::NotAsked,
        (_, false) => Found::Absent,
        (_, true) => {
            Found::Account { target_id: "t1".into(), differences: if differs { vec![difference] } else { vec![] } }
        }
    };
    match match scope {
        Scope::In => decide_in_scope(known, found, Vec::new()),
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
    use LinkState::{Linked, Released};
    let out = Scope::Out;
    let cases = [
        // row, why, link, the target has soft delete -> what is done
        ("1", out(OutOfScope::NotAssigned), Some(Linked), true, "disable, release"),
        ("4", out(OutOfScope::Filtered(vec![])), Some(Linked), true, "disable, release"),
        ("6", out(OutOfScope::Disabled), Some(Linked), true, "disable"),
        ("8", out(OutOfScope::SoftDeleted), Some(Linked), true, "disable"),
        ("10", out(OutOfScope::HardDeleted), Some(Linked), true, "delete"),
        ("12", out(OutOfScope::HardDeleted), Some(Released), true, "forget"),
        ("13 of 1", out(OutOfScope::NotAssigned), Some(Linked), false, "delete"),
        ("13 of 6", out(OutOfScope::Disabled), Some(Linked), false, "delete"),
        ("13 of 8", out(OutOfScope::SoftDeleted), Some(Linked), false, "delete"),
        ("16", out(OutOfScope::NotAssigned), None, true, "skip"),
        ("A13", out(OutOfScope::Disabled), None, true, "skip"),
        ("1, then 8", out(OutOfScope::SoftDeleted), Some(Released), true, "skip"),
        ("17", Scope::In, Some(Released), true, "update"),
    ];
    for (row, scope, state, disables, expected) in cases {
        assert_eq!(decide(&scope, state, true, true, disables, false), expected, "row {row}");
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
            decide(scope, Some(Creating), exists, true, true, settled),
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
        assert_eq!(decide(&Scope::In, state, exists, differs, true, false), expected, "{state:?} {exists} {differs}");
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
