//! Jobs as files: what a file would change is found out first, and applied whole or not at all.

use mapping::{FlowType, MappingSource};
use provisioning::configuration::{ConfigurationFile, Proposal};
use provisioning::trial::Draft;
use provisioning::{JobChange, JobError, JobStatus, MappingTrialOf, ScopeSetting};
use store::{AppId, ObjectKind};

use crate::fake_target::Nature;
use crate::world::{World, on_both};

async fn exported(world: &World, app: AppId) -> String {
    world.engine().configuration(app, true).await.expect("it can be read").to_toml()
}

async fn proposed(world: &World, text: &str) -> Result<Proposal, JobError> {
    world.engine().propose(&ConfigurationFile::read(text).expect("it is TOML")).await
}

async fn problems(world: &World, text: &str) -> Vec<String> {
    match proposed(world, text).await.expect_err("something is wrong") {
        JobError::Configuration(bad) => bad.0.iter().map(ToString::to_string).collect(),
        other => panic!("{other}"),
    }
}

/// Who is assigned, by name and role.
async fn assigned(world: &World, app: AppId) -> Vec<String> {
    let job = world.engine().configuration(app, true).await.expect("it can be read");
    let rows = job.users.into_iter().flatten().chain(job.groups.into_iter().flatten());
    rows.map(|row| format!("{} {}", row.name.unwrap_or_default(), row.role.unwrap_or_default())).collect()
}

#[test]
fn what_was_exported_changes_nothing() {
    on_both(|world| async move {
        let job = world.job("palo-alto-cie", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        world.assign_with(job.app, ann.into(), ObjectKind::User, Some("Member")).await;
        world.group_for(job.app, "Sales").await;
        // Two of one name are told apart by their ids, and so is who is in the recycle bin.
        world.group_for(job.app, "Twins").await;
        world.group("Twins").await;
        let bob = world.joins_for(job.app, "Bob").await;
        world.deletes(bob).await;
        let text = exported(&world, job.app).await;
        assert!(text.contains(&format!("id = \"{bob}\"")), "{text}");
        let proposal = proposed(&world, &text).await.expect("nothing is wrong");
        assert!(proposal.is_empty() && proposal.text().is_empty(), "{}", proposal.text());
        assert_eq!(exported(&world, job.app).await, text, "byte by byte");
        assert_eq!(proposal.to_json()["mappings"], serde_json::json!([]));
    });
}

/// A file that changes something of everything.
async fn changed(world: &World, app: AppId) -> String {
    exported(world, app)
        .await
        .replace("concurrency = 1\n", "intervalSeconds = 600\n")
        .replace("status = \"on\"", "status = \"off\"")
        .replace("roles = [\"Member\"]", "roles = [\"Guest\"]")
        .replace("\"[jobTitle]\"", "\"ToUpper([jobTitle])\"")
        .replace(
            "{ name = \"ann@contoso.com\", role = \"Member\" }",
            "{ name = \"bob@contoso.com\", role = \"Guest\" }",
        )
        .replace("groups = []", "groups = [{ name = \"Sales\" }]")
}

#[test]
fn the_difference_is_shown_as_git_shows_it() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        world.joins("Bob").await;
        world.group("Sales").await;
        let proposal = proposed(&world, &changed(&world, job.app).await).await.expect("nothing is wrong");
        insta::assert_snapshot!(proposal.text(), @r#"
--- scim (now)
+++ scim (file)
@@ -7,9 +7,9 @@
 name = "scim"
 template = "scim"
 tenantUrl = "https://scim.example.com/scim"
-status = "on"
-concurrency = 1
-roles = ["Member"]
+status = "off"
+intervalSeconds = 600
+roles = ["Guest"]
 
 [[mappings]]
 sourceObject = "User"
@@ -18,7 +18,7 @@
   { target = "userName", source = "[userPrincipalName]", matchingPriority = 1, required = true },
   { target = "active", source = 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
   { target = "displayName", source = "[displayName]" },
-  { target = "title", source = "[jobTitle]" },
+  { target = "title", source = "ToUpper([jobTitle])" },
   { target = 'emails[type eq "work"].value', source = "[mail]" },
   { target = "preferredLanguage", source = "[preferredLanguage]" },
   { target = "name.givenName", source = "[givenName]" },
@@ -50,6 +50,8 @@
 
 [assignments]
 users = [
-  { name = "ann@contoso.com", role = "Member" },
+  { name = "bob@contoso.com", role = "Guest" },
+]
+groups = [
+  { name = "Sales" },
 ]
-groups = []
"#);
    });
}

