//! Attacks on the listener and on what stands right behind it, by their ids in the list of attack cases.

use store::testing::databases;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const USERS: &str = "/t/contoso/scim/v2/Users";
const JSON: &str = "Content-Type: application/scim+json\r\n";
const ANN: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}"#;

/// A server on each kind of database.
async fn on_each() -> Vec<Running> {
    let mut all = Vec::new();
    for database in databases() {
        all.push(start_with(patient(), database, EdgeSettings::default()).await);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn sh_01_sh_02_sj_19_bodies_that_are_not_json_by_their_own_words() {
    for running in on_each().await {
        for headers in [
            "",
            "Content-Type: text/plain\r\n",
            "Content-Type: multipart/form-data; boundary=x\r\n",
            "Content-Type: application/xml\r\n",
            "Content-Type: application/scim+json; charset=utf-16\r\n",
            "Content-Type: application/scim+json\r\nContent-Type: text/plain\r\n",
            "Content-Type: application/scim+json\r\nContent-Encoding: gzip\r\n",
        ] {
            running.ask(&format!("POST {USERS}"), headers, ANN).await.is_error(415, headers);
        }
        for (number, media_type) in ["application/json", "application/scim+json; charset=utf-8"].iter().enumerate() {
            let body = ANN.replace("ann", &format!("ann{number}"));
            let made = running.ask(&format!("POST {USERS}"), &format!("Content-Type: {media_type}\r\n"), &body).await;
            assert_eq!(made.status, 201, "{made:?}");
        }
    }
}

#[tokio::test]
async fn sh_04_methods_that_nobody_offers() {
    let running = start(patient()).await;
    for method in ["TRACE", "PROPFIND", "PURGE", "get"] {
        running.ask(&format!("{method} {USERS}"), "", "").await.is_error(405, method);
    }
    running.ask("CONNECT example.com:443", "", "").await.is_error(501, "CONNECT");
    let made = running.ask(&format!("POST {USERS}"), &format!("{JSON}X-HTTP-Method-Override: DELETE\r\n"), ANN).await;
    assert_eq!(made.status, 201, "{made:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sh_05_sh_06_no_spelling_of_an_address_goes_past_the_token() {
    for running in on_each().await {
        for path in [
            "/t/contoso/scim/v2/%55sers",
            "/t/contoso/scim%2Fv2%2FUsers",
            "/t/contoso/scim/v2/Users%2F01890a5d-ac96-774b-bcce-b302099a8057",
            "/t/contoso/scim/v2//Users",
            "/t/contoso//scim//v2//Users",
            "/t/contoso/scim/v2/./Users;x=1",
            "/t/contoso/scim/v2/../../../t/contoso/scim/v2/Users",
            "/t/%63ontoso/scim/v2/Users",
            "//t/contoso/scim/v2/Users",
            "//scim//v2//Users",
            "http://other.example/t/contoso/scim/v2/Users",
        ] {
            running.ask_as(None, &format!("GET {path}"), "", "").await.is_error(401, path);
            running.ask_as(Some("lst_x"), &format!("GET {path}"), "", "").await.is_error(401, path);
        }
        let long = "x".repeat(30 << 10);
        for id in ["..%2f..%2fGroups", "%00", "'%20OR%201=1--", "..", long.as_str()] {
            running.ask(&format!("GET {USERS}/{id}"), "", "").await.is_error(404, id);
        }
        running.ask(&format!("GET {USERS}/{}", "x".repeat(64 << 10)), "", "").await.is_error(414, "an id of 64 KiB");
        running.ask(&format!("GET {USERS}/' OR 1=1--"), "", "").await.is_error(400, "blanks");
    }
}

#[tokio::test]
async fn sh_09_what_has_two_meanings_is_refused_and_what_follows_is_never_read() {
    let running = start(patient()).await;
    let next = HEALTH;
    let post = |headers: &str| format!("POST {USERS} HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    for sent in [
        post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\n",
        post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n") + "0\r\n\r\n",
        post("Content-Length: 0\r\nContent-Length: 9\r\n"),
        post("Content-Length: 0\r\nContent-Length: 0\r\n"),
        post("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n",
        post("Transfer-Encoding: xchunked\r\n") + "0\r\n\r\n",
        post("Transfer-Encoding : chunked\r\n") + "0\r\n\r\n",
        post("x: y\r\n folded\r\n"),
        post("x: y\n"),
        post("x: y\rz: a\r\n"),
        format!("GET {USERS} HTTP/1.1\nHost: x\n\n"),
        format!("GET {USERS} HTTP/1.1\r\n\r\n"),
        format!("GET {USERS} HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        format!("GET {USERS} HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        "nonsense\r\n\r\n".to_owned(),
    ] {
        let answers = exchange(running.address, format!("{next}{sent}{next}{next}").as_bytes()).await;
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 1, "{sent}: {answers}");
        let refused = &answers[answers.rfind("HTTP/1.1 400").unwrap_or_default()..];
        let refused = Answer::read(refused);
        refused.is_error(400, &sent);
        assert_eq!(refused.header("connection"), Some("close"), "{sent}");
    }
    // A body without meaning is answered, or not where nobody asked for it, and is the last thing that is read.
    let head = format!("{JSON}Authorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n", running.token);
    for body in ["5\nhello\r\n0\r\n\r\n", "-5\r\nhello\r\n0\r\n\r\n", "5\r\nhelloGET / HTTP/1.1\r\n\r\n"] {
        let answers = exchange(running.address, format!("{}{body}{next}{next}", post(&head)).as_bytes()).await;
        assert!(!answers.contains("HTTP/1.1 200"), "{body}: {answers}");
        Answer::read(&answers).is_error(400, body);
    }
}

#[tokio::test]
async fn sh_10_there_is_no_http_2() {
    let running = start(patient()).await;
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    Answer::read(&exchange(running.address, preface.as_bytes()).await).is_error(505, preface);
    let upgrade = "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n";
    assert_eq!(Answer::read(&exchange(running.address, upgrade.as_bytes()).await).status, 200);
}

#[tokio::test]
async fn sh_11_sh_12_addresses_and_headers_beyond_their_size() {
    let running = start(patient()).await;
    let long = |bytes: usize| format!("GET {USERS}?filter={}", "x".repeat(bytes));
    running.ask(&long(70_000), "", "").await.is_error(414, "70 KB");
    running.ask(&long(40_000), "", "").await.is_error(414, "40 KB");
    running.ask(&long(20_000), "", "").await.is_error(400, "a filter that is too long, as such");
    for (count, status) in [(90, 200), (500, 431)] {
        let answer = running.ask(&format!("GET {USERS}"), &"a: b\r\n".repeat(count), "").await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
    for (bytes, status) in [(60_000, 200), (66_000, 431), (100_000, 431), (256 << 10, 431)] {
        let answer = running.ask(&format!("GET {USERS}"), &format!("a: {}\r\n", "x".repeat(bytes)), "").await;
        match status {
            200 => assert_eq!(answer.status, 200, "{answer:?}"),
            _ => answer.is_error(status, "one header"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sh_13_sh_14_nothing_that_a_client_says_becomes_an_address() {
    for running in on_each().await {
        let lies =
            "X-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: javascript\r\nForwarded: host=evil.example\r\n";
        let body = ANN.replace("\"ann\"", "\"ann\",\"externalId\":\"a\\r\\nSet-Cookie: x=y\"");
        let token = &running.token;
        let length = body.len();
        let sent = format!(
            "POST {USERS} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n{JSON}{lies}Authorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let made = Answer::read(&exchange(running.address, sent.as_bytes()).await);
        assert_eq!(made.status, 201, "{made:?}");
        assert!(made.header("location").unwrap().starts_with("https://localhost/t/contoso/scim/v2/users/"), "{made:?}");
        assert!(!made.body.contains("evil.example"), "{made:?}");
        assert!(made.header("set-cookie").is_none());
        for path in ["/%0d%0aSet-Cookie:x=y", "?x=%0d%0aSet-Cookie:x"] {
            let found = running.ask(&format!("GET {USERS}{path}"), "", "").await;
            assert!(found.header("set-cookie").is_none(), "{found:?}");
        }
    }
}

#[tokio::test]
async fn sh_15_sh_16_what_means_nothing_here_changes_nothing() {
    let running = start(patient()).await;
    let made = running
        .ask(&format!("POST {USERS}"), &format!("{JSON}Range: bytes=0-9\r\nIf-Range: x\r\nIf-None-Match: *\r\n"), ANN)
        .await;
    assert!(made.status == 201 || made.status == 412, "{made:?}");
    serde_json::from_str::<Value>(&made.body).unwrap();
    let listed = running.ask(&format!("GET {USERS}"), "Range: bytes=0-9\r\n", "").await;
    assert_eq!(listed.status, 200);
    serde_json::from_str::<Value>(&listed.body).unwrap();
    let head = running.ask(&format!("HEAD {USERS}"), "", "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    for method in ["OPTIONS", "GET"] {
        let asked = running.ask(&format!("{method} {USERS}"), "Origin: https://evil.example\r\n", "").await;
        assert!(asked.header("access-control-allow-origin").is_none(), "{asked:?}");
    }
}

/// RFC 9110 §9.3.7: it asks about the server and no address, so nobody need say who asks.
#[tokio::test]
async fn options_of_the_whole_server_are_told_without_credentials() {
    let running = start(patient()).await;
    for token in [None, Some("lst_nonsense")] {
        let asked = running.ask_as(token, "OPTIONS *", "Origin: https://evil.example\r\n", "").await;
        assert_eq!((asked.status, asked.body.as_str()), (204, ""), "{asked:?}");
        assert_eq!(asked.header("allow"), Some("get,head,post,put,patch,delete,options"));
        assert!(asked.header("access-control-allow-origin").is_none() && asked.header("x-request-id").is_some());
    }
    running.ask("GET *", "", "").await.is_error(400, "only OPTIONS is for the whole server");
    running.ask_as(None, "OPTIONS /x", "", "").await.is_error(401, "an address that there is not");
}

#[tokio::test]
async fn sh_17_every_error_has_one_form() {
    let running = start(patient()).await;
    for (line, headers, body, status) in [
        ("GET /", "", "", 404),
        ("GET /nothing", "", "", 404),
        ("GET /t/contoso/scim/v2/Nothing", "", "", 404),
        ("DELETE /t/contoso/scim/v2/Users", "", "", 405),
        ("POST /t/contoso/scim/v2/Users", "", ANN, 415),
        ("POST /t/contoso/scim/v2/Users", JSON, "{", 400),
        ("GET /t/contoso/scim/v2/Users?filter=x", "", "", 400),
        ("GET /t/contoso/scim/v2/Users", "Expect: 200-ok\r\n", "", 417),
        ("GET /t/contoso/scim/v2/Users", "bad header: x\r\n", "", 400),
        ("GET /t/contoso/scim/v2/<Users>", "", "", 400),
    ] {
        running.ask(line, headers, body).await.is_error(status, line);
    }
    running.ask(&format!("POST {USERS}"), JSON, &"x".repeat((1 << 20) + 1)).await.is_error(413, "a long body");
    let cut = format!("GET {USERS} HTTP/1.1\r\nHos");
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(cut.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    Answer::read(&answer).is_error(400, &cut);
}

#[tokio::test]
async fn sj_06_a_body_of_the_limit_is_read_and_one_more_byte_is_not() {
    let running = start(patient()).await;
    for (bytes, status) in [(server::BODY_BYTES_MAX, 201), (server::BODY_BYTES_MAX + 1, 413)] {
        let body = format!("{ANN}{}", " ".repeat(bytes - ANN.len()));
        let answer = running.ask(&format!("POST {USERS}"), JSON, &body).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

/// The body's deadline itself is tested beside it, with a clock that can be moved.
#[tokio::test]
async fn sj_05_a_body_that_nobody_may_send_is_not_waited_for() {
    let running = start(patient()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = format!(
        "POST {USERS} HTTP/1.1\r\nHost: x\r\n{JSON}Authorization: Bearer lst_x\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(!answer.contains("100 Continue"), "{answer}");
    Answer::read(&answer).is_error(401, "a bad token");
}

/// SH-20.
#[tokio::test(flavor = "multi_thread")]
async fn sh_20_clients_that_go_away_leave_nothing_behind() {
    for running in on_each().await {
        for number in 0..300 {
            let body = ANN.replace("ann", &format!("ann{number}"));
            let (token, length) = (&running.token, body.len());
            let sent = format!(
                "POST {USERS} HTTP/1.1\r\nHost: x\r\n{JSON}Authorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}"
            );
            let mut stream = TcpStream::connect(running.address).await.unwrap();
            stream.write_all(&sent.as_bytes()[..sent.len() - number % sent.len()]).await.unwrap();
        }
        // Whoever comes now is served, and what is there is whole.
        let listed = running.ask(&format!("GET {USERS}?count=1000"), "", "").await;
        let listed: Value = serde_json::from_str(&listed.body).unwrap();
        for user in listed["Resources"].as_array().unwrap() {
            let id = user["id"].as_str().unwrap();
            assert_eq!(running.ask(&format!("GET {USERS}/{id}"), "", "").await.status, 200);
        }
        running.stop.send(()).unwrap();
        assert!(running.ended.await.unwrap(), "no connection is left");
    }
}
