//! Groups and managers: references are written when both ends exist at the application, whenever that comes to be.

use serde_json::{Value, json};

use crate::fake_target::{Fault, Nature};
use crate::telling::plan_and_run;
use crate::world::{Job, World, lines, on_both};
use provisioning::JobChange;
use provisioning::target::Method;

fn members(job: &Job<'_>, group: &str) -> Vec<String> {
    job.target.with(|app| app.member_names(group))
}

fn manager(job: &Job<'_>, name: &str) -> Value {
    job.target.with(|app| {
        let id =
            app.user_attribute(&format!("{name}@contoso.com"), scim::ENTERPRISE_USER_URN)["manager"]["value"].clone();
        let user = id.as_str().and_then(|id| app.users.get(id));
        user.map_or(id.clone(), |user| user.attributes["userName"].clone())
    })
}

/// Makes the group Sales, with these people in it.
async fn sales_has(world: &World, job: &Job<'_>, names: &[&str]) {
    let sales = world.group_for(job.app, "Sales").await;
    for name in names {
        let person = world.joins(name).await;
        world.enters(sales, person).await;
    }
}

#[test]
fn a_group_comes_with_its_members_is_renamed_and_changes_by_what_changes() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let (ann, bob) = (world.joins("Ann").await, world.joins("Bob").await);
        world.enters(sales, ann).await;
        job.until_calm().await;
        assert_eq!(members(&job, "Sales"), ["ann@contoso.com"]);
        job.target.take_requests();
        world.set_group(sales, "displayName", "Sales EU").await;
        world.enters(sales, bob).await;
        job.until_calm().await;
        world.exits(sales, ann).await;
        world.assign(job.app, ann).await;
        job.until_calm().await;
        assert_eq!(members(&job, "Sales EU"), ["bob@contoso.com"]);
        insta::assert_snapshot!(lines(&job.target.take_writes()), @r#"
        POST /Users {"active":true,"displayName":"Bob Example","emails":[{"primary":true,"type":"work","value":"bob@contoso.com"}],"externalId":"bob","name":{"familyName":"Example","formatted":"Bob Example","givenName":"Bob"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bob@contoso.com"}
        PATCH /Groups/g2 {"Operations":[{"op":"replace","path":"displayName","value":"Sales EU"}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
        PATCH /Groups/g2 {"Operations":[{"op":"add","path":"members","value":[{"value":"u3"}]}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
        PATCH /Groups/g2 {"Operations":[{"op":"remove","path":"members[value eq \"u1\"]"}],"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]}
        "#);
    });
}

#[test]
fn many_members_go_in_requests_of_a_hundred() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let mut people = Vec::new();
        for number in 0..205 {
            people.push(world.joins(&format!("P{number}")).await);
            world.enters(sales, people[number]).await;
        }
        assert_eq!(job.until_calm().await.references, 205);
        let sizes = |job: &Job<'_>| -> Vec<usize> {
            let writes = job.target.take_writes();
            let of_members = writes.iter().filter(|one| one.path.starts_with("/Groups/"));
            of_members.map(|one| one.body.as_ref().map_or(0, count_of_members)).collect()
        };
        assert_eq!(sizes(&job), [100, 100, 5]);
        for person in &people {
            world.assign(job.app, *person).await;
            world.exits(sales, *person).await;
        }
        job.until_calm().await;
        assert_eq!(sizes(&job), [100, 100, 5]);
        assert!(members(&job, "Sales").is_empty());
    });
}

/// Members named in a PATCH: values of one operation, or one operation each.
fn count_of_members(body: &Value) -> usize {
    let operations = body["Operations"].as_array().map_or(0, Vec::len);
    body["Operations"][0]["value"].as_array().map_or(operations, Vec::len)
}

#[test]
fn one_member_that_is_refused_does_not_keep_the_others_out_and_is_tried_again() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        sales_has(&world, &job, &["Ann", "Bob", "Eve"]).await;
        let bob = r#""u2""#;
        job.target.fail(move |request| {
            let names_bob = request.body.as_deref().is_some_and(|body| String::from_utf8_lossy(body).contains(bob));
            if request.path.starts_with("/Groups/") && names_bob { Fault::Refused(400, None) } else { Fault::None }
        });
        job.cycle().await;
        assert_eq!(members(&job, "Sales"), ["ann@contoso.com", "eve@contoso.com"]);
        job.target.heal();
        job.until_calm().await;
        assert_eq!(members(&job, "Sales"), ["ann@contoso.com", "bob@contoso.com", "eve@contoso.com"]);
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").escrows, 0);
    });
}

