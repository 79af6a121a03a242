//! Webhooks of tenants: where events are sent, how far each has come, and who sends now. What is sent, and when it is tried again, is
//! decided elsewhere.

use jiff::Timestamp;

use crate::error::StoreError;
use crate::id::{TenantKey, WebhookId};
use crate::sql::{Row, params, statements};
use crate::{ReadTx, WriteTx};

/// A webhook of a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRecord {
    /// The tenant.
    pub tenant: TenantKey,
    /// Its id.
    pub id: WebhookId,
    /// Its name; unique in the tenant.
    pub name: String,
    /// Where events are sent.
    pub url: String,
    /// Whether they carry the resource.
    pub is_full: bool,
    /// Which actions are told, separated by blanks; all where it is empty.
    pub actions: String,
    /// Resources of which types are told, by name, separated by blanks; all where it is empty.
    pub types: String,
    /// When it was made.
    pub created: Timestamp,
    /// How far it has come.
    pub progress: Progress,
}

/// How far a webhook has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The number of the last change that is done with.
    pub read_to: i64,
    /// Attempts that failed since the last success.
    pub failures: i64,
    /// When the first of them was.
    pub failing_since: Option<Timestamp>,
    /// Before this moment nothing is sent.
    pub next_attempt: Timestamp,
    /// When an event was last taken.
    pub last_success: Option<Timestamp>,
    /// When an attempt last failed, and why.
    pub last_failure: Option<(Timestamp, String)>,
    /// Events that were never sent, because they were no longer kept when their turn came.
    pub missed: i64,
    /// Why nothing is sent any more, until it is resumed.
    pub paused: Option<String>,
}

/// The right to send what a webhook is owed, for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebhookLease {
    /// The tenant.
    pub tenant: TenantKey,
    /// The webhook.
    pub id: WebhookId,
    fence: i64,
}

statements! {
    INSERT = "INSERT INTO webhooks (tenant, id, name, url, is_full, actions, types, created, read_to) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    WEBHOOKS = "SELECT tenant, id, name, url, is_full, actions, types, created, read_to, failures, failing_since, next_attempt, last_success, last_failed, last_failure, missed, paused
                FROM webhooks WHERE tenant = $1 ORDER BY name";
    WEBHOOK = "SELECT tenant, id, name, url, is_full, actions, types, created, read_to, failures, failing_since, next_attempt, last_success, last_failed, last_failure, missed, paused
               FROM webhooks WHERE tenant = $1 AND id = $2";
    DELETE = "DELETE FROM webhooks WHERE tenant = $1 AND id = $2";
    DELETE_TENANT_WEBHOOKS = "DELETE FROM webhooks WHERE tenant = $1";
    PAUSE = "UPDATE webhooks SET paused = $3 WHERE tenant = $1 AND id = $2";
    RESUME = "UPDATE webhooks SET paused = NULL, failures = 0, failing_since = NULL, next_attempt = 0 WHERE tenant = $1 AND id = $2";
    ANY = "SELECT 1 FROM webhooks WHERE paused IS NULL LIMIT 1";
    DUE = "SELECT tenant, id FROM webhooks WHERE paused IS NULL AND next_attempt <= $1 AND lease_until <= $1
           AND read_to < (SELECT COALESCE(MAX(seq), 0) FROM changes WHERE feed = webhooks.tenant)",
          "SELECT tenant, id FROM webhooks WHERE paused IS NULL AND next_attempt <= $1 AND lease_until <= $1
           AND (EXISTS (SELECT 1 FROM changes_unnumbered WHERE feed = webhooks.tenant)
                OR read_to < (SELECT COALESCE(MAX(seq), 0) FROM changes WHERE feed = webhooks.tenant))";
    CLAIM = "UPDATE webhooks SET lease_until = $4, fence = fence + 1
             WHERE tenant = $1 AND id = $2 AND paused IS NULL AND next_attempt <= $3 AND lease_until <= $3 RETURNING fence";
    ADVANCE = "UPDATE webhooks SET read_to = $4, failures = $5, failing_since = $6, next_attempt = $7, last_success = $8, last_failed = $9,
               last_failure = $10, missed = $11, paused = COALESCE(paused, $12), lease_until = $13
               WHERE tenant = $1 AND id = $2 AND fence = $3 RETURNING paused";
}

