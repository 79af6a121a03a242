//! What administrators set, two at a time too, and what they are told of a job and its cycles.

use std::sync::Arc;

use jiff::SignedDuration;
use provisioning::target::Method;
use provisioning::{Dialect, JobChange, JobError, JobStatus, LogFilter};
use serde_json::json;
use tokio::sync::Notify;

use crate::fake_target::{Fault, Nature};
use crate::world::{Job, World, lines, on_both};

async fn last_state(world: &World, job: &Job<'_>) -> (bool, String, bool) {
    let view = world.engine().job(job.app).await.expect("the job is there");
    let cycle = view.last_cycle.expect("there was a cycle");
    (view.running, cycle.state, cycle.ended.is_some())
}

#[test]
fn two_changes_at_a_time_are_both_kept() {
    // In time as it is: where waits pass at once, the first change would not wait for the second.
    store::testing::on_both(|store| async move {
        let world = World::new(store, 1);
        let job = world.job("scim", Nature::default()).await;
        let engine = world.engine();
        // The first change waits for its connection test while the second is made.
        job.target.fail_once(Fault::Held, |_| true);
        let token = JobChange { secret_token: Some("new".to_owned()), ..JobChange::default() };
        let timing = JobChange { interval_seconds: Some(77), status: Some(JobStatus::Off), ..JobChange::default() };
        let second = async {
            job.target.holds().await;
            let changed = engine.change_job(job.app, timing).await;
            job.target.frees();
            changed
        };
        let (first, second) = tokio::join!(engine.change_job(job.app, token), second);
        second.expect("the second change is made");
        let view = first.expect("the first change is made to what the second left");
        assert_eq!((view.interval_seconds, view.status), (77, JobStatus::Off));
        // And the other way round: neither takes the other's back.
        let (one, other) = tokio::join!(
            engine.change_job(job.app, JobChange { concurrency: Some(3), ..JobChange::default() }),
            engine.change_job(job.app, JobChange { interval_seconds: Some(88), ..JobChange::default() }),
        );
        one.expect("the change is made");
        other.expect("the change is made");
        let view = engine.job(job.app).await.expect("the job is there");
        assert_eq!((view.concurrency, view.interval_seconds), (3, 88));
    });
}

#[test]
fn a_cycle_that_runs_while_the_address_changes_ends_and_leaves_no_trace_of_the_old_target() {
    // In time as it is: where waits pass at once, the cycle would know of its end before its request is answered.
    store::testing::on_both(|store| async move {
        let world = World::new(store, 1);
        let job = world.job("scim", Nature::default()).await;
        for name in ["Ann", "Bob"] {
            world.joins_for(job.app, name).await;
        }
        let (new, url) = world.target("new", Nature::default());
        // At the new address this is the id that Ann has at the old one.
        new.with(|app| app.add_user(&json!({ "userName": "stranger@contoso.com" })));
        job.target.fail_once(Fault::Held, |request| request.method == Method::Post);
        let moves = async {
            job.target.holds().await;
            job.moves_to(url).await;
            let refused = job.try_cycle().await.expect_err("the cycle still runs");
            job.target.frees();
            refused
        };
        let (ended, refused) = tokio::join!(job.try_cycle(), moves);
        let ended = ended.expect_err("it cannot go on").to_string();
        assert!(ended.contains("the Tenant URL was changed"), "{ended}");
        assert!(matches!(refused, JobError::Busy), "{refused}");
        assert_eq!(job.target.take_writes().len(), 1, "what had been sent, and nothing more");
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").users.linked, 0);
        new.take_requests();
        job.until_calm().await;
        assert_eq!(lines(&job.target.take_requests()), "");
        let writes: Vec<_> = new.take_writes().iter().map(|one| format!("{} {}", one.method, one.path)).collect();
        assert_eq!(writes, ["POST /Users", "POST /Users"]);
        assert_eq!(new.with(|app| app.users.len()), 3);
    });
}

