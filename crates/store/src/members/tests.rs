//! A group's members are a set, whatever is added and removed in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::testing::{databases, numbered, on_both, postgres_client, second};
use crate::{StoreError, resources, tenants};

fn member(number: u128, display: Option<&str>) -> MemberRecord {
    MemberRecord { id: numbered(number), kind: ResourceKind::User, display: display.map(str::to_owned) }
}

fn two_tenants(tx: &mut WriteTx<'_>) -> Result<(TenantKey, TenantKey), StoreError> {
    let one = tenants::insert_tenant(tx, "one", "generic", "{}", second(0))?;
    let two = tenants::insert_tenant(tx, "two", "generic", "{}", second(0))?;
    for tenant in [one, two] {
        for group in [10, 11] {
            let doc = format!("{{\"displayName\":\"g{group}\"}}");
            resources::insert(tx, tenant, ResourceKind::Group, numbered(group), None, &doc, &[], second(0))?;
        }
    }
    Ok((one, two))
}

#[test]
fn many_members_by_one_statement() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let (one, two) = two_tenants(tx)?;
            let people = [member(3, None), member(1, Some("Ann \"A\" \u{1F600}")), member(3, Some("again"))];
            let mut added = add_all(tx, one, numbered(10), &people)?;
            added.sort();
            assert_eq!(added, [numbered(1), numbered(3)]);
            assert_eq!(add_all(tx, one, numbered(10), &people)?, []);
            assert_eq!(add_all(tx, two, numbered(10), &people[..1])?, [numbered(3)]);
            let held = [people[1].clone(), people[0].clone()];
            assert_eq!(members_after(tx, one, numbered(10), None, 9)?, held);
            assert_eq!(some(tx, one, numbered(10), &[numbered(3), numbered(1), numbered(7)])?, held);
            assert_eq!(some(tx, one, numbered(11), &[numbered(3)])?, []);
            assert_eq!(remove_all(tx, one, numbered(10), &[numbered(3), numbered(7), numbered(3)])?, [numbered(3)]);
            assert_eq!(members_after(tx, two, numbered(10), None, 9)?, [member(3, None)], "the neighbour's stays");
            let kinds = resources::kinds_held(tx, one, &[numbered(11), numbered(4), numbered(10)])?;
            assert_eq!(kinds, [10, 11].map(|group| (numbered(group), ResourceKind::Group)));
            hold_groups_of(tx, one, numbered(1), 10)?;
            hold_joined(tx, one, &[], &[numbered(10), numbered(11)])?;
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
        let nul = store.write(|tx| {
            let one = tenants::insert_tenant(tx, "three", "generic", "{}", second(0))?;
            add_all(tx, one, numbered(10), &[member(1, Some("a\0"))])
        });
        assert!(nul.await.is_err());
    });
}

/// Without this two would wait for each other until PostgreSQL looks for a deadlock, after a second: who changes the group holds it and asks
/// for the resource, which the other one holds.
#[test]
fn who_deletes_gives_way_to_who_changes_a_group_that_was_joined_meanwhile() {
    for database in databases() {
        if postgres_client(&database).is_none() {
            continue;
        }
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let store = database.open();
            let (one, _) = store.write(two_tenants).await.unwrap();
            let (tell_held, is_held) = std::sync::mpsc::channel();
            let (tell_gave_way, gave_way) = std::sync::mpsc::channel();
            let (tell_done, is_done) = std::sync::mpsc::channel();
            let other = store.clone();
            let changes = tokio::spawn(async move {
                let changed = other.write(move |tx| {
                    resources::by_id_locked(tx, one, ResourceKind::Group, numbered(10))?;
                    tell_held.send(()).unwrap();
                    gave_way.recv().expect("the one who deletes is tried again while the group is held");
                    Ok::<_, StoreError>(())
                });
                changed.await.unwrap();
                tell_done.send(()).unwrap();
            });
            let mut attempts = 0;
            let deleted = store.write(move |tx| {
                attempts += 1;
                match attempts {
                    1 => is_held.recv().unwrap(),
                    2 => {
                        tell_gave_way.send(()).unwrap();
                        is_done.recv().unwrap();
                    }
                    _ => {}
                }
                hold_joined(tx, one, &[numbered(11)], &[numbered(10), numbered(11)])?;
                Ok::<_, StoreError>(attempts)
            });
            assert_eq!(deleted.await, Ok(2));
            changes.await.unwrap();
        });
    }
}

