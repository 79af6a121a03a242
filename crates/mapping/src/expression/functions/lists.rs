//! Functions of multi-valued attributes. A single text counts as a list of one.

use std::collections::HashSet;

use super::super::evaluate::{Arguments, Evaluated, EvaluationError};
use super::super::{LIST_MAX, OUTPUT_BYTES_MAX};
use crate::value::Value;

pub(super) fn count(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let count = match arguments.value(0)? {
        Value::Null => 0,
        Value::Text(_) => 1,
        Value::List(values) => values.len(),
    };
    Ok(Value::Text(count.to_string()))
}

/// The element at a 1-based index; null beyond the end.
pub(super) fn item(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let index = arguments.integer(1, "index")?;
    let Some(index) = index.checked_sub(1).and_then(|index| usize::try_from(index).ok()) else {
        return Err(arguments.refuse("`index` counts from 1"));
    };
    Ok(match arguments.value(0)? {
        Value::List(values) => values.into_iter().nth(index).into(),
        single => single.into_first().filter(|_| index == 0).into(),
    })
}

/// Null and empty sources are skipped, separators included; all values of a list are joined in.
pub(super) fn join(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let separator = arguments.text(0)?.unwrap_or_default();
    let mut joined = String::new();
    for index in 1..arguments.count() {
        let values = match arguments.value(index)? {
            Value::List(values) => values,
            single => single.into_first().into_iter().collect(),
        };
        for value in values.iter().filter(|value| !value.is_empty()) {
            if !joined.is_empty() {
                joined.push_str(&separator);
            }
            joined.push_str(value);
            if joined.len() > OUTPUT_BYTES_MAX {
                return Err(EvaluationError::ValueTooLarge.into());
            }
        }
    }
    Ok(Value::Text(joined))
}

/// Distinct values; the first occurrence stays.
pub(super) fn remove_duplicates(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let mut value = arguments.value(0)?;
    if let Value::List(values) = &mut value {
        let mut seen = HashSet::new();
        values.retain(|value| seen.insert(value.clone()));
    }
    Ok(value)
}

/// The trimmed parts. A text without the delimiter, and any text where no delimiter is given, is a list of one.
pub(super) fn split(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let Some(source) = arguments.text(0)? else {
        return Ok(Value::Null);
    };
    let delimiter = arguments.text(1)?.unwrap_or_default();
    if delimiter.is_empty() {
        return Ok(Value::List(vec![source.trim().to_owned()]));
    }
    if source.matches(&*delimiter).nth(LIST_MAX - 1).is_some() {
        return Err(EvaluationError::ListTooLong.into());
    }
    Ok(Value::List(source.split(&*delimiter).map(|part| part.trim().to_owned()).collect()))
}
