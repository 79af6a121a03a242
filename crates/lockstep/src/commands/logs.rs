//! `logs`: the provisioning log.

use provisioning::{LogFilter, LogView};
use serde_json::Value;
use store::logs::{self, LoggedName};
use store::{AppId, LogId, ObjectId, StoreError, folded};

use super::find;
use super::records::{Merged, Printer, STEP};
use crate::cli::{LogStatus, LogsArgs, LogsCommand};
use crate::outcome::{Outcome, usage};
use crate::output::{Output, moment};
use crate::shown::text;
use crate::world::World;

/// Names in a log that are looked at, at a time.
const NAMES_STEP: u32 = 5_000;

/// Carries out `logs`.
pub async fn run(args: LogsArgs, world: &World, output: Output) -> anyhow::Result<Outcome> {
    if let Some(LogsCommand::Show { id }) = &args.command {
        let record = one(world, id).await?;
        if output.is_json() {
            output.json(&record)?;
        } else {
            show_record(output, &record)?;
        }
        return Ok(Outcome::Done);
    }
    list(&args, world, output).await?;
    Ok(Outcome::Done)
}

async fn list(args: &LogsArgs, world: &World, output: Output) -> anyhow::Result<()> {
    const HEAD: [&str; 7] = ["TIME", "APPLICATION", "ACTION", "STATUS", "OBJECT", "REASON", "ID"];
    let apps: Vec<AppId> = match &args.app {
        Some(name) => vec![find::application(world, name).await?.id],
        None => world.store().read(directory::applications).await?.into_iter().map(|app| app.id).collect(),
    };
    let source = match &args.user {
        Some(name) => Some(source(world, name, &apps).await?),
        None => None,
    };
    // One more than is shown tells whether there are more.
    let step = if args.status.is_some() || args.limit == 0 { STEP } else { STEP.min(args.limit.saturating_add(1)) };
    let wanted = LogFilter { source, status: args.status.map(LogStatus::word) };
    let mut records = Merged::new(world.engine()?, wanted, apps.into_iter());
    let mut printer = Printer::new(output, &HEAD, args.limit);
    let mut more = false;
    while let Some(record) = records.next(step).await? {
        if printer.is_full() {
            more = true;
            break;
        }
        if args.verbose && !output.is_json() {
            printer.add_lines(std::iter::once(headline(&record)).chain(step_lines(&record.record)))?;
        } else {
            printer.add(&record, || row(&record))?;
        }
    }
    printer.end(more)
}

fn row(record: &LogView) -> Vec<String> {
    vec![
        moment(record.at),
        text(&record.record["servicePrincipal"]["displayName"]),
        record.action.clone(),
        record.status.clone(),
        record.object.clone(),
        short_reason(&record.record),
        record.id.to_string(),
    ]
}

/// The user or group that records are wanted of; also one that is gone from the directory, by its object id or by the
/// name that the log has of it.
async fn source(world: &World, name: &str, apps: &[AppId]) -> anyhow::Result<ObjectId> {
    if let Ok(id) = name.parse() {
        return Ok(id);
    }
    let absent = match find::principal(world, name).await {
        Ok(principal) => return Ok(principal.id),
        Err(absent) => absent,
    };
    let wanted = name.to_owned();
    let deleted = world.store().read(move |tx| directory::find_deleted_user(tx, &wanted)).await;
    if let Ok(user) = deleted {
        return Ok(user.id.into());
    }
    let mut newest: Option<LoggedName> = None;
    for app in apps {
        let found = logged(world, *app, folded(name)).await?;
        newest = newest.into_iter().chain(found).max_by_key(|named| named.id);
    }
    newest.map(|named| named.source_id).ok_or_else(|| absent.into())
}

/// The newest record of an object of that name in an application's log.
async fn logged(world: &World, app: AppId, name: String) -> Result<Option<LoggedName>, StoreError> {
    let mut before = None;
    loop {
        let names = world.store().scan(move |tx| logs::logged_names(tx, app, before, NAMES_STEP)).await?;
        before = names.last().map(|last| last.id);
        if before.is_none() {
            return Ok(None);
        }
        if let Some(named) = names.into_iter().find(|named| folded(&named.label) == name) {
            return Ok(Some(named));
        }
    }
}

async fn one(world: &World, id: &str) -> anyhow::Result<Value> {
    let wanted: LogId =
        id.parse().map_err(|_| usage(format!("{id:?} is no id of a record; lockstep logs lists them")))?;
    // The log is read from a record downwards: the next id above the wanted one is where it is met first.
    let above = LogId::new(uuid::Uuid::from_u128(wanted.uuid().as_u128().saturating_add(1)));
    let apps = world.store().read(directory::applications).await?;
    let found = world.store().scan(move |tx| {
        for app in &apps {
            let record = logs::logs_before(tx, app.id, Some(above), 1)?.pop();
            if let Some(record) = record.filter(|record| record.id == wanted) {
                return Ok(Some(record));
            }
        }
        Ok::<_, StoreError>(None)
    });
    let Some(record) = found.await? else {
        anyhow::bail!("the log has no record {id}; old ones are removed after some time")
    };
    Ok(serde_json::from_str(&record.doc)?)
}

