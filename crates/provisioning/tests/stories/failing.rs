//! What goes wrong between the service and an application, and what is made of it.

use jiff::{SignedDuration, Timestamp};
use provisioning::target::Method;
use provisioning::{JobChange, JobError, JobStatus, ScopeSetting};
use store::{DIRECTORY_FEED, StoreError, jobs};

use crate::fake_target::{Fault, Nature};
use crate::world::{lines, on_both};

/// Longer than the settle window.
const WINDOW: SignedDuration = SignedDuration::from_secs(130);

#[test]
fn a_create_whose_answer_was_lost_is_found_again_and_never_sent_twice() {
    for fault in [Fault::AnswerLost, Fault::AppliedThenRefused(500), Fault::Garbage, Fault::CrashAfter] {
        let shown = format!("{fault:?}");
        on_both(|world| {
            let (fault, shown) = (fault.clone(), shown.clone());
            async move {
                let job = world.job("scim", Nature { unique: false, ..Nature::default() }).await;
                world.joins_for(job.app, "Ann").await;
                job.target.fail_once(fault, |request| request.method == Method::Post);
                tokio::select! {
                    biased;
                    () = job.target.crashed() => {}
                    report = job.cycle() => assert_eq!(report.failed, 1, "{shown}"),
                }
                world.comes_to_rest().await;
                job.until_calm().await;
                let posts = job.target.take_writes().iter().filter(|one| one.method == "POST").count();
                assert_eq!((posts, job.target.with(|app| app.users.len())), (1, 1), "{shown}");
                assert_eq!(world.engine().job(job.app).await.expect("the job is there").escrows, 0, "{shown}");
            }
        });
    }
}

#[test]
fn a_create_whose_answer_was_lost_is_told_as_waiting_at_once_and_what_is_put_off_as_failed() {
    on_both(|world| async move {
        let job = world.job("scim", Nature { unique: false, ..Nature::default() }).await;
        let ann = world.joins_for(job.app, "Ann").await;
        let bob = world.joins_for(job.app, "Bob").await;
        job.target.fail(|request| match (request.method, request.body.as_deref()) {
            (Method::Post, Some(body)) if String::from_utf8_lossy(body).contains("ann@") => Fault::AnswerLost,
            (Method::Post, Some(_)) => Fault::Refused(400, None),
            _ => Fault::None,
        });
        let report = job.cycle().await;
        assert_eq!((report.failed, report.waiting, report.settles_in_seconds), (2, 1, Some(120)));
        let failures = report.failures;
        let user = store::ObjectKind::User;
        assert_eq!(failures, [(user, ann.into()), (user, bob.into())].into());
        // Ann's account is found, Bob's is refused again and then put off.
        let report = job.cycle().await;
        assert_eq!((report.failed, report.waiting, report.settles_in_seconds), (1, 0, None));
        assert_eq!(job.cycle().await.failed, 0);
        let kept = world.engine().in_escrow(job.app, failures).await.expect("it can be read");
        assert_eq!(kept, [(user, bob.into())].into());
    });
}

#[test]
fn a_create_that_is_only_accepted_is_waited_for() {
    for status in [202, 204] {
        on_both(|world| async move {
            let nature = Nature { unique: false, lag: SignedDuration::from_secs(10), ..Nature::default() };
            let job = world.job("scim", nature).await;
            world.joins_for(job.app, "Ann").await;
            job.target.fail_once(Fault::AppliedThenRefused(status), |request| request.method == Method::Post);
            assert_eq!(job.cycle().await.failed, 1);
            assert_eq!(job.cycle().await.settles_in_seconds, Some(120));
            world.clock.advance(SignedDuration::from_secs(10));
            job.until_calm().await;
            assert_eq!(job.target.with(|app| app.users.len()), 1);
        });
    }
}

#[test]
fn a_create_that_was_lost_is_sent_again_after_the_window() {
    for fault in [Fault::Lost, Fault::CrashBefore] {
        on_both(|world| {
            let fault = fault.clone();
            async move {
                let job = world.job("scim", Nature { unique: false, ..Nature::default() }).await;
                world.joins_for(job.app, "Ann").await;
                job.target.fail_once(fault, |request| request.method == Method::Post);
                tokio::select! {
                    biased;
                    () = job.target.crashed() => {}
                    report = job.cycle() => assert_eq!(report.failed, 1),
                }
                world.comes_to_rest().await;
                let report = job.cycle().await;
                assert_eq!(report.settles_in_seconds, Some(120));
                assert!(report.waiting > 0);
                world.clock.advance(WINDOW);
                assert_eq!(job.until_calm().await.created, 1);
                assert_eq!(job.target.with(|app| app.users.len()), 1);
            }
        });
    }
}

