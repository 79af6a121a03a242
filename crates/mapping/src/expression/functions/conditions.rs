//! Functions that decide: which value flows, whether one does, what is true.

use super::super::evaluate::{Arguments, Evaluated, Interrupt, is_true};
use crate::value::Value;

/// False with the first condition that is, and those behind it are not looked at.
pub(super) fn and(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    for index in 0..arguments.count() {
        if !is_true(&arguments.value(index)?) {
            return Ok(false.into());
        }
    }
    Ok(true.into())
}

/// True with the first condition that is, and those behind it are not looked at.
pub(super) fn or(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    for index in 0..arguments.count() {
        if is_true(&arguments.value(index)?) {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

pub(super) fn bit_and(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let left = arguments.optional_integer(0, "value1")?;
    let right = arguments.optional_integer(1, "value2")?;
    Ok(left.zip(right).map(|(left, right)| (left & right).to_string()).into())
}

pub(super) fn c_bool(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    Ok(is_true(&arguments.value(0)?).into())
}

/// The first argument that is neither null nor empty, else the last one as it is.
pub(super) fn coalesce(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let mut last = Value::Null;
    for index in 0..arguments.count() {
        last = arguments.value(index)?;
        if !last.is_empty() {
            break;
        }
    }
    Ok(last)
}

pub(super) fn iif(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let condition = is_true(&arguments.value(0)?);
    arguments.value(if condition { 1 } else { 2 })
}

pub(super) fn ignore_flow_if_null_or_empty(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let value = arguments.value(0)?;
    if value.is_empty() { Err(Interrupt::DropAttribute) } else { Ok(value) }
}

pub(super) fn is_null(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    Ok((arguments.value(0)? == Value::Null).into())
}

pub(super) fn is_null_or_empty(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    Ok(arguments.value(0)?.is_empty().into())
}

pub(super) fn is_present(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    Ok((!arguments.value(0)?.is_empty()).into())
}

pub(super) fn is_string(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    Ok(matches!(arguments.value(0)?, Value::Text(_)).into())
}

/// Only the exact text `True` is turned into `False`; anything else, null included, gives `True`.
pub(super) fn not(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    Ok((arguments.text(0)?.as_deref() != Some("True")).into())
}

/// The value flows unchanged; hiding it is the logs' work (`Expression::is_redacted`).
pub(super) fn redact(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    arguments.value(0)
}

/// The value of the first key equal to the source; null and `""` are one and the same here.
pub(super) fn switch(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let source = arguments.text(0)?.unwrap_or_default();
    for key in (2..arguments.count()).step_by(2) {
        if arguments.text(key)?.unwrap_or_default() == source {
            return arguments.value(key + 1);
        }
    }
    arguments.value(1)
}
