//! Which events are wanted, and what follows an answer.

use proptest::prelude::*;

use super::*;

fn second(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

fn fresh() -> Progress {
    Progress {
        read_to: 4,
        failures: 0,
        failing_since: None,
        next_attempt: Timestamp::UNIX_EPOCH,
        last_success: None,
        last_failure: None,
        missed: 0,
        paused: None,
    }
}

fn failed() -> Answer {
    Answer::of(500, None)
}

#[test]
fn events_are_chosen_by_name_and_type() {
    let event = |action, switched, resource_type: &str| Event {
        number: 1,
        at: second(1),
        uri: "/Users/1".to_owned(),
        resource_type: resource_type.to_owned(),
        action,
        switched,
        attributes: Vec::new(),
        external_id: None,
        name: None,
        version: 1,
        resource: None,
        id: "1".to_owned(),
    };
    let hook = |actions: &str, types: &str| WebhookRecord {
        tenant: store::testing::tenant_key(1),
        id: store::version_7(second(1), [1; 10]).into(),
        name: "app".to_owned(),
        url: "https://app.example/".to_owned(),
        is_full: false,
        actions: actions.to_owned(),
        types: types.to_owned(),
        created: second(1),
        progress: fresh(),
    };
    let disabled = event(Action::Patched, Some(false), "User");
    for (actions, types, event, expected) in [
        ("", "", &disabled, true),
        ("patch", "", &disabled, true),
        ("deactivate", "", &disabled, true),
        ("activate", "", &disabled, false),
        ("create delete", "", &disabled, false),
        ("create delete", "", &event(Action::Deleted, None, "User"), true),
        ("put", "", &event(Action::Replaced, None, "User"), true),
        ("", "User Group", &disabled, true),
        ("", "Group", &disabled, false),
        ("", "Device", &event(Action::Created, None, "Device"), true),
    ] {
        assert_eq!(wants(&hook(actions, types), event), expected, "{actions:?} {types:?} {event:?}");
    }
}

#[test]
fn statuses_are_understood() {
    for status in [200, 202, 204, 299] {
        assert_eq!(Answer::of(status, None), Answer::Taken);
    }
    assert_eq!(Answer::of(410, Some(3)), Answer::Gone);
    for status in [100, 301, 308, 400, 401, 404, 429, 500, 503] {
        assert!(matches!(Answer::of(status, Some(7)), Answer::Failed { retry_after: Some(7), .. }), "{status}");
    }
}

#[test]
fn waits_double_and_end_at_an_hour() {
    for (failures, retry_after, chance, expected) in [
        (1, None, 0, 5),
        (2, None, 0, 10),
        (3, None, 0, 20),
        (10, None, 0, 2560),
        (11, None, 0, 3600),
        (i64::MAX, None, u32::MAX, 3600),
        (3, None, u32::MAX, 24),
        (1, Some(60), 0, 60),
        (9, Some(60), 0, 1280),
        (1, Some(u64::MAX), 0, 3600),
    ] {
        assert_eq!(wait_seconds(failures, retry_after, chance), expected, "{failures} {retry_after:?} {chance}");
    }
}

#[test]
fn a_failure_keeps_the_place_and_a_success_moves_it() {
    let first = after(&fresh(), 5, &failed(), second(100), 0);
    assert_eq!((first.read_to, first.failures, first.failing_since), (4, 1, Some(second(100))));
    assert_eq!((first.next_attempt, first.paused.as_ref()), (second(105), None));
    let again = after(&first, 5, &failed(), second(105), 0);
    assert_eq!((again.failures, again.failing_since, again.next_attempt), (2, Some(second(100)), second(115)));
    let taken = after(&again, 5, &Answer::Taken, second(115), 0);
    assert_eq!((taken.read_to, taken.failures, taken.failing_since), (5, 0, None));
    assert_eq!((taken.last_success, taken.last_failure), (Some(second(115)), again.last_failure));
}

#[test]
fn who_is_gone_or_silent_for_a_week_is_paused() {
    let gone = after(&fresh(), 5, &Answer::Gone, second(100), 0);
    assert!(gone.paused.as_ref().unwrap().contains("410"));
    assert_eq!(gone.read_to, 4, "it goes on with the same event once it is resumed");
    let failing = Progress { failing_since: Some(second(0)), ..fresh() };
    let week = GIVEN_UP_AFTER_HOURS * 3600;
    for (at, expected) in [(week - 1, false), (week, true)] {
        assert_eq!(after(&failing, 5, &failed(), second(at), 0).paused.is_some(), expected, "{at}");
    }
    let long = Answer::Failed { why: "é".repeat(9_999), retry_after: None };
    let (_, why) = after(&fresh(), 5, &long, second(0), 0).last_failure.unwrap();
    assert_eq!(why.chars().count(), WHY_CHARS_MAX);
}

proptest! {
    #[test]
    fn waits_stay_within_their_bounds(failures in any::<i64>(), asked in any::<Option<u64>>(), chance in any::<u32>()) {
        let wait = wait_seconds(failures, asked, chance);
        prop_assert!((RETRY_SECONDS_MIN..=RETRY_SECONDS_MAX).contains(&wait));
    }
}
