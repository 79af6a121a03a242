//! Tokens and OAuth clients by command, and that no secret is left anywhere. Names of tests begin with the attack case they answer.

use std::path::Path;

use jiff::SignedDuration;
use serde_json::Value;
use store::tokens::TokenRecord;
use store::{Database, Store};

use crate::installation::{Installation, Serving, Tenant, answer, send};

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// Asks the token endpoint of a tenant with a client's secret.
fn ask(serving: &Serving, tenant: &str, client: &Value, secret: &str) -> (u16, Value) {
    let id = client["client_id"].as_str().unwrap();
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let (status, body) = send(&serving.address, &format!("POST /t/{tenant}/oauth2/token"), FORM, &form);
    (status, serde_json::from_str(&body).unwrap())
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

#[test]
fn a_client_is_made_listed_and_removed_by_command() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let tenant = Tenant::add(&installation, "acme", "generic");
        let users = tenant.path("/Users");
        let client = installation.json(&["tenant", "client", "add", "acme", "entra", "--token-minutes", "120"]);
        assert!(text(&client, "token_url").ends_with("/t/acme/oauth2/token"));
        let first = text(&client, "client_secret").to_owned();
        let (status, issued) = ask(&serving, "acme", &client, &first);
        assert_eq!((status, &issued["expires_in"]), (200, &Value::from(7200)), "{issued}");
        let access = text(&issued, "access_token").to_owned();
        assert_eq!(serving.get(&users, Some(&access)).0, 200);
        let more = installation.json(&["tenant", "client", "secret", "add", "acme", "entra", "--days", "20"]);
        let second = text(&more, "client_secret").to_owned();
        installation.run(&["tenant", "client", "secret", "add", "acme", "entra"]).refused(1, "revoke one first");
        let listed = installation.json(&["tenant", "client", "list", "acme"]);
        assert_eq!(listed[0]["secrets"].as_array().unwrap().len(), 2, "{listed}");
        for secret in [&first, &second, &access] {
            assert!(!listed.to_string().contains(secret.as_str()));
        }
        installation.json(&["tenant", "client", "secret", "revoke", "acme", "entra", &first[..10]]);
        assert_eq!((ask(&serving, "acme", &client, &first).0, serving.get(&users, Some(&access)).0), (401, 401));
        assert_eq!(ask(&serving, "acme", &client, &second).0, 200);
        installation
            .run(&["tenant", "client", "secret", "revoke", "acme", "entra", "lsc_"])
            .refused(1, "lockstep tenant client list");
        let keys = installation.file("keys.json", r#"{"keys":[]}"#);
        let vouching = ["--issuer", "https://idp.example", "--audience", "api://x"];
        let federate = ["tenant", "client", "federate", "acme", "entra"];
        installation.run(&[&federate[..], &vouching, &["--jwks-file", &keys]].concat()).refused(2, "no key of the set");
        installation
            .run(&[&federate[..], &vouching, &["--jwks-url", "https://idp.example:99999/keys"]].concat())
            .refused(2, "a port is a number from 1 to 65535");
        installation.json(&[&federate[..], &vouching, &["--jwks-url", "https://idp.example/keys"]].concat());
        let listed = installation.json(&["tenant", "client", "list", "acme"]);
        assert_eq!(listed[0]["identity_provider"]["issuer"], "https://idp.example");
        installation.json(&["tenant", "client", "unfederate", "acme", "entra"]);
        installation.run(&[&federate[..], &vouching].concat()).refused(2, "<--jwks-url <URL>|--jwks-file <FILE>>");
        installation.run(&["tenant", "client", "remove", "acme", "entar"]).refused(1, "did you mean \"entra\"?");
        installation.json(&["tenant", "client", "remove", "acme", "entra"]);
        assert_eq!(ask(&serving, "acme", &client, &second).0, 401);
        for (arguments, words) in [
            (["--token-minutes", "59"], "access tokens work 60 to 360 minutes"),
            (["--token-minutes", "361"], "access tokens work 60 to 360 minutes"),
            (["--secret-days", "1096"], "a client secret works 1 to 1095 days"),
        ] {
            let add = ["tenant", "client", "add", "acme", "other"];
            installation.run(&[&add[..], &arguments].concat()).refused(2, words);
        }
    }
}

