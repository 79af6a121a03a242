//! What runs while Lockstep serves: the listener, the scheduler of due jobs, and housekeeping. Used by `serve` and `demo`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use mapping::counted;
use outbound::Called;
use provider::oauth::JWKS_BYTES_MAX;
use server::{App, AppParts, EdgeSettings, Limits, tenant_folder};
use store::{DIRECTORY_FEED, ResourceId, StoreError, settings};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use webhooks::{Deliverer, DelivererParts};

use crate::config::EdgeConfig;
use crate::traces::{self, Exporting};
use crate::world::{PUBLIC_URL, World, now, random};

/// How often it is written down when tokens were last used.
const USES_WRITTEN_EVERY: Duration = Duration::from_secs(60);
/// An identity provider, as failures to fetch its keys name it.
const PROVIDER: Called = Called { server: "identity provider", address: "address of the keys", program: "provider" };
/// How often housekeeping looks.
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(3600);
/// How long a change is kept in a feed, for readers that were away. Where a job has not seen it, it is kept longer.
const CHANGES_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Objects that housekeeping purges in one transaction.
const PURGED_AT_A_TIME: u32 = 100;
/// How long everything that runs may take to end, once it is told to.
pub const STOP_MAX: Duration = Duration::from_secs(30);

/// What serves, until it is stopped.
pub struct Hosting {
    /// Where it listens.
    pub address: SocketAddr,
    /// The address under which others reach it, without slash at its end.
    pub public_url: String,
    stop: watch::Sender<bool>,
    tasks: JoinSet<&'static str>,
    exporting: Option<Exporting>,
}

impl Hosting {
    /// Starts to serve at an address; says so to other commands by the setting `public_url`.
    pub async fn start(world: &World, listen: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen).await.with_context(|| cannot_listen(listen))?;
        let address = listener.local_addr().with_context(|| cannot_listen(listen))?;
        let public_url = world.config().public_url.clone().unwrap_or_else(|| format!("http://{}", reachable(address)));
        keep_public_url(world, &public_url).await?;
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let app = app(world, &public_url)?;
        let exporting = Exporting::start(world, &app)?;
        let limits = limits(&world.config().edge);
        if let Some(inside) = world.config().edge.metrics {
            let listener = TcpListener::bind(inside).await.with_context(|| cannot_serve_metrics(inside))?;
            let limits = Limits { threads: 1, ..limits.clone() };
            tasks.spawn(listening(listener, server::inside(app.clone()), limits, until(stopped.clone())));
        }
        tasks.spawn(listening(listener, server::service(app.clone()), limits, until(stopped.clone())));
        let engine = world.engine()?;
        let until_stopped = until(stopped.clone());
        tasks.spawn(async move {
            engine.scheduler(until_stopped).await;
            "scheduler"
        });
        let (deliverer, changed, until_stopped) =
            (deliverer(world, &public_url)?, app.changed(), until(stopped.clone()));
        tasks.spawn(async move {
            deliverer.run(&changed, until_stopped).await;
            "sending of webhooks"
        });
        tasks.spawn(noting_uses(app, stopped.clone()));
        tasks.spawn(housekeeping(world.clone(), stopped));
        Ok(Self { address, public_url, stop, tasks, exporting })
    }

    /// Waits until `shutdown` is done, or until a part ends by itself, which is a failure.
    pub async fn run(&mut self, shutdown: impl Future<Output = ()>) -> anyhow::Result<()> {
        tokio::select! {
            () = shutdown => Ok(()),
            ended = self.tasks.join_next() => match ended {
                Some(Ok(name)) => anyhow::bail!("the {name} ended by itself; start lockstep again"),
                Some(Err(error)) => anyhow::bail!("a part of the server failed: {error}; start lockstep again"),
                None => Ok(()),
            },
        }
    }

    /// Lets requests and cycles finish what they have begun, within [`STOP_MAX`].
    pub async fn stop(mut self) {
        // Without receivers everything has ended already.
        let _ = self.stop.send(true);
        let all_ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_MAX, all_ended).await.is_err() {
            tracing::warn!("Some requests did not end within {} s and were cut off", STOP_MAX.as_secs());
        }
        if let Some(exporting) = self.exporting {
            exporting.stop().await;
        }
    }
}

fn cannot_listen(address: SocketAddr) -> String {
    format!("cannot listen at {address}; choose another address with --listen, or end the program that listens there")
}

fn cannot_serve_metrics(address: SocketAddr) -> String {
    format!(
        "cannot serve metrics at {address}; set metrics.listen to another address, or end the program that listens there"
    )
}

/// An address at which a socket that listens everywhere can be reached from this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other,
    };
    SocketAddr::new(ip, address.port())
}

async fn keep_public_url(world: &World, url: &str) -> Result<(), StoreError> {
    let url = url.to_owned();
    world.store().write(move |tx| settings::put_setting(tx, PUBLIC_URL, &url)).await
}

fn app(world: &World, public_url: &str) -> anyhow::Result<App> {
    let client = world.outbound()?;
    let id = |at: Timestamp| {
        let mut bytes = [0; 10];
        random(&mut bytes);
        ResourceId::new(store::version_7(at, bytes))
    };
    let fetch = move |url: String| -> server::Fetching {
        let client = client.clone();
        Box::pin(async move { outbound::fetch(&client, &url, JWKS_BYTES_MAX, PROVIDER).await })
    };
    let parts = AppParts {
        store: world.store().clone(),
        token_key: world.token_key(),
        clock: Box::new(now),
        ids: Box::new(id),
        random: Box::new(random),
        fetch: Box::new(fetch),
        public_url: public_url.to_owned(),
    };
    let edge = &world.config().edge;
    let log = edge.log.then(|| world.request_log());
    let traces = traces::settings(world.config());
    let settings = EdgeSettings { requests_per_second: edge.requests_per_second, log, traces };
    App::with_edge(parts, settings).context("the request log cannot start its thread")
}

