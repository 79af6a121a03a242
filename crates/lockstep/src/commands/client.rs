//! `tenant client`: OAuth 2.0 clients of tenants, their secrets, and the identity providers that vouch for them.

use std::path::Path;

use jiff::Timestamp;
use provider::TenantError;
use provider::oauth::{
    self, ClientRequest, ClientView, Federation, FederationKeys, JWKS_BYTES_MAX, NewSecret, SecretRequest,
};
use serde_json::{Value, json};
use store::clients::SecretRecord;

use super::tenant_show::scim_url;
use super::token::{lasting, scope};
use crate::cli::{ClientCommand, ClientSecretCommand};
use crate::files::read_text;
use crate::outcome::Outcome;
use crate::output::{Output, moment, moment_or};
use crate::world::{World, audit_tenant, new_id, now, random};

/// The address of a tenant's token endpoint.
fn token_url(public_url: &str, tenant: &str) -> String {
    format!("{public_url}/t/{tenant}/oauth2/token")
}

/// Carries out `tenant client`.
pub async fn run(command: ClientCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        ClientCommand::Add { .. } => add(command, world, output).await?,
        ClientCommand::List { tenant } => list(world, output, tenant).await?,
        ClientCommand::Remove { tenant, name } => {
            let what = "was removed with its secrets and its access tokens";
            let names = (tenant.clone(), name.clone());
            let removed = world.store().write(move |tx| {
                oauth::remove_client(tx, (&names.0, &names.1))?;
                Ok::<_, TenantError>(audit_tenant(tx, "Remove client", &names.0, &json!({ "name": names.1 }))?)
            });
            removed.await?;
            told(output, (&tenant, &name), "removed", what)?;
        }
        ClientCommand::Secret(command) => secret(command, world, output).await?,
        ClientCommand::Federate { .. } => federate(command, world, output).await?,
        ClientCommand::Unfederate { tenant, name } => {
            let names = (tenant.clone(), name.clone());
            set_federation(world, names, None).await?;
            told(output, (&tenant, &name), "unfederated", "is vouched for by no identity provider")?;
        }
    }
    Ok(Outcome::Done)
}

fn told(output: Output, (tenant, name): (&str, &str), word: &str, what: &str) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(&json!({ "tenant": tenant, "name": name, word: true }));
    }
    output.line(&format!("Client {name} of {tenant} {what}"))
}

fn new_secret(days: u16) -> SecretRequest {
    let mut secret = [0; 32];
    random(&mut secret);
    SecretRequest { id: new_id(), secret, days }
}

async fn add(command: ClientCommand, world: &World, output: Output) -> anyhow::Result<()> {
    let ClientCommand::Add { tenant, name, scope: wanted, token_minutes, secret_days, no_secret } = command else {
        return Ok(());
    };
    let (key, id, now) = (world.token_key(), new_id(), now());
    let secret = (!no_secret).then(|| new_secret(secret_days));
    let names = (tenant.clone(), name.clone());
    let made = world.store().write(move |tx| {
        let request = ClientRequest { tenant: &names.0, name: &names.1, id, scope: wanted.into(), token_minutes };
        let made = oauth::add_client(tx, &key, &request, secret.as_ref(), now)?;
        let detail = json!({ "name": names.1, "client_id": id.to_string(), "token_minutes": token_minutes });
        audit_tenant(tx, "Add client", &names.0, &detail)?;
        Ok::<_, TenantError>(made)
    });
    let made = made.await?;
    let public_url = world.public_url().await?;
    let (url, id) = (token_url(&public_url, &tenant), made.record.id.to_string());
    let scim_url = scim_url(world, &tenant).await?;
    let (text, expires) =
        made.secret.map_or((None, None), |NewSecret { text, record, .. }| (Some(text), Some(record.expires)));
    if output.is_json() {
        return output.json(&json!({
            "tenant": tenant,
            "name": name,
            "client_id": id,
            "client_secret": text,
            "scope": scope(made.record.may_write),
            "token_url": url,
            "scim_url": scim_url,
            "secret_expires": expires.map(|at| at.to_string()),
        }));
    }
    output.facts(&[
        ("tenant", tenant.clone()),
        ("SCIM URL", scim_url),
        ("token URL", url),
        ("name", name.clone()),
        ("client id", id),
        ("client secret", text.clone().unwrap_or_else(|| "none".to_owned())),
        ("secret expires", moment_or(expires, "never: there is none")),
        ("scope", scope(made.record.may_write).to_owned()),
    ])?;
    match text {
        Some(_) => output.line("The secret is shown this once; keep it where secrets are kept"),
        None => output.line(&format!("Name who vouches for it with: lockstep tenant client federate {tenant} {name}")),
    }
}

