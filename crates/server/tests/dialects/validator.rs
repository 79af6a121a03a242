//! Microsoft's SCIM validator: its mandatory tests of users (U1 to U14) and groups (G1 to G12), and its preview tests (P1 to P7), each
//! with the payloads that runs of it have shown.

use store::testing::on_both;

use crate::flow::{tell, vendor};

#[test]
fn users() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("validator_users.jsonl")).await });
}

#[test]
fn groups() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("validator_groups.jsonl")).await });
}

#[test]
fn patches() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("validator_patches.jsonl")).await });
}
