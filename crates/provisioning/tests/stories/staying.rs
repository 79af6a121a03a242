//! Accounts that stay active although their people are out of scope, because nothing could switch them off: they are told, and switched
//! off as soon as something can.

use jiff::SignedDuration;
use mapping::ObjectMapping;
use provisioning::JobChange;
use provisioning::configuration::ConfigurationFile;
use provisioning::target::{Method, Request};
use serde_json::{Value, json};
use store::UserId;

use crate::fake_target::{Fault, Nature};
use crate::world::{Job, World, lines, on_both};

/// Longer than the settle window.
const WINDOW: SignedDuration = SignedDuration::from_secs(150);

fn active(job: &Job<'_>, name: &str) -> Value {
    job.target.with(|app| app.user_attribute(&format!("{name}@contoso.com"), "active"))
}

/// Changes the mapping of users.
pub type Keeping = fn(&mut ObjectMapping);

/// What keeps accounts from being switched off.
pub const KEEPING: [(&str, Keeping); 3] = [
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

async fn kept(job: &Job<'_>) -> u64 {
    job.world.engine().job(job.app).await.expect("the job is there").users.not_switched_off
}

/// Ann has an account and leaves the scope while nothing switches it off; gives the mappings that would.
pub async fn leaves(world: &World, job: &Job<'_>, keeping: Keeping) -> (UserId, Vec<ObjectMapping>) {
    let ann = world.joins_for(job.app, "Ann").await;
    job.until_calm().await;
    let before = mappings(job).await;
    job.map(|objects| keeping(&mut objects[0])).await;
    world.unassign(job.app, ann).await;
    let report = job.until_calm().await;
    assert_eq!((report.disabled, report.not_switched_off), (0, 1));
    assert!(report.to_string().contains("(1 out of scope that nothing switches off)"), "{report}");
    (ann, before)
}

#[test]
fn who_could_not_be_switched_off_is_told_and_switched_off_as_soon_as_something_can() {
    for (what, keeping) in KEEPING {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            let (_, before) = leaves(&world, &job, keeping).await;
            assert_eq!((active(&job, "ann"), kept(&job).await), (json!(true), 1), "{what}");
            // They are counted in each cycle that looks at everything.
            job.change(JobChange { restart: true, ..JobChange::default() }).await;
            assert_eq!(job.cycle().await.not_switched_off, 1, "{what}");
            job.target.take_requests();
            job.change(JobChange { objects: Some(before), ..JobChange::default() }).await;
            assert_eq!(job.plan().await.len(), 1, "{what}");
            let report = job.until_calm().await;
            assert_eq!((report.cycle, report.disabled, report.not_switched_off), ("initial", 1, 0), "{what}");
            assert_eq!((active(&job, "ann"), kept(&job).await), (json!(false), 0), "{what}");
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
            assert_eq!(kept(&job).await, 0, "{what}");
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
        assert_eq!((active(&job, "ann"), kept(&job).await), (json!(true), 0));
    });
}

#[test]
fn who_is_purged_before_that_is_let_go_and_the_log_tells_that_the_account_stays() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, before) = leaves(&world, &job, KEEPING[0].1).await;
        job.target.take_requests();
        world.deletes_for_good(ann).await;
        job.change(JobChange { objects: Some(before), ..JobChange::default() }).await;
        job.until_calm().await;
        assert_eq!(lines(&job.target.take_writes()), "");
        assert_eq!((active(&job, "ann"), kept(&job).await), (json!(true), 0));
        let last = job.logs().await.pop().expect("there is a log");
        assert!(last.record.to_string().contains("so it stays at the target as it is"), "{}", last.record);
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

/// Changes the mapping of users, and has Ann leave.
type Leaving = (&'static str, Keeping, &'static str);

/// Who stays managed although nothing switches the account off or removes it: template, what keeps it, and how Ann leaves.
const STAYING: [Leaving; 4] = [
    ("scim", KEEPING[0].1, "deleted"),
    ("scim", KEEPING[1].1, "disabled"),
    ("scim", KEEPING[2].1, "deleted"),
    ("forcepoint-csg", |users| users.flow_types.delete = false, "deleted"),
];

