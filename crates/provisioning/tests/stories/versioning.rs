//! Versions of a job's mappings: what makes one, who is told of it, and the ways back.

use jiff::SignedDuration;
use mapping::schema::Difference;
use provisioning::{JobChange, JobError, SchemaBase, Template, VersionView};
use serde_json::{Value, json};

use crate::fake_target::Nature;
use crate::world::{Job, World, on_both};

/// The versions, latest first, in short: number, reason.
async fn versions(world: &World, job: &Job<'_>) -> Vec<String> {
    let page = world.engine().mapping_versions(job.app, None, 100).await.expect("they can be read");
    assert_eq!(page.next, None);
    page.versions.iter().map(|one| format!("{} {}", one.version, one.reason)).collect()
}

async fn set_title(job: &Job<'_>, source: &str) {
    let source = source.parse().expect("it is an expression");
    job.map(|objects| {
        let title = objects[0].attributes.iter_mut().find(|mapping| mapping.target == "title");
        title.expect("the template maps it").source = source;
    })
    .await;
}

async fn title_of(world: &World, job: &Job<'_>, number: Option<i64>) -> String {
    let version = world.engine().mapping_version(job.app, number).await.expect("it is kept");
    let title = version.objects[0].attributes.iter().find(|mapping| mapping.target == "title");
    title.expect("it is mapped").source.to_string()
}

#[test]
fn each_change_of_the_mappings_is_a_version_and_nothing_else_is() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.clock.advance(SignedDuration::from_secs(60));
        set_title(&job, "ToUpper([jobTitle])").await;
        set_title(&job, "ToUpper([jobTitle])").await;
        job.change(JobChange { interval_seconds: Some(77), ..JobChange::default() }).await;
        world.engine().test_connection(job.app).await.expect("it works");
        assert_eq!(versions(&world, &job).await, ["2 the mappings were changed", "1 the application was added"]);
        let first = world.engine().mapping_version(job.app, Some(1)).await.expect("it is kept");
        assert_eq!(first.objects, Template::by_name("scim").expect("it is there").objects);
        let head = world.engine().mapping_version(job.app, None).await.expect("it is kept").head;
        let at = first.head.at + SignedDuration::from_secs(60);
        let expected = VersionView {
            version: 2,
            at,
            actor: "story".to_owned(),
            reason: "the mappings were changed".to_owned(),
            schema_of: None,
        };
        assert_eq!(head, expected);
        let lacking = world.engine().mapping_version(job.app, Some(3)).await.expect_err("there is none");
        assert_eq!(lacking.to_string(), "the mappings have no version 3; 1 to 2 are kept");
    });
}

#[test]
fn a_job_that_is_older_than_versions_begins_with_what_it_was() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let app = job.app;
        world.store.write(move |tx| store::jobs::delete_traces(tx, app)).await.expect("they are removed");
        let beginning = ["1 the mappings before the first change that is kept"];
        assert_eq!(versions(&world, &job).await, beginning);
        let lacking = world.engine().mapping_version(app, Some(2)).await.expect_err("there is none");
        assert_eq!(lacking.to_string(), "the mappings have no version 2; there is only version 1");
        set_title(&job, "ToUpper([jobTitle])").await;
        assert_eq!(versions(&world, &job).await, ["2 the mappings were changed", beginning[0]]);
        assert_eq!(title_of(&world, &job, Some(1)).await, "[jobTitle]");
    });
}

#[test]
fn rolling_back_makes_accounts_what_they_were() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        world.set(ann, "jobTitle", "Lead").await;
        job.until_calm().await;
        let title =
            || job.target.with(|app| app.users.values().next().expect("she is there").attributes["title"].clone());
        assert_eq!(title(), "Lead");
        set_title(&job, "ToUpper([jobTitle])").await;
        job.until_calm().await;
        assert_eq!(title(), "LEAD");
        let view = world.engine().roll_back(job.app, 1, Some(2)).await.expect("it is kept").expect("that is a change");
        assert!(!view.initial_done, "everything is looked at again");
        job.until_calm().await;
        assert_eq!(title(), "Lead");
        assert_eq!(versions(&world, &job).await[0], "3 rolled back to version 1");
        let engine = world.engine();
        let (one, three) =
            (engine.mapping_version(job.app, Some(1)).await, engine.mapping_version(job.app, None).await);
        assert_eq!(one.expect("it is kept").objects, three.expect("it is kept").objects);
        // It is so already: nothing is looked at again.
        assert!(engine.roll_back(job.app, 1, None).await.expect("it is kept").is_none());
        assert!(engine.job(job.app).await.expect("it is there").initial_done);
    });
}