#[test]
fn who_left_a_group_before_a_restart_leaves_it_at_the_application_too() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let mut people = Vec::new();
        for name in ["Ann", "Bob", "Eve", "Boss"] {
            people.push(world.joins_for(job.app, name).await);
        }
        let [ann, bob, eve, boss] = people[..] else { panic!("there are four") };
        world.enters(sales, ann).await;
        world.enters(sales, bob).await;
        world.set(ann, "manager", boss.to_string()).await;
        job.until_calm().await;
        world.exits(sales, ann).await;
        world.enters(sales, eve).await;
        world.set(ann, "manager", "").await;
        job.change(JobChange { restart: true, ..JobChange::default() }).await;
        assert_eq!(plan_and_run(&world, &job).await, 3);
        assert_eq!(members(&job, "Sales"), ["bob@contoso.com", "eve@contoso.com"]);
        assert_eq!(manager(&job, "ann"), Value::Null);
        // The same while the application refuses to tell about the group in the initial cycle.
        world.exits(sales, bob).await;
        job.change(JobChange { restart: true, ..JobChange::default() }).await;
        job.target.fail(
            |request| {
                if request.path.starts_with("/Groups/") { Fault::Refused(400, None) } else { Fault::None }
            },
        );
        assert_eq!(job.cycle().await.failed, 1);
        job.target.heal();
        assert_eq!(plan_and_run(&world, &job).await, 1);
        assert_eq!(members(&job, "Sales"), ["eve@contoso.com"]);
    });
}

#[test]
fn a_group_that_was_removed_at_the_application_is_made_anew_with_all_its_members() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let (ann, bob) = (world.joins("Ann").await, world.joins("Bob").await);
        world.enters(sales, ann).await;
        job.until_calm().await;
        job.target.with(|app| app.groups.clear());
        world.enters(sales, bob).await;
        let report = job.cycle().await;
        assert_eq!((report.created, report.failed), (1, 1));
        assert!(job.log_lines().await.contains(&"update Sales failure InvalidAnchor".to_owned()));
        world.clock.advance(jiff::SignedDuration::from_secs(130));
        job.until_calm().await;
        assert_eq!(members(&job, "Sales"), ["ann@contoso.com", "bob@contoso.com"]);
    });
}

#[test]
fn an_account_that_was_removed_at_the_application_is_made_anew_when_its_manager_comes() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, boss) = (world.joins_for(job.app, "Ann").await, world.joins("Boss").await);
        world.set(ann, "manager", boss.to_string()).await;
        job.until_calm().await;
        job.target.with(|app| app.users.clear());
        world.assign(job.app, boss).await;
        assert_eq!(job.cycle().await.failed, 1);
        world.clock.advance(jiff::SignedDuration::from_secs(130));
        job.until_calm().await;
        assert_eq!(manager(&job, "ann"), "boss@contoso.com");
    });
}

#[test]
fn refused_members_are_tried_ever_more_rarely_however_many_there_are() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        sales_has(&world, &job, &["Ann", "Bob"]).await;
        job.target.fail(|request| {
            let is_group = request.method == Method::Patch && request.path.starts_with("/Groups");
            if is_group { Fault::Refused(400, None) } else { Fault::None }
        });
        let mut failed = Vec::new();
        for _ in 0..4 {
            failed.push(job.cycle().await.failed);
        }
        assert_eq!(failed, [1, 1, 0, 0]);
    });
}