#[test]
fn whoever_waits_for_the_old_target_ends_when_there_is_a_new_one() {
    for on_demand in [false, true] {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            let ann = world.joins_for(job.app, "Ann").await;
            let (_, url) = world.target("new", Nature::default());
            job.target.fail_once(Fault::Held, |request| request.method == Method::Post);
            let engine = world.engine();
            let waits = async {
                if on_demand {
                    return engine.provision(job.app, ann.into(), store::ObjectKind::User).await.map(drop);
                }
                job.try_cycle().await.map(drop)
            };
            let moves = async {
                job.target.holds().await;
                job.moves_to(url).await;
            };
            let (ended, ()) = tokio::join!(waits, moves);
            assert!(matches!(ended, Err(JobError::LeaseLost)), "{ended:?}");
        });
    }
}

#[test]
fn the_old_target_puts_no_job_in_quarantine_that_has_a_new_one() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        let (_, url) = world.target("new", Nature::default());
        let asked = Arc::new(Notify::new());
        let is_asked = Arc::clone(&asked);
        job.target.fail(move |_| {
            is_asked.notify_one();
            Fault::Unreachable
        });
        let moves = async {
            asked.notified().await;
            job.moves_to(url).await;
        };
        let (ended, ()) = tokio::join!(job.try_cycle(), moves);
        ended.expect_err("nobody answers at the old address");
        let view = world.engine().job(job.app).await.expect("the job is there");
        assert_eq!((view.status, view.quarantine), (JobStatus::On, None));
    });
}

#[test]
fn the_same_mappings_are_no_reason_to_look_at_everything_again() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        job.map(|_| {}).await;
        let report = job.cycle().await;
        assert_eq!((report.cycle, report.requests), ("incremental", 0));
        job.map(|objects| objects[0].attributes.retain(|one| one.target != "title")).await;
        assert_eq!(job.cycle().await.cycle, "initial");
    });
}

#[test]
fn another_server_comes_with_its_token() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (elsewhere, url) = world.target("elsewhere", Nature::default());
        let change = JobChange { tenant_url: Some(url.clone()), interval_seconds: Some(77), ..JobChange::default() };
        let engine = world.engine();
        assert!(engine.lacks_token(job.app, &change).await.expect("the job is there"));
        let refused = engine.change_job(job.app, change).await.expect_err("its token is missing");
        assert!(matches!(refused, JobError::TokenNeeded), "{refused}");
        assert_eq!(lines(&elsewhere.take_requests()), "", "the stored token was sent");
        assert_ne!(engine.job(job.app).await.expect("the job is there").interval_seconds, 77);
        job.moves_to(url.clone()).await;
        let below = JobChange { tenant_url: Some(format!("{url}/")), ..JobChange::default() };
        assert!(!engine.lacks_token(job.app, &below).await.expect("the job is there"), "the server is the same");
    });
}

#[test]
fn settings_that_were_wrong_before_keep_nobody_from_switching_a_job_off() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (app, engine) = (job.app, world.engine());
        let spoilt = world.store.write(move |tx| {
            let record = store::jobs::job_by_app(tx, app)?.expect("the job is there");
            let settings = record.settings.replace("[jobTitle]", "[jobTitel]");
            store::jobs::update_job(tx, app, &settings, &record.secret, record.version)
        });
        assert!(spoilt.await.expect("it is written"));
        let off = JobChange { status: Some(JobStatus::Off), ..JobChange::default() };
        let slow = JobChange { interval_seconds: Some(0), ..JobChange::default() };
        let same = engine.mappings(app).await.expect("they are read");
        let mut others = same.clone();
        let of_name = others[0].attributes.iter_mut().find(|mapping| mapping.target == "displayName");
        of_name.expect("it is mapped").default_value = Some("Somebody".to_owned());
        let to = |objects| JobChange { objects: Some(objects), ..JobChange::default() };
        assert_eq!(engine.change_job(app, off).await.expect("it is allowed").status, JobStatus::Off);
        let refused = engine.change_job(app, slow).await.expect_err("that is not").to_string();
        assert_eq!(refused, "the interval must be from 1 to 2592000 seconds");
        engine.change_job(app, to(same)).await.expect("what it has already is no change");
        let refused = engine.change_job(app, to(others)).await.expect_err("nor is that").to_string();
        assert!(refused.ends_with("did you mean `jobTitle`?"), "{refused}");
    });
}

