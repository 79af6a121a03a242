//! Who is in scope by filters that look beyond the object: at its manager, its groups, the clock; and whom the filters that come before
//! all others leave alone. What changes there is noticed in the cycle after.

use jiff::SignedDuration;
use mapping::ScopingFilters;
use provisioning::target::Method;
use provisioning::{CycleReport, JobChange, ScopeSetting};
use serde_json::json;
use store::{GroupId, ObjectKind, UserId};

use crate::fake_target::{Fault, Nature};
use crate::world::{Job, World, on_both};

/// Filters of one clause.
fn filters(attribute: &str, operator: &str, value: Option<&str>) -> ScopingFilters {
    let clause = json!({ "attribute": attribute, "operator": operator, "value": value });
    serde_json::from_value(json!([{ "name": "F", "clauses": [clause] }])).expect("they are filters")
}

/// A job for everybody who passes one clause, after its first cycle.
async fn job<'w>(world: &'w World, attribute: &str, operator: &str, value: Option<&str>) -> Job<'w> {
    let job = world.job("scim", Nature::default()).await;
    job.change(JobChange { scope: Some(ScopeSetting::All), ..JobChange::default() }).await;
    job.map(|objects| {
        objects[1].enabled = false;
        objects[0].scoping = filters(attribute, operator, value);
    })
    .await;
    job.until_calm().await;
    job.target.take_requests();
    job
}

/// Accounts that are switched on, in the order of their names.
fn active(job: &Job<'_>) -> String {
    let mut names: Vec<String> = job.target.with(|app| {
        let on = app.users.values().filter(|user| user.attributes.get("active") != Some(&json!(false)));
        on.filter_map(|user| user.attributes.get("givenName").or(user.attributes["name"].get("givenName")))
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    });
    names.sort();
    names.join(" ")
}

/// What a cycle did: created, updated, disabled, looked at without doing anything.
fn did(report: &CycleReport) -> (u64, u64, u64, u64) {
    assert_eq!(report.failed, 0);
    (report.created, report.updated, report.disabled, report.skipped)
}

#[test]
fn a_manager_who_moves_takes_the_reports_along() {
    on_both(|world| async move {
        let (boss, ann, bob) = (world.joins("Boss").await, world.joins("Ann").await, world.joins("Bob").await);
        world.set(ann, "manager", boss.to_string()).await;
        let job = job(&world, "manager.department", "EQUALS", Some("Sales")).await;
        assert_eq!(active(&job), "");
        world.set(boss, "department", "Sales").await;
        let told = job.plan().await;
        assert!(told.len() == 1 && told[0].object == "ann@contoso.com", "{told:?}");
        assert_eq!(did(&job.cycle().await), (1, 0, 0, 1), "only the manager and the one report are looked at");
        assert_eq!(active(&job), "Ann");
        world.set(bob, "manager", boss.to_string()).await;
        job.cycle().await;
        assert_eq!(active(&job), "Ann Bob");
        world.set(boss, "department", "HR").await;
        assert_eq!(job.until_calm().await.disabled, 2);
        assert_eq!(active(&job), "");
        assert_eq!(job.cycle().await.skipped, 0, "nobody is looked at where nothing has changed");
    });
}

#[test]
fn who_has_no_manager_can_be_asked_for() {
    on_both(|world| async move {
        let (boss, ann) = (world.joins("Boss").await, world.joins("Ann").await);
        world.set(ann, "manager", boss.to_string()).await;
        let job = job(&world, "manager.objectId", "IS NULL", None).await;
        assert_eq!(active(&job), "Boss");
        world.set(ann, "manager", "").await;
        job.until_calm().await;
        assert_eq!(active(&job), "Ann Boss");
    });
}