#[test]
fn a_file_changes_everything_in_one_step() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, bob) = (world.joins_for(job.app, "Ann").await, world.joins("Bob").await);
        world.group("Sales").await;
        let text = changed(&world, job.app).await;
        let proposal = proposed(&world, &text).await.expect("nothing is wrong");
        assert_eq!(proposal.losing().iter().map(|one| one.id).collect::<Vec<_>>(), [ann.into()]);
        assert_eq!(
            proposal.assigns.iter().filter(|one| !one.is_group).map(|one| one.id).collect::<Vec<_>>(),
            [bob.into()]
        );
        let view = world.engine().apply(&proposal, None, "the file was applied").await.expect("it can be applied");
        assert_eq!((view.status, view.interval_seconds, view.concurrency), (JobStatus::Off, 600, 64));
        assert_eq!(assigned(&world, job.app).await, ["bob@contoso.com Guest", "Sales "]);
        let latest = world.engine().mapping_version(job.app, None).await.expect("it is kept");
        assert_eq!((latest.head.version, latest.head.reason.as_str()), (2, "the file was applied"));
        assert!(proposed(&world, &text).await.expect("nothing is wrong").is_empty(), "it is so now");
        let records = world.store.scan(|tx| store::audit::audit_before(tx, None, 4)).await.expect("they are read");
        let told: Vec<&str> = records.iter().map(|record| record.activity.as_str()).collect();
        assert_eq!(told.iter().filter(|told| told.ends_with("to service principal")).count(), 2, "{told:?}");
        assert!(told.contains(&"Remove app role assignment from service principal"), "{told:?}");
    });
}

#[test]
fn a_new_job_is_made_as_the_file_says() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        job.map(|objects| {
            objects[0].attributes[2].flow_type = FlowType::ObjectAddOnly;
            objects[0].attributes[3].source = MappingSource::Constant("8".to_owned());
        })
        .await;
        let text = exported(&world, job.app).await;
        world.engine().remove_job(job.app).await.expect("no cycle runs");
        let proposal = proposed(&world, &text).await.expect("nothing is wrong");
        assert!(
            proposal.app.is_none()
                && proposal.text().lines().all(|line| !line.starts_with('-') || line.starts_with("---"))
        );
        let refused = world.engine().apply(&proposal, None, "").await.expect_err("it needs a token");
        assert!(refused.to_string().contains("secret token is missing"), "{refused}");
        let view = world.engine().apply(&proposal, Some("secret"), "").await.expect("it can be applied");
        assert_eq!(exported(&world, view.app).await, text);
        assert_eq!(assigned(&world, view.app).await, ["ann@contoso.com Member"]);
    });
}

#[test]
fn what_a_file_leaves_out_stays() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        let short = "name = \"scim\"\ntemplate = \"scim\"\nconcurrency = 1\nscope = \"all\"\n";
        let proposal = proposed(&world, short).await.expect("nothing is wrong");
        assert_eq!((proposal.assigns.len(), proposal.ends.len()), (0, 0));
        world.engine().apply(&proposal, None, "").await.expect("it can be applied");
        assert_eq!(assigned(&world, job.app).await, ["ann@contoso.com Member"]);
        assert_eq!(world.engine().mapping_versions(job.app, None, 9).await.expect("they are read").versions.len(), 1);
        let emptied = format!("{short}[assignments]\nusers = []\n");
        let proposal = proposed(&world, &emptied).await.expect("nothing is wrong");
        assert_eq!(proposal.losing().len(), 1, "an empty list is a list");
    });
}

