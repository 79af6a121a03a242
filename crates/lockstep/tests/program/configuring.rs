//! Versions of mappings, schemas of Microsoft Graph, and jobs as files: what an administrator types, gets wrong, and is told.

use serde_json::{Value, json};

use crate::installation::{Installation, Serving, Tenant};

/// An application of a tenant that the same installation serves, with Ann assigned.
pub fn with_application(installation: &Installation) -> (Serving, Tenant) {
    let serving = installation.serve();
    let tenant = Tenant::add(installation, "acme", "generic");
    for name in ["ann", "ben"] {
        installation.json(&["user", "add", &format!("{name}@contoso.example"), "--display-name", name]);
    }
    installation.json(&["group", "add", "Sales"]);
    installation.add_app("scim", "CRM", &tenant, &[]);
    installation.json(&["assign", "CRM", "--user", "ann@contoso.example"]);
    (serving, tenant)
}

/// Gives the title another source.
pub fn set_title(installation: &Installation, source: &str) {
    let mut mappings = installation.json(&["app", "show", "CRM"])["mappings"].take();
    let title = mappings[0]["attributes"].as_array_mut().unwrap().iter_mut().find(|one| one["target"] == "title");
    title.unwrap()["source"] = json!(source);
    let file = installation.file("mappings.json", mappings.to_string());
    installation.json(&["app", "set", "CRM", "--mappings", &file]);
}

fn title(installation: &Installation) -> String {
    let mappings = installation.json(&["app", "show", "CRM"])["mappings"].take();
    let attributes = mappings[0]["attributes"].as_array().unwrap();
    let title = attributes.iter().find(|one| one["target"] == "title");
    title.map_or_else(String::new, |one| one["source"].as_str().unwrap().to_owned())
}

#[test]
fn mappings_have_versions_and_ways_back() {
    for installation in Installation::each() {
        let _serving = with_application(&installation);
        set_title(&installation, "ToUpper([jobTitle])");
        let versions = installation.json(&["mapping", "versions"]);
        let numbers: Vec<&Value> = versions.as_array().unwrap().iter().map(|one| &one["version"]).collect();
        assert_eq!(numbers, [2, 1]);
        let listed = installation.run(&["mapping", "versions", "--app", "CRM", "--limit", "1"]);
        assert_eq!(listed.err, "note: there are more; say --limit 0 for all\n");
        let diff = installation.run(&["mapping", "diff", "--app", "crm"]);
        assert!(diff.out.contains("~ users: title") && diff.out.contains("ToUpper([jobTitle])"), "{diff:?}");
        let same = installation.run(&["mapping", "diff", "1", "1"]);
        assert_eq!(same.out, "Versions 1 and 1 have the same mappings\n");
        installation.run(&["mapping", "diff", "1", "7"]).refused(1, "the mappings have no version 7; 1 to 2 are kept");
        let unasked = installation.run(&["mapping", "rollback", "1"]);
        unasked.refused(2, "say --yes to do it without being asked");
        assert!(unasked.out.contains("~ users: title"), "the difference is shown first: {unasked:?}");
        assert_eq!(title(&installation), "ToUpper([jobTitle])");
        let back = installation.json(&["mapping", "rollback", "1", "--yes"]);
        assert_eq!((&back["changed"], &back["version"]["version"]), (&true.into(), &3.into()));
        assert_eq!(title(&installation), "[jobTitle]");
        let again = installation.run(&["mapping", "restore", "--yes"]);
        assert_eq!(again.out, "CRM has the default mappings of scim already (version 3)\n");
        installation.run(&["mapping", "rollback", "2", "--yes"]);
        let restored = installation.run(&["mapping", "restore", "--yes"]);
        assert!(restored.out.ends_with("CRM has the default mappings of scim again, as version 5\n"), "{restored:?}");
        let audit = installation.json(&["audit", "--limit", "1"]);
        assert!(audit.to_string().contains("restored the defaults of scim"), "{audit}");
    }
}

