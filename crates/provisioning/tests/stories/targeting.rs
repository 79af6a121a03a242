//! What the attribute list of a target says of its attributes, and how the target itself adds to it.

use mapping::ObjectType;
use provisioning::target::Method;
use provisioning::{Dialect, JobChange};
use scim::{Attribute, Kind, Schema};
use serde_json::{Value, json};

use crate::fake_target::{Fault, Nature};
use crate::hostile::extension;
use crate::world::{Job, lines, on_both};

/// A job with a mapping of `nickName` from the department, and the attribute list that a story needs; Ann has an account.
async fn held_after(job: &Job<'_>, attribute: &str) -> Value {
    job.until_calm().await;
    job.target.with(|app| app.user_attribute("ann@contoso.com", attribute))
}

#[test]
fn case_is_a_change_where_the_list_says_so() {
    for (list, expected) in [
        (json!([]), "SALES"),
        (json!([{ "name": "nickName" }]), "Sales"),
        (json!([{ "name": "nickName", "caseExact": true }]), "SALES"),
    ] {
        let list = &list;
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            job.list_attributes(list.clone()).await;
            job.map_user(json!({ "target": "nickName", "source": "[department]" })).await;
            let ann = world.joins_with("Ann", &[("department", "Sales")]).await;
            world.assign(job.app, ann).await;
            assert_eq!(held_after(&job, "nickName").await, "Sales");
            world.set(ann, "department", "SALES").await;
            assert_eq!(held_after(&job, "nickName").await, expected, "{list}");
            world.set(ann, "department", "Staff").await;
            assert_eq!(held_after(&job, "nickName").await, "Staff", "{list}");
        });
    }
}

#[test]
fn who_may_write_an_attribute_is_obeyed() {
    for (mutability, changed) in [("ReadWrite", "two"), ("Immutable", "one")] {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            job.list_attributes(json!([{ "name": "nickName", "mutability": mutability }])).await;
            job.map_user(json!({ "target": "nickName", "source": "[department]" })).await;
            let ann = world.joins_with("Ann", &[("department", "one")]).await;
            world.assign(job.app, ann).await;
            assert_eq!(held_after(&job, "nickName").await, "one", "{mutability}");
            world.set(ann, "department", "two").await;
            assert_eq!(held_after(&job, "nickName").await, changed, "{mutability}");
        });
    }
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.list_attributes(json!([{ "name": "nickName", "mutability": "ReadOnly" }])).await;
        let mut objects = world.engine().mappings(job.app).await.expect("the job is there");
        let mapping = json!({ "target": "nickName", "source": "[department]" });
        objects[0].attributes.push(serde_json::from_value(mapping).expect("it is a mapping"));
        let change = JobChange { objects: Some(objects), ..JobChange::default() };
        let refused = world.engine().change_job(job.app, change).await.expect_err("the target itself writes it");
        assert!(refused.to_string().contains("only the target itself writes it"), "{refused}");
    });
}

#[test]
fn a_value_that_is_never_told_is_written_when_it_changes_and_no_other_time() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map_user(json!({ "target": "password", "source": "Redact([department])" })).await;
        let ann = world.joins_with("Ann", &[("department", "hush-1")]).await;
        world.assign(job.app, ann).await;
        let account = |job: &Job<'_>| job.target.with(|app| app.user_attribute("ann@contoso.com", "password"));
        job.until_calm().await;
        assert_eq!(account(&job), "hush-1");
        job.target.take_requests();
        // Everything is looked at again, and the target tells nothing of it.
        job.change(JobChange { restart: true, ..JobChange::default() }).await;
        job.until_calm().await;
        assert_eq!(lines(&job.target.take_writes()), "");
        world.set(ann, "jobTitle", "Chief").await;
        job.until_calm().await;
        let writes = lines(&job.target.take_writes());
        assert!(writes.contains("Chief") && !writes.contains("password"), "{writes}");
        world.set(ann, "department", "hush-2").await;
        job.until_calm().await;
        assert_eq!(account(&job), "hush-2");
        assert_eq!(job.target.take_writes().len(), 1);
    });
}

