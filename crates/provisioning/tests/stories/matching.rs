//! Accounts that are there already: matched, adopted, contested, gone.

use jiff::SignedDuration;
use provisioning::JobChange;
use provisioning::target::Method;
use serde_json::json;

use crate::fake_target::{Fault, Nature};
use crate::world::{lines, on_both};

/// Longer than the settle window.
const WINDOW: SignedDuration = SignedDuration::from_secs(130);

#[test]
fn an_account_that_matches_is_adopted_and_changed_only_where_it_differs() {
    on_both(|world| async move {
        let job = world.job("netskope", Nature::default()).await;
        let id = job.target.with(|app| {
            app.add_user(&json!({
                "userName": "ANN@contoso.com", "active": true, "displayName": "Annie", "externalId": "ann",
                "name": { "givenName": "Ann", "familyName": "Example" }, "nickName": "kept",
                "emails": [{ "type": "work", "value": "ann@contoso.com" }]
            }))
        });
        let ann = world.joins_for(job.app, "Ann").await;
        assert_eq!(job.until_calm().await.updated, 1);
        let body = json!([{ "op": "Replace", "path": "displayName", "value": "Ann Example" }]);
        let writes = job.target.take_writes();
        assert_eq!(writes.iter().map(|one| one.path.clone()).collect::<Vec<_>>(), [format!("/Users/{id}")]);
        assert_eq!(writes[0].body.clone().unwrap_or_default()["Operations"], body);
        world.unassign(job.app, ann).await;
        assert_eq!(job.until_calm().await.disabled, 1);
        assert_eq!(job.target.with(|app| app.users[&id].attributes["active"].clone()), false);
    });
}

#[test]
fn an_account_that_is_equal_is_adopted_without_a_write() {
    on_both(|world| async move {
        let first = world.job_named("first", "scim", Nature::default(), None).await;
        world.joins_for(first.app, "Ann").await;
        first.until_calm().await;
        let account = first.target.with(|app| app.users.values().next().cloned()).expect("Ann has an account");
        let second = world.job_named("second", "scim", Nature::default(), Some(provisioning::ScopeSetting::All)).await;
        second.target.with(|app| app.add_user(&serde_json::Value::Object(account.attributes)));
        second.until_calm().await;
        assert_eq!(lines(&second.target.take_writes()), "");
        assert_eq!(world.engine().job(second.app).await.expect("the job is there").users.linked, 1);
    });
}

#[test]
fn two_accounts_that_match_are_nobodys() {
    on_both(|world| async move {
        let job = world.job("scim", Nature { unique: false, ..Nature::default() }).await;
        for _ in 0..2 {
            job.target.with(|app| app.add_user(&json!({ "userName": "ann@contoso.com" })));
        }
        world.joins_for(job.app, "Ann").await;
        job.cycle().await;
        assert_eq!(job.log_lines().await, ["other ann@contoso.com failure DuplicateTargetEntries"]);
        assert_eq!(lines(&job.target.take_writes()), "");
    });
}

#[test]
fn two_groups_of_one_name_never_share_an_account_however_many_are_worked_on_at_once() {
    for (unique, concurrency) in [(true, 1), (true, 8), (false, 1), (false, 8)] {
        on_both(|world| async move {
            let job = world.job("scim", Nature { unique, ..Nature::default() }).await;
            let concurrency = Some(concurrency);
            job.change(provisioning::JobChange { concurrency, ..provisioning::JobChange::default() }).await;
            world.group_for(job.app, "Sales").await;
            world.group_for(job.app, "Sales").await;
            let report = job.cycle().await;
            assert_eq!((report.created, report.failed), (1, 1));
            assert!(job.log_lines().await.contains(&"other Sales failure DuplicateSourceEntries".to_owned()));
            assert_eq!(job.target.with(|app| app.groups.len()), 1);
        });
    }
}

#[test]
fn a_group_that_differs_in_case_alone_is_adopted_and_written_as_it_is_in_the_directory() {
    for unique in [true, false] {
        on_both(|world| async move {
            let job = world.job("scim", Nature { unique, ..Nature::default() }).await;
            let id = job.target.with(|app| app.add_group("marketing"));
            world.group_for(job.app, "Marketing").await;
            let report = job.until_calm().await;
            assert_eq!((report.created, report.updated, report.failed), (0, 1, 0));
            assert_eq!(job.target.with(|app| app.group_id("Marketing")), Some(id));
        });
    }
}