#[test]
fn a_job_lives_in_a_file() {
    for installation in Installation::each() {
        let (_serving, tenant) = with_application(&installation);
        let file = installation.path("crm.toml");
        let file = file.to_str().unwrap();
        installation.run(&["config", "export", file]).expect_done();
        let text = std::fs::read_to_string(file).unwrap();
        assert_eq!(installation.run(&["config", "export", "--app", "CRM"]).out, text, "the same job, the same bytes");
        assert!(!text.contains(&tenant.token), "no secret is in it");
        let same = installation.run(&["config", "diff", file, "--exit-code"]);
        assert_eq!((same.code, same.out.as_str()), (0, "CRM is as its file says\n"));

        let text = text.replace("\"[jobTitle]\"", "\"ToUpper([jobTitle])\"").replace("ann@", "ben@");
        std::fs::write(file, text.replace("groups = []", "groups = [{ name = \"Sales\" }]")).unwrap();
        let diff = installation.run(&["config", "diff", file, "--exit-code"]);
        assert_eq!(diff.code, 1, "{diff:?}");
        for line in [
            "-  { target = \"title\", source = \"[jobTitle]\" },",
            "+  { target = \"title\", source = \"ToUpper([jobTitle])\" },",
            "-  { name = \"ann@contoso.example\" },",
            "+  { name = \"ben@contoso.example\" },",
            "WARNING: 1 user would no longer be assigned to CRM: ann@contoso.example",
        ] {
            assert!(diff.out.lines().any(|one| one == line), "{line} in {diff:?}");
        }
        let told = installation.json(&["config", "diff", file]);
        assert_eq!((&told[0]["isChanged"], &told[0]["ends"][0]["name"]), (&true.into(), &"ann@contoso.example".into()));
        assert_eq!(told[0]["mappings"][0]["name"], "title");
        installation.run(&["config", "apply", file]).refused(2, "Apply this to 1 application?");
        let applied = installation.json(&["config", "apply", file, "--yes"]);
        assert_eq!((&applied[0]["name"], &applied[0]["changed"]), (&"CRM".into(), &true.into()));
        assert_eq!(title(&installation), "ToUpper([jobTitle])");
        let assigned = installation.json(&["app", "assignments", "CRM"]);
        let mut names: Vec<&str> = assigned.as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
        names.sort_unstable();
        assert_eq!(names, ["Sales", "ben@contoso.example"]);
        let again = installation.run(&["config", "apply", file]);
        assert_eq!((again.code, again.out.as_str()), (0, "CRM is as its file says\n"));
    }
}