#[test]
fn a_create_that_arrives_after_its_account_has_gone_again_or_is_called_otherwise_leaves_nothing() {
    for leaves in [true, false] {
        on_both(|world| async move {
            let job = world.job("forcepoint-csg", Nature::default()).await;
            let ann = world.joins_for(job.app, "Ann").await;
            job.target.fail_once(Fault::Late(SignedDuration::from_secs(50)), |request| request.method == Method::Post);
            assert_eq!(job.cycle().await.failed, 1);
            assert_eq!(job.cycle().await.created, 1);
            if leaves {
                world.unassign(job.app, ann).await;
            } else {
                world.set(ann, "userPrincipalName", "ann.lee@contoso.com").await;
                world.set(ann, "mailNickname", "ann.lee").await;
            }
            job.cycle().await;
            world.clock.advance(SignedDuration::from_secs(60));
            job.cycle().await;
            world.clock.advance(WINDOW);
            job.until_calm().await;
            assert_eq!(job.target.with(|app| app.users.len()), usize::from(!leaves));
            assert_eq!(job.target.with(|app| app.user_id("ann.lee@contoso.com").is_some()), !leaves);
        });
    }
}

#[test]
fn an_update_that_arrives_late_is_noticed() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.set(ann, "jobTitle", "Second").await;
        job.target.fail_once(Fault::Late(SignedDuration::from_secs(50)), |request| request.method == Method::Patch);
        assert_eq!(job.cycle().await.updated, 1);
        world.set(ann, "jobTitle", "Third").await;
        job.cycle().await;
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "title")), "Third");
        world.clock.advance(SignedDuration::from_secs(60));
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "title")), "Second");
        job.cycle().await;
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "title")), "Third");
        world.clock.advance(WINDOW);
        job.until_calm().await;
    });
}

#[test]
fn an_update_whose_answer_nobody_learned_is_not_taken_for_undone() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_with("Ann", &[("jobTitle", "First")]).await;
        world.assign(job.app, ann).await;
        job.until_calm().await;
        world.set(ann, "jobTitle", "Second").await;
        job.target.fail_once(Fault::CrashAfter, |request| request.method == Method::Patch);
        tokio::select! {
            biased;
            () = job.target.crashed() => {}
            report = job.cycle() => panic!("the cycle was to die: {report}"),
        }
        world.comes_to_rest().await;
        world.set(ann, "jobTitle", "First").await;
        job.cycle().await;
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "title")), "First");
    });
}

#[test]
fn an_update_that_was_carried_out_before_the_application_went_down_is_not_taken_for_undone() {
    for fault in [Fault::Unreachable, Fault::Refused(401, None)] {
        on_both(|world| {
            let fault = fault.clone();
            async move {
                let job = world.job("scim", Nature::default()).await;
                job.change(JobChange { concurrency: Some(8), ..JobChange::default() }).await;
                let names = ["Ann", "Bob", "Cid", "Dan", "Eve"];
                let mut people = Vec::new();
                for name in names {
                    people.push(world.joins_with(name, &[("jobTitle", "First")]).await);
                    world.assign(job.app, people[people.len() - 1]).await;
                }
                job.until_calm().await;
                for person in &people {
                    world.set(*person, "jobTitle", "Second").await;
                }
                // It is down when it has carried out all of them, and has answered none.
                let mut carried_out = 0;
                job.target.fail(move |request| match request.method {
                    Method::Patch if carried_out < names.len() => {
                        carried_out += 1;
                        Fault::AppliedThenRefused(503)
                    }
                    _ if carried_out == names.len() => fault.clone(),
                    _ => Fault::None,
                });
                drop(job.try_cycle().await);
                job.target.heal();
                for person in people {
                    world.set(person, "jobTitle", "First").await;
                }
                job.cycle().await;
                for name in ["ann", "bob", "cid", "dan", "eve"] {
                    let name = format!("{name}@contoso.com");
                    assert_eq!(job.target.with(|app| app.user_attribute(&name, "title")), "First", "{name}");
                }
            }
        });
    }
}

