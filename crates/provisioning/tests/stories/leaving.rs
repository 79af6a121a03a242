//! Leavers: the rows of the deprovisioning table, from the change in the directory to the account.

use jiff::SignedDuration;
use mapping::ScopingFilters;
use provisioning::target::Method;
use serde_json::{Value, json};
use store::UserId;

use crate::fake_target::{Fault, Nature};
use crate::world::{Job, World, lines, on_both};

fn active(job: &Job<'_>, name: &str) -> Value {
    job.target.with(|app| app.user_attribute(&format!("{name}@contoso.com"), "active"))
}

fn only_sales() -> ScopingFilters {
    let filter = json!([{ "name": "Sales", "clauses": [
        { "attribute": "department", "operator": "EQUALS", "value": "Sales" }
    ] }]);
    serde_json::from_value(filter).expect("it is a scoping filter")
}

#[test]
fn row_1_and_12_who_is_unassigned_is_switched_off_and_then_left_alone_for_good() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        job.target.take_requests();
        world.unassign(job.app, ann).await;
        assert_eq!(job.until_calm().await.disabled, 1);
        insta::assert_snapshot!(lines(&job.target.take_writes()), @r#"PATCH /Users/u1 {"Operations":[{"op":"replace","path":"active","value":false}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}"#);
        world.deletes(ann).await;
        assert_eq!(job.until_calm().await.requests, 0);
        world.purges(ann).await;
        assert_eq!(job.until_calm().await.requests, 0);
        assert_eq!(active(&job, "ann"), false);
    });
}

#[test]
fn row_4_who_fails_the_scoping_filter_is_switched_off() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map(|objects| objects[0].scoping = only_sales()).await;
        let ann = world.joins_with("Ann", &[("department", "Sales")]).await;
        world.assign(job.app, ann).await;
        let bob = world.joins_with("Bob", &[("department", "IT")]).await;
        world.assign(job.app, bob).await;
        assert_eq!(job.until_calm().await.created, 1);
        world.set(ann, "department", "IT").await;
        assert_eq!(job.until_calm().await.disabled, 1);
        assert_eq!(active(&job, "ann"), false);
        world.set(ann, "department", "Sales").await;
        assert_eq!(job.until_calm().await.updated, 1);
        assert_eq!(active(&job, "ann"), true);
    });
}

#[test]
fn row_6_who_is_blocked_is_switched_off_and_on_again() {
    on_both(|world| async move {
        let job = world.job("netskope", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        job.target.take_requests();
        world.set(ann, "accountEnabled", false).await;
        job.until_calm().await;
        assert_eq!(active(&job, "ann"), false);
        world.set(ann, "accountEnabled", true).await;
        job.until_calm().await;
        insta::assert_snapshot!(lines(&job.target.take_writes()), @r#"
        PATCH /Users/u1 {"Operations":[{"op":"Replace","path":"active","value":"False"}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
        PATCH /Users/u1 {"Operations":[{"op":"Replace","path":"active","value":"True"}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
        "#);
    });
}

#[test]
fn row_8_and_10_who_is_deleted_is_switched_off_and_removed_when_the_bin_is_emptied() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.deletes(ann).await;
        assert_eq!(job.until_calm().await.disabled, 1);
        world.restores(ann).await;
        job.until_calm().await;
        assert_eq!(active(&job, "ann"), true);
        world.deletes(ann).await;
        world.purges(ann).await;
        assert_eq!(job.until_calm().await.deleted, 1);
        assert_eq!(job.target.with(|app| app.users.len()), 0);
    });
}

/// Has somebody of the department of sales leave the scope of a job.
async fn leaves_by(change: &str, world: &World, job: &Job<'_>, user: UserId) {
    match change {
        "unassigned" => world.unassign(job.app, user).await,
        "blocked" => world.set(user, "accountEnabled", false).await,
        "deleted" => world.deletes(user).await,
        _ => {
            job.map(|objects| objects[0].scoping = only_sales()).await;
            world.set(user, "department", "IT").await;
        }
    }
}

#[test]
fn row_13_an_application_without_soft_delete_loses_the_account() {
    for change in ["unassigned", "blocked", "deleted", "filtered"] {
        on_both(|world| async move {
            let job = world.job("forcepoint-csg", Nature::default()).await;
            let ann = world.joins_with("Ann", &[("department", "Sales")]).await;
            world.assign(job.app, ann).await;
            job.until_calm().await;
            leaves_by(change, &world, &job, ann).await;
            assert_eq!(job.until_calm().await.deleted, 1, "{change}");
            assert_eq!(job.target.with(|app| app.users.len()), 0, "{change}");
        });
    }
}

#[test]
fn a_delete_that_arrives_after_the_object_has_come_back_is_noticed() {
    on_both(|world| async move {
        let job = world.job("forcepoint-csg", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.unassign(job.app, ann).await;
        let late = Fault::Late(SignedDuration::from_secs(50));
        job.target.fail(move |request| if request.method == Method::Delete { late.clone() } else { Fault::None });
        assert_eq!(job.cycle().await.failed, 1);
        world.assign(job.app, ann).await;
        job.cycle().await;
        assert_eq!(job.target.with(|app| app.users.len()), 1);
        world.clock.advance(SignedDuration::from_secs(60));
        job.target.heal();
        job.cycle().await;
        world.clock.advance(SignedDuration::from_secs(130));
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.users.len()), 1);
    });
}

#[test]
fn a_group_that_leaves_is_switched_off_where_a_mapping_does_that() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map(|objects| {
            let state =
                json!({ "target": "externalId", "source": "Switch([IsSoftDeleted], \"open\", \"True\", \"closed\")" });
            objects[1].attributes.retain(|mapping| mapping.target != "externalId");
            objects[1].attributes.push(serde_json::from_value(state).expect("it is a mapping"));
        })
        .await;
        let state = |job: &Job<'_>| {
            job.target.with(|app| app.groups.values().next().map(|sales| sales.attributes["externalId"].clone()))
        };
        let sales = world.group_for(job.app, "Sales").await;
        job.until_calm().await;
        assert_eq!(state(&job), Some(json!("open")));
        world.unassign(job.app, sales).await;
        assert_eq!(job.until_calm().await.disabled, 1);
        assert_eq!(state(&job), Some(json!("closed")));
    });
}