#[test]
fn who_enters_a_group_is_in_scope_and_who_leaves_it_is_out() {
    on_both(|world| async move {
        let (sales, other) = (world.group("Sales").await, world.group("Other").await);
        let (ann, bob) = (world.joins("Ann").await, world.joins("Bob").await);
        world.enters(sales, ann).await;
        let job = job(&world, "memberOf", "IS MEMBER OF", Some(&sales.to_string())).await;
        assert_eq!(active(&job), "Ann");
        world.enters(other, bob).await;
        assert_eq!(did(&job.cycle().await), (0, 0, 0, 0), "nobody asks for the other group");
        world.enters(sales, bob).await;
        assert_eq!(job.plan().await.len(), 1);
        job.until_calm().await;
        assert_eq!(active(&job), "Ann Bob");
        world.exits(sales, ann).await;
        job.until_calm().await;
        assert_eq!(active(&job), "Bob");
        // A group in the recycle bin has no members, until it is back.
        world.hr(move |tx, now| directory::delete_group(tx, sales, now)).await;
        assert_eq!(job.until_calm().await.disabled, 1);
        world.hr(move |tx, now| directory::restore_group(tx, sales, now)).await;
        job.until_calm().await;
        assert_eq!(active(&job), "Bob");
        world.dissolves(sales).await;
        job.until_calm().await;
        assert_eq!(active(&job), "");
    });
}

/// Ann in a team, the team in a department, the department in a division.
async fn division(world: &World) -> (UserId, GroupId, GroupId, GroupId) {
    let ann = world.joins("Ann").await;
    let (team, department, division) =
        (world.group("Team").await, world.group("Department").await, world.group("Division").await);
    world.enters(team, ann).await;
    world.nests(department, team).await;
    world.nests(division, department).await;
    (ann, team, department, division)
}

#[test]
fn nested_members_follow_every_change_on_the_way() {
    on_both(|world| async move {
        let (ann, team, department, division) = division(&world).await;
        let job = job(&world, "memberOf", "IS NESTED MEMBER OF", Some(&division.to_string())).await;
        assert_eq!(active(&job), "Ann");
        let calm = async |expected: &str| {
            job.until_calm().await;
            assert_eq!(active(&job), expected);
        };
        world.unnests(division, department).await;
        calm("").await;
        world.nests(division, department).await;
        calm("Ann").await;
        // Two steps of the way go at once, then come back at once.
        world.unnests(division, department).await;
        world.unnests(department, team).await;
        calm("").await;
        world.nests(department, team).await;
        world.nests(division, department).await;
        calm("Ann").await;
        world.exits(team, ann).await;
        calm("").await;
        let bob = world.joins("Bob").await;
        world.enters(team, bob).await;
        calm("Bob").await;
        // What is in the recycle bin connects nothing.
        world.hr(move |tx, now| directory::delete_group(tx, department, now)).await;
        calm("").await;
    });
}

#[test]
fn who_is_not_beneath_a_group_can_be_asked_for() {
    on_both(|world| async move {
        let (ann, team, _, division) = division(&world).await;
        world.joins("Bob").await;
        let job = job(&world, "memberOf", "IS NOT NESTED MEMBER OF", Some(&division.to_string())).await;
        assert_eq!(active(&job), "Bob", "who is in no group is not in this one");
        world.exits(team, ann).await;
        job.until_calm().await;
        assert_eq!(active(&job), "Ann Bob");
    });
}

#[test]
fn groups_are_asked_for_the_groups_that_they_are_in() {
    on_both(|world| async move {
        let (team, department, division) =
            (world.group("Team").await, world.group("Department").await, world.group("Division").await);
        world.nests(department, team).await;
        let job = world.job("scim", Nature::default()).await;
        job.change(JobChange { scope: Some(ScopeSetting::All), ..JobChange::default() }).await;
        let group = division.to_string();
        job.map(|objects| objects[1].scoping = filters("memberOf", "IS NESTED MEMBER OF", Some(&group))).await;
        job.until_calm().await;
        let names =
            || job.target.with(|app| ["Team", "Department", "Division"].map(|name| app.group_id(name).is_some()));
        assert_eq!(names(), [false; 3]);
        world.nests(division, department).await;
        job.until_calm().await;
        assert_eq!(names(), [true, true, false]);
        world.unnests(department, team).await;
        job.until_calm().await;
        assert_eq!(names(), [false, true, false]);
    });
}

