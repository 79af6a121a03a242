//! What is told of a mapping that fails: which call it was, and what the attributes held that it read.

use mapping::{AttributeMapping, EvaluationError, Expression, Language, MappingSource, Source, Value, World};

use super::{Failure, ObjectPlan, is_kept_secret};
use crate::redaction::{REDACTED, Redacted};
use crate::target_path::{TargetPath, Unfit};
use crate::validation::why_failed;

/// Attributes of a call that are told with what they hold.
const ATTRIBUTES_MAX: usize = 3;
/// Longest text of a call, or of a value, in characters; longer ones are cut.
const SHOWN_CHARS_MAX: usize = 80;

/// The source of a mapping as it is printed, with how it fails there: for somebody who is shown that text. `None` where it does not fail when it is evaluated once more, as one
/// that is made by chance may not.
pub fn failing_place(
    attribute: &AttributeMapping,
    source: &dyn Source,
    world: &World<'_>,
) -> Option<(String, EvaluationError)> {
    let written = attribute.source.to_string();
    let parsed = MappingSource::parse_with(&written, Language::EXTENDED).ok()?;
    parsed.evaluate(source, world).err().map(|error| (written, error))
}

/// A mapping, and the target attribute that it is of.
type Mapped<'m> = (&'m AttributeMapping, &'m TargetPath);

