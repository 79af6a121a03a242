//! Values that are not what a mapping expects: they harm nobody but the object that they are of.

use percent_encoding::percent_decode_str;
use provisioning::Dialect;
use provisioning::JobChange;
use scim::{Attribute, Filter, Kind, Literal, Operator, Schema};
use serde_json::json;

use crate::fake_target::{Nature, Recorded};
use crate::world::{Job, lines, on_both};

/// Has accounts found by `nickName`, which is the department, and by nothing else.
async fn match_by_department(job: &Job<'_>) {
    job.map(|objects| {
        objects[0].attributes.iter_mut().for_each(|mapping| mapping.matching_priority = 0);
        let mapping = json!({ "target": "nickName", "source": "[department]", "matchingPriority": 1 });
        objects[0].attributes.push(serde_json::from_value(mapping).expect("it is a mapping"));
    })
    .await;
}

/// The values that were searched for, as the application understands the filters.
fn searched(requests: &[Recorded]) -> Vec<(String, String)> {
    let filter = |one: &Recorded| {
        let filter = one.path.split_once("filter=")?.1.to_owned();
        let text = percent_decode_str(&filter.replace('+', " ")).decode_utf8().expect("it is UTF-8").into_owned();
        match text.parse::<Filter>().expect("every filter is one") {
            Filter::Compare { path, operator: Operator::Eq, value: Literal::String(value) } => {
                Some((path.to_string(), value))
            }
            other => panic!("a look-up compares one attribute with one text: {other:?}"),
        }
    };
    requests.iter().filter(|one| one.method == "GET").filter_map(filter).collect()
}

#[test]
fn ex_07_a_value_that_looks_like_a_filter_is_searched_for_as_it_is() {
    let nasty = [
        r#"x" or userName pr or userName eq "x"#,
        r#"x\" or (userName pr)"#,
        r"x\",
        r#"{"a":["b"]}"#,
        "a+b%20c&attributes=id#d",
        "Zoë 🦀 Ünï",
    ];
    for dialect in [Dialect::Rfc, Dialect::Entra] {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            job.change(JobChange { dialect: Some(dialect), ..JobChange::default() }).await;
            match_by_department(&job).await;
            let source = r#"SelectUniqueValue([department], Join("", [department], "2"))"#;
            job.map_user(json!({ "target": "title", "source": source, "flowType": "ObjectAddOnly" })).await;
            job.target.with(|app| {
                app.add_user(&json!({ "userName": "victim", "nickName": "x", "title": "x" }));
            });
            for (number, value) in nasty.iter().enumerate() {
                let user = world.joins_with(&format!("N{number}"), &[("department", value)]).await;
                world.assign(job.app, user).await;
            }
            job.target.take_requests();
            assert_eq!(job.until_calm().await.created, nasty.len() as u64);
            let searched = searched(&job.target.take_requests());
            for value in nasty {
                for attribute in ["nickName", "title"] {
                    assert!(
                        searched.contains(&(attribute.to_owned(), value.to_owned())),
                        "{attribute} {value}: {searched:?}"
                    );
                }
            }
            let victim = job.target.with(|app| app.user_attribute("victim", "nickName"));
            assert_eq!((victim, job.target.with(|app| app.users.len())), (json!("x"), nasty.len() + 1));
            for (number, value) in nasty.iter().enumerate() {
                let held = job.target.with(|app| app.user_attribute(&format!("n{number}@contoso.com"), "title"));
                assert_eq!(held, *value);
            }
        });
    }
}

#[test]
fn ex_08_what_everybody_has_or_nobody_finds_no_account_of_another() {
    on_both(|world| async move {
        let job = world.job("scim", Nature { unique: false, ..Nature::default() }).await;
        match_by_department(&job).await;
        job.target.with(|app| app.add_user(&json!({ "userName": "own", "nickName": "Sales" })));
        for (name, department) in [("Ann", "Sales"), ("Bob", "Sales"), ("Cid", "SALES")] {
            let user = world.joins_with(name, &[("department", department)]).await;
            world.assign(job.app, user).await;
        }
        world.joins_for(job.app, "Dan").await;
        job.target.take_requests();
        let report = job.cycle().await;
        assert_eq!((report.created, report.updated, report.failed), (0, 1, 2));
        for _ in 0..3 {
            world.clock.advance(jiff::SignedDuration::from_hours(30));
            job.cycle().await;
        }
        let requests = job.target.take_requests();
        assert!(searched(&requests).iter().all(|(_, value)| !value.trim().is_empty()), "{}", lines(&requests));
        assert!(!lines(&requests).contains("eq%20%22%22"), "{}", lines(&requests));
        assert_eq!(job.target.with(|app| app.users.len()), 1);
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").users.linked, 1);
        let logs: String = job.logs().await.iter().map(|log| log.record.to_string()).collect();
        assert!(logs.contains("DuplicateSourceEntries") && logs.contains("different matching values"), "{logs}");
        assert!(logs.contains("no value for any matching attribute"), "{logs}");
    });
}

