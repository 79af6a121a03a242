//! `app discover`: what a target's schemas add to the attribute list, that they change nothing else, and what is told where they cannot be
//! read.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::installation::{Installation, Tenant};

const BADGES: &str = "urn:example:2.0:User";
const BY_HAND: &str = "added by hand, to targetAttributes";

/// A target without users, whose `/Schemas` answers as is set.
struct Target {
    url: String,
    schemas: Arc<Mutex<(u16, String)>>,
}

impl Target {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/scim", listener.local_addr().unwrap());
        let schemas = Arc::new(Mutex::new((404, String::new())));
        let answered = Arc::clone(&schemas);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, mut request) = (stream.unwrap(), [0; 4096]);
                let length = stream.read(&mut request).unwrap_or_default();
                let line = String::from_utf8_lossy(&request[..length]).lines().next().unwrap_or_default().to_owned();
                let (status, body) = match () {
                    () if line.contains("/Schemas") => answered.lock().unwrap().clone(),
                    () if line.contains("/ResourceTypes") => (404, String::new()),
                    () => (200, list(&[])),
                };
                let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/scim+json\r\n");
                drop(write!(stream, "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()));
            }
        });
        Self { url, schemas }
    }

    /// From now on its users have these attributes of an extension.
    fn has(&self, attributes: &[Value]) {
        let schema = json!({ "id": BADGES, "name": "Badges", "attributes": attributes });
        *self.schemas.lock().unwrap() = (200, list(&[schema]));
    }

    fn refuses(&self, status: u16, detail: Option<&str>) {
        let error = |detail| json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": detail, "status": status.to_string() });
        *self.schemas.lock().unwrap() = (status, detail.map(|detail| error(detail).to_string()).unwrap_or_default());
    }
}

fn list(resources: &[Value]) -> String {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:ListResponse"];
    json!({ "schemas": schemas, "totalResults": resources.len(), "startIndex": 1, "itemsPerPage": resources.len(), "Resources": resources })
        .to_string()
}

fn installed(target: &Target) -> Installation {
    let installation = Installation::embedded();
    let token = installation.file("token", "lst_x\n");
    let add = ["app", "add", "--template", "scim", "--name", "CRM", "--tenant-url", &target.url];
    installation.run(&[&add[..], &["--secret-token-file", &token]].concat()).expect_done();
    installation
}

#[test]
fn what_a_discovery_adds_is_shown_and_changes_nothing_else() {
    let target = Target::new();
    let installation = installed(&target);
    let before = installation.json(&["app", "show", "CRM"]);
    target.has(&[json!({ "name": "badge", "caseExact": true }), json!({ "name": "level", "type": "integer" })]);
    let found = installation.run(&["app", "discover", "CRM"]);
    found.expect_done();
    assert!(found.out.starts_with("CRM tells of 2 attributes; 2 new attributes in its attribute list\n"), "{found:?}");
    for row in [["User", ":badge", "String", "case-exact"], ["User", ":level", "Integer", ""]] {
        assert!(found.out.lines().any(|line| row.iter().all(|word| line.contains(word))), "{row:?} in {found:?}");
    }
    // What is told otherwise, or not at all, later on stays as it was told first.
    target.has(&[json!({ "name": "badge", "type": "integer" }), json!({ "name": "floor", "multiValued": true })]);
    let found = installation.json(&["app", "discover", "CRM"]);
    let name = |entry: &Value| entry["name"].as_str().unwrap().trim_start_matches(BADGES).to_owned();
    let known: Vec<String> = found["discovered"]["users"].as_array().unwrap().iter().map(name).collect();
    assert_eq!(known, [":badge", ":level", ":floor"]);
    assert_eq!(found["discovered"]["users"][0].get("type"), None, "a text: {found}");
    let added: Vec<(&Value, String)> =
        found["added"].as_array().unwrap().iter().map(|one| (&one["object"], name(&one["attribute"]))).collect();
    assert_eq!(added, [(&json!("User"), ":floor".to_owned())]);
    assert_eq!((&found["name"], &found["warnings"]), (&json!("CRM"), &json!([])));
    let again = installation.json(&["app", "discover", "CRM"]);
    assert_eq!((&again["added"], &again["discovered"]), (&json!([]), &found["discovered"]));
    let mut after = installation.json(&["app", "show", "CRM"]);
    assert_eq!(after["discovered"].take(), json!(3));
    assert_eq!(after["mappings"], before["mappings"]);
    assert_eq!(after["status"], before["status"]);
}

#[test]
fn an_attribute_that_is_mapped_is_told_of_and_stays_mapped() {
    let target = Target::new();
    let installation = installed(&target);
    let mut mappings = installation.json(&["app", "show", "CRM"])["mappings"].clone();
    let badge = format!("{BADGES}:badge");
    mappings[0]["attributes"].as_array_mut().unwrap().push(json!({ "target": badge, "source": "[employeeId]" }));
    let file = installation.file("mappings.json", mappings.to_string());
    installation.json(&["app", "set", "CRM", "--mappings", &file]);
    target.has(&[json!({ "name": "badge", "mutability": "readOnly" })]);
    let found = installation.run(&["app", "discover", "CRM"]);
    assert!(found.code == 0 && found.err.contains(&format!("note: a mapping of users writes `{badge}`")), "{found:?}");
    assert_eq!(installation.json(&["app", "show", "CRM"])["mappings"], mappings);
}

#[test]
fn why_schemas_cannot_be_read_is_told_by_what_the_target_answers() {
    let target = Target::new();
    let installation = installed(&target);
    for (status, detail, words, is_by_hand) in [
        (404, None, "status 404", true),
        (501, Some("no discovery here"), "status 501, no discovery here", true),
        (401, None, "refused the secret token (status 401); create a new one", false),
        (403, Some("the tenant is suspended"), "forbids it (status 403: the tenant is suspended); look at", false),
        (500, Some("oops"), "status 500, oops; try again later", false),
    ] {
        target.refuses(status, detail);
        let refused = installation.run(&["app", "discover", "CRM"]);
        refused.refused(1, words);
        assert_eq!(refused.err.contains(BY_HAND), is_by_hand, "{refused:?}");
    }
    assert_eq!(installation.json(&["app", "show", "CRM"])["discovered"], json!(0), "nothing is kept of it");
}

#[test]
fn a_tenant_that_is_suspended_says_so() {
    let installation = Installation::embedded();
    let serving = installation.serve();
    let tenant = Tenant::add(&installation, "acme", "generic");
    installation.add_app("scim", "Any", &tenant, &[]);
    let discover = || installation.run(&["app", "discover", "Any"]);
    assert!(discover().out.contains("User    nickName"), "{:?}", discover());
    installation.json(&["tenant", "suspend", "acme"]);
    let suspended = discover();
    suspended.refused(1, "the tenant is suspended");
    assert!(!suspended.err.contains(BY_HAND), "{suspended:?}");
    installation.json(&["tenant", "resume", "acme"]);
    installation.json(&["token", "revoke", "acme", "entra"]);
    discover().refused(1, "refused the secret token (status 401)");
    drop(serving);
    let unreachable = discover();
    unreachable.refused(1, "nothing answers");
    assert!(!unreachable.err.contains(BY_HAND), "{unreachable:?}");
}