#[test]
fn people_whom_an_application_forbids_to_change_keep_nobody_else_waiting() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.change(JobChange { concurrency: Some(8), ..JobChange::default() }).await;
        let mut admins = Vec::new();
        for number in 0..8 {
            admins.push(world.joins_for(job.app, &format!("P{number}")).await);
        }
        job.until_calm().await;
        for admin in admins {
            world.set(admin, "jobTitle", "Admin").await;
        }
        world.joins_for(job.app, "Ann").await;
        let forbidden = |request: &provisioning::target::Request| request.method == Method::Patch;
        job.target.fail(move |request| if forbidden(request) { Fault::Refused(403, None) } else { Fault::None });
        let report = job.cycle().await;
        assert_eq!((report.created, report.failed), (1, 8));
        assert!(job.log_lines().await.contains(&"update p3@contoso.com failure InsufficientRights".to_owned()));
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").status, JobStatus::On);
    });
}

#[test]
fn quarantine_never_makes_a_job_run_more_often_than_it_is_to() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let day = 24 * 3600;
        job.change(JobChange { interval_seconds: Some(day), ..JobChange::default() }).await;
        world.joins_for(job.app, "Ann").await;
        job.target.fail(|_| Fault::Unreachable);
        job.try_cycle().await.expect_err("nobody can be reached");
        let view = world.engine().job(job.app).await.expect("the job is there");
        let next = view.next_run.expect("the job is on");
        assert!(next >= world.clock.now() + SignedDuration::from_hours(23), "{next}");
    });
}

#[test]
fn a_job_whose_cycle_cannot_begin_is_not_tried_without_end() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        world.lock_folder_is_unusable();
        let (began, mut turns) = (tokio::time::Instant::now(), 0);
        let shutdown = std::future::poll_fn(|_| {
            turns += 1;
            let is_over = turns > 1000 || began.elapsed() > std::time::Duration::from_secs(10);
            if is_over { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        });
        world.engine().scheduler(shutdown).await;
        assert!(turns < 100, "{turns}");
    });
}

#[test]
fn a_page_for_people_is_no_success() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.set(ann, "jobTitle", "Chief").await;
        job.target.fail_once(Fault::Garbage, |request| request.method == Method::Patch);
        assert_eq!(job.cycle().await.failed, 1);
        job.target.fail_once(Fault::OtherId, |request| request.path.starts_with("/Users/"));
        assert_eq!(job.cycle().await.updated, 0);
        world.clock.advance(WINDOW);
        job.until_calm().await;
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").users.linked, 1);
    });
}

#[test]
fn a_refused_token_puts_the_job_in_quarantine_until_it_is_taken_again() {
    for (fault, told) in [(Fault::Refused(401, None), "secret token"), (Fault::Unreachable, "no connection")] {
        on_both(|world| {
            let fault = fault.clone();
            async move {
                let job = world.job("scim", Nature::default()).await;
                let ann = world.joins_for(job.app, "Ann").await;
                job.until_calm().await;
                job.target.take_requests();
                world.unassign(job.app, ann).await;
                job.target.fail(move |_| fault.clone());
                let error = job.try_cycle().await.expect_err("nobody can be reached");
                assert!(matches!(&error, JobError::Connection(_)), "{error}");
                assert_eq!(lines(&job.target.take_writes()), "");
                let view = world.engine().job(job.app).await.expect("the job is there");
                assert_eq!(view.status, JobStatus::Quarantine);
                assert!(view.quarantine.is_some_and(|reason| reason.contains(told)), "{told}");
                job.target.heal();
                assert_eq!(job.cycle().await.disabled, 1);
                let view = world.engine().job(job.app).await.expect("the job is there");
                assert_eq!((view.status, view.quarantine), (JobStatus::On, None));
            }
        });
    }
}

#[test]
fn a_new_token_lifts_the_quarantine() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        job.target.fail(|_| Fault::Refused(403, None));
        job.try_cycle().await.expect_err("the token is refused");
        let secret_token = Some("better".to_owned());
        let change = JobChange { secret_token, ..JobChange::default() };
        let refused = world.engine().change_job(job.app, change.clone()).await;
        assert!(matches!(refused, Err(JobError::Connection(_))));
        job.target.heal();
        job.change(change).await;
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").status, JobStatus::On);
        assert_eq!(job.until_calm().await.created, 1);
    });
}

#[test]
fn a_token_that_is_refused_in_the_middle_stops_the_cycle_and_loses_nothing() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        for number in 0..20 {
            world.joins_for(job.app, &format!("P{number}")).await;
        }
        let mut posts = 0;
        job.target.fail(move |request| {
            posts += u32::from(request.method == Method::Post);
            if posts > 5 { Fault::Refused(401, None) } else { Fault::None }
        });
        assert!(matches!(job.try_cycle().await, Err(JobError::Connection(_))));
        assert_eq!(job.target.with(|app| app.users.len()), 5);
        job.target.heal();
        job.until_calm().await;
        assert_eq!(job.target.with(|app| app.users.len()), 20);
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").users.linked, 20);
    });
}