impl ObjectPlan {
    pub(super) fn evaluation_failure(
        &self,
        (attribute, path): Mapped<'_>,
        (source, world): (&dyn Source, &World<'_>),
        error: &EvaluationError,
    ) -> Failure {
        let shown = attribute.source.failing_call(error).map(|call| {
            if path.is_write_only() || makes_secret(attribute, &call, error) {
                return format!("; it was called as {}(…)", call.function().unwrap_or_default());
            }
            let hidden = self.secrets.texts(source, world);
            let held = if is_kept_secret(attribute, path) { String::new() } else { self.held(&call, source, &hidden) };
            format!("; it was called as {}{held}", cut(&hidden.hide(&call.to_string())))
        });
        let reason =
            format!("the mapping of {} failed: {}{}", path.text(), why_failed(error), shown.unwrap_or_default());
        Failure { code: "AttributeMappingEvaluation", reason }
    }

    pub(super) fn cannot_take(
        &self,
        (attribute, path): Mapped<'_>,
        (source, world): (&dyn Source, &World<'_>),
        unfit: &Unfit,
    ) -> Failure {
        let is_secret = path.is_write_only() || self.secrets.are_shown_by(&attribute.source);
        let why = unfit.reason(is_secret, &self.secrets.texts(source, world));
        let reason = format!("{} cannot take the mapped value: {why}", path.text());
        Failure { code: "SchemaPropertyCanOnlyAcceptValue", reason }
    }

    /// What the attributes hold that a call reads, but for what any mapping keeps secret.
    fn held(&self, call: &Expression, source: &dyn Source, hidden: &Redacted) -> String {
        let names = call.attributes().into_iter().take(ATTRIBUTES_MAX);
        let held = names.map(|name| {
            let value =
                if self.secrets.hold(name) { REDACTED.to_owned() } else { shown(&source.attribute(name), hidden) };
            format!("[{name}] is {value}")
        });
        let held: Vec<String> = held.collect();
        if held.is_empty() { String::new() } else { format!(", where {}", held.join(" and ")) }
    }
}

/// Whether a call that failed stands under `Redact`, or works with what does: what is written there is as secret as what it yields.
fn makes_secret(attribute: &AttributeMapping, call: &Expression, error: &EvaluationError) -> bool {
    let is_under = |inner: &Expression| error.position().and_then(|position| inner.call_at(position)).is_some();
    call.is_redacted() || attribute.source.redacted().iter().any(is_under)
}

fn shown(value: &Value, hidden: &Redacted) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("\"{}\"", cut(&hidden.hide(text))),
        Value::List(values) => format!("\"{}\"", cut(&hidden.hide(&values.join("; ")))),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use mapping::ObjectMapping;
    use serde_json::{Map, json};

    use super::*;

    /// How the mapping of `title` fails, beside a mapping of `nickName`.
    fn failure(title: &str, nick_name: &str, person: &serde_json::Value) -> String {
        failure_of(
            &json!([{ "target": "title", "source": title }, { "target": "nickName", "source": nick_name }]),
            person,
        )
    }

    /// How one of these mappings fails, of a target that never tells `pin`.
    fn failure_of(attributes: &serde_json::Value, person: &serde_json::Value) -> String {
        let mapping: ObjectMapping = serde_json::from_value(json!({
            "sourceObject": "User", "targetObject": "User", "attributes": attributes,
            "targetAttributes": [{ "name": "urn:example:pin", "mutability": "WriteOnly" }],
        }))
        .unwrap();
        let plan = ObjectPlan::new(mapping).unwrap();
        let person: Map<_, _> = serde_json::from_value(person.clone()).unwrap();
        let world = World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
        let desired = plan.desired(&person, &world, mapping::Operation::Create);
        desired.err().map_or_else(String::new, |failure| failure.reason)
    }

    #[test]
    fn a_failure_tells_the_call_and_what_it_read() {
        let deep = format!("CDate({}[jobTitle]{})", "ToLower(".repeat(40), ")".repeat(40));
        let long = format!(", where [mail] is \"{}…\"", "a".repeat(80));
        let person = json!({ "jobTitle": "foo", "city": "Rome", "department": "Rome x", "mail": "a".repeat(90) });
        for (title, nick_name, told) in [
            ("CDate([jobTitle])", "[city]", "; it was called as CDate([jobTitle]), where [jobTitle] is \"foo\""),
            (
                "Join(\") \", [city], CDate(Append([jobTitle], \")\")))",
                "[city]",
                "; it was called as CDate(Append([jobTitle], \")\")), where [jobTitle] is \"foo\"",
            ),
            ("CDate([mail])", "[city]", long.as_str()),
            (deep.as_str(), "[city]", "ToLower(ToLower(To…, where [jobTitle] is \"foo\""),
            ("CDate(\"foo\")", "[city]", "; it was called as CDate(\"foo\")"),
            ("Redact(CDate([jobTitle]))", "[city]", "; it was called as CDate(…)"),
            ("Redact(Mid(Join(\"\", \"Pepper!\", [city]), [jobTitle], 8))", "[city]", "; it was called as Mid(…)"),
            ("Mid(Redact(Join(\"\", \"Pepper!\", [city])), [jobTitle], 8)", "[city]", "; it was called as Mid(…)"),
            ("Join(\"-\", Redact(\"Pepper!\"), CDate([jobTitle]))", "[city]", "; it was called as CDate([jobTitle])"),
            ("CDate([jobTitle])", "Redact([jobTitle])", ", where [jobTitle] is [Redact]"),
            // The same text in another attribute, or in the expression itself.
            ("CDate([city])", "Redact(Append(\"Ro\", \"me\"))", ", where [city] is \"[Redact]\""),
            ("CDate([department])", "Redact([city])", ", where [department] is \"[Redact] x\""),
            ("CDate(Redact(\"hush\"))", "[city]", "; it was called as CDate(…)"),
            // What decides whether there is a secret is none.
            (
                "CDate([department])",
                "IIF([department] = \"\", Redact([mail]), \"\")",
                ", where [department] is \"Rome x\"",
            ),
            ("DefaultDomain()", "[city]", "there is no default domain; set `default_domain` in lockstep.toml"),
        ] {
            let reason = failure(title, nick_name, &person);
            assert!(reason.starts_with("the mapping of title failed: `"), "{reason}");
            assert!(reason.ends_with(told), "{reason}");
        }
    }

    #[test]
    fn a_failure_tells_nothing_of_what_the_target_never_tells() {
        let person = json!({ "jobTitle": "hush-1", "city": "hush-1 in Rome", "mail": "ann@contoso.com" });
        for (target, source, title, told) in [
            ("password", "[jobTitle]", "CDate([jobTitle])", ", where [jobTitle] is [Redact]"),
            ("urn:example:pin", "[jobTitle]", "CDate([jobTitle])", ", where [jobTitle] is [Redact]"),
            ("password", "Append([jobTitle], \"-x\")", "CDate([city])", ", where [city] is \"[Redact] in Rome\""),
            ("password", "CDate([jobTitle])", "[city]", "; it was called as CDate(…)"),
            ("password", "Mid(Append(\"Pepper!\", [city]), [jobTitle], 8)", "[city]", "; it was called as Mid(…)"),
            ("urn:example:pin", "Append(\"Pepper!\", CDate([jobTitle]))", "[city]", "; it was called as CDate(…)"),
            ("nickName", "[jobTitle]", "CDate([jobTitle])", ", where [jobTitle] is \"hush-1\""),
        ] {
            let hidden = json!({ "target": target, "source": source });
            let reason = failure_of(&json!([{ "target": "title", "source": title }, hidden]), &person);
            assert!(reason.ends_with(told), "{target} {source}: {reason}");
        }
        let beside = json!([
            { "target": "title", "source": "CDate([city])" },
            { "target": "password", "source": "[department]", "defaultValue": "hush-1" },
        ]);
        assert!(failure_of(&beside, &person).ends_with(", where [city] is \"[Redact] in Rome\""));
    }
}
