//! The fixed forms that scripts rely on, end to end: tenant, token, imports, application, assignment, plan, sync.

use serde_json::Value;

use crate::installation::{Installation, Serving, Tenant};

const USERS: &str = "\
userPrincipalName,displayName,givenName,surname,mail,department,accountEnabled
ann@contoso.example,Ann Oak,Ann,Oak,ann@contoso.example,Sales,true
ben@contoso.example,Ben Elm,Ben,Elm,ben@contoso.example,Sales,true
cho@contoso.example,Chò Ash,Chò,Ash,cho@contoso.example,Support,true
dan@contoso.example,Dan Yew,Dan,Yew,dan@contoso.example,Support,false
";
const GROUPS: &str = "displayName,description,securityEnabled\nAll staff,Everybody,true\nSales,A department,true\n";
const MEMBERS: &str = "\
groupDisplayName,userPrincipalName
All staff,ann@contoso.example
All staff,ben@contoso.example
All staff,cho@contoso.example
All staff,dan@contoso.example
Sales,ann@contoso.example
Sales,ben@contoso.example
";

fn import(installation: &Installation) {
    for (kind, name, text, created) in
        [("users", "users.csv", USERS, 4), ("groups", "groups.csv", GROUPS, 2), ("members", "members.csv", MEMBERS, 6)]
    {
        let file = installation.file(name, text);
        let report = installation.json(&["import", kind, &file]);
        assert_eq!(
            (&report["read"], &report["created"], &report["failed"]),
            (&created.into(), &created.into(), &0.into())
        );
        let again = installation.json(&["import", kind, &file]);
        assert_eq!((&again["unchanged"], &again["created"]), (&created.into(), &0.into()));
    }
}

fn total(serving: &Serving, tenant: &Tenant, below: &str) -> u64 {
    let (status, body) = serving.get(&tenant.path(below), Some(&tenant.token));
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Value>(&body).unwrap()["totalResults"].as_u64().unwrap()
}

fn counts(report: &Value) -> [u64; 5] {
    ["created", "updated", "disabled", "deleted", "failed"].map(|name| report[name].as_u64().unwrap())
}

#[test]
fn from_a_file_to_an_application() {
    for installation in Installation::each() {
        let serving = installation.serve();
        let tenant = Tenant::add(&installation, "acme", "palo-alto-cie");
        assert!(tenant.url.starts_with(&format!("http://{}/", serving.address)), "{}", tenant.url);
        import(&installation);
        let app = installation.add_app("palo-alto-cie", "CIE", &tenant, &[]).json();
        assert_eq!((&app["name"], &app["status"], &app["scope"]), (&"CIE".into(), &"off".into(), &"assigned".into()));
        installation.json(&["assign", "CIE", "--group", "All staff"]);
        let again = installation.run(&["assign", "CIE", "--group", "All staff"]);
        assert_eq!(again.out, "All of them are assigned so already (CIE)\n");

        let plan = installation.run(&["plan", "CIE", "--json"]).json_lines();
        let (summary, predicted) = plan.split_last().unwrap();
        assert_eq!(counts(summary), [4, 0, 0, 0, 0]);
        assert!(summary["summary"] == true && predicted.iter().all(|one| one["summary"].is_null()));
        assert_eq!(predicted.iter().filter(|one| one["method"] == "POST").count(), 4);
        assert_eq!(total(&serving, &tenant, "/Users"), 0, "a plan writes nothing");

        let initial = installation.json(&["sync", "CIE"]);
        assert_eq!((initial["cycle"].as_str(), counts(&initial)), (Some("initial"), [4, 0, 0, 0, 0]));
        assert!(initial["requests"].as_u64().unwrap() >= 4 && initial["seconds"].as_f64().unwrap() > 0.0);
        assert_eq!((total(&serving, &tenant, "/Users"), total(&serving, &tenant, "/Groups")), (3, 1));

        let empty = installation.json(&["sync", "CIE"]);
        assert_eq!((empty["cycle"].as_str(), &empty["requests"]), (Some("incremental"), &0.into()));

        joiner_mover_leaver(&installation, &serving, &tenant);
        whole_directory(&installation, &serving, &tenant);
        told(&installation);
        purged(&installation);
        drop(serving);
        unserved(&installation);
    }
}

