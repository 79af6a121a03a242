//! When values flow: what a mapping says beside where its value comes from.

use provisioning::target::Method;
use provisioning::{Dialect, JobChange, ScopeSetting};
use serde_json::{Value, json};
use store::ObjectKind;

use crate::fake_target::{Fault, Nature};
use crate::world::{lines, on_both};

#[test]
fn what_is_only_added_never_takes_a_value_away() {
    for dialect in [Dialect::Rfc, Dialect::Entra, Dialect::EntraCompliant] {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            job.change(JobChange { dialect: Some(dialect), ..JobChange::default() }).await;
            job.map_user(
                json!({ "target": "ims", "source": "[facsimileTelephoneNumber]", "flowType": "MultiValueAddOnly" }),
            )
            .await;
            let ann = world.joins_with("Ann", &[("facsimileTelephoneNumber", "one")]).await;
            world.assign(job.app, ann).await;
            job.until_calm().await;
            // Somebody adds one of their own at the application, with more about it than the mapping knows.
            job.target.with(|app| {
                let own = json!([{ "value": "own", "type": "xmpp" }, { "value": "one", "type": "aim" }]);
                app.users.values_mut().for_each(|user| drop(user.attributes.insert("ims".to_owned(), own.clone())));
            });
            job.target.take_requests();
            world.set(ann, "facsimileTelephoneNumber", "two").await;
            world.set(ann, "jobTitle", "Chief").await;
            assert_eq!(job.until_calm().await.updated, 1);
            let held = job.target.with(|app| app.user_attribute("ann@contoso.com", "ims"));
            let values: Vec<_> = held.as_array().into_iter().flatten().map(|one| one["value"].clone()).collect();
            assert_eq!(values, [json!("own"), json!("one"), json!("two")], "{dialect:?}");
            let writes = lines(&job.target.take_writes());
            assert!(writes.contains(r#""path":"ims","value":[{"value":"two"}]"#), "{writes}");
            // What is there already is not sent again.
            world.set(ann, "facsimileTelephoneNumber", "own").await;
            job.until_calm().await;
            let writes = lines(&job.target.take_writes());
            assert!(!writes.contains("ims"), "{writes}");
        });
    }
}

#[test]
fn what_documents_call_otherwise_is_read_of_where_it_is_kept() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map_user(json!({ "target": "title", "source": "[immutableId]" })).await;
        job.map_user(json!({ "target": "nickName", "source": "[manager.immutableId]" })).await;
        let chief = world.joins_with("Bella", &[("onPremisesImmutableId", "ref-1")]).await;
        let ann = world.joins_with("Ann", &[("onPremisesImmutableId", "ref-2")]).await;
        world.set(ann, "manager", chief.to_string()).await;
        world.assign(job.app, ann).await;
        job.until_calm().await;
        let of_ann = |name: &str| job.target.with(|app| app.user_attribute("ann@contoso.com", name));
        assert_eq!((of_ann("title"), of_ann("nickName")), (json!("ref-2"), json!("ref-1")));
    });
}

