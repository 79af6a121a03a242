//! What sends traces to the collector, where the configuration names one.

use std::sync::Arc;
use std::time::Duration;

use outbound::Called;
use server::{App, SendSpans, Sending, Taken, TraceSettings};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::TracesConfig;
use crate::world::World;

/// The collector, as failures to reach it name it.
const COLLECTOR: Called =
    Called { server: "collector of traces", address: "address in traces.endpoint", program: "collector" };
/// What it may take beyond its own limit to end.
const GRACE: Duration = Duration::from_secs(1);

/// How requests are traced, where they are.
pub fn settings(config: &crate::config::Config) -> Option<TraceSettings> {
    let TracesConfig { service_name, share, .. } = config.traces.as_ref()?;
    Some(TraceSettings { service_name: service_name.clone(), share: *share })
}

/// What sends, until it is stopped.
pub struct Exporting {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Exporting {
    /// Starts to send, where there is a collector.
    pub fn start(world: &World, app: &App) -> anyhow::Result<Option<Self>> {
        let Some(traces) = world.config().traces.clone() else { return Ok(None) };
        let send = sends(world.collector()?, traces);
        let (stop, mut stopped) = watch::channel(false);
        let app = app.clone();
        let task = tokio::spawn(async move {
            // A sender that is gone means the same.
            app.send_spans(send, async move { drop(stopped.wait_for(|stopped| *stopped).await) }).await;
        });
        Ok(Some(Self { stop, task }))
    }

    /// Sends what is left, within [`server::FLUSH_DEADLINE`]. For when no request is answered any more.
    pub async fn stop(self) {
        // Without a receiver it has ended already.
        let _ = self.stop.send(true);
        drop(tokio::time::timeout(server::FLUSH_DEADLINE + GRACE, self.task).await);
    }
}

fn sends(client: outbound::Client, traces: TracesConfig) -> SendSpans {
    let traces = Arc::new(traces);
    Box::new(move |batch| -> Sending {
        let (client, traces) = (client.clone(), Arc::clone(&traces));
        Box::pin(async move {
            let mut headers = vec![("content-type", "application/json")];
            headers.extend(traces.headers.0.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let posted = outbound::post(&client, &traces.url, &headers, batch, COLLECTOR).await?;
            Ok(Taken { status: posted.status, retry_after: posted.retry_after })
        })
    })
}
