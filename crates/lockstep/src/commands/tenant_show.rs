//! `tenant list` and `tenant show`: tenants with their addresses, what they have, and how they are set.

use jiff::Timestamp;
use mapping::counted;
use provider::{ProviderError, TenantError, TenantSettings};
use serde_json::{Map, Value, json};
use store::StoreError;
use store::tenants::TenantRecord;
use store::tokens::TokenRecord;

use super::{client, token};
use crate::output::{Output, moment, moment_or};
use crate::world::{World, now};

/// All about a tenant that is no resource: itself, its settings, what opens it, and how many resources it has.
pub struct Facts {
    /// The tenant.
    pub tenant: TenantRecord,
    /// Its settings.
    pub settings: TenantSettings,
    /// How many resources of each type it has, by the type's name.
    pub counts: Vec<(String, u64)>,
    /// Its tokens.
    pub tokens: Vec<TokenRecord>,
    /// Its OAuth clients, as JSON.
    pub clients: Vec<Value>,
}

/// The address of the SCIM endpoint of the tenant of that name: its own, where it has one.
pub async fn scim_url(world: &World, tenant: &str) -> anyhow::Result<String> {
    let name = tenant.to_owned();
    let record = world.store().read(move |tx| provider::tenant(tx, &name)).await?;
    url_of(world, &record).await
}

async fn url_of(world: &World, tenant: &TenantRecord) -> anyhow::Result<String> {
    Ok(TenantSettings::of(tenant)?.scim_base(&world.public_url().await?, &tenant.name))
}

/// Tells of a tenant that was just made.
pub async fn added(world: &World, output: Output, tenant: &TenantRecord) -> anyhow::Result<()> {
    let url = url_of(world, tenant).await?;
    if output.is_json() {
        return output.json(&described(&url, tenant));
    }
    output.facts(&[("tenant", tenant.name.clone()), ("profile", tenant.profile.clone()), ("SCIM URL", url)])?;
    output.line(&format!("Make a token for it with: lockstep token add {} NAME", tenant.name))
}

fn described(url: &str, tenant: &TenantRecord) -> Value {
    json!({
        "tenant": tenant.name,
        "scim_url": url,
        "profile": tenant.profile,
        "created": tenant.created.to_string(),
        "suspended": tenant.suspended.map(|at| at.to_string()),
    })
}

/// Carries out `tenant list`.
pub async fn list(world: &World, output: Output) -> anyhow::Result<()> {
    let (tenants, public_url) = (world.store().read(provider::tenants).await?, world.public_url().await?);
    let urls = tenants.iter().map(|tenant| Ok(TenantSettings::of(tenant)?.scim_base(&public_url, &tenant.name)));
    let urls = urls.collect::<Result<Vec<String>, StoreError>>()?;
    let all = tenants.iter().zip(urls);
    if output.is_json() {
        return output.json(&all.map(|(tenant, url)| described(&url, tenant)).collect::<Vec<_>>());
    }
    let row = |(tenant, url): (&TenantRecord, String)| {
        vec![tenant.name.clone(), tenant.profile.clone(), url, moment(tenant.created), moment_or(tenant.suspended, "")]
    };
    let none = "No tenants; add one with lockstep tenant add NAME";
    output.table(&["TENANT", "PROFILE", "SCIM URL", "CREATED", "SUSPENDED"], all.map(row).collect(), none)
}

/// All about the tenant of that name.
pub async fn facts(world: &World, name: &str) -> anyhow::Result<Facts> {
    let (name, now) = (name.to_owned(), now());
    let read = world.store().read(move |tx| {
        let tenant = provider::tenant(tx, &name)?;
        let caller = provider::administrator(tx, &name)?;
        let counts = provider::counts(tx, &caller).map_err(failed)?;
        let clients = provider::oauth::clients(tx, &name)?;
        Ok::<_, TenantError>(Facts {
            tokens: provider::tokens(tx, &name)?,
            clients: clients.iter().map(|view| client::described(view, now)).collect(),
            counts: counts.into_iter().map(|(_, kind, count)| (kind, count)).collect(),
            settings: caller.settings().clone(),
            tenant,
        })
    });
    Ok(read.await?)
}

