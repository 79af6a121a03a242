//! A note is ready when both its ends exist at the target, in whatever order they come to exist.

use super::*;
use crate::links::{self, LinkRecord, LinkState};
use crate::testing::{numbered, on_both, second};
use crate::{StoreError, groups};

const ANN: u128 = 1;
const BOB: u128 = 2;
const ZOE: u128 = 3;
const TEAM: u128 = 10;
const NESTED: u128 = 11;

fn app() -> AppId {
    numbered(99)
}

fn put(tx: &mut WriteTx<'_>, kind: ObjectKind, source: u128, state: LinkState) -> Result<(), StoreError> {
    let link = LinkRecord {
        kind,
        source_id: numbered(source),
        // Until a create is known to have worked, there is no id to refer to.
        target_id: (state != LinkState::Creating).then(|| format!("remote{source}")),
        state,
        attempt: 1,
        at: second(0),
        fence: 1,
        match_key: String::new(),
        label: String::new(),
        exported: None,
        kept: false,
    };
    links::put_link(tx, app(), &link)
}

fn link(tx: &mut WriteTx<'_>, kind: ObjectKind, source: u128) -> Result<(), StoreError> {
    put(tx, kind, source, LinkState::Linked)?;
    linked(tx, app(), kind, numbered(source))
}

fn note(kind: ObjectKind, holder: u128, wanted: u128) -> ReferenceRecord {
    let attribute = if kind == ObjectKind::User { "manager" } else { "members" }.to_owned();
    ReferenceRecord { kind, holder: numbered(holder), attribute, wanted: numbered(wanted), fresh: false }
}

fn manager() -> ReferenceRecord {
    note(ObjectKind::User, ANN, BOB)
}

/// Ready references of all holders of a kind.
fn ready(tx: &mut WriteTx<'_>, app: AppId, kind: ObjectKind) -> Result<Vec<ReferenceRecord>, StoreError> {
    let holders = ready_holders(tx, app, kind, None, 99)?;
    let notes = holders.into_iter().map(|holder| ready_of(tx, app, kind, holder, None, 99));
    Ok(notes.collect::<Result<Vec<_>, _>>()?.concat())
}

fn is_ready(tx: &mut WriteTx<'_>, note: &ReferenceRecord) -> Result<bool, StoreError> {
    Ok(ready(tx, app(), note.kind)?.contains(note))
}

/// What happens in turn, and whether Ann's manager Bob can be written after it.
#[derive(Clone, Copy, Debug)]
enum Event {
    Want,
    Link(u128),
    Creating(u128),
    Unlink(u128),
    Defer,
}

fn happen(tx: &mut WriteTx<'_>, event: Event) -> Result<(), StoreError> {
    match event {
        Event::Want => want(tx, app(), &manager()),
        Event::Link(user) => link(tx, ObjectKind::User, user),
        Event::Creating(user) => put(tx, ObjectKind::User, user, LinkState::Creating),
        Event::Unlink(user) => {
            links::delete_link(tx, app(), ObjectKind::User, numbered(user))?;
            unlinked(tx, app(), numbered(user))
        }
        Event::Defer => defer(tx, app(), &manager()),
    }
}

#[test]
fn a_note_is_ready_when_both_ends_are_linked_in_whatever_order() {
    use Event::{Creating, Defer, Link, Unlink, Want};
    let stories: &[&[(Event, bool)]] = &[
        &[(Want, false), (Link(ANN), false), (Link(BOB), true)],
        &[(Want, false), (Link(BOB), false), (Link(ANN), true)],
        &[(Link(ANN), false), (Want, false), (Link(BOB), true)],
        &[(Link(BOB), false), (Want, false), (Link(ANN), true)],
        &[(Link(ANN), false), (Link(BOB), false), (Want, true), (Want, true)],
        &[(Link(ANN), false), (Creating(BOB), false), (Want, false), (Link(BOB), true)],
        &[(Creating(ANN), false), (Link(BOB), false), (Want, false), (Link(ANN), true)],
        &[(Link(ANN), false), (Link(BOB), false), (Want, true), (Unlink(BOB), false), (Link(BOB), true)],
        &[(Link(ANN), false), (Link(BOB), false), (Want, true), (Unlink(ANN), false), (Link(ANN), true)],
        &[(Link(ANN), false), (Link(BOB), false), (Want, true), (Defer, false), (Link(BOB), true)],
        &[(Link(ANN), false), (Link(BOB), false), (Want, true), (Defer, false), (Link(ANN), true)],
        &[(Link(ANN), false), (Link(BOB), false), (Want, true), (Defer, false), (Want, true)],
    ];
    for story in stories {
        on_both(|store| async move {
            let told = store.write(move |tx| {
                for (number, (event, expected)) in story.iter().enumerate() {
                    happen(tx, *event)?;
                    assert_eq!(is_ready(tx, &manager())?, *expected, "after {event:?}, event {number} of {story:?}");
                }
                count(tx, app())
            });
            assert_eq!(told.await.unwrap(), 1, "one note, however often it is wanted");
        });
    }
}

