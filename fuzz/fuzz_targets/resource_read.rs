//! Any body is a user or refused; a user that was read reads the same again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim::{ResourceType, USER_URN, parse_json};
use serde_json::{Value, json};

fuzz_target!(|bytes: &[u8]| {
    let Ok(Value::Object(mut body)) = parse_json(bytes) else { return };
    let user = ResourceType::user();
    body.retain(|key, _| !key.eq_ignore_ascii_case("schemas"));
    body.insert("schemas".to_owned(), json!([USER_URN]));
    let Ok(read) = user.read(Value::Object(body)) else { return };
    let mut again = read.clone();
    again.insert("schemas".to_owned(), json!([USER_URN]));
    assert_eq!(user.read(Value::Object(again)), Ok(read));
});