#[test]
fn who_stays_managed_is_counted_where_the_others_are() {
    for (template, keeping, way) in STAYING {
        on_both(|world| async move {
            let job = world.job(template, Nature::default()).await;
            let ann = world.joins_for(job.app, "Ann").await;
            job.until_calm().await;
            job.map(|objects| keeping(&mut objects[0])).await;
            match way {
                "deleted" => world.deletes(ann).await,
                _ => world.set(ann, "accountEnabled", false).await,
            }
            job.target.take_requests();
            let report = job.until_calm().await;
            assert_eq!((report.not_switched_off, kept(&job).await), (1, 1), "{template} {way}");
            job.change(JobChange { restart: true, ..JobChange::default() }).await;
            assert_eq!((job.cycle().await.not_switched_off, kept(&job).await), (1, 1), "{template} {way}");
            match way {
                "deleted" => world.restores(ann).await,
                _ => world.set(ann, "accountEnabled", true).await,
            }
            assert_eq!((job.until_calm().await.not_switched_off, kept(&job).await), (0, 0), "{template} {way}");
            assert_eq!(lines(&job.target.take_writes()), "", "{template} {way}");
        });
    }
}

#[test]
fn who_was_let_go_is_counted_for_as_long_as_nothing_switches_off() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, _) = leaves(&world, &job, KEEPING[0].1).await;
        // Whoever the filters leave alone is none of the mapping's business.
        let passes = |value: &str| {
            let clause = json!({ "attribute": "department", "operator": "EQUALS", "value": value });
            serde_json::from_value(json!([{ "name": "F", "clauses": [clause] }])).expect("it is a filter")
        };
        world.set(ann, "department", "IT").await;
        job.map(|objects| objects[0].input_filters = passes("Sales")).await;
        assert_eq!((job.until_calm().await.not_switched_off, kept(&job).await), (0, 0));
        job.map(|objects| objects[0].input_filters = passes("IT")).await;
        assert_eq!((job.until_calm().await.not_switched_off, kept(&job).await), (1, 1));
        // Assigned again and deleted before anybody has looked, so that the account is managed again.
        world.assign(job.app, ann).await;
        world.deletes(ann).await;
        assert_eq!((job.until_calm().await.not_switched_off, kept(&job).await), (1, 1));
    });
}

#[test]
fn who_stays_while_a_write_is_open_is_counted_where_the_others_are() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        job.target.fail(|request| if request.method == Method::Patch { Fault::Lost } else { Fault::None });
        world.unassign(job.app, ann).await;
        assert_eq!((job.cycle().await.failed, kept(&job).await), (1, 0));
        // Nobody knows yet whether that arrives when nothing switches off any more.
        job.map(|objects| KEEPING[0].1(&mut objects[0])).await;
        assert_eq!((job.cycle().await.not_switched_off, kept(&job).await), (1, 1));
        assert_eq!((job.cycle().await.not_switched_off, kept(&job).await), (1, 1));
        world.assign(job.app, ann).await;
        assert_eq!((job.cycle().await.not_switched_off, kept(&job).await), (0, 0));
        world.unassign(job.app, ann).await;
        world.clock.advance(WINDOW);
        assert_eq!((job.until_calm().await.not_switched_off, kept(&job).await), (1, 1));
    });
}

#[test]
fn who_is_switched_off_late_is_counted_until_that_is_known() {
    for fault in [Fault::Lost, Fault::AnswerLost, Fault::Refused(400, None)] {
        on_both(|world| {
            let fault = fault.clone();
            async move {
                let job = world.job("scim", Nature::default()).await;
                let (_, before) = leaves(&world, &job, KEEPING[0].1).await;
                job.change(JobChange { objects: Some(before), ..JobChange::default() }).await;
                let told = format!("{fault:?}");
                job.target
                    .fail(move |request| if request.method == Method::Patch { fault.clone() } else { Fault::None });
                assert_eq!((job.cycle().await.failed, kept(&job).await), (1, 1), "{told}");
                job.target.heal();
                world.clock.advance(WINDOW);
                job.until_calm().await;
                assert_eq!((active(&job, "ann"), kept(&job).await), (json!(false), 0), "{told}");
            }
        });
    }
}

