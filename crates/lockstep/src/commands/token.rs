//! `token`: secret tokens of tenants.

use jiff::Timestamp;
use provider::{NewToken, TenantError, TokenRequest};
use serde_json::json;
use store::tenants::TokenRecord;

use super::tenant::scim_url;
use crate::cli::TokenCommand;
use crate::outcome::Outcome;
use crate::output::{Output, moment};
use crate::world::{World, audit_tenant, new_id, now, random};

/// Carries out `token`.
pub async fn run(command: TokenCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        TokenCommand::Add { tenant, name, days } => {
            let token = add(world, tenant.clone(), name, days).await?;
            let url = scim_url(&world.public_url().await?, &tenant);
            show_once(output, &tenant, &url, &token)?;
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
pub async fn add(world: &World, tenant: String, name: String, days: u16) -> Result<NewToken, TenantError> {
    let (key, id, now) = (world.token_key(), new_id(), now());
    let mut secret = [0; 32];
    random(&mut secret);
    world
        .store()
        .write(move |tx| {
            let request = TokenRequest { tenant: &tenant, name: &name, id, secret, days };
            let token = provider::create_token(tx, &key, &request, now)?;
            audit_tenant(tx, "Add token", &tenant, &json!({ "name": name, "days": days }))?;
            Ok(token)
        })
        .await
}

fn show_once(output: Output, tenant: &str, url: &str, token: &NewToken) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(&json!({
            "name": token.record.name,
            "token": token.text,
            "tenant": tenant,
            "scim_url": url,
            "expires": token.record.expires.to_string(),
        }));
    }
    output.facts(&[
        ("tenant", tenant.to_owned()),
        ("SCIM URL", url.to_owned()),
        ("name", token.record.name.clone()),
        ("token", token.text.clone()),
        ("expires", moment(token.record.expires)),
    ])?;
    output.line("The token is shown this once; keep it where secrets are kept")
}

fn state(token: &TokenRecord, now: Timestamp) -> &'static str {
    match token.revoked {
        Some(_) => "revoked",
        None if token.expires <= now => "expired",
        None => "active",
    }
}

async fn list(world: &World, output: Output, tenant: String) -> anyhow::Result<()> {
    let tokens = world.store().read(move |tx| provider::tokens(tx, &tenant)).await?;
    let now = now();
    if output.is_json() {
        let described = |token: &TokenRecord| {
            json!({
                "name": token.name, "hint": token.hint, "state": state(token, now), "created": token.created.to_string(),
                "expires": token.expires.to_string(), "revoked": token.revoked.map(|at| at.to_string()),
            })
        };
        return output.json(&tokens.iter().map(described).collect::<Vec<_>>());
    }
    let row = |token: &TokenRecord| {
        vec![
            token.name.clone(),
            format!("{}…", token.hint),
            state(token, now).to_owned(),
            moment(token.created),
            moment(token.expires),
        ]
    };
    output.table(
        &["TOKEN", "BEGINS WITH", "STATE", "CREATED", "EXPIRES"],
        tokens.iter().map(row).collect(),
        "No tokens",
    )
}
