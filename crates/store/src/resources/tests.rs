//! Resources are found by id, by unique key and by every key they have now, and by none they had.

use super::*;
use crate::listing::{
    Direction, by_id_after, by_ids, by_unique_key_after, count, id_at, ids_by_key_prefix, ids_by_keys,
    ids_by_unique_prefix, unique_key_at,
};
use crate::testing::{numbered, on_both, second};
use crate::{StoreError, tenants, version_7};

const KIND: ResourceKind = ResourceKind::User;

fn key(path: &str, value: &str) -> IndexKey {
    (path.into(), value.to_owned())
}

fn ids(found: Result<Vec<ResourceRecord>, StoreError>) -> Vec<ResourceId> {
    found.unwrap().into_iter().map(|record| record.id).collect()
}

fn numbers(numbers: impl IntoIterator<Item = u128>) -> Vec<ResourceId> {
    numbers.into_iter().map(numbered).collect()
}

/// As many as there are, up to `rows`.
const fn rows(rows: u32) -> Chunk {
    Chunk { rows, bytes: usize::MAX }
}

fn tenant(tx: &mut WriteTx<'_>, name: &str) -> TenantKey {
    tenants::insert_tenant(tx, name, "generic", "{}", second(0)).unwrap()
}

#[test]
fn a_change_exchanges_exactly_the_keys_that_differ() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let tenant = tenant(tx, "one");
            let old = [key("externalId", "7"), key("emails", "ann@a"), key("emails", "ann@b"), key("emails", "ann@b")];
            let new = [key("externalId", "7"), key("emails", "ann@b"), key("emails", "ann@c"), key("active", "true")];
            insert(tx, tenant, KIND, numbered(1), Some("ann"), "{\"v\":1}", &old, second(1))?;
            insert(tx, tenant, KIND, numbered(2), Some("bob"), "{}", &[key("externalId", "7")], second(1))?;
            update(tx, tenant, KIND, numbered(1), Some("anne"), "{\"v\":2}", (&old, &new), second(2))?;
            let expected = ResourceRecord {
                id: numbered(1),
                doc: "{\"v\":2}".to_owned(),
                version: 2,
                created: second(1),
                modified: second(2),
            };
            assert_eq!(by_id(tx, tenant, KIND, numbered(1))?.as_ref(), Some(&expected));
            assert_eq!(by_id_locked(tx, tenant, KIND, numbered(1))?, Some(expected));
            for (path, value, expected) in [
                ("externalId", "7", vec![1, 2]),
                ("emails", "ann@a", vec![]),
                ("emails", "ann@b", vec![1]),
                ("emails", "ann@c", vec![1]),
                ("active", "true", vec![1]),
                ("active", "ann@c", vec![]),
            ] {
                assert_eq!(ids_by_keys(tx, tenant, KIND, (path, &[value]), 9)?, numbers(expected), "{path} {value}");
            }
            assert_eq!(ids_by_keys(tx, tenant, KIND, ("externalId", &["7"]), 1)?, numbers([1]));
            assert_eq!(by_unique_key(tx, tenant, KIND, "ann")?, None);
            assert_eq!(by_unique_key(tx, tenant, KIND, "anne")?.map(|found| found.id), Some(numbered(1)));

            touch(tx, tenant, KIND, numbered(1), second(3))?;
            let touched = by_id(tx, tenant, KIND, numbered(1))?.unwrap();
            assert_eq!((touched.version, touched.modified), (3, second(3)));

            assert!(delete(tx, tenant, KIND, numbered(1), &new)?);
            assert!(!delete(tx, tenant, KIND, numbered(1), &new)?);
            assert_eq!(ids_by_keys(tx, tenant, KIND, ("externalId", &["7"]), 9)?, numbers([2]));
            assert_eq!(by_unique_key(tx, tenant, KIND, "anne")?, None);
            // The name is free again.
            insert(tx, tenant, KIND, numbered(3), Some("anne"), "{}", &[], second(4))
        });
        story.await.unwrap();
    });
}

#[test]
fn nothing_is_found_under_another_tenant_or_kind() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let (one, two) = (tenant(tx, "one"), tenant(tx, "two"));
            let keys = [key("externalId", "7")];
            insert(tx, one, KIND, numbered(1), Some("ann"), "{}", &keys, second(1))?;
            for (tenant, kind) in [(two, KIND), (one, ResourceKind::Group)] {
                assert_eq!(by_id(tx, tenant, kind, numbered(1))?, None);
                assert_eq!(by_id_locked(tx, tenant, kind, numbered(1))?, None);
                assert_eq!(by_unique_key(tx, tenant, kind, "ann")?, None);
                assert_eq!(ids_by_keys(tx, tenant, kind, ("externalId", &["7"]), 9)?, []);
                assert_eq!(by_id_after(tx, tenant, kind, Direction::Up, None, rows(9))?, []);
                assert_eq!(by_unique_key_after(tx, tenant, kind, Direction::Up, None, rows(9))?, []);
                assert_eq!(by_ids(tx, tenant, kind, &[numbered(1)])?, []);
                assert_eq!(ids_by_key_prefix(tx, tenant, kind, ("externalId", "7"), 9)?, []);
                assert_eq!(ids_by_unique_prefix(tx, tenant, kind, "a", 9)?, []);
                assert_eq!((id_at(tx, tenant, kind, (0, 0))?, unique_key_at(tx, tenant, kind, (0, 0))?), (None, None));
                assert_eq!(page_after(tx, tenant, kind, None, rows(9))?, []);
                assert_eq!(count(tx, tenant, kind)?, 0);
                update(tx, tenant, kind, numbered(1), None, "{\"stolen\":1}", (&keys, &[]), second(9))?;
                touch(tx, tenant, kind, numbered(1), second(9))?;
                assert!(!delete(tx, tenant, kind, numbered(1), &keys)?);
            }
            assert_eq!((kind_held(tx, one, numbered(1))?, kind_held(tx, two, numbered(1))?), (Some(KIND), None));
            assert_eq!(ids_by_keys(tx, one, KIND, ("externalId", &["7"]), 9)?, numbers([1]));
            by_id(tx, one, KIND, numbered(1))
        });
        let untouched = story.await.unwrap().unwrap();
        assert_eq!((untouched.doc.as_str(), untouched.version), ("{}", 1));
    });
}

