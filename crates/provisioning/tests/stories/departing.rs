//! Trying mappings on people who are out of scope tells what a cycle would do about their accounts, and which of their mappings it would ask.

use mapping::AttributeMapping;
use provisioning::trial::{AttributeTrial, Effect};
use provisioning::{Departure, MappingTrial, MappingTrialOf};
use serde_json::json;
use store::{ObjectKind, UserId};

use crate::fake_target::Nature;
use crate::staying::{KEEPING, leaves};
use crate::world::{Job, on_both};

async fn tried(job: &Job<'_>, ann: UserId) -> MappingTrial {
    let wanted = MappingTrialOf { app: job.app, kind: ObjectKind::User, id: ann.into(), draft: None, update: true };
    job.world.engine().try_mappings(&wanted).await.expect("it can be tried")
}

/// What is told would become of Ann's account.
async fn departure(job: &Job<'_>, ann: UserId) -> (Option<Departure>, usize) {
    let trial = tried(job, ann).await;
    let written = trial.attributes.iter().filter(|one| matches!(one.effect, Effect::Change { .. }));
    (trial.departure, written.count())
}

#[test]
fn trying_mappings_tells_what_becomes_of_the_account_of_who_is_out_of_scope() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        assert_eq!(departure(&job, ann).await, (None, 0));
        world.set(ann, "jobTitle", "Chief").await;
        world.unassign(job.app, ann).await;
        assert_eq!(departure(&job, ann).await, (Some(Departure::Disable), 1), "active alone, not the title");
        job.cycle().await;
        let (told, written) = departure(&job, ann).await;
        assert!(
            matches!(&told, Some(Departure::Nothing { reason }) if reason.starts_with("NotEffectivelyEntitled")),
            "{told:?}"
        );
        assert_eq!(written, 0);
    });
    on_both(|world| async move {
        let job = world.job("forcepoint-csg", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.deletes(ann).await;
        assert_eq!(departure(&job, ann).await, (Some(Departure::Delete), 0));
    });
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, _) = leaves(&world, &job, KEEPING[0].1).await;
        let (told, _) = departure(&job, ann).await;
        assert!(matches!(&told, Some(Departure::Nothing { reason }) if reason.contains("stays as it is")), "{told:?}");
    });
}

/// A mapping of `active` that fails for who leaves, if the job title is no date.
const SWITCHING: &str = "IIF([IsSoftDeleted] = \"True\", CDate([jobTitle]), \"True\")";

/// The target attributes whose mappings are told to fail.
fn failing(trial: &MappingTrial) -> Vec<&str> {
    let fails = |one: &&AttributeTrial| matches!(one.effect, Effect::Error { .. });
    trial.attributes.iter().filter(fails).map(|one| one.target.as_str()).collect()
}

/// Has the mapping of users' `target` fail for whoever has another job title than a date.
async fn fails(job: &Job<'_>, target: &str, source: &str) {
    let source = source.parse().expect("it is an expression");
    job.map(|objects| {
        let is_it = |mapping: &&mut AttributeMapping| mapping.target == target;
        objects[0].attributes.iter_mut().find(is_it).expect("it is mapped").source = source;
    })
    .await;
}

#[test]
fn what_a_cycle_does_not_evaluate_of_who_leaves_fails_nobody() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.set(ann, "jobTitle", "foo").await;
        fails(&job, "title", "CDate([jobTitle])").await;
        fails(&job, "userName", "CDate([jobTitle])").await;
        assert_eq!(failing(&tried(&job, ann).await), ["userName", "title"], "she is in scope");
        world.unassign(job.app, ann).await;
        let trial = tried(&job, ann).await;
        assert_eq!((failing(&trial), &trial.departure), (vec![], &Some(Departure::Disable)));
        assert_eq!((job.cycle().await.disabled, failing(&trial)), (1, vec![]));
        // She is let go now.
        fails(&job, "active", SWITCHING).await;
        let trial = tried(&job, ann).await;
        assert!(failing(&trial).is_empty() && matches!(trial.departure, Some(Departure::Nothing { .. })), "{trial:?}");
        assert_eq!(job.cycle().await.failed, 0);
    });
}

#[test]
fn what_a_cycle_evaluates_of_who_leaves_fails_here_too() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.set(ann, "jobTitle", "foo").await;
        fails(&job, "active", SWITCHING).await;
        fails(&job, "title", "CDate([jobTitle])").await;
        world.unassign(job.app, ann).await;
        let trial = tried(&job, ann).await;
        assert_eq!(failing(&trial), ["active"]);
        let Some(Departure::Fails { reason }) = &trial.departure else { panic!("{:?}", trial.departure) };
        job.cycle().await;
        let last = job.logs().await.pop().expect("there is a log");
        let told = last.record["provisioningStatusInfo"]["errorInformation"]["reason"].clone();
        assert_eq!((last.action.as_str(), told), ("disable", json!(reason)));
    });
}