#[test]
fn a_redacted_value_that_the_application_repeats_is_told_to_nobody() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map_user(json!({ "target": "title", "source": "Redact([jobTitle])" })).await;
        let once = json!({ "target": "nickName", "source": "Redact([companyName])", "flowType": "ObjectAddOnly" });
        job.map_user(once).await;
        job.target.fail(|request| if request.body.is_some() { Fault::Repeated(400) } else { Fault::None });
        let ann = world.joins_with("Ann", &[("jobTitle", "hush \"one\""), ("companyName", "hush-pin")]).await;
        world.assign(job.app, ann).await;
        let plan = format!("{:?}", job.plan().await);
        assert!(plan.contains(r#""title": String("[Redact]")"#) && !plan.contains("hush"), "{plan}");
        assert_eq!(job.cycle().await.failed, 1);
        let report = world.engine().provision(job.app, ann.into(), ObjectKind::User).await.expect("it can be tried");
        assert!(report.reason.as_deref().is_some_and(|reason| reason.contains("[Redact]")), "{report:?}");
        assert!(!format!("{report:?}").contains("hush"), "{report:?}");
        job.target.heal();
        world.engine().provision(job.app, ann.into(), ObjectKind::User).await.expect("it can be tried");
        world.set(ann, "jobTitle", "hush-two").await;
        let plan = format!("{:?}", job.plan().await);
        assert!(plan.contains(r#""value": String("[Redact]")"#) && !plan.contains("hush"), "{plan}");
        job.target.fail(|request| if request.body.is_some() { Fault::Repeated(400) } else { Fault::None });
        assert_eq!(job.cycle().await.failed, 1);
        // The manager alone is written when both have accounts.
        job.target.heal();
        job.until_calm().await;
        let boss = world.joins("Boss").await;
        world.set(ann, "manager", boss.to_string()).await;
        job.until_calm().await;
        world.assign(job.app, boss).await;
        job.target.fail(|request| if request.method == Method::Patch { Fault::Repeated(400) } else { Fault::None });
        assert_eq!(job.cycle().await.failed, 1);
        let logs: Vec<String> = job.logs().await.iter().map(|log| log.record.to_string()).collect();
        assert!(logs.len() >= 3 && logs.iter().all(|log| !log.contains("hush")), "{logs:?}");
        let app = job.app;
        let kept = world.store.scan(move |tx| store::links::escrows(tx, app, 10)).await.expect("they can be read");
        assert!(kept.len() == 1 && !format!("{kept:?}").contains("hush"), "{kept:?}");
    });
}

#[test]
fn who_is_left_out_at_creation_gets_no_account_and_keeps_the_one_there_is() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let source = "IIF(IsPresent([department]), [department], IgnoreObjectFlow)";
        job.map_user(json!({ "target": "nickName", "source": source, "flowType": "ObjectAddOnly" })).await;
        let ann = world.joins_for(job.app, "Ann").await;
        world.joins_for(job.app, "Bob").await;
        job.target.with(|app| app.add_user(&json!({ "userName": "bob@contoso.com" })));
        assert_eq!(job.plan().await.iter().filter(|one| one.method == Some("POST")).count(), 0);
        let report = job.until_calm().await;
        assert_eq!((report.created, report.updated, report.failed), (0, 1, 0));
        assert_eq!(job.target.with(|app| app.users.len()), 1);
        world.set(ann, "department", "Sales").await;
        assert_eq!(job.until_calm().await.created, 1);
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "nickName")), "Sales");
    });
}

#[test]
fn a_role_that_comes_in_several_ways_is_written_once() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let source = "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])";
        job.map_user(json!({ "target": "roles", "source": source })).await;
        let ann = world.joins_for(job.app, "Ann").await;
        for group in ["Sales", "Staff"] {
            let group = world.group_for(job.app, group).await;
            world.enters(group, ann).await;
        }
        job.until_calm().await;
        let roles = job.target.with(|app| app.user_attribute("ann@contoso.com", "roles"));
        assert_eq!(roles.as_array().map(Vec::len), Some(1), "{roles}");
    });
}

#[test]
fn a_value_that_nobody_else_has_is_found_at_the_application() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let source =
            r#"SelectUniqueValue(ToLower([surname], ), Join("", [givenName], "1"), Join("", [givenName], "2"))"#;
        job.map_user(json!({ "target": "nickName", "source": source, "flowType": "ObjectAddOnly" })).await;
        job.target.with(|app| app.add_user(&json!({ "userName": "old", "nickName": "EXAMPLE" })));
        let ann = world.joins_for(job.app, "Ann").await;
        let plan = format!("{:?}", job.plan().await);
        assert!(plan.contains(r#""nickName": String("Ann1")"#), "{plan}");
        assert_eq!(job.until_calm().await.created, 1);
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "nickName")), "Ann1");
        // What was chosen stays, whatever becomes free.
        job.target.with(|app| app.users.retain(|_, user| user.attributes["userName"] != "old"));
        world.set(ann, "jobTitle", "Chief").await;
        assert_eq!(job.until_calm().await.updated, 1);
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "nickName")), "Ann1");
    });
}

#[test]
fn two_who_join_at_once_do_not_get_one_value() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let source = r#"SelectUniqueValue([surname], Join("", [surname], "2"))"#;
        job.map_user(json!({ "target": "nickName", "source": source, "flowType": "ObjectAddOnly" })).await;
        for name in ["Ann", "Bob", "Cid"] {
            world.joins_for(job.app, name).await;
        }
        let report = job.cycle().await;
        assert_eq!((report.created, report.failed), (2, 1));
        let mut names = job
            .target
            .with(|app| app.users.values().map(|user| user.attributes["nickName"].to_string()).collect::<Vec<_>>());
        names.sort_unstable();
        assert_eq!(names, ["\"Example\"", "\"Example2\""]);
        let logs: String = job.logs().await.iter().map(|log| log.record.to_string()).collect();
        assert!(logs.contains("other accounts at the target have the 2 values that SelectUniqueValue gives"), "{logs}");
    });
}

