//! What is told before the configuration of a job is changed, and what of it is told to programs.

use serde_json::{Value, json};

use crate::configuring::{set_title, with_application};
use crate::installation::{Answer, Installation, Tenant};

/// Runs a command with a text on its standard input.
fn piped(installation: &Installation, arguments: &[&str], text: &str) -> Answer {
    let file = installation.file("input.txt", text);
    let mut command = installation.command();
    command.args(arguments).stdin(std::fs::File::open(file).unwrap());
    crate::installation::answer(&mut command)
}

#[test]
fn standard_input_is_a_file_too() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let text = installation.run(&["config", "export"]).out;
    let same = piped(&installation, &["config", "diff", "-"], &text);
    assert_eq!((same.code, same.out.as_str()), (0, "CRM is as its file says\n"), "{same:?}");
    piped(&installation, &["config", "diff", "-"], "name = CRM\n").refused(2, "standard input:1:8: this is no TOML");
    piped(&installation, &["config", "diff", "-", "-"], &text).refused(2, "can be read once");
    let twice = ["config", "apply", "-", "--secret-token-file", "-", "--yes"];
    piped(&installation, &twice, &text).refused(2, "can be read once");
    let changed = text.replace("\"[jobTitle]\"", "\"ToUpper([jobTitle])\"");
    piped(&installation, &["config", "apply", "-"], &changed).refused(2, "say --yes to do it without being asked");
    piped(&installation, &["config", "apply", "-", "--yes"], &changed).expect_done();
    let version = &installation.json(&["mapping", "versions"])[0];
    assert_eq!(version["reason"], "the configuration standard input was applied");
}

#[test]
fn whoever_is_asked_sees_the_difference_also_where_a_program_gets_the_answer() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let text = installation.run(&["config", "export"]).out.replace("\"[jobTitle]\"", "\"ToUpper([jobTitle])\"");
    let file = installation.file("crm.toml", text);
    let asked = installation.run(&["--json", "config", "apply", &file]);
    assert!(asked.code == 2 && asked.out.is_empty(), "{asked:?}");
    assert!(asked.err.contains("+  { target = \"title\", source = \"ToUpper([jobTitle])\" },"), "{asked:?}");
    set_title(&installation, "ToLower([jobTitle])");
    let asked = installation.run(&["--json", "mapping", "rollback", "1"]);
    assert!(asked.code == 2 && asked.err.contains("~ users: title"), "{asked:?}");
    let exported = installation.run(&["schema", "export"]).out;
    let schema = installation.file("schema.json", exported);
    installation.json(&["mapping", "rollback", "1", "--yes"]);
    let asked = installation.run(&["--json", "schema", "import", &schema, "--leave-out"]);
    assert!(asked.code == 2 && asked.err.contains("~ users: title"), "{asked:?}");
    assert!(!asked.err.contains("note: note:") && !asked.err.contains("note: different:"), "{asked:?}");
    let done = installation.run(&["--json", "mapping", "rollback", "2", "--yes"]);
    assert!(done.code == 0 && done.err.is_empty(), "who is not asked is shown nothing: {done:?}");
}