/// Those are held that are left in the same transaction: rows of groups that are gone take no place among the first.
#[test]
fn groups_that_are_gone_are_not_counted_among_those_that_are_held() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let (one, two) = two_tenants(tx)?;
            let person = member(1, None).id;
            for (tenant, group) in [(one, 10), (one, 11), (two, 10)] {
                add(tx, tenant, numbered(group), &member(1, None))?;
            }
            resources::delete(tx, one, ResourceKind::Group, numbered(10), &[])?;
            crate::emptied::note_emptied(tx, one, numbered(10))?;
            for (tenant, group) in [(one, 11), (two, 10)] {
                let held: Vec<ResourceId> = tx.all(&HOLD_GROUPS_OF, params![tenant, person, 1_i64], |row| row.id(0))?;
                assert_eq!(group_ids_of(tx, tenant, person, None, 1)?, [numbered(group)]);
                // SQLite has one writer at a time.
                assert_eq!(held, if tx.is_postgres() { vec![numbered(group)] } else { vec![] });
            }
            add(tx, two, numbered(10), &MemberRecord { kind: ResourceKind::Group, ..member(11, None) })?;
            let held = hold_groups_of(tx, two, numbered(11), 10)?;
            assert_eq!(held, if tx.is_postgres() { vec![numbered(10), numbered(11)] } else { vec![] }, "in one order");
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

/// On PostgreSQL, where nearly all rows are of one group and a statement was planned for any.
#[test]
fn what_is_asked_of_a_small_group_does_not_look_at_the_members_of_a_large_one() {
    const GROUP: &str = "'00000000-0000-0000-0000-00000000000b'";
    const FILL: &str = "INSERT INTO members (tenant, group_id, member_id, kind)
        SELECT 1, '00000000-0000-0000-0000-00000000000a', lpad(to_hex(number), 32, '0')::uuid, 1 FROM generate_series(1, 20000) AS number;
        INSERT INTO members (tenant, group_id, member_id, kind) VALUES (1, '00000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-000000000001', 1);
        ANALYZE members; SET plan_cache_mode = force_generic_plan";
    for database in databases() {
        drop(database.open());
        let Some(mut client) = postgres_client(&database) else { continue };
        client.batch_execute(FILL).unwrap();
        let ids = r#"'["00000000-0000-0000-0000-000000000001"]'"#;
        for (name, sql, more, index) in [
            ("CLEAR", &CLEAR, String::new(), "members_pkey"),
            ("COUNT_UP_TO", &COUNT_UP_TO, ", 21".to_owned(), "members_pkey"),
            ("MEMBERS", &MEMBERS, format!(", {GROUP}, 21"), "members_pkey"),
            ("SOME", &SOME, format!(", {ids}"), "group_id = $2"),
            ("REMOVE_ALL", &REMOVE_ALL, format!(", {ids}"), "group_id = $2"),
            ("REMOVE", &REMOVE, format!(", {GROUP}"), "group_id = $2"),
            ("IS_MEMBER", &IS_MEMBER, format!(", {GROUP}"), "group_id = $2"),
            ("emptied", &crate::emptied::REMOVE, ", 21".to_owned(), "members_pkey"),
        ] {
            client.batch_execute(&format!("PREPARE p AS {}", sql.postgres())).unwrap();
            let rows = client.query(&format!("EXPLAIN (COSTS OFF) EXECUTE p (1, {GROUP}{more})"), &[]).unwrap();
            client.batch_execute("DEALLOCATE p").unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let plan = plan.join("\n");
            assert!(!plan.contains("Seq Scan") && plan.contains(index), "{name}: {plan}");
        }
    }
}