fn webhook(row: &Row<'_>) -> Result<WebhookRecord, StoreError> {
    let failed = row.opt_time(13)?.zip(row.opt_text(14)?);
    Ok(WebhookRecord {
        tenant: TenantKey(row.int(0)?),
        id: row.id(1)?,
        name: row.text(2)?,
        url: row.text(3)?,
        is_full: row.int(4)? != 0,
        actions: row.text(5)?,
        types: row.text(6)?,
        created: row.time(7)?,
        progress: Progress {
            read_to: row.int(8)?,
            failures: row.int(9)?,
            failing_since: row.opt_time(10)?,
            next_attempt: row.time(11)?,
            last_success: row.opt_time(12)?,
            last_failure: failed,
            missed: row.int(15)?,
            paused: row.opt_text(16)?,
        },
    })
}

/// Keeps a new webhook, of whose progress only `read_to` counts. A name that is taken is [`StoreError::NotUnique`].
pub fn insert_webhook(tx: &mut WriteTx<'_>, new: &WebhookRecord) -> Result<(), StoreError> {
    let WebhookRecord { tenant, id, name, url, is_full, actions, types, created, progress } = new;
    let values = params![*tenant, *id, name, url, *is_full, actions, types, *created, progress.read_to];
    tx.run(&INSERT, values).map(drop)
}

/// The webhooks of a tenant, by name.
pub fn webhooks(tx: &mut ReadTx<'_>, tenant: TenantKey) -> Result<Vec<WebhookRecord>, StoreError> {
    tx.all(&WEBHOOKS, params![tenant], webhook)
}

/// A webhook of a tenant.
pub fn webhook_by_id(
    tx: &mut ReadTx<'_>,
    tenant: TenantKey,
    id: WebhookId,
) -> Result<Option<WebhookRecord>, StoreError> {
    tx.first(&WEBHOOK, params![tenant, id], webhook)
}

/// Deletes a webhook.
pub fn delete_webhook(tx: &mut WriteTx<'_>, tenant: TenantKey, id: WebhookId) -> Result<(), StoreError> {
    tx.run(&DELETE, params![tenant, id]).map(drop)
}

/// Pauses a webhook for a reason. Whoever sends for it now hears of that when the answer is kept.
pub fn pause_webhook(tx: &mut WriteTx<'_>, tenant: TenantKey, id: WebhookId, reason: &str) -> Result<(), StoreError> {
    tx.run(&PAUSE, params![tenant, id, reason]).map(drop)
}

/// Lets a webhook go on where it was, and at once.
pub fn resume_webhook(tx: &mut WriteTx<'_>, tenant: TenantKey, id: WebhookId) -> Result<(), StoreError> {
    tx.run(&RESUME, params![tenant, id]).map(drop)
}

/// Whether any tenant has a webhook that is not paused.
pub fn is_any_webhook_on(tx: &mut ReadTx<'_>) -> Result<bool, StoreError> {
    Ok(tx.first(&ANY, &[], |_| Ok(()))?.is_some())
}

/// The webhooks that may be owed something and that nobody sends for.
pub fn due_webhooks(tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Vec<(TenantKey, WebhookId)>, StoreError> {
    tx.all(&DUE, params![now], |row| Ok((TenantKey(row.int(0)?), row.id(1)?)))
}

/// Takes the right to send for a webhook until a moment; `None` where another has it, or it is paused, waits, or is gone.
pub fn claim_webhook(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    id: WebhookId,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<WebhookLease>, StoreError> {
    let fence = tx.first(&CLAIM, params![tenant, id, now, until], |row| row.int(0))?;
    Ok(fence.map(|fence| WebhookLease { tenant, id, fence }))
}

/// What became of keeping how far a webhook has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is kept, and the webhook goes on.
    Active,
    /// It is kept, and the webhook is paused.
    Paused,
    /// It is not kept: the right to send has gone to another, or the webhook is gone.
    Lost,
}

/// Keeps how far a webhook has come, and the right to send until another moment. A pause stays, whoever made it.
pub fn advance_webhook(
    tx: &mut WriteTx<'_>,
    lease: WebhookLease,
    progress: &Progress,
    until: Timestamp,
) -> Result<Kept, StoreError> {
    let Progress { read_to, failures, failing_since, next_attempt, last_success, last_failure, missed, paused } =
        progress;
    let failed = last_failure.as_ref().map(|(at, _)| *at);
    let why = last_failure.as_ref().map(|(_, why)| why.as_str());
    let values = params![
        lease.tenant,
        lease.id,
        lease.fence,
        *read_to,
        *failures,
        *failing_since,
        *next_attempt,
        *last_success,
        failed,
        why,
        *missed,
        paused.as_deref(),
        until,
    ];
    let kept = tx.first(&ADVANCE, values, |row| row.opt_text(0))?;
    Ok(match kept {
        None => Kept::Lost,
        Some(None) => Kept::Active,
        Some(Some(_)) => Kept::Paused,
    })
}

#[cfg(test)]
pub(crate) mod tests;
