//! The wait that an answer asks for.

/// A `Retry-After` in seconds: given as such, or as a date, which is held against the server's own clock (RFC 9110 §10.2.3).
pub fn seconds_from(asked: &str, now: Option<&str>) -> Option<u64> {
    if let Ok(seconds) = asked.trim().parse() {
        return Some(seconds);
    }
    let seconds = moment(asked)?.duration_since(moment(now?)?).as_secs();
    Some(u64::try_from(seconds).unwrap_or(0))
}

/// An HTTP date (RFC 9110 §5.6.7).
fn moment(text: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()
}
