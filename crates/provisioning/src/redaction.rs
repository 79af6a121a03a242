//! Values that logs must not show (`Redact`): hidden in texts that a target wrote, and in requests that are foretold. What
//! a log record shows of changed properties is made in `cycle::record`.

use serde_json::Value;

use crate::object_plan::{Difference, Failure, MatchValue, Wish};
use crate::target::{CUT, CallError};

/// What stands in place of a redacted value.
pub const REDACTED: &str = "[Redact]";
/// Shortest text, in bytes, that is hidden wherever it stands. A shorter one is hidden where it stands alone: to cut `12`
/// out of `4123` would hide nothing and leave a text that nobody can read.
const ANYWHERE_BYTES_MIN: usize = 4;

/// Texts that must not be shown.
#[derive(Clone, Default)]
pub struct Redacted(Vec<String>);

impl Redacted {
    /// The redacted ones among values.
    pub fn of(wishes: &[Wish<'_>], matches: &[MatchValue<'_>]) -> Self {
        let mut redacted = Self::default();
        for wish in wishes.iter().filter(|wish| wish.redacted) {
            redacted.add(&wish.value);
            wish.unique.iter().flat_map(|unique| &unique.values).for_each(|value| redacted.add_text(value));
        }
        matches.iter().filter(|wanted| wanted.redacted).for_each(|wanted| redacted.add_text(&wanted.value));
        redacted.longest_first()
    }

    /// The redacted ones among changes, before and after.
    pub fn of_differences(differences: &[Difference<'_>]) -> Self {
        let mut redacted = Self::default();
        for difference in differences.iter().filter(|difference| difference.redacted) {
            difference.before.iter().chain(&difference.after).for_each(|value| redacted.add(value));
        }
        redacted.longest_first()
    }

    /// These texts.
    pub fn of_texts(texts: impl Iterator<Item = String>) -> Self {
        let mut redacted = Self::default();
        texts.for_each(|text| redacted.add_text(&text));
        redacted.longest_first()
    }

    /// With others.
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self.longest_first()
    }

    fn add(&mut self, value: &Value) {
        let mut left = vec![value];
        while let Some(value) = left.pop() {
            match value {
                Value::String(text) => self.add_text(text),
                Value::Number(number) => self.add_text(&number.to_string()),
                Value::Array(elements) => left.extend(elements),
                Value::Object(object) => left.extend(object.values()),
                Value::Bool(_) | Value::Null => {}
            }
        }
    }

    /// A text as it is, and as it stands inside JSON, also where that is a text inside JSON.
    fn add_text(&mut self, text: &str) {
        let once = inside_json(text);
        let ascii = in_ascii(&once);
        for form in [inside_json(&once), inside_json(&ascii), ascii, once, text.to_owned()] {
            if !form.is_empty() && !self.0.contains(&form) {
                self.0.push(form);
            }
        }
    }

    /// So that no rest of a text stays because a part of it was hidden first.
    fn longest_first(mut self) -> Self {
        self.0.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        self.0.dedup();
        self
    }

    /// A text without them. Targets change the case of what they are sent; that hides nothing.
    pub fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |shown, secret| hidden(&shown, secret))
    }

    /// A failure that does not tell them.
    pub fn hide_in(&self, failure: &Failure) -> Failure {
        Failure { code: failure.code, reason: self.hide(&failure.reason) }
    }

    /// An error that does not tell them.
    pub fn hide_in_error(&self, error: CallError) -> CallError {
        match error {
            CallError::Refused(failure) => CallError::Refused(self.hide_in(&failure)),
            CallError::Unknown(failure) => CallError::Unknown(self.hide_in(&failure)),
            CallError::Job(problem) => CallError::Job(problem),
        }
    }
}

/// A text as it stands between the quotes of a JSON text.
fn inside_json(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A JSON text as those write it who write ASCII alone.
fn in_ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            let mut units = [0; 2];
            ascii.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    ascii
}

fn hidden(text: &str, secret: &str) -> String {
    // The same length in bytes as before, so that places stay.
    let (lower, secret) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in lower.match_indices(&secret) {
        let end = at + secret.len();
        if secret.len() >= ANYWHERE_BYTES_MIN || stands_alone(text, at, end) {
            shown.push_str(&text[from..at]);
            shown.push_str(REDACTED);
            from = end;
        }
    }
    shown.push_str(&text[from..]);
    without_begun(&shown, &secret)
}