async fn secret(command: ClientSecretCommand, world: &World, output: Output) -> anyhow::Result<()> {
    match command {
        ClientSecretCommand::Add { tenant, name, days } => {
            let (key, request, now) = (world.token_key(), new_secret(days), now());
            let names = (tenant.clone(), name.clone());
            let made = world.store().write(move |tx| {
                let made = oauth::add_secret(tx, &key, (&names.0, &names.1), &request, now)?;
                let detail = json!({ "name": names.1, "days": days });
                audit_tenant(tx, "Add client secret", &names.0, &detail)?;
                Ok::<_, TenantError>(made)
            });
            let NewSecret { client, text, record } = made.await?;
            if output.is_json() {
                return output.json(&json!({
                    "tenant": tenant,
                    "name": name,
                    "client_id": client.to_string(),
                    "client_secret": text,
                    "secret_expires": record.expires.to_string(),
                }));
            }
            output.facts(&[
                ("client id", client.to_string()),
                ("client secret", text),
                ("secret expires", moment(record.expires)),
            ])?;
            output.line("The secret is shown this once; keep it where secrets are kept")
        }
        ClientSecretCommand::Revoke { tenant, name, begins } => {
            let (names, hint) = ((tenant.clone(), name.clone()), begins.clone());
            let revoked = world.store().write(move |tx| {
                oauth::revoke_secret(tx, (&names.0, &names.1), &hint)?;
                // A whole secret may have been given where its beginning is asked for.
                let begins: String = hint.chars().take(10).collect();
                let detail = json!({ "name": names.1, "begins": begins });
                Ok::<_, TenantError>(audit_tenant(tx, "Revoke client secret", &names.0, &detail)?)
            });
            revoked.await?;
            told(output, (&tenant, &name), "revoked", "lost that secret, and the access tokens issued for it")
        }
    }
}

async fn federate(command: ClientCommand, world: &World, output: Output) -> anyhow::Result<()> {
    let ClientCommand::Federate { tenant, name, issuer, audience, subject, jwks_url, jwks_file, accept_bearer } =
        command
    else {
        return Ok(());
    };
    let keys = match (jwks_url, jwks_file) {
        (Some(url), _) => FederationKeys::At(url),
        (None, Some(file)) => FederationKeys::Here(read_keys(&file)?),
        (None, None) => anyhow::bail!("name the provider's keys with --jwks-url or --jwks-file"),
    };
    let federation = Federation { issuer, audience, subject, keys, accept_bearer };
    set_federation(world, (tenant.clone(), name.clone()), Some(federation)).await?;
    told(output, (&tenant, &name), "federated", "is vouched for by that identity provider")
}

fn read_keys(file: &Path) -> anyhow::Result<String> {
    read_text(file, "the keys in", JWKS_BYTES_MAX as u64, "is no JSON Web Key Set")
}

async fn set_federation(
    world: &World,
    names: (String, String),
    federation: Option<Federation>,
) -> Result<(), TenantError> {
    let now = now();
    let set = world.store().write(move |tx| {
        oauth::federate(tx, (&names.0, &names.1), federation.as_ref(), now)?;
        let issuer = federation.as_ref().map(|federation| federation.issuer.as_str());
        audit_tenant(tx, "Set identity provider", &names.0, &json!({ "name": names.1, "issuer": issuer }))?;
        Ok(())
    });
    set.await
}

async fn list(world: &World, output: Output, tenant: String) -> anyhow::Result<()> {
    let clients = world.store().read(move |tx| oauth::clients(tx, &tenant)).await?;
    let now = now();
    if output.is_json() {
        return output.json(&clients.iter().map(|view| described(view, now)).collect::<Vec<_>>());
    }
    let row = |view: &ClientView| {
        let secret = |secret: &SecretRecord| {
            format!(
                "{}… {}, until {}",
                secret.hint,
                lasting(secret.created, secret.expires, now),
                moment(secret.expires)
            )
        };
        let lines = |lines: Vec<String>| lines.join("; ");
        vec![
            view.client.name.clone(),
            view.client.id.to_string(),
            scope(view.client.may_write).to_owned(),
            format!("{} min", view.client.token_minutes),
            lines(view.secrets.iter().map(secret).collect()),
            view.federation.as_ref().map(|federation| federation.issuer.clone()).unwrap_or_default(),
        ]
    };
    let head = ["CLIENT", "CLIENT ID", "SCOPE", "TOKENS", "SECRETS", "IDENTITY PROVIDER"];
    output.table(&head, clients.iter().map(row).collect(), "No clients")
}

/// A client without its secrets, for programs.
pub fn described(view: &ClientView, now: Timestamp) -> Value {
    let secret = |secret: &SecretRecord| {
        json!({
            "hint": secret.hint,
            "state": lasting(secret.created, secret.expires, now),
            "created": secret.created.to_string(),
            "expires": secret.expires.to_string(),
            "last_used": secret.last_used.map(|at| at.to_string()),
        })
    };
    let federation = view.federation.as_ref().map(|federation| {
        json!({
            "issuer": federation.issuer,
            "audience": federation.audience,
            "subject": federation.subject,
            "jwks_url": federation.jwks_url,
            "accept_bearer": federation.accept_bearer,
        })
    });
    json!({
        "name": view.client.name,
        "client_id": view.client.id.to_string(),
        "scope": scope(view.client.may_write),
        "token_minutes": view.client.token_minutes,
        "created": view.client.created.to_string(),
        "secrets": view.secrets.iter().map(secret).collect::<Vec<_>>(),
        "identity_provider": federation,
    })
}
