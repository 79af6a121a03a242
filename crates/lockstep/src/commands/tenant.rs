//! `tenant`: tenants of the application side.

use provider::{CustomSchemas, TenantError, TenantSettings};
use serde_json::{Value, json};
use store::tenants::TenantRecord;

use super::{client, events, requests, tenant_schema, webhook};
use crate::ask::confirm;
use crate::cli::{TenantCommand, Toggle};
use crate::outcome::Outcome;
use crate::output::{Output, moment, moment_or};
use crate::world::{World, audit_tenant, now};

/// The address of a tenant's SCIM endpoint.
pub fn scim_url(public_url: &str, tenant: &str) -> String {
    format!("{public_url}/t/{tenant}/scim/v2")
}

/// Carries out `tenant`.
pub async fn run(command: TenantCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let public_url = world.public_url().await?;
    match command {
        TenantCommand::Add { name, profile, unique_group_names, schema } => {
            let definition = schema.as_deref().map(tenant_schema::read).transpose()?;
            let settings = TenantSettings { unique_group_names, ..TenantSettings::default() };
            let tenant = add(world, name, profile, settings, definition).await?;
            if output.is_json() {
                output.json(&described(&public_url, &tenant))?;
            } else {
                let url = scim_url(&public_url, &tenant.name);
                output.facts(&[("tenant", tenant.name.clone()), ("profile", tenant.profile), ("SCIM URL", url)])?;
                output.line(&format!("Make a token for it with: lockstep token add {} NAME", tenant.name))?;
            }
        }
        TenantCommand::Client(command) => return client::run(command, world, output).await,
        TenantCommand::Webhook(command) => return webhook::run(command, world, output).await,
        TenantCommand::Schema(command) => return tenant_schema::run(command, world, output).await,
        TenantCommand::List => list(world, output, &public_url).await?,
        TenantCommand::Set { name, requests_per_second, log_bodies } => {
            let log_bodies = log_bodies.map(|toggle| toggle == Toggle::On);
            set(world, output, name, requests_per_second, log_bodies).await?;
        }
        TenantCommand::Requests(args) => requests::run(args, world, output).await?,
        TenantCommand::Events(args) => events::run(args, world, output).await?,
        TenantCommand::Suspend { name } => suspend(world, output, name).await?,
        TenantCommand::Resume { name } => resume(world, output, name).await?,
        TenantCommand::Remove { name, yes } => remove(world, output, name, yes).await?,
    }
    Ok(Outcome::Done)
}

async fn suspend(world: &World, output: Output, name: String) -> anyhow::Result<()> {
    let (given, now) = (name.clone(), now());
    let suspended = world.store().write(move |tx| {
        let changed = provider::suspend_tenant(tx, &given, now)?;
        if changed {
            audit_tenant(tx, "Suspend tenant", &given, &json!({}))?;
        }
        Ok::<_, TenantError>(changed)
    });
    let what = if suspended.await? { "is suspended" } else { "is suspended already" };
    told(output, &name, "suspended", &format!("{what}; its tokens are refused until it is resumed"))
}

async fn resume(world: &World, output: Output, name: String) -> anyhow::Result<()> {
    let given = name.clone();
    let resumed = world.store().write(move |tx| {
        let changed = provider::resume_tenant(tx, &given)?;
        if changed {
            audit_tenant(tx, "Resume tenant", &given, &json!({}))?;
        }
        Ok::<_, TenantError>(changed)
    });
    let what = if resumed.await? { "is resumed" } else { "was not suspended" };
    told(output, &name, "resumed", what)
}

async fn remove(world: &World, output: Output, name: String, yes: bool) -> anyhow::Result<()> {
    let given = name.clone();
    let found = world.store().read(move |tx| provider::tenant(tx, &given)).await?;
    confirm(&format!("Remove the tenant {name} with all its users, groups and tokens?"), yes)?;
    let given = name.clone();
    let removed = world.store().write(move |tx| {
        provider::delete_tenant(tx, &given)?;
        Ok::<_, TenantError>(audit_tenant(tx, "Remove tenant", &given, &json!({}))?)
    });
    removed.await?;
    forget_requests(world, &found);
    told(output, &name, "removed", "was removed with all its users, groups and tokens")
}

