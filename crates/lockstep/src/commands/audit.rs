//! `audit`: who changed which configuration.

use serde_json::{Value, json};
use store::StoreError;
use store::audit::{AuditRecord, latest_audit};

use crate::outcome::Outcome;
use crate::output::{Output, moment};
use crate::world::World;

/// Carries out `audit`.
pub async fn run(limit: u32, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let read = world.store().scan(move |tx| latest_audit(tx, limit)).await;
    let records = read.map_err(|error: StoreError| error)?;
    if output.is_json() {
        output.json(&records.iter().map(described).collect::<Vec<_>>())?;
    } else {
        let row = |record: &AuditRecord| {
            vec![
                moment(record.at),
                record.actor.clone(),
                record.activity.clone(),
                record.target.clone(),
                record.detail.clone(),
            ]
        };
        output.table(
            &["TIME", "WHO", "ACTIVITY", "TARGET", "DETAIL"],
            records.iter().map(row).collect(),
            "No records",
        )?;
    }
    Ok(Outcome::Done)
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