#[test]
fn a_group_that_the_directory_does_not_have_is_refused_when_the_filter_is_saved() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let nobody = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
        let mut objects = world.engine().mappings(job.app).await.expect("the job is there");
        objects[0].category_filters = filters("memberOf", "IS NOT MEMBER OF", Some(nobody));
        let change = JobChange { objects: Some(objects), ..JobChange::default() };
        let refused = world.engine().change_job(job.app, change).await.expect_err("there is no such group").to_string();
        let expected = "the category filter `F` of users asks for the members of 3f2504e0-4f89-41d3-9a0c-0305e82c3301, and the directory has no group";
        assert!(refused.contains(expected), "{refused}");
        // A group that is gone since keeps nobody from changing something else.
        let sales = world.group("Sales").await;
        job.map(|objects| objects[0].scoping = filters("memberOf", "IS MEMBER OF", Some(&sales.to_string()))).await;
        world.dissolves(sales).await;
        job.map(|objects| objects[0].scoping.0[0].name = "Sales".to_owned()).await;
    });
}

#[test]
fn who_is_hired_comes_in_scope_when_the_day_comes() {
    on_both(|world| async move {
        // Stories begin on 2 March.
        world.joins_with("Ann", &[("employeeHireDate", "2026-03-20")]).await;
        world.joins_with("Bob", &[("employeeHireDate", "2026-05-01")]).await;
        world.joins("Eve").await;
        let job = job(&world, "employeeHireDate", "IS ON OR BEFORE", Some("today+14d")).await;
        assert_eq!((active(&job).as_str(), job.cycle().await.skipped), ("", 0));
        world.clock.advance(SignedDuration::from_hours(24 * 3));
        assert_eq!((job.plan().await.len(), job.cycle().await.skipped), (0, 0), "nobody's time has come");
        world.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(job.plan().await.len(), 1);
        assert_eq!(did(&job.cycle().await), (1, 0, 0, 0), "nobody else is looked at");
        assert_eq!(active(&job), "Ann");
        world.clock.advance(SignedDuration::from_hours(24 * 60));
        job.until_calm().await;
        assert_eq!(active(&job), "Ann Bob");
        assert_eq!(job.cycle().await.skipped, 0);
    });
}

#[test]
fn who_leaves_is_out_of_scope_at_the_hour_also_when_the_hour_is_changed() {
    on_both(|world| async move {
        let ann = world.joins_with("Ann", &[("employeeLeaveDateTime", "2026-03-03T18:00:00Z")]).await;
        let job = job(&world, "employeeLeaveDateTime", "IS AFTER", Some("now")).await;
        assert_eq!(active(&job), "Ann");
        world.set(ann, "employeeLeaveDateTime", "2026-03-04T18:00:00Z").await;
        job.cycle().await;
        world.clock.advance(SignedDuration::from_hours(40));
        assert_eq!(job.cycle().await.disabled, 0, "it is 4 March, midnight");
        world.clock.advance(SignedDuration::from_hours(18));
        // A target that is away for a while makes nobody stay.
        job.target.fail(
            |request| {
                if request.method == Method::Patch { Fault::Refused(503, None) } else { Fault::None }
            },
        );
        drop(job.try_cycle().await);
        job.target.heal();
        world.clock.advance(SignedDuration::from_hours(30));
        job.until_calm().await;
        assert_eq!(active(&job), "");
        world.deletes_for_good(ann).await;
        job.until_calm().await;
        let app = job.app;
        let due = world.store.read(move |tx| store::reconsiderations::of(tx, app, ObjectKind::User, ann.into())).await;
        assert_eq!(due.expect("it can be read"), None);
    });
}

