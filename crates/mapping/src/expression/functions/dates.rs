//! Functions of dates. A date is a text; how texts are read and written, and how is reckoned with them, lives in `dates`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::super::ast::Node;
use super::super::dates::calendar::{self, INTERVALS, Interval};
use super::super::dates::pattern::Pattern;
use super::super::dates::{Fault, Styles, free};
use super::super::evaluate::{Arguments, Evaluated, Interrupt};
use super::Refusal;
use crate::value::{Value, World};

/// `M/d/yyyy h:mm:ss tt` in UTC.
pub(super) fn now(world: &World<'_>) -> Value {
    Value::Text(free::text_of(TimeZone::UTC.to_datetime(world.now)))
}

pub(super) fn c_date(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let at = moment(arguments, 0, "expression")?;
    Ok(Value::Text(free::text_of(at)))
}

pub(super) fn date_add(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let interval = interval(arguments)?;
    let number = arguments.integer(1, "value")?;
    let at = moment(arguments, 2, "dateTime")?;
    let later = calendar::add(at, interval, number).ok_or_else(|| arguments.refuse(OUT_OF_RANGE))?;
    Ok(Value::Text(free::text_of(later)))
}

pub(super) fn date_diff(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let interval = interval(arguments)?;
    let from = moment(arguments, 1, "date1")?;
    let to = moment(arguments, 2, "date2")?;
    Ok(Value::Text(calendar::between(from, to, interval).to_string()))
}

pub(super) fn num_from_date(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let Some(at) = optional_moment(arguments, 0, "value")? else {
        return Ok(Value::Null);
    };
    let ticks = calendar::file_time(at).ok_or_else(|| arguments.refuse("`value` lies before the year 1601"))?;
    Ok(Value::Text(ticks.to_string()))
}

pub(super) fn date_from_num(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let Some(ticks) = arguments.optional_integer(0, "value")? else {
        return Ok(Value::Null);
    };
    let at = calendar::from_file_time(ticks).ok_or_else(|| arguments.refuse(OUT_OF_RANGE))?;
    Ok(Value::Text(free::text_of(at)))
}

const OUT_OF_RANGE: &str = "the date lies outside the years 1 to 9999";

fn interval(arguments: &mut Arguments<'_, '_, '_>) -> Result<Interval, Interrupt> {
    let text = arguments.text(0)?;
    text.as_deref()
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| arguments.refuse(format!("`interval` is {INTERVALS}")))
}

fn moment(arguments: &mut Arguments<'_, '_, '_>, index: usize, parameter: &str) -> Result<DateTime, Interrupt> {
    optional_moment(arguments, index, parameter)?.ok_or_else(|| arguments.refuse(format!("`{parameter}` has no value")))
}

fn optional_moment(
    arguments: &mut Arguments<'_, '_, '_>,
    index: usize,
    parameter: &str,
) -> Result<Option<DateTime>, Interrupt> {
    let Some(text) = arguments.text(index)? else {
        return Ok(None);
    };
    match free::read(&text) {
        Ok(moment) => Ok(Some(moment.at)),
        Err(Fault::Form) => Err(arguments.refuse(format!("`{parameter}` is no date; {}", free::FORMS))),
        Err(fault) => Err(arguments.refuse(format!("`{parameter}` is no date: {}", fault.message()))),
    }
}

/// With a fourth argument the styles stand between the source and the two patterns.
fn patterns_at(has_styles: bool) -> (usize, usize) {
    if has_styles { (2, 3) } else { (1, 2) }
}

/// Both ways of calling `FormatDateTime`.
pub(super) static FORMAT_FORMS: [&str; 2] = [
    "FormatDateTime(source, dateTimeStyles?, inputFormat, outputFormat)",
    "FormatDateTime(source, inputFormat, outputFormat)",
];

