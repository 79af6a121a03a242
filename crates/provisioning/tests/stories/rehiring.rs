//! Somebody leaves and is hired again: the directory knows a new object, the application the old account.

use jiff::SignedDuration;
use provisioning::JobChange;
use provisioning::target::Method;
use serde_json::{Value, json};
use store::{ObjectKind, ReadTx, UserId, links};

use crate::fake_target::{Fault, Nature};
use crate::telling::plan_and_run;
use crate::world::{Job, World, lines, on_both};

/// How often the store is looked at for something that comes soon.
const LOOKS_MAX: usize = 20_000;
/// Longer than the settle window.
const WINDOW: SignedDuration = SignedDuration::from_secs(130);

/// Hires Ann again, as somebody new.
async fn hired_again(world: &World, job: &Job<'_>) -> UserId {
    let ann = world.joins_with("Ann", &[("jobTitle", "Chief")]).await;
    world.assign(job.app, ann).await;
    ann
}

fn of_ann(job: &Job<'_>, attribute: &str) -> Value {
    job.target.with(|app| app.user_attribute("ann@contoso.com", attribute))
}

async fn calm(job: &Job<'_>) {
    job.target.take_requests();
    assert_eq!(job.cycle().await.requests, 0, "{:?}", job.target.take_requests());
}

#[test]
fn who_is_hired_again_gets_the_account_back_that_was_switched_off() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let before = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        let account = job.target.with(|app| app.user_id("ann@contoso.com"));
        world.deletes(before).await;
        assert_eq!(job.until_calm().await.disabled, 1);
        hired_again(&world, &job).await;
        let report = job.cycle().await;
        assert_eq!((report.created, report.updated, report.failed), (0, 1, 0));
        assert_eq!((of_ann(&job, "active"), of_ann(&job, "title")), (json!(true), json!("Chief")));
        assert_eq!(job.target.with(|app| app.user_id("ann@contoso.com")), account);
        calm(&job).await;
        // What becomes of the former object is nobody's business any more.
        world.purges(before).await;
        calm(&job).await;
        assert_eq!(of_ann(&job, "active"), true);
        assert!(job.log_lines().await.contains(&"other ann@contoso.com success".to_owned()));
    });
}

#[test]
fn a_leaver_and_a_joiner_in_one_cycle_come_to_one_account_that_is_on() {
    for template in ["scim", "netskope", "forcepoint-csg"] {
        for purged in [false, true] {
            for concurrency in [1, 8] {
                on_both(|world| async move {
                    let job = world.job(template, Nature::default()).await;
                    job.change(JobChange { concurrency: Some(concurrency), ..JobChange::default() }).await;
                    let before = world.joins_for(job.app, "Ann").await;
                    job.until_calm().await;
                    world.clock.advance(WINDOW);
                    world.deletes(before).await;
                    if purged {
                        world.purges(before).await;
                    }
                    hired_again(&world, &job).await;
                    if concurrency == 1 {
                        plan_and_run(&world, &job).await;
                    } else {
                        job.cycle().await;
                        // Who came while the other's account was being deleted may have to wait like after a create of
                        // unknown outcome.
                        world.clock.advance(WINDOW);
                    }
                    job.until_calm().await;
                    let told = format!("{template} {purged} {concurrency}");
                    let lines = job.log_lines().await;
                    assert_eq!(job.target.with(|app| app.users.len()), 1, "{told} {lines:?}");
                    assert_ne!(of_ann(&job, "active"), json!(false), "{told}");
                    let view = world.engine().job(job.app).await.expect("the job is there");
                    assert_eq!((view.users.linked, view.users.open, view.escrows), (1, 0, 0), "{told}");
                    assert!(!lines.iter().any(|line| line.contains("failure")), "{told} {lines:?}");
                });
            }
        }
    }
}

#[test]
fn a_joiner_is_not_linked_to_an_account_that_was_deleted_while_it_was_found() {
    // In time as it is: where waits pass at once, the answer would not be waited for.
    store::testing::on_both(|store| async move {
        let world = World::new(store, 1);
        let job = world.job("forcepoint-csg", Nature::default()).await;
        job.change(JobChange { concurrency: Some(8), ..JobChange::default() }).await;
        let before = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.clock.advance(WINDOW);
        world.deletes(before).await;
        world.purges(before).await;
        let ann = world.joins_for(job.app, "Ann").await;
        let mut is_found = false;
        job.target.fail(move |request| match request.method {
            Method::Delete => Fault::Held,
            Method::Get if request.path.contains("filter=") && request.path.contains("ann") && !is_found => {
                is_found = true;
                Fault::AnswerHeld
            }
            _ => Fault::None,
        });
        let app = job.app;
        let deletes = async {
            job.target.holds_answer().await;
            job.target.holds().await;
            job.target.frees();
            let has_link = move |tx: &mut ReadTx<'_>| links::link(tx, app, ObjectKind::User, before.into());
            let mut looks = 0;
            while world.store.read(has_link).await.expect("the store can be read").is_some() {
                looks += 1;
                assert!(looks < LOOKS_MAX, "the link is forgotten");
                tokio::task::yield_now().await;
            }
            job.target.frees_answer();
        };
        let (cycle, ()) = tokio::join!(job.try_cycle(), deletes);
        cycle.expect("it ends well");
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.users.len()), 1);
        let link = world.store.read(move |tx| links::link(tx, app, ObjectKind::User, ann.into())).await;
        let id = link.expect("the store can be read").and_then(|link| link.target_id).expect("she is linked");
        assert!(job.target.with(|app| app.users.contains_key(&id)), "to the account that is there");
    });
}

