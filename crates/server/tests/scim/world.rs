//! A server with one tenant, and rows of requests with what they must answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use provider::{Scope, TenantSettings, TokenKey, TokenRequest};
use serde_json::{Value, json};
use server::{App, AppParts, Guard};
use store::Store;
use tower::ServiceExt;

/// The public address that every test server is told.
pub const PUBLIC: &str = "https://scim.example";
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// 2026-01-01T00:00:00Z; every reading of the clock is a millisecond later.
const START: i64 = 1_767_225_600_000;

/// A server and a client of one of its tenants.
#[derive(Clone)]
pub struct World {
    pub service: Guard,
    pub store: Store,
    pub tenant: String,
    pub token: String,
    pub clock: Arc<AtomicI64>,
    pub app: App,
    pub web: Arc<Web>,
}

/// What is to be fetched elsewhere, and how often that was asked for.
#[derive(Default)]
pub struct Web {
    pub pages: Mutex<HashMap<String, String>>,
    pub asked: AtomicU64,
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn id(&self) -> String {
        self.body["id"].as_str().expect("the answer is a resource").to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl World {
    /// A server with a tenant of this profile.
    pub async fn new(store: Store, profile: &str) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let number = AtomicU64::new(0);
        let (read, web, secrets) = (Arc::clone(&clock), Arc::new(Web::default()), AtomicU64::new(1));
        let there = Arc::clone(&web);
        let parts = AppParts {
            store: store.clone(),
            token_key: key(),
            clock: Box::new(move || Timestamp::from_millisecond(read.fetch_add(1, Ordering::Relaxed)).unwrap()),
            ids: Box::new(move |at| {
                let [.., a, b, c, d] = number.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                store::version_7(at, [0, 0, 0, 0, 0, 0, a, b, c, d]).into()
            }),
            random: Box::new(move |bytes| {
                let number = secrets.fetch_add(1, Ordering::Relaxed).to_be_bytes();
                bytes[..8].copy_from_slice(&number);
            }),
            fetch: Box::new(move |url| {
                there.asked.fetch_add(1, Ordering::Relaxed);
                let page = there.pages.lock().unwrap().get(&url).cloned();
                Box::pin(async move { page.map(Into::into).ok_or_else(|| "nothing answers".to_owned()) })
            }),
            public_url: format!("{PUBLIC}/"),
        };
        let app = App::new(parts);
        let service = server::service(app.clone());
        let world = Self { service, store, tenant: String::new(), token: String::new(), clock, app, web };
        world.tenant("contoso", profile).await
    }

    /// Another tenant of the same server, and its client.
    pub async fn tenant(&self, name: &str, profile: &str) -> Self {
        let (tenant, profile, now) = (name.to_owned(), profile.to_owned(), self.now());
        self.write(move |tx| provider::create_tenant(tx, &tenant, &profile, &TenantSettings::default(), now)).await;
        let token = self.new_token(name, "first", 365).await;
        Self { tenant: name.to_owned(), token, ..self.clone() }
    }

    /// Sets what the tenant defines itself.
    pub async fn define(&self, document: &Value) {
        self.try_define(document).await.unwrap_or_else(|refused| panic!("{refused}"));
    }

    /// Gives the tenant devices with a serial number, at `/Devices`; gives the URN of their schema.
    pub async fn define_devices(&self) -> &'static str {
        let device = "urn:example:Device";
        let schemas = json!([{ "id": device, "attributes": [{ "name": "serial" }] }]);
        let types = json!([{ "name": "Device", "endpoint": "/Devices", "schema": device }]);
        self.define(&json!({ "schemas": schemas, "resourceTypes": types })).await;
        device
    }

    /// The same as [`Self::define`] where it may be refused; gives the differences.
    pub async fn try_define(&self, document: &Value) -> Result<Vec<String>, provider::TenantError> {
        let (name, now) = (self.tenant.clone(), self.now());
        let definition =
            provider::CustomSchemas::read(&document.to_string()).map_err(provider::TenantError::BadSchemas)?;
        let set = self.store.write(move |tx| provider::set_schemas(tx, &name, &definition, now));
        set.await.map(|change| change.differences)
    }

    /// A new token for a tenant.
    pub async fn new_token(&self, tenant: &str, name: &str, days: u16) -> String {
        self.scoped_token(tenant, name, days, Scope::Write).await
    }