#[test]
fn a_new_application_comes_of_a_file_and_a_token() {
    let installation = Installation::embedded();
    let (_serving, tenant) = with_application(&installation);
    let folder = installation.path("jobs");
    let folder = folder.to_str().unwrap();
    installation.add_app("scim", "crm (2)", &tenant, &[]);
    let written = installation.json(&["config", "export", "--all", folder]);
    assert_eq!(written.as_array().unwrap().len(), 2);
    let file = format!("{folder}/crm.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    installation.json(&["app", "remove", "CRM", "--yes"]);
    installation.run(&["config", "apply", &file, "--yes"]).refused(2, "the secret token is missing");
    let named = |key: &str| text.replace("template = ", &format!("{key}\ntemplate = "));
    std::fs::write(&file, named("secretTokenVariable = \"NO_SUCH_TOKEN\"")).unwrap();
    installation.run(&["config", "apply", &file, "--yes"]).refused(2, "the environment variable NO_SUCH_TOKEN");
    std::fs::write(&file, named("secretTokenFile = \"../nothing.token\"")).unwrap();
    installation.run(&["config", "apply", &file, "--yes"]).refused(1, "there is no such file");
    std::fs::write(&file, named("secretTokenFile = \"../acme.token\"")).unwrap();
    let all = [file.as_str(), &format!("{folder}/crm-2.toml")];
    let applied = installation.json(&["config", "apply", all[0], all[1], "--yes"]);
    assert_eq!(applied.as_array().unwrap().iter().filter(|one| one["changed"] == true).count(), 1, "{applied}");
    assert_eq!(installation.run(&["config", "export", "--app", "CRM"]).out, text);
    assert_eq!(installation.json(&["sync", "CRM"])["created"], 1, "it is ready to run");
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_place_and_nothing_is_done() {
    let installation = Installation::embedded();
    let (_serving, _) = with_application(&installation);
    let good = installation.run(&["config", "export"]).out;
    let before = installation.json(&["app", "show", "CRM"]);
    for (name, text, code, words) in [
        ("toml", "name = CRM\n".to_owned(), 2, "x.toml:1:8: this is no TOML: "),
        (
            "key",
            good.replace("[assignments]", "[assignment]"),
            2,
            "`assignment` is not a key of this file; did you mean `assignments`?",
        ),
        ("expression", good.replace("\"[jobTitle]\"", "\"ToUper([jobTitle])\""), 2, "did you mean `ToUpper`?"),
        ("attribute", good.replace("\"[jobTitle]\"", "\"[jobTitel]\""), 2, "did you mean `jobTitle`?"),
        ("user", good.replace("ann@", "anne@"), 2, "no user is named \"anne@contoso.example\""),
        (
            "role",
            good.replace("ann@contoso.example\"", "ann@contoso.example\", role = \"Admin\""),
            2,
            "no role \"Admin\"; add it to `roles`",
        ),
        ("template", good.replace("template = \"scim\"", "template = \"netskope\""), 2, "which cannot be changed"),
    ] {
        let file = installation.file("x.toml", &text);
        for command in [&["config", "diff", &file][..], &["config", "apply", &file, "--yes"]] {
            let refused = installation.run(command);
            refused.refused(code, words);
            assert!(refused.err.contains("x.toml"), "{name}: {refused:?}");
        }
    }
    assert_eq!(installation.json(&["app", "show", "CRM"]), before);
    let (one, two) = (installation.file("a.toml", &good), installation.file("b.toml", &good));
    installation.run(&["config", "diff", &one, &two]).refused(2, "is of the application CRM too; name one of them");
    let mine = installation.file("mine.toml", "listen = \"127.0.0.1:1\"\n");
    installation.run(&["config", "export", &mine]).refused(1, "says something else");
    let edited = installation.file("edited.toml", good.replace("[jobTitle]", "[city]"));
    installation.run(&["config", "export", &edited]).refused(1, "say --force to replace it");
    assert!(std::fs::read_to_string(&edited).unwrap().contains("[city]"), "what was written by hand stays");
    installation.run(&["config", "export", &edited, "--force"]).expect_done();
    assert_eq!(std::fs::read_to_string(&edited).unwrap(), good);
    installation.run(&["config", "export", &one]).expect_done();
    installation.run(&["config", "export", "--all"]).refused(2, "required");
    installation
        .run(&["config", "apply", &one, "--secret-token-file", &mine])
        .refused(2, "is for one application that is new");
}

#[test]
fn a_schema_of_entra_goes_out_and_comes_in() {
    for installation in Installation::each() {
        let _serving = with_application(&installation);
        let exported = installation.run(&["schema", "export", "--app", "CRM"]);
        assert_eq!(exported.code, 0, "{exported:?}");
        let mut document: Value = serde_json::from_str(&exported.out).unwrap();
        let file = installation.file("same.json", &exported.out);
        let same = installation.json(&["schema", "import", &file, "--yes", "--leave-out"]);
        assert_eq!(same["changes"], json!([]), "what was exported means the same: {same}");

        document["unknownToUs"] = json!({ "kept": true });
        let mappings = &mut document["synchronizationRules"][0]["objectMappings"][0]["attributeMappings"];
        let mapped =
            mappings.as_array_mut().unwrap().iter_mut().find(|one| one["targetAttributeName"] == "title").unwrap();
        mapped["source"] = json!({ "type": "Constant", "name": "Boss", "expression": "\"Boss\"", "parameters": [] });
        let text = serde_json::to_string_pretty(&document).unwrap();
        let file = installation.file("entra.json", &text);
        let dry = installation.run(&["schema", "import", &file, "--dry-run"]);
        assert!(dry.code == 0 && dry.out.contains("~ users: title"), "{dry:?}");
        assert_eq!(title(&installation), "[jobTitle]");
        let unasked = installation.run(&["schema", "import", &file]);
        unasked.refused(2, "say --yes to do it without being asked");
        let imported = installation.json(&["schema", "import", &file, "--yes"]);
        assert_eq!(imported["changed"], true, "{imported}");
        assert_eq!(title(&installation), "\"Boss\"");
        let again: Value = serde_json::from_str(&installation.run(&["schema", "export"]).out).unwrap();
        assert_eq!(again, document, "what is not known here is kept");

        let to = installation.path("job.toml");
        installation.run(&["schema", "import", &file, "--to", to.to_str().unwrap()]).expect_done();
        let diff = installation.run(&["config", "diff", to.to_str().unwrap()]);
        assert_eq!(diff.out, "CRM is as its file says\n");
        let converted =
            installation.run(&["schema", "convert", &file, "--name", "New", "--tenant-url", "https://x.example/scim"]);
        assert!(converted.code == 0 && converted.out.contains("name = \"New\""), "{converted:?}");
        let file = installation.file("new.toml", &converted.out);
        assert_eq!(installation.json(&["config", "diff", &file])[0]["isNew"], true);
        for (text, words) in [
            ("{", "is no JSON"),
            ("{}", "is no synchronization schema"),
            ("{\"synchronizationRules\": []}", "there is no object mapping of users or groups"),
        ] {
            let file = installation.file("bad.json", text);
            let refused = installation.run(&["schema", "import", &file, "--yes"]);
            assert!(refused.code != 0 && refused.err.contains(words), "{words}: {refused:?}");
        }
    }
}

#[test]
fn mappings_are_shown_and_what_others_would_change() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let shown = installation.run(&["mapping", "show"]);
    assert!(
        shown.out.starts_with("[[mappings]]\n")
            && shown.out.contains("  { target = \"title\", source = \"[jobTitle]\" },\n")
    );
    let file = installation.file("mappings.toml", format!("\u{feff}{}", shown.out));
    let same = installation.run(&["app", "set", "CRM", "--mappings", &file]);
    assert_eq!(same.out, "Application CRM has these mappings already; nothing was changed\n");
    assert_eq!(installation.json(&["mapping", "versions"]).as_array().unwrap().len(), 1);
    let other = installation.file("other.toml", shown.out.replace("\"[jobTitle]\"", "\"[city]\""));
    let changed = installation.run(&["app", "set", "CRM", "--mappings", &other]);
    assert!(
        changed.out.contains("~ users: title") && changed.out.contains("Application CRM was changed"),
        "{changed:?}"
    );
    assert_eq!(installation.run(&["mapping", "show", "1"]).out, shown.out);
    assert_eq!(title(&installation), "[city]");
}

#[test]
fn all_that_is_wrong_with_mappings_is_told_at_its_place() {
    let installation = Installation::embedded();
    let _serving = with_application(&installation);
    let text = "[{ \"sourceObject\": \"User\", \"targetObject\": \"User\", \"attributes\": [\n\
        { \"target\": \"title\", \"source\": \"Apend([jobTitle])\" },\n\
        { \"target\": \"locale\", \"flowType\": \"Sometimes\", \"matchingPriority\": \"1\" }] }]";
    let file = installation.file("bad.json", text);
    let refused = installation.run(&["app", "set", "CRM", "--mappings", &file]);
    for words in [
        "bad.json:2:32: there is no function",
        "bad.json:3:35: `flowType`",
        "`matchingPriority` of an attribute mapping cannot be the text",
    ] {
        refused.refused(2, words);
    }
    let schema = installation.run(&["schema", "export", "-"]);
    assert!(schema.code == 0 && !std::path::Path::new("-").exists(), "{schema:?}");
    let file = installation.file("schema.json", &schema.out);
    let applied = installation.run(&["config", "apply", &file]);
    applied.refused(2, "this is JSON");
    assert_eq!(applied.err.lines().count(), 1, "{applied:?}");
    installation.run(&["app", "set", "CRM", "--mappings", &file]).refused(2, "it is a synchronization schema");
    // The first import keeps the document, the second finds it kept.
    for version in [
        "has the mappings of standard input already; the document is kept, and exports are made from it (version 2)",
        "has the mappings of standard input already (version 2)",
    ] {
        let same = crate::trying::piped(&installation, &["schema", "import", "-", "--yes"], &schema.out);
        assert!(same.code == 0 && same.out.contains("stay as they are") && same.out.contains(version), "{same:?}");
    }
}