#[test]
fn a_joiner_who_is_looked_at_first_leaves_nothing_to_switch_off() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        // Made before the one who leaves, and assigned, but called otherwise until the other is gone.
        let heir = world.joins_with("Anna", &[("jobTitle", "Chief")]).await;
        let before = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.deletes(before).await;
        world.set(heir, "userPrincipalName", "ann@contoso.com").await;
        world.assign(job.app, heir).await;
        assert_eq!(plan_and_run(&world, &job).await, 1);
        assert_eq!((of_ann(&job, "active"), of_ann(&job, "title")), (json!(true), json!("Chief")));
        calm(&job).await;
    });
}

#[test]
fn a_live_object_never_loses_its_account_and_who_is_restored_does_not_take_it_back() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map(|objects| {
            let by_mail = json!({ "target": "userName", "source": "[mail]", "matchingPriority": 1, "required": true });
            let user_name = objects[0].attributes.iter_mut().find(|mapping| mapping.target == "userName");
            *user_name.expect("it is mapped") = serde_json::from_value(by_mail).expect("it is a mapping");
        })
        .await;
        let mail = ("mail", "ann@contoso.com");
        let first = world.joins_with("Ann", &[mail]).await;
        world.assign(job.app, first).await;
        job.until_calm().await;
        let second = world.joins_with("Bella", &[mail]).await;
        world.assign(job.app, second).await;
        job.cycle().await;
        let conflict = "other bella@contoso.com failure DuplicateSourceEntries".to_owned();
        assert!(job.log_lines().await.contains(&conflict));
        assert_eq!(of_ann(&job, "displayName"), "Ann Example");
        // The first leaves; the second waits in escrow for that, and is tried again.
        world.deletes(first).await;
        job.cycle().await;
        world.clock.advance(SignedDuration::from_hours(6));
        job.until_calm().await;
        assert_eq!((of_ann(&job, "displayName"), of_ann(&job, "active")), (json!("Bella Example"), json!(true)));
        world.restores(first).await;
        job.target.take_requests();
        job.cycle().await;
        assert_eq!(lines(&job.target.take_writes()), "");
        let conflict = "other ann@contoso.com failure DuplicateSourceEntries".to_owned();
        assert!(job.log_lines().await.contains(&conflict));
        assert_eq!(of_ann(&job, "displayName"), "Bella Example");
    });
}

#[test]
fn the_groups_of_the_former_are_not_those_of_the_new() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (sales, staff, board) = (
            world.group_for(job.app, "Sales").await,
            world.group_for(job.app, "Staff").await,
            world.group_for(job.app, "Board").await,
        );
        let before = world.joins("Ann").await;
        world.enters(sales, before).await;
        world.enters(staff, before).await;
        job.until_calm().await;
        world.deletes(before).await;
        job.until_calm().await;
        let again = hired_again(&world, &job).await;
        world.enters(staff, again).await;
        world.enters(board, again).await;
        // The account, out of one group, into another; it stays in the third.
        assert_eq!(plan_and_run(&world, &job).await, 3);
        let of = |group: &str| job.target.with(|app| app.member_names(group));
        assert_eq!((of("Sales").len(), of("Staff").len(), of("Board").len()), (0, 1, 1));
        calm(&job).await;
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").pending_references, 0);
    });
}

#[test]
fn a_write_about_the_former_that_may_still_arrive_is_waited_for() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let before = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.deletes(before).await;
        let late = Fault::Late(SignedDuration::from_secs(50));
        job.target.fail(move |request| if request.method == Method::Patch { late.clone() } else { Fault::None });
        job.cycle().await;
        job.target.heal();
        hired_again(&world, &job).await;
        assert!(job.cycle().await.waiting > 0);
        assert_eq!((of_ann(&job, "active"), of_ann(&job, "title")), (json!(false), Value::Null));
        world.clock.advance(WINDOW);
        job.until_calm().await;
        assert_eq!((of_ann(&job, "active"), of_ann(&job, "title")), (json!(true), json!("Chief")));
        assert_eq!(job.target.with(|app| app.users.len()), 1);
    });
}

#[test]
fn an_initial_cycle_takes_over_as_well() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let before = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.deletes(before).await;
        world.purges(before).await;
        hired_again(&world, &job).await;
        job.change(JobChange { restart: true, ..JobChange::default() }).await;
        plan_and_run(&world, &job).await;
        assert_eq!((of_ann(&job, "active"), of_ann(&job, "title")), (json!(true), json!("Chief")));
        calm(&job).await;
    });
}
