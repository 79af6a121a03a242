//! Requests that two readers might tell apart differently, and what of them is never read: variants of SH-09 beside those in `hostile`.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const USERS: &str = "/t/contoso/scim/v2/Users";
const JSON: &str = "Content-Type: application/scim+json\r\n";
const ANN: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}"#;

/// What a server answers to bytes of any kind, sent and read at the same time.
async fn talk(running: &Running, bytes: &[u8]) -> String {
    let (mut reader, mut writer) = TcpStream::connect(running.address).await.unwrap().into_split();
    let mut answers = Vec::new();
    let (_, read) = tokio::join!(writer.write_all(bytes), reader.read_to_end(&mut answers));
    read.unwrap();
    String::from_utf8_lossy(&answers).into_owned()
}

/// SH-09: CL.TE, TE.CL, TE.TE and what hides one of them.
#[tokio::test]
async fn sh_09_no_form_of_a_length_hides_a_second_request() {
    let running = start(patient()).await;
    let authorization = format!("Authorization: Bearer {}\r\n", running.token);
    let hidden = format!("GET {USERS} HTTP/1.1\r\nHost: x\r\n{authorization}\r\n");
    for headers in [
        "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: identity\r\n",
        "Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding:\r\n",
        "Transfer-Encoding: \"chunked\"\r\n",
        "Transfer-Encoding: chunked;q=1\r\n",
        "Transfer-Encoding:\x0bchunked\r\n",
        "Transfer-Encoding:\x0cchunked\r\n",
        "Transfer-Encoding: \0chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer-Encoding\t: chunked\r\n",
        "\x0bTransfer-Encoding: chunked\r\n",
        " Transfer-Encoding: chunked\r\n",
        "X: y\r\n\tTransfer-Encoding: chunked\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
        "X: y\rTransfer-Encoding: chunked\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: -1\r\n",
        "Content-Length: 5, 5\r\n",
        "Content-Length: 0x5\r\n",
        "Content-Length: 5 5\r\n",
        "Content-Length: 5\r\n 0\r\n",
        "Content-Length: \r\n",
        "Content-Length: 99999999999999999999\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length : 5\r\n",
        "Host: y\r\n",
        "Host : y\r\n",
        "\0: x\r\n",
        "X\0: y\r\n",
    ] {
        let sent = format!("POST {USERS} HTTP/1.1\r\nHost: x\r\n{JSON}{authorization}{headers}\r\n0\r\n\r\n{hidden}");
        let answers = talk(&running, sent.as_bytes()).await;
        assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{headers:?}: {answers}");
        let answer = Answer::read(&answers);
        answer.is_error(400, headers);
        assert_eq!(answer.header("connection"), Some("close"), "{headers:?}");
    }
    let old = format!("POST {USERS} HTTP/1.0\r\n{authorization}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}");
    Answer::read(&talk(&running, old.as_bytes()).await).is_error(400, "chunks in HTTP/1.0");
}

/// RFC 9112 §7.1: what is said of chunks means nothing, and what comes after them is no header.
#[tokio::test]
async fn chunk_extensions_and_trailers_change_nothing() {
    let running = start(patient()).await;
    let authorization = format!("Authorization: Bearer {}\r\n", running.token);
    let length = ANN.len();
    let chunks = |trailers: &str| format!("{length:x};a=b;c=\"d e\"\r\n{ANN}\r\n000;last\r\n{trailers}\r\n");
    let head = |headers: &str| {
        format!("POST {USERS} HTTP/1.1\r\nHost: x\r\n{JSON}Transfer-Encoding: chunked\r\n{headers}\r\n")
    };
    let next = HEALTH.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n");
    for (headers, trailers, status) in [
        ("", authorization.as_str(), 401),
        (&authorization, "Content-Type: text/plain\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n", 201),
        (&authorization, "If-Match: \"x\"\r\nHost: y\r\n", 409),
    ] {
        let answers = talk(&running, format!("{}{}{next}", head(headers), chunks(trailers)).as_bytes()).await;
        assert_eq!(Answer::read(&answers).status, status, "{trailers}: {answers}");
        assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 1, "{trailers}: {answers}");
    }
    for wrong in ["0\r\nno field\r\n\r\n", "0\r\n: x\r\n\r\n", "0\r\nx: y\r\n folded\r\n\r\n", "0\r\nx: y\n\r\n"] {
        let answers = talk(&running, format!("{}{wrong}{HEALTH}", head(&authorization)).as_bytes()).await;
        assert!(!answers.contains("HTTP/1.1 200"), "{wrong}: {answers}");
    }
}