#[test]
fn pages_follow_each_other_without_gap_or_overlap() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let (one, two) = (tenant(tx, "one"), tenant(tx, "two"));
            // Not in the order of the ids, and a neighbour in between.
            for number in [5, 2, 9, 1, 7, 3, 8, 4, 6] {
                insert(tx, one, KIND, numbered(number), None, "{}", &[], second(1))?;
                insert(tx, two, KIND, numbered(number + 100), None, "{}", &[], second(1))?;
            }
            assert_eq!(count(tx, one, KIND)?, 9);
            let (mut walked, mut after) = (Vec::new(), None);
            loop {
                let found = ids(page_after(tx, one, KIND, after, rows(2)));
                let Some(last) = found.last() else { break };
                after = Some(*last);
                walked.extend(found);
            }
            assert_eq!(walked, numbers(1..=9));
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn pages_are_in_the_order_in_which_the_resources_were_made() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let tenant = tenant(tx, "one");
            let made: Vec<ResourceId> = [0, 1, 255, 256, 65_536, 1_000_000_000]
                .into_iter()
                .map(|seconds| version_7(second(seconds), [u8::try_from(seconds % 251).unwrap(); 10]).into())
                .collect();
            for id in made.iter().rev() {
                insert(tx, tenant, KIND, *id, None, "{}", &[], second(0))?;
            }
            assert_eq!(ids(page_after(tx, tenant, KIND, None, rows(9))), made);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn no_more_is_held_than_a_chunk_however_large_the_documents_are() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let tenant = tenant(tx, "one");
            let doc = "d".repeat(1_000);
            for number in 1..=9 {
                insert(tx, tenant, KIND, numbered(number), None, &doc, &[key("title", "x")], second(1))?;
            }
            // A chunk ends with the document that reaches its size, and holds one where that is larger.
            for (bytes, expected) in [(1, 1..=1), (1_000, 1..=1), (1_001, 1..=2), (3_000, 1..=3), (99_000, 1..=9)] {
                let chunk = Chunk { rows: 100, bytes };
                let expected = numbers(expected);
                assert_eq!(ids(by_id_after(tx, tenant, KIND, Direction::Up, None, chunk)), expected, "{bytes}");
                assert_eq!(ids(page_after(tx, tenant, KIND, None, chunk)), expected, "{bytes}");
            }
            let chunk = Chunk { rows: 100, bytes: 2_000 };
            let (mut walked, mut after) = (Vec::new(), None);
            loop {
                let found = ids(page_after(tx, tenant, KIND, after, chunk));
                let Some(last) = found.last() else { break };
                after = Some(*last);
                walked.extend(found);
            }
            assert_eq!(walked, numbers(1..=9));
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn the_first_and_the_last_id_there_can_be_are_on_their_pages() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let tenant = tenant(tx, "one");
            for number in [0, 1, u128::MAX] {
                insert(tx, tenant, KIND, numbered(number), None, "{}", &[key("title", "x")], second(1))?;
            }
            for (after, expected) in [
                (None, vec![0, 1, u128::MAX]),
                (Some(0), vec![1, u128::MAX]),
                (Some(1), vec![u128::MAX]),
                (Some(u128::MAX), vec![]),
            ] {
                let (after, expected) = (after.map(numbered), numbers(expected));
                assert_eq!(ids(page_after(tx, tenant, KIND, after, rows(9))), expected, "{after:?}");
            }
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn keys_are_kept_letter_by_letter() {
    on_both(|store| async move {
        let tenant = store.write(|tx| Ok::<_, StoreError>(tenant(tx, "one"))).await.unwrap();
        let texts = ["", "\"", "\\", "\\u0041", "[1]", "null", "'; --", "a\tb\nc", "é e\u{301} 😀", "\u{7f}\u{202e}"];
        let story = store.write(move |tx| {
            let keys = texts.map(|text| key("title", text));
            insert(tx, tenant, KIND, numbered(1), None, "{}", &keys, second(1))?;
            for text in texts {
                assert_eq!(ids_by_keys(tx, tenant, KIND, ("title", &[text]), 9)?, numbers([1]), "{text:?}");
            }
            update(tx, tenant, KIND, numbered(1), None, "{}", (&keys, &[]), second(2))?;
            for text in texts {
                assert_eq!(ids_by_keys(tx, tenant, KIND, ("title", &[text]), 9)?, [], "{text:?}");
            }
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
        let nul = store
            .write(move |tx| insert(tx, tenant, KIND, numbered(2), None, "{}", &[key("title", "a\0b")], second(1)));
        assert_eq!(nul.await, Err(StoreError::Internal("a text holds a NUL character".to_owned())));
    });
}
