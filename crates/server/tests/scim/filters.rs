//! Filters that hostile or careless clients send, and filters on more than anybody may look at.

use serde_json::{Value, json};
use store::resources::ResourceKind;
use store::testing::{count_more, on_both};

use crate::world::{Answer, ENTERPRISE, USER, World};

async fn ask(world: &World, path: &str, filter: &str) -> Answer {
    let encoded = percent_encoding::utf8_percent_encode(filter, percent_encoding::NON_ALPHANUMERIC);
    world.get(&format!("{path}?filter={encoded}")).await
}

fn names(answer: &Answer) -> Vec<&str> {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    let resources = answer.body["Resources"].as_array().unwrap();
    assert_eq!(answer.body["totalResults"], resources.len());
    resources.iter().map(|user| user["userName"].as_str().unwrap()).collect()
}

/// SF-01, SF-05, SF-06, SF-08, SF-12, SF-13, SF-17.
#[test]
fn what_is_no_filter_is_refused_in_few_words() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let nested =
            |open: &str, close: &str, times: usize| format!("{}a pr{}", open.repeat(times), close.repeat(times));
        let deep = format!("emails[type eq \"work\" and {}]", nested("(", ")", 40).replace("a pr", "value co \"x\""));
        for filter in [
            nested("(", ")", 10_000),
            nested("(", ")", 4_000),
            nested("not (", ")", 40),
            "(".repeat(5_000),
            "[".repeat(5_000),
            format!("emails{}", "[".repeat(5_000)),
            deep,
            "emails[emails[type eq \"work\"]]".to_owned(),
            "userName) OR 1=1--".to_owned(),
            "data->>x eq 1".to_owned(),
            "id; select".to_owned(),
            "active gt true".to_owned(),
            "active le false".to_owned(),
            "active co \"t\"".to_owned(),
            "active eq \"maybe\"".to_owned(),
            "active eq 1".to_owned(),
            "userName eq 5".to_owned(),
            "userName eq true".to_owned(),
            "id gt 5".to_owned(),
            "externalId sw 5".to_owned(),
            "emails.value eq 5".to_owned(),
            "emails[type eq 5]".to_owned(),
            "meta.created gt \"yesterday\"".to_owned(),
            "meta.created gt 2026".to_owned(),
            "active eq \"yes\"".to_owned(),
            "meta.created eq \"notadate\"".to_owned(),
            "meta.created co \"2026\"".to_owned(),
            "x509Certificates.value gt \"YQ==\"".to_owned(),
            "x509Certificates[value le \"YQ==\"]".to_owned(),
            "name eq \"x\"".to_owned(),
            "addresses eq \"x\"".to_owned(),
            "userName regex \"x\"".to_owned(),
            "userName eq \"\\ud800\"".to_owned(),
            "userName eq \"\\x\"".to_owned(),
            "userName eq \"a\nb\"".to_owned(),
            "userName eq \"open".to_owned(),
            "userName eq \"\\u0000\"".to_owned(),
            "userName gt null".to_owned(),
            "password pr".to_owned(),
            "password eq \"x\" or id pr".to_owned(),
            "emails[password eq \"x\"]".to_owned(),
        ] {
            let answer = ask(&world, "/Users", &filter).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.body["scimType"]),
                (400, &json!("invalidFilter")),
                "{filter:.40}"
            );
            assert!(answer.body["detail"].as_str().unwrap().len() < 200, "{filter:.40}");
        }
    });
}

/// SF-23: what a client sent comes back short and as no markup.
#[test]
fn an_error_is_no_echo() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for filter in
            ["<script>alert(1)</script> eq 1".to_owned(), format!("{}<b> eq 1", "x".repeat(7_000)), "x".repeat(8_000)]
        {
            let detail = ask(&world, "/Users", &filter).await.body["detail"].as_str().unwrap().to_owned();
            assert!(!detail.contains('<') && detail.len() < 200, "{detail}");
        }
    });
}

