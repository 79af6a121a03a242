//! Accounts that stay active although their people are out of scope, because nothing could switch them off: they are told, and switched
//! off as soon as something can.

use mapping::ObjectMapping;
use provisioning::{Departure, JobChange, MappingTrialOf};
use serde_json::{Value, json};
use store::{ObjectKind, UserId};

use crate::fake_target::Nature;
use crate::world::{Job, World, lines, on_both};

fn active(job: &Job<'_>, name: &str) -> Value {
    job.target.with(|app| app.user_attribute(&format!("{name}@contoso.com"), "active"))
}

/// Changes the mapping of users.
type Keeping = fn(&mut ObjectMapping);

/// What keeps accounts from being switched off.
const KEEPING: [(&str, Keeping); 3] = [
    ("no mapping", |users| users.attributes.retain(|mapping| mapping.target != "active")),
    ("no update", |users| users.flow_types.update = false),
    ("at creation only", |users| {
        let active = users.attributes.iter_mut().find(|mapping| mapping.target == "active");
        active.expect("it is mapped").flow_type = mapping::FlowType::ObjectAddOnly;
    }),
];

async fn mappings(job: &Job<'_>) -> Vec<ObjectMapping> {
    job.world.engine().mappings(job.app).await.expect("the job is there")
}

async fn left_active(job: &Job<'_>) -> u64 {
    job.world.engine().job(job.app).await.expect("the job is there").users.left_active
}

/// Ann has an account and leaves the scope while nothing switches it off; gives the mappings that would.
async fn leaves(world: &World, job: &Job<'_>, keeping: Keeping) -> (UserId, Vec<ObjectMapping>) {
    let ann = world.joins_for(job.app, "Ann").await;
    job.until_calm().await;
    let before = mappings(job).await;
    job.map(|objects| keeping(&mut objects[0])).await;
    world.unassign(job.app, ann).await;
    let report = job.until_calm().await;
    assert_eq!((report.disabled, report.left_active), (0, 1));
    assert!(report.to_string().contains("(1 out of scope and left active)"), "{report}");
    (ann, before)
}

#[test]
fn who_could_not_be_switched_off_is_told_and_switched_off_as_soon_as_something_can() {
    for (what, keeping) in KEEPING {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            let (_, before) = leaves(&world, &job, keeping).await;
            assert_eq!((active(&job, "ann"), left_active(&job).await), (json!(true), 1), "{what}");
            // They are counted in each cycle that looks at everything.
            job.change(JobChange { restart: true, ..JobChange::default() }).await;
            assert_eq!(job.cycle().await.left_active, 1, "{what}");
            job.target.take_requests();
            job.change(JobChange { objects: Some(before), ..JobChange::default() }).await;
            assert_eq!(job.plan().await.len(), 1, "{what}");
            let report = job.until_calm().await;
            assert_eq!((report.cycle, report.disabled, report.left_active), ("initial", 1, 0), "{what}");
            assert_eq!((active(&job, "ann"), left_active(&job).await), (json!(false), 0), "{what}");
            assert_eq!(job.target.take_writes().len(), 1, "{what}");
            // Who is switched off is let go: what becomes of the account from now on is the application's business.
            job.target.with(|app| {
                app.users.values_mut().for_each(|user| drop(user.attributes.insert("active".into(), true.into())));
            });
            job.change(JobChange { restart: true, ..JobChange::default() }).await;
            assert_eq!(job.cycle().await.disabled, 0, "{what}");
        });
    }
}

#[test]
fn who_is_in_scope_again_before_that_is_left_as_it_is() {
    for (what, keeping) in KEEPING {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            let (ann, before) = leaves(&world, &job, keeping).await;
            world.assign(job.app, ann).await;
            job.until_calm().await;
            assert_eq!(left_active(&job).await, 0, "{what}");
            job.change(JobChange { objects: Some(before), ..JobChange::default() }).await;
            job.until_calm().await;
            assert_eq!(lines(&job.target.take_writes()).matches("\"active\",\"value\":false").count(), 0, "{what}");
            assert_eq!(active(&job, "ann"), true, "{what}");
        });
    }
}

#[test]
fn who_comes_back_together_with_the_mapping_is_left_as_it_is() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, before) = leaves(&world, &job, KEEPING[0].1).await;
        job.target.take_requests();
        world.assign(job.app, ann).await;
        job.change(JobChange { objects: Some(before), ..JobChange::default() }).await;
        job.until_calm().await;
        assert_eq!(lines(&job.target.take_writes()), "");
        assert_eq!((active(&job, "ann"), left_active(&job).await), (json!(true), 0));
    });
}

#[test]
fn who_is_purged_before_that_is_let_go_and_the_log_tells_that_the_account_is_active() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, before) = leaves(&world, &job, KEEPING[0].1).await;
        job.target.take_requests();
        world.deletes_for_good(ann).await;
        job.change(JobChange { objects: Some(before), ..JobChange::default() }).await;
        job.until_calm().await;
        assert_eq!(lines(&job.target.take_writes()), "");
        assert_eq!((active(&job, "ann"), left_active(&job).await), (json!(true), 0));
        let last = job.logs().await.pop().expect("there is a log");
        assert!(last.record.to_string().contains("so it stays active at the target"), "{}", last.record);
    });
}

#[test]
fn who_is_deleted_while_nothing_switches_off_is_switched_off_once_something_does() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, before) = leaves(&world, &job, KEEPING[0].1).await;
        world.deletes(ann).await;
        job.until_calm().await;
        job.change(JobChange { objects: Some(before), ..JobChange::default() }).await;
        assert_eq!(job.until_calm().await.disabled, 1);
        assert_eq!(active(&job, "ann"), false);
    });
}

/// What is told would become of Ann's account.
async fn departure(job: &Job<'_>, ann: UserId) -> (Option<Departure>, usize) {
    let wanted = MappingTrialOf { app: job.app, kind: ObjectKind::User, id: ann.into(), draft: None, update: true };
    let trial = job.world.engine().try_mappings(&wanted).await.expect("it can be tried");
    let written =
        trial.attributes.iter().filter(|one| matches!(one.effect, provisioning::trial::Effect::Change { .. }));
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
