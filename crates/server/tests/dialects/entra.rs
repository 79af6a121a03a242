//! Microsoft Entra ID's provisioning service: what it asks, and how it writes people, groups and members.

use store::testing::on_both;

use crate::flow::{tell, vendor};
use crate::world::World;

#[test]
fn connection_test_and_queries() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("entra_queries.jsonl")).await });
}

#[test]
fn users() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("entra_users.jsonl")).await });
}

#[test]
fn groups_and_members() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("entra_groups.jsonl")).await });
}

#[test]
fn the_forms_of_the_flag() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("entra_flag.jsonl")).await });
}

#[test]
fn as_a_source_that_is_read() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("entra_source.jsonl")).await });
}

#[test]
fn an_application_without_groups_answers_the_connection_test() {
    on_both(|store| async {
        let world = World::new(store, "storegate").await;
        tell(&world, include_str!("entra_without_groups.jsonl")).await;
    });
}
