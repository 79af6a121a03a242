//! Files of which a part cannot be read: one run tells that and all that is wrong with the rest.

use serde_json::{Value, json};

use crate::configuring::with_application;
use crate::installation::Installation;

/// What each of the files is told of: one expression and one clause that cannot be read, and three things that can be.
const TOLD: [&str; 5] = [
    "there is no function `ToLowr`",
    "there is no operator `EQUAL`; did you mean `EQUALS`?",
    "reads `jobTitel`, which is not an attribute of users",
    "the scoping filter `G` reads `departmnt`, which is not an attribute of users",
    "`nickname` is the target of more than one attribute mapping",
];
/// What only seems so because of what cannot be read.
const UNTRUE: [&str; 5] = [
    "no mapping writes it",
    "has no source",
    "no attribute mapping matches",
    "everyone would pass it",
    "its value must come from the source",
];

#[track_caller]
fn tells_all(text: &str) {
    for words in TOLD {
        assert_eq!(text.matches(words).count(), 1, "{words:?} once in {text}");
    }
    for words in UNTRUE {
        assert!(!text.contains(words), "{words:?} in {text}");
    }
}

fn clause(attribute: &str, operator: &str) -> Value {
    json!({ "attribute": attribute, "operator": operator, "value": "Rome" })
}

/// The mappings of the job, whose users have these filters and two rows more.
fn mappings(installation: &Installation, filters: [(&str, Value); 2], more: [&str; 2]) -> Value {
    let mut mappings = installation.json(&["app", "show", "CRM"])["mappings"].take();
    let filters = filters.map(|(name, clause)| json!({ "name": name, "clauses": [clause] }));
    mappings[0]["scoping"] = json!(filters);
    let attributes = mappings[0]["attributes"].as_array_mut().unwrap();
    attributes.retain(|mapping| !mapping["target"].as_str().unwrap().eq_ignore_ascii_case("nickName"));
    attributes.extend(more.map(|target| json!({ "target": target, "source": "[mailNickname]" })));
    mappings
}

#[test]
fn of_mappings_and_of_the_file_of_a_job_all_is_told_at_once() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let filters = [("F", clause("city", "EQUAL")), ("G", clause("departmnt", "EQUALS"))];
    let mut mappings = mappings(&installation, filters, ["nickName", "nickname"]);
    for mapping in mappings[0]["attributes"].as_array_mut().unwrap() {
        match mapping["target"].as_str().unwrap() {
            "userName" => mapping["source"] = json!("ToLowr([userPrincipalName])"),
            "title" => mapping["source"] = json!("[jobTitel]"),
            _ => {}
        }
    }
    let file = installation.file("mappings.json", serde_json::to_string_pretty(&mappings).unwrap());
    let refused = installation.run(&["app", "set", "CRM", "--mappings", &file]);
    refused.refused(2, "mappings.json:");
    tells_all(&refused.err);
    let errors = refused.err.lines().filter(|line| line.starts_with("error: "));
    assert!(errors.clone().count() == 5 && errors.clone().all(|line| line.contains("mappings.json:")), "{refused:?}");

    let (rows, filters) = (
        "attributes = [\n  { target = \"nickName\", source = \"[city]\" },\n  { target = \"nickname\", source = \"[city]\" },\n",
        "[[mappings.scoping]]\nname = \"F\"\nclauses = [{ attribute = \"city\", operator = \"EQUAL\", value = \"x\" }]\n[[mappings.scoping]]\nname = \"G\"\nclauses = [{ attribute = \"departmnt\", operator = \"EQUALS\", value = \"x\" }]\n\n[[mappings]]\nsourceObject = \"Group\"",
    );
    let text = installation.run(&["config", "export"]).out;
    let text = text
        .replacen("attributes = [\n", rows, 1)
        .replacen("[[mappings]]\nsourceObject = \"Group\"", filters, 1)
        .replacen("\"[userPrincipalName]\"", "\"ToLowr([userPrincipalName])\"", 1)
        .replacen("[jobTitle]", "[jobTitel]", 1);
    let file = installation.file("crm.toml", text);
    for command in [vec!["config", "diff", &file], vec!["config", "apply", &file, "--yes"]] {
        let refused = installation.run(&command);
        refused.refused(2, "crm.toml:");
        tells_all(&refused.err);
        let mut errors = refused.err.lines().filter(|line| line.starts_with("error: "));
        assert!(errors.all(|line| line.contains("crm.toml:")), "each has its place: {refused:?}");
    }
}