#[test]
fn a_reference_whose_other_end_was_removed_at_the_application_is_refused_alone() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let mut people = Vec::new();
        for name in ["Ann", "Bob", "Eve"] {
            people.push(world.joins_for(job.app, name).await);
        }
        job.until_calm().await;
        // Who it does not know it answers with 404, as it does for groups and accounts.
        let bob = job.target.with(|app| app.user_id("bob@contoso.com")).expect("he has an account");
        let named = format!("\"{bob}\"");
        job.target.fail(move |request| {
            let body = request.body.as_deref().unwrap_or_default();
            let names_bob = request.method == Method::Patch && String::from_utf8_lossy(body).contains(&named);
            if names_bob { Fault::Refused(404, None) } else { Fault::None }
        });
        for person in &people {
            world.enters(sales, *person).await;
        }
        world.set(people[0], "manager", people[1].to_string()).await;
        job.cycle().await;
        assert_eq!(members(&job, "Sales"), ["ann@contoso.com", "eve@contoso.com"]);
        let view = world.engine().job(job.app).await.expect("the job is there");
        assert_eq!((view.users.linked, view.groups.linked, view.escrows), (3, 1, 2));
        for _ in 0..2 {
            job.cycle().await;
        }
        assert_eq!(job.cycle().await.requests, 0);
        job.target.heal();
        world.clock.advance(jiff::SignedDuration::from_hours(12));
        job.until_calm().await;
        assert_eq!((members(&job, "Sales").len(), manager(&job, "ann")), (3, "bob@contoso.com".into()));
    });
}

#[test]
fn a_page_of_members_that_is_forbidden_is_one_failure() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        sales_has(&world, &job, &["Ann", "Bob", "Eve"]).await;
        job.target.fail(|request| {
            let is_group = request.method == Method::Patch && request.path.starts_with("/Groups");
            if is_group { Fault::Refused(403, None) } else { Fault::None }
        });
        assert_eq!(job.cycle().await.failed, 1);
        let failures = job.log_lines().await.into_iter().filter(|line| line.contains("failure"));
        assert_eq!(failures.collect::<Vec<_>>(), ["update Sales failure InsufficientRights"]);
        job.target.heal();
        job.until_calm().await;
        assert_eq!(members(&job, "Sales").len(), 3);
    });
}

#[test]
fn nested_groups_contribute_nothing() {
    on_both(|world| async move {
        let job = world.job("netskope", Nature::default()).await;
        let (outer, inner) = (world.group_for(job.app, "Outer").await, world.group("Inner").await);
        let ann = world.joins("Ann").await;
        world.enters(inner, ann).await;
        world.nests(outer, inner).await;
        assert_eq!(job.until_calm().await.created, 1);
        assert_eq!(job.target.with(|app| (app.users.len(), app.groups.len())), (0, 1));
        assert!(members(&job, "Outer").is_empty());
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").pending_references, 0);
    });
}

#[test]
fn only_members_with_an_account_are_members_and_late_ones_follow() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let ann = world.joins("Ann").await;
        world.set(ann, "accountEnabled", false).await;
        world.enters(sales, ann).await;
        job.until_calm().await;
        assert!(members(&job, "Sales").is_empty());
        world.set(ann, "accountEnabled", true).await;
        job.until_calm().await;
        assert_eq!(members(&job, "Sales"), ["ann@contoso.com"]);
    });
}

#[test]
fn a_removal_whose_answer_was_lost_does_not_lose_who_comes_back() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let ann = world.joins_for(job.app, "Ann").await;
        world.enters(sales, ann).await;
        job.until_calm().await;
        world.exits(sales, ann).await;
        job.target.fail(|request| {
            if request.path.starts_with("/Groups/") && request.method == Method::Patch {
                Fault::AnswerLost
            } else {
                Fault::None
            }
        });
        job.cycle().await;
        world.enters(sales, ann).await;
        job.target.heal();
        job.cycle().await;
        world.clock.advance(jiff::SignedDuration::from_secs(130));
        job.until_calm().await;
        assert_eq!(members(&job, "Sales"), ["ann@contoso.com"]);
    });
}

/// Whether a request says something of a manager.
fn is_of_manager(request: &provisioning::target::Request) -> bool {
    request.body.as_deref().is_some_and(|body| String::from_utf8_lossy(body).contains("manager"))
}

