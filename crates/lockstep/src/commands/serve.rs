//! `serve`: the provisioning service and the tenants in one process, until it is told to stop.

use serde_json::json;

use crate::hosting::Hosting;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::world::World;

/// Carries out `serve`.
pub async fn run(world: &World, output: Output) -> anyhow::Result<Outcome> {
    let _only_one = world.folder().lock_for_serving()?;
    let stopped = stop_signal();
    let mut hosting = Hosting::start(world, world.config().listen).await?;
    if output.is_json() {
        output.json(&json!({ "listening": hosting.address.to_string(), "public_url": hosting.public_url }))?;
    } else {
        let data = world.folder().path().display();
        output.line(&format!(
            "Lockstep serves at {}, with the data in {data}. Stop it with Ctrl+C.",
            hosting.public_url
        ))?;
    }
    let ended = hosting.run(stopped).await;
    tracing::info!("Stopping");
    hosting.stop().await;
    ended.map(|()| Outcome::Done)
}

/// Ready when the system or the person asks the program to stop. It listens from the call on, not only from when it is
/// waited for: whoever reads that the program serves may ask at once.
#[cfg(unix)]
pub fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    async {
        match (terminate, interrupt) {
            (Ok(mut terminate), Ok(mut interrupt)) => tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            },
            (Ok(mut one), Err(_)) | (Err(_), Ok(mut one)) => drop(one.recv().await),
            // Without signals there is nothing to wait for; whoever wants an end kills the process.
            (Err(_), Err(_)) => std::future::pending().await,
        }
    }
}

/// Ready when the person asks the program to stop.
#[cfg(not(unix))]
pub async fn stop_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without signals there is nothing to wait for; whoever wants an end kills the process.
        std::future::pending::<()>().await;
    }
}