#[test]
fn rows_3_7_and_9_without_a_mapping_that_switches_off_nothing_is_done() {
    for template in ["scim", "netskope", "storegate"] {
        for change in ["unassigned", "blocked", "deleted", "filtered"] {
            on_both(|world| async move {
                let job = world.job(template, Nature::default()).await;
                job.map(|objects| objects[0].attributes.retain(|mapping| mapping.target != "active")).await;
                let ann = world.joins_with("Ann", &[("department", "Sales")]).await;
                world.assign(job.app, ann).await;
                job.until_calm().await;
                job.target.take_requests();
                leaves_by(change, &world, &job, ann).await;
                let report = job.until_calm().await;
                assert_eq!((report.deleted, report.disabled, report.failed), (0, 0, 0), "{template} {change}");
                assert_eq!(lines(&job.target.take_writes()), "", "{template} {change}");
                // Row 10, or 12: who was let go is not managed any more.
                let is_managed = matches!(change, "blocked" | "deleted");
                if change != "deleted" {
                    world.deletes(ann).await;
                }
                world.purges(ann).await;
                job.until_calm().await;
                let accounts = job.target.with(|app| app.users.len());
                assert_eq!(accounts, usize::from(!is_managed), "{template} {change}");
            });
        }
    }
}

#[test]
fn row_14_a_group_that_is_unassigned_is_removed_and_its_members_lose_their_entitlement() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let ann = world.joins("Ann").await;
        let bob = world.joins_for(job.app, "Bob").await;
        world.enters(sales, ann).await;
        world.enters(sales, bob).await;
        assert_eq!(job.until_calm().await.created, 3);
        world.unassign(job.app, sales).await;
        let report = job.until_calm().await;
        assert_eq!((report.disabled, report.deleted), (1, 1));
        assert_eq!((active(&job, "ann"), active(&job, "bob")), (json!(false), json!(true)));
    });
}

#[test]
fn row_14_a_group_that_is_gone_within_one_cycle_takes_the_entitlement_along() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let ann = world.joins("Ann").await;
        world.enters(sales, ann).await;
        job.until_calm().await;
        world.dissolves(sales).await;
        let report = job.until_calm().await;
        assert_eq!((report.disabled, report.deleted), (1, 1));
    });
}

#[test]
fn row_14_who_left_a_group_before_it_was_unassigned_is_not_forgotten() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let ann = world.joins("Ann").await;
        world.enters(sales, ann).await;
        job.until_calm().await;
        world.exits(sales, ann).await;
        world.unassign(job.app, sales).await;
        assert_eq!(job.until_calm().await.disabled, 1);
    });
}

#[test]
fn row_15_who_leaves_one_of_two_groups_keeps_the_account() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (sales, staff) = (world.group_for(job.app, "Sales").await, world.group_for(job.app, "Staff").await);
        let ann = world.joins("Ann").await;
        world.enters(sales, ann).await;
        world.enters(staff, ann).await;
        job.until_calm().await;
        world.exits(sales, ann).await;
        job.until_calm().await;
        assert_eq!(active(&job, "ann"), true);
        assert!(job.target.with(|app| app.member_names("Sales")).is_empty());
        world.exits(staff, ann).await;
        job.until_calm().await;
        assert_eq!(active(&job, "ann"), false);
    });
}