#[test]
fn the_audit_log_says_what_changed_and_holds_no_token() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (_, url) = world.target("new", Nature::default());
        job.change(JobChange {
            tenant_url: Some(url.clone()),
            secret_token: Some("geheim".to_owned()),
            // As it is already.
            exclude_default_access: Some(false),
            interval_seconds: Some(77),
            status: Some(JobStatus::Off),
            add_roles: vec!["Guest".to_owned()],
            ..JobChange::default()
        })
        .await;
        let records = world.store.scan(|tx| store::audit::audit_before(tx, None, 10)).await.expect("it can be read");
        let details: Vec<serde_json::Value> =
            records.iter().map(|record| serde_json::from_str(&record.detail).expect("it is JSON")).collect();
        assert!(!format!("{details:?}").contains("geheim"));
        let moved = details.into_iter().find(|detail| detail["tenantUrl"].is_object());
        assert_eq!(
            moved.expect("the change is told of"),
            json!({
                "settings": ["intervalSeconds", "secretToken", "tenantUrl", "status", "addRoles"],
                "tenantUrl": { "old": "https://scim.example.com/scim", "new": url },
                "status": "off",
                "addRoles": ["Guest"],
            })
        );
    });
}

#[test]
fn quarantine_is_nobodys_setting() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let change = JobChange { status: Some(JobStatus::Quarantine), ..JobChange::default() };
        let refused = world.engine().change_job(job.app, change).await;
        assert!(matches!(refused, Err(JobError::Invalid(_))));
        world.joins_for(job.app, "Ann").await;
        job.target.fail(|_| Fault::Unreachable);
        job.try_cycle().await.expect_err("nobody answers");
        for (status, shown) in [(JobStatus::Off, JobStatus::Off), (JobStatus::On, JobStatus::Quarantine)] {
            job.change(JobChange { status: Some(status), ..JobChange::default() }).await;
            let view = world.engine().job(job.app).await.expect("the job is there");
            assert_eq!((view.status, view.quarantine.is_some()), (shown, true));
        }
        job.target.heal();
        job.until_calm().await;
        let view = world.engine().job(job.app).await.expect("the job is there");
        assert_eq!((view.status, view.quarantine), (JobStatus::On, None));
    });
}

#[test]
fn a_cycle_whose_process_died_is_told_as_interrupted() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        job.target.fail_once(Fault::CrashBefore, |request| request.method == Method::Post);
        tokio::select! {
            biased;
            () = job.target.crashed() => {}
            _ = job.try_cycle() => panic!("the crash comes first"),
        }
        world.comes_to_rest().await;
        assert_eq!(last_state(&world, &job).await, (true, "running".to_owned(), false));
        world.clock.advance(SignedDuration::from_secs(120));
        assert_eq!(last_state(&world, &job).await, (false, "interrupted".to_owned(), false));
        job.target.heal();
        job.until_calm().await;
        let app = job.app;
        let cycles = world.store.scan(move |tx| store::jobs::cycles(tx, app, 10)).await.expect("they can be read");
        let first = cycles.last().expect("there was a cycle");
        assert_eq!((first.state.as_str(), first.ended.is_some()), ("interrupted", true));
        assert!(cycles.iter().all(|cycle| cycle.state != "running"), "{cycles:?}");
    });
}

