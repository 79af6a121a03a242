//! Who is gone for good leaves the groups at an application that does not see to that itself.

use provisioning::target::Method;

use crate::fake_target::{Fault, Nature};
use crate::telling::plan_and_run;
use crate::world::{Job, World, on_both};

const KEEPS: Nature = Nature { keeps_members: true, ..Nature::ORDINARY };

async fn pending(world: &World, job: &Job<'_>) -> u64 {
    world.engine().job(job.app).await.expect("the job is there").pending_references
}

fn in_sales(job: &Job<'_>) -> usize {
    job.target.with(|app| app.member_names("Sales").len())
}

/// Ann, who is a member of Sales at the application, is gone from the directory for good.
async fn a_member_is_purged(world: &World, job: &Job<'_>) {
    let sales = world.group_for(job.app, "Sales").await;
    let ann = world.joins("Ann").await;
    world.enters(sales, ann).await;
    job.until_calm().await;
    world.deletes(ann).await;
    world.purges(ann).await;
}

#[test]
fn who_is_purged_leaves_the_groups_before_the_account_goes() {
    for template in ["scim", "netskope", "forcepoint-csg"] {
        on_both(|world| async move {
            let job = world.job(template, KEEPS).await;
            let sales = world.group_for(job.app, "Sales").await;
            let (ann, bob) = (world.joins("Ann").await, world.joins("Bob").await);
            world.enters(sales, ann).await;
            world.enters(sales, bob).await;
            job.until_calm().await;
            world.deletes(ann).await;
            world.purges(ann).await;
            assert_eq!(plan_and_run(&world, &job).await, 2, "{template}");
            assert_eq!(in_sales(&job), 1, "{template}");
            assert_eq!(job.target.with(|app| app.users.len()), 1, "{template}");
            assert_eq!(job.until_calm().await.requests, 0, "{template}");
            assert_eq!(pending(&world, &job).await, 0, "{template}");
        });
    }
}

#[test]
fn a_plan_tells_first_that_who_is_purged_leaves_the_groups_and_counts_what_it_tells() {
    on_both(|world| async move {
        let job = world.job("scim", KEEPS).await;
        a_member_is_purged(&world, &job).await;
        let told: Vec<_> = job.plan().await.into_iter().filter_map(|one| one.method).collect();
        assert_eq!(told, ["PATCH", "DELETE"]);
        let report = world.engine().plan(job.app, Box::new(|_| {})).await.expect("nothing else runs");
        assert_eq!(report.requests, 2);
    });
}

#[test]
fn who_is_only_deleted_stays_in_the_groups() {
    on_both(|world| async move {
        let job = world.job("scim", KEEPS).await;
        let sales = world.group_for(job.app, "Sales").await;
        let ann = world.joins("Ann").await;
        world.enters(sales, ann).await;
        job.until_calm().await;
        world.deletes(ann).await;
        assert_eq!(plan_and_run(&world, &job).await, 1);
        assert_eq!(in_sales(&job), 1);
        world.purges(ann).await;
        assert_eq!(plan_and_run(&world, &job).await, 2);
        assert_eq!(in_sales(&job), 0);
    });
}

#[test]
fn where_accounts_are_not_deleted_the_memberships_still_are() {
    on_both(|world| async move {
        let job = world.job("scim", KEEPS).await;
        job.map(|objects| objects[0].flow_types.delete = false).await;
        let sales = world.group_for(job.app, "Sales").await;
        let ann = world.joins("Ann").await;
        world.enters(sales, ann).await;
        job.until_calm().await;
        world.deletes(ann).await;
        job.until_calm().await;
        world.purges(ann).await;
        assert_eq!(plan_and_run(&world, &job).await, 1);
        assert_eq!((in_sales(&job), job.target.with(|app| app.users.len())), (0, 1));
        assert_eq!(job.until_calm().await.requests, 0);
        let view = world.engine().job(job.app).await.expect("the job is there");
        assert_eq!((view.users.linked, view.users.open, view.pending_references), (0, 0, 0));
    });
}

#[test]
fn who_was_unassigned_long_ago_leaves_the_groups_and_keeps_the_account() {
    on_both(|world| async move {
        let job = world.job("scim", KEEPS).await;
        let (sales, ann) = (world.group_for(job.app, "Sales").await, world.joins_for(job.app, "Ann").await);
        world.enters(sales, ann).await;
        job.until_calm().await;
        // The group stays at the application, without giving an account to those in it.
        job.map(|objects| objects[1].flow_types.delete = false).await;
        world.unassign(job.app, ann).await;
        world.unassign(job.app, sales).await;
        job.until_calm().await;
        assert_eq!(in_sales(&job), 1);
        world.deletes(ann).await;
        world.purges(ann).await;
        job.until_calm().await;
        assert_eq!((in_sales(&job), job.target.with(|app| app.users.len())), (0, 1));
    });
}

#[test]
fn a_group_that_cannot_be_written_does_not_keep_the_account_alive() {
    for status in [400, 500] {
        on_both(|world| async move {
            let job = world.job("scim", KEEPS).await;
            a_member_is_purged(&world, &job).await;
            job.target.fail(move |request| {
                let is_group = request.method == Method::Patch && request.path.starts_with("/Groups");
                if is_group { Fault::Refused(status, None) } else { Fault::None }
            });
            assert_eq!(job.cycle().await.deleted, 1);
            assert_eq!(job.target.with(|app| app.users.len()), 0);
            assert_eq!(in_sales(&job), 1);
        });
    }
}

#[test]
fn a_crash_between_leaving_and_going_is_made_good() {
    on_both(|world| async move {
        let job = world.job("scim", KEEPS).await;
        a_member_is_purged(&world, &job).await;
        job.target.fail_once(Fault::CrashBefore, |request| request.path.starts_with("/Groups"));
        tokio::select! {
            biased;
            () = job.target.crashed() => {}
            _ = job.try_cycle() => panic!("the crash comes first"),
        }
        world.comes_to_rest().await;
        job.target.heal();
        job.until_calm().await;
        assert_eq!((in_sales(&job), job.target.with(|app| app.users.len())), (0, 0));
    });
}