#[test]
fn row_16_who_never_had_an_account_leaves_without_a_trace() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins("Ann").await;
        job.until_calm().await;
        world.deletes(ann).await;
        world.purges(ann).await;
        assert_eq!(job.until_calm().await.requests, 0);
        assert!(job.log_lines().await.is_empty());
    });
}

#[test]
fn row_17_who_comes_back_gets_the_same_account_back() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        let before = job.target.with(|app| app.user_id("ann@contoso.com"));
        world.unassign(job.app, ann).await;
        job.until_calm().await;
        world.set(ann, "jobTitle", "Chief").await;
        world.assign(job.app, ann).await;
        assert_eq!(job.until_calm().await.updated, 1);
        assert_eq!(active(&job, "ann"), true);
        assert_eq!(job.target.with(|app| app.user_id("ann@contoso.com")), before);
    });
}

#[test]
fn who_leaves_and_returns_between_two_cycles_is_not_touched() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        job.target.take_requests();
        world.unassign(job.app, ann).await;
        world.assign(job.app, ann).await;
        job.until_calm().await;
        assert_eq!(lines(&job.target.take_requests()), "");
    });
}

#[test]
fn actions_that_are_not_allowed_are_not_taken() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        job.target.take_requests();
        job.map(|objects| {
            objects[0].flow_types.create = false;
            objects[0].flow_types.update = false;
            objects[0].flow_types.delete = false;
        })
        .await;
        world.joins_for(job.app, "Bob").await;
        world.set(ann, "jobTitle", "Chief").await;
        job.cycle().await;
        world.deletes(ann).await;
        world.purges(ann).await;
        job.cycle().await;
        assert_eq!(lines(&job.target.take_writes()), "");
        assert_eq!(job.target.with(|app| app.users.len()), 1);
    });
}

#[test]
fn accounts_that_were_never_matched_are_never_touched() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.target.with(|app| app.add_user(&json!({ "userName": "robot@contoso.com", "active": true })));
        let before = job.target.with(|app| app.users.clone());
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.deletes(ann).await;
        world.purges(ann).await;
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.users.clone()), before);
    });
}

#[test]
fn an_account_that_is_gone_already_counts_as_deleted() {
    on_both(|world| async move {
        let job = world.job("forcepoint-csg", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        job.target.with(|app| app.users.clear());
        world.unassign(job.app, ann).await;
        let report = job.until_calm().await;
        assert_eq!((report.deleted, report.failed), (1, 0));
    });
}

#[test]
fn who_leaves_while_a_create_may_still_arrive_keeps_no_account() {
    for template in ["scim", "forcepoint-csg"] {
        on_both(|world| async move {
            let job = world.job(template, Nature::default()).await;
            let ann = world.joins_for(job.app, "Ann").await;
            let late = Fault::Late(SignedDuration::from_secs(50));
            job.target.fail_once(late, |request| request.body.is_some());
            assert_eq!(job.cycle().await.failed, 1);
            world.unassign(job.app, ann).await;
            assert!(job.cycle().await.waiting > 0);
            world.clock.advance(SignedDuration::from_secs(130));
            job.cycle().await;
            let switched_on = job.target.with(|app| {
                app.users.values().filter(|user| user.attributes.get("active") != Some(&json!(false))).count()
            });
            assert_eq!(switched_on, 0, "{template}");
        });
    }
}

/// A mapping that fails keeps who is in scope waiting. Who leaves needs those alone that switch the account off.
#[test]
fn who_leaves_is_switched_off_whatever_other_mappings_fail() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map(|objects| {
            objects[0].attributes.iter_mut().for_each(|mapping| mapping.matching_priority = 0);
            for (target, priority) in [("nickName", 1), ("title", 0)] {
                let mapping =
                    json!({ "target": target, "source": "CDate([department])", "matchingPriority": priority });
                objects[0].attributes.retain(|other| other.target != target);
                objects[0].attributes.push(serde_json::from_value(mapping).expect("it is a mapping"));
            }
        })
        .await;
        let ann = world.joins_with("Ann", &[("department", "2026-03-02")]).await;
        world.assign(job.app, ann).await;
        assert_eq!(job.until_calm().await.created, 1);
        world.set(ann, "department", "Sales").await;
        let report = job.cycle().await;
        assert_eq!((report.failed, active(&job, "ann")), (1, json!(true)));
        world.unassign(job.app, ann).await;
        let report = job.cycle().await;
        assert_eq!((report.disabled, report.failed, active(&job, "ann")), (1, 0, json!(false)));
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").escrows, 0);
    });
}
