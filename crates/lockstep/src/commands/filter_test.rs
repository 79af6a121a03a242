//! `filter`: who is in scope and who is out, and by which clause.

use std::ops::ControlFlow;

use directory::Application;
use mapping::{ObjectType, ScopingFilters, Value};
use provisioning::configuration::{CONFIGURATION_BYTES_MAX, filters_of};
use provisioning::trial::ScopeTally;
use provisioning::{Engine, ScopeSetting, ScopeTrial, ScopeTrialOf, Scoped};
use serde_json::json;
use store::ObjectId;

use super::configuration::refused;
use super::pages::tell_more;
use super::{filter_operators, find};
use crate::cli::{FilterCommand, FilterTestArgs, ScopeName, Side};
use crate::files::read_text;
use crate::outcome::Outcome;
use crate::output::{Output, note, write_raw};
use crate::progress::{Bar, Unit};
use crate::world::World;

/// Objects after which the progress bar moves.
const BAR_STEP: u64 = 100;
/// Rows of a long list that are printed together.
const ROWS_TOGETHER: usize = 500;
const HEAD: [&str; 4] = ["OBJECT", "SCOPE", "WHY", "ID"];

/// Carries out `filter` on the directory.
pub async fn run(command: FilterCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let FilterCommand::Test(args) = command else { return filter_operators::run(output) };
    let app = find::application_or_only(world, args.app.as_deref()).await?;
    let object = if args.groups || args.group.is_some() { ObjectType::Group } else { ObjectType::User };
    let filters = match &args.filters {
        Some(file) => Some(filters(file, object)?),
        None => None,
    };
    let scope = args.scope.map(|scope| match scope {
        ScopeName::Assigned => ScopeSetting::Assigned,
        ScopeName::All => ScopeSetting::All,
    });
    let wanted = ScopeTrialOf { app: app.id, object, filters, scope };
    let engine = world.engine()?;
    let mappings = engine.mappings(app.id).await?;
    if mappings.iter().any(|mapping| mapping.target_object == object && !mapping.enabled) {
        let objects = object.plural();
        note(&format!(
            "the mapping of {objects} is switched off at {} (`enabled` is false): none of them are provisioned, whoever is in scope",
            app.name
        ));
    }
    let problems = engine.filter_problems(&wanted).await?;
    match named(&args, world).await? {
        Some(id) => explain(output, &app, &engine.explain_scope(&wanted, id).await?, &problems)?,
        None => everyone(output, &app, &engine, &wanted, &args, &problems).await?,
    }
    if problems.is_empty() {
        return Ok(Outcome::Done);
    }
    if !output.is_json() {
        problems.iter().try_for_each(|problem| output.line(&format!("\nWould not be saved: {problem}")))?;
    }
    Ok(Outcome::ProblemsFound)
}

async fn named(args: &FilterTestArgs, world: &World) -> anyhow::Result<Option<ObjectId>> {
    Ok(match (&args.user, &args.group) {
        (Some(name), _) => Some(find::user_by_any_name(world, name).await?.id.into()),
        (None, Some(name)) => Some(find::group_or_deleted(world, name).await?.id.into()),
        (None, None) => None,
    })
}

fn filters(file: &std::path::Path, object: ObjectType) -> anyhow::Result<ScopingFilters> {
    let text = read_text(file, "the filters in", CONFIGURATION_BYTES_MAX, "holds no filters")?;
    filters_of(&text, object).map_err(|bad| refused(file, &bad))
}

fn explain(output: Output, app: &Application, trial: &ScopeTrial, problems: &[String]) -> anyhow::Result<()> {
    if output.is_json() {
        let mut shown = serde_json::to_value(trial)?;
        shown["app"] = json!(app.name);
        shown["problems"] = json!(problems);
        return output.json(&shown);
    }
    let Scoped { object, in_scope, .. } = &trial.scoped;
    let verdict = if *in_scope { "in scope" } else { "out of scope" };
    output.line(&format!("{object} at {}: {verdict} ({})", app.name, why(&trial.scoped)))?;
    if trial.filters.is_empty() {
        return output.line("There are no scoping filters, so they keep nobody out");
    }
    let rows = trial.filters.iter().flat_map(|filter| {
        filter.clauses.iter().map(|clause| {
            let holds = match clause.holds {
                Some(true) => "yes",
                Some(false) => "no",
                None => "cannot be decided: its regular expression takes too many steps",
            };
            vec![filter.name.clone(), clause.clause.clone(), holds.to_owned(), seen(&clause.seen)]
        })
    });
    output.line("")?;
    output.table(&["FILTER", "CLAUSE", "HOLDS", "VALUE SEEN"], rows.collect(), "The filters have no clauses")
}

fn seen(value: &Value) -> String {
    match value {
        Value::Null => "(null)".to_owned(),
        Value::Text(text) if text.is_empty() => "(empty text)".to_owned(),
        Value::Text(text) => text.clone(),
        Value::List(values) if values.is_empty() => "(empty list)".to_owned(),
        Value::List(values) => values.join("; "),
    }
}