#[test]
fn whatever_cannot_be_is_told_at_once_and_nothing_is_done() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        for _ in 0..2 {
            world.group("Twins").await;
        }
        let text = format!(
            "name = \"scim\"\ntemplate = \"netskope\"\nintervalSeconds = 0\nroles = [\"Member\"]\n[assignments]\nusers = [\n  {{ name = \"anne@contoso.com\" }},\n  {{ name = \"ann@contoso.com\", role = \"Membre\" }},\n  {{ id = \"{ann}\", role = \"Membre\" }},\n]\ngroups = [{{ name = \"Twins\" }}]\n"
        );
        let told = problems(&world, &text).await;
        insta::assert_snapshot!(told.join("\n").replace(&ann.to_string(), "ANN"), @r#"
line 2, column 1: the application scim is made from the template `scim`, which cannot be changed; remove it first, or give the file another name
line 3, column 19: the interval must be from 1 to 2592000 seconds
line 7, column 3: no user is named "anne@contoso.com"
line 8, column 3: the application has no role "Membre"; did you mean "Member"?
line 9, column 3: the application has no role "Membre"; did you mean "Member"?
line 9, column 3: "ANN" is assigned twice with the same role
line 11, column 11: 2 groups are named "Twins"; use the object id of the one you mean
"#);
        let told = problems(&world, "name = \"New\"\ntemplate = \"scim\"\n").await;
        assert_eq!(
            told,
            [
                "line 1, column 1: no application is named \"New\" yet, and a new one needs a `tenantUrl`, such as \"https://app.example.com/scim/v2\""
            ]
        );
        assert_eq!(assigned(&world, job.app).await, ["ann@contoso.com Member"]);
    });
}

#[test]
fn a_job_that_somebody_changed_meanwhile_stays_as_they_left_it() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, bob) = (world.joins_for(job.app, "Ann").await, world.joins("Bob").await);
        let text = exported(&world, job.app).await.replace("concurrency = 1\n", "");
        let refused = |proposal: Proposal| {
            let engine = world.engine();
            async move {
                let refused = engine.apply(&proposal, None, "").await.expect_err("it is another job now");
                assert!(matches!(refused, JobError::ChangedMeanwhile), "{refused}");
            }
        };
        let proposal = proposed(&world, &text).await.expect("nothing is wrong");
        job.change(JobChange { interval_seconds: Some(77), ..JobChange::default() }).await;
        refused(proposal).await;
        let proposal = proposed(&world, &text).await.expect("nothing is wrong");
        world.assign(job.app, bob).await;
        refused(proposal).await;
        let view = world.engine().job(job.app).await.expect("it is there");
        assert_eq!((view.interval_seconds, view.concurrency), (77, 1));
        // A file without assignments has nothing to do with them.
        let short = text.split("[assignments]").next().expect("there is a part before");
        let proposal = proposed(&world, short).await.expect("nothing is wrong");
        world.unassign(job.app, ann).await;
        world.engine().apply(&proposal, None, "").await.expect("it can be applied");
        assert_eq!(assigned(&world, job.app).await, ["bob@contoso.com Member"]);
    });
}

/// A filter that asks for the members of a group, as it stands in a file.
fn with_filter(text: &str, group: &str) -> String {
    let filter = format!(
        "[[mappings.scoping]]\nname = \"Only them\"\nclauses = [\n  {{ attribute = \"memberOf\", operator = \"IS MEMBER OF\", value = \"{group}\" }},\n]\n\n"
    );
    // The filter belongs to the mapping of users, which is the first.
    let mut parts = text.splitn(3, "[[mappings]]");
    let mut next = || parts.next().expect("there are two mappings").to_owned();
    [next(), "[[mappings]]".to_owned(), next(), filter, "[[mappings]]".to_owned(), next()].concat()
}

#[test]
fn what_would_be_refused_is_told_before_anybody_is_asked() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        let text = exported(&world, job.app).await;
        let nobody = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
        let told = problems(&world, &with_filter(&text, nobody)).await;
        assert!(told.len() == 1 && told[0].contains("no group with that object id"), "{told:?}");
        // The same of an application that is new.
        let new = with_filter(&text, nobody).replace("name = \"scim\"", "name = \"New\"");
        let told = problems(&world, &new).await;
        assert!(told.len() == 1 && told[0].contains("no group with that object id"), "{told:?}");
        let without = text.split("[assignments]").next().expect("there is a part before").to_owned();
        let told = problems(&world, &without.replace("roles = [\"Member\"]", "roles = []")).await;
        assert!(
            told.len() == 1 && told[0].starts_with("line ") && told[0].contains(": `roles` leaves out"),
            "{told:?}"
        );
        assert_eq!(
            told[0].split_once(": ").map(|(_, what)| what),
            Some(
                "`roles` leaves out \"Member\", and users or groups are assigned with it; list the role, or give `assignments` that do without it"
            )
        );
    });
}

