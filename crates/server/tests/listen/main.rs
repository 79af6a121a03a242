//! The listener, over real sockets: what a client that is slow, greedy, broken or hostile gets.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, and so do the functions it is told with")]

mod fairness;
mod hostile;
mod leftovers;
mod limits;
mod numbers;
mod requests;
mod smuggling;
mod traces;

use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use provider::{TenantError, TenantSettings, TokenKey, TokenRequest};
use serde_json::Value;
use server::{App, AppParts, EdgeSettings, Guard, Limits};
use store::Store;
use store::testing::TestDatabase;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Longer than any test takes; nothing waits for it to pass.
const FOREVER: Duration = Duration::from_secs(3600);
/// A request that is answered with 200.
const HEALTH: &str = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";

struct Running {
    app: App,
    address: SocketAddr,
    inside: Guard,
    service: Guard,
    store: Store,
    /// The secret token of the tenant `contoso`.
    token: String,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<bool>,
    database: TestDatabase,
}

async fn start(limits: Limits) -> Running {
    start_with(limits, TestDatabase::sqlite(), EdgeSettings::default()).await
}

async fn start_with(limits: Limits, database: TestDatabase, edge: EdgeSettings) -> Running {
    let store = database.open();
    let parts = AppParts {
        store: store.clone(),
        token_key: key(),
        clock: Box::new(|| Timestamp::UNIX_EPOCH),
        ids: Box::new(id()),
        random: Box::new(|bytes| bytes.fill(1)),
        fetch: Box::new(|_| Box::pin(std::future::ready(Err("nothing is fetched here".to_owned())))),
        public_url: "https://localhost".to_owned(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let app = App::with_edge(parts, edge).unwrap();
    let (service, inside) = (server::service(app.clone()), server::inside(app.clone()));
    let serving = service.clone();
    let ended =
        tokio::spawn(
            async move { server::serve(listener, serving, limits, async { drop(stopped.await) }).await.unwrap() },
        );
    let token = tenant(&store, "contoso", &TenantSettings::default()).await;
    Running { app, address, inside, service, store, token, stop, ended, database }
}

fn key() -> TokenKey {
    TokenKey::new([1; 32])
}

/// Ids, each another one.
fn id() -> impl Fn(Timestamp) -> store::ResourceId + Send + Sync {
    let number = std::sync::atomic::AtomicU64::new(1);
    move |at| {
        let [.., a, b] = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
        store::version_7(at, [0, 0, 0, 0, 0, 0, 0, 0, a, b]).into()
    }
}

/// Makes a tenant; gives its token.
async fn tenant(store: &Store, name: &'static str, settings: &TenantSettings) -> String {
    let settings = settings.clone();
    let mut secret = [7; 32];
    secret[..name.len()].copy_from_slice(name.as_bytes());
    let id = store::version_7(Timestamp::UNIX_EPOCH, secret[..10].try_into().unwrap()).into();
    let made = store.write(move |tx| -> Result<_, TenantError> {
        let request = TokenRequest { tenant: name, name: "first", id, secret, days: 9, scope: provider::Scope::Write };
        provider::create_tenant(tx, name, "generic", &settings, Timestamp::UNIX_EPOCH)?;
        provider::create_token(tx, &key(), &request, Timestamp::UNIX_EPOCH)
    });
    made.await.unwrap().text
}

fn patient() -> Limits {
    Limits {
        header_deadline: FOREVER,
        idle_deadline: FOREVER,
        idle_deadline_crowded: FOREVER,
        write_deadline: FOREVER,
        drain: FOREVER,
        ..Limits::default()
    }
}

/// Sends bytes and reads until the server closes.
async fn exchange(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses early may close before all is sent.
    drop(stream.write_all(bytes).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    String::from_utf8_lossy(&answer).into_owned()
}

/// An answer, taken apart.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn read(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default();
        Self { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Checks that this has the form of every error (RFC 7644 §3.12).
    #[track_caller]
    fn is_error(&self, status: u16, about: &str) {
        assert_eq!(self.status, status, "{about:.200}: {self:?}");
        assert_eq!(self.header("content-type"), Some("application/scim+json"), "{about:.200}: {self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{about:.200}: {self:?}");
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()), "{about:.200}: {self:?}");
        let body: Value =
            serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{about:.200}: {error} in {self:?}"));
        assert_eq!(body["status"], status.to_string(), "{about:.200}");
        assert_eq!(body["schemas"][0], "urn:ietf:params:scim:api:messages:2.0:Error");
        let detail = body["detail"].as_str().unwrap();
        for inner in ["panicked", "src/", ".rs", "SELECT", "/root", "stack"] {
            assert!(!detail.contains(inner), "{about:.200}: {detail}");
        }
    }
}

impl Running {
    /// Sends a request with the tenant's token and reads the answer; the connection ends with it.
    async fn ask(&self, line: &str, headers: &str, body: &str) -> Answer {
        self.ask_as(Some(&self.token), line, headers, body).await
    }

    async fn ask_as(&self, token: Option<&str>, line: &str, headers: &str, body: &str) -> Answer {
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        let sent =
            format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{token}{length}{headers}\r\n{body}");
        Answer::read(&exchange(self.address, sent.as_bytes()).await)
    }
}
