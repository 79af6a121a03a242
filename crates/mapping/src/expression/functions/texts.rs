//! Functions of one text: its parts, its length, what is put before or after it. Positions count UTF-16 units from 1, as
//! in .NET; a cut through a surrogate pair leaves the whole character out.

use super::super::evaluate::{Arguments, Evaluated, EvaluationError};
use super::casing::lower;
use crate::value::Value;

/// Without a source there is nothing to append to: a bare suffix never flows.
pub(super) fn append(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let Some(source) = arguments.text(0)? else {
        return Ok(Value::Null);
    };
    let suffix = arguments.text(1)?.unwrap_or_default();
    Ok(Value::Text(source.into_owned() + &suffix))
}

pub(super) fn prepend(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let prefix = arguments.text(0)?.unwrap_or_default();
    let Some(source) = arguments.text(1)? else {
        return Ok(Value::Null);
    };
    Ok(Value::Text(prefix.into_owned() + &source))
}

pub(super) fn c_str(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    Ok(arguments.value(0)?.into_first().into())
}

pub(super) fn default_domain(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    arguments.world().default_domain.map(Value::from).ok_or_else(|| EvaluationError::NoDefaultDomain.into())
}

/// The 1-based position of one text in another, 0 when it is not there.
pub(super) fn in_str(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let (Some(text), Some(wanted)) = (arguments.text(0)?, arguments.text(1)?) else {
        return Ok(Value::Null);
    };
    let start = arguments.omissible_integer(2, "start")?.unwrap_or(1);
    let Some(skipped) = start.checked_sub(1).and_then(|start| usize::try_from(start).ok()) else {
        return Err(arguments.refuse("`start` counts from 1"));
    };
    let folds = match arguments.text(3)?.as_deref() {
        None | Some("" | "vbBinaryCompare" | "0") => false,
        Some("vbTextCompare" | "1") => true,
        Some(_) => {
            return Err(arguments.refuse("`compareType` is `vbBinaryCompare` or `vbTextCompare`"));
        }
    };
    let position =
        if folds { position(&fold(&text), &fold(&wanted), skipped) } else { position(&text, &wanted, skipped) };
    Ok(Value::Text(position.to_string()))
}

fn fold(text: &str) -> String {
    text.chars().map(lower).collect()
}

fn position(text: &str, wanted: &str, skipped: usize) -> usize {
    let Some(rest) = skip_units(text, skipped) else {
        return 0;
    };
    rest.find(wanted).map_or(0, |at| units(&text[..text.len() - rest.len() + at]) + 1)
}

/// A negative number of characters means the whole text.
pub(super) fn left(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let text = arguments.text(0)?.unwrap_or_default();
    let wanted = arguments.integer(1, "numChars")?;
    Ok(match usize::try_from(wanted) {
        Ok(wanted) => take_units(&text, wanted).into(),
        Err(_) => text.into_owned().into(),
    })
}

/// The counterpart of [`left`].
pub(super) fn right(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let text = arguments.text(0)?.unwrap_or_default();
    let wanted = arguments.integer(1, "numChars")?;
    Ok(match usize::try_from(wanted) {
        Ok(wanted) => skip_units(&text, units(&text).saturating_sub(wanted)).unwrap_or_default().into(),
        Err(_) => text.into_owned().into(),
    })
}

/// White space at both ends goes, whichever it is; what lies between words stays.
pub(super) fn trim(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    Ok(arguments.text(0)?.map(|text| text.trim().to_owned()).into())
}

pub(super) fn len(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    Ok(Value::Text(units(&arguments.text(0)?.unwrap_or_default()).to_string()))
}

pub(super) fn mid(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let Some(source) = arguments.text(0)? else {
        return Ok(Value::Null);
    };
    let start = arguments.integer(1, "start")?;
    let Some(skipped) = start.checked_sub(1).and_then(|start| usize::try_from(start).ok()) else {
        return Err(arguments.refuse("`start` counts from 1"));
    };
    let Ok(length) = usize::try_from(arguments.integer(2, "length")?) else {
        return Err(arguments.refuse("`length` is negative"));
    };
    Ok(take_units(skip_units(&source, skipped).unwrap_or_default(), length).into())
}

fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The longest beginning of at most `wanted` units.
fn take_units(text: &str, wanted: usize) -> &str {
    let mut left = wanted;
    for (at, character) in text.char_indices() {
        match left.checked_sub(character.len_utf16()) {
            Some(rest) => left = rest,
            None => return &text[..at],
        }
    }
    text
}

/// What follows the first `skipped` units (a character that is cut is skipped whole); `None` beyond the end.
fn skip_units(text: &str, skipped: usize) -> Option<&str> {
    let mut passed = 0;
    for (at, character) in text.char_indices() {
        if passed >= skipped {
            return Some(&text[at..]);
        }
        passed += character.len_utf16();
    }
    (passed >= skipped).then_some("")
}

/// Only U+0020; other white space stays.
pub(super) fn strip_spaces(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    Ok(arguments.text(0)?.map(|text| text.replace(' ', "")).into())
}

/// The 1-based word; every character of `delimiters` separates, and several in a row separate once.
pub(super) fn word(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let text = arguments.text(0)?.unwrap_or_default();
    let number = arguments.integer(1, "wordNumber")?;
    let delimiters = arguments.text(2)?.unwrap_or_default();
    let Some(skipped) = number.checked_sub(1).and_then(|skipped| usize::try_from(skipped).ok()) else {
        return Ok("".into());
    };
    let mut words = text.split(|character| delimiters.contains(character)).filter(|word| !word.is_empty());
    Ok(words.nth(skipped).unwrap_or_default().into())
}
