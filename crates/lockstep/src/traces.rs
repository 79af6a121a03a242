//! What sends traces to the collector, where the configuration names one.

use std::sync::Arc;
use std::time::Duration;

use outbound::{Called, WebAddress};
use server::{App, SendSpans, Sending, Taken, TraceSettings};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{TracesConfig, collector_policy};
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
        let (url, plain_http) = (traces.url.clone(), world.config().outbound.plain_http);
        tokio::spawn(async move {
            if let Some(told) = warning(&url, plain_http).await {
                tracing::warn!("{told}");
            }
        });
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

/// What the operator would else learn when spans are dropped, or never. Where a name leads is known only when it is looked up.
async fn warning(url: &str, plain_http: bool) -> Option<String> {
    let address: WebAddress = url.parse().ok()?;
    if let Some(why) = outbound::look_up(collector_policy(plain_http), &address).await {
        return Some(format!("Traces are not sent: the address in traces.endpoint is refused: {why}"));
    }
    let is_in_clear = plain_http && outbound::look_up(collector_policy(false), &address).await.is_some();
    is_in_clear.then(|| {
        "Traces go in clear beyond your own network, as outbound.plain_http allows; use https:// in traces.endpoint"
            .to_owned()
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn traces_that_do_not_go_or_go_in_clear_are_told_of_at_the_start() {
        for (url, plain_http, expected) in [
            ("http://localhost:4318/v1/traces", false, None),
            ("http://[::1]:4318/v1/traces", true, None),
            ("https://93.184.216.34/v1/traces", true, None),
            ("http://93.184.216.34/v1/traces", true, Some("in clear")),
            ("http://93.184.216.34/v1/traces", false, Some("use https://")),
            ("http://169.254.169.254/v1/traces", true, Some("not sent")),
        ] {
            let told = warning(url, plain_http).await;
            assert_eq!(told.is_some(), expected.is_some(), "{url}: {told:?}");
            assert!(told.unwrap_or_default().contains(expected.unwrap_or_default()), "{url}");
        }
    }
}
