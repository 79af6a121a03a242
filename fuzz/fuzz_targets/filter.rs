//! Any text is a filter or refused; a filter prints to text that is the same filter, and can be asked about any user.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scim::{Attributes, Filter, ResourceType};

fuzz_target!(|text: &str| {
    let Ok(filter) = text.parse::<Filter>() else { return };
    assert_eq!(filter.to_string().parse::<Filter>().as_ref(), Ok(&filter));
    let user = ResourceType::user();
    let _ = filter.equality_terms(&user);
    if let Ok(matcher) = filter.matcher(&user) {
        let resource = serde_json::json!({"userName": "ada", "emails": [{"type": "work", "value": "a"}], "meta": {"created": "2020-01-01T00:00:00Z"}});
        let none = Attributes::new();
        matcher.matches(resource.as_object().unwrap_or(&none));
        matcher.matches(&none);
    }
});