    /// A new token for a tenant that may do only so much.
    pub async fn scoped_token(&self, tenant: &str, name: &str, days: u16, scope: Scope) -> String {
        let (tenant, name, now) = (tenant.to_owned(), name.to_owned(), self.now());
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&now.as_millisecond().to_be_bytes());
        let id = store::version_7(now, [1; 10]).into();
        let made = self.write(move |tx| {
            let request = TokenRequest { tenant: &tenant, name: &name, id, secret, days, scope };
            provider::create_token(tx, &key(), &request, now)
        });
        made.await.text
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.clock.fetch_add(1, Ordering::Relaxed)).unwrap()
    }

    pub fn advance_days(&self, days: i64) {
        self.clock.fetch_add(days * 86_400_000, Ordering::Relaxed);
    }

    /// Runs a use case of an administrator.
    pub async fn write<T, F>(&self, use_case: F) -> T
    where
        F: FnMut(&mut store::WriteTx<'_>) -> Result<T, provider::TenantError> + Send + 'static,
        T: Send + 'static,
    {
        self.store.write(use_case).await.expect("administration works")
    }

    /// How many rows the tenant's change feed has.
    pub async fn changes(&self) -> Vec<store::Change> {
        let name = self.tenant.clone();
        let read = move |tx: &mut store::WriteTx<'_>| {
            let feed = provider::tenant(tx, &name)?.key.into();
            store::number_changes(tx, feed)?;
            Ok(store::changes_after(tx, feed, 0, 10_000)?)
        };
        self.write(read).await
    }

    /// An address of the tenant's endpoint.
    pub fn address(&self, path: &str) -> String {
        format!("/t/{}/scim/v2{path}", self.tenant)
    }

    /// A request with the tenant's token, to be changed further.
    pub fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder()
            .method(Method::from_bytes(method.as_bytes()).unwrap())
            .uri(self.address(path))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.service.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap_or(Value::Null) };
        assert_eq!(parts.headers["cache-control"], "no-store");
        if parts.status.is_client_error() || parts.status.is_server_error() {
            let status = parts.status.as_str();
            assert_eq!(parts.headers["content-type"], "application/scim+json", "{status}");
            if !bytes.is_empty() {
                assert_eq!(body["status"], status, "the body of an error repeats the status");
                assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
            }
        }
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        if let Some(location) = answer.body["meta"]["location"].as_str() {
            assert_eq!((answer.header("location"), answer.header("content-location")), (location, location));
        }
        answer
    }

    /// Sends JSON, or nothing where the body is null.
    pub async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path);
        let request = if body.is_null() {
            request.body(Body::empty())
        } else {
            request.header(header::CONTENT_TYPE, "application/scim+json").body(Body::from(body.to_string()))
        };
        self.send(request.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, &Value::Null).await
    }

    /// Makes a user with nothing but a name; gives its id.
    pub async fn user(&self, name: &str) -> String {
        let made = self.call("POST", "/Users", &json!({ "schemas": [USER], "userName": name })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{:?}", made.body);
        made.id()
    }

    /// Makes a group of these members; gives its id.
    pub async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "schemas": [GROUP], "displayName": name, "members": members });
        let made = self.call("POST", "/Groups", &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{:?}", made.body);
        made.id()
    }

    /// The ids of a group's members, sorted.
    pub async fn members(&self, group: &str) -> Vec<String> {
        let found = self.get(&format!("/Groups/{group}")).await;
        assert_eq!(found.status, StatusCode::OK);
        let members = found.body["members"].as_array().expect("members are shown").iter();
        members.map(|member| member["value"].as_str().unwrap().to_owned()).collect()
    }

    /// Sends a row's request and checks its answer; `{id}` in the path and in the expectation is the given id.
    #[track_caller]
    pub fn check(&self, id: &str, row: Row) -> impl Future<Output = ()> {
        let world = self.clone();
        let (path, body) = (row.path.replace("{id}", id), row.body.to_string().replace("{id}", id));
        async move {
            let body = serde_json::from_str(&body).unwrap();
            let answer = world.call(row.method, &path, &body).await;
            assert_eq!(answer.status.as_u16(), row.status, "{}: {}", row.name, answer.body);
            for (pointer, expected) in row.expected {
                let found = answer.body.pointer(pointer).cloned().unwrap_or(Value::Null);
                assert_eq!(found, expected, "{}: {pointer} of {}", row.name, answer.body);
            }
        }
    }
}

/// One request with what it must answer: values by JSON pointer, null where there must be none.
pub struct Row {
    pub name: &'static str,
    pub method: &'static str,
    pub path: &'static str,
    pub body: Value,
    pub status: u16,
    pub expected: Vec<(&'static str, Value)>,
}

pub fn key() -> TokenKey {
    TokenKey::new([9; 32])
}
