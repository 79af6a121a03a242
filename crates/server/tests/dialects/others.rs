//! Clients with few habits of their own: PingFederate, CyberArk, JumpCloud, Google Workspace, SailPoint, Slack's and AWS's forms.

use store::testing::on_both;

use crate::flow::{tell, vendor};

#[test]
fn other_clients() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("others.jsonl")).await });
}