#[test]
fn of_two_groups_that_differ_in_case_alone_the_one_in_the_same_case_is_meant() {
    on_both(|world| async move {
        let job = world.job("scim", Nature { unique: false, ..Nature::default() }).await;
        job.target.with(|app| app.add_group("marketing"));
        let id = job.target.with(|app| app.add_group("Marketing"));
        let sales = world.group_for(job.app, "Marketing").await;
        assert_eq!(job.until_calm().await.failed, 0);
        world.dissolves(sales).await;
        job.until_calm().await;
        assert!(job.target.with(|app| app.group_id("marketing").is_some() && !app.groups.contains_key(&id)));
    });
}

#[test]
fn an_application_that_ignores_the_filter_is_found_out() {
    on_both(|world| async move {
        let job = world.job("scim", Nature { ignores_filters: true, ..Nature::default() }).await;
        job.target.with(|app| app.add_user(&json!({ "userName": "robot@contoso.com" })));
        world.joins_for(job.app, "Ann").await;
        assert_eq!(job.until_calm().await.created, 1);
        assert_eq!(job.target.with(|app| app.user_attribute("robot@contoso.com", "active")), serde_json::Value::Null);
    });
}

#[test]
fn an_application_that_ignores_the_filter_gets_nobody_whom_it_may_have_beyond_its_first_page() {
    on_both(|world| async move {
        let nature = Nature { ignores_filters: true, unique: false, page: 2, ..Nature::default() };
        let job = world.job("scim", nature).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        for name in ["bob", "eve", "joe"] {
            job.target.with(|app| app.add_user(&json!({ "userName": format!("{name}@contoso.com") })));
        }
        let error = world.engine().test_connection(job.app).await.expect_err("it answers with a part of everything");
        assert!(error.to_string().starts_with("the target ignores filters: asked for one userName it"), "{error}");
        // It was taken when it was small, and goes on needing a token.
        job.change(JobChange { secret_token: Some("next".to_owned()), ..JobChange::default() }).await;
        // Bob is on the first page. Joe is not, and must not be made once more. Ann has an account and is kept in step.
        world.joins_for(job.app, "Bob").await;
        world.joins_for(job.app, "Joe").await;
        world.set(ann, "jobTitle", "Chief").await;
        let report = job.cycle().await;
        assert_eq!((report.created, report.updated, report.failed), (0, 2, 1));
        assert_eq!(job.target.with(|app| app.users.len()), 4);
        let logs = job.log_lines().await;
        let failure = "other joe@contoso.com failure SystemForCrossDomainIdentityManagementServiceIncompatible";
        assert!(logs.iter().any(|line| line == failure), "{logs:?}");
    });
}

#[test]
fn a_conflict_is_adopted_where_the_account_matches_after_all() {
    on_both(|world| async move {
        let job = world.job("netskope", Nature { lag: SignedDuration::from_secs(60), ..Nature::default() }).await;
        world.joins_for(job.app, "Ann").await;
        job.target.fail_once(Fault::AnswerLost, |request| request.method == Method::Post);
        assert_eq!(job.cycle().await.failed, 1);
        // The application does not show the account yet, but does not take another one of that name either.
        assert_eq!(job.cycle().await.failed, 1);
        assert!(job.log_lines().await.contains(&"other ann@contoso.com failure EntryConflict".to_owned()));
        world.clock.advance(SignedDuration::from_secs(60));
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.users.len()), 1);
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").users.linked, 1);
    });
}

#[test]
fn a_conflict_about_something_else_is_told_and_not_fought() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.target.with(|app| app.add_user(&json!({ "userName": "other@contoso.com", "externalId": "ann" })));
        world.joins_for(job.app, "Ann").await;
        assert_eq!(job.cycle().await.failed, 1);
        assert_eq!(job.log_lines().await, ["other ann@contoso.com failure EntryConflict"]);
        let posts = job.target.take_writes().len();
        assert_eq!(posts, 1);
        job.cycle().await;
        job.target.take_requests();
        assert_eq!(job.cycle().await.requests, 0);
        job.target.with(|app| app.users.clear());
        world.clock.advance(SignedDuration::from_hours(6));
        assert_eq!(job.until_calm().await.created, 1);
    });
}

#[test]
fn a_linked_account_that_is_gone_is_made_once_more_with_its_references() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let sales = world.group_for(job.app, "Sales").await;
        let ann = world.joins("Ann").await;
        let boss = world.joins_for(job.app, "Boss").await;
        world.set(ann, "manager", boss.to_string()).await;
        world.enters(sales, ann).await;
        world.enters(sales, boss).await;
        job.until_calm().await;
        world.clock.advance(WINDOW);
        let gone = job.target.with(|app| {
            let boss = app.user_id("boss@contoso.com").expect("the boss has an account");
            app.users.remove(&boss);
            for members in app.members.values_mut() {
                members.remove(&boss);
            }
            boss
        });
        world.set(boss, "jobTitle", "Chief").await;
        assert_eq!(job.until_calm().await.created, 1);
        let again = job.target.with(|app| app.user_id("boss@contoso.com")).expect("the boss has an account again");
        assert_ne!(again, gone);
        let manager = job.target.with(|app| app.user_attribute("ann@contoso.com", scim::ENTERPRISE_USER_URN));
        assert_eq!(manager["manager"]["value"], again);
        assert_eq!(job.target.with(|app| app.member_names("Sales")), ["ann@contoso.com", "boss@contoso.com"]);
    });
}