#[test]
fn other_filters_tell_who_leaves_the_scope() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    installation.json(&["sync", "CRM"]);
    let text = installation.run(&["config", "export"]).out;
    let filter = "\n[[mappings.scoping]]\nname = \"Sales\"\nclauses = [{ attribute = \"department\", operator = \"EQUALS\", value = \"Sales\" }]\n\n[[mappings]]";
    let second = text.rfind("\n[[mappings]]").unwrap();
    let tighter = format!("{}{}", &text[..second], text[second..].replacen("\n[[mappings]]", filter, 1));
    let file = installation.file("crm.toml", tighter);
    let words = "1 user would leave the scope and lose the account: ann@contoso.example";
    let diff = installation.run(&["config", "diff", &file]);
    assert!(diff.out.contains(&format!("WARNING: {words}\n")), "{diff:?}");
    assert_eq!(installation.json(&["config", "diff", &file])[0]["warnings"], json!([words]));
    installation.json(&["config", "apply", &file, "--yes"]);
    // The way there again warns as well; a way to wider filters does not.
    let back = installation.json(&["mapping", "rollback", "1", "--yes"]);
    assert_eq!(back["warnings"], json!([]));
    let unasked = installation.run(&["mapping", "rollback", "2"]);
    assert!(unasked.code == 2 && unasked.out.contains(&format!("WARNING: {words}\n")), "{unasked:?}");
    installation.json(&["mapping", "rollback", "2", "--yes"]);
    let schema = installation.file("schema.json", installation.run(&["schema", "export"]).out);
    installation.json(&["mapping", "rollback", "1", "--yes"]);
    let dry = installation.json(&["schema", "import", &schema, "--dry-run"]);
    assert_eq!(dry["warnings"], json!([words]));
}

#[test]
fn an_import_tells_of_accounts_that_its_filters_take_out_of_management() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    installation.json(&["sync", "CRM"]);
    let exported: Value = serde_json::from_str(&installation.run(&["schema", "export"]).out).unwrap();
    for key in ["inputFilterGroups", "categoryFilterGroups"] {
        let mut document = exported.clone();
        let clause = json!({
            "sourceOperandName": "department", "operatorName": "EQUALS", "targetOperand": { "values": ["Sales"] },
        });
        let groups = json!([{ "name": "Sales", "clauses": [clause] }]);
        document["synchronizationRules"][0]["objectMappings"][0]["scope"] = json!({ "groups": [], key: groups });
        let file = installation.file("schema.json", document.to_string());
        let words = "1 account of users would no longer be managed and stay as it is: ann@contoso.example";
        let dry = installation.json(&["schema", "import", &file, "--dry-run"]);
        assert_eq!(dry["warnings"], json!([words]), "{key}");
        let unasked = installation.run(&["schema", "import", &file]);
        assert!(unasked.code == 2 && unasked.out.contains(&format!("WARNING: {words}\n")), "{unasked:?}");
    }
}

#[test]
fn files_that_are_applied_one_by_one_tell_where_they_stopped() {
    let installation = Installation::embedded();
    let (_serving, tenant) = with_application(&installation);
    for name in ["HR", "Wiki"] {
        installation.add_app("scim", name, &tenant, &[]);
    }
    let changed = |name: &str, from: &str, to: &str| {
        let text = installation.run(&["config", "export", "--app", name]).out;
        let text = text.replace("template = \"scim\"\n", "template = \"scim\"\nsecretTokenFile = \"wrong.token\"\n");
        installation.file(&format!("{name}.toml"), text.replace(from, to))
    };
    installation.file("wrong.token", "wrong\n");
    let nowhere = Tenant::add(&installation, "other", "generic");
    let title = ("\"[jobTitle]\"", "\"ToUpper([jobTitle])\"");
    let url = |url: &str| format!("tenantUrl = \"{url}\"");
    // The same server by another name has another origin, and the token there is wrong.
    let elsewhere = url(&nowhere.url.replace("127.0.0.1", "localhost"));
    let files = [
        changed("CRM", title.0, title.1),
        changed("HR", &url(&tenant.url), &elsewhere),
        changed("Wiki", title.0, title.1),
    ];
    let answer = installation.run(&["--json", "config", "apply", &files[0], &files[1], &files[2], "--yes"]);
    assert_eq!(answer.code, 3, "{answer:?}");
    let told: Value = answer.any_json();
    let names: Vec<&str> = told.as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["CRM", "HR", "Wiki"]);
    assert_eq!((&told[0]["changed"], &told[2]["tried"]), (&true.into(), &false.into()));
    assert!(told[1]["error"].as_str().is_some_and(|why| why.contains("HR.toml")), "{told}");
    assert!(answer.err.contains("1 file applied before this one, 1 not tried after it"), "{answer:?}");
    let first = installation.run(&["--json", "config", "apply", &files[1], &files[2], "--yes"]);
    assert!(first.code == 1 && first.any_json()[1]["tried"] == false, "{first:?}");
}

