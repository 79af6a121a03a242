//! `tenant`: tenants of the application side.

use provider::{Address, CustomSchemas, TenantError, TenantSettings};
use serde_json::json;
use store::tenants::TenantRecord;

use super::{client, events, requests, tenant_export, tenant_schema, tenant_show, webhook};
use crate::ask::confirm;
use crate::cli::{TenantChange, TenantCommand, Toggle};
use crate::outcome::Outcome;
use crate::output::Output;
use crate::world::{World, audit_tenant, now};

/// Carries out `tenant`.
pub async fn run(command: TenantCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        TenantCommand::Add { name, profile, unique_group_names, schema, path, host } => {
            let definition = schema.as_deref().map(tenant_schema::read).transpose()?;
            let address = address(None, host, path)?;
            let settings = TenantSettings { unique_group_names, address, ..TenantSettings::default() };
            let tenant = add(world, name, profile, settings, definition).await?;
            tenant_show::added(world, output, &tenant).await?;
        }
        TenantCommand::Client(command) => return client::run(command, world, output).await,
        TenantCommand::Webhook(command) => return webhook::run(command, world, output).await,
        TenantCommand::Schema(command) => return tenant_schema::run(command, world, output).await,
        TenantCommand::List => tenant_show::list(world, output).await?,
        TenantCommand::Show { name } => tenant_show::show(world, output, name).await?,
        TenantCommand::Export { name, output: file, force } => {
            tenant_export::run(world, output, name, file.as_deref(), force).await?;
        }
        TenantCommand::Set { name, change } => set(world, output, name, change).await?,
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
    let has = tenant_show::contents(world, &name).await?;
    let question = format!(
        "Remove the tenant {name} with its {has} and all its tokens? To keep a copy, say no and run: lockstep tenant export {name} --output FILE."
    );
    confirm(&question, yes)?;
    let given = name.clone();
    let removed = world.store().write(move |tx| {
        provider::delete_tenant(tx, &given)?;
        Ok::<_, TenantError>(audit_tenant(tx, "Remove tenant", &given, &json!({}))?)
    });
    removed.await?;
    forget_requests(world, &found);
    told(output, &name, "removed", &format!("was removed with its {has} and all its tokens"))
}

/// The address that a tenant has after a change; what is not named stays as it was.
fn address(
    before: Option<&Address>,
    host: Option<String>,
    path: Option<String>,
) -> Result<Option<Address>, TenantError> {
    let host = host.or_else(|| before.and_then(Address::host).map(str::to_owned)).unwrap_or_default();
    let path = path.or_else(|| before.map(|address| address.path().to_owned())).unwrap_or_default();
    if host.is_empty() && path.is_empty() { Ok(None) } else { Address::new(&host, &path).map(Some) }
}

/// A count of which 0 is none; as before where it is not named.
fn or_none(count: Option<u32>, before: Option<u32>) -> Option<u32> {
    count.map_or(before, |count| Some(count).filter(|count| *count > 0))
}

/// Changes settings of a tenant.
async fn set(world: &World, output: Output, name: String, change: TenantChange) -> anyhow::Result<()> {
    let given = name.clone();
    let changed = world.store().write(move |tx| {
        let before = TenantSettings::of(&provider::tenant(tx, &given)?)?;
        let address = if change.no_address {
            None
        } else {
            address(before.address.as_ref(), change.host.clone(), change.path.clone())?
        };
        let settings = provider::change_tenant(tx, &given, |settings| {
            settings.requests_per_second = or_none(change.requests_per_second, settings.requests_per_second);
            settings.users_max = or_none(change.users_max, settings.users_max);
            settings.groups_max = or_none(change.groups_max, settings.groups_max);
            settings.log_bodies = change.log_bodies.map(|toggle| toggle == Toggle::On).or(settings.log_bodies);
            settings.address.clone_from(&address);
        })?;
        audit_tenant(tx, "Update tenant", &given, &serde_json::to_value(&settings).unwrap_or_default())?;
        Ok::<_, TenantError>(settings)
    });
    let settings = changed.await?;
    let url = settings.scim_base(&world.public_url().await?, &name);
    if output.is_json() {
        return output.json(&tenant_show::settings_json(&name, &url, &settings));
    }
    let mut facts = vec![("tenant", name), ("SCIM URL", url)];
    facts.extend(tenant_show::settings_facts(&settings));
    output.facts(&facts)
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