/// On PostgreSQL, where the planner has seen users only and takes each group for the only one.
#[test]
fn the_groups_of_a_member_are_looked_up_each_by_its_id() {
    const FILL: &str = "INSERT INTO tenants (tenant, name, profile, settings, created) OVERRIDING SYSTEM VALUE VALUES (1, 'one', 'generic', '{}', 0);
        INSERT INTO resources (tenant, kind, id, doc, version, created, modified)
        SELECT 1, 1, lpad(to_hex(number), 32, '0')::uuid, '{}', 1, 0, 0 FROM generate_series(1, 20000) AS number; ANALYZE;
        SET plan_cache_mode = force_generic_plan";
    for database in databases() {
        drop(database.open());
        let Some(mut client) = postgres_client(&database) else { continue };
        client.batch_execute(FILL).unwrap();
        let id = "'00000000-0000-0000-0000-000000000001'";
        for (name, sql, values) in [
            ("GROUPS_OF", &GROUPS_OF, format!("1, {id}, {id}, 9")),
            ("HOLD_GROUPS_OF", &HOLD_GROUPS_OF, format!("1, {id}, 9")),
            ("KINDS_HELD", &resources::KINDS_HELD, "1, '[]'".to_owned()),
            ("BY_KEY", &crate::listing::BY_KEY, "1, 2, 'displayName', 'sales', 9".to_owned()),
        ] {
            client.batch_execute(&format!("PREPARE p AS {}", sql.postgres())).unwrap();
            let rows = client.query(&format!("EXPLAIN (COSTS OFF) EXECUTE p ({values})"), &[]).unwrap();
            client.batch_execute("DEALLOCATE p").unwrap();
            let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            let plan = plan.join("\n");
            let resources = plan.split_once("resources_id on resources").map_or("", |(_, rest)| rest);
            let condition = resources.lines().nth(1).unwrap_or_default();
            assert!(condition.contains("Index Cond") && condition.contains("(id = "), "{name}: {plan}");
        }
    }
}

#[test]
fn members_and_their_groups() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let (one, two) = two_tenants(tx)?;
            assert!(add(tx, one, numbered(10), &member(1, Some("Ann")))?);
            assert!(!add(tx, one, numbered(10), &member(1, Some("Other")))?, "added before");
            assert!(add(tx, one, numbered(10), &member(2, None))?);
            assert!(add(tx, one, numbered(11), &member(1, None))?);
            assert!(add(tx, two, numbered(10), &member(1, None))?);
            assert_eq!(members_after(tx, one, numbered(10), None, 9)?, [member(1, Some("Ann")), member(2, None)]);
            assert_eq!(members_after(tx, one, numbered(10), Some(numbered(1)), 9)?, [member(2, None)]);
            assert_eq!(members_after(tx, one, numbered(10), None, 1)?, [member(1, Some("Ann"))]);
            let groups: Vec<_> =
                groups_of(tx, one, numbered(1), None, 9)?.into_iter().map(|group| (group.id, group.doc)).collect();
            let expected = [10, 11].map(|group| (numbered(group), format!("{{\"displayName\":\"g{group}\"}}")));
            assert_eq!(groups, expected);
            assert_eq!(groups_of(tx, one, numbered(1), Some(numbered(10)), 9)?.len(), 1);
            for (after, limit, expected) in [(None, 9, vec![10, 11]), (None, 1, vec![10]), (Some(10), 9, vec![11])] {
                let found = group_ids_of(tx, one, numbered(1), after.map(numbered), limit)?;
                assert_eq!(found, expected.into_iter().map(numbered).collect::<Vec<ResourceId>>(), "{after:?}");
            }
            crate::emptied::note_emptied(tx, one, numbered(10))?;
            crate::emptied::note_emptied(tx, two, numbered(11))?;
            let found = group_ids_of(tx, one, numbered(1), None, 9)?;
            assert_eq!(found, [numbered(11)], "rows of a group that is gone lead nowhere");
            assert_eq!(leave_all(tx, one, numbered(1))?, 2);
            assert!(!is_member(tx, one, numbered(10), numbered(1))?);
            assert!(is_member(tx, two, numbered(10), numbered(1))?, "the neighbour's membership stays");
            assert!(remove(tx, one, numbered(10), numbered(2))?);
            assert!(!remove(tx, one, numbered(10), numbered(2))?);
            assert_eq!((clear(tx, one, numbered(10))?, clear(tx, two, numbered(10))?), (0, 1));
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

/// One thing done to one of two groups.
#[derive(Clone, Debug)]
enum Step {
    Add(u128, u128),
    Remove(u128, u128),
    Clear(u128),
    LeaveAll(u128),
}