#[test]
fn a_value_is_cleared_where_both_sides_say_so() {
    for (attribute, is_flagged, expected) in
        [("department", true, None), ("department", false, Some("Sales")), ("jobTitle", true, Some("Sales"))]
    {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            let mapping = json!({ "target": "nickName", "source": "[department]", "flowNullValues": is_flagged });
            job.map_user(mapping).await;
            job.map(|objects| objects[0].flow_null_values = [attribute.to_owned()].into()).await;
            let ann = world.joins_with("Ann", &[("department", "Sales")]).await;
            world.assign(job.app, ann).await;
            job.until_calm().await;
            job.target.take_requests();
            world.set(ann, "department", Value::Null).await;
            job.until_calm().await;
            let held = job.target.with(|app| app.user_attribute("ann@contoso.com", "nickName"));
            assert_eq!(held.as_str(), expected, "{attribute} {is_flagged}: {}", lines(&job.target.take_writes()));
            assert_eq!(job.until_calm().await.updated, 0);
        });
    }
}

#[test]
fn a_value_of_the_applications_own_is_kept() {
    for flow_type in ["AttributeAddOnly", "ValueAddOnly"] {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            job.map_user(json!({ "target": "nickName", "source": "[department]", "flowType": flow_type })).await;
            job.target.with(|app| {
                app.add_user(&json!({ "userName": "ann@contoso.com", "nickName": "own" }));
                app.add_user(&json!({ "userName": "bob@contoso.com" }));
            });
            for name in ["Ann", "Bob"] {
                let somebody = world.joins_with(name, &[("department", "Sales")]).await;
                world.assign(job.app, somebody).await;
            }
            job.until_calm().await;
            let nick_name = |user: &str| job.target.with(|app| app.user_attribute(user, "nickName"));
            assert_eq!((nick_name("ann@contoso.com"), nick_name("bob@contoso.com")), (json!("own"), json!("Sales")));
        });
    }
}

#[test]
fn what_is_only_added_to_is_not_emptied() {
    for (flow_type, is_emptied) in
        [("Always", true), ("MultiValueAddOnly", false), ("ValueAddOnly", false), ("AttributeAddOnly", false)]
    {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            job.change(JobChange { scope: Some(ScopeSetting::All), ..JobChange::default() }).await;
            let roles = "AssertiveAppRoleAssignmentsComplex([appRoleAssignments])";
            job.map_user(json!({ "target": "roles", "source": roles, "flowType": flow_type })).await;
            let nick = json!({ "target": "nickName", "source": "[department]", "flowType": flow_type, "flowNullValues": true });
            job.map_user(nick).await;
            job.map(|objects| objects[0].flow_null_values = ["department".to_owned()].into()).await;
            let ann = world.joins_with("Ann", &[("department", "Sales")]).await;
            world.assign(job.app, ann).await;
            job.until_calm().await;
            world.set(ann, "department", Value::Null).await;
            world.unassign(job.app, ann).await;
            job.until_calm().await;
            let held = |name: &str| job.target.with(|app| app.user_attribute("ann@contoso.com", name));
            assert_eq!((held("nickName").is_null(), held("roles").is_null()), (is_emptied, is_emptied), "{flow_type}");
        });
    }
}

#[test]
fn every_value_that_is_tried_in_secret_stays_so() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let source = r#"SelectUniqueValue(Redact("hush-one"), Redact("hush-two"))"#;
        job.map_user(json!({ "target": "nickName", "source": source, "flowType": "ObjectAddOnly" })).await;
        job.target.with(|app| app.add_user(&json!({ "userName": "old", "nickName": "hush-one" })));
        job.target.with(|app| app.add_user(&json!({ "userName": "older", "nickName": "hush-two" })));
        world.joins_for(job.app, "Ann").await;
        job.target.fail(|request| if request.path.contains("hush-two") { Fault::Repeated(400) } else { Fault::None });
        assert_eq!(job.cycle().await.failed, 1);
        let logs: String = job.logs().await.iter().map(|log| log.record.to_string()).collect();
        assert!(logs.contains("[Redact]") && !logs.contains("hush"), "{logs}");
        let app = job.app;
        let kept = world.store.scan(move |tx| store::links::escrows(tx, app, 10)).await.expect("they can be read");
        assert!(kept.len() == 1 && !format!("{kept:?}").contains("hush"), "{kept:?}");
    });
}