#[test]
fn the_notes_of_another_application_are_its_own() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let other: AppId = numbered(98);
            want(tx, app(), &manager())?;
            want(tx, other, &manager())?;
            link(tx, ObjectKind::User, ANN)?;
            link(tx, ObjectKind::User, BOB)?;
            assert!(is_ready(tx, &manager())?);
            assert_eq!(ready(tx, other, ObjectKind::User)?, []);
            forget_wanted(tx, app(), numbered(BOB))?;
            Ok::<_, StoreError>((count(tx, app())?, count(tx, other)?))
        });
        assert_eq!(story.await.unwrap(), (0, 1));
    });
}

#[test]
fn a_fresh_holder_is_remembered_until_the_note_is_written_again() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            link(tx, ObjectKind::User, ANN)?;
            link(tx, ObjectKind::User, BOB)?;
            let fresh = ReferenceRecord { fresh: true, ..manager() };
            want(tx, app(), &fresh)?;
            assert!(is_ready(tx, &fresh)?);
            want(tx, app(), &manager())?;
            assert!(is_ready(tx, &manager())?);
            close(tx, app(), &manager())?;
            count(tx, app())
        });
        assert_eq!(story.await.unwrap(), 0);
    });
}

fn team(tx: &mut WriteTx<'_>) -> Result<(), StoreError> {
    for user in [ANN, BOB] {
        groups::add_member(tx, numbered(TEAM), numbered(user), ObjectKind::User)?;
    }
    groups::add_member(tx, numbered(TEAM), numbered(NESTED), ObjectKind::Group)?;
    groups::add_member(tx, numbered(NESTED), numbered(ANN), ObjectKind::User)?;
    Ok(())
}

#[test]
fn the_members_of_a_group_are_wanted_but_not_its_groups() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            team(tx)?;
            link(tx, ObjectKind::Group, TEAM)?;
            link(tx, ObjectKind::User, ANN)?;
            put(tx, ObjectKind::User, BOB, LinkState::Creating)?;
            assert_eq!(want_members(tx, app(), numbered(TEAM))?, 2);
            let member = |user| note(ObjectKind::Group, TEAM, user);
            assert_eq!(ready(tx, app(), ObjectKind::Group)?, [member(ANN)]);
            link(tx, ObjectKind::User, BOB)?;
            assert_eq!(ready(tx, app(), ObjectKind::Group)?, [member(ANN), member(BOB)]);
            assert_eq!(ready_holders(tx, app(), ObjectKind::Group, Some(numbered(TEAM)), 9)?, []);
            assert_eq!(ready_holders(tx, app(), ObjectKind::Group, None, 9)?, [numbered(TEAM)]);
            assert_eq!(ready_holders(tx, app(), ObjectKind::User, None, 9)?, []);
            let of = |tx: &mut WriteTx<'_>, after, limit| {
                ready_of(tx, app(), ObjectKind::Group, numbered(TEAM), after, limit)
            };
            assert_eq!(of(tx, None, 1)?, [member(ANN)]);
            assert_eq!(of(tx, Some(numbered(ANN)), 9)?, [member(BOB)]);
            forget_holder(tx, app(), ObjectKind::User, numbered(TEAM))?;
            assert_eq!(count(tx, app())?, 2);
            // Who left is noted as long as it was written, and is known to the target.
            for user in [ANN, BOB, ZOE] {
                put_member(tx, app(), numbered(TEAM), numbered(user))?;
            }
            for (note, left) in [(ANN, ANN), (BOB, BOB)] {
                close(tx, app(), &member(note))?;
                groups::remove_member(tx, numbered(TEAM), numbered(left))?;
            }
            assert_eq!(want_members(tx, app(), numbered(TEAM))?, 2);
            assert_eq!(ready(tx, app(), ObjectKind::Group)?, [member(ANN), member(BOB)]);
            drop_member(tx, app(), numbered(TEAM), numbered(BOB))?;
            close(tx, app(), &member(BOB))?;
            groups::add_member(tx, numbered(TEAM), numbered(ANN), ObjectKind::User)?;
            assert_eq!(want_members(tx, app(), numbered(TEAM))?, 1);
            assert_eq!(ready(tx, app(), ObjectKind::Group)?, [member(ANN)]);
            forget_holder(tx, app(), ObjectKind::Group, numbered(TEAM))?;
            count(tx, app())
        });
        assert_eq!(story.await.unwrap(), 0);
    });
}