#[test]
fn a_cycle_that_was_stopped_is_told_as_interrupted() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        let engine = world.engine();
        engine.stop();
        let stopped = engine.run_cycle(job.app, Arc::new(|_| {})).await;
        assert!(matches!(stopped, Err(JobError::Stopped)), "{stopped:?}");
        assert_eq!(last_state(&world, &job).await, (false, "interrupted".to_owned(), true));
        world.clock.advance(SignedDuration::from_secs(1));
        job.until_calm().await;
        assert_eq!(last_state(&world, &job).await.1, "succeeded");
    });
}

#[test]
fn an_application_that_never_answers_is_asked_once_by_a_connection_test() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.target.fail(|_| Fault::Silent);
        let error = world.engine().test_connection(job.app).await.expect_err("nobody answers");
        assert!(error.to_string().contains("no answer in time; check the Tenant URL"), "{error}");
        assert_eq!(job.target.take_requests().len(), 1, "one request has all the time there is");
        // The same before the first request of a cycle.
        world.joins_for(job.app, "Ann").await;
        job.target.take_requests();
        assert!(matches!(job.try_cycle().await, Err(JobError::Connection(_))));
        assert_eq!(job.target.take_requests().len(), 1);
    });
}

#[test]
fn what_the_application_asks_to_wait_is_not_held_against_it() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.target.fail_once(Fault::Refused(429, Some(120)), |_| true);
        world.engine().test_connection(job.app).await.expect("it answers after the wait it asked for");
    });
}

#[test]
fn an_application_that_does_not_take_a_dialect_is_told_of_with_the_cure() {
    for (dialect, kind, hinted) in [
        (Dialect::Entra, "invalidPath", true),
        (Dialect::Entra, "invalidValue", true),
        (Dialect::Entra, "invalidSyntax", true),
        (Dialect::Entra, "uniqueness", false),
        (Dialect::Rfc, "invalidPath", false),
    ] {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            job.change(JobChange { dialect: Some(dialect), ..JobChange::default() }).await;
            world.joins_for(job.app, "Ann").await;
            job.target.fail(
                move |request| {
                    if request.method == Method::Post { Fault::Malformed(kind) } else { Fault::None }
                },
            );
            assert_eq!(job.cycle().await.failed, 1);
            let told = job.logs().await[0].record["provisioningStatusInfo"]["errorInformation"]["reason"].to_string();
            assert_eq!(told.contains("--dialect rfc"), hinted, "{dialect:?} {kind} {told}");
        });
    }
}

#[test]
fn the_log_of_one_object_in_one_application_is_found_among_many() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let other = world.job_named("other", "scim", Nature::default(), None).await;
        let (ann, bob) = (world.joins_for(job.app, "Ann").await, world.joins_for(job.app, "Bob").await);
        world.assign(other.app, ann).await;
        for round in 0..12 {
            for (user, name) in [(ann, "a"), (bob, "b")] {
                world.set(user, "jobTitle", format!("{name}{round}")).await;
            }
            job.cycle().await;
            other.cycle().await;
        }
        let of = |app, limit| {
            let engine = world.engine();
            let wanted = LogFilter { source: Some(ann.into()), ..LogFilter::default() };
            async move { engine.logs(app, wanted, None, limit).await.expect("the log can be read").records }
        };
        let logs = of(job.app, 5).await;
        assert_eq!((logs.len(), logs.iter().all(|log| log.object == "ann@contoso.com")), (5, true));
        let id = job.app.to_string();
        assert!(logs.iter().all(|log| log.record["servicePrincipal"]["id"] == id.as_str()));
        assert!(logs.is_sorted_by(|newer, older| newer.id > older.id));
        assert_eq!((of(job.app, 99).await.len(), of(other.app, 99).await.len()), (12, 12));

        let whole = job.logs().await.len();
        let (mut found, mut before, mut looked) = (Vec::new(), None, 0);
        loop {
            let wanted = LogFilter { status: Some("success"), ..LogFilter::default() };
            let page = world.engine().logs(job.app, wanted, before, 5).await.expect("the log can be read");
            looked += 5;
            found.extend(page.records);
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert!(looked <= whole + 5 && found.is_sorted_by(|newer, older| newer.id > older.id));
        let succeeded = job.logs().await.iter().filter(|log| log.status == "success").count();
        assert_eq!((found.len(), found.iter().all(|log| log.status == "success")), (succeeded, true));
    });
}

