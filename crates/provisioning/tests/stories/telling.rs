//! What people are told: plans before anything is sent, single objects on demand, and the provisioning log.

use provisioning::{JobChange, MappingTrialOf, Predicted};
use serde_json::{Value, json};
use store::{ObjectKind, StoreError};

use crate::fake_target::{Fault, Nature, Recorded};
use crate::world::{Job, World, lines, on_both};
use provisioning::target::Method;

/// Method, path and body of each write that was predicted, with the ids of new accounts put in.
fn predicted(job: &Job<'_>, plan: &[Predicted]) -> Vec<String> {
    let mut text: Vec<String> = plan
        .iter()
        .filter_map(|one| {
            Some(format!("{} {} {}", one.method?, one.path.clone()?, one.body.clone().unwrap_or_default()))
        })
        .collect();
    let ids: Vec<(String, String)> = job.target.with(|app| {
        let users = app.users.iter().map(|(id, user)| (user.attributes["userName"].clone(), id.clone()));
        let groups = app.groups.iter().map(|(id, group)| (group.attributes["displayName"].clone(), id.clone()));
        users.chain(groups).map(|(name, id)| (format!("<id of {}>", name.as_str().unwrap_or_default()), id)).collect()
    });
    for line in &mut text {
        for (placeholder, id) in &ids {
            *line = line.replace(placeholder, id);
        }
    }
    text.sort();
    text
}

fn sent(writes: &[Recorded]) -> Vec<String> {
    let line = |one: &Recorded| format!("{} {} {}", one.method, one.path, one.body.clone().unwrap_or_default());
    let mut text: Vec<String> = writes.iter().map(line).collect();
    text.sort();
    text
}

/// Everything the job has in the store, in words.
async fn remembered(world: &World, job: &Job<'_>) -> String {
    let app = job.app;
    let read = move |tx: &mut store::ReadTx<'_>| {
        let mut links = Vec::new();
        for user in store::users::user_ids_after(tx, None, 1000)? {
            links.extend(store::links::link(tx, app, ObjectKind::User, user.into())?);
        }
        for group in store::groups::group_ids_after(tx, None, 1000)? {
            links.extend(store::links::link(tx, app, ObjectKind::Group, group.into())?);
        }
        for kind in [ObjectKind::User, ObjectKind::Group] {
            links.extend(store::links::orphaned_links(tx, app, kind, None, 1000)?);
        }
        let links = (links, store::links::escrows(tx, app, 1000)?);
        let job = store::jobs::job_by_app(tx, app)?;
        let logs = store::logs::logs_before(tx, app, None, 1000)?;
        Ok::<_, StoreError>(format!("{links:?} {job:?} {} {logs:?}", store::references::count(tx, app)?))
    };
    world.store.scan(read).await.expect("the store can be read")
}

/// Plans, then runs, and compares; gives how many writes there were.
pub async fn plan_and_run(world: &World, job: &Job<'_>) -> usize {
    job.target.take_requests();
    let before = remembered(world, job).await;
    let plan = job.plan().await;
    assert_eq!(lines(&job.target.take_writes()), "", "a plan sends reads only");
    assert_eq!(remembered(world, job).await, before, "a plan changes nothing");
    job.cycle().await;
    let writes = job.target.take_writes();
    assert_eq!(predicted(job, &plan), sent(&writes));
    writes.len()
}

#[test]
fn a_plan_foretells_exactly_what_the_next_cycle_writes() {
    for template in ["scim", "palo-alto-cie", "forcepoint-csg"] {
        on_both(|world| async move {
            let job = world.job(template, Nature::default()).await;
            let (ann, boss) = (world.joins_for(job.app, "Ann").await, world.joins_for(job.app, "Boss").await);
            let sales = world.group_for(job.app, "Sales").await;
            let (bob, eve) = (world.joins("Bob").await, world.joins("Eve").await);
            job.target.with(|app| app.add_user(&json!({ "userName": "eve@contoso.com", "displayName": "E" })));
            world.set(ann, "manager", boss.to_string()).await;
            for person in [ann, bob, eve] {
                world.enters(sales, person).await;
            }
            assert!(plan_and_run(&world, &job).await >= 6);
            // Everything at once: renamed, managed otherwise, blocked, gone, in and out of the group.
            world.set(boss, "manager", ann.to_string()).await;
            world.set(ann, "jobTitle", "Chief").await;
            world.set(bob, "accountEnabled", false).await;
            world.exits(sales, eve).await;
            world.enters(sales, boss).await;
            let zoe = world.joins("Zoe").await;
            world.enters(sales, zoe).await;
            world.set(zoe, "manager", boss.to_string()).await;
            world.set_group(sales, "displayName", "Sales EU").await;
            assert!(plan_and_run(&world, &job).await >= 4);
            assert_eq!(plan_and_run(&world, &job).await, 0);
            job.change(JobChange { restart: true, ..JobChange::default() }).await;
            assert_eq!(plan_and_run(&world, &job).await, 0);
        });
    }
}

