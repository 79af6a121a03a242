//! Any JSON is a set of scoping filters or refused; filters are written as JSON that is the same filters, and decide the same about an
//! object at a moment each time. What is to be reconsidered later is so after that moment. Behind NUL characters the text holds the values of the object.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mapping::{ScopingFilters, Source, Value};

/// An object that has every attribute, with the same values each.
struct Everything(Value);

impl Source for Everything {
    fn attribute(&self, _: &str) -> Value {
        self.0.clone()
    }
}

fuzz_target!(|text: &str| {
    let (json, values) = text.split_once('\0').unwrap_or((text, ""));
    let Ok(filters) = serde_json::from_str::<ScopingFilters>(json) else { return };
    let written = serde_json::to_string(&filters).expect("filters are JSON");
    assert_eq!(serde_json::from_str::<ScopingFilters>(&written).ok().as_ref(), Some(&filters));
    let values: Vec<String> = values.split('\0').map(str::to_owned).collect();
    for value in [Value::Null, Value::Text(values[0].clone()), Value::List(values.clone())] {
        let source = Everything(value);
        for now in [jiff::Timestamp::MIN, jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MAX] {
            let verdict = filters.evaluate(&source, now);
            assert_eq!(filters.evaluate(&source, now), verdict);
            assert!(filters.reconsider_at(&source, now).is_none_or(|later| later > now));
            let explained = filters.explain(&source, now);
            assert_eq!(explained.in_scope, verdict.as_ref().map(|verdict| verdict.in_scope).map_err(Clone::clone));
            if let Ok(verdict) = verdict {
                assert!(!verdict.in_scope || verdict.failed.is_empty());
            }
        }
    }
});
