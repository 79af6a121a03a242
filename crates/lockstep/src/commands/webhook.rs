//! `tenant webhook`: where the changes of tenants are sent.

use serde_json::{Value, json};
use store::WriteTx;
use store::webhooks::WebhookRecord;
use webhooks::{Answer, SigningKey, WebhookError, WebhookRequest};

use crate::cli::WebhookCommand;
use crate::hosting::deliverer;
use crate::outcome::{Outcome, usage};
use crate::output::{Output, moment_or};
use crate::world::{World, audit_tenant, new_id, now};

/// Carries out `tenant webhook`.
pub async fn run(command: WebhookCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    match command {
        WebhookCommand::Add { .. } => add(command, world, output).await?,
        WebhookCommand::List { tenant } => list(world, output, tenant).await?,
        WebhookCommand::Show { tenant, name } => show(world, output, tenant, name).await?,
        WebhookCommand::Remove { tenant, name } => {
            change(world, (&tenant, &name), "Remove webhook", webhooks::remove).await?;
            told(output, (&tenant, &name), "removed", "was removed")?;
        }
        WebhookCommand::Pause { tenant, name } => {
            change(world, (&tenant, &name), "Pause webhook", webhooks::pause).await?;
            told(output, (&tenant, &name), "paused", "is paused; nothing is sent until it is resumed")?;
        }
        WebhookCommand::Resume { tenant, name } => {
            change(world, (&tenant, &name), "Resume webhook", webhooks::resume).await?;
            told(output, (&tenant, &name), "resumed", "goes on where it was")?;
        }
        WebhookCommand::Test { tenant, name } => return test(world, output, &tenant, &name).await,
    }
    Ok(Outcome::Done)
}

fn told(output: Output, (tenant, name): (&str, &str), word: &str, what: &str) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(&json!({ "tenant": tenant, "name": name, word: true }));
    }
    output.line(&format!("Webhook {name} of {tenant} {what}"))
}