#[test]
fn restoring_the_defaults_takes_filters_away_too_and_can_be_undone() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        job.map(|objects| {
            objects[0].attributes.retain(|mapping| mapping.target != "title");
            objects[0].scoping = serde_json::from_value(json!([{ "name": "Sales", "clauses": [
                { "attribute": "department", "operator": "EQUALS", "value": "Sales" },
            ]}]))
            .expect("it is a filter");
        })
        .await;
        let engine = world.engine();
        engine.restore_defaults(job.app, None).await.expect("it can").expect("that is a change");
        let defaults = engine.default_mappings(job.app).await.expect("there are some");
        assert_eq!(engine.mappings(job.app).await.expect("they are read"), defaults);
        assert!(engine.restore_defaults(job.app, None).await.expect("it can").is_none(), "it has them");
        engine.roll_back(job.app, 2, None).await.expect("it is kept").expect("that is a change");
        let undone = engine.mappings(job.app).await.expect("they are read");
        assert_eq!(Difference::between(&defaults, &undone).changes.len(), 2);
        assert_eq!(
            versions(&world, &job).await,
            [
                "4 rolled back to version 2",
                "3 restored the defaults of scim",
                "2 the mappings were changed",
                "1 the application was added",
            ]
        );
    });
}

#[test]
fn who_decides_by_a_version_that_is_not_the_latest_any_more_changes_nothing() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        set_title(&job, "ToUpper([jobTitle])").await;
        set_title(&job, "ToLower([jobTitle])").await;
        let refused = world.engine().roll_back(job.app, 1, Some(2)).await.expect_err("there is a third");
        assert!(matches!(refused, JobError::ChangedMeanwhile), "{refused}");
        let refused = world.engine().restore_defaults(job.app, Some(1)).await.expect_err("there is a third");
        assert!(matches!(refused, JobError::ChangedMeanwhile), "{refused}");
        assert_eq!(title_of(&world, &job, None).await, "ToLower([jobTitle])");
        assert_eq!(versions(&world, &job).await.len(), 3);
    });
}

#[test]
fn the_audit_log_tells_the_version_and_why() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.clock.advance(SignedDuration::from_secs(1));
        set_title(&job, "ToUpper([jobTitle])").await;
        world.clock.advance(SignedDuration::from_secs(1));
        world.engine().roll_back(job.app, 1, None).await.expect("it is kept");
        let records = world.store.scan(|tx| store::audit::audit_before(tx, None, 2)).await.expect("they are read");
        let told: Vec<Value> =
            records.iter().map(|record| serde_json::from_str(&record.detail).expect("it is JSON")).collect();
        assert_eq!(
            told,
            [
                json!({ "settings": ["mappings"], "mappingVersion": { "number": 3, "reason": "rolled back to version 1" } }),
                json!({ "settings": ["mappings"], "mappingVersion": { "number": 2, "reason": "the mappings were changed" } }),
            ]
        );
        assert!(records.iter().all(|record| record.actor == "story"));
    });
}

#[test]
fn the_imported_document_stays_behind_the_versions_that_came_of_it() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (engine, app) = (world.engine(), job.app);
        let objects = engine.mappings(app).await.expect("they are read");
        let import = |text: &str| JobChange {
            objects: Some(objects.clone()),
            schema: SchemaBase::Imported(text.to_owned()),
            reason: Some("imported".to_owned()),
            ..JobChange::default()
        };
        job.until_calm().await;
        let view =
            engine.change_mappings(app, import("{\"id\":1}")).await.expect("it can").expect("the document is new");
        assert!(view.initial_done, "the mappings are the same, so there is nothing to look at again");
        assert!(engine.change_mappings(app, import("{\"id\":1}")).await.expect("it can").is_none());
        set_title(&job, "ToUpper([jobTitle])").await;
        let base = |number| {
            let engine = world.engine();
            async move { engine.schema_base(app, number).await.expect("it can be read") }
        };
        assert_eq!(base(None).await.as_deref(), Some("{\"id\":1}"), "a change of a mapping keeps it");
        engine.restore_defaults(app, None).await.expect("it can").expect("that is a change");
        assert_eq!((base(None).await, base(Some(1)).await), (None, None));
        engine.roll_back(app, 3, None).await.expect("it is kept").expect("that is a change");
        assert_eq!(base(None).await.as_deref(), Some("{\"id\":1}"), "and so does the way back");
        assert_eq!(engine.mapping_version(app, None).await.expect("it is kept").head.schema_of, Some(2));
    });
}