#[test]
fn requests_of_a_client_are_found_by_its_name_whichever_access_token_came() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let tenant = Tenant::add(&installation, "acme", "generic");
        let client = installation.json(&["tenant", "client", "add", "acme", "app"]);
        for _ in 0..2 {
            let (_, issued) = ask(&serving, "acme", &client, text(&client, "client_secret"));
            assert_eq!(serving.get(&tenant.path("/Users"), Some(text(&issued, "access_token"))).0, 200);
        }
        assert!(serving.terminate().success());
        let found = installation.run(&["tenant", "requests", "acme", "--caller", "app", "--json"]).json_lines();
        let callers: Vec<&Value> = found.iter().map(|line| &line["caller"]).collect();
        assert_eq!(callers, [&client["client_id"], &client["client_id"]], "{found:?}");
        let table = installation.run(&["tenant", "requests", "acme", "--caller", "app"]);
        assert_eq!(table.out.matches(" app ").count(), 2, "{table:?}");
    }
}

#[test]
fn a_reading_token_is_shown_as_one_and_its_use_is_noted_when_the_server_stops() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let tenant = Tenant::add(&installation, "acme", "generic");
        let reader = installation.json(&["token", "add", "acme", "reader", "--scope", "read"]);
        let authorization = format!("Authorization: Bearer {}\r\n", text(&reader, "token"));
        let post = format!("POST {}", tenant.path("/Users"));
        assert_eq!(send(&serving.address, &post, &authorization, "").0, 403);
        let of = |name: &str| {
            let listed = installation.json(&["token", "list", "acme"]);
            let found = listed.as_array().unwrap().iter().find(|token| token["name"] == name);
            found.unwrap_or_else(|| panic!("{name} in {listed}")).clone()
        };
        assert_eq!((&of("reader")["scope"], &of("entra")["scope"]), (&Value::from("read"), &Value::from("write")));
        assert!(serving.terminate().success());
        assert!(of("reader")["last_used"].is_string() && of("entra")["last_used"].is_null());
        let rotated = installation.json(&["token", "rotate", "acme", "reader", "--overlap", "2"]);
        assert_ne!(rotated["token"], reader["token"]);
        assert_eq!(rotated["scope"], "read");
        let retired = format!("reader ({}…)", &text(&reader, "token")[..10]);
        assert_eq!(of(&retired)["state"], "active");
    }
}

#[test]
fn a_token_for_schemas_changes_them_and_leaves_its_name_in_the_audit_log() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let tenant = Tenant::add(&installation, "acme", "generic");
        let added = installation.json(&["token", "add", "acme", "app", "--scope", "schemas"]);
        let address = text(&added, "schema_url");
        assert!(address.ends_with("/t/acme/schema") && added["scope"] == "schemas", "{added}");
        let bearer = format!("Authorization: Bearer {}\r\n", text(&added, "token"));
        let json = format!("{bearer}Content-Type: application/json\r\n");
        let badge =
            r#"{"schemas": [{"id": "urn:example:1.0:User", "attributes": [{"name": "badge", "type": "string"}]}]}"#;
        let (status, told) = send(&serving.address, "PUT /t/acme/schema", &json, badge);
        assert_eq!(status, 200, "{told}");
        let shown = installation.json(&["tenant", "schema", "show", "acme"]);
        assert_eq!(shown["schemas"][0]["id"], "urn:example:1.0:User", "{shown}");
        let audit = installation.json(&["audit"]);
        let told = (&audit[0]["activityDisplayName"], &audit[0]["initiatedBy"]);
        assert_eq!(told, (&Value::from("Set tenant schemas"), &Value::from("token app of acme")), "{audit}");
        assert_eq!(send(&serving.address, &format!("GET {}", tenant.path("/Users")), &bearer, "").0, 403);
        let listed = installation.run(&["token", "list", "acme"]).out;
        assert!(listed.lines().any(|line| line.starts_with("app") && line.contains("schemas")), "{listed}");
        assert_eq!(installation.json(&["token", "rotate", "acme", "app"])["scope"], "schemas");
        let client = installation.json(&["tenant", "client", "add", "acme", "app", "--scope", "schemas"]);
        assert_eq!((text(&client, "schema_url"), text(&client, "scope")), (address, "schemas"), "{client}");
        let (status, issued) = ask(&serving, "acme", &client, text(&client, "client_secret"));
        assert_eq!((status, text(&issued, "scope")), (200, "schemas"), "{issued}");
        assert_eq!(serving.get("/t/acme/schema", Some(text(&issued, "access_token"))).0, 200);
        assert_eq!(installation.json(&["tenant", "client", "list", "acme"])[0]["scope"], "schemas");
    }
}

