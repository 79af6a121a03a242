//! What is told of requests: ids, the log, metrics, readiness.

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use provider::Scope;
use provider::oauth::{ClientRequest, SecretRequest};
use serde_json::json;
use server::{LogQuery, LogSettings};
use tower::ServiceExt;

use super::*;

pub(super) const USERS: &str = "/t/contoso/scim/v2/Users";
pub(super) const JSON: &str = "Content-Type: application/scim+json\r\n";
pub(super) const ANN: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann@contoso.example","password":"t1meMa$heen","active":true}"#;

/// A server with a request log.
async fn logging() -> (Running, std::path::PathBuf) {
    logging_with(EdgeSettings::default()).await
}

/// The same with other settings.
pub(super) async fn logging_with(edge: EdgeSettings) -> (Running, std::path::PathBuf) {
    let database = TestDatabase::sqlite();
    let store::Database::Sqlite(file) = database.database() else { panic!("the test asks for a file") };
    let folder = file.with_extension("requests");
    let log = LogSettings { folder: folder.clone(), bytes_max: 1 << 20, age_max: FOREVER };
    let edge = EdgeSettings { log: Some(log), ..edge };
    (start_with(patient(), database, edge).await, folder)
}

impl Running {
    /// The log of a tenant, oldest first.
    pub(super) async fn log(&self, folder: &std::path::Path, name: &'static str) -> Vec<Value> {
        self.service.flush_log();
        let found = self.store.read(move |tx| provider::tenant(tx, name)).await.unwrap();
        let folder = server::tenant_folder(folder, name, found.key.number());
        let mut lines = server::search(&folder, &LogQuery::default()).unwrap();
        lines.reverse();
        lines
    }
}

/// The metrics as text.
pub(super) async fn metrics(running: &Running) -> String {
    asked(&running.inside, "/metrics").await.1
}