/// SF-07, SF-09, SF-11, SF-16, SF-17: texts are texts, whatever a database or a pattern would make of them.
#[test]
fn a_value_is_compared_letter_by_letter() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let texts =
            ["x' OR '1'='1", "x'; DROP TABLE resources;--", "\\", "%", "_", "$1", "?", "(a+)+$", "😀", "A\"b", "plain"];
        for (number, text) in texts.iter().enumerate() {
            let body = json!({ "schemas": [USER], "userName": format!("u{number}"), "externalId": text, "title": text,
                ENTERPRISE: { "employeeNumber": text } });
            world.call("POST", "/Users", &body).await;
        }
        for (number, text) in texts.iter().enumerate() {
            let quoted = json!(text).to_string();
            for (attribute, operator) in
                [("externalId", "eq"), ("title", "eq"), ("employeeNumber", "eq"), ("title", "sw"), ("externalId", "sw")]
            {
                let found = ask(&world, "/Users", &format!("{attribute} {operator} {quoted}")).await;
                let alike = texts
                    .iter()
                    .enumerate()
                    .filter(|(_, other)| if operator == "eq" { other == &text } else { other.starts_with(text) });
                let expected: Vec<String> = alike.map(|(number, _)| format!("u{number}")).collect();
                assert_eq!(names(&found), expected, "{attribute} {operator} {text}");
            }
            for operator in ["co", "ew"] {
                let found = ask(&world, "/Users", &format!("title {operator} {quoted}")).await;
                assert!(names(&found).contains(&format!("u{number}").as_str()), "{operator} {text}");
                let named = ask(&world, "/Users", &format!("userName {operator} {quoted}")).await;
                assert_eq!(names(&named), Vec::<&str>::new(), "{operator} {text}");
            }
        }
        let escaped = ask(&world, "/Users", "title eq \"\\u0041\\\"\\u0062\"").await;
        assert_eq!(names(&escaped), ["u9"]);
        let percents = ask(&world, "/Users", &format!("title co \"{}\"", "%".repeat(8_000))).await;
        assert_eq!(names(&percents), Vec::<&str>::new());
        assert_eq!(names(&ask(&world, "/Users", "userName EQ \"u1\"").await), ["u1"]);
    });
}

/// SF-16: two values of truth. What is not there is not equal to anything, matches `ne` and `eq null`, and no other comparison; `not`
/// turns that round.
#[test]
fn what_a_filter_says_of_a_value_that_is_not_there() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        world.user("none").await;
        let body = json!({ "schemas": [USER], "userName": "some", "title": "x", "emails": [{ "value": "a@x" }, { "value": "b@x" }] });
        world.call("POST", "/Users", &body).await;
        for (filter, expected) in [
            ("title pr", vec!["some"]),
            ("not (title pr)", vec!["none"]),
            ("title ne \"x\"", vec!["none"]),
            ("title ne \"y\"", vec!["none", "some"]),
            ("not (title eq \"y\")", vec!["none", "some"]),
            ("title eq null", vec!["none"]),
            ("title ne null", vec!["some"]),
            ("not (title eq null)", vec!["some"]),
            ("title lt \"zzz\"", vec!["some"]),
            ("not (title lt \"zzz\")", vec!["none"]),
            ("title co \"\"", vec!["some"]),
            // Any value that differs, though another is equal.
            ("emails.value ne \"a@x\"", vec!["none", "some"]),
            ("not (emails.value eq \"a@x\")", vec!["none"]),
            ("emails[value ne \"a@x\"]", vec!["some"]),
            ("emails pr", vec!["some"]),
            ("emails[not (value eq \"a@x\")]", vec!["some"]),
            ("name.familyName eq null", vec!["none", "some"]),
            ("manager pr", vec![]),
        ] {
            assert_eq!(names(&ask(&world, "/Users", filter).await), expected, "{filter}");
        }
    });
}