#[test]
fn a_group_that_goes_before_a_new_application_comes_keeps_it_out() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let group = world.group("Sales").await;
        let new = with_filter(&exported(&world, job.app).await, &group.to_string());
        let new = new.replace("name = \"scim\"", "name = \"New\"");
        let proposal = proposed(&world, &new).await.expect("nothing is wrong yet");
        purge(&world, group).await;
        let refused = world.engine().apply(&proposal, Some("secret"), "").await.expect_err("the group is gone");
        assert!(refused.to_string().contains("no group with that object id"), "{refused}");
        let found = world.store.read(|tx| directory::find_application(tx, "New")).await;
        assert!(found.is_err(), "nothing is kept");
    });
}

/// Deletes a group for good.
async fn purge(world: &World, group: store::GroupId) {
    let now = world.clock.now();
    let purged = world.store.write(move |tx| {
        directory::delete_group(tx, group, now)?;
        directory::purge_group(tx, group, now)
    });
    purged.await.expect("it is there");
}

#[test]
fn another_server_gets_no_token_that_was_given_for_the_first() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        let (_, elsewhere) = world.target("elsewhere", Nature::default());
        let text = exported(&world, job.app).await.replace("https://scim.example.com/scim", &elsewhere);
        let proposal = proposed(&world, &text).await.expect("nothing is wrong");
        assert!(proposal.needs_token());
        let warnings = proposal.warnings();
        assert!(warnings.len() == 1 && warnings[0].contains("every account is matched anew"), "{warnings:?}");
        assert_eq!(proposal.to_json()["warnings"][0], warnings[0].as_str());
        let refused = world.engine().apply(&proposal, None, "").await.expect_err("it needs a token");
        assert!(refused.to_string().contains("the stored one is not sent there"), "{refused}");
        let view = world.engine().apply(&proposal, Some("secret"), "").await.expect("it can be applied");
        assert_eq!(view.tenant_url, elsewhere);
        // Another path of the same server takes the token, and has other accounts.
        let text = exported(&world, job.app).await.replace(&elsewhere, &format!("{elsewhere}/v2"));
        let proposal = proposed(&world, &text).await.expect("nothing is wrong");
        assert!(!proposal.needs_token() && proposal.warnings().len() == 1, "{:?}", proposal.warnings());
    });
}

#[test]
fn whoever_other_rules_put_out_of_scope_is_told() {
    on_both(|world| async move {
        let job = world.job_named("scim", "scim", Nature::default(), Some(ScopeSetting::All)).await;
        world.joins_for(job.app, "Ann").await;
        world.joins("Bob").await;
        job.until_calm().await;
        let text = exported(&world, job.app).await;
        let losses = async |text: &str| {
            let proposal = proposed(&world, text).await.expect("nothing is wrong");
            proposal.warnings()
        };
        assert_eq!(losses(&text).await, [""; 0]);
        assert_eq!(
            losses(&text.replace("scope = \"all\"\n", "")).await,
            ["1 user would leave the scope and lose the account: bob@contoso.com"]
        );
        let sales = world.group("Sales").await.to_string();
        let told = losses(&with_filter(&text, &sales)).await;
        assert!(told.len() == 1 && told[0].contains("2 users would leave"), "{told:?}");
        let objects = ConfigurationFile::parse(&with_filter(&text, &sales)).expect("it is a file").wanted.objects;
        let change = JobChange { objects, ..JobChange::default() };
        let found = world.engine().scope_losses(job.app, &change).await;
        assert_eq!(found.expect("they are counted")[0].accounts, Some(2));
    });
}

