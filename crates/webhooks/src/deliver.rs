//! The sending: one task for each webhook that is owed something, one event after the other. Where it has come to is committed after
//! each answer, so every event arrives at least once; whoever sends holds the webhook's lease, so two servers never send at a time.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use outbound::{Called, Client, post};
use provider::{Detail, Event, ProviderError, TokenKey, administrator, events_after};
use serde_json::{Value, json};
use store::webhooks::{self, Kept, Progress, WebhookLease, WebhookRecord};
use store::{Store, StoreError};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::decide::{Answer, after, wants};
use crate::{SigningKey, WebhookError};

/// How long a receiver may take to answer, in seconds.
pub const ANSWER_SECONDS_MAX: u64 = 15;
/// Webhooks that are sent for at a time.
pub const SENDING_MAX: usize = 32;
/// How long the right to send lasts after it was taken, or after an answer, in seconds: longer than an answer may take.
const LEASE_SECONDS: i64 = 2 * ANSWER_SECONDS_MAX.cast_signed();
/// Changes that are read at a time: they are held while they are sent.
const EVENTS_AT_A_TIME: u32 = 20;
/// Times that changes are read before others have their turn.
const READS_IN_TURN: u32 = 5;
/// How often it is looked for what other programs wrote.
const LOOKED_EVERY: Duration = Duration::from_secs(1);
/// However much changes, it is not looked more often than that.
const LOOKED_EVERY_MIN: Duration = Duration::from_millis(20);
/// A receiver, as failures to reach it name it.
const RECEIVER: Called = Called { server: "receiver", address: "URL of the webhook", program: "application" };
/// The event of a test (OpenID Shared Signals Framework 1.0 §8.1.4).
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// What sending needs.
pub struct DelivererParts {
    /// The data.
    pub store: Store,
    /// The server's key, of which the keys of signatures are made.
    pub token_key: TokenKey,
    /// The guarded client.
    pub client: Client,
    /// Reads the clock.
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Gives a random number, which spreads the next attempts.
    pub chance: Box<dyn Fn() -> u32 + Send + Sync>,
    /// The address under which others reach the server, without slash at its end.
    pub public_url: String,
}

/// Sends what webhooks are owed; cheap to clone.
#[derive(Clone)]
pub struct Deliverer(Arc<Inner>);

struct Inner {
    parts: DelivererParts,
    stopping: AtomicBool,
}

/// A webhook that is sent for.
struct Sender<'d> {
    parts: &'d DelivererParts,
    lease: WebhookLease,
    webhook: WebhookRecord,
    tenant: String,
    /// The address of the tenant's endpoint: who issues what is told.
    issuer: String,
}

impl Deliverer {
    /// One that sends for all tenants.
    pub fn new(parts: DelivererParts) -> Self {
        Self(Arc::new(Inner { parts, stopping: AtomicBool::new(false) }))
    }

    /// Sends until it is stopped; what is being sent then is still waited for. `changed` tells that this process wrote something.
    pub async fn run(&self, changed: &Notify, stopped: impl Future<Output = ()>) {
        let mut stopped = std::pin::pin!(stopped);
        let mut sending = JoinSet::new();
        loop {
            let is_any = self.start(&mut sending).await.unwrap_or_else(|error| {
                tracing::error!("Which webhooks are owed something cannot be told now: {error}");
                false
            });
            tokio::select! {
                () = &mut stopped => break,
                Some(_) = sending.join_next() => {}
                () = next_look(is_any, changed) => {}
            }
        }
        self.0.stopping.store(true, Ordering::Relaxed);
        while sending.join_next().await.is_some() {}
    }

    /// Sends what is owed now, and waits for it.
    pub async fn round(&self) -> Result<(), StoreError> {
        let mut sending = JoinSet::new();
        self.start(&mut sending).await?;
        while sending.join_next().await.is_some() {}
        Ok(())
    }

    /// Starts to send for the webhooks that are due, as far as there is room; says whether there is any webhook at all.
    async fn start(&self, sending: &mut JoinSet<()>) -> Result<bool, StoreError> {
        let store = &self.0.parts.store;
        if !store.read(webhooks::is_any_webhook_on).await? {
            return Ok(false);
        }
        let now = (self.0.parts.clock)();
        for (tenant, id) in store.read(move |tx| webhooks::due_webhooks(tx, now)).await? {
            if sending.len() >= SENDING_MAX {
                break;
            }
            let until = lease_end(now);
            let claim = store.write(move |tx| webhooks::claim_webhook(tx, tenant, id, now, until));
            if let Some(lease) = claim.await? {
                let deliverer = self.clone();
                sending.spawn(async move { deliverer.send_for(lease).await });
            }
        }
        Ok(true)
    }

