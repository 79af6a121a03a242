//! `expression`: an expression evaluated on an object of the directory or on a sample.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{anyhow, bail};
use directory::AttributeType;
use mapping::cases::{Sample, instant};
use mapping::{
    Candidates, EvaluationError, Expression, Language, NoJson, ObjectType, Outcome as Evaluated, Overridden,
    ParseError, Source, Value, World as Asked, nearest,
};
use provisioning::{Availability, REDACTED, SourceObject, unknown_attribute, why_failed};
use serde_json::{Value as Json, json};
use store::ObjectKind;

use super::attribute_values::attribute_values;
use super::{expression_check, find};
use crate::cli::{EvalArgs, ExpressionCommand};
use crate::files::{STANDARD, read_text, shown};
use crate::outcome::{Outcome, usage};
use crate::output::{Output, note};
use crate::world::{World, now, random};

/// Longest expression that is read, in bytes; its characters are counted when it is parsed.
const EXPRESSION_BYTES_MAX: u64 = 64 * 1024;
/// Longest sample in bytes.
const SAMPLE_BYTES_MAX: u64 = 4 << 20;

/// Whether the command looks into the directory; the others need no data folder.
pub fn needs_data(command: &ExpressionCommand) -> bool {
    match command {
        ExpressionCommand::Eval(args) => args.user.is_some() || args.group.is_some() || args.app.is_some(),
        ExpressionCommand::Check { .. } | ExpressionCommand::Functions { .. } => false,
    }
}

/// Carries out a command that needs no data.
pub fn run_alone(command: &ExpressionCommand, default_domain: Option<&str>, output: Output) -> anyhow::Result<Outcome> {
    match command {
        ExpressionCommand::Eval(args) => {
            let object = Object::of_file(args)?;
            let trial = Trial::read(args, &object, Language { extensions: args.extensions })?;
            let given = trial.evaluate(object.sample(), default_domain);
            trial.show(args, output, given)
        }
        ExpressionCommand::Check { file, extensions } => expression_check::run(file, *extensions, output),
        ExpressionCommand::Functions { name } => functions(output, name.as_deref()),
    }
}

/// Carries out `expression eval` on the directory.
pub async fn run(command: ExpressionCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let engine = world.engine()?;
    let ExpressionCommand::Eval(args) = command else { return run_alone(&command, engine.default_domain(), output) };
    let app = match &args.app {
        Some(name) => Some(find::application(world, name).await?.id),
        None => None,
    };
    let object = match (&args.user, &args.group) {
        (Some(name), _) => {
            let id = find::user_by_any_name(world, name).await?.id.into();
            Object::Kept(ObjectType::User, Box::new(engine.source_object(app, ObjectKind::User, id).await?))
        }
        (None, Some(name)) => {
            let id = find::group(world, name).await?.id.into();
            Object::Kept(ObjectType::Group, Box::new(engine.source_object(app, ObjectKind::Group, id).await?))
        }
        (None, None) => Object::of_file(&args)?,
    };
    let mappings = match app {
        Some(app) => engine.mappings(app).await?,
        None => Vec::new(),
    };
    let mapping = mappings.iter().find(|mapping| mapping.source_object == object.kind());
    let extensions = args.extensions || mapping.is_some_and(|mapping| mapping.extensions);
    let trial = Trial::read(&args, &object, Language { extensions })?;
    let mut given = trial.evaluate(object.sample(), engine.default_domain());
    if let (Some(app), Given::Candidates(candidates, found @ None)) = (app, &mut given) {
        let target = trial.target(&args, mapping)?;
        *found = Some(engine.first_free(app, object.kind(), &target, candidates).await?);
    }
    trial.show(&args, output, given)
}

/// What an expression reads.
enum Object {
    Kept(ObjectType, Box<SourceObject>),
    Sample(Sample),
    Nothing,
}

impl Object {
    fn of_file(args: &EvalArgs) -> anyhow::Result<Self> {
        let Some(file) = &args.input else { return Ok(Self::Nothing) };
        if file.as_os_str() == STANDARD && args.expression == STANDARD {
            return Err(usage("the expression and --input cannot both come from standard input"));
        }
        let shown = shown(file);
        let text = read_text(file, "the sample in", SAMPLE_BYTES_MAX, "holds no sample")?;
        let object = serde_json::from_str(&text);
        let object = object.map_err(|error| {
            usage(format!("{shown} holds no JSON object of attributes: {}", NoJson::of(&text, &error)))
        })?;
        Sample::new(object).map(Self::Sample).map_err(|error| usage(format!("{shown}: {error}")))
    }

    const fn kind(&self) -> ObjectType {
        match self {
            Self::Kept(kind, _) => *kind,
            Self::Sample(_) | Self::Nothing => ObjectType::User,
        }
    }