#[test]
fn a_manager_that_is_refused_keeps_nothing_else_out() {
    for template in ["scim", "palo-alto-cie"] {
        on_both(|world| async move {
            let job = world.job(template, Nature::default()).await;
            let (ann, boss) = (world.joins_for(job.app, "Ann").await, world.joins_for(job.app, "Boss").await);
            job.until_calm().await;
            job.target.fail(|request| if is_of_manager(request) { Fault::Refused(400, None) } else { Fault::None });
            world.set(ann, "jobTitle", "Chief").await;
            world.set(ann, "manager", boss.to_string()).await;
            assert_eq!(plan_and_run(&world, &job).await, 2, "{template}");
            assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "title")), "Chief", "{template}");
            world.set(ann, "jobTitle", "Chief of all").await;
            job.cycle().await;
            let title = job.target.with(|app| app.user_attribute("ann@contoso.com", "title"));
            assert_eq!(title, "Chief of all", "{template}");
            job.target.heal();
            world.clock.advance(jiff::SignedDuration::from_hours(12));
            job.until_calm().await;
            assert_eq!(manager(&job, "ann"), "boss@contoso.com", "{template}");
        });
    }
}

#[test]
fn a_manager_is_written_once_however_many_reasons_there_are() {
    for changes_too in [false, true] {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            let (boss, ann) = (world.joins("Boss").await, world.joins_for(job.app, "Ann").await);
            world.set(ann, "manager", boss.to_string()).await;
            job.until_calm().await;
            world.assign(job.app, boss).await;
            world.set(ann, "department", "Sales").await;
            if changes_too {
                world.set(ann, "jobTitle", "Chief").await;
            }
            let sent = plan_and_run(&world, &job).await;
            assert_eq!(sent, 3, "the boss, the change, the manager");
            assert_eq!(manager(&job, "ann"), "boss@contoso.com");
        });
    }
}

#[test]
fn a_manager_is_written_when_both_have_accounts_whoever_comes_first() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        let boss = world.joins_for(job.app, "Boss").await;
        world.set(ann, "manager", boss.to_string()).await;
        job.until_calm().await;
        assert_eq!(manager(&job, "ann"), "boss@contoso.com");
        let later = world.joins("Later").await;
        world.set(ann, "manager", later.to_string()).await;
        job.until_calm().await;
        assert_eq!(manager(&job, "ann"), "boss@contoso.com");
        world.assign(job.app, later).await;
        job.until_calm().await;
        assert_eq!(manager(&job, "ann"), "later@contoso.com");
        world.set(ann, "manager", boss.to_string()).await;
        job.until_calm().await;
        assert_eq!(manager(&job, "ann"), "boss@contoso.com");
        world.set(ann, "manager", "").await;
        job.until_calm().await;
        assert_eq!(manager(&job, "ann"), Value::Null);
    });
}

#[test]
fn a_manager_who_was_forgotten_is_taken_back_too() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        let boss = world.joins_for(job.app, "Boss").await;
        world.set(ann, "manager", boss.to_string()).await;
        job.until_calm().await;
        world.unassign(job.app, boss).await;
        job.until_calm().await;
        world.deletes(boss).await;
        world.purges(boss).await;
        job.until_calm().await;
        assert_eq!(manager(&job, "ann"), Value::Null);
    });
}

#[test]
fn a_manager_set_by_hand_is_not_ours_to_take() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let robot = job.target.with(|app| app.add_user(&json!({ "userName": "robot@contoso.com" })));
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        job.target.with(|app| {
            for user in app.users.values_mut().filter(|user| user.attributes["userName"] == "ann@contoso.com") {
                user.attributes.insert(scim::ENTERPRISE_USER_URN.to_owned(), json!({ "manager": { "value": robot } }));
            }
        });
        world.set(ann, "jobTitle", "Chief").await;
        job.until_calm().await;
        assert_eq!(manager(&job, "ann"), "robot@contoso.com");
    });
}

#[test]
fn what_changes_while_a_manager_is_written_is_written_later() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        let boss = world.joins("Boss").await;
        world.set(ann, "manager", boss.to_string()).await;
        job.until_calm().await;
        world.assign(job.app, boss).await;
        // Only the boss is provisioned now; the new title waits for the next cycle, and so must what is said of Ann.
        world.engine().provision(job.app, boss.into(), store::ObjectKind::User).await.expect("nothing else runs");
        world.set(ann, "jobTitle", "Chief").await;
        world.engine().provision(job.app, boss.into(), store::ObjectKind::User).await.expect("nothing else runs");
        job.until_calm().await;
        assert_eq!(manager(&job, "ann"), "boss@contoso.com");
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "title")), "Chief");
    });
}