#[test]
fn ex_09_where_every_value_is_taken_the_tries_end_and_the_object_waits() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        let source = r#"SelectUniqueValue([givenName], Join("", [givenName], "1"), Join("", [givenName], "2"))"#;
        job.map_user(json!({ "target": "nickName", "source": source, "flowType": "ObjectAddOnly" })).await;
        for name in ["Ann", "ANN1", "ann2"] {
            job.target.with(|app| app.add_user(&json!({ "userName": name, "nickName": name })));
        }
        world.joins_for(job.app, "Ann").await;
        world.joins_for(job.app, "Bob").await;
        job.target.take_requests();
        let report = job.cycle().await;
        assert_eq!((report.created, report.failed), (1, 1));
        let tried: Vec<String> = searched(&job.target.take_requests())
            .into_iter()
            .filter(|(attribute, value)| attribute == "nickName" && value.starts_with("Ann"))
            .map(|(_, value)| value)
            .collect();
        assert_eq!(tried, ["Ann", "Ann1", "Ann2"]);
        let logs: String = job.logs().await.iter().map(|log| log.record.to_string()).collect();
        assert!(logs.contains("other accounts at the target have the 3 values"), "{logs}");
        assert_eq!(world.engine().job(job.app).await.expect("the job is there").escrows, 1);
        // One of them is free later.
        job.target.with(|app| app.users.retain(|_, user| user.attributes["nickName"] != "ann2"));
        world.clock.advance(jiff::SignedDuration::from_hours(7));
        assert_eq!(job.cycle().await.created, 1);
        assert_eq!(job.target.with(|app| app.user_attribute("ann@contoso.com", "nickName")), "Ann2");
    });
}

/// An extension of users with an attribute of each type.
pub fn extension() -> Schema {
    let attributes =
        [("level", Kind::Integer), ("since", Kind::DateTime), ("badge", Kind::Binary), ("grade", Kind::String)];
    Schema::new("urn:example:2.0:User", "Example", attributes.map(|(name, kind)| Attribute::new(name, kind)).to_vec())
}

#[test]
fn ex_10_a_value_of_another_type_keeps_back_its_own_object_only() {
    let cases = [
        (
            "phoneNumbers[type eq \"other\"].primary",
            "maybe",
            "True",
            "\"primary\":true,\"type\":\"other\"",
            "is not a boolean",
        ),
        ("urn:example:2.0:User:level", "eight", "8", "\"level\":8", "is not a whole number"),
        (
            "urn:example:2.0:User:since",
            "soon",
            "2026-03-02T08:00:00Z",
            "\"since\":\"2026-03-02T08:00:00Z\"",
            "is not an instant",
        ),
        ("urn:example:2.0:User:badge", "***", "AQID", "\"badge\":\"AQID\"", "is not base64"),
        (
            "profileUrl",
            "not an address",
            "https://x.example/a",
            "\"profileUrl\":\"https://x.example/a\"",
            "is not a reference",
        ),
        ("name", "Ann", r#"{"formatted":"A"}"#, "\"name\":{\"formatted\":\"A\"}", "is not an object"),
    ];
    for (target, bad, good, held, reason) in cases {
        on_both(|world| async move {
            let job = world.job("scim", Nature::default()).await;
            job.target.with(|app| app.define(extension()));
            job.list_attributes(json!([
                { "name": "urn:example:2.0:User:level", "type": "Integer" },
                { "name": "urn:example:2.0:User:since", "type": "DateTime" },
                { "name": "urn:example:2.0:User:badge", "type": "Binary" },
            ]))
            .await;
            job.map(|objects| objects[0].attributes.retain(|mapping| !mapping.target.starts_with("name."))).await;
            job.map_user(json!({ "target": target, "source": "[department]" })).await;
            let mut users = Vec::new();
            for (name, value) in [("Ann", bad), ("Bob", good)] {
                let user = world.joins_with(name, &[("department", value)]).await;
                world.assign(job.app, user).await;
                users.push(user);
            }
            let report = job.cycle().await;
            assert_eq!((report.created, report.failed), (1, 1), "{target}");
            let logs: String = job.logs().await.iter().map(|log| log.record.to_string()).collect();
            assert!(logs.contains("SchemaPropertyCanOnlyAcceptValue") && logs.contains(reason), "{target}: {logs}");
            world.set(users[0], "department", good).await;
            assert_eq!(job.until_calm().await.created, 1, "{target}");
            let all = job.target.with(|app| json!(app.users.values().map(|user| &user.attributes).collect::<Vec<_>>()));
            assert!(all.to_string().matches(held).count() == 2, "{target}: {all}");
        });
    }
}