/// Leaves alone who fails a filter, after Ann and Bob got accounts.
async fn left_alone(world: &World, set: fn(&mut mapping::ObjectMapping, ScopingFilters), reason: &str) {
    let (ann, bob) = (world.joins("Ann").await, world.joins("Bob").await);
    let job = job(world, "userPrincipalName", "IS NOT NULL", None).await;
    assert_eq!(active(&job), "Ann Bob");
    world.set(bob, "department", "Sales").await;
    job.map(|objects| set(&mut objects[0], filters("department", "EQUALS", Some("Sales")))).await;
    job.until_calm().await;
    job.target.take_requests();
    assert_eq!(active(&job), "Ann Bob", "who was in scope before keeps the account");
    let logs = job.logs().await;
    let is_told = |log: &provisioning::LogView| {
        log.object == "ann@contoso.com" && log.status == "skipped" && log.record.to_string().contains(reason)
    };
    assert!(logs.iter().any(is_told), "{logs:?}");
    // Nothing of Ann is written, whatever becomes of her; Bob is kept in step.
    world.set(ann, "jobTitle", "Chief").await;
    world.set(ann, "accountEnabled", false).await;
    world.set(bob, "jobTitle", "Chief").await;
    assert!(job.plan().await.iter().all(|one| one.object == "bob@contoso.com"));
    assert_eq!(job.until_calm().await.updated, 1);
    let report = world.engine().provision(job.app, ann.into(), ObjectKind::User).await.expect("it can be tried");
    assert_eq!((report.status, report.requests), ("skipped", 0));
    assert!(report.reason.as_deref().is_some_and(|told| told.starts_with(reason)), "{report:?}");
    let eve = world.joins("Eve").await;
    job.until_calm().await;
    let report = world.engine().provision(job.app, eve.into(), ObjectKind::User).await.expect("it can be tried");
    assert!(report.reason.as_deref().is_some_and(|told| told.ends_with("F department EQUALS Sales")), "{report:?}");
    world.deletes_for_good(eve).await;
    // Back, she is managed as before.
    world.set(ann, "department", "Sales").await;
    job.until_calm().await;
    assert_eq!(active(&job), "Bob", "she is not enabled");
    world.set(ann, "accountEnabled", true).await;
    job.until_calm().await;
    assert_eq!(active(&job), "Ann Bob");
    // Gone while she is left alone, she leaves the account behind.
    world.set(ann, "department", "HR").await;
    job.until_calm().await;
    world.deletes_for_good(ann).await;
    job.until_calm().await;
    assert_eq!(active(&job), "Ann Bob");
}

#[test]
fn who_fails_the_input_filters_is_passed_over_and_never_deprovisioned() {
    on_both(|world| async move {
        left_alone(&world, |object, filters| object.input_filters = filters, "ImportSkipped: the input filters").await;
    });
}

#[test]
fn who_is_of_another_category_is_none_of_the_mappings_business() {
    on_both(|world| async move {
        let set = |object: &mut mapping::ObjectMapping, filters| object.category_filters = filters;
        left_alone(&world, set, "NotInCategory: the category filters").await;
    });
}

#[test]
fn a_day_that_comes_while_the_application_is_away_is_not_lost() {
    for on_demand in [false, true] {
        on_both(|world| async move {
            let ann = world.joins_with("Ann", &[("employeeHireDate", "2026-03-03")]).await;
            let job = job(&world, "employeeHireDate", "IS ON OR BEFORE", Some("now")).await;
            assert_eq!(active(&job), "");
            world.clock.advance(SignedDuration::from_hours(48));
            job.target.fail(|_| Fault::Unreachable);
            if on_demand {
                let told = world.engine().provision(job.app, ann.into(), ObjectKind::User).await;
                told.expect_err("nobody can be reached");
            } else {
                job.try_cycle().await.expect_err("nobody can be reached");
            }
            job.target.heal();
            assert_eq!(did(&job.cycle().await), (1, 0, 0, 0));
            assert_eq!(active(&job), "Ann");
            job.until_calm().await;
            assert_eq!(job.cycle().await.skipped, 0, "it has come once");
        });
    }
}

/// Takes more steps than a filter has on so many letters.
const TOO_MUCH: &str = "^(?:(?=a)a|(?=a)a)*b";
const TOO_LONG: usize = 60;

