//! `tenant client`: OAuth 2.0 clients of tenants, their secrets, and the identity providers that vouch for them.

use std::path::Path;

use jiff::Timestamp;
use outbound::{OutboundPolicy, WebAddress};
use provider::oauth::{
    self, ClientRequest, ClientView, Federation, FederationKeys, JWKS_BYTES_MAX, NewSecret, SecretRequest,
};
use provider::{Scope, TenantError};
use serde_json::{Value, json};
use store::clients::SecretRecord;

use super::token::{address, lasting, scope};
use crate::cli::{ClientCommand, ClientSecretCommand};
use crate::files::read_text;
use crate::outcome::{Outcome, usage};
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
    let granted = Scope::of_client(&made.record);
    let (what, key, opened) = address(world, &tenant, granted).await?;
    let (text, expires) =
        made.secret.map_or((None, None), |NewSecret { text, record, .. }| (Some(text), Some(record.expires)));
    if output.is_json() {
        return output.json(&json!({
            "tenant": tenant,
            "name": name,
            "client_id": id,
            "client_secret": text,
            "scope": scope(granted),
            "token_url": url,
            key: opened,
            "secret_expires": expires.map(|at| at.to_string()),
        }));
    }
    output.facts(&[
        ("tenant", tenant.clone()),
        (what, opened),
        ("token URL", url),
        ("name", name.clone()),
        ("client id", id),
        ("client secret", text.clone().unwrap_or_else(|| "none".to_owned())),
        ("secret expires", moment_or(expires, "never: there is none")),
        ("scope", scope(granted).to_owned()),
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
        (Some(url), _) => FederationKeys::At(keys_url(url, world.outbound_policy()).map_err(usage)?),
        (None, Some(file)) => FederationKeys::Here(read_keys(&file)?),
        (None, None) => anyhow::bail!("name the provider's keys with --jwks-url or --jwks-file"),
    };
    let federation = Federation { issuer, audience, subject, keys, accept_bearer };
    set_federation(world, (tenant.clone(), name.clone()), Some(federation)).await?;
    told(output, (&tenant, &name), "federated", "is vouched for by that identity provider")
}

/// The address of an identity provider's keys, if they could be fetched from there as far as that is known without looking its name up.
fn keys_url(text: String, policy: OutboundPolicy) -> Result<String, String> {
    let address: WebAddress =
        text.parse().map_err(|error| format!("the address of the keys cannot be used: {error}"))?;
    address.check(policy).map_err(|reason| {
        let host = address.host();
        format!("no keys could be fetched from {host}: {reason}; choose another address, or change that setting first")
    })?;
    Ok(text)
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
            scope(Scope::of_client(&view.client)).to_owned(),
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
        "scope": scope(Scope::of_client(&view.client)),
        "token_minutes": view.client.token_minutes,
        "created": view.client.created.to_string(),
        "secrets": view.secrets.iter().map(secret).collect::<Vec<_>>(),
        "identity_provider": federation,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_could_not_be_fetched_are_refused_when_their_address_is_given() {
        let own = OutboundPolicy::default();
        let hosted = OutboundPolicy { private_networks: false, plain_http: false };
        for (url, policy, expected) in [
            ("https://idp.example/keys", own, ""),
            ("http://idp.example:8080/keys", own, ""),
            ("http://127.0.0.1:8080/keys", own, ""),
            ("https://idp.example:65536/keys", own, "a port is a number from 1 to 65535"),
            ("https://idp.example:99999/keys", own, "a port is a number"),
            ("https://idp.example:0/keys", own, "a port is a number"),
            ("http://127.1/keys", own, "a host that is a number is written like 192.0.2.1"),
            ("http://0x7f000001/keys", own, "a host that is a number"),
            ("http://2130706433/keys", own, "a host that is a number"),
            ("idp.example/keys", own, "begins with https:// or http://"),
            ("https://user:geheim@idp.example/keys", own, "holds no user"),
            (
                "https://169.254.169.254/keys",
                own,
                "no keys could be fetched from 169.254.169.254: link-local, metadata",
            ),
            ("https://127.0.0.1/keys", hosted, "private networks are not allowed"),
            ("http://93.184.216.34/keys", own, "use https://"),
        ] {
            let told = keys_url(url.to_owned(), policy).err().unwrap_or_default();
            assert!(if expected.is_empty() { told.is_empty() } else { told.contains(expected) }, "{url}: {told}");
            assert!(!told.contains("geheim"), "{told}");
        }
    }
}
