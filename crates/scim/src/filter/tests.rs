//! Stories and laws of filters.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::arbitrary::filters;
use super::*;
use crate::limits::{FILTER_DEPTH_MAX, FILTER_TERMS_MAX};
use crate::{ENTERPRISE_USER_URN, ScimType};

fn canonical(text: &str) -> String {
    text.parse::<Filter>().map_or_else(|error| error.scim_type.to_string(), |filter| filter.to_string())
}

#[test]
fn filters_have_one_canonical_text() {
    for (text, expected) in [
        (r#"userName Eq "b\"J""#, r#"userName Eq "b\"J""#.replace("Eq", "eq").as_str()),
        (r#"a eq "1" and not (b eq "2")"#, r#"a eq "1" and not (b eq "2")"#),
        ("not a pr and b pr", "not (a pr) and b pr"),
        ("a pr or b pr and c pr", "a pr or b pr and c pr"),
        ("(a pr or b pr) and c pr", "(a pr or b pr) and c pr"),
        ("((a pr))", "a pr"),
        ("NOT(a PR)OR(b pr)", "not (a pr) or b pr"),
        ("  userName   eq   \"x\"  ", r#"userName eq "x""#),
        ("externalId eq jyoung", r#"externalId eq "jyoung""#),
        ("meta.created gt 2015-10-10T14:38:21.8617979-07:00", r#"meta.created gt "2015-10-10T14:38:21.8617979-07:00""#),
        ("id eq 4d32-11 and manager eq 9", r#"id eq "4d32-11" and manager eq 9"#),
        ("a eq true and b eq null and c eq -1.5", "a eq true and b eq null and c eq -1.5"),
        ("a eq 1.50 and b eq 1E3", "a eq 1.50 and b eq 1E3"),
        ("a eq 18446744073709551617", r#"a eq "18446744073709551617""#),
        (r#"emails[type eq "work"].value eq "x""#, r#"emails[type eq "work"].value eq "x""#),
        (r#"emails[ type eq "work" and value co "@x" ]"#, r#"emails[type eq "work" and value co "@x"]"#),
        (r#"emails[type eq "work"] or a pr"#, r#"emails[type eq "work"] or a pr"#),
        (r#"a eq "\u0041\\""#, r#"a eq "A\\""#),
        (r#"a eq "😀""#, r#"a eq "😀""#),
        ("urn:a:b:User:x.y eq 1", "urn:a:b:User:x.y eq 1"),
    ] {
        assert_eq!(canonical(text), expected, "{text}");
    }
}

#[test]
fn the_words_of_filters_are_names_of_attributes_too() {
    for (text, expected) in [
        ("not pr", "not pr"),
        ("not eq \"x\"", "not eq \"x\""),
        ("NOT Eq 1 and a pr", "NOT eq 1 and a pr"),
        ("not(not pr)", "not (not pr)"),
        ("not not pr", "not (not pr)"),
        ("not (not eq true) or not ne false", "not (not eq true) or not ne false"),
        ("a[not pr]", "a[not pr]"),
        ("a[not not co \"x\"]", "a[not (not co \"x\")]"),
        ("not[a pr]", "not[a pr]"),
        ("not[not pr].not eq 1", "not[not pr].not eq 1"),
        ("not.not pr", "not.not pr"),
        ("not pr pr", "not (pr pr)"),
        ("not eq eq 1", "not (eq eq 1)"),
        ("not eq \"eq\"", "not eq \"eq\""),
        ("not co[a pr]", "not (co[a pr])"),
        ("and pr and and pr or or pr", "and pr and and pr or or pr"),
        ("or eq 1 and pr eq 2 and eq eq 3", "or eq 1 and pr eq 2 and eq eq 3"),
        ("urn:a:b:not pr", "urn:a:b:not pr"),
    ] {
        assert_eq!(canonical(text), expected, "{text}");
    }
}

#[test]
fn malformed_filters_are_refused() {
    for text in [
        "",
        " ",
        "a",
        "a eq",
        "a eq ",
        "a regex \"x\"",
        "a eq \"x",
        "a eq \"x\"y",
        "a eq \"\\x\"",
        "a eq \"\\ud800\"",
        "a eq \"\\u0000\"",
        "a eq \"x\ny\"",
        "(a pr",
        "a pr)",
        "a pr b pr",
        "a pr and",
        "and a pr",
        "a eq and",
        "a eq 'x'",
        "not",
        "not (",
        "emails[",
        "emails[]",
        "emails[type pr",
        "emails[type pr]x pr",
        "emails[emails[type pr]]",
        "emails[x.y pr]",
        "emails.x[type pr]",
        "userName) OR 1=1-- pr",
        "data->>x pr",
        "id; select",
        "userName%20eq%20%22x%22",
        "a eq (b)",
        "a eq x\"y\"",
        "a\u{0}b pr",
        "a eq x\u{7}y",
        "a == \"b\"",
    ] {
        assert_eq!(canonical(text), "invalidFilter", "{text}");
    }
}

#[test]
fn limits_hold_before_anything_is_built() {
    let nested = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
    let nots = |depth: usize| format!("{}a pr", "not ".repeat(depth));
    let terms = |count: usize| vec!["a pr"; count].join(" or ");
    for (text, is_read) in [
        (nested(FILTER_DEPTH_MAX), true),
        (nested(FILTER_DEPTH_MAX + 1), false),
        (nested(10_000), false),
        (nots(FILTER_DEPTH_MAX), true),
        (nots(FILTER_DEPTH_MAX + 1), false),
        ("(".repeat(5_000), false),
        ("[".repeat(5_000), false),
        (format!("emails[{}", "(".repeat(5_000)), false),
        (terms(FILTER_TERMS_MAX), true),
        (terms(FILTER_TERMS_MAX + 1), false),
        (format!("a eq \"{}\"", "x".repeat(FILTER_BYTES_MAX - 7)), true),
        (format!("a eq \"{}\"", "x".repeat(FILTER_BYTES_MAX - 6)), false),
    ] {
        assert_eq!(text.parse::<Filter>().is_ok(), is_read, "{}…", &text[..text.len().min(20)]);
    }
}

#[test]
fn an_error_does_not_repeat_the_filter() {
    let refused = format!("<script>{}", "x".repeat(5_000)).parse::<Filter>().unwrap_err();
    assert!(!refused.detail.contains("script") && refused.detail.len() < 100, "{refused}");
}

#[test]
fn filters_are_checked_against_the_schema() {
    let user = ResourceType::user();
    for (text, is_sound) in [
        (r#"USERNAME EQ "x""#, true),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName pr", true),
        ("name pr", true),
        ("nope eq \"x\"", false),
        ("name.nope eq \"x\"", false),
        ("password eq \"x\"", false),
        ("password pr", false),
        ("urn:x:y:z pr", false),
        ("userName[value pr]", false),
        ("emails[nope pr]", false),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr", false),
    ] {
        let checked = text.parse::<Filter>().unwrap().check(&user).map_err(|error| error.scim_type);
        assert_eq!(checked, if is_sound { Ok(()) } else { Err(ScimType::InvalidFilter) }, "{text}");
    }
}

/// SF-12.
#[test]
fn a_comparison_that_a_type_does_not_have_is_refused() {
    let user = ResourceType::user();
    for (text, is_sound) in [
        (r#"userName eq "x""#, true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq \"17\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager eq \"17\"", true),
        ("manager eq u9", true),
        ("active eq \"True\"", true),
        ("active eq False", true),
        ("active eq null", true),
        ("active eq true", true),
        ("active gt true", false),
        ("active eq yes", false),
        ("active co \"t\"", false),
        (r#"meta.created eq "notadate""#, false),
        (r#"meta.created co "2015""#, false),
        ("meta.lastModified ge \"0001-01-03T00:00:00.0000000Z\"", true),
        ("userName eq 5", false),
        ("externalId eq 5", true),
        ("externalId ne 5", false),
        ("externalId gt 5", false),
        ("externalId eq true", false),
        ("externalId sw 70", false),
        ("externalId sw 0x70", true),
        ("userName gt null", false),
        ("userName eq true", false),
        ("userName co false", false),
        ("userName eq True", true),
        ("id gt 5", false),
        ("manager eq 5", true),
        ("emails.value eq 5", false),
        ("emails[value eq 5]", false),
        ("profileUrl eq 5", false),
        ("x509Certificates eq 5", false),
        ("members eq 5", false),
        ("active eq \"maybe\"", false),
        ("active ne \"FALSE\"", true),
        ("active ge false", false),
        ("meta.created gt \"yesterday\"", false),
        ("meta.created gt true", false),
        ("active eq 1", false),
        ("meta.created gt 2015", false),
        ("meta.created gt 2015-10-10", true),
        ("meta.created gt \"2015-10-10\"", true),
        ("meta.created gt \"2015-10-32\"", false),
        ("name eq \"x\"", false),
        ("name eq null", true),
        ("name ne null", true),
        ("name gt null", false),
        ("addresses[type eq \"work\"] eq null", true),
        ("emails[primary gt true]", false),
        ("x509Certificates co \"AA\"", true),
        ("x509Certificates gt \"AA\"", false),
        ("x509Certificates.value le \"AA\"", false),
        ("x509Certificates[value ge \"AA\"]", false),
    ] {
        let checked = text.parse::<Filter>().unwrap().check(&user).map_err(|error| error.scim_type);
        assert_eq!(checked, if is_sound { Ok(()) } else { Err(ScimType::InvalidFilter) }, "{text}");
    }
}

fn ada() -> Attributes {
    let resource = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "Ab1", "userName": "Ada@Contoso.Example", "externalId": "Ada", "displayName": "Ada Ö. 100%", "active": true, "title": "",
        "name": {"familyName": "Employee"}, "nickName": null,
        "emails": [{"value": "a@work.example", "type": "work", "primary": true}, {"value": "a@home.example", "type": "home"}],
        "roles": [],
        "meta": {"created": "2020-01-01T00:00:00.500Z", "lastModified": "2021-01-01T00:00:00Z"},
        ENTERPRISE_USER_URN: {"employeeNumber": "17", "manager": {"value": "u9", "displayName": "Boss"}}
    });
    let Value::Object(attributes) = resource else { unreachable!("written as an object") };
    attributes
}

#[test]
fn a_date_alone_is_its_midnight() {
    let resource_type = ResourceType::user();
    for (text, matches) in [
        (r#"meta.created gt "2020-01-01""#, true),
        ("meta.created lt 2020-01-01", false),
        (r#"meta.created lt "2020-01-02""#, true),
        (r#"meta.created eq "2020-01-01""#, false),
    ] {
        assert_eq!(text.parse::<Filter>().unwrap().matches(&resource_type, &ada()), matches, "{text}");
    }
}

#[test]
fn an_error_names_the_sub_attribute_that_it_is_about() {
    for (text, expected) in [
        ("groups.nope eq \"x\"", "'groups.nope' is not an attribute of this resource type"),
        ("nope eq \"x\"", "'nope' is not an attribute of this resource type"),
        ("meta.created co \"x\"", "'meta.created' cannot be compared by co"),
    ] {
        let refused = text.parse::<Filter>().unwrap().check(&ResourceType::user()).unwrap_err();
        assert_eq!(refused.detail, expected, "{text}");
    }
}

#[test]
fn filters_find_ada() {
    let (user, ada) = (ResourceType::user(), ada());
    for (text, expected) in [
        (r#"userName eq "ADA@contoso.example""#, true),
        (r#"userName sw "ada@" and userName ew "EXAMPLE" and userName co "Contoso""#, true),
        ("userName sw O", false),
        (r#"userName gt "aaa""#, true),
        (r#"userName lt "aaa""#, false),
        (r#"userName eq "Ａda@contoso.example""#, true),
        (r#"displayName sw "Ａda""#, false),
        (r#"userName co "a b""#, false),
        (r#"externalId eq "ada""#, false),
        (r#"externalId eq "Ada""#, true),
        (r#"id eq "ab1""#, false),
        (r#"displayName eq "ada ö. 100%""#, true),
        (r#"displayName eq "ada o\u0308. 100%""#, true),
        (r#"displayName co "%""#, true),
        (r#"displayName co "_""#, false),
        (r#"userName eq "x' OR '1'='1""#, false),
        ("active eq true", true),
        (r#"active eq "FALSE""#, false),
        ("active ne false", true),
        ("title pr or nickName pr or roles pr", false),
        ("title eq null and nickName eq null and roles eq null and userType eq null", true),
        ("userName ne null", true),
        ("name ne null and addresses eq null", true),
        ("name eq null or addresses ne null", false),
        (r#"userType ne "x""#, true),
        (r#"userType eq "x" or not (userType ne "x")"#, false),
        ("not (userType pr)", true),
        ("name.FamilyName eq Employee and (emails.Value co home.example or emails.Value co example.org)", true),
        (r#"emails eq "a@home.example""#, true),
        (r#"emails.value ne "a@home.example""#, true),
        (r#"emails[type eq "work"].value eq "A@WORK.example""#, true),
        (r#"emails[type eq "home"].value eq "a@work.example""#, false),
        (r#"emails[type eq "work" and value co "@home"]"#, false),
        (r#"emails[type eq "home" and not (primary eq true)]"#, true),
        (r#"emails[primary eq "True"].type eq work"#, true),
        ("emails[type eq other] pr", false),
        ("meta.Created gt 2015-10-10T14:38:21.8617979-07:00", true),
        (r#"meta.created eq "2019-12-31T23:00:00.5-01:00""#, true),
        (r#"meta.created lt "2020-01-01T00:00:00.499999999999Z""#, false),
        ("manager eq u9", true),
        (r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager.value eq "u9""#, true),
        (r#"employeeNumber eq "17" and id eq "Ab1""#, true),
        (r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#, true),
        ("title pr or active eq true and userName pr", true),
        ("(title pr or active eq true) and nickName pr", false),
        ("nope eq \"x\"", false),
        ("not (nope eq \"x\")", false),
    ] {
        assert_eq!(text.parse::<Filter>().unwrap().matches(&user, &ada), expected, "{text}");
    }
}

/// RFC 7643 §2.4: what does not say that it is primary is not.
#[test]
fn what_does_not_say_that_it_is_primary_is_not() {
    let (user, ada) = (ResourceType::user(), ada());
    for (text, expected) in [
        ("emails.primary eq false", true),
        ("emails[primary eq false].type eq home", true),
        ("emails[primary eq false].type eq work", false),
        ("emails[primary ne true and type eq home]", true),
        ("emails[primary ne false and type eq home]", false),
        ("emails[primary pr and type eq home]", false),
        ("emails[primary eq null and type eq home]", true),
        ("roles.primary eq false", false),
        ("roles.primary ne true", true),
    ] {
        assert_eq!(text.parse::<Filter>().unwrap().matches(&user, &ada), expected, "{text}");
    }
}

/// A word that JSON knows is what JSON says, and text only where it is a number that an id is to be equal to.
#[test]
fn other_words_without_quotation_marks_are_text() {
    let user = ResourceType::user();
    for (held, word, expected) in [
        ("701984", "\"701984\"", Some(true)),
        ("701984", "701984", None),
        ("0017", "0017", Some(true)),
        ("0017", "17", None),
        ("1.0", "1.0", None),
        ("-1.50", "-1.50", None),
        ("1e3", "1e3", None),
        ("12-ab", "12-ab", Some(true)),
        ("18446744073709551617", "18446744073709551617", Some(true)),
        ("true", "true", None),
        ("true", "\"true\"", Some(true)),
        ("True", "True", Some(true)),
        ("false", "false", None),
        ("null", "null", Some(false)),
        ("null", "\"null\"", Some(true)),
    ] {
        let Value::Object(person) = json!({"userName": held, "externalId": held, "emails": [{"value": held}]}) else {
            unreachable!("written as an object")
        };
        for path in ["externalId", "userName", "emails.value"] {
            // `eq null` asks for no value, never for the text.
            let filter: Filter = format!("{path} eq {word}").parse().unwrap();
            let is_id = path == "externalId" && word.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            let expected = if is_id { Some(held == word) } else { expected };
            let found = filter.matcher(&user).ok().map(|matcher| matcher.matches(&person));
            assert_eq!(found, expected, "{filter} of {held}");
        }
    }
}

#[test]
fn a_final_sigma_is_a_sigma() {
    let user = ResourceType::user();
    let Value::Object(nikos) = json!({"userName": "νικος@x", "displayName": "Πωλήσεις", "externalId": "Πωλήσεις"})
    else {
        unreachable!("written as an object")
    };
    for (text, expected) in [
        (r#"displayName eq "ΠΩΛΉΣΕΙΣ""#, true),
        (r#"displayName ew "ΕΙΣ""#, true),
        (r#"userName eq "ΝΙΚΟΣ@X""#, true),
        (r#"userName sw "ΝΙΚΟΣ""#, true),
        (r#"externalId eq "Πωλήσεισ""#, false),
    ] {
        assert_eq!(text.parse::<Filter>().unwrap().matches(&user, &nikos), expected, "{text}");
    }
}

#[test]
fn a_member_is_found_by_id() {
    let Value::Object(group) = json!({"displayName": "Sales", "members": [{"value": "u1"}, {"value": "u2"}]}) else {
        unreachable!()
    };
    for (text, expected) in [
        ("members eq \"u2\"", true),
        ("members.value eq \"u3\"", false),
        ("members[value eq \"u1\"]", true),
        ("members pr", true),
    ] {
        assert_eq!(text.parse::<Filter>().unwrap().matches(&ResourceType::group(), &group), expected, "{text}");
    }
}

#[test]
fn numbers_compare_exactly() {
    let schema: crate::Schema =
        serde_json::from_value(json!({"id": "urn:x:y", "attributes": [{"name": "n", "type": "integer"}]})).unwrap();
    let thing = ResourceType::new("Thing", "/Things", "", schema);
    let Value::Object(resource) = json!({"n": 9_007_199_254_740_993_i64}) else { unreachable!() };
    for (text, is_sound) in [
        ("n eq -0", true),
        ("n eq 7.0", true),
        ("n eq 7e0", true),
        ("n eq 0E-999", true),
        ("n eq 18446744073709551615", true),
        ("n eq -9223372036854775808", true),
        ("n eq 18446744073709551616", false),
        ("n eq -9223372036854775809", false),
        ("n eq 1e400", false),
        ("n eq 1E-400", false),
        ("n eq \"7\"", false),
        ("n eq 07", false),
        ("n eq +7", false),
    ] {
        assert_eq!(text.parse::<Filter>().unwrap().check(&thing).is_ok(), is_sound, "{text}");
    }
    for (text, expected) in
        [("n eq 9007199254740992", false), ("n eq 9007199254740993", true), ("n gt 1.5", true), ("n le -1", false)]
    {
        assert_eq!(text.parse::<Filter>().unwrap().matches(&thing, &resource), expected, "{text}");
    }
}

#[test]
fn a_planner_sees_what_must_be_equal() {
    let user = ResourceType::user();
    for (text, expected) in [
        (r#"USERNAME eq "x""#, r#"userName="x""#),
        (
            r#"id eq "1" and manager eq "9" and title co "x""#,
            r#"id="1" urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value="9""#,
        ),
        (r#"emails[type eq "work"].value eq "x""#, r#"emails.type="work" emails.value="x""#),
        (r#"emails[type eq "work" and value eq "x"]"#, r#"emails.type="work" emails.value="x""#),
        (r#"emails eq "x""#, r#"emails.value="x""#),
        ("externalId eq 1.50 and active eq true", "externalId=1.50 active=true"),
        (r#"emails[value eq "x"].type sw "w""#, r#"emails.value="x""#),
        (r#"emails[value eq "x"].type ne null"#, r#"emails.value="x""#),
        // These hold where there is no such element.
        (r#"emails[value eq "x"].type ne "work""#, ""),
        (r#"emails[value eq "x"].type eq null"#, ""),
        (r#"id eq "1" or id eq "2""#, ""),
        (r#"not (id eq "1") and title eq null and nope eq "x""#, ""),
    ] {
        let filter: Filter = text.parse().unwrap();
        let terms: Vec<String> =
            filter.equality_terms(&user).into_iter().map(|(path, value)| format!("{path}={value}")).collect();
        assert_eq!(terms.join(" "), expected, "{text}");
    }
}

/// The meaning of the connectives, told a second time over three facts.
fn truth(filter: &Filter, facts: [bool; 3]) -> bool {
    match filter {
        Filter::And(members) => members.iter().all(|member| truth(member, facts)),
        Filter::Or(members) => members.iter().any(|member| truth(member, facts)),
        Filter::Not(inner) => !truth(inner, facts),
        Filter::Present(path) => {
            facts[["title", "nickName", "locale"].iter().position(|name| *name == path.attribute).unwrap()]
        }
        Filter::Compare { .. } | Filter::ValuePath { .. } => unreachable!("not generated"),
    }
}

fn connected() -> impl Strategy<Value = Filter> {
    let fact = proptest::sample::select(&["title pr", "nickName pr", "locale pr"][..])
        .prop_map(|text| text.parse::<Filter>().unwrap());
    fact.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::Or),
            inner.prop_map(|filter| Filter::Not(Box::new(filter))),
        ]
    })
}

proptest! {
    #[test]
    fn print_then_parse_is_identity(filter in filters()) {
        prop_assert_eq!(filter.to_string().parse::<Filter>(), Ok(filter));
    }

    #[test]
    fn never_panics(text in any::<String>()) {
        if let Ok(filter) = text.parse::<Filter>() {
            let _ = filter.matches(&ResourceType::user(), &ada());
        }
    }

    #[test]
    fn never_panics_on_words_of_filters(words in proptest::collection::vec(proptest::sample::select(
        &["emails", "userName", "[", "]", "(", ")", "not", "and", "or", "eq", "pr", "\"x\"", "true", ".", "value", "urn:a:b:c", "\\", "\""][..]), 0..20)) {
        for text in [words.join(" "), words.concat()] {
            if let Ok(filter) = text.parse::<Filter>() {
                prop_assert_eq!(filter.to_string().parse::<Filter>(), Ok(filter.clone()));
                let _ = filter.matches(&ResourceType::user(), &ada());
            }
        }
    }

    #[test]
    fn connectives_mean_what_they_say(filter in connected(), facts in any::<[bool; 3]>()) {
        let mut resource = Attributes::new();
        for (name, _) in ["title", "nickName", "locale"].into_iter().zip(facts).filter(|(_, holds)| *holds) {
            resource.insert(name.to_owned(), json!("x"));
        }
        let read: Filter = filter.to_string().parse().unwrap();
        prop_assert_eq!(read.matches(&ResourceType::user(), &resource), truth(&filter, facts));
    }
}

#[test]
fn comparisons_are_counted() {
    for (text, expected) in [
        ("userName pr", 1),
        ("not (userName eq \"a\" or title pr) and active eq true", 3),
        ("emails[type eq \"work\" and value co \"@\"] or id pr", 3),
    ] {
        assert_eq!(text.parse::<Filter>().unwrap().comparisons(), expected, "{text}");
    }
}
