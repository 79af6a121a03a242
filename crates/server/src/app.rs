//! What every handler may need: the store, the key of tokens, the clock, ids, the public address.

use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;
use provider::{Pager, TokenKey};
use store::{ResourceId, Store};

use crate::health::Readiness;
use crate::scim_api::Room;

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
    pager: Arc<Pager>,
}

impl App {
    /// Puts the parts together.
    pub fn new(mut parts: AppParts) -> Self {
        parts.public_url.truncate(parts.public_url.trim_end_matches('/').len());
        let pager = Arc::new(Pager::new(&parts.token_key));
        Self(Arc::new(Inner { parts, readiness: Readiness::default(), room: Room::default(), pager }))
    }

    /// The moment it is now.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    pub(crate) fn readiness(&self) -> &Readiness {
        &self.0.readiness
    }

    /// The room for large answers.
    pub(crate) fn room(&self) -> &Room {
        &self.0.room
    }

    /// What makes the pages of lists follow each other.
    pub(crate) fn pager(&self) -> &Arc<Pager> {
        &self.0.pager
    }

    /// The address of a tenant's SCIM endpoint.
    pub(crate) fn scim_base(&self, tenant: &str) -> String {
        let mut base = String::with_capacity(self.public_url.len() + tenant.len() + "/t//scim/v2".len());
        for part in [self.public_url.as_str(), "/t/", tenant, "/scim/v2"] {
            base.push_str(part);
        }
        base
    }
}

impl Deref for App {
    type Target = AppParts;
    fn deref(&self) -> &AppParts {
        &self.0.parts
    }
}