/// A text without the beginnings of a secret that long answers were cut in.
fn without_begun(text: &str, secret: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in lower.match_indices(CUT) {
        let begun = |length: &usize| secret.is_char_boundary(*length) && lower[from..at].ends_with(&secret[..*length]);
        let length = (ANYWHERE_BYTES_MIN..secret.len()).rev().find(begun).unwrap_or(0);
        shown.push_str(&text[from..at - length]);
        shown.push_str(if length > 0 { REDACTED } else { "" });
        from = at;
    }
    shown.push_str(&text[from..]);
    shown
}

fn stands_alone(text: &str, at: usize, end: usize) -> bool {
    let before = text[..at].chars().next_back();
    let after = text[end..].chars().next();
    !before.into_iter().chain(after).any(char::is_alphanumeric)
}

/// Values as a preview may tell them.
pub fn shown_wishes<'p>(wishes: &[Wish<'p>]) -> Vec<Wish<'p>> {
    let shown =
        |wish: &Wish<'p>| if wish.redacted { Wish { value: REDACTED.into(), ..wish.clone() } } else { wish.clone() };
    wishes.iter().map(shown).collect()
}

/// Changes as a preview may tell them.
pub fn shown_differences<'p>(differences: &[Difference<'p>]) -> Vec<Difference<'p>> {
    let mut shown = differences.to_vec();
    for difference in shown.iter_mut().filter(|difference| difference.redacted) {
        difference.after = difference.after.take().map(|_| REDACTED.into());
    }
    shown
}

#[cfg(test)]
mod tests {
    use mapping::{FlowType, ObjectType};
    use serde_json::json;

    use super::*;
    use crate::target_path::TargetPath;

    fn redacted(value: Value) -> Redacted {
        let path = TargetPath::parse("title", ObjectType::User).unwrap();
        Redacted::of(
            &[Wish {
                path: &path,
                value,
                redacted: true,
                always: false,
                unique: None,
                flow_type: FlowType::Always,
                roles: None,
            }],
            &[],
        )
    }

    #[test]
    fn values_are_hidden_in_what_a_target_says() {
        let cases = [
            (json!("hush-one"), "title hush-one is too long", "title [Redact] is too long"),
            (json!("hush-one"), "HUSH-ONE/hush-one", "[Redact]/[Redact]"),
            (json!("a\"b\\c"), r#"{"title":"a\"b\\c"}"#, r#"{"title":"[Redact]"}"#),
            (json!("a\"b"), r#"{"detail":"{\"title\":\"a\\\"b\"}"}"#, r#"{"detail":"{\"title\":\"[Redact]\"}"}"#),
            (json!("tårta"), r#"{"title":"t\u00e5rta"} or tårta"#, r#"{"title":"[Redact]"} or [Redact]"#),
            (json!([{ "value": "hush-one", "type": "work" }]), "hush-one at work", "[Redact] at [Redact]"),
            (json!([{ "value": "hush" }, { "value": "hush-one" }]), "hush-one, hush", "[Redact], [Redact]"),
            // Short ones only where they are words of their own.
            (json!("12"), "12 is no PIN, 4123 is (12)", "[Redact] is no PIN, 4123 is ([Redact])"),
            (json!(12), "level 12", "level [Redact]"),
            // Nothing is learned from these.
            (json!(true), "True is true", "True is true"),
            (json!(""), "nothing", "nothing"),
        ];
        for (value, text, expected) in cases {
            assert_eq!(redacted(value.clone()).hide(text), expected, "{value}");
        }
    }

    #[test]
    fn a_value_that_a_long_answer_was_cut_in_is_hidden_too() {
        for (text, expected) in [
            ("title hush-o…", "title [Redact]…"),
            ("HUSH-ONE, then HUSH-on…", "[Redact], then [Redact]…"),
            ("detail: hush-on…\nbody: hush…", "detail: [Redact]…\nbody: [Redact]…"),
            ("hush-o, hus…", "hush-o, hus…"),
            ("hush-one…", "[Redact]…"),
        ] {
            assert_eq!(redacted(json!("hush-one")).hide(text), expected, "{text}");
        }
        assert_eq!(redacted(json!("tårta")).hide("tår…"), "[Redact]…");
    }

    #[test]
    fn nothing_else_is_changed() {
        let path = TargetPath::parse("title", ObjectType::User).unwrap();
        let open = Wish {
            path: &path,
            value: json!("open"),
            redacted: false,
            always: false,
            unique: None,
            flow_type: FlowType::Always,
            roles: None,
        };
        assert_eq!(Redacted::of(&[open], &[]).hide("open É"), "open É");
    }
}
