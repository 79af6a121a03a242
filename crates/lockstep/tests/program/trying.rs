//! Trying out: expressions on a user, on a sample and in tables, mappings on a user, filters on the directory.

use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::installation::{Answer, Installation, Serving, Tenant, answer};

const USERS: &str = "\
userPrincipalName,displayName,givenName,surname,department,jobTitle,accountEnabled
ada@contoso.example,Ada Lovelace,Ada,Lovelace,Engines,Countess,true
ben@contoso.example,Ben Elm,Ben,Elm,Sales,,true
cho@contoso.example,Cho Ash,Cho,Ash,Sales,Lead,true
dan@contoso.example,Dan Yew,Dan,Yew,Engines,,false
";
const TABLE: &str = "\u{feff}expression\tinput_json\texpected_json\torigin\r
\r
[a]\t{\"a\": \"x\"}\t\"x\"\tchoice\r
[a]\t{\"a\": \"x\"}\t\"y\"\r
no row at all\r
[a]\t{\"a\t\"y\"
Apend([a], \"b\")\t{\"a\": \"x\"}\t\"xb\"
SelectUniqueValue([a], [b])\t{\"a\": \"x\", \"b\": \"y\", \"$taken\": [\"X\"]}\t\"y\"
";

/// Hands a text to a command on its standard input.
pub fn piped(installation: &Installation, arguments: &[&str], text: &str) -> Answer {
    let mut command = installation.command();
    let mut child =
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Answer { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// Four people, three of them assigned to the application `CRM`.
fn company(installation: &Installation) -> Serving {
    let serving = installation.serve();
    let tenant = Tenant::add(installation, "acme", "generic");
    installation.add_app("scim", "CRM", &tenant, &[]);
    let users = installation.file("users.csv", USERS);
    installation.json(&["import", "users", &users]);
    installation.json(&["user", "set", "ada@contoso.example", "manager=cho@contoso.example"]);
    let assign = ["assign", "CRM", "--user", "ada@contoso.example", "--user", "cho@contoso.example", "--user"];
    installation.json(&[&assign[..], &["dan@contoso.example"]].concat());
    serving
}

/// The answer with the object ids, which are others each time, taken out.
fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4;
    let line = |line: &str| match line.rsplit_once(' ') {
        Some((before, word)) if is_id(word) => format!("{before} #"),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_expression_needs_no_data() {
    let installation = Installation::embedded();
    let eval = |arguments: &[&str]| answer(installation.bare().args([&["expression", "eval"], arguments].concat()));
    for (expression, out) in [
        ("ToUpper(\"ada\")", "ADA"),
        ("-5", "-5"),
        ("Split(\"a b\", \" \")", "a\nb"),
        ("Coalesce([a], [b])", "(null)"),
        ("\"\"", "(empty text)"),
        ("IgnoreAttributeFlow", "(dropped: the attribute is left out)"),
        ("IgnoreObjectFlow", "(dropped: the whole object is left out)"),
        ("SelectUniqueValue(\"ada\", \"ada1\")", "ada\nada1"),
        ("Redact(\"secret\")", "[Redact]"),
        ("Join(\"-\",\n \"a\",\n \"b\")", "a-b"),
    ] {
        let given = eval(&[expression]);
        assert_eq!((given.code, given.out), (0, format!("{out}\n")), "{expression}");
    }
    assert_eq!(eval(&["Redact(\"secret\")", "--reveal"]).out, "secret\n");
    assert_eq!(eval(&["Trim(\" x \")", "--extensions"]).out, "x\n");
    assert_eq!(eval(&["Now()", "--now", "2026-10-21"]).out, "10/21/2026 12:00:00 AM\n");
    assert_eq!(eval(&["[city]", "--set", "city=Rome"]).out, "Rome\n");
    let tab = eval(&["\"a\tb\""]);
    assert!(tab.err.contains(r#"in JSON it is "a\tb""#), "{tab:?}");
    assert!(
        eval(&["[city]", "--set", "citi=x"])
            .err
            .contains("`citi` is given with --set, and the expression does not read it; did you mean `city`?")
    );
    let off = eval(&["Trim(\" x \")"]);
    assert!(off.code == 1 && off.err.contains("--extensions lets it do so here"), "{off:?}");
    assert!(eval(&["[city]"]).err.contains("note: `city` is null, because no object is named; say --user"));
    eval(&["Now()", "--now", "soon"]).refused(2, "--now \"soon\" is no instant");
    assert!(!installation.path("lockstep-data").exists(), "no data folder is made for it");
}

#[test]
fn an_expression_that_is_wrong_is_told_with_a_caret() {
    let installation = Installation::embedded();
    let eval = |arguments: &[&str]| answer(installation.bare().args([&["expression", "eval"], arguments].concat()));
    let wrong = eval(&["Join(\",\", Apend([a], \"b\"))"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (1, ""));
    assert_eq!(
        wrong.err,
        "error: there is no function `Apend`, at character 11; did you mean `Append`?\n    Join(\",\", Apend([a], \"b\"))\n              ^\n"
    );
    let told = eval(&["Apend(", "--json"]);
    let error = &told.any_json()["error"];
    assert_eq!((told.code, &error["kind"], &error["position"]), (1, &json!("parse"), &json!(0)));
    eval(&["CDate(\"soon\")"]).refused(1, "`CDate`: ");
    let failed = eval(&["Join(\",\", Left(\"a\", \"x\"))"]);
    failed.refused(1, "`Left`: `numChars` is not a whole number\n    Join(\",\", Left(\"a\", \"x\"))\n              ^");
    let told = eval(&["Join(\",\", Left(\"a\", \"x\"))", "--json"]).any_json();
    assert_eq!((&told["error"]["kind"], &told["error"]["position"]), (&json!("evaluation"), &json!(10)));
    eval(&["-[a]"]).refused(1, "\n    -[a]\n    ^");
}

#[test]
fn an_expression_reads_a_sample() {
    let installation = Installation::embedded();
    let sample = installation
        .file("sample.json", r#"{"city": "Rome", "tags": ["a", "b"], "$taken": ["rome"], "$now": "2026-10-21"}"#);
    let eval = |expression: &str, input: &str| {
        answer(installation.bare().args(["expression", "eval", expression, "--input", input]))
    };
    assert_eq!(eval("[tags]", &sample).out, "a\nb\n");
    assert_eq!(eval("Now()", &sample).out, "10/21/2026 12:00:00 AM\n");
    let unique = eval("SelectUniqueValue([city], \"Oslo\")", &sample);
    assert_eq!((unique.out.as_str(), unique.err.as_str()), ("Oslo\n", "note: another account has Rome\n"));
    eval("SelectUniqueValue([city], [city])", &sample).refused(1, "other accounts have every value");
    eval("SelectUniqueValue([jobTitle], \"\")", &sample).refused(1, "no rule of SelectUniqueValue gives a value");
    assert!(
        eval("[citi]", &sample)
            .err
            .contains("the sample has no attribute `citi`, so it is null here; did you mean `city`?")
    );
    assert_eq!(eval("[jobTitle]", &sample).err, "", "what a sample leaves out is null");
    let with_mark = installation.file("mark.json", "\u{feff}{\"city\": \"Rome\"}");
    assert_eq!(eval("[city]", &with_mark).out, "Rome\n");
    let piped = piped(&installation, &["expression", "eval", "-", "--input", &sample], "\u{feff}ToUpper(\n  [city])\n");
    assert_eq!(piped.out, "ROME\n");
    eval("[a]", "no-such-file").refused(1, "the sample in no-such-file cannot be read: there is no such file");
    eval("-", "-").refused(2, "cannot both come from standard input");
    eval("[a]", &installation.file("list.json", "[1]"))
        .refused(2, "holds no JSON object of attributes: an object in braces is expected, in line 1, column 1");
    eval("[a]", &installation.file("now.json", "{\"$now\": 1}")).refused(2, "`$now` must be an instant");
}

#[test]
fn an_expression_reads_a_user() {
    for installation in Installation::each() {
        let _serving = company(&installation);
        let eval = |expression: &str, more: &[&str]| {
            installation.run(&[&["expression", "eval", expression, "--user", "ada"], more].concat())
        };
        assert_eq!(eval("Join(\" \", [givenName], [surname])", &[]).out, "Ada Lovelace\n");
        assert_eq!(eval("[accountEnabled]", &["--set", "accountEnabled=false"]).out, "False\n");
        let misspelt = eval("[jobTitel]", &[]);
        assert_eq!((misspelt.code, misspelt.out.as_str()), (0, "(null)\n"));
        assert!(misspelt.err.contains("note: `jobTitel` is not an attribute of users; did you mean `jobTitle`?"));
        assert_eq!(eval("[appRoleAssignments]", &[]).out, "(empty list)\n");
        let roles = eval("SingleAppRoleAssignment([appRoleAssignments])", &["--app", "CRM"]);
        assert_eq!(roles.out, "Default Access\n");

        installation.json(&["sync", "CRM"]);
        let unique = "SelectUniqueValue([userPrincipalName], \"ada2\")";
        let found = eval(unique, &["--app", "CRM", "--target", "userName", "--json"]).json();
        assert_eq!((&found["value"], &found["taken"]), (&json!("ada2"), &json!(["ada@contoso.example"])));
        eval(unique, &["--app", "CRM"]).refused(2, "say with --target");
        installation.run(&["expression", "eval", "[a]", "--user", "eve"]).refused(1, "no user is named \"eve\"");
        installation
            .run(&["expression", "eval", "[a]", "--user", "ada", "--app", "CMR"])
            .refused(1, "did you mean \"CRM\"?");
    }
}

#[test]
fn a_table_is_run_row_by_row() {
    let installation = Installation::embedded();
    let file = installation.file("table.tsv", TABLE);
    let check = |arguments: &[&str]| answer(installation.bare().args([&["expression", "check"], arguments].concat()));
    let ran = check(&[&file]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    assert_eq!(
        ran.out,
        "line 4: [a]\n    input:    {\"a\": \"x\"}\n    expected: \"y\"\n    got:      \"x\"\n\
         line 5: the row has 1 field, 3 are needed with tabs between them\n\
         line 6: `input_json` is no JSON object: it ends before it is complete, within a text: a `\"` is missing, at its character 3\n\
         line 7: Apend([a], \"b\")\n    input:    {\"a\": \"x\"}\n    expected: \"xb\"\n    got:      {\"$error\":\"parse\"}  \
         (there is no function `Apend`, at character 1; did you mean `Append`?)\n\
         2 passed, 4 failed\n"
    );
    assert_eq!(piped(&installation, &["expression", "check", "-"], TABLE).out, ran.out);
    let lines = check(&[&file, "--json"]).out;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter_map(|line| line["line"].as_u64()).collect::<Vec<_>>(), [4, 5, 6, 7]);
    assert_eq!(lines.last().unwrap(), &json!({ "summary": true, "passed": 2, "failed": 4 }));

    let good = installation.file("good.tsv", "[a]\t{\"a\": \"x\"}\t\"x\"\n".repeat(5_000));
    let ran = check(&[&good]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "5000 passed, 0 failed\n"));
    let long = installation.file("long.tsv", format!("{}\n[a]\t{{}}\tnull\n", "x".repeat(3 << 20)));
    let ran = check(&[&long]);
    assert_eq!((ran.code, ran.out.lines().last()), (1, Some("1 passed, 1 failed")));
    assert!(ran.out.starts_with("line 1: the row has "), "{}", &ran.out[..200]);
}

#[test]
fn a_file_that_is_no_table_is_refused() {
    let installation = Installation::embedded();
    let check = |name: &str| answer(installation.bare().args(["expression", "check", name]));
    check("no-such.tsv").refused(1, "the table in no-such.tsv cannot be read: there is no such file");
    check(".").refused(1, "is a folder; name a file in it");
    let header = installation.file("header.tsv", "expression\tinput\n");
    check(&header).refused(2, "header.tsv: line 1: the first line names no column `input_json`");
    let excel = installation.file("excel.tsv", b"\xff\xfee\0x\0\n\0");
    check(&excel).refused(2, "excel.tsv: line 1 is not UTF-8; save the table as text in UTF-8");
    let empty = check(&installation.file("empty.tsv", ""));
    assert_eq!((empty.code, empty.out.as_str()), (0, "0 passed, 0 failed\n"));
    assert!(empty.err.contains("has no rows"));
}

/// Mappings that do one thing each.
fn mappings() -> Value {
    json!([{ "sourceObject": "User", "targetObject": "User", "attributes": [
        { "target": "userName", "source": "[userPrincipalName]", "matchingPriority": 1, "required": true },
        { "target": "active", "source": "Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")" },
        { "target": "displayName", "source": "Join(\" \", [givenName], [surname])" },
        { "target": "nickName", "source": "SelectUniqueValue([mailNickname], \"x\")", "flowType": "ObjectAddOnly" },
        { "target": "locale", "source": "[preferredLanguage]", "defaultValue": "en" },
        { "target": "userType", "source": "Redact([department])" },
        { "target": "profileUrl", "source": "[city]" },
        { "target": "title", "source": "Apend([jobTitle], \"!\")" },
        { "target": "timezone", "source": "Append(\"x\", CDate([surname]))" },
        { "target": "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", "source": "[manager]" },
    ] }])
}

const TRIED: &str = r#"ada@contoso.example at CRM: in scope
What a new account gets:

ATTRIBUTE                                                           VALUE                NOTE                                                       MATCHES  FLOW           MAPPING
userName                                                            ada@contoso.example                                                             1        Always         [userPrincipalName]
active                                                              true                                                                                     Always         Switch([IsSoftDeleted], , "False", "True", "True", "False")
displayName                                                         Ada Lovelace                                                                             Always         Join(" ", [givenName], [surname])
nickName                                                            ada                  the first that is free                                              ObjectAddOnly  SelectUniqueValue([mailNickname], "x")
locale                                                              en                   the default                                                         Always         [preferredLanguage]
userType                                                            [Redact]                                                                                 Always         Redact([department])
profileUrl                                                                               left out: the source gives null                                     Always         [city]
title                                                                                    error, see below                                                    Always         Apend([jobTitle], "!")
timezone                                                                                 error, see below                                                    Always         Append("x", CDate([surname]))
urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager  cho@contoso.example  a reference, which waits until there is an account for it           Always         [manager]

title: there is no function `Apend`, at character 1; did you mean `Append`?
    Apend([jobTitle], "!")
    ^

timezone: the mapping of timezone failed: `CDate`: "#;
/// Where it fails, under the words.
const FAILING: &str = r#"; it was called as CDate([surname]), where [surname] is "Lovelace"
    Append("x", CDate([surname]))
                ^
"#;

#[test]
fn mappings_are_tried_on_a_user() {
    for installation in Installation::each() {
        let _serving = company(&installation);
        let file = installation.file("mappings.json", mappings().to_string());
        let test = |more: &[&str]| installation.run(&[&["mapping", "test", "--app", "CRM"], more].concat());
        let tried = test(&["--user", "ada", "--mappings", &file]);
        assert_eq!(tried.code, 1, "{tried:?}");
        assert!(tried.out.starts_with(TRIED) && tried.out[TRIED.len()..].contains(FAILING), "{}", tried.out);
        let told: Value = serde_json::from_str(&test(&["--user", "ada", "--mappings", &file, "--json"]).out).unwrap();
        let failing = &told["attributes"].as_array().unwrap()[8];
        let place = ["target", "effect", "code", "position"].map(|name| &failing[name]);
        assert_eq!(place, [&json!("timezone"), &json!("error"), &json!("AttributeMappingEvaluation"), &json!(12)]);
        assert!(tried.err.contains("are hidden; --reveal shows them") && !tried.out.contains("Engines"));
        assert!(test(&["--user", "ada", "--mappings", &file, "--reveal"]).out.contains("Engines"));

        let own = test(&["--user", "ben@contoso.example", "--json"]).json();
        assert_eq!((&own["inScope"], &own["operation"], &own["app"]), (&json!(false), &json!("create"), &json!("CRM")));
        assert_eq!(own["outBecause"], "NotEffectivelyEntitled: not assigned to the application");
        let name = own["attributes"].as_array().unwrap().iter().find(|one| one["target"] == "name.formatted").unwrap();
        assert_eq!((&name["effect"], &name["value"]), (&json!("value"), &json!("Ben Elm")));
        test(&["--user", "ada", "--update"]).refused(1, "ada@contoso.example has no account at the target");

        installation.json(&["sync", "CRM"]);
        installation.json(&["user", "set", "ada@contoso.example", "jobTitle=Engineer"]);
        let update = test(&["--user", "ada", "--update", "--json"]).json();
        let effect = |target: &str| {
            let all = update["attributes"].as_array().unwrap();
            all.iter()
                .find(|one| one["target"] == target)
                .map(|one| [&one["effect"], &one["before"], &one["after"]])
                .unwrap()
        };
        assert_eq!(effect("title"), [&json!("change"), &json!("Countess"), &json!("Engineer")]);
        assert_eq!(effect("displayName")[0], "same");
        assert_eq!(update["account"].as_str().map(str::len), Some(36));

        test(&["--user", "eve"]).refused(1, "no user is named \"eve\"");
        test(&["--group", "Nobody"]).refused(1, "no group is named \"Nobody\"");
        test(&[]).refused(2, "--user");
        test(&["--user", "ada", "--mappings", "none.json"]).refused(1, "the mappings in none.json cannot be read");
        let empty = installation.file("empty.json", "{}");
        test(&["--user", "ada", "--mappings", &empty]).refused(2, "empty.json: it holds no list of mappings");
        installation.run(&["mapping", "test", "--app", "CMR", "--user", "ada"]).refused(1, "did you mean \"CRM\"?");
    }
}

/// Who was deleted can still be asked about, under the name of before.
#[test]
fn who_was_deleted_is_tried_too() {
    for installation in Installation::each() {
        let _serving = company(&installation);
        installation.json(&["group", "add", "Engineers"]);
        installation.json(&["assign", "CRM", "--group", "Engineers"]);
        installation.json(&["user", "delete", "cho@contoso.example"]);
        installation.json(&["group", "delete", "Engineers"]);
        for (asked, name) in [("--user", "cho@contoso.example"), ("--group", "Engineers")] {
            for command in ["mapping", "filter"] {
                let tried = installation.run(&[command, "test", "--app", "CRM", asked, name]);
                let told = format!("{name} at CRM: out of scope (NotActive: soft-deleted)\n");
                assert!(tried.out.starts_with(&told) && tried.code == 0, "{command} {asked}: {tried:?}");
            }
        }
        for (asked, kind) in [("--user", "user"), ("--group", "group")] {
            let told = format!("no {kind} is named \"Nobody\"");
            installation.run(&["filter", "test", "--app", "CRM", asked, "Nobody"]).refused(1, &told);
        }
    }
}

/// Of who leaves a cycle evaluates little: what else fails keeps no account from being switched off.
#[test]
fn who_leaves_is_judged_as_by_a_cycle() {
    let switching = "IIF([IsSoftDeleted] = \"True\", CDate([displayName]), \"True\")";
    for installation in Installation::each() {
        let _serving = company(&installation);
        installation.json(&["sync", "CRM"]);
        installation.json(&["unassign", "CRM", "--user", "ada@contoso.example"]);
        for (target, source, code, told) in [
            ("displayName", "CDate([displayName])", 0, " is switched off, and nothing else of it is written:"),
            ("active", switching, 1, "), as the object fails: the mapping of active failed: `CDate`"),
        ] {
            let mut objects = installation.json(&["app", "show", "CRM"])["mappings"].take();
            let attributes = objects[0]["attributes"].as_array_mut().unwrap();
            attributes.iter_mut().find(|one| one["target"] == target).unwrap()["source"] = json!(source);
            let file = installation.file("leaving.json", objects.to_string());
            let tried = installation.run(&[
                "mapping",
                "test",
                "--app",
                "CRM",
                "--user",
                "ada",
                "--update",
                "--mappings",
                &file,
            ]);
            assert!(tried.code == code && tried.out.contains(told), "{target}: {tried:?}");
        }
    }
}

const EVERYONE: &str = "\
CRM: 1 of 4 users are in scope
  2 out: by the scoping filters
  1 out: not assigned

FILTER   CLAUSE                     DOES NOT HOLD FOR  ALONE KEEPS OUT
Engines  department EQUALS Engines  1                  1
Engines  jobTitle IS NOT NULL       1                  1

";
const ONE: &str = "\
dan@contoso.example at CRM: out of scope (NotInScope: Engines jobTitle IS NOT NULL)

FILTER   CLAUSE                     HOLDS  VALUE SEEN
Engines  department EQUALS Engines  yes    Engines
Engines  jobTitle IS NOT NULL       no     (null)
";

#[test]
fn filters_are_tried_on_the_directory() {
    for installation in Installation::each() {
        let _serving = company(&installation);
        let clauses = json!([{ "attribute": "department", "operator": "EQUALS", "value": "Engines" },
            { "attribute": "jobTitle", "operator": "IS NOT NULL" }]);
        let file = installation.file("filters.json", json!([{ "name": "Engines", "clauses": clauses }]).to_string());
        let test = |more: &[&str]| installation.run(&[&["filter", "test", "--app", "CRM"], more].concat());
        let tried = test(&["--filters", &file, "--only", "in"]);
        let list =
            "OBJECT               SCOPE  WHY                ID\nada@contoso.example  in     assigned directly  #";
        assert_eq!((tried.code, without_ids(&tried.out)), (0, format!("{EVERYONE}{list}")));
        assert_eq!(test(&["--filters", &file, "--user", "dan"]).out, ONE);

        let limited = test(&["--filters", &file, "--limit", "1"]);
        assert!(limited.err.contains("there are more; say --limit 0 for all"), "{limited:?}");
        for limit in ["0", "50"] {
            let all = test(&["--filters", &file, "--scope", "all", "--limit", limit, "--json"]).json();
            assert_eq!(
                (&all["inScope"], &all["lookedAt"], &all["out"]),
                (&json!(1), &json!(4), &json!({ "filtered": 3 }))
            );
            assert_eq!(
                all["filters"][0]["clauses"][0],
                json!({ "clause": "department EQUALS Engines", "excludes": 2, "alone": 1 })
            );
            assert_eq!(all["objects"].as_array().unwrap().len(), 4);
        }
        let job = "[[mappings]]\nsourceObject = \"User\"\ntargetObject = \"User\"\nattributes = []\n[[mappings.scoping]]\nname = \"Engines\"\nclauses = [{ attribute = \"department\", operator = \"EQUALS\", value = \"Engines\" }, { attribute = \"jobTitle\", operator = \"IS NOT NULL\" }]\n";
        let job = installation.file("job.toml", job);
        assert_eq!(test(&["--filters", &job, "--user", "dan"]).out, ONE);
        let own = test(&["--json"]).json();
        assert_eq!(own["out"], json!({ "disabled": 1, "notAssigned": 1 }));
        assert_eq!(test(&["--groups", "--json"]).json()["lookedAt"], 0);
        assert!(test(&["--groups"]).out.ends_with("\nThere is nobody to list\n"));
        let ada = test(&["--user", "ada"]).out;
        let nobody_out = "There are no scoping filters, so they keep nobody out\n";
        assert_eq!(ada, format!("ada@contoso.example at CRM: in scope (assigned directly)\n{nobody_out}"));

        let misspelt = clauses.to_string().replace("jobTitle", "jobTitel");
        let misspelt = installation.file("misspelt.json", format!("[{{\"name\": \"F\", \"clauses\": {misspelt}}}]"));
        assert!(
            test(&["--filters", &misspelt])
                .out
                .contains("`F` reads `jobTitel`, which is not an attribute of users; did you mean")
        );
        let wrong = clauses.to_string().replace("EQUALS", "EQUAL");
        let wrong = installation.file("wrong.json", format!("[{{\"name\": \"F\", \"clauses\": {wrong}}}]"));
        test(&["--filters", &wrong]).refused(2, "did you mean `EQUALS`?");
        test(&["--user", "eve"]).refused(1, "no user is named \"eve\"");
        installation.run(&["filter", "test", "--app", "CMR"]).refused(1, "did you mean \"CRM\"?");
    }
}

#[test]
fn who_is_in_scope_is_told_by_what() {
    for installation in Installation::each() {
        let _serving = company(&installation);
        installation.json(&["group", "add", "Sellers"]);
        installation.json(&["group", "members", "add", "Sellers", "ben@contoso.example"]);
        installation.json(&["assign", "CRM", "--group", "Sellers"]);
        let filter = |name: &str, department: &str| json!({ "name": name, "clauses": [{ "attribute": "department", "operator": "EQUALS", "value": department }] });
        let titled = json!({ "name": "Titled", "clauses": [{ "attribute": "jobTitle", "operator": "IS NOT NULL" }] });
        let filters = json!([filter("Engines", "Engines"), filter("Sales", "Sales"), titled]);
        let file = installation.file("filters.json", filters.to_string());
        let told = |more: &[&str]| {
            let told = installation.json(&[&["filter", "test", "--only", "in"], more].concat());
            let mut rows: Vec<String> = told["objects"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| format!("{}: {}", one["object"].as_str().unwrap(), one["inBecause"].as_str().unwrap()))
                .collect();
            rows.sort_unstable();
            rows
        };
        assert_eq!(
            told(&["--filters", &file]),
            [
                "ada@contoso.example: assigned directly, and the filters Engines, Titled let it in",
                "ben@contoso.example: assigned through the group Sellers, and the filter Sales lets it in",
                "cho@contoso.example: assigned directly, and the filters Sales, Titled let it in",
            ]
        );
        assert_eq!(told(&[])[1], "ben@contoso.example: assigned through the group Sellers");
        assert_eq!(told(&["--scope", "all"])[0], "ada@contoso.example: all are in scope");
        assert_eq!(told(&["--groups"]), ["Sellers: assigned"]);
        let ben = installation.run(&["filter", "test", "--user", "ben"]).out;
        assert!(
            ben.starts_with("ben@contoso.example at CRM: in scope (assigned through the group Sellers)\n"),
            "{ben}"
        );
    }
}

#[test]
fn functions_and_operators_are_listed() {
    let installation = Installation::embedded();
    let run = |arguments: &[&str]| answer(installation.bare().args(arguments));
    assert!(run(&["expression", "functions"]).out.contains("\nAppend(source, suffix)"));
    let found = run(&["expression", "functions", "trim", "--json"]).json();
    assert_eq!((&found[0]["name"], &found[0]["extension"]), (&json!("Trim"), &json!(true)));
    run(&["expression", "functions", "xxx"]).refused(2, "lockstep expression functions lists those that there are");
    run(&["expression", "functions", "Apend"]).refused(2, "there is no function \"Apend\"; did you mean Append?");
    let dates = run(&["expression", "functions", "FormatDateTime"]).out;
    assert!(dates.contains("\nFormatDateTime(source, inputFormat, outputFormat) "), "{dates}");
    operators_are_listed(&run(&["filter", "operators"]).out, &run(&["filter", "operators", "--json"]).json());
    assert!(!installation.path("lockstep-data").exists(), "no data folder is made for it");
}

fn operators_are_listed(table: &str, json: &Value) {
    let lines: Vec<String> = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in [
        "OPERATOR VALUE AFTER ANY, NONE, ALL WHOSE",
        "IS NOT NULL none no Entra's",
        "& text yes Entra's",
        "IS ON OR AFTER date yes Lockstep's own",
        "IS NESTED MEMBER OF group no Lockstep's own",
    ] {
        assert!(lines.iter().any(|one| one == line), "{line} in {table}");
    }
    for word in ["ANY EQUALS", "NONE EQUALS", "ALL EQUALS", "manager.department", "memberOf", "today+14d"] {
        assert!(table.contains(&format!("\n{word} ")), "{word} in {table}");
        assert!(json["words"].as_array().unwrap().iter().any(|one| one["word"] == word), "{word} in {json}");
    }
    let before = json["operators"].as_array().unwrap().iter().find(|one| one["operator"] == "IS BEFORE").unwrap();
    let all = json!(["ANY", "NONE", "ALL"]);
    assert_eq!(
        *before,
        json!({ "operator": "IS BEFORE", "takesValue": true, "value": "date", "quantifiers": all, "extension": true })
    );
}