#[test]
fn nobody_is_told_that_an_account_stays_which_may_be_switched_off_by_now_or_is_gone() {
    // Whether she is still in a group at the target when she is purged.
    for in_group in [false, true] {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            let (ann, before) = leaves(&world, &job, KEEPING[0].1).await;
            if in_group {
                world.assign(job.app, ann).await;
                let group = world.group_for(job.app, "Sales").await;
                world.enters(group, ann).await;
                job.until_calm().await;
                world.deletes(ann).await;
                job.until_calm().await;
            }
            job.change(JobChange { objects: Some(before), ..JobChange::default() }).await;
            job.map(|objects| objects[0].flow_types.delete = false).await;
            let is_of_ann = |request: &Request| request.method == Method::Patch && request.path.contains("/Users/");
            job.target.fail(move |request| if is_of_ann(request) { Fault::AnswerLost } else { Fault::None });
            assert_eq!((job.cycle().await.failed, kept(&job).await), (1, 1));
            job.target.heal();
            if in_group {
                world.purges(ann).await;
            } else {
                world.deletes_for_good(ann).await;
            }
            goodbye(&world, &job).await;
        });
    }
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (ann, before) = leaves(&world, &job, KEEPING[0].1).await;
        job.change(JobChange { objects: Some(before), ..JobChange::default() }).await;
        job.target.with(|app| app.users.clear());
        assert_eq!((job.cycle().await.waiting, kept(&job).await), (1, 0));
        world.deletes_for_good(ann).await;
        goodbye(&world, &job).await;
    });
}

/// Lets everything arrive; then Ann is managed no more, and nothing is told of her account.
async fn goodbye(world: &World, job: &Job<'_>) {
    job.cycle().await;
    world.clock.advance(WINDOW);
    job.until_calm().await;
    let logs = job.logs().await.into_iter().map(|log| log.record.to_string());
    let told: Vec<String> = logs.filter(|log| log.contains("is not managed any more")).collect();
    assert!(told.len() == 1 && !told[0].contains("stays at the target"), "{told:?}");
    assert_eq!(kept(job).await, 0);
}

#[test]
fn nobody_is_told_that_an_account_is_active_which_was_switched_off_before() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        job.until_calm().await;
        world.set(ann, "accountEnabled", false).await;
        assert_eq!((job.until_calm().await.disabled, active(&job, "ann")), (1, json!(false)));
        job.map(|objects| KEEPING[0].1(&mut objects[0])).await;
        let report = job.until_calm().await;
        assert!(report.to_string().contains("(1 out of scope that nothing switches off)"), "{report}");
        world.unassign(job.app, ann).await;
        job.until_calm().await;
        world.deletes_for_good(ann).await;
        job.until_calm().await;
        let last = job.logs().await.pop().expect("there is a log").record.to_string();
        assert!(last.contains("it stays at the target as it is") && !last.contains("active"), "{last}");
    });
}

#[test]
fn whose_accounts_a_change_ends_late_is_known_before() {
    for (template, keeping, way) in STAYING {
        on_both(|world| async move {
            let job = world.job(template, Nature::default()).await;
            let file = world.engine().configuration(job.app, false).await.expect("it can be read").to_toml();
            let ann = world.joins_for(job.app, "Ann").await;
            job.until_calm().await;
            let before = mappings(&job).await;
            job.map(|objects| keeping(&mut objects[0])).await;
            if way == "deleted" {
                world.deletes(ann).await;
            } else {
                world.set(ann, "accountEnabled", false).await;
            }
            job.until_calm().await;
            let ended = if template == "scim" { "switched off" } else { "removed" };
            let late = format!(
                "1 account of users out of scope, which nothing has {ended} so far, would be {ended} by the next cycle, but for users that are in scope again by then"
            );
            let told_of = async |objects: Vec<ObjectMapping>, tenant_url: Option<String>| {
                let change = JobChange { objects: Some(objects), tenant_url, ..JobChange::default() };
                let mut outlook = world.engine().look_ahead(job.app, &change).await.expect("the job is there");
                outlook.warnings.retain(|warning| warning.contains("so far"));
                outlook.warnings
            };
            let told = async |objects| told_of(objects, None).await;
            let mut other = mappings(&job).await;
            other[0].attributes.retain(|mapping| mapping.target != "title");
            assert!(told(other).await.is_empty(), "{template} {way}: nothing of it ends an account");
            assert_eq!(told(before.clone()).await, std::slice::from_ref(&late), "{template} {way}");
            let elsewhere = Some("https://other.example.com/scim".to_owned());
            assert!(told_of(before.clone(), elsewhere).await.is_empty(), "{template} {way}: all are matched anew");
            let file = ConfigurationFile::parse(&file).expect("it can be read");
            let proposal = world.engine().propose(&file).await.expect("nothing is wrong");
            assert!(proposal.warnings().contains(&late), "{template} {way}: {:?}", proposal.warnings());
            job.change(JobChange { objects: Some(before.clone()), ..JobChange::default() }).await;
            job.until_calm().await;
            job.map(|objects| keeping(&mut objects[0])).await;
            assert!(told(before).await.is_empty(), "{template} {way}: nobody is left");
        });
    }
}