#[test]
fn versions_come_page_by_page_and_go_with_their_job() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        for number in 0..4 {
            set_title(&job, &format!("Append([jobTitle], \"{number}\")")).await;
        }
        let engine = world.engine();
        let (mut numbers, mut before) = (Vec::new(), None);
        loop {
            let page = engine.mapping_versions(job.app, before, 2).await.expect("they can be read");
            numbers.push(page.versions.iter().map(|one| one.version).collect::<Vec<_>>());
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(numbers, [vec![5, 4], vec![3, 2], vec![1]]);
        let app = job.app;
        engine.remove_job(app).await.expect("no cycle runs");
        let left = world.store.scan(move |tx| store::mapping_versions::versions_before(tx, app, None, 9)).await;
        assert_eq!(left.expect("they can be read"), []);
        assert!(matches!(engine.mapping_versions(app, None, 9).await, Err(JobError::NotFound)));
    });
}

#[test]
fn the_way_back_tells_what_it_cannot_bring_back() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (engine, app, group) = (world.engine(), job.app, world.group("Sales").await);
        let clause = json!([{ "name": "Sales", "clauses": [
            { "attribute": "memberOf", "operator": "IS MEMBER OF", "value": group.to_string() }] }]);
        job.map(|objects| objects[0].scoping = serde_json::from_value(clause).expect("it is a filter")).await;
        set_title(&job, "ToUpper([jobTitle])").await;
        assert_eq!(engine.roll_back_warnings(app, 2).await.expect("it is kept"), [""; 0]);
        job.map(|objects| objects[0].scoping.0.clear()).await;
        let now = world.clock.now();
        let purged = world.store.write(move |tx| {
            directory::delete_group(tx, group, now)?;
            directory::purge_group(tx, group, now)
        });
        purged.await.expect("it is there");
        let told = engine.roll_back_warnings(app, 2).await.expect("it is kept");
        assert!(told.len() == 1 && told[0].contains("asks for the members of"), "{told:?}");
        engine.roll_back(app, 2, None).await.expect("the way back is open").expect("that is a change");
        assert_eq!(engine.mappings(app).await.expect("they are read")[0].scoping.0.len(), 1);
    });
}

#[test]
fn a_document_that_is_kept_no_more_is_not_named_and_its_loss_is_told() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let (engine, app) = (world.engine(), job.app);
        let documents = i64::from(store::mapping_versions::DOCUMENTS_MAX);
        for number in 0..=documents {
            let change =
                JobChange { schema: SchemaBase::Imported(format!("{{\"id\":{number}}}")), ..JobChange::default() };
            let objects = Some(engine.mappings(app).await.expect("they are read"));
            let done = engine.change_mappings(app, JobChange { objects, ..change }).await;
            done.expect("it can").expect("the document is new");
        }
        let schema_of =
            async |number| engine.mapping_version(app, Some(number)).await.expect("it is kept").head.schema_of;
        assert_eq!((schema_of(2).await, schema_of(3).await), (None, Some(3)));
        let page = engine.mapping_versions(app, None, 99).await.expect("they are read");
        let named: Vec<i64> = page.versions.iter().filter_map(|one| one.schema_of).collect();
        assert_eq!(named, (3..=documents + 2).rev().collect::<Vec<_>>());
        assert_eq!(engine.roll_back_warnings(app, 3).await.expect("it is kept"), [""; 0]);
        let told = engine.roll_back_warnings(app, 2).await.expect("it is kept");
        assert!(told.len() == 1 && told[0].contains("imported as version 2 is not kept any more"), "{told:?}");
        engine.roll_back(app, 2, None).await.expect("it is kept").expect("that is a change");
        let findings = engine.schema(app).await.expect("it is written").findings;
        assert!(findings[0].to_string().contains("is not kept any more"), "{findings:?}");
    });
}
