//! Keys of identity providers as they were fetched: kept for an hour, fetched anew for a key that is not known, and never more often than
//! twice a minute, whoever asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use provider::oauth::{KeySet, OAuthError};
use store::TenantKey;
use tokio::sync::Mutex as AsyncMutex;

use crate::Fetching;

/// Longest time to wait for keys.
pub const FETCH_DEADLINE: Duration = Duration::from_secs(10);
/// How long keys are used before they are fetched anew.
const FRESH: SignedDuration = SignedDuration::from_hours(1);
/// How long keys are used at most, where their provider does not answer.
const USED_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Shortest time between two attempts to fetch from one address.
const FETCHED_EVERY: SignedDuration = SignedDuration::from_secs(30);
/// Addresses whose keys are kept.
const SOURCES_MAX: usize = 1000;

const NO_KEYS: OAuthError = OAuthError::Unavailable("the keys of the identity provider cannot be had now; try again");

/// The keys that are kept, by tenant and address.
#[derive(Default)]
pub(crate) struct KeyCache(Mutex<HashMap<(TenantKey, String), Arc<Source>>>);

#[derive(Default)]
struct Source(AsyncMutex<Latest>);

#[derive(Default)]
struct Latest {
    keys: Option<(Arc<KeySet>, Timestamp)>,
    tried: Option<Timestamp>,
}

impl KeyCache {
    /// The keys at an address, fetched where that is due. One at a time asks an address; the others wait for what it gets.
    pub(crate) async fn get(
        &self,
        fetch: impl Fn(String) -> Fetching,
        (tenant, url): (TenantKey, &str),
        key_id: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, OAuthError> {
        let source = self.source(tenant, url);
        let mut latest = source.0.lock().await;
        if latest.is_due(key_id, now) {
            latest.tried = Some(now);
            match fetched(fetch(url.to_owned())).await {
                Ok(keys) => latest.keys = Some((Arc::new(keys), now)),
                Err(error) => tracing::warn!("The keys of an identity provider cannot be fetched: {error}"),
            }
        }
        let usable = latest.keys.as_ref().filter(|(_, at)| now.duration_since(*at) < USED_MAX);
        usable.map(|(keys, _)| Arc::clone(keys)).ok_or(NO_KEYS)
    }

    fn source(&self, tenant: TenantKey, url: &str) -> Arc<Source> {
        let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (tenant, url.to_owned());
        if sources.len() >= SOURCES_MAX && !sources.contains_key(&key) {
            // Whoever is needed is fetched again; those that are being asked stay.
            sources.retain(|_, source| Arc::strong_count(source) > 1);
        }
        Arc::clone(sources.entry(key).or_default())
    }
}

impl Latest {
    fn is_due(&self, key_id: Option<&str>, now: Timestamp) -> bool {
        let serves =
            self.keys.as_ref().is_some_and(|(keys, at)| now.duration_since(*at) < FRESH && keys.may_know(key_id));
        let is_soon = self.tried.is_some_and(|tried| now.duration_since(tried).abs() < FETCHED_EVERY);
        !serves && !is_soon
    }
}

async fn fetched(answer: Fetching) -> Result<KeySet, String> {
    let answer = tokio::time::timeout(FETCH_DEADLINE, answer).await;
    let bytes = answer.map_err(|_| format!("no answer within {} s", FETCH_DEADLINE.as_secs()))??;
    KeySet::parse(&bytes).map_err(|error| error.to_string())
}