#[test]
fn too_many_requests_are_waited_for_and_then_put_off() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        job.target.fail_once(Fault::Refused(429, Some(7)), |request| request.method == Method::Post);
        let began = tokio::time::Instant::now();
        assert_eq!(job.cycle().await.created, 1);
        assert!(began.elapsed() >= std::time::Duration::from_secs(7));
        world.joins_for(job.app, "Bob").await;
        job.target.fail(
            |request| {
                if request.method == Method::Post { Fault::Refused(429, Some(0)) } else { Fault::None }
            },
        );
        job.target.take_requests();
        assert_eq!(job.cycle().await.failed, 1);
        assert!(job.target.take_writes().len() >= 3);
        // That the application is busy says nothing of Bob: he is tried in each cycle.
        for _ in 0..2 {
            assert_eq!(job.cycle().await.failed, 1);
        }
        assert!(job.log_lines().await.contains(&"create bob@contoso.com failure TooManyRequests".to_owned()));
        job.target.heal();
        assert_eq!(job.until_calm().await.created, 1);
    });
}

#[test]
fn an_application_that_takes_nothing_any_more_ends_the_cycle() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let mut people = Vec::new();
        for name in ["Ann", "Bob", "Cid", "Dan", "Eve"] {
            people.push(world.joins_for(job.app, name).await);
        }
        job.until_calm().await;
        for person in people {
            world.set(person, "jobTitle", "Chief").await;
        }
        let mut reads = 0;
        job.target.fail(move |request| {
            reads += u32::from(request.method == Method::Get);
            // The connection test is answered, and then its quota is used up.
            if reads > 2 { Fault::Refused(429, Some(60)) } else { Fault::None }
        });
        assert!(matches!(job.try_cycle().await, Err(JobError::Connection(_))));
        let view = world.engine().job(job.app).await.expect("the job is there");
        assert_eq!((view.status, view.escrows), (JobStatus::Quarantine, 2));
        job.target.heal();
        assert_eq!(job.until_calm().await.updated, 5);
    });
}

#[test]
fn an_application_that_takes_a_few_requests_a_second_gets_everybody_in_one_cycle() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let scope = Some(ScopeSetting::All);
        job.change(JobChange { scope, concurrency: Some(64), ..JobChange::default() }).await;
        for number in 0..200 {
            world.joins(&format!("P{number}")).await;
        }
        let (mut second, mut taken) = (tokio::time::Instant::now(), 0);
        job.target.fail(move |_| {
            if second.elapsed() >= std::time::Duration::from_secs(1) {
                (second, taken) = (tokio::time::Instant::now(), 0);
            }
            taken += 1;
            if taken > 25 { Fault::Refused(429, Some(1)) } else { Fault::None }
        });
        let report = job.cycle().await;
        assert_eq!((report.created, report.failed), (200, 0));
        let refused = report.requests - 2 * 200;
        assert!(refused < 200, "{refused} requests more than are needed");
    });
}

#[test]
fn a_create_that_had_to_wait_before_it_was_sent_is_given_its_whole_window_after_that() {
    // It cannot be seen for 10 seconds: because it arrives late, or because the application shows it late.
    for (fault, lag) in [(Fault::Late(SignedDuration::from_secs(10)), 0), (Fault::CrashAfter, 10)] {
        on_both(|world| {
            let fault = fault.clone();
            async move {
                let nature = Nature { unique: false, lag: SignedDuration::from_secs(lag), ..Nature::default() };
                let job = world.job("scim", nature).await;
                let (timeout, window) = (Some(10), Some(20));
                let change =
                    JobChange { request_timeout_seconds: timeout, settle_seconds: window, ..JobChange::default() };
                job.change(change).await;
                world.joins_for(job.app, "Ann").await;
                let (mut posts, clock) = (0, world.clock.clone());
                job.target.fail(move |request| {
                    posts += u32::from(request.method == Method::Post);
                    match (request.method, posts) {
                        (Method::Post, 1) => {
                            clock.advance(SignedDuration::from_secs(40));
                            Fault::Refused(429, Some(40))
                        }
                        (Method::Post, 2) => fault.clone(),
                        _ => Fault::None,
                    }
                });
                tokio::select! {
                    biased;
                    () = job.target.crashed() => {}
                    report = job.cycle() => assert_eq!(report.failed, 1),
                }
                world.comes_to_rest().await;
                assert!(job.cycle().await.waiting > 0, "it may be on its way still");
                world.clock.advance(SignedDuration::from_secs(10));
                job.until_calm().await;
                assert_eq!(job.target.with(|app| app.users.len()), 1);
            }
        });
    }
}