/// A failure of what can only fail in the store.
fn failed(error: ProviderError) -> TenantError {
    match error {
        ProviderError::Store(error) => error.into(),
        other => StoreError::Internal(other.to_string()).into(),
    }
}

/// How many users, groups and other resources a tenant has, in words.
pub async fn contents(world: &World, name: &str) -> anyhow::Result<String> {
    Ok(in_words(&facts(world, name).await?.counts))
}

/// Counts of resources in words.
pub fn in_words(counts: &[(String, u64)]) -> String {
    let told = counts.iter().map(|(kind, count)| match kind.as_str() {
        "User" => counted(*count, "user"),
        "Group" => counted(*count, "group"),
        other => format!("{count} of the type {other}"),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Carries out `tenant show`.
pub async fn show(world: &World, output: Output, name: String) -> anyhow::Result<()> {
    let facts = facts(world, &name).await?;
    let (url, now) = (url_of(world, &facts.tenant).await?, now());
    if output.is_json() {
        return output.json(&json(&facts, &url, now));
    }
    let Facts { tenant, settings, counts, tokens, clients } = facts;
    let state = tenant.suspended.map_or_else(|| "active".to_owned(), |at| format!("suspended since {}", moment(at)));
    let of_token = |one: &TokenRecord| {
        let scope = token::token_scope(one);
        // A token that has a successor bears the hint in its name.
        let hint = if one.name.contains(&one.hint) { String::new() } else { format!(" ({}…)", one.hint) };
        format!("{}{hint}: {scope}, {}, until {}", one.name, token::state(one, now), moment(one.expires))
    };
    let lines = |lines: Vec<String>| if lines.is_empty() { "none".to_owned() } else { lines.join("\n") };
    let name_of = |client: &Value| client["name"].as_str().unwrap_or_default().to_owned();
    let mut told = vec![
        ("tenant", tenant.name),
        ("state", state),
        ("profile", tenant.profile),
        ("SCIM URL", url),
        ("created", moment(tenant.created)),
        ("resources", in_words(&counts)),
        ("tokens", lines(tokens.iter().map(of_token).collect())),
        ("clients", lines(clients.iter().map(name_of).collect())),
    ];
    told.extend(settings_facts(&settings));
    output.facts(&told)
}

/// All about a tenant, for programs.
pub fn json(facts: &Facts, url: &str, now: Timestamp) -> Value {
    let mut told = described(url, &facts.tenant);
    let counts: Map<String, Value> = facts.counts.iter().map(|(kind, count)| (kind.clone(), (*count).into())).collect();
    if let Some(told) = told.as_object_mut() {
        told.insert("resources".to_owned(), counts.into());
        let tokens: Vec<Value> = facts.tokens.iter().map(|one| token::described(one, now)).collect();
        told.insert("tokens".to_owned(), tokens.into());
        told.insert("clients".to_owned(), facts.clients.clone().into());
        told.insert("settings".to_owned(), settings_json(&facts.tenant.name, url, &facts.settings));
    }
    told
}

/// Settings for programs.
pub fn settings_json(tenant: &str, url: &str, settings: &TenantSettings) -> Value {
    json!({
        "tenant": tenant,
        "scim_url": url,
        "requests_per_second": settings.requests_per_second,
        "log_bodies": settings.log_bodies == Some(true),
        "unique_group_names": settings.unique_group_names,
        "users_max": settings.users_max,
        "groups_max": settings.groups_max,
        "address": settings.address,
    })
}

/// Settings for people.
pub fn settings_facts(settings: &TenantSettings) -> Vec<(&'static str, String)> {
    let or =
        |count: Option<u32>, otherwise: &str| count.map_or_else(|| otherwise.to_owned(), |count| count.to_string());
    let bodies = if settings.log_bodies == Some(true) { "on, with their values masked" } else { "off" };
    let unique = match settings.unique_group_names {
        None => "as the profile says",
        Some(true) => "unique",
        Some(false) => "may repeat",
    };
    vec![
        ("requests per second", or(settings.requests_per_second, "the common rate")),
        ("users at most", or(settings.users_max, "no limit")),
        ("groups at most", or(settings.groups_max, "no limit")),
        ("names of groups", unique.to_owned()),
        ("bodies in the request log", bodies.to_owned()),
    ]
}