    async fn send_for(&self, lease: WebhookLease) {
        let sent = match Sender::open(&self.0.parts, lease).await {
            Ok(Some(mut sender)) => sender.send_all(&self.0.stopping).await,
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        // The lease ends by itself, and the next who has it tries again.
        if let Err(error) = sent {
            tracing::error!("A webhook could not be sent for and is tried again: {error}");
        }
    }

    /// Sends a verification event, whatever state the webhook is in.
    pub async fn test(&self, tenant: &str, name: &str) -> Result<Answer, WebhookError> {
        let parts = &self.0.parts;
        let (given, webhook) = (tenant.to_owned(), name.to_owned());
        let webhook = parts.store.read(move |tx| crate::find(tx, &given, &webhook)).await?;
        let now = (parts.clock)();
        let id = format!("{tenant}-test-{}", now.as_millisecond());
        let claims = json!({
            "iss": issuer(parts, tenant).await?,
            "iat": now.as_second(),
            "jti": id,
            "aud": webhook.url,
            "sub_id": { "format": "opaque", "id": webhook.id.to_string() },
            "events": { VERIFICATION: {} },
        });
        Ok(send(parts, &webhook, &id, &claims).await)
    }
}

/// Waits until it is worth to look again. Without a webhook nothing that changes is heard of.
async fn next_look(is_any: bool, changed: &Notify) {
    if !is_any {
        return tokio::time::sleep(LOOKED_EVERY).await;
    }
    tokio::time::sleep(LOOKED_EVERY_MIN).await;
    // That nobody wrote in time means the same.
    drop(tokio::time::timeout(LOOKED_EVERY, changed.notified()).await);
}

fn lease_end(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_secs(LEASE_SECONDS)).unwrap_or(Timestamp::MAX)
}

/// The address of the tenant's endpoint that is in force.
async fn issuer(parts: &DelivererParts, tenant: &str) -> Result<String, WebhookError> {
    let (name, public_url) = (tenant.to_owned(), parts.public_url.clone());
    let read = parts.store.read(move |tx| {
        let caller = administrator(tx, &name)?;
        Ok::<_, WebhookError>(caller.settings().scim_base(&public_url, &name))
    });
    read.await
}

/// Sends one event, signed as Standard Webhooks says.
async fn send(parts: &DelivererParts, webhook: &WebhookRecord, id: &str, claims: &Value) -> Answer {
    let (now, body) = ((parts.clock)(), claims.to_string());
    let signature = SigningKey::of(&parts.token_key, webhook.id).sign(id, now, &body);
    let seconds = now.as_second().to_string();
    let headers = [
        ("content-type", "application/json"),
        ("webhook-id", id),
        ("webhook-timestamp", seconds.as_str()),
        ("webhook-signature", signature.as_str()),
    ];
    let posted = post(&parts.client, &webhook.url, &headers, body.clone(), RECEIVER);
    match tokio::time::timeout(Duration::from_secs(ANSWER_SECONDS_MAX), posted).await {
        Ok(Ok(answer)) => Answer::of(answer.status, answer.retry_after),
        Ok(Err(why)) => Answer::Failed { why, retry_after: None },
        Err(_) => {
            let why = format!("the receiver gave no answer within {ANSWER_SECONDS_MAX} s");
            Answer::Failed { why, retry_after: None }
        }
    }
}

impl<'d> Sender<'d> {
    async fn open(parts: &'d DelivererParts, lease: WebhookLease) -> Result<Option<Self>, WebhookError> {
        let found = parts.store.read(move |tx| {
            let webhook = webhooks::webhook_by_id(tx, lease.tenant, lease.id)?;
            Ok::<_, StoreError>(webhook.zip(store::tenants::tenant_name(tx, lease.tenant)?))
        });
        let Some((webhook, tenant)) = found.await? else { return Ok(None) };
        let issuer = issuer(parts, &tenant).await?;
        Ok(Some(Self { parts, lease, webhook, tenant, issuer }))
    }

