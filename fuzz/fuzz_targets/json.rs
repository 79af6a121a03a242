//! Any bytes are JSON or refused, and what is accepted here serde_json accepts too, with the same meaning.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(value) = scim::parse_json(bytes) {
        assert_eq!(serde_json::from_slice::<serde_json::Value>(bytes).ok(), Some(value));
    }
});