#[test]
fn every_problem_of_a_file_is_told_at_once_and_at_its_place() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        let text = exported(&world, job.app).await;
        let rows = "attributes = [\n  { target = \"nickName\", source = \"[mailNick]\" },\n  { target = \"locale\", source = 'Apend([city])' },\n";
        let text = text
            .replacen("attributes = [\n", rows, 1)
            .replacen("name = ", "statu = \"on\"\nname = ", 1)
            .replace("groups = []", "groups = [\n  { name = \"Nobody\" },\n]");
        let line_of = |words: &str| text.lines().position(|line| line.contains(words)).map_or(0, |line| line + 1);
        let told = problems(&world, &text).await;
        for (words, line, column) in [
            ("`statu` is not a key of this file", line_of("statu ="), 1),
            ("the mapping of `nickName` reads `mailNick`", line_of("[mailNick]"), 3),
            ("there is no function `Apend`", line_of("Apend"), 33),
            ("no group is named", line_of("Nobody"), 3),
        ] {
            let place = format!("line {line}, column {column}: ");
            assert!(
                told.iter().any(|one| one.starts_with(&place) && one.contains(words)),
                "{place}{words} in {told:?}"
            );
        }
        assert_eq!(told.len(), 4, "nothing is told that only seems missing: {told:?}");
    });
}

#[test]
fn a_source_that_cannot_be_read_is_not_missing_too() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let text = exported(&world, job.app).await;
        let unread = "[[mappings.scoping]]\nname = \"F\"\nclauses = [{ attribute = \"city\", operator = \"EQUAL\", value = \"x\" }]\n\n[[mappings]]\nsourceObject = \"Group\"";
        let told = problems(&world, &text.replace("[[mappings]]\nsourceObject = \"Group\"", unread)).await;
        assert!(told.len() == 1 && told[0].contains("there is no operator `EQUAL`"), "{told:?}");
        let text = text.replacen("source = \"[userPrincipalName]\"", "source = 'ToLowr([userPrincipalName])'", 1);
        let told = problems(&world, &text).await;
        assert!(told.len() == 1 && told[0].contains("there is no function `ToLowr`"), "{told:?}");
        let draft = Draft::read(&text, mapping::ObjectType::User).unwrap();
        let ann = world.joins("Ann").await;
        let tried =
            MappingTrialOf { app: job.app, kind: ObjectKind::User, id: ann.into(), draft: Some(draft), update: false };
        let trial = world.engine().try_mappings(&tried).await.unwrap();
        assert_eq!(trial.problems, [""; 0]);
    });
}

#[test]
fn a_group_that_is_not_there_is_told_at_the_clause_that_asks_for_it() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let gone = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
        let filter = |kind: &str, attribute: &str, operator: &str, value: &str| {
            format!(
                "[[mappings.{kind}]]\nname = \"F\"\nclauses = [\n  {{ attribute = \"{attribute}\", operator = \"{operator}\", value = \"{value}\" }},\n]\n"
            )
        };
        let text = exported(&world, job.app).await;
        let (before, groups) = text.split_once("[[mappings]]\nsourceObject = \"Group\"").unwrap();
        let filters =
            filter("scoping", "city", "EQUALS", "Rome") + &filter("inputFilters", "memberOf", "IS MEMBER OF", gone);
        let text = format!("{before}{filters}\n[[mappings]]\nsourceObject = \"Group\"{groups}");
        let line = text.lines().position(|line| line.contains(gone)).unwrap() + 1;
        let told = problems(&world, &text).await;
        assert_eq!(
            told,
            [format!(
                "line {line}, column 3: the input filter `F` of users asks for the members of {gone}, and the directory has no group with that object id"
            )]
        );
    });
}

#[test]
fn a_template_that_there_is_not_hides_no_other_problem() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let text = exported(&world, job.app).await.replace("template = \"scim\"", "template = \"scimm\"");
        let text = text.replace("groups = []", "groups = [{ name = \"Nobody\", role = \"Chief\" }]");
        let told = problems(&world, &text).await;
        assert_eq!(told.len(), 3, "{told:?}");
        for words in ["no gallery template is named `scimm`", "no role \"Chief\"", "no group is named \"Nobody\""] {
            assert!(told.iter().any(|one| one.starts_with("line ") && one.contains(words)), "{words} in {told:?}");
        }
    });
}