/// What sends the webhooks of all tenants.
pub fn deliverer(world: &World, public_url: &str) -> anyhow::Result<Deliverer> {
    let chance = || {
        let mut bytes = [0; 4];
        random(&mut bytes);
        u32::from_be_bytes(bytes)
    };
    Ok(Deliverer::new(DelivererParts {
        store: world.store().clone(),
        token_key: world.token_key(),
        client: world.outbound()?,
        clock: Box::new(now),
        chance: Box::new(chance),
        public_url: public_url.to_owned(),
    }))
}

fn limits(edge: &EdgeConfig) -> Limits {
    let usual = Limits::default();
    Limits {
        drain: STOP_MAX,
        connections_max: edge.connections.unwrap_or(usual.connections_max),
        connections_per_address_max: edge.connections_per_address.unwrap_or(usual.connections_per_address_max),
        ..usual
    }
}

async fn listening(
    listener: TcpListener,
    service: server::Guard,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> &'static str {
    if let Err(error) = server::serve(listener, service, limits, shutdown).await {
        tracing::error!("The listener cannot start its threads: {error}");
    }
    "listener"
}

/// Ready when it is time to stop.
async fn until(mut stopped: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    drop(stopped.wait_for(|stopped| *stopped).await);
}

/// Writes down now and then when tokens were last used, and once more at the end.
async fn noting_uses(app: App, stopped: watch::Receiver<bool>) -> &'static str {
    loop {
        let is_end = tokio::select! {
            () = until(stopped.clone()) => true,
            () = tokio::time::sleep(USES_WRITTEN_EVERY) => false,
        };
        if let Err(error) = app.write_token_uses().await {
            tracing::warn!("When some tokens were last used could not be written down: {error}");
        }
        if is_end {
            return "notes of tokens";
        }
    }
}

/// Removes for good what was soft-deleted long ago, old records of the provisioning log, old changes of the feeds, and access tokens
/// that have expired; warns of credentials that end soon.
async fn housekeeping(world: World, stopped: watch::Receiver<bool>) -> &'static str {
    loop {
        if let Err(error) = crate::expiry::warn(&world).await {
            tracing::error!("Which credentials end soon cannot be told now: {error}");
        }
        if let Err(error) = tidy(&world).await {
            tracing::error!("Housekeeping failed and is tried again later: {error}");
        }
        tokio::select! {
            () = until(stopped.clone()) => return "housekeeping",
            () = tokio::time::sleep(HOUSEKEEPING_EVERY) => {}
        }
    }
}

async fn tidy(world: &World) -> Result<(), directory::DirectoryError> {
    loop {
        let now = now();
        let purged = world.store().write(move |tx| directory::purge_expired(tx, now, PURGED_AT_A_TIME)).await?;
        if purged.users.is_empty() && purged.groups.is_empty() {
            break;
        }
        tracing::info!(
            "Removed {} and {} for good that were soft-deleted long ago",
            counted(purged.users.len() as u64, "user"),
            counted(purged.groups.len() as u64, "group")
        );
    }
    let age = SignedDuration::from_hours(24 * i64::from(world.config().log_days));
    let before = now().checked_sub(age).unwrap_or(Timestamp::MIN);
    for app in world.store().read(directory::applications).await? {
        while world.store().write(move |tx| store::logs::trim_logs(tx, app.id, before)).await? > 0 {}
    }
    let before = now().checked_sub(CHANGES_KEPT).unwrap_or(Timestamp::MIN);
    let tenants = world.store().read(store::tenants::tenants).await?;
    let ended = now();
    for tenant in &tenants {
        let key = tenant.key;
        let tidied = world.store().write(move |tx| {
            store::tokens::delete_expired_access_tokens(tx, key, ended)?;
            store::clients::delete_ended_assertions(tx, key, ended)
        });
        tidied.await?;
        end_deletions(world, &tenant.name).await;
        while world.store().write(move |tx| provider::remove_left_members(tx, key)).await? {}
    }
    let log = world.request_log();
    let folders: Vec<_> = tenants.iter().map(|one| tenant_folder(&log.folder, &one.name, one.key.number())).collect();
    if let Err(error) = server::tidy_log(&log, &folders, now()) {
        tracing::error!("The request log at {} cannot be tidied: {error}", log.folder.display());
    }
    for feed in std::iter::once(DIRECTORY_FEED).chain(tenants.into_iter().map(|tenant| tenant.key.into())) {
        while world.store().write(move |tx| store::trim_changes(tx, feed, before)).await? > 0 {}
    }
    Ok(())
}

/// Ends deletions of a tenant's resources that were begun before the program ended.
async fn end_deletions(world: &World, tenant: &str) {
    loop {
        let (name, at) = (tenant.to_owned(), now());
        match world.store().write(move |tx| provider::end_deletion(tx, &name, at)).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::error!("A deletion in tenant {tenant} that was begun is ended later: {error}");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_reached_at_loopback() {
        for (listens, expected) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("192.0.2.7:1", "192.0.2.7:1"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()).to_string(), expected);
        }
    }
}