    const fn sample(&self) -> Option<&Sample> {
        match self {
            Self::Sample(sample) => Some(sample),
            Self::Kept(..) | Self::Nothing => None,
        }
    }

    /// What an attribute lacks here that a cycle has.
    fn of_others(&self, name: &str) -> Option<String> {
        match (self, name) {
            (Self::Kept(ObjectType::Group, _), "members") => Some(
                "`members` is null here: it holds references, which only a mapping of its own writes; lockstep mapping test --group shows them".to_owned(),
            ),
            (Self::Kept(ObjectType::User, kept), "appRoleAssignments")
                if matches!(kept.attribute(name), Value::List(roles) if roles.is_empty()) =>
            {
                Some("`appRoleAssignments` is empty here; roles are those at an application that whoever is assigned has, so name it with --app".to_owned())
            }
            _ => None,
        }
    }

    /// What is wrong with the name of an attribute that is read, as a sentence.
    fn complaint(&self, name: &str) -> Option<String> {
        let unknown = || unknown_attribute(self.kind(), name);
        match self {
            Self::Kept(..) => {
                let end = |problem: &str| if problem.ends_with('?') { " It is null here" } else { "; it is null here" };
                unknown().map(|problem| format!("`{name}` {problem}{}", end(&problem))).or_else(|| self.of_others(name))
            }
            Self::Nothing => {
                Some(format!("`{name}` is null, because no object is named; say --user, --group or --input"))
            }
            Self::Sample(sample) if sample.attributes.contains_key(name) => None,
            Self::Sample(sample) => {
                let meant = nearest(name, sample.attributes.keys().map(String::as_str));
                // What a sample leaves out is null, so only a name that nothing has is worth a word.
                let meant = meant
                    .map(|meant| format!("; did you mean `{meant}`?"))
                    .or_else(|| unknown().map(|_| String::new()));
                meant.map(|meant| format!("the sample has no attribute `{name}`, so it is null here{meant}"))
            }
        }
    }
}

impl Source for Object {
    fn attribute(&self, name: &str) -> Value {
        match self {
            Self::Kept(_, object) => object.attribute(name),
            Self::Sample(sample) => sample.attribute(name),
            Self::Nothing => Value::Null,
        }
    }
}

/// What an expression gave.
enum Given {
    Value(Value),
    Candidates(Candidates, Option<Availability>),
    DropAttribute,
    DropObject,
    Unparsed(ParseError),
    Failed(EvaluationError),
}

/// An expression with what it is evaluated on.
struct Trial<'a> {
    text: String,
    parsed: Result<Expression, ParseError>,
    source: Overridden<'a>,
    now: Option<jiff::Timestamp>,
    warnings: Vec<String>,
}

impl<'a> Trial<'a> {
    fn read(args: &EvalArgs, object: &'a Object, language: Language) -> anyhow::Result<Self> {
        let text = if args.expression == STANDARD {
            read_text(Path::new(STANDARD), "the expression in", EXPRESSION_BYTES_MAX, "is no expression")?
        } else {
            args.expression.clone()
        };
        let text = text.trim_end_matches(['\r', '\n']).to_owned();
        let now = match args.now.as_deref().map(|text| (text, instant(text))) {
            Some((text, None)) => {
                return Err(usage(format!("--now {text:?} is no instant; write 2026-10-21T08:00:00Z, or 2026-10-21")));
            }
            other => other.and_then(|(_, now)| now),
        };
        let values: BTreeMap<_, _> = attribute_values(&args.set)?.into_iter().map(typed).collect();
        let parsed = Expression::parse_with(&text, language);
        let read = parsed.iter().flat_map(Expression::attributes).filter(|name| !values.contains_key(*name));
        let mut warnings: Vec<String> = read.filter_map(|name| object.complaint(name)).collect();
        warnings.extend(parsed.iter().flat_map(|parsed| unread(parsed, values.keys())));
        if parsed.is_err() && Expression::parse_with(&text, Language::EXTENDED).is_ok() {
            warnings.push("it calls a function that only Lockstep has; --extensions lets it do so here".to_owned());
        }
        Ok(Self { text, parsed, source: Overridden { object, values }, now, warnings })
    }

    fn evaluate(&self, sample: Option<&Sample>, default_domain: Option<&str>) -> Given {
        let expression = match &self.parsed {
            Ok(expression) => expression,
            Err(error) => return Given::Unparsed(error.clone()),
        };
        let now = self.now.or_else(|| sample?.now).unwrap_or_else(now);
        let default_domain = sample.and_then(|sample| sample.default_domain.as_deref()).or(default_domain);
        let world = Asked { now, default_domain, random: &random };
        match expression.evaluate(&self.source, &world) {
            Ok(Evaluated::Value(value)) => Given::Value(value),
            Ok(Evaluated::DropAttribute) => Given::DropAttribute,
            Ok(Evaluated::DropObject) => Given::DropObject,
            Ok(Evaluated::Unique(candidates)) => {
                let told = sample.filter(|sample| sample.taken.is_some());
                let found = told.map(|sample| availability(&candidates, |value| sample.is_taken(value)));
                Given::Candidates(candidates, found)
            }
            Err(error) => Given::Failed(error),
        }
    }

