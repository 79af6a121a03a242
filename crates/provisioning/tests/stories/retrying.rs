//! What an initial cycle does about what earlier ones have left, and how failures are told.

use jiff::SignedDuration;
use provisioning::JobChange;
use provisioning::target::Method;
use serde_json::json;

use crate::fake_target::{Fault, Nature};
use crate::world::{Job, World, on_both};

/// What an initial cycle writes to the log.
async fn restarted(job: &Job<'_>) -> Vec<String> {
    job.change(JobChange { restart: true, ..JobChange::default() }).await;
    let known = job.logs().await.len();
    job.world.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(job.cycle().await.cycle, "initial");
    job.log_lines().await.split_off(known)
}

#[test]
fn an_initial_cycle_takes_each_object_once_also_where_it_failed_before() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, _) = (world.joins_for(job.app, "Ann").await, world.joins_for(job.app, "Bob").await);
        job.until_calm().await;
        job.target
            .fail(|request| if request.method == Method::Patch { Fault::Refused(400, None) } else { Fault::None });
        world.set(ann, "jobTitle", "Chief").await;
        world.joins_for(job.app, "Cem").await;
        assert_eq!(job.cycle().await.failed, 1);
        job.target.heal();
        job.target.take_requests();
        let told = restarted(&job).await;
        assert_eq!(
            told.iter().filter(|line| line.contains("ann@")).collect::<Vec<_>>(),
            ["update ann@contoso.com success"]
        );
        let about_ann = job.target.with(|app| app.user_id("ann@contoso.com")).expect("she has an account");
        let requests = job.target.take_requests().iter().filter(|one| one.path.contains(&about_ann)).count();
        assert_eq!(requests, 2, "one to read, one to write");
    });
}

#[test]
fn an_initial_cycle_takes_an_object_whose_write_is_open_once() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        job.target.fail(|request| if request.method == Method::Patch { Fault::AnswerLost } else { Fault::None });
        world.set(ann, "jobTitle", "Chief").await;
        job.cycle().await;
        job.target.heal();
        world.clock.advance(SignedDuration::from_secs(300));
        job.target.take_requests();
        assert_eq!(restarted(&job).await.len(), 1);
        let id = job.target.with(|app| app.user_id("ann@contoso.com")).expect("she has an account");
        assert_eq!(job.target.take_requests().iter().filter(|one| one.path.contains(&id)).count(), 1);
    });
}

#[test]
fn a_failing_mapping_is_told_as_what_was_to_be_done() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        job.map_user(json!({ "target": "title", "source": "CDate([jobTitle])" })).await;
        job.map_user(
            json!({ "target": "active", "source": "IIF([IsSoftDeleted] = \"True\", CDate([jobTitle]), \"True\")" }),
        )
        .await;
        world.set(ann, "jobTitle", "foo").await;
        let bob = world.joins_for(job.app, "Bob").await;
        world.set(bob, "jobTitle", "foo").await;
        let known = job.logs().await.len();
        world.clock.advance(SignedDuration::from_secs(1));
        job.cycle().await;
        let mut told = job.log_lines().await.split_off(known);
        told.sort();
        let failing = "failure AttributeMappingEvaluation";
        assert_eq!(told, [format!("create bob@contoso.com {failing}"), format!("update ann@contoso.com {failing}")]);
        let last = job.logs().await.pop().expect("there is a log");
        let reason = last.record["provisioningStatusInfo"]["errorInformation"]["reason"].to_string();
        assert!(reason.contains("it was called as CDate([jobTitle]), where [jobTitle] is"), "{reason}");
        world.unassign(job.app, ann).await;
        let known = job.logs().await.len();
        world.clock.advance(SignedDuration::from_secs(1));
        job.cycle().await;
        let told = job.log_lines().await.split_off(known);
        assert!(told.contains(&format!("disable ann@contoso.com {failing}")), "{told:?}");
    });
}

/// What is told of Ann, who leaves while this mapping of hers fails, and whether she is kept for another attempt.
async fn told_of_a_leaver(world: &World, template: &str, target: &str, how: &str) -> (Vec<String>, u64) {
    let job = world.job(template, Nature::default()).await;
    let ann = world.joins_for(job.app, "Ann").await;
    job.until_calm().await;
    world.set(ann, "jobTitle", "foo").await;
    world.unassign(job.app, ann).await;
    if how == "let go before" {
        job.until_calm().await;
    }
    job.map(|objects| {
        objects[0].flow_types.update = how != "without Update";
        let failing = objects[0].attributes.iter_mut().find(|mapping| mapping.target == target);
        let source = match target {
            "active" => "IIF([IsSoftDeleted] = \"True\", CDate([jobTitle]), \"True\")",
            _ => "CDate([jobTitle])",
        };
        failing.expect("it is mapped").source = source.parse().expect("it is an expression");
    })
    .await;
    let known = job.logs().await.len();
    world.clock.advance(SignedDuration::from_secs(1));
    job.cycle().await;
    let told = job.log_lines().await.split_off(known);
    (told, world.engine().job(job.app).await.expect("the job is there").escrows)
}

#[test]
fn a_failure_about_who_left_is_told_as_what_was_to_be_done_and_who_is_let_go_fails_no_more() {
    for (template, target, how, told, kept) in [
        ("scim", "active", "", "disable ann@contoso.com failure AttributeMappingEvaluation", 1),
        ("scim", "active", "without Update", "other ann@contoso.com failure AttributeMappingEvaluation", 1),
        ("scim", "active", "let go before", "other ann@contoso.com skipped", 0),
        ("scim", "userName", "", "disable ann@contoso.com success", 0),
        ("forcepoint-csg", "userName", "", "delete ann@contoso.com success", 0),
    ] {
        on_both(|world| async move {
            let was_told = told_of_a_leaver(&world, template, target, how).await;
            assert_eq!(was_told, (vec![told.to_owned()], kept), "{template} {target} {how}");
        });
    }
}