/// Changes settings of a tenant. A rate of 0 is none of its own.
async fn set(
    world: &World,
    output: Output,
    name: String,
    rate: Option<u32>,
    log_bodies: Option<bool>,
) -> anyhow::Result<()> {
    let given = name.clone();
    let changed = world.store().write(move |tx| {
        let settings = provider::change_tenant(tx, &given, |settings| {
            if let Some(rate) = rate {
                settings.requests_per_second = (rate > 0).then_some(rate);
            }
            settings.log_bodies = log_bodies.or(settings.log_bodies);
        })?;
        let detail = json!({ "requestsPerSecond": settings.requests_per_second, "logBodies": settings.log_bodies });
        audit_tenant(tx, "Update tenant", &given, &detail)?;
        Ok::<_, TenantError>(settings)
    });
    let settings = changed.await?;
    let rate = settings.requests_per_second;
    let log_bodies = settings.log_bodies == Some(true);
    if output.is_json() {
        return output.json(&json!({ "tenant": name, "requests_per_second": rate, "log_bodies": log_bodies }));
    }
    let rate = rate.map_or_else(|| "the common rate".to_owned(), |rate| rate.to_string());
    let bodies = if log_bodies { "on, with their values masked" } else { "off" };
    output.facts(&[("tenant", name), ("requests per second", rate), ("bodies in the request log", bodies.to_owned())])
}

/// Removes the request log of a tenant that is no more. Where that fails, housekeeping does it later.
fn forget_requests(world: &World, tenant: &TenantRecord) {
    let folder = server::tenant_folder(&world.request_log().folder, &tenant.name, tenant.key.number());
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!("The request log in {} is not removed yet: {error}", folder.display());
        }
        _ => {}
    }
}

fn told(output: Output, name: &str, word: &str, what: &str) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(&json!({ "tenant": name, word: true }));
    }
    output.line(&format!("Tenant {name} {what}"))
}

/// Makes a tenant and gives what is stored.
pub async fn add(
    world: &World,
    name: String,
    profile: String,
    settings: TenantSettings,
    definition: Option<CustomSchemas>,
) -> Result<TenantRecord, TenantError> {
    let now = now();
    world
        .store()
        .write(move |tx| {
            provider::create_tenant(tx, &name, &profile, &settings, now)?;
            audit_tenant(tx, "Add tenant", &name, &json!({ "profile": profile }))?;
            if let Some(definition) = &definition {
                tenant_schema::set(tx, &name, definition)?;
            }
            provider::tenant(tx, &name)
        })
        .await
}

fn described(public_url: &str, tenant: &TenantRecord) -> Value {
    json!({
        "tenant": tenant.name,
        "scim_url": scim_url(public_url, &tenant.name),
        "profile": tenant.profile,
        "created": tenant.created.to_string(),
        "suspended": tenant.suspended.map(|at| at.to_string()),
    })
}

async fn list(world: &World, output: Output, public_url: &str) -> anyhow::Result<()> {
    let tenants = world.store().read(provider::tenants).await?;
    if output.is_json() {
        return output.json(&tenants.iter().map(|tenant| described(public_url, tenant)).collect::<Vec<_>>());
    }
    let row = |tenant: &TenantRecord| {
        let url = scim_url(public_url, &tenant.name);
        vec![tenant.name.clone(), tenant.profile.clone(), url, moment(tenant.created), moment_or(tenant.suspended, "")]
    };
    let none = "No tenants; add one with lockstep tenant add NAME";
    output.table(&["TENANT", "PROFILE", "SCIM URL", "CREATED", "SUSPENDED"], tenants.iter().map(row).collect(), none)
}
