//! `token`: secret tokens of tenants.

use jiff::Timestamp;
use provider::{NewToken, Scope, TenantError, TokenRequest, ends_within};
use serde_json::{Value, json};
use store::tokens::TokenRecord;

use super::tenant_show::scim_url;
use crate::cli::TokenCommand;
use crate::outcome::Outcome;
use crate::output::{Output, moment, moment_or};
use crate::world::{World, audit_tenant, new_id, now, random};

/// Carries out `token`.
pub async fn run(command: TokenCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        TokenCommand::Add { tenant, name, days, scope } => {
            let token = add(world, tenant.clone(), name, days, scope.into()).await?;
            show_once(output, &tenant, &address(world, &tenant, Scope::of_token(&token.record)).await?, &token)?;
        }
        TokenCommand::Rotate { tenant, name, days, overlap } => {
            let token = rotate(world, tenant.clone(), name, days, overlap).await?;
            show_once(output, &tenant, &address(world, &tenant, Scope::of_token(&token.record)).await?, &token)?;
        }
        TokenCommand::List { tenant } => list(world, output, tenant).await?,
        TokenCommand::Revoke { tenant, name } => {
            let (given, token, now) = (tenant.clone(), name.clone(), now());
            let revoked = world.store().write(move |tx| {
                provider::revoke_token(tx, &given, &token, now)?;
                Ok::<_, TenantError>(audit_tenant(tx, "Revoke token", &given, &json!({ "name": token }))?)
            });
            revoked.await?;
            if output.is_json() {
                output.json(&json!({ "tenant": tenant, "name": name, "revoked": true }))?;
            } else {
                output.line(&format!("Token {name} of {tenant} was revoked"))?;
            }
        }
    }
    Ok(Outcome::Done)
}

/// Makes a token.
pub async fn add(
    world: &World,
    tenant: String,
    name: String,
    days: u16,
    scope: Scope,
) -> Result<NewToken, TenantError> {
    let (key, id, now) = (world.token_key(), new_id(), now());
    let mut secret = [0; 32];
    random(&mut secret);
    world
        .store()
        .write(move |tx| {
            let request = TokenRequest { tenant: &tenant, name: &name, id, secret, days, scope };
            let token = provider::create_token(tx, &key, &request, now)?;
            audit_tenant(tx, "Add token", &tenant, &json!({ "name": name, "days": days, "scope": scope.as_str() }))?;
            Ok(token)
        })
        .await
}

async fn rotate(world: &World, tenant: String, name: String, days: u16, overlap: u16) -> Result<NewToken, TenantError> {
    let (key, id, now) = (world.token_key(), new_id(), now());
    let mut secret = [0; 32];
    random(&mut secret);
    world
        .store()
        .write(move |tx| {
            let request = TokenRequest { tenant: &tenant, name: &name, id, secret, days, scope: Scope::default() };
            let token = provider::rotate_token(tx, &key, &request, overlap, now)?;
            let told = json!({ "name": name, "days": days, "overlap_hours": overlap });
            audit_tenant(tx, "Rotate token", &tenant, &told)?;
            Ok(token)
        })
        .await
}

/// What an address is, what it is called for programs, and the address.
pub type Opened = (&'static str, &'static str, String);

/// The address that a token of a scope opens.
pub async fn address(world: &World, tenant: &str, scope: Scope) -> anyhow::Result<Opened> {
    if scope.may_define() {
        return Ok(("schema URL", "schema_url", format!("{}/t/{tenant}/schema", world.public_url().await?)));
    }
    Ok(("SCIM URL", "scim_url", scim_url(world, tenant).await?))
}

fn show_once(output: Output, tenant: &str, (what, key, url): &Opened, token: &NewToken) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(&json!({
            "name": token.record.name,
            "token": token.text,
            "tenant": tenant,
            *key: url,
            "scope": token_scope(&token.record),
            "expires": token.record.expires.to_string(),
        }));
    }
    output.facts(&[
        ("tenant", tenant.to_owned()),
        (what, url.clone()),
        ("name", token.record.name.clone()),
        ("token", token.text.clone()),
        ("scope", token_scope(&token.record).to_owned()),
        ("expires", moment(token.record.expires)),
    ])?;
    output.line("The token is shown this once; keep it where secrets are kept")
}

/// What may be done, in one word: as the option has it.
pub const fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Read => "read",
        Scope::Write => "write",
        Scope::Schemas => "schemas",
    }
}

/// What a secret token may do, in one word.
pub const fn token_scope(token: &TokenRecord) -> &'static str {
    scope(Scope::of_token(token))
}

/// The state of a credential that ends.
pub fn lasting(created: Timestamp, expires: Timestamp, now: Timestamp) -> String {
    match ends_within((created, expires), now) {
        _ if expires <= now => "expired".to_owned(),
        Some(1) => "ends within a day".to_owned(),
        Some(days) => format!("ends within {days} days"),
        None => "active".to_owned(),
    }
}

/// The state of a token, in a word or a few.
pub fn state(token: &TokenRecord, now: Timestamp) -> String {
    token.revoked.map_or_else(|| lasting(token.created, token.expires, now), |_| "revoked".to_owned())
}

/// A token without its secret, for programs.
pub fn described(token: &TokenRecord, now: Timestamp) -> Value {
    json!({
        "name": token.name,
        "hint": token.hint,
        "state": state(token, now),
        "scope": token_scope(token),
        "created": token.created.to_string(),
        "expires": token.expires.to_string(),
        "revoked": token.revoked.map(|at| at.to_string()),
        "last_used": token.last_used.map(|at| at.to_string()),
    })
}

async fn list(world: &World, output: Output, tenant: String) -> anyhow::Result<()> {
    let tokens = world.store().read(move |tx| provider::tokens(tx, &tenant)).await?;
    let now = now();
    if output.is_json() {
        return output.json(&tokens.iter().map(|token| described(token, now)).collect::<Vec<_>>());
    }
    let row = |token: &TokenRecord| {
        vec![
            token.name.clone(),
            format!("{}…", token.hint),
            token_scope(token).to_owned(),
            state(token, now),
            moment(token.created),
            moment(token.expires),
            moment_or(token.last_used, "never"),
        ]
    };
    output.table(
        &["TOKEN", "BEGINS WITH", "SCOPE", "STATE", "CREATED", "EXPIRES", "LAST USED"],
        tokens.iter().map(row).collect(),
        "No tokens",
    )
}