    /// The target attribute in which the value is to be unique.
    fn target(&self, args: &EvalArgs, mapping: Option<&mapping::ObjectMapping>) -> anyhow::Result<String> {
        let written = self.parsed.as_ref().map(ToString::to_string).unwrap_or_default();
        let attributes = mapping.into_iter().flat_map(|mapping| &mapping.attributes);
        let same =
            || attributes.into_iter().find(|one| one.source.to_string() == written).map(|one| one.target.clone());
        args.target.clone().or_else(same).ok_or_else(|| {
            usage("no mapping of the application has this expression; say with --target in which target attribute its value is to be unique")
        })
    }

    fn show(&self, args: &EvalArgs, output: Output, mut given: Given) -> anyhow::Result<Outcome> {
        let redacted = self.parsed.as_ref().is_ok_and(Expression::is_redacted);
        if redacted && !args.reveal {
            given.hide();
        }
        if output.is_json() {
            let mut shown = given.json(&self.text);
            shown["redacted"] = json!(redacted);
            shown["warnings"] = json!(self.warnings);
            output.json(&shown)?;
            return Ok(if given.is_error() { Outcome::ProblemsFound } else { Outcome::Done });
        }
        self.warnings.iter().for_each(|warning| note(warning));
        if redacted && !args.reveal {
            note("Redact hides the value; --reveal shows it");
        }
        given.tell(output, &self.text)?;
        Ok(Outcome::Done)
    }
}

fn availability(candidates: &Candidates, is_taken: impl Fn(&str) -> bool) -> Availability {
    let free = candidates.first_free(&is_taken).map(str::to_owned);
    let taken = candidates.values.iter().take_while(|value| Some(*value) != free.as_ref()).cloned().collect();
    Availability { taken, free }
}

impl Given {
    fn hide(&mut self) {
        let hide = |text: &mut String| REDACTED.clone_into(text);
        match self {
            Self::Value(Value::Text(text)) => hide(text),
            Self::Value(Value::List(values)) => values.iter_mut().for_each(hide),
            Self::Candidates(candidates, found) => {
                let found = found.iter_mut().flat_map(|found| found.taken.iter_mut().chain(&mut found.free));
                candidates.values.iter_mut().chain(found).for_each(hide);
            }
            Self::Value(Value::Null) | Self::DropAttribute | Self::DropObject | Self::Unparsed(_) | Self::Failed(_) => {
            }
        }
    }

    fn is_error(&self) -> bool {
        match self {
            Self::Unparsed(_) | Self::Failed(_) => true,
            Self::Candidates(_, found) => found.as_ref().is_some_and(|found| found.free.is_none()),
            Self::Value(_) | Self::DropAttribute | Self::DropObject => false,
        }
    }

    fn json(&self, text: &str) -> Json {
        match self {
            Self::Value(value) => json!({ "outcome": "value", "value": value }),
            Self::DropAttribute => json!({ "outcome": "dropAttribute" }),
            Self::DropObject => json!({ "outcome": "dropObject" }),
            Self::Candidates(candidates, None) => json!({ "outcome": "candidates", "candidates": candidates.values }),
            Self::Candidates(candidates, Some(found)) => match &found.free {
                Some(free) => json!({ "outcome": "value", "value": free, "taken": found.taken }),
                None => json!({ "outcome": "error", "taken": found.taken,
                    "error": { "kind": "evaluation", "message": all_are_taken(candidates) } }),
            },
            Self::Failed(error) => json!({ "outcome": "error", "error": {
                "kind": "evaluation", "message": why_failed(error), "position": error.position(), "pointer": error.pointer(text),
            } }),
            Self::Unparsed(error) => json!({ "outcome": "error", "error": {
                "kind": "parse", "message": error.to_string(), "position": error.position, "suggestion": error.suggestion,
                "pointer": error.pointer(text),
            } }),
        }
    }