#[test]
fn a_value_that_is_never_told_is_in_no_log_and_no_plan() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map_user(json!({ "target": "password", "source": "[companyName]" })).await;
        let ann = world.joins_with("Ann", &[("companyName", "hush-1")]).await;
        world.assign(job.app, ann).await;
        let planned = serde_json::to_string(&job.plan().await).expect("it is JSON");
        assert!(planned.contains(r#""password":"[Redact]""#) && !planned.contains("hush"), "{planned}");
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "password")), "hush-1");
        job.map_user(json!({ "target": "title", "source": "CDate([companyName])" })).await;
        world.set(ann, "companyName", "hush-2").await;
        assert_eq!(job.cycle().await.failed, 1);
        let told = job.logs().await.iter().map(|log| log.record.to_string()).collect::<String>();
        assert!(told.contains("CDate([companyName]), where [companyName] is [Redact]"), "{told}");
        assert!(told.contains("password") && !told.contains("hush"), "{told}");
    });
}

#[test]
fn a_required_attribute_has_its_default_or_there_is_no_account() {
    for (list, mapped, expected) in [
        (json!({ "required": true }), Value::Null, None),
        (json!({ "required": true, "defaultValue": "list" }), Value::Null, Some("list")),
        (json!({ "required": true, "defaultValue": "list" }), json!("mapping"), Some("mapping")),
        (json!({ "defaultValue": "list" }), Value::Null, Some("")),
    ] {
        let (list, mapped) = (&list, &mapped);
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            let mut entry = list.clone();
            entry["name"] = "nickName".into();
            let mut mapping = json!({ "target": "nickName", "source": "[department]" });
            if !mapped.is_null() {
                mapping["defaultValue"] = mapped.clone();
            }
            // What is required must be mapped already.
            job.map_user(mapping).await;
            job.list_attributes(json!([entry])).await;
            world.joins_for(job.app, "Ann").await;
            let report = job.cycle().await;
            assert_eq!((report.created, report.failed), if expected.is_some() { (1, 0) } else { (0, 1) }, "{list}");
            let logs: String = job.logs().await.iter().map(|log| log.record.to_string()).collect();
            assert_eq!(logs.contains("MandatoryFieldsMissing"), expected.is_none(), "{list}");
            let held = job.target.with(|app| app.user_attribute("ann@contoso.com", "nickName"));
            assert_eq!(held.as_str().unwrap_or_default(), expected.unwrap_or_default(), "{list} {mapped}");
        });
    }
}

#[test]
fn a_mapping_without_source_fills_what_is_empty_and_leaves_what_is_there() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map_user(json!({ "target": "locale", "defaultValue": "en-US" })).await;
        let ann = world.joins_for(job.app, "Ann").await;
        assert_eq!(held_after(&job, "locale").await, "en-US");
        for (by_hand, expected) in [(json!("de-DE"), "de-DE"), (Value::Null, "en-US")] {
            job.target.with(|app| {
                app.users
                    .values_mut()
                    .for_each(|user| drop(user.attributes.insert("locale".to_owned(), by_hand.clone())));
            });
            world.set(ann, "jobTitle", format!("now {expected}")).await;
            assert_eq!(held_after(&job, "locale").await, expected);
        }
    });
}

/// The operations about roles that are sent when a job with this source and target finds Ann without any.
async fn role_forms(world: &crate::world::World, dialect: Dialect, target: &str, source: &str) -> (Value, Value) {
    let job = world.job("scim", Nature::default()).await;
    job.change(JobChange { dialect: Some(dialect), ..JobChange::default() }).await;
    job.map_user(json!({ "target": target, "source": source })).await;
    world.joins_for(job.app, "Ann").await;
    job.until_calm().await;
    let writes = job.target.take_writes();
    let made = writes[0].body.clone().unwrap_or_default()["roles"].clone();
    job.target.with(|app| app.users.values_mut().for_each(|user| drop(user.attributes.remove("roles"))));
    job.change(JobChange { restart: true, ..JobChange::default() }).await;
    job.until_calm().await;
    let writes = job.target.take_writes();
    assert_eq!(writes.len(), 1, "{}", lines(&writes));
    let changed = writes[0].body.clone().unwrap_or_default()["Operations"].clone();
    (made, changed)
}

