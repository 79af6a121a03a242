//! `serve`: the provisioning service and the tenants in one process, until it is told to stop.

use serde_json::json;

use crate::hosting::Hosting;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::stop::StopRequests;
use crate::world::World;

/// Carries out `serve`.
pub async fn run(world: &World, output: Output) -> anyhow::Result<Outcome> {
    let _only_one = world.folder().lock_for_serving()?;
    let mut stop = StopRequests::listen();
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
    let ended = hosting.run(stop.next()).await;
    tracing::info!("Stopping");
    hosting.stop().await;
    ended.map(|()| Outcome::Done)
}
