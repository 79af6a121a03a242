//! Microsoft's Postman collection of SCIM tests, in its order.

use store::testing::on_both;

use crate::flow::{tell, vendor};

#[test]
fn the_whole_collection_in_order() {
    on_both(|store| async { tell(&vendor(store).await, include_str!("postman.jsonl")).await });
}