/// Refuses calls without both patterns, and patterns that are none.
pub(super) fn check_format(arguments: &mut [Option<Node>]) -> Result<(), Refusal> {
    let has_styles = matches!(arguments.get(3), Some(Some(_)));
    let (input, output) = patterns_at(has_styles);
    for (index, parameter) in [(input, "inputFormat"), (output, "outputFormat")] {
        match arguments.get(index) {
            Some(Some(Node::Text(text))) => {
                let refused = |error| Refusal::of_argument(index, format!("`FormatDateTime`: `{parameter}` {error}"));
                Pattern::new(text).map_err(refused)?;
            }
            Some(Some(_)) => {}
            _ => {
                let [long, short] = FORMAT_FORMS;
                return Err(format!("`FormatDateTime` needs the argument `{parameter}`: `{long}` or `{short}`").into());
            }
        }
    }
    if has_styles && let Some(Some(Node::Text(text))) = arguments.get(1) {
        styles(text).map_err(|error| Refusal::of_argument(1, format!("`FormatDateTime`: {error}")))?;
    }
    Ok(())
}

pub(super) fn format_date_time(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let Some(source) = arguments.text(0)?.filter(|text| !text.is_empty()) else {
        return Ok(Value::Null);
    };
    let has_styles = arguments.is_given(3);
    let styles = match arguments.text(1)? {
        Some(text) if has_styles => styles(&text).map_err(|error| arguments.refuse(error))?,
        _ => Styles::default(),
    };
    let (input, output) = patterns_at(has_styles);
    let input = pattern(arguments, input, "inputFormat")?;
    let output = pattern(arguments, output, "outputFormat")?;
    let today = TimeZone::UTC.to_datetime(arguments.world().now).date();
    match input.read(&source, styles, today) {
        Ok(moment) => Ok(Value::Text(output.write(moment))),
        Err(Fault::Form) if input.read(&source, styles.with_white_spaces(), today).is_ok() => {
            Err(arguments.refuse("`source` has white space that `dateTimeStyles` does not allow"))
        }
        Err(Fault::Form) => Err(arguments.refuse("`source` is not as `inputFormat` says")),
        Err(fault) => {
            Err(arguments.refuse(format!("`source` is as `inputFormat` says, but no date: {}", fault.message())))
        }
    }
}

fn pattern(arguments: &mut Arguments<'_, '_, '_>, index: usize, parameter: &str) -> Result<Pattern, Interrupt> {
    let text = arguments.text(index)?.unwrap_or_default();
    Pattern::new(&text).map_err(|error| arguments.refuse(format!("`{parameter}` {error}")))
}

/// .NET's `DateTimeStyles`, by name, with commas between; they take the place of the default. All that is written is in UTC, so that
/// `AdjustToUniversal` has nothing to do, and UTC is our local time.
fn styles(text: &str) -> Result<Styles, String> {
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() {
        return Ok(Styles::default());
    }
    let mut styles = Styles::NONE;
    for name in &names {
        match *name {
            "AllowLeadingWhite" => styles.allow_leading_white = true,
            "AllowTrailingWhite" => styles.allow_trailing_white = true,
            "AllowInnerWhite" => styles.allow_inner_white = true,
            "AllowWhiteSpaces" => styles = styles.with_white_spaces(),
            "NoCurrentDateDefault" => styles.no_current_date = true,
            "AssumeUniversal" | "AssumeLocal" => styles.is_placed = true,
            "None" | "AdjustToUniversal" | ROUNDTRIP => {}
            _ => return Err("`dateTimeStyles` names a style that .NET does not have".to_owned()),
        }
    }
    let clash = CLASHES.iter().find(|(one, other)| names.contains(one) && names.contains(other));
    match clash {
        Some((one, other)) => {
            Err(format!("`dateTimeStyles` has both `{one}` and `{other}`, which exclude one another"))
        }
        None => Ok(styles),
    }
}

const ROUNDTRIP: &str = "RoundtripKind";
/// Styles that .NET refuses together.
const CLASHES: [(&str, &str); 4] = [
    ("AssumeLocal", "AssumeUniversal"),
    (ROUNDTRIP, "AssumeLocal"),
    (ROUNDTRIP, "AssumeUniversal"),
    (ROUNDTRIP, "AdjustToUniversal"),
];