    /// Sends until nothing is left, something fails, or others have their turn.
    async fn send_all(&mut self, stopping: &AtomicBool) -> Result<(), WebhookError> {
        for _ in 0..READS_IN_TURN {
            let (events, read_to) = self.read().await?;
            if read_to == self.webhook.progress.read_to {
                break;
            }
            for event in events {
                if stopping.load(Ordering::Relaxed) {
                    return self.release().await;
                }
                if wants(&self.webhook, &event) && !self.send(&event).await? {
                    return Ok(());
                }
            }
            let progress = Progress { read_to, ..self.webhook.progress.clone() };
            if !self.keep(progress, true).await? {
                return Ok(());
            }
        }
        self.release().await
    }

    /// The events that are next. Those that are no longer kept are counted and passed over.
    async fn read(&mut self) -> Result<(Vec<Event>, i64), WebhookError> {
        let feed = self.lease.tenant.into();
        self.parts.store.write(move |tx| store::number_changes(tx, feed)).await?;
        let place = self.webhook.progress.read_to;
        match self.page(place).await {
            Err(WebhookError::Events(ProviderError::Store(StoreError::FeedTrimmed { first, .. }))) => {
                let missed = first - 1 - place;
                tracing::warn!(
                    "Webhook {:?} of tenant {}: changes that are no longer kept were never sent ({missed}); read everything anew",
                    self.webhook.name,
                    self.tenant
                );
                let progress = &mut self.webhook.progress;
                progress.missed = progress.missed.saturating_add(missed);
                progress.read_to = first - 1;
                self.page(first - 1).await
            }
            other => other,
        }
    }

    async fn page(&self, place: i64) -> Result<(Vec<Event>, i64), WebhookError> {
        let (name, base) = (self.tenant.clone(), self.issuer.clone());
        let detail = if self.webhook.is_full { Detail::Full } else { Detail::Notice };
        let read = self.parts.store.read(move |tx| {
            let caller = administrator(tx, &name)?;
            Ok::<_, WebhookError>(events_after(tx, &caller, &base, place, detail, EVENTS_AT_A_TIME)?)
        });
        read.await
    }

    /// Sends one event; says whether to go on.
    async fn send(&mut self, event: &Event) -> Result<bool, WebhookError> {
        let claims = event.claims(&self.issuer, Some(&self.webhook.url));
        let answer = send(self.parts, &self.webhook, &event.id, &claims).await;
        let is_taken = answer == Answer::Taken;
        let (now, chance) = ((self.parts.clock)(), (self.parts.chance)());
        // What was passed over before it needs no second look.
        let before = Progress { read_to: event.number - 1, ..self.webhook.progress.clone() };
        let progress = after(&before, event.number, &answer, now, chance);
        self.tell(&progress);
        Ok(self.keep(progress, is_taken).await? && is_taken)
    }

    /// Says in the log when a webhook begins to fail, and when it is paused.
    fn tell(&self, progress: &Progress) {
        let (name, tenant) = (&self.webhook.name, &self.tenant);
        let why = progress.last_failure.as_ref().map_or("", |(_, why)| why.as_str());
        if let Some(reason) = &progress.paused {
            tracing::error!("Webhook {name:?} of tenant {tenant} is paused: {reason} (last: {why})");
        } else if progress.failures == 1 {
            tracing::warn!("Webhook {name:?} of tenant {tenant} fails and is tried again: {why}");
        }
    }

    /// Keeps how far it has come, and the right to send or not; says whether it may go on.
    async fn keep(&mut self, progress: Progress, goes_on: bool) -> Result<bool, StoreError> {
        let until = if goes_on { lease_end((self.parts.clock)()) } else { Timestamp::UNIX_EPOCH };
        let (lease, kept) = (self.lease, progress.clone());
        let kept = self.parts.store.write(move |tx| {
            let found = webhooks::advance_webhook(tx, lease, &kept, until)?;
            if found == Kept::Paused && goes_on {
                webhooks::advance_webhook(tx, lease, &kept, Timestamp::UNIX_EPOCH)?;
            }
            Ok::<_, StoreError>(found)
        });
        let kept = kept.await?;
        self.webhook.progress = progress;
        Ok(kept == Kept::Active)
    }

    async fn release(&mut self) -> Result<(), WebhookError> {
        let progress = self.webhook.progress.clone();
        self.keep(progress, false).await?;
        Ok(())
    }
}