/// A change of a webhook, with its record in the audit log.
async fn change(
    world: &World,
    (tenant, name): (&str, &str),
    activity: &'static str,
    change: fn(&mut WriteTx<'_>, &str, &str) -> Result<(), WebhookError>,
) -> Result<(), WebhookError> {
    let (tenant, name) = (tenant.to_owned(), name.to_owned());
    let changed = world.store().write(move |tx| {
        change(tx, &tenant, &name)?;
        Ok::<_, WebhookError>(audit_tenant(tx, activity, &tenant, &json!({ "name": name }))?)
    });
    changed.await
}

async fn add(command: WebhookCommand, world: &World, output: Output) -> anyhow::Result<()> {
    let WebhookCommand::Add { tenant, name, url, full, events, types } = command else { return Ok(()) };
    let (id, now, of, policy) = (new_id(), now(), tenant.clone(), world.outbound_policy());
    let added = world.store().write(move |tx| {
        let request = WebhookRequest {
            tenant: &of,
            name: &name,
            id,
            url: &url,
            policy,
            is_full: full,
            actions: &events,
            types: &types,
        };
        let added = webhooks::add(tx, &request, now)?;
        audit_tenant(tx, "Add webhook", &of, &json!({ "name": name, "url": url }))?;
        Ok::<_, WebhookError>(added)
    });
    let added = added.await.map_err(|error| match error {
        WebhookError::Bad(told) => usage(told),
        other => other.into(),
    })?;
    let secret = SigningKey::of(&world.token_key(), added.id).text();
    if output.is_json() {
        let mut told = described(&tenant, &added, 0);
        told["secret"] = secret.into();
        return output.json(&told);
    }
    output.facts(&[("tenant", tenant), ("name", added.name), ("URL", added.url), ("secret", secret)])?;
    output.line("The secret is shown this once; the receiver needs it to check signatures")
}

/// The state of a webhook in a few words.
fn state(webhook: &WebhookRecord) -> String {
    let progress = &webhook.progress;
    match (&progress.paused, progress.failures) {
        (Some(reason), _) => format!("paused: {reason}"),
        (None, 0) => "active".to_owned(),
        (None, failures) => format!("failing ({failures})"),
    }
}

fn described(tenant: &str, webhook: &WebhookRecord, backlog: i64) -> Value {
    let progress = &webhook.progress;
    let words = |list: &str| list.split_ascii_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let failure = progress.last_failure.as_ref();
    json!({
        "tenant": tenant, "name": webhook.name, "id": webhook.id.to_string(), "url": webhook.url, "full": webhook.is_full,
        "events": words(&webhook.actions), "types": words(&webhook.types), "created": webhook.created.to_string(),
        "state": state(webhook), "paused": progress.paused, "failures": progress.failures, "read_to": progress.read_to,
        "backlog": backlog, "missed": progress.missed,
        "next_attempt": (progress.failures > 0).then(|| progress.next_attempt.to_string()),
        "last_success": progress.last_success.map(|at| at.to_string()),
        "last_failure": failure.map(|(at, why)| json!({ "at": at.to_string(), "why": why })),
    })
}

async fn all(world: &World, tenant: &str) -> Result<Vec<(WebhookRecord, i64)>, WebhookError> {
    let tenant = tenant.to_owned();
    world.store().write(move |tx| webhooks::list(tx, &tenant)).await
}

async fn list(world: &World, output: Output, tenant: String) -> anyhow::Result<()> {
    let found = all(world, &tenant).await?;
    if output.is_json() {
        return output.json(&found.iter().map(|(one, backlog)| described(&tenant, one, *backlog)).collect::<Vec<_>>());
    }
    let row = |(webhook, backlog): &(WebhookRecord, i64)| {
        let success = moment_or(webhook.progress.last_success, "never");
        vec![webhook.name.clone(), webhook.url.clone(), state(webhook), backlog.to_string(), success]
    };
    let none = "No webhooks; add one with lockstep tenant webhook add TENANT NAME --url URL";
    output.table(&["WEBHOOK", "URL", "STATE", "BACKLOG", "LAST SUCCESS"], found.iter().map(row).collect(), none)
}

async fn show(world: &World, output: Output, tenant: String, name: String) -> anyhow::Result<()> {
    let found = all(world, &tenant).await?.into_iter().find(|(webhook, _)| webhook.name == name);
    let (webhook, backlog) =
        found.ok_or_else(|| WebhookError::NoSuchWebhook { tenant: tenant.clone(), name: name.clone() })?;
    if output.is_json() {
        return output.json(&described(&tenant, &webhook, backlog));
    }
    let or_all = |list: &str| if list.is_empty() { "all".to_owned() } else { list.replace(' ', ", ") };
    let progress = &webhook.progress;
    let (failed, why) = progress.last_failure.clone().unzip();
    let waits = (progress.failures > 0 && progress.paused.is_none()).then_some(progress.next_attempt);
    output.facts(&[
        ("tenant", tenant),
        ("name", name),
        ("URL", webhook.url.clone()),
        ("tells", if webhook.is_full { "resources" } else { "names of attributes" }.to_owned()),
        ("events", or_all(&webhook.actions)),
        ("resource types", or_all(&webhook.types)),
        ("state", state(&webhook)),
        ("backlog", backlog.to_string()),
        ("missed", progress.missed.to_string()),
        ("last success", moment_or(progress.last_success, "never")),
        ("last failure", moment_or(failed, "never")),
        ("reason", why.unwrap_or_default()),
        ("next attempt", moment_or(waits, "when something changes")),
    ])
}

async fn test(world: &World, output: Output, tenant: &str, name: &str) -> anyhow::Result<Outcome> {
    let answer = deliverer(world, &world.public_url().await?)?.test(tenant, name).await?;
    let (taken, what) = match answer {
        Answer::Taken => (true, "took the verification event".to_owned()),
        Answer::Gone => (false, "answered that it is gone (410)".to_owned()),
        Answer::Failed { why, .. } => (false, format!("did not take the verification event: {why}")),
    };
    if output.is_json() {
        output.json(&json!({ "tenant": tenant, "name": name, "taken": taken, "answer": what }))?;
    } else {
        output.line(&format!("The receiver of {name} of {tenant} {what}"))?;
    }
    Ok(if taken { Outcome::Done } else { Outcome::ProblemsFound })
}
