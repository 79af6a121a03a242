//! What would come of a change is known before anybody is asked about it, by the rules that the change itself is taken or refused by.

use std::sync::Arc;

use mapping::{ObjectMapping, ObjectType};
use provisioning::configuration::ConfigurationFile;
use provisioning::trial::Draft;
use provisioning::{JobChange, MappingTrialOf, ScopeTrialOf, Template};
use serde_json::json;
use store::ObjectKind;

use crate::fake_target::Nature;
use crate::world::on_both;

const NOBODY: &str = "6f5c1f2e-0000-4000-8000-000000000001";
const NEVER: &str = "the mapping of users: no mapping reads `IsSoftDeleted`, so who leaves the scope stays active at the target for good; map `Switch([IsSoftDeleted], , \"False\", \"True\", \"True\", \"False\")` to `active`";
const NO_DOMAIN: &str = "`title` of users: `DefaultDomain` fails, because there is no default domain; set `default_domain` in lockstep.toml";

fn no_group() -> String {
    format!(
        "the scoping filter `F` of users asks for the members of {NOBODY}, and the directory has no group with that object id"
    )
}

fn users_of(template: &str) -> Vec<ObjectMapping> {
    Template::by_name(template).expect("it is there").objects.clone()
}

fn with_title(source: &str) -> Vec<ObjectMapping> {
    let mut objects = users_of("scim");
    let title = objects[0].attributes.iter_mut().find(|mapping| mapping.target == "title").expect("it is mapped");
    title.source = source.parse().expect("it is an expression");
    objects
}

fn with_clause(clause: &serde_json::Value) -> Vec<ObjectMapping> {
    let mut objects = users_of("scim");
    objects[0].scoping = serde_json::from_value(json!([{ "name": "F", "clauses": [clause] }])).expect("it is a filter");
    objects
}

fn members_of_nobody() -> serde_json::Value {
    json!({ "attribute": "memberOf", "operator": "IS MEMBER OF", "value": NOBODY })
}

fn without_active() -> Vec<ObjectMapping> {
    let mut objects = users_of("scim");
    objects[0].attributes.retain(|mapping| mapping.target != "active");
    objects
}

#[test]
fn what_a_change_of_mappings_is_refused_for_or_warned_of_is_known_before() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let unknown =
            "the mapping of `title` reads `jobTitel`, which is not an attribute of users; did you mean `jobTitle`?";
        for (objects, problems, warnings) in [
            (users_of("scim"), vec![], vec![]),
            (with_title("[jobTitel]"), vec![unknown.to_owned()], vec![]),
            (with_title("DefaultDomain()"), vec![NO_DOMAIN.to_owned()], vec![]),
            (with_clause(&members_of_nobody()), vec![no_group()], vec![]),
            (without_active(), vec![], vec![NEVER.to_owned()]),
            // It is so already.
            (without_active(), vec![], vec![]),
        ] {
            let change = JobChange { objects: Some(objects), ..JobChange::default() };
            let outlook = world.engine().look_ahead(job.app, &change).await.expect("the job is there");
            assert_eq!((&outlook.problems, &outlook.warnings), (&problems, &warnings));
            let changed = world.engine().change_job(job.app, change).await;
            assert_eq!(changed.err().map(|error| error.to_string()), problems.first().cloned());
        }
        let view = world.engine().job(job.app).await.expect("the job is there");
        assert_eq!(view.warnings, [NEVER], "it is told for as long as it is so");
    });
}

#[test]
fn a_file_tells_the_warnings_of_its_mappings_where_it_changes_something() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let text = world.engine().configuration(job.app, true).await.expect("it can be read").to_toml();
        let odd = text.replace("target = \"title\"", "target = \"titel\"");
        let told = async |text: &str| {
            let file = ConfigurationFile::parse(text).expect("it can be read");
            world.engine().propose(&file).await.expect("nothing is wrong")
        };
        assert!(told(&text).await.warnings().is_empty());
        let warning = "`titel` of users: no such target attribute is known; did you mean `title`?";
        let proposal = told(&odd).await;
        assert_eq!(proposal.warnings(), [warning]);
        assert_eq!(proposal.to_json()["warnings"], json!([warning]));
        world.engine().apply(&proposal, None, "a test").await.expect("a warning forbids nothing");
        assert!(told(&odd).await.warnings().is_empty(), "nothing changes");
        let without = text.lines().filter(|line| !line.contains("\"active\"")).collect::<Vec<_>>().join("\n");
        assert_eq!(told(&without).await.warnings(), [NEVER]);
    });
}

#[test]
fn filters_and_mappings_that_are_tried_tell_what_keeps_them_from_being_saved() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        for (clause, problem) in [
            (members_of_nobody(), no_group()),
            (json!({ "attribute": "departmnt", "operator": "EQUALS", "value": "x" }), "`F` reads `departmnt`".into()),
            (json!({ "attribute": "manager", "operator": "EQUALS", "value": "x" }), "`F` uses `manager`".into()),
        ] {
            let mut objects = with_clause(&clause);
            let filters = Some(objects[0].scoping.clone());
            let wanted = ScopeTrialOf { app: job.app, object: ObjectType::User, filters, scope: None };
            let told = world.engine().filter_problems(&wanted).await.expect("the job is there");
            assert!(told.len() == 1 && told[0].contains(&problem), "{told:?}");
            let draft = Some(Draft::from(objects.swap_remove(0)));
            let wanted = MappingTrialOf { app: job.app, kind: ObjectKind::User, id: ann.into(), draft, update: false };
            assert_eq!(world.engine().try_mappings(&wanted).await.expect("they can be tried").problems, told);
        }
        let empty = serde_json::from_value(json!([{ "name": "F", "clauses": [] }])).expect("it is a filter");
        let wanted = ScopeTrialOf { app: job.app, object: ObjectType::User, filters: Some(empty), scope: None };
        let told = world.engine().filter_problems(&wanted).await.expect("the job is there");
        assert!(told.len() == 1 && told[0].contains("clause"), "{told:?}");
        let own = ScopeTrialOf { filters: None, ..wanted };
        assert!(world.engine().filter_problems(&own).await.expect("the job is there").is_empty());
    });
}

#[test]
fn the_default_domain_of_the_installation_is_what_mappings_get() {
    on_both(|mut world| async move {
        Arc::get_mut(&mut world).expect("nobody else has it yet").default_domain = Some("contoso.com".to_owned());
        let job = world.job("scim", Nature::default()).await;
        let ann = world.joins_for(job.app, "Ann").await;
        let change = JobChange { objects: Some(with_title("DefaultDomain()")), ..JobChange::default() };
        job.change(change).await;
        let wanted =
            MappingTrialOf { app: job.app, kind: ObjectKind::User, id: ann.into(), draft: None, update: false };
        let trial = world.engine().try_mappings(&wanted).await.expect("they can be tried");
        let title = trial.attributes.iter().find(|one| one.target == "title").expect("it is mapped");
        assert_eq!(serde_json::to_value(&title.effect).expect("it is JSON")["value"], "contoso.com");
        job.until_calm().await;
        let title = job.target.with(|app| app.users.values().next().map(|user| user.attributes["title"].clone()));
        assert_eq!(title, Some(json!("contoso.com")));
    });
}
