//! Traces of `serve`, as a collector gets them over HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::installation::{Installation, Tenant, send};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN: &str = "00f067aa0ba902b7";
/// Longer than the end may take for the sake of a collector, and less than for requests.
const SOON: Duration = Duration::from_secs(20);

/// A collector that takes everything: its address, and what comes, each time the head in small letters and the body.
fn collector() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = channel();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
            let (head, body) = loop {
                let read = stream.read(&mut piece).unwrap();
                bytes.extend_from_slice(&piece[..read]);
                let text = String::from_utf8_lossy(&bytes);
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let head = head.to_ascii_lowercase();
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
                if body.len() == length.parse::<usize>().unwrap() {
                    break (head, serde_json::from_str(body).unwrap());
                }
            };
            let answer =
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
            stream.write_all(answer.as_bytes()).unwrap();
            if tell.send((head, body)).is_err() {
                return;
            }
        }
    });
    (address, told)
}

#[test]
fn what_was_not_sent_yet_is_sent_at_the_end() {
    for installation in Installation::each() {
        let (address, told) = collector();
        installation.json(&["tenant", "list"]);
        let configuration = "[traces]\nservice_name = \"scim\"\nshare = 0\n";
        std::fs::write(installation.data().join("lockstep.toml"), configuration).unwrap();
        let serving = installation.serve_with(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &address),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=geheim%20"),
        ]);
        let tenant = Tenant::add(&installation, "acme", "generic");
        let headers = format!("Authorization: Bearer {}\r\ntraceparent: 00-{TRACE}-{SPAN}-01\r\n", tenant.token);
        assert_eq!(send(&serving.address, &format!("GET {}", tenant.path("/Users")), &headers, "").0, 200);
        assert!(serving.terminate().success());
        // All has come by now: the program has ended.
        let came: Vec<(String, Value)> = told.try_iter().collect();
        assert_eq!(came.len(), 1, "{came:?}");
        let (head, body) = &came[0];
        assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
        for line in ["content-type: application/json", "x-key: geheim "] {
            assert!(head.lines().any(|found| found.trim_end() == line.trim_end()), "{line} in {head}");
        }
        let of_service = &body["resourceSpans"][0];
        assert_eq!(of_service["resource"]["attributes"][0]["value"]["stringValue"], "scim");
        let spans = of_service["scopeSpans"][0]["spans"].as_array().unwrap();
        assert_eq!((&spans[0]["traceId"], &spans[0]["parentSpanId"]), (&TRACE.into(), &SPAN.into()));
        assert_eq!((&spans[0]["name"], &spans[0]["kind"]), (&"GET /Users".into(), &2.into()));
        assert_eq!((&spans[1]["name"], &spans[1]["parentSpanId"]), (&"store read".into(), &spans[0]["spanId"]));
    }
}

#[test]
fn a_collector_that_is_gone_or_never_answers_holds_nothing_up() {
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for collector in [gone, deaf.local_addr().unwrap()] {
        let installation = Installation::embedded();
        installation.json(&["tenant", "list"]);
        std::fs::write(installation.data().join("lockstep.toml"), "[traces]\nshare = 1.0\n").unwrap();
        let serving = installation.serve_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://{collector}"))]);
        for _ in 0..600 {
            assert_eq!(serving.get("/healthz", None).0, 200);
        }
        let asked = Instant::now();
        assert!(serving.terminate().success());
        assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    }
}

#[test]
fn a_collector_without_an_address_is_refused() {
    let installation = Installation::embedded();
    installation.run(&["serve", "--otlp-endpoint", "collector:4317"]).refused(2, "traces.endpoint");
}