async fn asked(inside: &Guard, path: &str) -> (u16, String) {
    let answer = inside.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    (status, String::from_utf8(answer.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn a_request_has_an_id() {
    let running = start(patient()).await;
    for (given, kept) in [("abc-1.2_X", true), ("a b", false), ("", false), (&"x".repeat(65), false)] {
        let answer = running.ask("GET /healthz", &format!("X-Request-Id: {given}\r\n"), "").await;
        let id = answer.header("x-request-id").unwrap();
        assert_eq!(id == given.to_ascii_lowercase(), kept, "{given} {id}");
        assert!(!id.is_empty());
    }
}

/// AU-12, TI-08.
#[tokio::test]
async fn each_tenant_has_a_log_of_its_own_without_secrets_and_people() {
    let (running, folder) = logging().await;
    let other = tenant(&running.store, "fabrikam", &TenantSettings::default()).await;
    running.ask(&format!("POST {USERS}"), &format!("{JSON}X-Request-Id: first\r\n"), ANN).await;
    let token = running.token.clone();
    running
        .ask_as(None, &format!("GET {USERS}?access_token={token}"), "", "")
        .await
        .is_error(401, "a token in the URL");
    running.ask_as(None, &format!("GET /t/contoso/{token}/Users"), "", "").await.is_error(401, "a token in the path");
    running.ask(&format!("GET {USERS}?filter=userName+eq+%22ann@contoso.example%22"), "", "").await;
    running.ask_as(Some(&other), "GET /t/fabrikam/scim/v2/Groups", "", "").await;
    running.ask_as(None, "GET /t/nobody/scim/v2/Groups", "", "").await;
    let lines = running.log(&folder, "contoso").await;
    let told: Vec<_> =
        lines.iter().map(|line| (line["status"].as_u64().unwrap(), line["path"].as_str().unwrap())).collect();
    let expected = [
        (201, USERS),
        (401, "/t/contoso/scim/v2/Users?access_token=***"),
        (401, "/t/contoso/***/Users"),
        (200, "/t/contoso/scim/v2/Users?filter=userName eq \"***\""),
    ];
    assert_eq!(told, expected);
    assert_eq!((&lines[0]["id"], &lines[0]["method"]), (&"first".into(), &"POST".into()));
    assert!(lines[0]["caller"].is_string() && lines[0]["ms"].is_number() && lines[0]["bytes"].is_u64());
    assert_eq!(lines[1]["note"], "credential in URL");
    let written = format!("{lines:?}");
    for secret in [token.as_str(), "ann", "t1meMa$heen"] {
        assert!(!written.contains(secret), "{written}");
    }
    let others = running.log(&folder, "fabrikam").await;
    assert_eq!((others.len(), &others[0]["path"]), (1, &"/t/fabrikam/scim/v2/Groups".into()));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2, "there is no tenant called nobody");
    drop(running.database);
}

/// OP-05: what a part of an address may be called, the token's tenant tells.
#[tokio::test]
async fn the_log_knows_the_names_that_a_tenant_gave_and_no_others() {
    let (running, folder) = logging().await;
    let device = "urn:example:Device";
    let definition = json!({ "schemas": [{ "id": device, "attributes": [{ "name": "serial" }] }],
        "resourceTypes": [{ "name": "Device", "endpoint": "/Devices", "schema": device }] });
    let definition = provider::CustomSchemas::read(&definition.to_string()).unwrap();
    let set = running.store.write(move |tx| -> Result<_, TenantError> {
        provider::set_schemas(tx, "contoso", &definition, Timestamp::UNIX_EPOCH)?;
        let address = provider::Address::new("", "/api/v9")?;
        provider::change_tenant(tx, "contoso", |settings| settings.address = Some(address.clone())).map(drop)
    });
    set.await.unwrap();
    let base = "/t/contoso/scim/v2";
    let mut expected = Vec::new();
    for (line, told) in [
        (format!("GET {base}/Devices"), format!("{base}/Devices")),
        (format!("GET {base}/Peter"), format!("{base}/***")),
        (format!("GET {base}/ResourceTypes/Device.scim"), format!("{base}/ResourceTypes/Device")),
        (format!("GET {base}/Schemas/{device}"), format!("{base}/Schemas/{device}")),
        (format!("GET {base}/%55sers/peter@x?sortBy=peter@x"), format!("{base}/Users/***?sortBy=***")),
        ("GET /api/v9/Devices/peter".to_owned(), "/api/v9/Devices/***".to_owned()),
        (format!("PETER {USERS}"), USERS.to_owned()),
    ] {
        running.ask(&line, "", "").await;
        expected.push(told);
    }
    running.ask_as(None, &format!("GET {base}/Devices"), "", "").await.is_error(401, "whose name is it");
    expected.push(format!("{base}/***"));
    let lines = running.log(&folder, "contoso").await;
    assert_eq!(lines.iter().map(|line| line["path"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    assert_eq!(lines[6]["method"], "***");
}

/// A token for definitions of `contoso`, and an access token of a client for them, each with what it is logged under.
async fn definers(running: &Running) -> [(String, String); 2] {
    let [token_id, client_id] = [5, 6].map(|number| store::version_7(Timestamp::UNIX_EPOCH, [number; 10]));
    let made = running.store.write(move |tx| -> Result<_, TenantError> {
        let (tenant, scope, now) = ("contoso", Scope::Schemas, Timestamp::UNIX_EPOCH);
        let token = TokenRequest { tenant, name: "schemas", id: token_id.into(), secret: [3; 32], days: 9, scope };
        let token = provider::create_token(tx, &key(), &token, now)?.text;
        let client = ClientRequest { tenant, name: "definer", id: client_id.into(), scope, token_minutes: 60 };
        let secret = SecretRequest { id: client_id.into(), secret: [4; 32], days: 9 };
        let client = provider::oauth::add_client(tx, &key(), &client, Some(&secret), now)?;
        Ok((token, client.secret.unwrap().text))
    });
    let (token, secret) = made.await.unwrap();
    let form = format!("grant_type=client_credentials&client_id={client_id}&client_secret={secret}");
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    let granted = running.ask_as(None, "POST /t/contoso/oauth2/token", headers, &form).await;
    let granted: Value = serde_json::from_str(&granted.body).unwrap();
    let access = granted["access_token"].as_str().unwrap().to_owned();
    [(token, token_id.to_string()), (access, client_id.to_string())]
}

#[tokio::test]
async fn who_shows_a_token_for_something_else_is_logged_by_its_name_too() {
    let (running, folder) = logging().await;
    let mut expected = Vec::new();
    tenant(&running.store, "fabrikam", &TenantSettings::default()).await;
    for (token, caller) in definers(&running).await {
        for (line, status) in [(format!("GET {USERS}"), 403), ("GET /t/contoso/schema".to_owned(), 200)] {
            assert_eq!(running.ask_as(Some(&token), &line, "", "").await.status, status, "{line}");
            expected.push((u64::from(status), json!(caller)));
        }
        // It is no business of another tenant's whose token it is.
        running.ask_as(Some(&token), "GET /t/fabrikam/scim/v2/Users", "", "").await.is_error(401, "abroad");
        running.ask_as(Some(&token), "GET /t/fabrikam/schema", "", "").await.is_error(401, "abroad");
    }
    running.ask("GET /t/contoso/schema", "", "").await.is_error(403, "a token for people");
    let own = running.log(&folder, "contoso").await;
    let first = &own.last().unwrap()["caller"];
    assert!(first.is_string() && expected.iter().all(|(_, caller)| caller != first), "{first}");
    let told: Vec<_> = own.iter().filter(|line| line["method"] == "GET").collect();
    let told: Vec<_> = told.iter().map(|line| (line["status"].as_u64().unwrap(), line["caller"].clone())).collect();
    assert_eq!(told[..told.len() - 1], expected);
    assert!(running.log(&folder, "fabrikam").await.iter().all(|line| line["caller"].is_null()));
    drop(running.database);
}

#[tokio::test]
async fn bodies_are_kept_masked_where_the_tenant_wants_them() {
    let (running, folder) = logging().await;
    let settings = TenantSettings { log_bodies: Some(true), ..TenantSettings::default() };
    let token = tenant(&running.store, "fabrikam", &settings).await;
    for (token, name) in [(&running.token, "contoso"), (&token, "fabrikam")] {
        let made = running.ask_as(Some(token), &format!("POST /t/{name}/scim/v2/Users"), JSON, ANN).await;
        assert_eq!(made.status, 201, "{made:?}");
        assert!(made.body.contains("ann@contoso.example"), "the client gets all of it");
    }
    let without = running.log(&folder, "contoso").await;
    assert!(without[0]["request"].is_null() && without[0]["response"].is_null());
    let with = running.log(&folder, "fabrikam").await;
    let (request, response) = (&with[0]["request"], &with[0]["response"]);
    assert_eq!(
        (&request["userName"], &request["password"], &request["active"]),
        (&"***".into(), &"***".into(), &true.into())
    );
    assert_eq!((&response["userName"], &response["meta"]["resourceType"]), (&"***".into(), &"User".into()));
    assert!(response["id"].as_str().unwrap().len() == 36);
}

/// TI-08: labels tell of tenants, never of people; and nothing of it is on the public address.
#[tokio::test]
async fn ti_08_metrics_tell_of_tenants_and_not_of_people() {
    let running = start(patient()).await;
    running.ask(&format!("POST {USERS}"), JSON, ANN).await;
    running.ask(&format!("GET {USERS}"), "", "").await;
    running.ask_as(Some("lst_x"), &format!("GET {USERS}"), "", "").await;
    exchange(running.address, b"nonsense\r\n\r\n").await;
    let (status, text) = asked(&running.inside, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "lockstep_requests_total{method=\"POST\",status=\"2xx\"} 1",
        "lockstep_requests_total{method=\"GET\",status=\"4xx\"} 1",
        "lockstep_tenant_requests_total{tenant=\"contoso\",status=\"2xx\"} 2",
        "lockstep_bad_tokens_total 1",
        "lockstep_malformed_requests_total 1",
        "lockstep_requests_in_flight 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(!text.contains("ann"), "{text}");
    for (path, status) in [("/metrics", 404), ("//metrics", 401)] {
        running.ask_as(None, &format!("GET {path}"), "", "").await.is_error(status, path);
    }
}

#[tokio::test]
async fn a_server_that_stops_is_not_ready() {
    let running = start(patient()).await;
    assert_eq!(asked(&running.inside, "/readyz").await.0, 200);
    let Running { inside, stop, ended, .. } = running;
    stop.send(()).unwrap();
    assert!(ended.await.unwrap());
    assert_eq!(asked(&inside, "/readyz").await, (503, "the server is stopping\n".to_owned()));
}

#[tokio::test]
async fn sh_19_a_credential_that_came_without_tls_is_refused_and_told_of() {
    let (running, folder) = logging().await;
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    for (what, headers, status) in [
        (format!("GET {USERS}"), "X-Forwarded-Proto: http\r\n", 403),
        (format!("GET {USERS}"), "Forwarded: for=192.0.2.1;proto=http\r\n", 403),
        ("GET /t/contoso/schema".to_owned(), "X-Forwarded-Proto: http\r\n", 403),
        ("POST /t/contoso/oauth2/token".to_owned(), &format!("X-Forwarded-Proto: http\r\n{form}"), 403),
        (format!("GET {USERS}"), "X-Forwarded-Proto: https\r\n", 200),
        (format!("GET {USERS}"), "", 200),
    ] {
        let answer = running.ask(&what, headers, "").await;
        assert_eq!((answer.status, answer.header("location")), (status, None), "{what} {headers}");
        assert_eq!(answer.body.contains("use https:// only"), status == 403, "{answer:?}");
    }
    let told: Vec<_> = running.log(&folder, "contoso").await.iter().map(|line| line["note"].clone()).collect();
    let exposed = Value::from("credential without TLS");
    assert_eq!(told, [exposed.clone(), exposed.clone(), exposed.clone(), exposed, Value::Null, Value::Null]);
    running
        .ask_as(None, &format!("GET {USERS}"), "X-Forwarded-Proto: http\r\n", "")
        .await
        .is_error(401, "no credential");
    drop(running.database);
}