#[test]
fn a_mapping_that_is_switched_off_is_told_of_where_its_filters_are_tried() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let on = installation.run(&["filter", "test", "--groups"]);
    assert!(on.code == 0 && on.err.is_empty(), "{on:?}");
    let mut mappings = installation.json(&["app", "show", "CRM"])["mappings"].take();
    mappings[1]["enabled"] = false.into();
    let file = installation.file("mappings.json", mappings.to_string());
    installation.json(&["app", "set", "CRM", "--mappings", &file]);
    let off = installation.run(&["filter", "test", "--groups"]);
    assert!(off.code == 0 && off.err.contains("the mapping of groups is switched off at CRM"), "{off:?}");
}

/// The schema of the application with another source attribute for the title, and a filter by one.
fn schema(installation: &Installation, attribute: &str, filtered: &str) -> String {
    let mut document: Value = serde_json::from_str(&installation.run(&["schema", "export"]).out).unwrap();
    let users = &mut document["synchronizationRules"][0]["objectMappings"][0];
    let clause = json!({ "sourceOperandName": filtered, "operatorName": "IS NOT NULL" });
    users["scope"] = json!({ "groups": [{ "name": "F", "clauses": [clause] }] });
    let mut mappings = users["attributeMappings"].as_array_mut().unwrap().iter_mut();
    let title = mappings.find(|one| one["targetAttributeName"] == "title").unwrap();
    let expression = format!("[{attribute}]");
    title["source"] = json!({ "type": "Attribute", "name": attribute, "expression": expression, "parameters": [] });
    installation.file("schema.json", document.to_string())
}

#[test]
fn an_import_says_beforehand_what_it_would_be_refused_for() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let wrong = schema(&installation, "jobTitel", "departmnt");
    let unknown = "users: target attribute title: it reads `jobTitel`, which is not an attribute of users; did you mean `jobTitle`?; the mapping is left out";
    let problem =
        "the scoping filter `F` reads `departmnt`, which is not an attribute of users; did you mean `department`?";
    let import =
        |file: &str, more: &[&str]| installation.run(&[&["schema", "import", file, "--leave-out"], more].concat());
    let dry = import(&wrong, &["--dry-run"]);
    assert_eq!(dry.code, 3, "{dry:?}");
    let end = format!(
        "Nothing was done, and without --dry-run the import would stop:\n{wrong} cannot be taken over: {problem}\n"
    );
    assert!(dry.out.ends_with(&end) && dry.out.contains(unknown), "{dry:?}");
    assert!(dry.out.contains("- users: title"), "{dry:?}");
    let dry = import(&wrong, &["--dry-run", "--json"]);
    let told = dry.any_json();
    assert_eq!((dry.code, &told["stops"], &told["problems"]), (3, &json!(true), &json!([problem])));
    let to = installation.path("job.toml").to_str().unwrap().to_owned();
    import(&wrong, &["--yes"]).refused(2, problem);
    import(&wrong, &["--to", &to]).refused(2, problem);
    let converted = installation.run(&["schema", "convert", &wrong, "--leave-out", "--to", &to]);
    assert!(converted.code == 2 && converted.err.contains(problem), "{converted:?}");
    assert!(!installation.path("job.toml").exists(), "a file that cannot be applied is not written");
    let good = import(&schema(&installation, "department", "mail"), &["--dry-run"]);
    assert!(
        good.code == 0 && good.out.ends_with("\nNothing was done; without --dry-run this would be imported\n"),
        "{good:?}"
    );
    let nothing = installation.file("nothing.json", "{\"synchronizationRules\": []}");
    let blocked = import(&nothing, &["--dry-run"]);
    assert!(blocked.code == 3 && !blocked.out.contains("- users"), "what cannot be read removes nothing: {blocked:?}");
    assert_eq!(import(&nothing, &["--dry-run", "--json"]).any_json()["changes"], json!([]));
}

