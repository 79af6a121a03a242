//! `mapping`: what each attribute mapping makes of one object.

use std::path::Path;

use mapping::ObjectType;
use provisioning::configuration::CONFIGURATION_BYTES_MAX;
use provisioning::trial::{AttributeTrial, Draft, Effect, Referred};
use provisioning::{Departure, MappingTrial, MappingTrialOf};
use serde_json::{Value, json};
use store::{ObjectId, ObjectKind};

use super::configuration::refused;
use super::find;
use crate::cli::MappingTestArgs;
use crate::files::read_text;
use crate::outcome::{Outcome, usage};
use crate::output::{Output, note};
use crate::shown::text;
use crate::world::World;

/// Names of those that an attribute refers to which are told.
const REFERENCES_TOLD_MAX: usize = 5;

/// Carries out `mapping`.
pub async fn run(args: &MappingTestArgs, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let app = find::application_or_only(world, args.app.as_deref()).await?;
    let (kind, id) = object(args, world).await?;
    let object = if kind == ObjectKind::Group { ObjectType::Group } else { ObjectType::User };
    let draft = match &args.mappings {
        Some(file) => Some(draft(file, object)?),
        None => None,
    };
    let wanted = MappingTrialOf { app: app.id, kind, id, draft, update: args.update };
    let mut trial = world.engine()?.try_mappings(&wanted).await?;
    let hides = !args.reveal && trial.attributes.iter().any(|one| one.redacted);
    if hides {
        trial.attributes = trial.attributes.into_iter().map(AttributeTrial::hidden).collect();
    }
    if output.is_json() {
        let mut shown = serde_json::to_value(&trial)?;
        shown["app"] = json!(app.name);
        output.json(&shown)?;
    } else {
        if hides {
            note("values under Redact, or that the target never tells, are hidden; --reveal shows them");
        }
        show(output, &app.name, &trial)?;
    }
    let failed = matches!(trial.departure, Some(Departure::Fails { .. }))
        || trial.attributes.iter().any(|one| matches!(one.effect, Effect::Error { .. }));
    Ok(if failed || !trial.problems.is_empty() { Outcome::ProblemsFound } else { Outcome::Done })
}

async fn object(args: &MappingTestArgs, world: &World) -> anyhow::Result<(ObjectKind, ObjectId)> {
    Ok(match (&args.user, &args.group) {
        (Some(name), _) => (ObjectKind::User, find::user_by_any_name(world, name).await?.id.into()),
        (None, Some(name)) => (ObjectKind::Group, find::group_or_deleted(world, name).await?.id.into()),
        (None, None) => return Err(usage("name whom to try it on, with --user or --group")),
    })
}

fn draft(file: &Path, object: ObjectType) -> anyhow::Result<Draft> {
    let text = read_text(file, "the mappings in", CONFIGURATION_BYTES_MAX, "holds no mappings")?;
    Draft::read(&text, object).map_err(|bad| refused(file, &bad))
}

