//! Which requests are followed, what becomes of their spans, and that no collector holds anything up.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant as Moment;

use super::export::Exporter;
use super::queue::BATCH_SPANS;
use super::trace::STEPS_MAX;
use super::*;

const PARENT: &str = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

fn traces(share: f64) -> Traces {
    Traces::new(TraceSettings { service_name: "scim \"1\"".to_owned(), share }, [7; 16])
}

fn headers(parent: Option<&str>) -> HeaderMap {
    parent.map(|parent| ("traceparent".parse().unwrap(), parent.parse().unwrap())).into_iter().collect()
}

fn told(tenant: Option<&'static str>) -> Told<'static> {
    Told {
        at: Timestamp::from_second(1).unwrap(),
        took: Duration::from_millis(5),
        method: &Method::GET,
        path: "/t/acme/scim/v2/Users/ann@contoso.example",
        status: Some(StatusCode::OK),
        tenant,
        id: "x-1",
        came: 0,
        bytes: Some(7),
    }
}

/// Adds so many requests of one span each.
fn add(traces: &Traces, count: usize) {
    for _ in 0..count {
        let trace = traces.begin(&HeaderMap::new(), Instant::now()).unwrap();
        traces.end(&trace, &told(None));
    }
}

fn waiting(traces: &Traces) -> usize {
    std::iter::from_fn(|| traces.queue.take()).map(|batch| batch.spans).sum()
}

#[test]
fn a_caller_decides_where_its_token_is_valid_and_the_share_does_elsewhere() {
    let [followed, not] = ["01", "00"].map(|flags| format!("00-{PARENT}-{flags}"));
    for (parent, share, tenant, is_known, expected) in [
        (None, 0.0, Some("acme"), false, 0),
        (None, 1.0, None, true, 1),
        (Some(followed.as_str()), 0.0, Some("acme"), true, 1),
        // Nobody without a token makes the server tell more than its share.
        (Some(followed.as_str()), 0.0, None, true, 0),
        (Some(followed.as_str()), 1.0, None, true, 1),
        (Some(not.as_str()), 1.0, Some("acme"), true, 0),
        (Some("00-nonsense-01"), 0.0, Some("acme"), false, 0),
    ] {
        let traces = traces(share);
        let trace = traces.begin(&headers(parent), Instant::now());
        assert_eq!(trace.is_some(), is_known, "{parent:?} {share}");
        if let Some(trace) = trace {
            assert_eq!(parent.is_some(), trace.id.to_string() == PARENT[..32]);
            traces.end(&trace, &told(tenant));
        }
        assert_eq!(waiting(&traces), expected, "{parent:?} {share} {tenant:?}");
    }
}

#[test]
fn so_large_a_share_is_followed() {
    for (share, expected) in [(0.0, 0..=0), (0.01, 70..=130), (0.5, 4800..=5200), (1.0, 10_000..=10_000)] {
        let traces = traces(share);
        let count = (0..10_000).filter(|_| traces.begin(&HeaderMap::new(), Instant::now()).is_some()).count();
        assert!(expected.contains(&count), "{count} of 10000 for {share}");
    }
}

#[test]
fn ids_differ_and_are_never_zero() {
    let traces = traces(1.0);
    let ids: std::collections::BTreeSet<String> = (0..1000)
        .map(|_| traces.begin(&HeaderMap::new(), Instant::now()).unwrap())
        .flat_map(|trace| [trace.id.to_string(), trace.span.to_string(), trace.span.step(1).to_string()])
        .collect();
    assert_eq!(ids.len(), 3000);
    assert_eq!(
        (TraceId::of([0, 0]).to_string().as_str(), SpanId::of(u64::MAX).step(1).to_string().as_str()),
        ("00000000000000000000000000000001", "0000000000000001")
    );
}

/// The spans of one batch.
fn spans(batch: &str) -> Vec<Value> {
    let batch: Value = serde_json::from_str(batch).unwrap();
    batch["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
}

#[test]
fn no_more_steps_are_told_than_allowed_and_a_span_is_short() {
    let traces = traces(1.0);
    let began = Instant::now();
    let trace = traces.begin(&headers(Some(&format!("00-{PARENT}-01"))), began).unwrap();
    for number in 0..40 {
        trace.step("store commit", began + Duration::from_millis(number), began + Duration::from_millis(number + 1));
    }
    let (name, id) = ("n".repeat(63), "i".repeat(64));
    let longest = Told {
        method: &Method::from_bytes(b"LST_X").unwrap(),
        path: "/t/acme/scim/v2/ServiceProviderConfig",
        status: Some(StatusCode::INSUFFICIENT_STORAGE),
        tenant: Some(&name),
        id: &id,
        came: u64::MAX,
        bytes: Some(u64::MAX),
        ..told(None)
    };
    traces.end(&trace, &longest);
    let batch = traces.queue.take().unwrap();
    assert_eq!((batch.spans, STEPS_MAX), (STEPS_MAX + 1, 32));
    let text = otlp::batch(&otlp::beginning("x"), &batch.of_requests);
    let spans = spans(&text);
    assert!(spans.iter().all(|span| span.to_string().len() < 1500), "a queue of so many takes some megabytes: {text}");
    let left_out = serde_json::json!({ "key": "lockstep.steps_left_out", "value": { "intValue": "8" } });
    assert!(spans[0]["attributes"].as_array().unwrap().contains(&left_out), "{text}");
    assert_eq!((&spans[0]["name"], &spans[0]["status"]["code"]), (&"HTTP /ServiceProviderConfig".into(), &2.into()));
    assert!(!text.contains("LST_X"), "a method that nobody knows is the client's text: {text}");
    assert_eq!(
        (&spans[1]["startTimeUnixNano"], &spans[1]["endTimeUnixNano"]),
        (&"1000000000".into(), &"1001000000".into())
    );
}

/// What a collector does with a batch.
#[derive(Clone, Copy, Debug)]
enum Does {
    /// Answers with a status, and perhaps asks to wait for so many seconds.
    Answer(u16, Option<u64>),
    /// Is not there.
    Refuse,
    /// Never answers.
    Wait,
}
use Does::{Answer, Refuse, Wait};

/// Seconds since the beginning at which batches came.
type Calls = Arc<Mutex<Vec<(u64, String)>>>;

/// A collector that does one thing after the other, and waits when it has done all.
fn collector(does: &[Does]) -> (SendSpans, Calls) {
    let (calls, began) = (Calls::default(), Moment::now());
    let (does, noted) = (Mutex::new(does.iter().copied().collect::<VecDeque<_>>()), Arc::clone(&calls));
    let sends = move |batch| -> Sending {
        noted.lock().unwrap().push((began.elapsed().as_secs(), batch));
        match does.lock().unwrap().pop_front().unwrap_or(Wait) {
            Answer(status, retry_after) => Box::pin(std::future::ready(Ok(Taken { status, retry_after }))),
            Refuse => Box::pin(std::future::ready(Err("nothing answers".to_owned()))),
            Wait => Box::pin(std::future::pending()),
        }
    };
    (Box::new(sends), calls)
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_sent_again_where_the_collector_may_take_it_later() {
    for (does, at, counted) in [
        (vec![Answer(200, None)], vec![2], (1, 0)),
        (vec![Answer(202, None)], vec![2], (1, 0)),
        (vec![Answer(503, None), Answer(200, None)], vec![2, 3], (1, 0)),
        (vec![Answer(429, Some(7)), Answer(200, None)], vec![2, 9], (1, 0)),
        (vec![Answer(429, Some(9999)), Answer(200, None)], vec![2, 32], (1, 0)),
        (vec![Refuse, Refuse, Answer(200, None)], vec![2, 3, 5], (1, 0)),
        (vec![Refuse, Refuse, Refuse], vec![2, 3, 5], (0, 1)),
        (vec![Answer(400, None)], vec![2], (0, 1)),
        (vec![Answer(302, None)], vec![2], (0, 1)),
        (vec![Wait, Wait, Wait], vec![2, 13, 25], (0, 1)),
    ] {
        let traces = traces(1.0);
        add(&traces, 1);
        let (exporter, calls) = collector(&does);
        Exporter::new(&traces, exporter).run(tokio::time::sleep(Duration::from_secs(600))).await;
        let times: Vec<u64> = calls.lock().unwrap().iter().map(|(at, _)| *at).collect();
        assert_eq!((times, traces.queue.counted()), (at, counted), "{does:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_sends_what_is_left_and_waits_for_no_collector() {
    let many = BATCH_SPANS + 1;
    let in_time = |seconds| Duration::from_secs(seconds);
    for (does, end, batches, counted, took) in [
        (vec![Answer(200, None), Answer(200, None)], 0, 2, (many, 0), in_time(0)),
        (vec![Refuse, Refuse], 0, 2, (0, many), in_time(0)),
        (vec![Wait], 0, 1, (0, many), FLUSH_DEADLINE),
        // What was on its way to one that does not answer is sent once more.
        (vec![Wait, Answer(200, None), Answer(200, None)], 5, 3, (many, 0), in_time(5)),
        (vec![Wait, Answer(200, None), Wait], 5, 3, (BATCH_SPANS, 1), in_time(5) + FLUSH_DEADLINE),
    ] {
        let traces = traces(1.0);
        add(&traces, many);
        let (shown, began) = (format!("{does:?} {end}"), Moment::now());
        let (exporter, calls) = collector(&does);
        let stopped = async {
            if end > 0 {
                tokio::time::sleep(Duration::from_secs(end)).await;
            }
        };
        Exporter::new(&traces, exporter).run(stopped).await;
        let (sent, dropped) = traces.queue.counted();
        let sizes: Vec<usize> = calls.lock().unwrap().iter().map(|(_, batch)| spans(batch).len()).collect();
        assert_eq!(sizes.len(), batches, "{shown}");
        assert!(sizes.iter().all(|size| [BATCH_SPANS, 1].contains(size)), "{shown} {sizes:?}");
        assert_eq!((sent, dropped), (counted.0 as u64, counted.1 as u64), "{shown}");
        assert_eq!(began.elapsed(), took, "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_batch_does_not_wait_for_its_time() {
    let traces = traces(1.0);
    add(&traces, BATCH_SPANS);
    let (exporter, calls) = collector(&[Answer(200, None)]);
    Exporter::new(&traces, exporter).run(tokio::time::sleep(Duration::from_secs(60))).await;
    let calls = calls.lock().unwrap();
    assert_eq!((calls.len(), calls[0].0), (1, 0));
    assert!(calls[0].1.starts_with(
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"scim \\\"1\\\"\"}},"
    ));
}

#[test]
fn a_client_that_went_away_had_no_answer() {
    let traces = traces(1.0);
    let trace = traces.begin(&HeaderMap::new(), Instant::now()).unwrap();
    traces.end(&trace, &Told { status: None, bytes: None, ..told(Some("acme")) });
    let span = spans(&otlp::batch(&otlp::beginning("x"), &traces.queue.take().unwrap().of_requests)).remove(0);
    let attributes = span["attributes"].to_string();
    assert!(attributes.contains("canceled") && !attributes.contains("status_code"), "{attributes}");
    assert_eq!(span["status"], Value::Null);
}
