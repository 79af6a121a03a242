//! A tenant whose people change, and who sends what changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

use jiff::Timestamp;
use outbound::{OutboundPolicy, Trust};
use provider::{
    Caller, NewResource, Patch, Precondition, ResourceKind, Scope, TenantSettings, TokenKey, TokenRequest, authenticate,
};
use serde_json::{Value, json};
use store::webhooks::WebhookRecord;
use store::{ResourceId, Store};
use webhooks::{Deliverer, DelivererParts, SigningKey, WebhookError, WebhookRequest};

/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600;
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

#[derive(Clone)]
pub struct World {
    pub store: Store,
    pub deliverer: Deliverer,
    clock: Arc<AtomicI64>,
    caller: Arc<Caller>,
    ids: Arc<AtomicU8>,
}

fn key() -> TokenKey {
    TokenKey::new([9; 32])
}

/// Who sends, on this store and clock.
fn deliverer(store: &Store, clock: &Arc<AtomicI64>, private_networks: bool) -> Deliverer {
    let policy = OutboundPolicy { private_networks, plain_http: false };
    let read = Arc::clone(clock);
    Deliverer::new(DelivererParts {
        store: store.clone(),
        token_key: key(),
        client: outbound::client(policy, &Trust::new(None).unwrap(), 1),
        clock: Box::new(move || Timestamp::from_second(read.load(Ordering::Relaxed)).unwrap()),
        chance: Box::new(|| 0),
        public_url: "https://scim.example".to_owned(),
    })
}

impl World {
    /// A tenant called acme.
    pub async fn new(store: Store) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let now = Timestamp::from_second(START).unwrap();
        let made = store.write(move |tx| {
            provider::create_tenant(tx, "acme", "generic", &TenantSettings::default(), now)?;
            let id = store::version_7(now, [1; 10]).into();
            let request =
                TokenRequest { tenant: "acme", name: "t", id, secret: [3; 32], days: 365, scope: Scope::Write };
            provider::create_token(tx, &key(), &request, now)
        });
        let token = made.await.unwrap().text;
        let caller = store.read(move |tx| authenticate(tx, &key(), &token, now)).await;
        let caller = caller.unwrap_or_else(|refused| panic!("{refused}"));
        let deliverer = deliverer(&store, &clock, true);
        Self { store, deliverer, clock, caller, ids: Arc::default() }
    }

    /// Another server on the same data.
    pub fn other_server(&self) -> Deliverer {
        deliverer(&self.store, &self.clock, true)
    }

    /// A server that may not dial its own network.
    pub fn hosted(&self) -> Deliverer {
        deliverer(&self.store, &self.clock, false)
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_second(self.clock.load(Ordering::Relaxed)).unwrap()
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    fn id<T: From<ResourceId>>(&self) -> T {
        let number = self.ids.fetch_add(1, Ordering::Relaxed);
        ResourceId::new(store::version_7(self.now(), [number; 10])).into()
    }

    /// Adds a webhook; gives its secret.
    pub async fn try_webhook(
        &self,
        name: &str,
        url: &str,
        actions: &[&str],
        is_full: bool,
    ) -> Result<String, WebhookError> {
        let (name, url, now) = (name.to_owned(), url.to_owned(), self.now());
        let actions: Vec<String> = actions.iter().map(|action| (*action).to_owned()).collect();
        let id = self.id::<ResourceId>().uuid().into();
        let added = self.store.write(move |tx| {
            let policy = OutboundPolicy::default();
            let (actions, types) = (&actions[..], &[][..]);
            let request =
                WebhookRequest { tenant: "acme", name: &name, id, url: &url, policy, is_full, actions, types };
            webhooks::add(tx, &request, now)
        });
        added.await.map(|added| SigningKey::of(&key(), added.id).text())
    }

    pub async fn webhook(&self, url: &str) -> String {
        self.try_webhook("app", url, &[], false).await.unwrap_or_else(|refused| panic!("{refused}"))
    }

    /// The webhook called app, and what it has still to look at.
    pub async fn state(&self) -> (WebhookRecord, i64) {
        let listed = self.store.write(|tx| webhooks::list(tx, "acme")).await;
        let listed = listed.unwrap_or_else(|refused| panic!("{refused}"));
        listed.into_iter().find(|(webhook, _)| webhook.name == "app").unwrap()
    }

    pub async fn resume(&self) {
        self.store.write(|tx| webhooks::resume(tx, "acme", "app")).await.unwrap_or_else(|refused| panic!("{refused}"));
    }

    pub async fn user(&self, name: &str) -> ResourceId {
        let (caller, id, now) = (Arc::clone(&self.caller), self.id(), self.now());
        let body = json!({ "schemas": [USER], "userName": name, "externalId": format!("e-{name}") });
        let new = NewResource::prepare(&caller, ResourceKind::User, body, id, now).unwrap();
        let made = self.store.write(move |tx| provider::create(tx, caller.may_write()?, &new));
        made.await.unwrap();
        id
    }

    pub async fn patch(&self, id: ResourceId, path: &str, value: Value) {
        let (caller, now) = (Arc::clone(&self.caller), self.now());
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "replace", "path": path, "value": value }] });
        let wanted = Patch::prepare(&caller, ResourceKind::User, body, "").unwrap();
        let patched = self.store.write(move |tx| {
            let any = Precondition::default();
            provider::patch(tx, caller.may_write()?, id, &wanted, &any, now).map(drop)
        });
        patched.await.unwrap();
    }

    pub async fn delete(&self, id: ResourceId) {
        let (caller, now) = (Arc::clone(&self.caller), self.now());
        let deleted = self.store.write(move |tx| {
            let any = Precondition::default();
            provider::delete(tx, caller.may_write()?, ResourceKind::User, id, &any, now).map(drop)
        });
        deleted.await.unwrap();
    }

    pub async fn trim(&self) {
        let (tenant, before) = (self.caller.tenant(), self.now());
        self.store.write(move |tx| store::trim_changes(tx, tenant.into(), before)).await.unwrap();
    }
}