fn joiner_mover_leaver(installation: &Installation, serving: &Serving, tenant: &Tenant) {
    installation.json(&[
        "user",
        "add",
        "eve@contoso.example",
        "--display-name",
        "Eve Fir",
        "--set",
        "givenName=Eve",
        "--set",
        "surname=Fir",
    ]);
    installation.json(&["group", "members", "add", "All staff", "eve@contoso.example"]);
    installation.json(&["user", "set", "ben@contoso.example", "department=Support", "jobTitle=Lead"]);
    installation.json(&["user", "delete", "cho@contoso.example"]);
    let report = installation.json(&["sync", "CIE"]);
    assert_eq!(counts(&report), [1, 1, 1, 0, 0], "{report}");
    assert_eq!(installation.json(&["sync", "CIE"])["requests"], 0);
    let filter = "/Users?filter=userName%20eq%20%22cho%40contoso.example%22";
    let (_, body) = serving.get(&tenant.path(filter), Some(&tenant.token));
    let found: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(found["Resources"][0]["active"], false, "{body}");
    installation.json(&["user", "restore", "cho@contoso.example"]);
    let on_demand = installation.json(&["provision", "cho@contoso.example", "--app", "CIE"]);
    assert_eq!(
        (on_demand["action"].as_str(), on_demand["status"].as_str()),
        (Some("update"), Some("success")),
        "{on_demand}"
    );
    installation.json(&["sync", "CIE"]);
}

fn whole_directory(installation: &Installation, serving: &Serving, tenant: &Tenant) {
    installation.json(&["app", "set", "CIE", "--scope", "all"]);
    let report = installation.json(&["sync", "CIE"]);
    assert_eq!(
        (report["cycle"].as_str(), counts(&report)[0]),
        (Some("initial"), 1),
        "the group Sales is new: {report}"
    );
    assert_eq!(total(serving, tenant, "/Groups"), 2);
    installation.json(&["app", "set", "CIE", "--scope", "assigned"]);
    installation.json(&["assign", "CIE", "--user", "ann@contoso.example"]);
    installation.json(&["unassign", "CIE", "--group", "All staff"]);
    let report = installation.json(&["sync", "CIE"]);
    assert_eq!(report["failed"], 0, "{report}");
    assert_eq!(total(serving, tenant, "/Users?filter=userName%20eq%20%22ann%40contoso.example%22"), 1);
}

fn told(installation: &Installation) {
    let status = installation.json(&["status"]);
    assert_eq!((&status[0]["name"], &status[0]["lastCycle"]["state"]), (&"CIE".into(), &"succeeded".into()));
    let logs = installation.json(&["logs", "--app", "CIE", "--limit", "5"]);
    assert_eq!(logs.as_array().unwrap().len(), 5);
    let id = logs[0]["id"].as_str().unwrap();
    assert_eq!(installation.json(&["logs", "show", id])["changeId"], id);
    let of_cho = installation.json(&["logs", "--user", "cho@contoso.example"]);
    let actions: Vec<&str> = of_cho.as_array().unwrap().iter().filter_map(|record| record["action"].as_str()).collect();
    assert!(actions.contains(&"create") && actions.contains(&"disable"), "{actions:?}");
    assert!(logs[0]["id"].as_str() > logs[1]["id"].as_str(), "newest first");
    told_in_parts(installation);
    let audit = installation.json(&["audit", "--limit", "1000"]);
    let (first, all) = (&audit[0]["initiatedBy"], audit.as_array().unwrap());
    assert!(all.iter().any(|one| one["activityDisplayName"] == "Add service principal"), "{audit}");
    assert!(all.iter().all(|one| one["initiatedBy"] == *first), "one person has one name: {audit}");
    let doctor = installation.json(&["doctor", "--connections"]);
    assert_eq!(doctor["problems"], 0, "{doctor}");
    for arguments in [
        &["status"][..],
        &["logs"],
        &["logs", "--verbose"],
        &["doctor"],
        &["app", "show", "CIE"],
        &["app", "list"],
        &["plan", "CIE"],
    ] {
        let shown = installation.run(arguments);
        assert_eq!(shown.code, 0, "{shown:?}");
        assert!(shown.out.contains("CIE") && !shown.out.contains('\u{1b}'), "no colours into a pipe: {shown:?}");
    }
}

