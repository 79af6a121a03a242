//! `audit`: who changed which configuration.

use serde_json::{Value, json};
use store::StoreError;
use store::audit::{AuditRecord, audit_before};

use super::records::{Printer, STEP};
use crate::outcome::Outcome;
use crate::output::{Output, moment};
use crate::shown::text;
use crate::world::World;

/// Carries out `audit`.
pub async fn run(limit: u32, world: &World, output: Output) -> anyhow::Result<Outcome> {
    const HEAD: [&str; 5] = ["TIME", "WHO", "ACTIVITY", "TARGET", "DETAIL"];
    let (mut printer, mut before) = (Printer::new(output, &HEAD, limit), None);
    loop {
        let read = world.store().scan(move |tx| audit_before(tx, before, STEP)).await;
        let records = read.map_err(|error: StoreError| error)?;
        before = records.last().map(|last| last.id);
        for record in &records {
            if printer.is_full() {
                printer.end(true)?;
                return Ok(Outcome::Done);
            }
            printer.add(&described(record), || row(record))?;
        }
        if before.is_none() {
            printer.end(false)?;
            return Ok(Outcome::Done);
        }
    }
}

fn row(record: &AuditRecord) -> Vec<String> {
    let detail = serde_json::from_str(&record.detail).unwrap_or(Value::Null);
    vec![moment(record.at), record.actor.clone(), record.activity.clone(), record.target.clone(), told(&detail)]
}

/// The facts of a record for people: `department: Sales, otherMails: a; b`.
fn told(detail: &Value) -> String {
    match detail {
        Value::Null => "none".to_owned(),
        Value::Bool(value) => if *value { "yes" } else { "no" }.to_owned(),
        Value::Object(facts) => {
            let fact = |(name, value): (&String, &Value)| match value {
                Value::Object(inner) if !inner.is_empty() => format!("{name} ({})", told(value)),
                _ => format!("{name}: {}", told(value)),
            };
            facts.iter().map(fact).collect::<Vec<_>>().join(", ")
        }
        Value::Array(values) => values.iter().map(told).collect::<Vec<_>>().join("; "),
        other => text(other),
    }
}

fn described(record: &AuditRecord) -> Value {
    json!({
        "id": record.id,
        "activityDateTime": record.at.to_string(),
        "initiatedBy": record.actor,
        "activityDisplayName": record.activity,
        "target": record.target,
        "detail": serde_json::from_str::<Value>(&record.detail).unwrap_or(Value::Null),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_told_in_words() {
        for (detail, expected) in [
            (json!({}), ""),
            (json!({ "created": 2, "failed": 0 }), "created: 2, failed: 0"),
            (json!({ "stopped": true, "old": null }), "old: none, stopped: yes"),
            (json!({ "roles": ["User", "Admin"], "city": "Rome" }), "city: Rome, roles: User; Admin"),
            (json!({ "title": { "old": null, "new": "CEO" } }), "title (new: CEO, old: none)"),
        ] {
            assert_eq!(told(&detail), expected);
        }
        assert_eq!(told(&serde_json::from_str("nothing").unwrap_or(Value::Null)), "none");
    }
}
