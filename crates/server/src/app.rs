//! What every handler may need: the store, the key of tokens, the clock, ids, the public address.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use provider::{Pager, TenantSettings, TokenKey, TokenUses};
use store::{ResourceId, Store, StoreError};
use tokio::sync::Notify;

use crate::edge::{Edge, EdgeSettings};
use crate::health::Readiness;
use crate::in_clear::came_in_clear;
use crate::oauth::KeyCache;
use crate::request_log::RequestLog;
use crate::scim_api::Room;
use crate::traces::{Seed, Traces};

/// A document on its way from another server; where it does not come, a sentence that tells why.
pub type Fetching = Pin<Box<dyn Future<Output = Result<Bytes, String>> + Send>>;

/// Makes a document come from an address.
pub type Fetch = Box<dyn Fn(String) -> Fetching + Send + Sync>;

/// Fills a buffer with randomness fit for secrets.
pub type Random = Box<dyn Fn(&mut [u8]) + Send + Sync>;

/// The parts of the application, made once at start.
pub struct AppParts {
    /// The data.
    pub store: Store,
    /// The key under which tokens are hashed.
    pub token_key: TokenKey,
    /// Reads the clock.
    pub clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    /// Makes a new id for a resource created at a moment.
    pub ids: Box<dyn Fn(Timestamp) -> ResourceId + Send + Sync>,
    /// Fills a buffer with randomness fit for secrets.
    pub random: Random,
    /// Fetches the keys of an identity provider from an address, within its own limits of time and size. What may be reached is
    /// decided there.
    pub fetch: Fetch,
    /// The address under which clients reach this server, such as `https://lockstep.example`, without a slash at its end. Addresses
    /// in answers are made from it alone, never from what a client calls the host.
    pub public_url: String,
}

/// The application as handlers hold it; cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    parts: AppParts,
    readiness: Readiness,
    room: Room,
    uses: TokenUses,
    keys: KeyCache,
    edge: Arc<Edge>,
    pager: Arc<Pager>,
    changed: Arc<Notify>,
}

impl App {
    /// Puts the parts together, with the usual limits and without a request log.
    pub fn new(parts: AppParts) -> Self {
        Self::over(parts, &EdgeSettings::default(), None)
    }

    /// The same with limits and a request log as they are set. Fails where the log's thread cannot start.
    pub fn with_edge(parts: AppParts, mut settings: EdgeSettings) -> std::io::Result<Self> {
        let log = settings.log.take().map(|log| RequestLog::start(log, parts.store.clone())).transpose()?;
        Ok(Self::over(parts, &settings, log))
    }

    fn over(mut parts: AppParts, settings: &EdgeSettings, log: Option<RequestLog>) -> Self {
        parts.public_url.truncate(parts.public_url.trim_end_matches('/').len());
        let first = (parts.ids)((parts.clock)()).to_string();
        let traces = settings.traces.clone().map(|traces| {
            let mut seed = Seed::default();
            (parts.random)(&mut seed);
            Traces::new(traces, seed)
        });
        let edge = Arc::new(Edge::new(settings, log, traces, &first));
        let room = Room::new(parts.store.scans_max(), parts.store.writes_in_turn());
        let pager = Arc::new(Pager::new(&parts.token_key));
        let (readiness, uses, keys) = (Readiness::default(), TokenUses::default(), KeyCache::default());
        let changed = Arc::new(Notify::new());
        Self(Arc::new(Inner { parts, readiness, room, uses, keys, edge, pager, changed }))
    }

    /// Whether a credential that comes so is one that others could read: without TLS, although clients are told an address with it.
    pub(crate) fn exposes(&self, headers: &HeaderMap) -> bool {
        self.public_url.starts_with("https://") && came_in_clear(headers)
    }

    /// The moment it is now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Writes down when tokens were last used, as far as it was noted since this was last called; says of how many.
    pub async fn write_token_uses(&self) -> Result<usize, StoreError> {
        let mut written = 0;
        for lot in self.uses().take() {
            written += lot.len();
            self.store.write(move |tx| provider::write_uses(tx, &lot)).await?;
        }
        Ok(written)
    }

    /// Hears that a resource of some tenant was written here, for one who waits.
    pub fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.0.changed)
    }

    /// Tells that a resource was written.
    pub(crate) fn tell_changed(&self) {
        self.0.changed.notify_one();
    }

    /// The uses of tokens that are not written down yet.
    pub(crate) fn uses(&self) -> &TokenUses {
        &self.0.uses
    }

    /// The keys of identity providers.
    pub(crate) fn keys(&self) -> &KeyCache {
        &self.0.keys
    }

    /// A new secret.
    pub(crate) fn secret(&self) -> [u8; 32] {
        let mut secret = [0; 32];
        (self.random)(&mut secret);
        secret
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.0.readiness
    }

    /// What holds for all requests.
    pub(crate) fn edge(&self) -> &Arc<Edge> {
        &self.0.edge
    }

    /// The room for large answers.
    pub(crate) fn room(&self) -> &Room {
        &self.0.room
    }

    /// What makes the pages of lists follow each other.
    pub(crate) fn pager(&self) -> &Arc<Pager> {
        &self.0.pager
    }

    /// The address of a tenant's SCIM endpoint, where it has none of its own.
    pub(crate) fn scim_base(&self, tenant: &str) -> String {
        TenantSettings::default().scim_base(&self.public_url, tenant)
    }
}

impl Deref for App {
    type Target = AppParts;
    fn deref(&self) -> &AppParts {
        &self.0.parts
    }
}