/// Lists that are cut off say so; 0 is all of them.
fn told_in_parts(installation: &Installation) {
    for log in ["logs", "audit"] {
        let all = installation.run(&[log, "--limit", "0", "--json"]);
        assert!(all.err.is_empty(), "{all:?}");
        let all = all.json().as_array().unwrap().clone();
        assert!(all.len() > 5 && all.is_sorted_by(|newer, older| newer["id"].as_str() > older["id"].as_str()));
        let some = installation.run(&[log, "--limit", "5", "--json"]);
        assert_eq!(
            (&some.json(), some.err.as_str()),
            (&all[..5].into(), "note: there are more; say --limit 0 for all\n")
        );
        let exactly = installation.run(&[log, "--limit", &all.len().to_string(), "--json"]);
        assert_eq!((exactly.json().as_array().unwrap().len(), exactly.err.as_str()), (all.len(), ""));
        assert_eq!(installation.run(&[log, "--limit", "0"]).out.lines().count(), all.len() + 1);
    }
    let all = installation.json(&["logs", "--limit", "0"]);
    let skipped = installation.json(&["logs", "--status", "skipped", "--limit", "0"]);
    let expected: Vec<&Value> = all.as_array().unwrap().iter().filter(|one| one["status"] == "skipped").collect();
    assert_eq!(skipped.as_array().unwrap().iter().collect::<Vec<_>>(), expected);
    assert!(!expected.is_empty() && installation.run(&["logs", "--status", "failure"]).out == "No records\n");
}

/// Who is gone for good is found by the name that the log has.
fn purged(installation: &Installation) {
    let of_ben = installation.json(&["logs", "--user", "ben@contoso.example"]);
    assert!(!of_ben.as_array().unwrap().is_empty());
    installation.json(&["user", "delete", "ben@contoso.example"]);
    installation.json(&["user", "purge", "ben@contoso.example", "--yes"]);
    assert_eq!(installation.json(&["logs", "--user", "BEN@contoso.example"]), of_ben);
    assert_eq!(installation.json(&["logs", "--app", "CIE", "--user", "ben@contoso.example"]), of_ben);
    installation.run(&["logs", "--user", "bun@contoso.example"]).refused(1, "no user or group is named");
}

/// A job that is on, and nobody who runs it.
fn unserved(installation: &Installation) {
    assert_eq!(installation.json(&["status"])[0]["nextRun"], Value::Null);
    installation.json(&["app", "set", "CIE", "--status", "on"]);
    let status = installation.run(&["status", "--json"]);
    assert!(status.err.starts_with("note: CIE is on, but no server runs on this folder; "), "{status:?}");
    assert!(status.json()[0]["nextRun"].is_string(), "{status:?}");
    let doctor = installation.json(&["doctor"]);
    let server = doctor["checks"].as_array().unwrap().iter().find(|check| check["check"] == "server").unwrap();
    assert_eq!((&doctor["problems"], &server["state"]), (&0.into(), &"warning".into()));
}

#[test]
fn a_role_counts_where_default_access_does_not() {
    let installation = Installation::embedded();
    let serving = installation.serve();
    let tenant = Tenant::add(&installation, "acme", "netskope");
    import(&installation);
    installation.add_app("netskope", "Netskope", &tenant, &["--role", "User"]);
    installation.json(&["assign", "Netskope", "--user", "ann@contoso.example"]);
    installation.json(&["assign", "Netskope", "--user", "ben@contoso.example", "--role", "User"]);
    assert_eq!(counts(&installation.json(&["sync", "Netskope"]))[0], 1);
    assert_eq!(total(&serving, &tenant, "/Users"), 1);
    let assigned = installation.json(&["app", "assignments", "Netskope"]);
    assert_eq!(assigned.as_array().unwrap().len(), 2);
    let shown = installation.json(&["app", "show", "Netskope"]);
    assert_eq!((&shown["assignedUsers"], &shown["assignedGroups"]), (&2.into(), &0.into()));
    assert_eq!(shown["assigned"], serde_json::json!([2, 0]));
    installation
        .run(&["assign", "Netskope", "--user", "ann@contoso.example", "--role", "Pilot"])
        .refused(1, "the application has no app role \"Pilot\"; it has Default Access, User");
    installation.run(&["sync", "netskop"]).refused(1, "did you mean \"Netskope\"?");
    installation.run(&["assign", "Netskope"]).refused(2, "required");
}

#[test]
fn the_scheduler_of_serve_runs_jobs_that_are_on() {
    let installation = Installation::embedded();
    let serving = installation.serve();
    let tenant = Tenant::add(&installation, "acme", "generic");
    import(&installation);
    installation.add_app("scim", "Any", &tenant, &["--scope", "all", "--interval", "1", "--status", "on"]);
    // Each look takes a process of its own; a cycle of four people takes much less than all of them.
    let arrived =
        (0..500).any(|_| total(&serving, &tenant, "/Users") >= 3 || installation.json(&["status", "Any"]).is_null());
    assert!(arrived, "the scheduler did not run the job: {}", installation.json(&["status", "Any"]));
}