#[test]
fn on_demand_the_application_is_read_and_everybody_in_a_group_is_written() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_with("Ann", &[("jobTitle", "Chief")]).await;
        world.assign(job.app, ann).await;
        let sales = world.group_for(job.app, "Sales").await;
        job.until_calm().await;
        job.target.with(|app| {
            for user in app.users.values_mut() {
                user.attributes.insert("title".to_owned(), "changed by hand".into());
            }
        });
        let done = world.engine().provision(job.app, ann.into(), ObjectKind::User).await.expect("nothing else runs");
        assert_eq!((done.action, done.status), ("update", "success"));
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "title")), "Chief");
        world.enters(sales, ann).await;
        let done = world.engine().provision(job.app, sales.into(), ObjectKind::Group).await.expect("nothing else runs");
        assert_eq!((done.action, done.status, done.references), ("update", "success", 1));
        assert_eq!(job.target.with(|app| app.member_names("Sales")), ["ann@contoso.com"]);
        // A reference that is refused is told, too.
        world.exits(sales, ann).await;
        job.target
            .fail(|request| if request.method == Method::Patch { Fault::Refused(400, None) } else { Fault::None });
        let done = world.engine().provision(job.app, sales.into(), ObjectKind::Group).await.expect("nothing else runs");
        assert_eq!((done.status, done.references), ("failure", 0));
    });
}

#[test]
fn who_joins_a_group_that_changes_too_is_told_once() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        job.until_calm().await;
        let ann = world.joins("Ann").await;
        world.enters(sales, ann).await;
        world.set_group(sales, "displayName", "Sales EU").await;
        let report = job.cycle().await;
        assert_eq!((report.created, report.updated, report.skipped), (1, 1, 0));
        assert_eq!(job.log_lines().await.iter().filter(|line| line.contains("ann@")).count(), 1);
    });
}

#[test]
fn a_plan_foretells_what_is_tried_again() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let (ann, bob) = (world.joins("Ann").await, world.joins("Bob").await);
        world.enters(sales, ann).await;
        world.enters(sales, bob).await;
        job.target.fail_once(Fault::Refused(400, None), |request| request.method == Method::Post);
        assert_eq!(job.cycle().await.failed, 1);
        assert_eq!(plan_and_run(&world, &job).await, 2);
    });
}

#[test]
fn a_plan_foretells_a_late_manager_and_an_account_that_is_gone() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        let boss = world.joins("Boss").await;
        world.set(ann, "manager", boss.to_string()).await;
        job.until_calm().await;
        world.assign(job.app, boss).await;
        assert_eq!(plan_and_run(&world, &job).await, 2);
        world.clock.advance(jiff::SignedDuration::from_secs(130));
        job.target.with(|app| app.users.retain(|_, user| user.attributes["userName"] != "boss@contoso.com"));
        world.set(boss, "jobTitle", "Chief").await;
        assert_eq!(plan_and_run(&world, &job).await, 2);
    });
}

#[test]
fn a_plan_tells_who_would_fail() {
    on_both(|world| async move {
        let job = world.job("palo-alto-cie", Nature::default()).await;
        let ann = world.joins("Ann").await;
        world.set(ann, "surname", "").await;
        world.assign(job.app, ann).await;
        let plan = job.plan().await;
        assert_eq!((plan.len(), plan[0].action, plan[0].method), (1, "failure", None));
        assert!(plan[0].reason.as_ref().is_some_and(|reason| reason.starts_with("MandatoryFieldsMissing")));
    });
}

#[test]
fn one_person_on_demand_is_provisioned_now_and_nobody_else() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, bob) = (world.joins_for(job.app, "Ann").await, world.joins_for(job.app, "Bob").await);
        let stranger = world.joins("Stranger").await;
        let engine = world.engine();
        let report = engine.provision(job.app, ann.into(), ObjectKind::User).await.expect("nothing else runs");
        assert_eq!((report.action, report.status), ("create", "success"));
        let log = report.log.unwrap_or_default();
        assert_eq!(log["sourceIdentity"]["displayName"], "ann@contoso.com");
        let report = engine.provision(job.app, ann.into(), ObjectKind::User).await.expect("nothing else runs");
        assert_eq!(
            (report.action, report.status, report.reason.as_deref()),
            ("other", "skipped", Some("RedundantExport"))
        );
        let report = engine.provision(job.app, stranger.into(), ObjectKind::User).await.expect("nothing else runs");
        assert!(report.reason.is_some_and(|reason| reason.starts_with("NotEffectivelyEntitled")));
        assert_eq!(job.target.with(|app| app.users.len()), 1);
        let sales = world.group_for(job.app, "Sales").await;
        world.enters(sales, ann).await;
        world.enters(sales, bob).await;
        engine.provision(job.app, sales.into(), ObjectKind::Group).await.expect("nothing else runs");
        assert_eq!(job.target.with(|app| app.member_names("Sales")), ["ann@contoso.com"]);
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.member_names("Sales")), ["ann@contoso.com", "bob@contoso.com"]);
    });
}