#[test]
fn whose_filter_cannot_be_decided_is_switched_off_all_the_same() {
    for way in ["disabled", "deleted", "unassigned"] {
        on_both(|world| async move {
            let ann = world.joins("Ann").await;
            let job = job(&world, "department", "NOT REGEX MATCH", Some(TOO_MUCH)).await;
            job.change(JobChange { scope: Some(ScopeSetting::Assigned), ..JobChange::default() }).await;
            world.assign(job.app, ann).await;
            world.set(ann, "department", "Sales").await;
            job.until_calm().await;
            assert_eq!(active(&job), "Ann");
            world.set(ann, "department", "a".repeat(TOO_LONG)).await;
            assert_eq!(job.cycle().await.failed, 1, "she is here, and nobody can tell");
            match way {
                "disabled" => world.set(ann, "accountEnabled", false).await,
                "deleted" => world.deletes(ann).await,
                _ => world.unassign(job.app, ann).await,
            }
            let report = job.cycle().await;
            assert_eq!((report.disabled, report.failed), (1, 0), "{way}");
            assert_eq!(active(&job), "", "{way}");
        });
    }
}

#[test]
fn who_cannot_be_told_to_be_left_alone_is_not_switched_off() {
    on_both(|world| async move {
        let ann = world.joins("Ann").await;
        let job = job(&world, "userPrincipalName", "IS NOT NULL", None).await;
        job.map(|objects| objects[0].input_filters = filters("department", "NOT REGEX MATCH", Some(TOO_MUCH))).await;
        job.until_calm().await;
        world.set(ann, "department", "a".repeat(TOO_LONG)).await;
        world.set(ann, "accountEnabled", false).await;
        assert_eq!(job.cycle().await.failed, 1);
        assert_eq!(active(&job), "Ann");
    });
}

#[test]
fn a_group_far_from_those_that_are_asked_for_may_change_without_its_members() {
    on_both(|world| async move {
        let (_, team, department, division) = division(&world).await;
        let (other, bob) = (world.group("Other").await, world.joins("Bob").await);
        world.enters(other, bob).await;
        let job = job(&world, "memberOf", "IS NESTED MEMBER OF", Some(&division.to_string())).await;
        world.set_group(other, "displayName", "Others").await;
        assert_eq!(job.cycle().await.skipped, 0, "nobody in it is looked at");
        world.set_group(team, "displayName", "Crew").await;
        assert_eq!(job.cycle().await.skipped, 0, "another name moves nobody");
        // What connects is looked at, on its way out and back, also where another step of the way goes at once.
        let calm = async |expected: &str| {
            job.until_calm().await;
            assert_eq!(active(&job), expected);
        };
        world.hr(move |tx, now| directory::delete_group(tx, team, now)).await;
        calm("").await;
        world.hr(move |tx, now| directory::restore_group(tx, team, now)).await;
        calm("Ann").await;
        world.unnests(division, department).await;
        world.hr(move |tx, now| directory::delete_group(tx, department, now)).await;
        calm("").await;
        world.hr(move |tx, now| directory::restore_group(tx, department, now)).await;
        calm("").await;
        world.nests(division, department).await;
        calm("Ann").await;
    });
}

#[test]
fn who_is_left_alone_stays_in_the_groups_until_back() {
    for is_purged in [false, true] {
        on_both(|world| async move {
            let (sales, staff) = (world.group("Sales").await, world.group("Staff").await);
            let ann = world.joins_with("Ann", &[("department", "Sales")]).await;
            world.enters(sales, ann).await;
            let job = world.job("scim", Nature { keeps_members: true, ..Nature::default() }).await;
            job.change(JobChange { scope: Some(ScopeSetting::All), ..JobChange::default() }).await;
            job.map(|objects| objects[0].input_filters = filters("department", "EQUALS", Some("Sales"))).await;
            job.until_calm().await;
            let groups = || job.target.with(|app| ["Sales", "Staff"].map(|name| app.member_names(name).len()));
            assert_eq!(groups(), [1, 0]);
            world.set(ann, "department", "HR").await;
            job.until_calm().await;
            world.exits(sales, ann).await;
            world.enters(staff, ann).await;
            job.until_calm().await;
            assert_eq!(groups(), [1, 0], "nothing about her is written");
            if is_purged {
                world.deletes_for_good(ann).await;
                job.until_calm().await;
                assert_eq!(groups(), [1, 0], "also when she is gone");
                return;
            }
            world.set(ann, "department", "Sales").await;
            job.until_calm().await;
            assert_eq!(groups(), [0, 1], "back, she is where she is in the directory");
        });
    }
}