/// Seen from the member's side, a group that is deleted has no members, also while rows of them are left.
#[test]
fn who_is_in_a_group() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let (one, two) = two_tenants(tx)?;
            let group = MemberRecord { kind: ResourceKind::Group, ..member(11, None) };
            add_all(tx, one, numbered(10), &[member(3, None), group, member(1, None)])?;
            add_all(tx, two, numbered(10), &[member(2, None)])?;
            let users = (numbered(10), ResourceKind::User);
            assert_eq!(member_ids_of(tx, one, users, None, 9)?, [numbered(1), numbered(3)]);
            assert_eq!(member_ids_of(tx, one, users, Some(numbered(1)), 9)?, [numbered(3)]);
            assert_eq!(member_ids_of(tx, one, users, None, 1)?, [numbered(1)]);
            assert_eq!(member_ids_of(tx, one, (numbered(10), ResourceKind::Group), None, 9)?, [numbered(11)]);
            assert_eq!(member_ids_of(tx, two, users, None, 9)?, [numbered(2)]);
            assert!(is_in(tx, one, numbered(10), numbered(1))?);
            assert!(!is_in(tx, one, numbered(10), numbered(2))?);
            assert!(!is_in(tx, two, numbered(11), numbered(2))?);
            crate::emptied::note_emptied(tx, one, numbered(10))?;
            assert_eq!(member_ids_of(tx, one, users, None, 9)?, []);
            assert!(!is_in(tx, one, numbered(10), numbered(1))?);
            assert!(is_in(tx, two, numbered(10), numbered(2))?, "the other tenant's group is there");
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (group, member) = (10..12_u128, 1..7_u128);
    let one = prop_oneof![
        6 => (group.clone(), member.clone()).prop_map(|(group, member)| Step::Add(group, member)),
        4 => (group.clone(), member.clone()).prop_map(|(group, member)| Step::Remove(group, member)),
        1 => group.prop_map(Step::Clear),
        1 => member.prop_map(Step::LeaveAll),
    ];
    proptest::collection::vec(one, 0..40)
}

type Model = BTreeMap<u128, BTreeSet<u128>>;

/// Does a step to the model; gives how many memberships it touched.
fn step_of_model(model: &mut Model, step: &Step) -> u64 {
    match step {
        Step::Add(group, member) => u64::from(model.entry(*group).or_default().insert(*member)),
        Step::Remove(group, member) => u64::from(model.entry(*group).or_default().remove(member)),
        Step::Clear(group) => model.remove(group).map_or(0, |members| members.len() as u64),
        Step::LeaveAll(member) => model.values_mut().map(|members| u64::from(members.remove(member))).sum(),
    }
}

fn step_of_store(tx: &mut WriteTx<'_>, tenant: TenantKey, step: &Step) -> Result<u64, StoreError> {
    match *step {
        Step::Add(group, number) => add(tx, tenant, numbered(group), &member(number, None)).map(u64::from),
        Step::Remove(group, number) => remove(tx, tenant, numbered(group), numbered(number)).map(u64::from),
        Step::Clear(group) => clear(tx, tenant, numbered(group)),
        Step::LeaveAll(number) => leave_all(tx, tenant, numbered(number)),
    }
}

#[test]
fn any_sequence_of_changes_ends_as_a_set_would() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for database in databases() {
        let store = database.open();
        let (tenant, neighbour) = runtime.block_on(store.write(two_tenants)).unwrap();
        let before = store.write(move |tx| add(tx, neighbour, numbered(10), &member(3, None)));
        runtime.block_on(before).unwrap();
        proptest!(ProptestConfig::with_cases(48), |(steps in steps())| {
            let mut model = Model::new();
            let expected: Vec<u64> = steps.iter().map(|step| step_of_model(&mut model, step)).collect();
            let held = store.write(move |tx| {
                clear(tx, tenant, numbered(10))?;
                clear(tx, tenant, numbered(11))?;
                let touched: Result<Vec<u64>, StoreError> = steps.iter().map(|step| step_of_store(tx, tenant, step)).collect();
                let mut held = Vec::new();
                for group in [10, 11] {
                    let members = members_after(tx, tenant, numbered(group), None, 99)?;
                    held.push(members.into_iter().map(|member| member.id.uuid().as_u128()).collect::<BTreeSet<_>>());
                }
                let neighbours = members_after(tx, neighbour, numbered(10), None, 99)?.len();
                Ok::<_, StoreError>((touched?, held, neighbours))
            });
            let (touched, held, neighbours) = runtime.block_on(held).unwrap();
            prop_assert_eq!(touched, expected);
            let modelled = [10, 11].map(|group| model.remove(&group).unwrap_or_default());
            prop_assert_eq!(held, modelled);
            prop_assert_eq!(neighbours, 1);
        });
    }
}