#[test]
fn the_log_has_one_record_for_each_object_and_action_with_its_steps() {
    on_both(|world| async move {
        let job = world.job("netskope", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.set(ann, "surname", "Lee").await;
        job.until_calm().await;
        world.unassign(job.app, ann).await;
        job.until_calm().await;
        assert_eq!(
            job.log_lines().await,
            ["create ann@contoso.com success", "update ann@contoso.com success", "disable ann@contoso.com success"]
        );
        let logs = job.logs().await;
        let steps = |record: &Value| -> Vec<Value> {
            let steps = record["provisioningSteps"].as_array().cloned().unwrap_or_default();
            steps.into_iter().map(|step| step["name"].clone()).collect()
        };
        assert_eq!(
            steps(&logs[0].record),
            ["EntryImport", "EntrySynchronizationScoping", "EntryImport", "EntryExportAdd"]
        );
        assert_eq!(steps(&logs[2].record).last(), Some(&json!("EntryExportUpdate")));
        assert_eq!(
            logs[1].record["modifiedProperties"],
            json!([{ "displayName": "name.familyName", "oldValue": "Example", "newValue": "Lee" }])
        );
        for field in ["changeId", "cycleId", "jobId", "activityDateTime", "servicePrincipal", "targetIdentity"] {
            assert!(!logs[1].record[field].is_null(), "{field}");
        }
    });
}

#[test]
fn values_that_are_redacted_are_nowhere_in_the_log() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map(|objects| {
            for mapping in objects[0].attributes.iter_mut().filter(|mapping| mapping.target == "title") {
                let text = json!({ "target": "title", "source": "Redact([jobTitle])" });
                *mapping = serde_json::from_value(text).expect("it is a mapping");
            }
        })
        .await;
        let ann = world.joins_with("Ann", &[("jobTitle", "hush-one")]).await;
        world.assign(job.app, ann).await;
        job.until_calm().await;
        world.set(ann, "jobTitle", "hush-two").await;
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "title")), "hush-two");
        let logs: Vec<String> = job.logs().await.iter().map(|log| log.record.to_string()).collect();
        assert!(logs.iter().all(|log| !log.contains("hush")), "{logs:?}");
        assert!(logs.iter().all(|log| log.contains("[Redact]")), "{logs:?}");
    });
}

/// What one mapping redacts is in no failure of another one, whatever it does with it.
#[test]
fn a_failure_tells_nothing_that_another_mapping_redacts() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map_user(json!({ "target": "title", "source": "Redact([jobTitle])" })).await;
        let ann = world.joins_with("Ann", &[("jobTitle", "hush-one"), ("city", "HUSH-ONE")]).await;
        world.assign(job.app, ann).await;
        let mut count = 0;
        for (nick_name, active) in [
            ("CDate([jobTitle])", "\"True\""),
            ("CDate([city])", "\"True\""),
            ("[givenName]", "[jobTitle]"),
            ("[givenName]", "Mid([jobTitle], 1, 6)"),
            ("[givenName]", "[city]"),
        ] {
            let source = format!("{nick_name} {active}");
            job.map_user(json!({ "target": "nickName", "source": nick_name })).await;
            job.map_user(json!({ "target": "active", "source": active })).await;
            assert_eq!(job.cycle().await.failed, 1, "{source}");
            let report =
                world.engine().provision(job.app, ann.into(), ObjectKind::User).await.expect("it can be tried");
            let reason = report.reason.expect("there is a reason").to_lowercase();
            assert!(
                !reason.contains("hush") && (reason.contains("active") || reason.contains("nickname")),
                "{source}: {reason}"
            );
            let logs: Vec<String> = job.logs().await.iter().map(|log| log.record.to_string().to_lowercase()).collect();
            assert!(logs.iter().all(|log| !log.contains("hush")), "{source}: {logs:?}");
            assert!(logs.len() > count, "{source} is logged");
            count = logs.len();
        }
    });
}

#[test]
fn trying_mappings_tells_nothing_secret_that_the_target_repeats() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map_user(json!({ "target": "title", "source": "Redact([jobTitle])" })).await;
        let ann = world.joins_with("Ann", &[("jobTitle", "hush-one")]).await;
        world.assign(job.app, ann).await;
        job.until_calm().await;
        let ben = world.joins_with("Ben", &[("jobTitle", "hush-one")]).await;
        job.target.fail(|_| Fault::Repeated(400));
        for (who, asks) in [(ann, "read by its id"), (ben, "found by its name")] {
            let wanted =
                MappingTrialOf { app: job.app, kind: ObjectKind::User, id: who.into(), draft: None, update: true };
            let error = world.engine().try_mappings(&wanted).await.expect_err("the target refuses").to_string();
            assert!(error.contains("[Redact]") && !error.contains("hush"), "{asks}: {error}");
        }
    });
}
