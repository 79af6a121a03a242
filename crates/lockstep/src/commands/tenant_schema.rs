//! `tenant schema`: schemas and resource types that a tenant defines itself.

use std::path::Path;

use provider::{CustomSchemas, SCHEMA_BYTES_MAX, SchemaChange, TenantError};
use serde_json::json;
use store::{StoreError, WriteTx};

use crate::cli::SchemaCommand;
use crate::files::read_text;
use crate::outcome::{Outcome, usage};
use crate::output::{Output, write_raw};
use crate::world::{World, audit_tenant, now};

/// How a change ends: kept, only looked at, or refused. What is not kept is undone.
enum Stop {
    Tried(SchemaChange),
    Refused(TenantError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

/// Carries out `tenant schema`.
pub async fn run(command: SchemaCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        SchemaCommand::Set { tenant, file, dry_run } => {
            let definition = read(&file)?;
            let change = change(world, tenant.clone(), definition, dry_run).await?;
            told(output, &tenant, &change, dry_run)?;
        }
        SchemaCommand::Show { tenant } => show(world, output, tenant).await?,
        SchemaCommand::Clear { tenant } => {
            let change = change(world, tenant.clone(), CustomSchemas::default(), false).await?;
            told(output, &tenant, &change, false)?;
        }
    }
    Ok(Outcome::Done)
}

/// Reads a definition from a file.
pub fn read(file: &Path) -> anyhow::Result<CustomSchemas> {
    let text = read_text(file, "the schemas in", SCHEMA_BYTES_MAX as u64, "holds no schemas")?;
    CustomSchemas::read(&text).map_err(|refused| usage(format!("{}: {refused}", file.display())))
}

async fn change(
    world: &World,
    tenant: String,
    definition: CustomSchemas,
    dry_run: bool,
) -> Result<SchemaChange, TenantError> {
    let changed = world.store().write(move |tx| {
        let change = set(tx, &tenant, &definition).map_err(Stop::Refused)?;
        // Tried to the end, and then undone: so what a try finds is what a change would meet.
        if dry_run { Err(Stop::Tried(change)) } else { Ok(change) }
    });
    match changed.await {
        Ok(change) | Err(Stop::Tried(change)) => Ok(change),
        Err(Stop::Refused(error)) => Err(error),
    }
}

/// Sets what a tenant defines, and says so in the audit log where that is new.
pub fn set(tx: &mut WriteTx<'_>, tenant: &str, definition: &CustomSchemas) -> Result<SchemaChange, TenantError> {
    let change = provider::set_schemas(tx, tenant, definition, now())?;
    if !change.differences.is_empty() {
        let activity = if definition.is_empty() { "Clear tenant schemas" } else { "Set tenant schemas" };
        audit_tenant(tx, activity, tenant, &json!({ "differences": change.differences }))?;
    }
    Ok(change)
}

async fn show(world: &World, output: Output, tenant: String) -> anyhow::Result<()> {
    let defined = world.store().read(move |tx| provider::schemas(tx, &tenant)).await?;
    if output.is_json() {
        return output.json(&defined.to_json());
    }
    let mut text = serde_json::to_vec_pretty(&defined.to_json())?;
    text.push(b'\n');
    Ok(write_raw(&text)?)
}

fn told(output: Output, tenant: &str, change: &SchemaChange, dry_run: bool) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(&json!({ "tenant": tenant, "differences": change.differences, "dry_run": dry_run }));
    }
    for difference in &change.differences {
        output.line(difference)?;
    }
    let what = match (change.differences.is_empty(), dry_run) {
        (true, _) => "defines that already; nothing changes",
        (false, true) => "would define this; nothing was changed",
        (false, false) => "defines this now",
    };
    output.line(&format!("Tenant {tenant} {what}"))
}