#[test]
fn a_group_on_demand_is_told_by_its_first_record_however_many_members_follow() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let mut users = Vec::new();
        for number in 0..15 {
            users.push(world.joins(&format!("P{number}")).await);
        }
        let sales = world.group("Sales").await;
        for user in users {
            world.assign(job.app, user).await;
            world.enters(sales, user).await;
        }
        job.until_calm().await;
        world.assign_group(job.app, sales).await;
        let clock = world.clock.clone();
        // It does not take several members at once, so each has a record of its own.
        job.target.fail(move |request| {
            clock.advance(SignedDuration::from_millis(1));
            let body = request.body.as_deref().unwrap_or_default();
            let several = String::from_utf8_lossy(body).matches("\"value\":\"u").count() > 1;
            if several { Fault::Refused(400, None) } else { Fault::None }
        });
        let report = world.engine().provision(job.app, sales.into(), store::ObjectKind::Group).await;
        let report = report.expect("nothing else runs");
        assert_eq!(report.log.unwrap_or_default()["provisioningAction"], "create");
    });
}

#[test]
fn a_job_whose_mappings_count_as_wrong_by_now_goes_on_and_tells_of_it() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (app, engine) = (job.app, world.engine());
        let ann = world.joins_for(app, "Ann").await;
        job.until_calm().await;
        let spoilt = world.store.write(move |tx| {
            let record = store::jobs::job_by_app(tx, app)?.expect("the job is there");
            let mut settings: serde_json::Value = serde_json::from_str(&record.settings).expect("they are JSON");
            let twice = json!({ "target": "urn:ietf:params:scim:schemas:core:2.0:User:title", "source": "[jobTitle]" });
            settings["objects"][0]["attributes"].as_array_mut().expect("it is a list").push(twice);
            store::jobs::update_job(tx, app, &settings.to_string(), &record.secret, record.version)
        });
        assert!(spoilt.await.expect("it is written"));
        let problems = engine.job(app).await.expect("the job is there").problems;
        assert!(problems.len() == 1 && problems[0].contains("the same attribute as `title`"), "{problems:?}");
        world.set(ann, "accountEnabled", false).await;
        assert_eq!(job.cycle().await.disabled, 1);
        let mut others = engine.mappings(app).await.expect("they are read");
        let of_name = others[0].attributes.iter_mut().find(|mapping| mapping.target == "displayName");
        of_name.expect("it is mapped").default_value = Some("Somebody".to_owned());
        let refused = engine.change_job(app, JobChange { objects: Some(others), ..JobChange::default() }).await;
        refused.expect_err("it is not saved like this");
        // Without an attribute to match by there is nothing to work with.
        let spoilt = world.store.write(move |tx| {
            let record = store::jobs::job_by_app(tx, app)?.expect("the job is there");
            let mut settings: serde_json::Value = serde_json::from_str(&record.settings).expect("they are JSON");
            let mappings = settings["objects"][0]["attributes"].as_array_mut().expect("it is a list");
            for mapping in mappings {
                mapping.as_object_mut().expect("it is a mapping").remove("matchingPriority");
            }
            store::jobs::update_job(tx, app, &settings.to_string(), &record.secret, record.version)
        });
        assert!(spoilt.await.expect("it is written"));
        let refused = job.try_cycle().await.expect_err("nobody can be found").to_string();
        assert!(refused.contains("no mapping of users matches objects"), "{refused}");
    });
}