fn headline(record: &LogView) -> String {
    let app = text(&record.record["servicePrincipal"]["displayName"]);
    format!("{}  {app}  {} {}  {}  {}", moment(record.at), record.action, record.status, record.object, record.id)
}

fn show_record(output: Output, record: &Value) -> anyhow::Result<()> {
    output.facts(&[
        ("time", text(&record["activityDateTime"])),
        ("application", text(&record["servicePrincipal"]["displayName"])),
        ("object", text(&record["sourceIdentity"]["displayName"])),
        ("object id", text(&record["sourceIdentity"]["id"])),
        ("id at the application", text_or(&record["targetIdentity"]["id"], "none")),
        ("action", text(&record["provisioningAction"])),
        ("status", text(&record["provisioningStatusInfo"]["status"])),
    ])?;
    step_lines(record).iter().try_for_each(|line| output.line(line))
}

fn text_or(value: &Value, otherwise: &str) -> String {
    if value.is_null() { otherwise.to_owned() } else { text(value) }
}

/// Why an action was skipped or failed; empty where it was neither.
fn reason(record: &Value) -> String {
    let error = &record["provisioningStatusInfo"]["errorInformation"];
    if error.is_object() {
        return format!("{}: {}", text(&error["errorCode"]), text(&error["reason"]));
    }
    let steps = record["provisioningSteps"].as_array();
    let skipped = steps.and_then(|steps| steps.iter().find_map(|step| step["details"]["SkipReason"].as_str()));
    skipped.unwrap_or_default().to_owned()
}

/// The same without the application's whole answer, which `--verbose` and `logs show` tell: in a table it would bury the rest.
fn short_reason(record: &Value) -> String {
    let reason = reason(record);
    let short = reason.split_once("\r\nWeb Response:").map(|(short, _)| short.to_owned());
    short.unwrap_or(reason)
}

/// The steps and changed properties of a record, a line each.
pub fn step_lines(record: &Value) -> Vec<String> {
    let list = |name: &str| record[name].as_array().cloned().unwrap_or_default();
    let mut lines = Vec::new();
    for step in list("provisioningSteps") {
        let details = step["details"].as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        let told: Vec<String> =
            details.map(|(_, value)| text(value)).chain(step["description"].as_str().map(str::to_owned)).collect();
        let step = format!("{} {}", text(&step["provisioningStepType"]), text(&step["status"]));
        lines.push(if told.is_empty() { format!("    {step}") } else { format!("    {step}: {}", told.join("; ")) });
    }
    for property in list("modifiedProperties") {
        let side = |name: &str| text_or(&property[name], "nothing");
        lines.push(format!("    {}: {} -> {}", text(&property["displayName"]), side("oldValue"), side("newValue")));
    }
    // Why something was skipped stands in its step.
    if record["provisioningStatusInfo"]["errorInformation"].is_object() {
        lines.push(format!("    {}", reason(record)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn records_tell_their_steps_and_reasons() {
        let record = json!({
            "provisioningSteps": [
                { "provisioningStepType": "import", "status": "success", "description": "read" },
                { "provisioningStepType": "export", "status": "skipped", "details": { "SkipReason": "NotActive: soft-deleted" } },
            ],
            "modifiedProperties": [{ "displayName": "title", "oldValue": null, "newValue": "CEO" }],
        });
        assert_eq!(
            step_lines(&record),
            ["    import success: read", "    export skipped: NotActive: soft-deleted", "    title: nothing -> CEO",]
        );
        let failed = json!({ "provisioningStatusInfo": { "errorInformation": { "errorCode": "X", "reason": "y" } } });
        assert_eq!((reason(&failed).as_str(), step_lines(&failed)), ("X: y", vec!["    X: y".to_owned()]));
        assert_eq!(reason(&record), "NotActive: soft-deleted");
        let refused = "StatusCode: BadRequest\r\nMessage: no\r\nWeb Response: \r\n{}";
        let refused =
            json!({ "provisioningStatusInfo": { "errorInformation": { "errorCode": "X", "reason": refused } } });
        assert_eq!(short_reason(&refused), "X: StatusCode: BadRequest\r\nMessage: no");
        assert_eq!(short_reason(&record), reason(&record));
        assert_eq!(step_lines(&json!(5)), Vec::<String>::new());
    }
}