/// SF-04: as many terms as there may be, most of them for nobody.
#[test]
fn a_union_of_hundreds_of_look_ups() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let mut ids = Vec::new();
        for number in 0..5 {
            ids.push(world.user(&format!("user{number}")).await);
        }
        pretend_to_hold(&world, i64::from(provider::SCAN_MAX)).await;
        let mut terms: Vec<String> = (0..196).map(|number| format!("userName eq \"U{}\"", 1000 - number)).collect();
        terms.extend([
            "userName eq \"USER3\"".to_owned(),
            "userName eq user1".to_owned(),
            format!("id eq \"{}\"", ids[1]),
        ]);
        terms.push(format!("id eq \"{}\"", ids[4]));
        let filter = terms.join(" or ");
        assert!(filter.len() <= scim::limits::FILTER_BYTES_MAX);
        assert_eq!(names(&ask(&world, "/Users", &filter).await), ["user1", "user3", "user4"]);
        let too_many = format!("{filter} or id pr");
        assert_eq!(ask(&world, "/Users", &too_many).await.body["scimType"], "invalidFilter");
    });
}

async fn pretend_to_hold(world: &World, more: i64) {
    let name = world.tenant.clone();
    world
        .write(move |tx| {
            let tenant = provider::tenant(tx, &name)?.key;
            Ok(count_more(tx, tenant, ResourceKind::User, more)?)
        })
        .await;
}

/// SF-22: beyond what one request may look at, a filter or order without index is refused with the limit and the cure, and those with
/// one are answered.
#[test]
fn a_tenant_that_holds_more_than_a_filter_may_look_at() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for number in 0..4 {
            let body = json!({ "schemas": [USER], "userName": format!("user{number}"), "externalId": format!("x{}", number / 2), "title": "t" });
            world.call("POST", "/Users", &body).await;
        }
        assert_eq!(names(&ask(&world, "/Users", "title eq \"t\"").await).len(), 4);
        pretend_to_hold(&world, i64::from(provider::SCAN_MAX)).await;
        for query in [
            "filter=title+eq+%22t%22",
            "filter=userName+co+%22a%22",
            "filter=not+(userName+eq+%22a%22)",
            "sortBy=title",
            "filter=userName+eq+%22user1%22+or+title+pr",
            "filter=title+pr&sortBy=userName",
            "filter=title+pr&cursor",
        ] {
            let answer = world.get(&format!("/Users?{query}")).await;
            assert_eq!((answer.status.as_u16(), &answer.body["scimType"]), (400, &json!("tooMany")), "{query}");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains("100000") && detail.contains(';'), "{detail}");
        }
        let others: [(&str, &[&str]); 8] = [
            ("filter=externalId+eq+%22x1%22", &["user2", "user3"]),
            ("filter=externalId+eq+%22x1%22+and+title+pr", &["user2", "user3"]),
            ("filter=userName+sw+%22USER%22&count=2", &["user0", "user1"]),
            ("filter=externalId+sw+%22x%22&sortBy=title&sortOrder=descending&count=1", &["user3"]),
            ("filter=userName+eq+%22user1%22+or+externalId+eq+%22x0%22", &["user0", "user1"]),
            ("sortBy=userName&sortOrder=descending&count=1", &["user3"]),
            ("sortBy=meta.created&count=1&cursor", &["user0"]),
            ("count=1", &["user0"]),
        ];
        for (query, expected) in others {
            let answer = world.get(&format!("/Users?{query}")).await;
            let shown: Vec<&Value> =
                answer.body["Resources"].as_array().unwrap().iter().map(|user| &user["userName"]).collect();
            assert_eq!(
                shown,
                expected.iter().map(|name| json!(name)).collect::<Vec<_>>().iter().collect::<Vec<_>>(),
                "{query}"
            );
        }
    });
}