    fn tell(self, output: Output, text: &str) -> anyhow::Result<()> {
        match self {
            Self::Value(Value::Null) => output.line("(null)"),
            Self::Value(Value::Text(text)) if text.is_empty() => output.line("(empty text)"),
            Self::Value(Value::Text(text)) => {
                if text.chars().any(|c| c.is_control() && c != '\n') {
                    note(&format!("the value has characters that are not shown; in JSON it is {}", json!(text)));
                }
                output.line(&text)
            }
            Self::Value(Value::List(values)) if values.is_empty() => output.line("(empty list)"),
            Self::Value(Value::List(values)) => values.iter().try_for_each(|value| output.line(value)),
            Self::DropAttribute => output.line("(dropped: the attribute is left out)"),
            Self::DropObject => output.line("(dropped: the whole object is left out)"),
            Self::Candidates(candidates, None) => {
                note("an account gets the first of these that no other has; with --app the target is asked");
                if let Some(error) = &candidates.failure {
                    note(&format!("the rule behind them fails: {error}"));
                }
                candidates.values.iter().try_for_each(|value| output.line(value))
            }
            Self::Candidates(candidates, Some(found)) => {
                let free = found.free.ok_or_else(|| anyhow!(all_are_taken(&candidates)))?;
                found.taken.iter().for_each(|value| note(&format!("another account has {value}")));
                output.line(&free)
            }
            Self::Failed(error) => {
                bail!("{}{}", why_failed(&error), error.pointer(text).as_deref().map(indented).unwrap_or_default())
            }
            Self::Unparsed(error) => bail!("{error}{}", indented(&error.pointer(text))),
        }
    }
}

/// What is given with `--set` and not read, a sentence each.
fn unread<'n>(expression: &Expression, set: impl Iterator<Item = &'n String>) -> Vec<String> {
    let read: Vec<&str> = expression.attributes().into_iter().collect();
    let told = |name: &String| {
        let meant = nearest(name, read.iter().copied()).map(|meant| format!("; did you mean `{meant}`?"));
        format!("`{name}` is given with --set, and the expression does not read it{}", meant.unwrap_or_default())
    };
    set.filter(|name| !read.contains(&name.as_str())).map(told).collect()
}

/// Both lines of a pointer, below a message.
fn indented(pointer: &str) -> String {
    format!("\n    {}", pointer.replace('\n', "\n    "))
}

fn all_are_taken(candidates: &Candidates) -> String {
    if candidates.values.is_empty() {
        return "no rule of SelectUniqueValue gives a value".to_owned();
    }
    let next =
        candidates.failure.as_ref().map_or_else(String::new, |error| format!(", and the next rule fails: {error}"));
    format!("other accounts have every value that SelectUniqueValue gives{next}")
}

/// A value from the command line, of the type that the directory's attribute has.
fn typed((name, value): (String, Option<Json>)) -> (String, Value) {
    let is_boolean = directory::source_attribute(&name).is_some_and(|known| known.kind == AttributeType::Boolean);
    let value = match value {
        Some(Json::String(text)) if is_boolean => text.to_lowercase().parse().map_or(Json::String(text), Json::Bool),
        Some(value) => value,
        None => Json::Null,
    };
    (name, Value::from_json(&value))
}

fn functions(output: Output, name: Option<&str>) -> anyhow::Result<Outcome> {
    let of = |language| mapping::expression::signatures(language).collect::<Vec<_>>();
    let (entra, all) = (of(Language::ENTRA), of(Language::EXTENDED));
    let name_of = |signature: &str| signature.split('(').next().unwrap_or_default().to_owned();
    let wanted = name.unwrap_or_default().to_lowercase();
    let found: Vec<_> = all.iter().filter(|one| name_of(one).to_lowercase().contains(&wanted)).collect();
    if let (Some(name), true) = (name, found.is_empty()) {
        let names: Vec<String> = all.iter().map(|one| name_of(one)).collect();
        let meant = nearest(name, names.iter().map(String::as_str)).map(|meant| format!("; did you mean {meant}?"));
        let told = meant.unwrap_or_else(|| "; lockstep expression functions lists those that there are".to_owned());
        return Err(usage(format!("there is no function {name:?}{told}")));
    }
    if output.is_json() {
        let shown =
            |one: &&String| json!({ "name": name_of(one), "signature": one, "extension": !entra.contains(one) });
        output.json(&found.iter().map(shown).collect::<Vec<_>>())?;
    } else {
        let row = |one: &&String| {
            vec![(*one).clone(), if entra.contains(one) { "Entra's" } else { "an extension" }.to_owned()]
        };
        output.table(&["FUNCTION", "WHOSE"], found.iter().map(row).collect(), "There are no functions")?;
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_command_line_have_the_type_of_the_directory() {
        for (name, value, expected) in [
            ("accountEnabled", Some(json!("false")), Value::from("False")),
            ("accountEnabled", Some(json!("maybe")), Value::from("maybe")),
            ("department", Some(json!("true")), Value::from("true")),
            ("otherMails", Some(json!(["a", "b"])), Value::List(vec!["a".into(), "b".into()])),
            ("department", None, Value::Null),
        ] {
            assert_eq!(typed((name.to_owned(), value)).1, expected, "{name}");
        }
    }
}