fn show(output: Output, app: &str, trial: &MappingTrial) -> anyhow::Result<()> {
    let scope = trial.out_because.as_ref().map_or_else(|| "in scope".to_owned(), |why| format!("out of scope ({why})"));
    output.line(&format!("{} at {app}: {scope}", trial.object))?;
    let account = trial.account.as_ref().map_or_else(String::new, |id| format!(" ({id})"));
    output.line(&match (&trial.departure, trial.ignored, trial.operation) {
        (Some(Departure::Disable), ..) => {
            format!("Its account{account} is switched off, and nothing else of it is written:")
        }
        (Some(Departure::Delete), ..) => format!("Its account{account} is removed"),
        (Some(Departure::Nothing { reason }), ..) => format!("Nothing is written to its account{account}: {reason}"),
        (Some(Departure::Fails { reason }), ..) => {
            format!("Nothing is written to its account{account}, as the object fails: {reason}")
        }
        (None, true, _) => "Nothing is written: a mapping leaves the whole object out (IgnoreObjectFlow)".to_owned(),
        (None, false, "update") => format!("What an update does to its account{account}:"),
        (None, false, _) if trial.account.is_some() => {
            format!("What a new account would get; it has one already{account}, and --update compares with that:")
        }
        (None, false, _) if !trial.in_scope => "What a new account would get if it were in scope:".to_owned(),
        (None, false, _) => "What a new account gets:".to_owned(),
    })?;
    output.line("")?;
    output.table(
        &["ATTRIBUTE", "VALUE", "NOTE", "MATCHES", "FLOW", "MAPPING"],
        trial.attributes.iter().map(row).collect(),
        "There are no attribute mappings",
    )?;
    for one in &trial.attributes {
        if let Effect::Error { reason, pointer, .. } = &one.effect {
            let pointer =
                pointer.as_ref().map_or_else(String::new, |lines| format!("\n    {}", lines.replace('\n', "\n    ")));
            output.line(&format!("\n{}: {reason}{pointer}", one.target))?;
        }
    }
    trial.problems.iter().try_for_each(|problem| output.line(&format!("\nWould not be saved: {problem}")))
}

fn row(one: &AttributeTrial) -> Vec<String> {
    let (value, note) = told(&one.effect);
    let matches = if one.matching_priority == 0 { String::new() } else { one.matching_priority.to_string() };
    let flow = serde_json::to_value(one.flow_type).map(|flow| text(&flow)).unwrap_or_default();
    vec![one.target.clone(), value, note, matches, flow, one.source.clone().unwrap_or_default()]
}

/// The value that the target attribute gets, and a word about it.
fn told(effect: &Effect) -> (String, String) {
    let held =
        |before: &Option<Value>| before.as_ref().map_or_else(|| "new".to_owned(), |held| format!("was {}", text(held)));
    match effect {
        Effect::Value { value, from_default } => {
            (text(value), if *from_default { "the default" } else { "" }.to_owned())
        }
        Effect::FirstFree { candidates, taken, free, problem } => {
            let value = free.clone().unwrap_or_else(|| candidates.join(" | "));
            let others = if taken.is_empty() { String::new() } else { format!("; taken: {}", taken.join(", ")) };
            let problem = problem.clone().unwrap_or_default();
            (value, if free.is_some() { format!("the first that is free{others}") } else { problem })
        }
        Effect::Change { before, after, joins: true } => {
            (text(after), format!("joins {}", before.as_ref().map_or_else(|| "nothing".to_owned(), text)))
        }
        Effect::Change { before, after, joins: false } => (text(after), held(before)),
        Effect::Same { value } => (text(value), "unchanged".to_owned()),
        Effect::Clear { before } => (String::new(), format!("removed, {}", held(before))),
        Effect::Nothing { reason } => (String::new(), format!("left out: {}", reason.as_str())),
        Effect::Reference { to, more } => {
            let mut names: Vec<String> = to.iter().take(REFERENCES_TOLD_MAX).map(|one| one.name.clone()).collect();
            match to.len().saturating_sub(REFERENCES_TOLD_MAX) {
                0 if *more => names.push("…".to_owned()),
                0 => {}
                rest => names.push(format!("and {rest} more{}", if *more { " at the least" } else { "" })),
            }
            (names.join("; "), references(to))
        }
        Effect::SkipsObject => (String::new(), "leaves the whole object out".to_owned()),
        Effect::Error { .. } => (String::new(), "error, see below".to_owned()),
    }
}

fn references(to: &[Referred]) -> String {
    let waiting = to.iter().filter(|one| one.account.is_none()).count();
    match (waiting, to.len()) {
        (0, _) => "a reference".to_owned(),
        (1, 1) => "a reference, which waits until there is an account for it".to_owned(),
        (waiting, _) => format!("references; {waiting} wait until there is an account for them"),
    }
}
