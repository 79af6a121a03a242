//! Attributes as they are given on the command line: `NAME=VALUE`.

use directory::source_attribute;
use serde_json::Value;

use crate::outcome::usage;

/// Reads `NAME=VALUE`; an empty value is none. Values of multi-valued attributes are separated by semicolons.
pub fn attribute_value(text: &str) -> anyhow::Result<(String, Option<Value>)> {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.trim().is_empty()) else {
        return Err(usage(format!(
            "{text:?} is no attribute with a value; write ATTRIBUTE=VALUE, like department=Sales"
        )));
    };
    let (name, value) = (name.trim(), value.trim());
    if value.is_empty() {
        return Ok((name.to_owned(), None));
    }
    let many = source_attribute(name).is_some_and(|attribute| attribute.multi_valued);
    let value = if many { value.split(';').map(|part| Value::from(part.trim())).collect() } else { Value::from(value) };
    Ok((name.to_owned(), Some(value)))
}

/// Reads several; a name that stands twice is refused.
pub fn attribute_values(texts: &[String]) -> anyhow::Result<Vec<(String, Option<Value>)>> {
    let mut values: Vec<(String, Option<Value>)> = Vec::with_capacity(texts.len());
    for text in texts {
        let (name, value) = attribute_value(text)?;
        if values.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            return Err(usage(format!("the attribute {name} is given twice")));
        }
        values.push((name, value));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_read() {
        for (text, expected) in [
            ("department=Sales", Some(json!("Sales"))),
            ("jobTitle=a=b", Some(json!("a=b"))),
            ("city=", None),
            (" otherMails = a@b.example; c@d.example ", Some(json!(["a@b.example", "c@d.example"]))),
        ] {
            assert_eq!(attribute_value(text).unwrap().1, expected, "{text}");
        }
        for text in ["department", "=Sales", ""] {
            assert!(attribute_value(text).is_err(), "{text}");
        }
        let twice = ["city=Rome".to_owned(), "CITY=Oslo".to_owned()];
        assert_eq!(attribute_values(&twice).unwrap_err().to_string(), "the attribute CITY is given twice");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = attribute_value(&text);
        }
    }
}