#[test]
fn the_memberships_of_a_user_are_wanted_in_groups_that_are_linked() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            team(tx)?;
            put(tx, ObjectKind::Group, NESTED, LinkState::Creating)?;
            assert_eq!(want_memberships(tx, app(), numbered(ANN))?, 0);
            link(tx, ObjectKind::Group, TEAM)?;
            link(tx, ObjectKind::User, ANN)?;
            assert_eq!(want_memberships(tx, app(), numbered(ANN))?, 1);
            assert_eq!(ready(tx, app(), ObjectKind::Group)?, [note(ObjectKind::Group, TEAM, ANN)]);
            // The group that comes later finds its members itself.
            link(tx, ObjectKind::Group, NESTED)?;
            assert_eq!(want_members(tx, app(), numbered(NESTED))?, 1);
            let holders = ready_holders(tx, app(), ObjectKind::Group, None, 9)?;
            assert_eq!(holders, [numbered(TEAM), numbered(NESTED)]);
            forget_holder(tx, app(), ObjectKind::Group, numbered(TEAM))?;
            assert_eq!(ready_holders(tx, app(), ObjectKind::Group, None, 9)?, [numbered(NESTED)]);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn written_memberships_go_with_either_end() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let (team, nested): (ObjectId, ObjectId) = (numbered(TEAM), numbered(NESTED));
            for (group, user) in [(team, ANN), (team, BOB), (nested, ANN), (nested, BOB), (team, ANN)] {
                put_member(tx, app(), group, numbered(user))?;
            }
            assert_eq!(written_members(tx, app(), team, None, 9)?, [numbered(ANN), numbered(BOB)]);
            assert_eq!(written_members(tx, app(), team, Some(numbered(ANN)), 9)?, [numbered(BOB)]);
            assert_eq!(written_members(tx, app(), team, None, 1)?, [numbered(ANN)]);
            assert_eq!(written_members(tx, numbered(98), team, None, 9)?, []);
            drop_member(tx, app(), nested, numbered(BOB))?;
            assert!(!has_member(tx, app(), nested, numbered(BOB))?);
            unlinked(tx, app(), numbered(ANN))?;
            assert_eq!(written_members(tx, app(), team, None, 9)?, [numbered(BOB)]);
            assert_eq!(written_members(tx, app(), nested, None, 9)?, []);
            unlinked(tx, app(), team)?;
            assert!(!has_member(tx, app(), team, numbered(BOB))?);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn who_inherits_an_account_inherits_its_memberships_to_be_looked_at() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let (team, nested) = (numbered(TEAM), numbered(NESTED));
            for group in [TEAM, NESTED] {
                link(tx, ObjectKind::Group, group)?;
            }
            link(tx, ObjectKind::User, ANN)?;
            put_member(tx, app(), team, numbered(ANN))?;
            assert!(is_present(tx, app(), numbered(ANN))?);
            assert_eq!(holders_of(tx, app(), numbered(ANN), None, 9)?, [team]);
            // Of this one it is not known whether it was written.
            want(tx, app(), &note(ObjectKind::Group, NESTED, ANN))?;
            assert_eq!(holders_of(tx, app(), numbered(ANN), None, 9)?, [team, nested]);
            assert_eq!(holders_of(tx, app(), numbered(ANN), Some(team), 9)?, [nested]);
            links::delete_link(tx, app(), ObjectKind::User, numbered(ANN))?;
            link(tx, ObjectKind::User, BOB)?;
            inherit(tx, app(), ObjectKind::User, numbered(ANN), numbered(BOB))?;
            assert!(!is_present(tx, app(), numbered(ANN))? && has_member(tx, app(), team, numbered(BOB))?);
            let expected = [note(ObjectKind::Group, TEAM, BOB), note(ObjectKind::Group, NESTED, BOB)];
            assert_eq!(ready(tx, app(), ObjectKind::Group)?, expected);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn a_group_that_inherits_has_the_members_to_look_at() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let (team, nested) = (numbered(TEAM), numbered(NESTED));
            link(tx, ObjectKind::Group, TEAM)?;
            link(tx, ObjectKind::User, ANN)?;
            put_member(tx, app(), team, numbered(ANN))?;
            links::delete_link(tx, app(), ObjectKind::Group, team)?;
            link(tx, ObjectKind::Group, NESTED)?;
            inherit(tx, app(), ObjectKind::Group, team, nested)?;
            assert_eq!(written_members(tx, app(), team, None, 9)?, []);
            assert_eq!(written_members(tx, app(), nested, None, 9)?, [numbered(ANN)]);
            assert_eq!(ready(tx, app(), ObjectKind::Group)?, [note(ObjectKind::Group, NESTED, ANN)]);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}
