//! Which part of a list is wanted: by index (RFC 7644 §3.4.2.4) or by cursor (RFC 9865).

use std::num::IntErrorKind;

use scim::ScimError;

use super::{COUNT_DEFAULT, COUNT_MAX};

/// What a client says of a list, as it was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListQuery<'a> {
    /// Which resources (RFC 7644 §3.4.2.2).
    pub filter: Option<&'a str>,
    /// In which order (§3.4.2.3).
    pub sort_by: Option<&'a str>,
    /// `ascending` or `descending`.
    pub sort_order: Option<&'a str>,
    /// The number of the first one on the page, from 1.
    pub start_index: Option<&'a str>,
    /// Most resources on the page. That of the first page holds for those that a cursor asks for (RFC 9865 §2.1).
    pub count: Option<&'a str>,
    /// The cursor of the page; empty for the first one (RFC 9865 §2).
    pub cursor: Option<&'a str>,
}

/// How a page is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paging<'a> {
    /// By the number of its first resource, from 1.
    Index(u64),
    /// By a cursor, which is empty for the first page.
    Cursor(&'a str),
}

impl<'a> Paging<'a> {
    /// Reads the page and how many resources it may have: `startIndex` below 1 means 1, `count` below 0 means 0 and above
    /// [`COUNT_MAX`] that.
    pub(super) fn read(query: &ListQuery<'a>) -> Result<(Self, u32), ScimError> {
        let refuse_count = |error: ScimError| match query.cursor {
            Some(_) => ScimError::invalid_count(error.detail),
            None => error,
        };
        let count = number("count", query.count, i64::from(COUNT_DEFAULT)).map_err(refuse_count)?;
        let count = u32::try_from(count.clamp(0, i64::from(COUNT_MAX))).unwrap_or(COUNT_MAX);
        let paging = match (query.cursor, query.start_index) {
            (Some(_), Some(_)) => {
                return Err(ScimError::invalid_value("a page is asked for by startIndex or by cursor, not by both"));
            }
            (Some(cursor), None) => Self::Cursor(cursor),
            (None, start) => Self::Index(u64::try_from(number("startIndex", start, 1)?.max(1)).unwrap_or(1)),
        };
        Ok((paging, count))
    }
}

fn number(name: &str, text: Option<&str>, default: i64) -> Result<i64, ScimError> {
    let Some(text) = text else { return Ok(default) };
    whole(text.trim()).ok_or_else(|| ScimError::invalid_value(format!("{name} must be a whole number")))
}

/// A whole number, also one with an exponent, as JSON may write it. Beyond the range is beyond every list.
fn whole(text: &str) -> Option<i64> {
    let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let number = match digits.parse::<i64>() {
        Ok(number) => number,
        Err(error) => match error.kind() {
            IntErrorKind::PosOverflow => i64::MAX,
            IntErrorKind::NegOverflow => i64::MIN,
            _ => return None,
        },
    };
    let is_exponent = exponent.strip_prefix('+').unwrap_or(exponent).bytes().all(|byte| byte.is_ascii_digit());
    // One that is too long to be read is beyond the range too.
    let exponent = exponent.parse::<u32>().or(if is_exponent && exponent.len() > 1 { Ok(u32::MAX) } else { Err(()) });
    Some(number.saturating_mul(10_i64.saturating_pow(exponent.ok()?)))
}

#[cfg(test)]
mod tests {
    use scim::ScimType;

    use super::*;

    fn read<'a>(
        start_index: Option<&'a str>,
        count: Option<&'a str>,
        cursor: Option<&'a str>,
    ) -> Result<(Paging<'a>, u32), ScimType> {
        let query = ListQuery { start_index, count, cursor, ..ListQuery::default() };
        Paging::read(&query).map_err(|error| error.scim_type)
    }

    #[test]
    fn pages_by_index() {
        for (start, count, expected) in [
            (None, None, Ok((1, COUNT_DEFAULT))),
            (Some("-5"), Some("-1"), Ok((1, 0))),
            (Some("0"), Some("0"), Ok((1, 0))),
            (Some("7"), Some(" 5 "), Ok((7, 5))),
            (Some("9223372036854775808"), Some("9223372036854775807"), Ok((9_223_372_036_854_775_807, COUNT_MAX))),
            (None, Some("18446744073709551616"), Ok((1, COUNT_MAX))),
            (None, Some("-18446744073709551616"), Ok((1, 0))),
            (Some("1E+1"), Some("1e30"), Ok((10, COUNT_MAX))),
            (Some("-1e99999999999"), Some("2e0"), Ok((1, 2))),
            (None, Some("1e"), Err(ScimType::InvalidValue)),
            (None, Some("1e+"), Err(ScimType::InvalidValue)),
            (None, Some("1e-1"), Err(ScimType::InvalidValue)),
            (None, Some("e1"), Err(ScimType::InvalidValue)),
            (None, Some("abc"), Err(ScimType::InvalidValue)),
            (None, Some(""), Err(ScimType::InvalidValue)),
            (None, Some("0x10"), Err(ScimType::InvalidValue)),
            (Some("1.5"), None, Err(ScimType::InvalidValue)),
        ] {
            let expected = expected.map(|(start, count)| (Paging::Index(start), count));
            assert_eq!(read(start, count, None), expected, "{start:?} {count:?}");
        }
    }

    #[test]
    fn pages_by_cursor() {
        for (count, expected) in [
            (None, Ok(COUNT_DEFAULT)),
            (Some("0"), Ok(0)),
            (Some("-3"), Ok(0)),
            (Some("5000"), Ok(COUNT_MAX)),
            (Some("many"), Err(ScimType::InvalidCount)),
            (Some(""), Err(ScimType::InvalidCount)),
        ] {
            assert_eq!(read(None, count, Some("x")), expected.map(|count| (Paging::Cursor("x"), count)), "{count:?}");
        }
        assert_eq!(read(Some("1"), None, Some("")), Err(ScimType::InvalidValue));
    }
}
