//! The generator against small servers of the tests' own.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};

use super::{CONNECTIONS_MAX, Load, Report, Request, SECONDS_MAX, Stop, generate, percentile};

/// Answers each request that ends in an empty line with `answer`, on as many connections as come.
fn server(answer: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                while let Ok(1..) = stream.read(&mut request) {
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn load(address: SocketAddr, stop: Stop) -> Load {
    Load {
        address,
        connections: 3,
        stop,
        request: Request { method: "GET".to_owned(), path: "/Users/{number}".to_owned(), ..Request::default() },
        first_number: 5,
        expected_status: 200,
        keep_ids: false,
    }
}

#[test]
fn a_fixed_number_of_requests() {
    let address = server("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"id\":\"a\"}");
    let report = generate(Load { keep_ids: true, ..load(address, Stop::Requests(20)) }).unwrap();
    let Report { requests, errors, statuses, ids, next_number, trouble, .. } = report;
    assert_eq!((requests, errors, next_number, trouble), (20, 0, 25, None));
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [(200, 20)]);
    assert_eq!(ids, vec!["a"; 20]);
}

#[test]
fn other_answers_are_errors_with_their_words() {
    let address = server("HTTP/1.1 409 Conflict\r\ntransfer-encoding: chunked\r\n\r\n5\r\ntaken\r\n0\r\n\r\n");
    let report = generate(load(address, Stop::Requests(4))).unwrap();
    assert_eq!((report.requests, report.errors), (4, 4));
    assert_eq!(report.trouble.as_deref(), Some("409: taken"));
}

#[test]
fn a_server_that_speaks_something_else_is_given_up() {
    let address = server("SSH-2.0-banner\r\n\r\n");
    let report = generate(load(address, Stop::Requests(1_000))).unwrap();
    assert_eq!((report.requests, report.errors), (0, 60));
    assert_eq!(report.trouble.as_deref(), Some("the answer is not HTTP/1.1 as expected: no status line"));
}

#[test]
fn seconds_end_a_load() {
    let address = server("HTTP/1.1 204 No Content\r\n\r\n");
    let stop = Stop::Seconds { warm_up: 0.0, counted: 0.3 };
    let report = generate(Load { expected_status: 204, ..load(address, stop) }).unwrap();
    assert!(report.requests > 0 && report.errors == 0, "{report:?}");
}

#[test]
fn loads_that_are_refused() {
    let own: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let fine = load(own, Stop::Requests(0));
    let far = SocketAddr::from(([192, 0, 2, 1], 80));
    let long = Stop::Seconds { warm_up: 0.0, counted: SECONDS_MAX + 1.0 };
    for (load, expected) in [
        (Load { connections: 0, ..fine.clone() }, "a load has 1 to 1024 connections"),
        (Load { connections: CONNECTIONS_MAX + 1, ..fine.clone() }, "a load has 1 to 1024 connections"),
        (Load { stop: long, ..fine.clone() }, "a load takes 0 to 600 seconds"),
        (Load { address: far, ..fine }, "a load goes to this machine only, not to 192.0.2.1:80"),
    ] {
        assert_eq!(generate(load).unwrap_err().to_string(), expected);
    }
}

#[test]
fn percentiles() {
    let hundred: Vec<u32> = (1..=100).collect();
    for (sorted, percent, expected) in
        [(&hundred[..], 50, 50), (&hundred[..], 99, 99), (&[7], 50, 7), (&[7], 99, 7), (&[], 50, 0)]
    {
        assert_eq!(percentile(sorted, percent), expected);
    }
}
