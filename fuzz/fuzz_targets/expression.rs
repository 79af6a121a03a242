//! Any text is an expression or refused with its place; an expression prints to text that is the same one, and evaluates within its
//! limits, always to the same outcome. Behind NUL characters the text holds the values that are read.
#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use mapping::expression::OUTPUT_BYTES_MAX;
use mapping::{Expression, Language, Outcome, Value, World};

fuzz_target!(|text: &str| {
    let mut parts = text.split('\0');
    let text = parts.next().unwrap_or_default();
    let expression = match Expression::parse_with(text, Language::EXTENDED) {
        Ok(expression) => expression,
        Err(error) => {
            assert!(error.pointer(text).ends_with('^'));
            return;
        }
    };
    let printed = expression.to_string();
    assert_eq!(Expression::parse_with(&printed, Language::EXTENDED).as_ref(), Ok(&expression));
    assert_eq!(expression.extension().is_none(), printed.parse::<Expression>().is_ok());

    let value = parts.next().map_or(Value::Null, Value::from);
    let list = Value::List(parts.map(str::to_owned).collect());
    let names = expression.attributes();
    let source: BTreeMap<String, Value> = names
        .into_iter()
        .enumerate()
        .map(|(index, name)| (name.to_owned(), if index % 2 == 0 { value.clone() } else { list.clone() }))
        .collect();
    let now = jiff::Timestamp::from_second(1_625_240_018).expect("an instant of the year 2021");
    let world = World { now, default_domain: Some("contoso.com"), random: &|bytes| bytes.fill(0x5a) };
    let outcome = expression.evaluate(&source, &world);
    assert_eq!(expression.evaluate(&source, &world), outcome);
    let Ok(Outcome::Value(value)) = outcome else { return };
    match value {
        Value::Null => {}
        Value::Text(text) => assert!(text.len() <= OUTPUT_BYTES_MAX),
        // A list that was read may be longer than one that is made.
        Value::List(values) => assert!(values.iter().all(|text| text.len() <= OUTPUT_BYTES_MAX)),
    }
});