/// A token that was made long ago and ends in five days.
fn old_token(installation: &Installation) {
    let store = Store::open(&Database::Sqlite(installation.data().join("lockstep.db"))).unwrap();
    #[expect(clippy::disallowed_methods, reason = "the program under test reads the clock too")]
    let now = jiff::Timestamp::now();
    let write = store.write(move |tx| {
        let tenant = store::tenants::tenant_by_name(tx, "acme")?.unwrap();
        let token = TokenRecord {
            id: store::version_7(now, [1; 10]).into(),
            name: "old".to_owned(),
            hint: "lst_abcdef".to_owned(),
            may_write: true,
            may_define: false,
            created: now - SignedDuration::from_hours(24 * 360),
            expires: now + SignedDuration::from_hours(24 * 5),
            revoked: None,
            last_used: None,
            warned: None,
        };
        store::tokens::insert_token(tx, tenant.key, &token, b"a hash")
    });
    tokio::runtime::Runtime::new().unwrap().block_on(write).unwrap();
}

#[test]
fn what_ends_soon_is_told_once_by_the_log_and_always_by_the_doctor() {
    let installation = Installation::embedded();
    Tenant::add(&installation, "acme", "generic");
    installation.json(&["token", "add", "acme", "short", "--days", "8"]);
    let doctor = || installation.json(&["doctor"])["checks"].to_string();
    assert!(doctor().contains("none ends within 30 days"), "what was made for eight days is no surprise before");
    old_token(&installation);
    let told = "of the tenant \\\"acme\\\" ends within 7 days";
    assert!(doctor().contains(told), "{}", doctor());
    let warnings = |log: &str| {
        assert!(installation.serve_with_log(log).terminate().success());
        let text = std::fs::read_to_string(installation.path(log)).unwrap();
        text.lines().filter(|line| line.contains("ends within 7 days")).count()
    };
    assert_eq!((warnings("first.log"), warnings("second.log")), (1, 0), "a restart does not repeat it");
    assert!(doctor().contains(told), "{}", doctor());
    let listed = installation.json(&["token", "list", "acme"]).to_string();
    assert!(listed.contains("ends within 7 days"), "{listed}");
}

fn holds(folder: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(holds(&path, secret));
        } else if std::fs::read(&path).unwrap().windows(secret.len()).any(|bytes| bytes == secret.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn au_09_hash_at_rest_and_au_13_token_in_log_no_secret_is_in_any_file_or_line() {
    for installation in Installation::each() {
        let serving = installation.serve_with_log("server.log");
        let tenant = Tenant::add(&installation, "acme", "generic");
        std::fs::remove_file(&tenant.token_file).unwrap();
        let client = installation.json(&["tenant", "client", "add", "acme", "entra"]);
        let secret = text(&client, "client_secret").to_owned();
        let access = text(&ask(&serving, "acme", &client, &secret).1, "access_token").to_owned();
        let users = tenant.path("/Users");
        let never = "lst_canary-canary-canary-canary-canary-canary-0";
        let assertion = "eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOjF9.Y2FuYXJ5LWNhbmFyeQ";
        for token in [tenant.token.as_str(), &access, never, assertion, &secret] {
            let authorization = format!("Authorization: Bearer {token}\r\n");
            let json = "Content-Type: application/json\r\n";
            for (what, headers, body) in [
                (format!("GET {users}"), authorization.clone(), String::new()),
                (format!("GET {users}?access_token={token}"), String::new(), String::new()),
                (format!("GET {users}/{token}"), authorization.clone(), String::new()),
                (format!("POST {users}"), format!("{authorization}{json}"), format!("{{\"userName\": \"{token}\", ")),
                (format!("TRACE {users}"), authorization.clone(), String::new()),
                ("POST /t/acme/oauth2/token".to_owned(), FORM.to_owned(), format!("client_secret={token}&client_id=x")),
                (
                    "POST /t/acme/oauth2/token".to_owned(),
                    FORM.to_owned(),
                    format!(
                        "grant_type=client_credentials&client_assertion={token}&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                    ),
                ),
            ] {
                let (status, answered) = send(&serving.address, &what, &headers, &body);
                assert!(status < 500 && !answered.contains(token), "{what}: {status} {answered}");
            }
        }
        if installation.data().join("lockstep.db").exists() {
            installation.json(&["backup", installation.path("copy").to_str().unwrap()]);
        }
        // A command that is refused tells it to nobody either.
        let refused = answer(installation.command().args(["token", "revoke", "acme", "x", &tenant.token]));
        assert_eq!(refused.code, 2);
        for secret in [tenant.token.as_str(), &access, never, assertion, &secret] {
            assert_eq!(holds(installation.path("").as_path(), secret), Vec::<String>::new());
        }
        assert!(serving.terminate().success());
        for secret in [tenant.token.as_str(), &access, never, assertion, &secret] {
            assert_eq!(holds(installation.path("").as_path(), secret), Vec::<String>::new());
        }
        let log = std::fs::read_to_string(installation.path("server.log")).unwrap();
        assert!(log.contains("Stopping"), "the log tells something: {log}");
    }
}