#[test]
fn a_linked_account_that_was_made_again_by_hand_is_matched_again() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        job.target.with(|app| {
            app.users.clear();
            app.add_user(&json!({ "userName": "ann@contoso.com" }))
        });
        world.set(ann, "jobTitle", "Chief").await;
        let report = job.until_calm().await;
        assert_eq!((report.created, report.updated), (0, 1));
        assert_eq!(job.target.with(|app| app.users.len()), 1);
    });
}

#[test]
fn an_account_that_cannot_be_seen_yet_is_not_made_twice() {
    on_both(|world| async move {
        let lag = SignedDuration::from_secs(60);
        let job = world.job("scim", Nature { unique: false, lag, ..Nature::default() }).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.cycle().await;
        world.set(ann, "jobTitle", "Chief").await;
        assert!(job.cycle().await.waiting > 0);
        world.clock.advance(WINDOW);
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.users.len()), 1);
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "title")), "Chief");
    });
}

#[test]
fn who_is_renamed_while_a_create_may_still_arrive_gets_one_account() {
    for template in ["scim", "netskope"] {
        on_both(|world| async move {
            let job = world.job(template, Nature::default()).await;
            let ann = world.joins_for(job.app, "Ann").await;
            let late = Fault::Late(SignedDuration::from_secs(50));
            job.target.fail_once(late, |request| request.method == Method::Post);
            job.cycle().await;
            world.set(ann, "userPrincipalName", "ann.lee@contoso.com").await;
            world.set(ann, "mailNickname", "ann.lee").await;
            assert!(job.cycle().await.waiting > 0);
            world.clock.advance(WINDOW);
            job.until_calm().await;
            assert_eq!(job.target.with(|app| app.users.len()), 1, "{template}");
            assert!(job.target.with(|app| app.user_id("ann.lee@contoso.com")).is_some(), "{template}");
        });
    }
}

#[test]
fn another_address_is_another_set_of_accounts() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        assert_eq!(job.until_calm().await.created, 1);
        let (elsewhere, url) = world.target("elsewhere", Nature::default());
        // The first account there has the id that Ann's has at the old address.
        elsewhere.with(|app| app.add_user(&json!({ "userName": "robot@contoso.com", "active": true })));
        job.moves_to(url).await;
        world.deletes(ann).await;
        world.joins_for(job.app, "Bob").await;
        assert_eq!(job.until_calm().await.created, 1);
        assert_eq!(elsewhere.with(|app| app.user_attribute("robot@contoso.com", "active")), json!(true));
    });
}

/// Has users matched by `externalId`, which is their `employeeId`.
async fn match_by_employee_id(job: &crate::world::Job<'_>) {
    job.map(|objects| {
        for mapping in &mut objects[0].attributes {
            mapping.matching_priority = u32::from(mapping.target == "externalId");
            if mapping.target == "externalId" {
                mapping.source = mapping::MappingSource::Attribute("employeeId".to_owned());
            }
        }
    })
    .await;
}

#[test]
fn who_loses_the_matching_value_while_a_create_is_under_way_is_found_all_the_same() {
    on_both(|world| async move {
        let job = world.job("scim", Nature { unique: false, ..Nature::default() }).await;
        match_by_employee_id(&job).await;
        let ann = world.joins_with("Ann", &[("employeeId", "7")]).await;
        world.assign(job.app, ann).await;
        job.target.fail_once(Fault::AnswerLost, |request| request.method == Method::Post);
        assert_eq!(job.cycle().await.failed, 1);
        world.set(ann, "employeeId", "").await;
        job.until_calm().await;
        let view = world.engine().job(job.app).await.expect("the job is there");
        assert_eq!((view.users.linked, view.users.open, view.escrows), (1, 0, 0));
        assert_eq!(job.target.with(|app| app.users.len()), 1);
    });
}

#[test]
fn who_has_no_matching_value_is_left_out_with_a_word_until_there_is_one() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        match_by_employee_id(&job).await;
        let ann = world.joins_for(job.app, "Ann").await;
        let report = job.cycle().await;
        assert_eq!((report.created, report.skipped, report.failed), (0, 1, 0));
        assert_eq!(job.log_lines().await, ["other ann@contoso.com skipped"]);
        world.set(ann, "employeeId", "7").await;
        assert_eq!(job.cycle().await.created, 1);
    });
}