/// RFC 9112 §3.2.2: the address says which host is meant, and neither it nor the header becomes one in an answer.
#[tokio::test]
async fn an_absolute_address_is_served_whatever_host_it_names() {
    let running = start(patient()).await;
    for (line, host) in [
        (format!("GET http://evil.example{USERS}"), "x"),
        (format!("GET https://evil.example:1{USERS}"), "evil.example"),
        (format!("GET HTTP://evil.example{USERS}"), "x"),
    ] {
        let token = &running.token;
        let sent =
            format!("{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n");
        let answer = Answer::read(&talk(&running, sent.as_bytes()).await);
        assert_eq!(answer.status, 200, "{line}: {answer:?}");
        assert!(!answer.body.contains("evil") && !answer.head.contains("evil"), "{answer:?}");
    }
    for line in [
        "GET http://",
        "GET http:///x",
        "GET file:///etc/passwd",
        "GET //evil.example/x",
        "GET http://[::1",
        "GET http://user@x/t/contoso/scim/v2/Users",
    ] {
        let answer = running.ask(line, "", "").await;
        assert!([400, 404].contains(&answer.status), "{line}: {answer:?}");
        answer.is_error(answer.status, line);
    }
}

/// Bytes that are no UTF-8, in an address and in a header.
#[tokio::test]
async fn what_is_no_text_is_refused_or_found_nowhere() {
    let running = start(patient()).await;
    let token = running.token.as_bytes();
    for (line, headers, status) in [
        (&b"GET /t/contoso/scim/v2/Users/\xff\xfe"[..], &b""[..], 400..=404),
        (b"GET /t/cont\xc0\xafoso/scim/v2/Users", b"", 400..=404),
        (b"GET /t/contoso/scim/v2/Users?filter=title%20eq%20%22\xff%22", b"", 400..=400),
        (b"GET /t/contoso/scim/v2/Users?filter=%ff%fe", b"", 400..=400),
        (b"GET /t/contoso/scim/v2/Users?filter=%ed%a0%80", b"", 400..=400),
        (b"GET /t/contoso/scim/v2/Users?filter=%zz", b"", 400..=400),
        (b"GET /t/contoso/scim/v2/Users?%ff=1", b"", 400..=400),
        (b"GET /t/contoso/scim/v2/Users?count=1&count=2", b"", 400..=400),
        (b"GET /t/contoso/scim/v2/Users?count=1&%63ount=2", b"", 400..=400),
        (b"GET /t/contoso/scim/v2/Users?filter=title+eq+%22a%2Bb%22", b"", 200..=200),
        (b"GET /t/contoso/scim/v2/Users", b"X-Request-Id: \xff\xfe\r\nUser-Agent: \xc3\x28\r\n", 200..=200),
        (b"GET /t/contoso/scim/v2/Users", b"If-None-Match: \"\xff\"\r\n", 200..=400),
        (b"GET /t/contoso/scim/v2/Users", b"Authorization: Bearer \xff\r\n", 401..=401),
    ] {
        let sent = [
            line,
            b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
            headers,
            b"Authorization: Bearer ",
            token,
            b"\r\n\r\n",
        ];
        let answer = Answer::read(&talk(&running, &sent.concat()).await);
        assert!(status.contains(&answer.status), "{}: {answer:?}", line.escape_ascii());
        if answer.status != 200 {
            answer.is_error(answer.status, &line.escape_ascii().to_string());
        }
    }
}

#[tokio::test]
async fn ten_thousand_requests_sent_at_once_are_answered_in_their_order() {
    const COUNT: usize = 10_000;
    let running = start(patient()).await;
    let request = |number: usize| format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: n{number}\r\n\r\n");
    let last = "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let sent: String = (0..COUNT).map(request).chain([last.to_owned()]).collect();
    let answers = talk(&running, sent.as_bytes()).await;
    let ids: Vec<&str> = answers.lines().filter_map(|line| line.strip_prefix("x-request-id: n")).collect();
    assert!(ids.iter().enumerate().all(|(at, id)| *id == at.to_string()));
    assert_eq!((ids.len(), answers.matches("HTTP/1.1 200").count()), (COUNT, COUNT));
    assert_eq!(answers.matches("HTTP/1.1 401").count(), 1);
}

/// RFC 9112 §9.3: an old client keeps its connection where it asks for that.
#[tokio::test]
async fn http_1_0_with_and_without_keep_alive() {
    let running = start(patient()).await;
    let (kept, plain) = ("GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET /healthz HTTP/1.0\r\n\r\n");
    for (sent, expected) in
        [(format!("{plain}{plain}"), 1), (format!("{kept}{plain}{kept}"), 2), (format!("{kept}{kept}{kept}{plain}"), 4)]
    {
        let answers = talk(&running, sent.as_bytes()).await;
        assert_eq!(answers.matches(" 200 OK").count(), expected, "{sent}: {answers}");
    }
    let kept = talk(&running, format!("{kept}{plain}").as_bytes()).await;
    assert_eq!(Answer::read(&kept).header("connection"), Some("keep-alive"), "{kept}");
}