#[test]
fn roles_are_written_in_the_form_of_their_function_and_dialect() {
    const KIND: &str = "WindowsAzureActiveDirectoryRole";
    let single = "roles[primary eq \"True\"].value";
    let one = json!([{ "primary": true, "type": KIND, "value": "Member" }]);
    let all = json!([{ "primary": false, "type": KIND, "display": "Member", "value": "Member" }]);
    for dialect in [Dialect::Entra, Dialect::EntraCompliant, Dialect::Rfc] {
        let (one, all) = (&one, &all);
        on_both(|world| async move {
            let (made, changed) =
                role_forms(&world, dialect, single, "SingleAppRoleAssignment([appRoleAssignments])").await;
            assert_eq!(made, *one, "{dialect:?}");
            let expected = match dialect {
                Dialect::Entra => json!([{ "op": "Add", "path": single, "value": "Member" }]),
                Dialect::EntraCompliant => json!([{ "op": "add", "path": single, "value": "Member" }]),
                Dialect::Rfc => json!([{ "op": "add", "path": "roles", "value": one }]),
            };
            assert_eq!(changed, expected);
        });
        on_both(|world| async move {
            let (made, changed) =
                role_forms(&world, dialect, "roles", "AppRoleAssignmentsComplex([appRoleAssignments])").await;
            assert_eq!(made, *all, "{dialect:?}");
            if dialect == Dialect::Entra {
                assert_eq!((&changed[0]["op"], &changed[0]["path"]), (&json!("Add"), &json!("roles")));
                let text = changed[0]["value"][0]["value"].as_str().expect("it is text");
                let role: Value = serde_json::from_str(text).expect("the text holds JSON");
                assert_eq!((&role["value"], &role["displayName"]), (&json!("Member"), &json!("Member")));
                assert!(role["id"].is_string(), "{role}");
            } else {
                assert_eq!(changed, json!([{ "op": "add", "path": "roles", "value": all }]));
            }
        });
        on_both(|world| async move {
            let source = "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])";
            let (made, changed) = role_forms(&world, dialect, "roles", source).await;
            assert_eq!(made, *all, "{dialect:?}");
            let op = if dialect == Dialect::Entra { "Replace" } else { "replace" };
            assert_eq!(changed, json!([{ "op": op, "path": "roles", "value": all }]));
        });
    }
}

fn schemas() -> Value {
    json!([
        { "id": scim::USER_URN, "attributes": [{ "name": "title", "type": "integer", "mutability": "readOnly" }] },
        { "id": "urn:example:2.0:User", "attributes": [
            { "name": "level", "type": "integer" }, { "name": "grade", "type": "string", "mutability": "readOnly" }
        ] }
    ])
}

#[test]
fn what_a_target_tells_is_added_and_changes_nothing_that_was_there() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.target.with(|app| {
            app.define(extension());
            app.schemas = schemas();
        });
        let engine = world.engine();
        // Only templates that say so do it by themselves.
        assert_eq!(engine.test_connection(job.app).await.expect("it works").added, []);
        let found = engine.discover(job.app).await.expect("the target tells");
        let names: Vec<&str> = found.added.iter().map(|added| added.attribute.name.as_str()).collect();
        assert_eq!(names, ["title", "urn:example:2.0:User:level", "urn:example:2.0:User:grade"]);
        assert_eq!(engine.discover(job.app).await.expect("the target tells").added, []);
        for (target, source) in
            [("urn:example:2.0:User:level", "\"8\""), ("urn:example:2.0:User:grade", "\"A\""), ("title", "\"Chief\"")]
        {
            job.map_user(json!({ "target": target, "source": source })).await;
        }
        world.joins_for(job.app, "Ann").await;
        assert_eq!(held_after(&job, "urn:example:2.0:User").await, json!({ "level": 8, "grade": "A" }));
        assert_eq!(held_after(&job, "title").await, "Chief");
        // An administrator knows, where a target may be wrong.
        job.map_user(json!({ "target": "urn:example:2.0:User:grade", "source": "\"B\"" })).await;
        job.list_attributes(json!([{ "name": "urn:example:2.0:User:grade" }])).await;
        assert_eq!(held_after(&job, "urn:example:2.0:User").await, json!({ "level": 8, "grade": "B" }));
        job.target.with(|app| app.schemas = json!([]));
        assert_eq!(engine.discover(job.app).await.expect("the target tells").discovered.count(), 3);
        job.target.with(|app| app.schemas = Value::Null);
        let told = engine.discover(job.app).await.expect_err("the target tells nothing").to_string();
        assert!(told.contains("/Schemas cannot be read") && told.contains("404"), "{told}");
    });
}