/// A schema as it is exported, with the same mistakes in it.
fn schema(installation: &Installation) -> Value {
    let filters = [("F", clause("city", "EQUALS")), ("G", clause("department", "EQUALS"))];
    let good = mappings(installation, filters, ["nickName", "profileUrl"]);
    let file = installation.file("good.json", good.to_string());
    installation.run(&["app", "set", "CRM", "--mappings", &file]).expect_done();
    let mut schema: Value = serde_json::from_str(&installation.run(&["schema", "export"]).out).unwrap();
    let users = &mut schema["synchronizationRules"][0]["objectMappings"][0];
    users["scope"]["groups"][0]["clauses"][0]["operatorName"] = json!("EQUAL");
    users["scope"]["groups"][1]["clauses"][0]["sourceOperandName"] = json!("departmnt");
    for mapping in users["attributeMappings"].as_array_mut().unwrap() {
        let function = json!({ "type": "Function", "name": "ToLowr", "expression": "ToLowr([userPrincipalName])", "parameters": [] });
        let attribute =
            json!({ "type": "Attribute", "name": "jobTitel", "expression": "[jobTitel]", "parameters": [] });
        match mapping["targetAttributeName"].as_str().unwrap() {
            "userName" => mapping["source"] = function,
            "title" => mapping["source"] = attribute,
            "profileUrl" => mapping["targetAttributeName"] = json!("nickname"),
            _ => {}
        }
    }
    schema
}

#[test]
fn of_a_schema_all_is_told_at_once() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let schema = schema(&installation);
    let before = installation.json(&["app", "show", "CRM"])["mappings"].take();
    let file = installation.file("schema.json", schema.to_string());
    for more in [&["--dry-run"][..], &["--yes"], &["--yes", "--leave-out"]] {
        let told = installation.run(&[&["schema", "import", &file, "--json"], more].concat()).any_json();
        let reasons = told["findings"].as_array().unwrap().iter().map(|finding| &finding["reason"]);
        let all: Vec<&str> = reasons.chain(told["problems"].as_array().unwrap()).filter_map(Value::as_str).collect();
        tells_all(&all.join("\n"));
    }
    let refused = installation.run(&["schema", "import", &file, "--yes"]);
    let is_told = |words: &&str| refused.out.contains(*words) || refused.err.contains(*words);
    assert!(TOLD.iter().all(is_told), "{refused:?}");
    refused.refused(2, "reads `departmnt`");
    let converted = installation.run(&["schema", "convert", &file]);
    assert!(converted.code == 2 && TOLD.iter().all(|words| converted.err.contains(words)), "{converted:?}");
    assert!(!UNTRUE.iter().any(|words| converted.err.contains(words)), "{converted:?}");
    assert_eq!(installation.json(&["app", "show", "CRM"])["mappings"], before);
}

/// Where nothing blocks, what is left out is missing only once it is to be left out.
#[test]
fn what_an_import_leaves_out_is_missing_where_that_is_asked_for() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let mut schema: Value = serde_json::from_str(&installation.run(&["schema", "export"]).out).unwrap();
    let groups = &mut schema["synchronizationRules"][0]["objectMappings"][1]["attributeMappings"];
    let name =
        groups.as_array_mut().unwrap().iter_mut().find(|one| one["targetAttributeName"] == "displayName").unwrap();
    let source =
        json!({ "type": "Function", "name": "ToLowr", "expression": "ToLowr([displayName])", "parameters": [] });
    (name["source"], name["matchingPriority"]) = (source, json!(0));
    let id = groups.as_array_mut().unwrap().iter_mut().find(|one| one["targetAttributeName"] == "externalId").unwrap();
    id["matchingPriority"] = json!(1);
    let file = installation.file("schema.json", schema.to_string());
    let missing = "`displayName` of groups: the target requires it and no mapping writes it";
    for (more, is_missing) in [(&[][..], false), (&["--leave-out"], true)] {
        let refused = installation.run(&[&["schema", "import", &file, "--yes"], more].concat());
        assert!(refused.code == 2 && refused.out.contains("there is no function `ToLowr`"), "{refused:?}");
        assert_eq!(refused.err.contains(missing), is_missing, "{refused:?}");
    }
}