#[test]
fn odd_mappings_are_warned_of_before_they_are_applied_and_gone_back_to() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let text = installation.run(&["config", "export"]).out;
    let odd = installation.file("odd.toml", text.replace("target = \"title\"", "target = \"titel\""));
    let words = "`titel` of users: no such target attribute is known; did you mean `title`?";
    let unasked = installation.run(&["config", "apply", &odd]);
    assert!(unasked.code == 2 && unasked.out.contains(&format!("WARNING: {words}\n")), "{unasked:?}");
    assert_eq!(installation.json(&["config", "diff", &odd])[0]["warnings"], json!([words]));
    installation.run(&["config", "apply", &odd, "--yes"]).expect_done();
    assert_eq!(installation.json(&["mapping", "restore", "--yes"])["warnings"], json!([]));
    let unasked = installation.run(&["mapping", "rollback", "2"]);
    assert!(unasked.code == 2 && unasked.out.contains(&format!("WARNING: {words}\n")), "{unasked:?}");
    assert_eq!(installation.json(&["mapping", "rollback", "2", "--yes"])["warnings"], json!([words]));
    installation.json(&["mapping", "restore", "--yes"]);
    let mut document: Value = serde_json::from_str(&installation.run(&["schema", "export"]).out).unwrap();
    let mappings = &mut document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"];
    mappings.as_array_mut().unwrap().retain(|one| one["targetAttributeName"] != "active");
    let file = installation.file("schema.json", document.to_string());
    let dry = installation.run(&["schema", "import", &file, "--dry-run", "--leave-out"]);
    assert!(
        dry.code == 0 && dry.out.contains("WARNING: the mapping of users: no mapping reads `IsSoftDeleted`"),
        "{dry:?}"
    );
}

#[test]
fn filters_that_could_not_be_saved_are_told_of_where_they_are_tried() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let problem =
        "the scoping filter `F` reads `departmnt`, which is not an attribute of users; did you mean `department`?";
    let clause = json!({ "attribute": "departmnt", "operator": "IS NULL" });
    let file = installation.file("filters.json", json!([{ "name": "F", "clauses": [clause] }]).to_string());
    for more in [&[][..], &["--user", "ann@contoso.example"]] {
        let test = |json: &[&str]| installation.run(&[&["filter", "test", "--filters", &file], more, json].concat());
        let tried = test(&[]);
        assert!(tried.code == 1 && tried.out.ends_with(&format!("\nWould not be saved: {problem}\n")), "{tried:?}");
        assert_eq!(test(&["--json"]).any_json()["problems"], json!([problem]));
    }
}

#[test]
fn the_default_domain_is_a_setting() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let source = "Join(\"@\", \"ann\", DefaultDomain())";
    let eval = |more: &[&str]| installation.run(&[&["expression", "eval", source], more].concat());
    eval(&[]).refused(1, "there is no default domain; set `default_domain` in lockstep.toml");
    assert_eq!(eval(&["--default-domain", "contoso.com"]).out, "ann@contoso.com\n");
    let on_ann = eval(&["--user", "ann@contoso.example", "--default-domain", "contoso.com"]);
    assert_eq!(on_ann.out, "ann@contoso.com\n", "{on_ann:?}");
    let text = installation.run(&["config", "export"]).out.replace("\"[jobTitle]\"", "\"DefaultDomain()\"");
    let file = installation.file("crm.toml", text);
    installation.run(&["config", "apply", &file, "--yes"]).refused(2, "set `default_domain` in lockstep.toml");
    installation
        .run(&["--default-domain", "contoso", "config", "diff", &file])
        .refused(2, "is no domain like contoso.com");
    installation.run(&["--default-domain", "contoso.com", "config", "apply", &file, "--yes"]).expect_done();
}