/// Counts first, then the list. A list without limit is not kept: the directory is gone through once more for it.
async fn everyone(
    output: Output,
    app: &Application,
    engine: &Engine,
    wanted: &ScopeTrialOf,
    args: &FilterTestArgs,
    problems: &[String],
) -> anyhow::Result<()> {
    let most = args.limit as usize;
    let is_wanted = |one: &Scoped| args.only.is_none_or(|side| one.in_scope == (side == Side::In));
    let (mut listed, mut more) = (Vec::new(), false);
    let bar = Bar::new(output, &app.name, 0, Unit::Items);
    let tally = engine.try_scope(wanted, |one, at, total| {
        if at.is_multiple_of(BAR_STEP) {
            bar.at(at, Some(total), "");
        }
        if most > 0 && is_wanted(&one) {
            more |= listed.len() >= most;
            if listed.len() < most {
                listed.push(one);
            }
        }
        ControlFlow::Continue(())
    });
    let tally = tally.await?;
    bar.done();
    let mut list = List { output, waiting: listed, is_begun: false, failure: None };
    list.begin(app, wanted.object, &tally, problems)?;
    if most == 0 {
        let listing = engine.try_scope(wanted, |one, _, _| {
            if is_wanted(&one) {
                list.add(one);
            }
            if list.failure.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        listing.await?;
    }
    list.end()?;
    tell_more(more);
    Ok(())
}

/// The answer, while it is printed.
struct List {
    output: Output,
    waiting: Vec<Scoped>,
    is_begun: bool,
    failure: Option<anyhow::Error>,
}

impl List {
    fn begin(
        &self,
        app: &Application,
        object: ObjectType,
        tally: &ScopeTally,
        problems: &[String],
    ) -> anyhow::Result<()> {
        if self.output.is_json() {
            let mut shown = serde_json::to_value(tally)?;
            shown["app"] = json!(app.name);
            shown["problems"] = json!(problems);
            let text = shown.to_string();
            // The list is the last member of the document, so that it need not be kept.
            return Ok(write_raw(format!("{},\"objects\":[", text.strip_suffix('}').unwrap_or(&text)).as_bytes())?);
        }
        tell(self.output, &app.name, object, tally)
    }

    fn add(&mut self, one: Scoped) {
        self.waiting.push(one);
        if self.waiting.len() >= ROWS_TOGETHER
            && let Err(error) = self.print()
        {
            self.failure.get_or_insert(error);
        }
    }

    fn print(&mut self) -> anyhow::Result<()> {
        let together = std::mem::take(&mut self.waiting);
        if self.failure.is_some() || together.is_empty() {
            return Ok(());
        }
        let first = !std::mem::replace(&mut self.is_begun, true);
        if self.output.is_json() {
            let items = together.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?.join(",");
            return Ok(write_raw(format!("{}{items}", if first { "" } else { "," }).as_bytes())?);
        }
        let rows = together.iter().map(row).collect();
        if first { self.output.table(&HEAD, rows, "") } else { self.output.more_rows(rows) }
    }

    fn end(mut self) -> anyhow::Result<()> {
        self.print()?;
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if self.output.is_json() {
            write_raw(b"]}\n")?;
        } else if !self.is_begun {
            self.output.line("There is nobody to list")?;
        }
        Ok(())
    }
}

fn row(one: &Scoped) -> Vec<String> {
    let side = if one.in_scope { "in" } else { "out" };
    vec![one.object.clone(), side.to_owned(), why(one).to_owned(), one.id.to_string()]
}

/// Why it is in scope, or out.
fn why(one: &Scoped) -> &str {
    one.out_because.as_deref().or(one.in_because.as_deref()).unwrap_or_default()
}

fn tell(output: Output, app: &str, object: ObjectType, tally: &ScopeTally) -> anyhow::Result<()> {
    let of = object.plural();
    output.line(&format!("{app}: {} of {} {of} are in scope", tally.in_scope, tally.looked_at))?;
    for (reason, count) in &tally.out {
        output.line(&format!("  {count} out: {}", in_words(reason)))?;
    }
    output.line("")?;
    if tally.filters.is_empty() {
        output.line("There are no scoping filters, so they keep nobody out")?;
    } else {
        let rows = tally.filters.iter().flat_map(|filter| {
            let row = |clause: &provisioning::trial::ClauseTally| {
                vec![filter.name.clone(), clause.clause.clone(), clause.excludes.to_string(), clause.alone.to_string()]
            };
            filter.clauses.iter().map(row)
        });
        let head = ["FILTER", "CLAUSE", "DOES NOT HOLD FOR", "ALONE KEEPS OUT"];
        output.table(&head, rows.collect(), "The filters have no clauses")?;
    }
    output.line("")
}

/// A reason to be out of scope, by its name in JSON.
fn in_words(reason: &str) -> &str {
    match reason {
        "passedOver" => "passed over by the input filters",
        "anotherCategory" => "left to another mapping by the category filters",
        "notAssigned" => "not assigned",
        "defaultAccessOnly" => "assigned with Default Access only",
        "filtered" => "by the scoping filters",
        "disabled" => "accountEnabled is false",
        "softDeleted" => "soft-deleted",
        "undecided" => "a regular expression takes too long; they fail",
        other => other,
    }
}