#[test]
fn a_template_that_discovers_does_so_in_each_test_and_each_initial_cycle() {
    on_both(|world| async move {
        let job = world.job("palo-alto-cie", Nature::default()).await;
        job.target.with(|app| app.schemas = schemas());
        let engine = world.engine();
        let plan = job.plan().await;
        assert!(plan.is_empty(), "{plan:?}");
        world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        assert_eq!(engine.discover(job.app).await.expect("the target tells").added, []);
        let more = json!([{ "id": "urn:example:2.0:Group", "attributes": [{ "name": "colour" }] }]);
        job.target.with(|app| app.schemas = more);
        let found = engine.test_connection(job.app).await.expect("it works");
        let added: Vec<_> = found.added.iter().map(|one| (one.object, one.attribute.name.as_str())).collect();
        assert_eq!(added, [(ObjectType::Group, "urn:example:2.0:Group:colour")]);
        assert_eq!(found.discovered.count(), 4);
    });
}

#[test]
fn a_value_that_is_never_told_is_not_written_again_for_other_changes() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map_user(json!({ "target": "password", "source": "Redact([department])" })).await;
        let (ann, boss) =
            (world.joins_with("Ann", &[("department", "hush-1")]).await, world.joins_for(job.app, "Boss").await);
        world.assign(job.app, ann).await;
        job.until_calm().await;
        let takes = async |why: &str| {
            job.target.take_requests();
            job.until_calm().await;
            let writes = lines(&job.target.take_writes());
            assert!(!writes.is_empty() && !writes.contains("password"), "{why}: {writes}");
        };
        world.set(ann, "accountEnabled", false).await;
        takes("disabled").await;
        world.set(ann, "accountEnabled", true).await;
        takes("enabled").await;
        world.set(ann, "jobTitle", "Chief").await;
        world.set(ann, "manager", boss.to_string()).await;
        takes("a manager beside a title").await;
        world.set(ann, "jobTitle", "Clerk").await;
        takes("after the manager").await;
        world.set(ann, "accountEnabled", false).await;
        takes("disabled again").await;
        world.set(ann, "department", "hush-2").await;
        world.set(ann, "accountEnabled", true).await;
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "password")), "hush-2");
    });
}

#[test]
fn a_value_that_is_never_told_is_written_again_where_nobody_knows_whether_it_was() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map_user(json!({ "target": "password", "source": "Redact([department])" })).await;
        let ann = world.joins_with("Ann", &[("department", "hush-1")]).await;
        world.assign(job.app, ann).await;
        job.until_calm().await;
        world.set(ann, "department", "hush-2").await;
        job.target.fail(|request| if request.method == Method::Patch { Fault::Lost } else { Fault::None });
        assert_eq!(job.cycle().await.failed, 1);
        job.target.heal();
        // What was to be written is what was there before, and what was sent may yet have arrived.
        world.set(ann, "department", "hush-1").await;
        job.target.with(|app| {
            app.users
                .values_mut()
                .for_each(|user| drop(user.attributes.insert("password".to_owned(), "hush-2".into())));
        });
        world.clock.advance(jiff::SignedDuration::from_hours(1));
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "password")), "hush-1");
    });
}

#[test]
fn what_a_target_tells_stops_no_mapping_that_worked_before() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let texts = ["level", "grade"].map(|name| Attribute::new(name, Kind::String)).to_vec();
        job.target.with(|app| app.define(Schema::new("urn:example:2.0:User", "Example", texts)));
        let mapped = [("level", "\"senior\""), ("grade", "\"A\"")];
        for (name, source) in mapped {
            job.map_user(json!({ "target": format!("urn:example:2.0:User:{name}"), "source": source })).await;
        }
        world.joins_for(job.app, "Ann").await;
        let expected = json!({ "level": "senior", "grade": "A" });
        assert_eq!(held_after(&job, "urn:example:2.0:User").await, expected);
        job.target.with(|app| app.schemas = schemas());
        let found = world.engine().discover(job.app).await.expect("the target tells");
        let words = "level`, of which the target tells that it is of the type `Integer`";
        assert!(found.warnings.iter().any(|told| told.contains(words)), "{found:?}");
        assert!(found.warnings.iter().any(|told| told.contains("grade`") && told.contains("ReadOnly")), "{found:?}");
        assert_eq!(found.warnings.len(), 2, "what RFC 7643 defines is no news: {:?}", found.warnings);
        world.joins_for(job.app, "Bob").await;
        assert_eq!(job.until_calm().await.failed, 0);
        let of_bob = job.target.with(|app| app.user_attribute("bob@contoso.com", "urn:example:2.0:User"));
        assert_eq!(of_bob, expected, "whoever comes later has the same");
    });
}