#[test]
fn an_application_that_fails_now_and_then_is_asked_again_at_once() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.set(ann, "jobTitle", "Chief").await;
        let mut number = 0;
        job.target.fail(move |_| {
            number += 1;
            if number % 2 == 1 { Fault::Refused(503, None) } else { Fault::Slow(std::time::Duration::from_secs(3)) }
        });
        let report = job.cycle().await;
        assert_eq!((report.updated, report.failed), (1, 0));
    });
}

#[test]
fn an_application_without_groups_fails_only_the_groups() {
    on_both(|world| async move {
        let job = world.job("scim", Nature { users_only: true, ..Nature::default() }).await;
        world.joins_for(job.app, "Ann").await;
        world.group_for(job.app, "Sales").await;
        let report = job.cycle().await;
        assert_eq!((report.created, report.failed), (1, 1));
        assert!(job.log_lines().await.contains(&"create Sales failure InvalidAnchor".to_owned()));
    });
}

#[test]
fn failures_are_kept_for_28_days() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.target.fail(|request| if request.method == Method::Post { Fault::Refused(400, None) } else { Fault::None });
        world.joins_for(job.app, "Ann").await;
        let mut attempts = Vec::new();
        for hour in 0..24 * 30 {
            if job.cycle().await.failed > 0 {
                attempts.push(hour);
            }
            world.clock.advance(SignedDuration::from_hours(1));
        }
        assert_eq!(attempts[..6], [0, 1, 6, 12, 24, 48]);
        assert_eq!(attempts.last(), Some(&(24 * 28)));
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").escrows, 0);
        assert_eq!(job.log_lines().await.last().unwrap(), "other ann@contoso.com failure EscrowExpired");
    });
}

#[test]
fn all_failures_that_are_due_are_tried_again_in_one_cycle() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let scope = Some(ScopeSetting::All);
        job.change(JobChange { scope, concurrency: Some(64), ..JobChange::default() }).await;
        // More than are fetched at a time.
        let many = 501;
        for number in 0..many {
            world.joins(&format!("P{number}")).await;
        }
        job.target.fail(|request| if request.method == Method::Post { Fault::Refused(400, None) } else { Fault::None });
        assert_eq!(job.cycle().await.failed, many);
        let again = job.cycle().await;
        assert_eq!((again.failed, again.created), (many, 0), "once each");
        assert_eq!(job.cycle().await.requests, 0);
        job.target.heal();
        world.clock.advance(SignedDuration::from_hours(6));
        assert_eq!(job.plan().await.len(), usize::try_from(many).expect("it is a small number"));
        assert_eq!(job.cycle().await.created, many);
    });
}

#[test]
fn a_second_start_of_a_running_job_is_refused() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        job.target.fail_once(Fault::CrashBefore, |_| true);
        tokio::select! {
            biased;
            () = job.target.crashed() => assert!(matches!(job.try_cycle().await, Err(JobError::Busy))),
            report = job.cycle() => panic!("the application does not answer: {report}"),
        }
        world.comes_to_rest().await;
        assert_eq!(job.until_calm().await.created, 1);
    });
}

#[test]
fn a_job_that_was_away_for_longer_than_changes_are_kept_looks_at_everything_again() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let anne = world.joins_for(job.app, "Anne").await;
        world.joins_for(job.app, "Bert").await;
        assert_eq!(job.until_calm().await.cycle, "initial");
        world.set(anne, "department", "Sales").await;
        // Its watermark is that of a backup: everybody else has gone on.
        let (app, now) = (job.app, world.clock.now());
        let trimmed = world.store.write(move |tx| {
            store::number_changes(tx, DIRECTORY_FEED)?;
            let head = store::feed_head(tx, DIRECTORY_FEED)?;
            let lease = jobs::take_lease(tx, app, "a test", now, now)?.expect("no cycle runs");
            jobs::set_watermark(tx, lease, head)?;
            let trimmed = store::trim_changes(tx, DIRECTORY_FEED, Timestamp::MAX)?;
            jobs::set_watermark(tx, lease, 1)?;
            jobs::release(tx, lease, now)?;
            Ok::<_, StoreError>(trimmed)
        });
        assert!(trimmed.await.expect("the store is there") > 1);
        job.target.take_requests();
        let report = job.cycle().await;
        assert_eq!((report.cycle, report.updated, report.failed), ("initial", 1, 0));
        let again = job.cycle().await;
        assert_eq!((again.cycle, again.requests), ("incremental", 0));
    });
}
