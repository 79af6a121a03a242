//! Files that cannot be taken: every command that reads one refuses it with the same exit code and one sentence for each problem.

use serde_json::json;

use crate::configuring::with_application;
use crate::installation::Installation;

/// Every command that reads the configuration of a job, or a part of it, from a file.
fn commands(file: &str) -> [Vec<&str>; 7] {
    [
        vec!["schema", "import", file, "--yes", "--leave-out"],
        vec!["schema", "convert", file],
        vec!["config", "apply", file, "--yes"],
        vec!["config", "diff", file],
        vec!["app", "set", "CRM", "--mappings", file],
        vec!["filter", "test", "--filters", file],
        vec!["mapping", "test", "--user", "ann@contoso.example", "--mappings", file],
    ]
}

#[test]
fn what_cannot_be_read_has_one_exit_code() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let before = installation.json(&["app", "show", "CRM"]);
    let json = before["mappings"].to_string();
    let large = " ".repeat((16 << 20) + 1);
    for (name, bytes, words) in [
        ("large", large.as_bytes(), &["large has more than "][..]),
        ("latin", b"name = \"Zo\xeb\"\n", &["latin is not UTF-8 and ", "; save it as UTF-8"]),
        ("excel", b"\xff\xfe{\0}\0", &["excel is UTF-16, not UTF-8, and ", "; save it as UTF-8"]),
        ("cut", &json.as_bytes()[..json.len() - 1], &["cut"]),
        ("begun", b"{\"mappings\": [\n", &["begun"]),
        ("empty", b"", &["empty"]),
    ] {
        let file = installation.file(name, bytes);
        for command in commands(&file) {
            let refused = installation.run(&command);
            assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{command:?}: {refused:?}");
            assert!(refused.err.starts_with("error: "), "{command:?}: {refused:?}");
            assert!(words.iter().all(|words| refused.err.contains(words)), "{command:?}: {refused:?}");
            assert!(!refused.err.contains("EOF"), "{command:?}: {refused:?}");
        }
    }
    let begun = installation.path("begun").to_str().unwrap().to_owned();
    let ends = "it ends before it is complete, within a list: a `]` is missing";
    installation
        .run(&["app", "set", "CRM", "--mappings", &begun])
        .refused(2, &format!("begun:2:1: this is no JSON: {ends}"));
    let told = format!("the document is no JSON: {ends}, in line 2, column 1");
    installation.run(&["schema", "import", &begun]).refused(2, &told);
    assert_eq!(installation.json(&["app", "show", "CRM"]), before);
}

#[test]
fn names_that_nothing_has_are_refused_with_the_same_code() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let group = installation.json(&["group", "add", "Staff"])["id"].as_str().unwrap().to_owned();
    let mut mappings = installation.json(&["app", "show", "CRM"])["mappings"].take();
    let clause = json!({ "attribute": "memberOf", "operator": "IS MEMBER OF", "value": group });
    mappings[0]["scoping"] = json!([{ "name": "Staff", "clauses": [clause] }]);
    let good = installation.file("mappings.json", mappings.to_string());
    installation.run(&["app", "set", "CRM", "--mappings", &good]).expect_done();
    let nobody = "00000000-0000-4000-8000-000000000000";
    let (schema, job) = (installation.run(&["schema", "export"]).out, installation.run(&["config", "export"]).out);
    let texts = [("schema", schema), ("job", job), ("mappings", mappings.to_string())];
    let attribute = |text: &str| {
        // Graph names the attribute beside the expression.
        text.replace("[jobTitle]", "[jobTitel]").replace("\"name\": \"jobTitle\"", "\"name\": \"jobTitel\"")
    };
    for (kind, text) in &texts {
        for (wrong, words) in [
            // Of a document such a mapping may be left out.
            (attribute(text), if *kind == "schema" { "say --leave-out" } else { "did you mean `jobTitle`?" }),
            (text.replace(&group, nobody), "the directory has no group with that object id"),
        ] {
            assert_ne!(wrong, *text, "{kind}");
            let file = installation.file(kind, wrong);
            let command = match *kind {
                "schema" => vec!["schema", "import", &file, "--yes"],
                "job" => vec!["config", "apply", &file, "--yes"],
                _ => vec!["app", "set", "CRM", "--mappings", &file],
            };
            installation.run(&command).refused(2, words);
        }
    }
}
