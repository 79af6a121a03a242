//! Any bulk request is read or refused; each of its operations has one turn, after those that make what it speaks of.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim::bulk::BulkRequest;
use scim::{BULK_REQUEST_URN, parse_json};
use serde_json::json;

fuzz_target!(|bytes: &[u8]| {
    let Ok(operations) = parse_json(bytes) else { return };
    let mut made = 0_u32;
    let ids = || {
        made += 1;
        format!("id-{made}")
    };
    let body = json!({"schemas": [BULK_REQUEST_URN], "Operations": operations});
    let Ok(request) = BulkRequest::read(body, ids) else { return };
    let mut turn = vec![None; request.entries.len()];
    for (at, together) in request.order().into_iter().enumerate() {
        for number in together {
            assert_eq!(turn[number].replace(at), None);
        }
    }
    for (number, entry) in request.entries.iter().enumerate() {
        for needed in entry.operation.iter().flat_map(|operation| &operation.needs) {
            assert!(turn[*needed] <= turn[number]);
        }
    }
});
