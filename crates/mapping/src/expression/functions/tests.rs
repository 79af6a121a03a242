//! Tests of single functions, beyond the table of published expressions: one example each, the edges, and the choices.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

use super::random::RANDOM_STRING_MAX;
use super::*;
use crate::expression::{EvaluationError, Expression, Outcome};
use crate::value::{Value, World};

fn evaluate_in(text: &str, source: &Map<String, Json>, random: &dyn Fn(&mut [u8])) -> Result<Value, EvaluationError> {
    let world = World { now: "2021-07-02T15:33:38Z".parse().unwrap(), default_domain: Some("contoso.com"), random };
    match text.parse::<Expression>().unwrap_or_else(|error| panic!("{text}: {error}")).evaluate(source, &world)? {
        Outcome::Value(value) => Ok(value),
        other => panic!("{text} yields {other:?}"),
    }
}

/// `source` is a JSON object; the result is a text, a list or null.
#[track_caller]
fn check(text: &str, source: &Json, expected: &Json) {
    let got = evaluate_in(text, source.as_object().unwrap(), &|bytes| bytes.fill(0x5a));
    assert_eq!(got, Ok(Value::from_json(expected)), "{text} with {source}");
}

#[track_caller]
fn refuse(text: &str, source: &Json, expected: &str) {
    let got = evaluate_in(text, source.as_object().unwrap(), &|bytes| bytes.fill(0x5a));
    assert_eq!(got.unwrap_err().to_string(), expected, "{text} with {source}");
}

#[test]
fn the_table_is_in_order_and_names_are_unique() {
    for pair in FUNCTIONS.windows(2) {
        assert!(
            pair[0].name.to_ascii_lowercase() < pair[1].name.to_ascii_lowercase() || pair[0].name < pair[1].name,
            "{pair:?}"
        );
    }
    let mut names: Vec<_> =
        FUNCTIONS.iter().map(|function| function.name).chain(FORMER.iter().map(|(former, _)| *former)).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(ELSEWHERE.iter().all(|(other, here)| find(other).is_none() && find(here).is_some()));
}

#[test]
fn signatures_name_the_parameters() {
    for (name, expected) in [
        ("Now", "Now()"),
        ("Mid", "Mid(source, start, length)"),
        ("ToLower", "ToLower(source, culture?)"),
        ("Join", "Join(separator, source1, …)"),
        ("Switch", "Switch(source, defaultValue?, key1, value1, …)"),
    ] {
        assert_eq!(find(name).unwrap().to_string(), expected);
        assert!(signatures(Language::EXTENDED).any(|signature| signature == expected));
    }
    let of_dates: Vec<String> =
        signatures(Language::ENTRA).filter(|signature| signature.starts_with("FormatDateTime(")).collect();
    assert_eq!(of_dates, dates::FORMAT_FORMS);
    for form in of_dates {
        let call = form.replace('?', "").replace("inputFormat", "\"yyyy\"").replace("outputFormat", "\"yy\"");
        let call = call.replace("source", "[a]").replace("dateTimeStyles", "");
        assert!(call.parse::<Expression>().is_ok(), "{call}");
    }
}

#[test]
fn one_example_each() {
    for (text, source, expected) in [
        (
            r#"Append([userPrincipalName], ".test")"#,
            json!({"userPrincipalName": "John.Doe@contoso.com"}),
            json!("John.Doe@contoso.com.test"),
        ),
        ("BitAnd(&HF, &HF7)", json!({}), json!("7")),
        ("CBool([attribute1] = [attribute2])", json!({"attribute1": "x", "attribute2": "x"}), json!("True")),
        (
            "Coalesce([mail],[userPrincipalName])",
            json!({"mail": null, "userPrincipalName": "John.Doe@contoso.com"}),
            json!("John.Doe@contoso.com"),
        ),
        (
            r#"IIF([country]="USA",[country],[department])"#,
            json!({"country": "FR", "department": "Sales"}),
            json!("Sales"),
        ),
        (r#"InStr("repEated","e",3,vbBinaryCompare)"#, json!({}), json!("7")),
        ("IsNullOrEmpty([displayName])", json!({"displayName": ""}), json!("True")),
        ("IsPresent([displayName])", json!({"displayName": ""}), json!("False")),
        ("Item([proxyAddresses], 1)", json!({"proxyAddresses": ["smtp:a@b", "SMTP:c@d"]}), json!("smtp:a@b")),
        (r#"Left("John Doe", 3)"#, json!({}), json!("Joh")),
        ("Len([x])", json!({"x": "hello"}), json!("5")),
        ("Mid([surname], 1, 5)", json!({"surname": "Doe"}), json!("Doe")),
        ("NormalizeDiacritics([givenName])", json!({"givenName": "Zoë"}), json!("Zoe")),
        ("Now()", json!({}), json!("7/2/2021 3:33:38 PM")),
        (r#"PCase([lastName]," '-")"#, json!({"lastName": "PINTO-DE'SILVA"}), json!("Pinto-De'Silva")),
        (r#"Prepend("SMTP:", [mail])"#, json!({"mail": "a@b.com"}), json!("SMTP:a@b.com")),
        (
            r#"Replace([UserID],"<username>", , , , , "<username>@contoso.com")"#,
            json!({"UserID": "jsmith"}),
            json!("jsmith@contoso.com"),
        ),
        ("StripSpaces([displayName])", json!({"displayName": "John Q Doe"}), json!("JohnQDoe")),
        (r#"ToLower("ISTANBUL","tr-TR")"#, json!({}), json!("ıstanbul")),
        ("Guid()", json!({}), json!("5a5a5a5a-5a5a-4a5a-9a5a-5a5a5a5a5a5a")),
        ("IsNothing([x])", json!({}), json!("True")),
    ] {
        check(text, &source, &expected);
    }
}

#[test]
fn conditions() {
    for (text, source, expected) in [
        ("BitAnd([x], 2)", json!({}), json!(null)),
        ("BitAnd(-1, 6)", json!({}), json!("6")),
        ("CBool([x])", json!({}), json!("False")),
        ("CBool(0)", json!({}), json!("False")),
        (r#"Coalesce([x], "", [y], "z")"#, json!({"x": []}), json!("z")),
        ("Coalesce([x])", json!({"x": ["a", "b"]}), json!(["a", "b"])),
        ("IIF([x], \"y\", )", json!({}), json!(null)),
        ("IIF([x], , \"n\")", json!({"x": true}), json!(null)),
        ("IIF([n] > 9, \"y\", \"n\")", json!({"n": 10}), json!("y")),
        ("IsNull([x])", json!({"x": ""}), json!("False")),
        ("IsString([x])", json!({"x": ["a"]}), json!("False")),
        ("IsString([x])", json!({}), json!("False")),
        ("Not([x])", json!({}), json!("True")),
        ("Not([x])", json!({"x": true}), json!("False")),
        ("Redact([x])", json!({"x": ["a"]}), json!(["a"])),
        (r#"Switch([x], "d", , "null", "k", "v")"#, json!({}), json!("null")),
        (r#"Switch([x], "d", "K", "v")"#, json!({"x": "k"}), json!("d")),
        (r#"Switch([x], "d", "k", "first", "k", "second")"#, json!({"x": ["k", "l"]}), json!("first")),
    ] {
        check(text, &source, &expected);
    }
    refuse("BitAnd([x], 2)", &json!({"x": "two"}), "`BitAnd`: `value1` is not a whole number");
}

#[test]
fn parts_of_texts() {
    for (text, source, expected) in [
        ("Append([x], [y])", json!({"x": ["a", "b"]}), json!("a")),
        (r#"InStr("abcABC", "A")"#, json!({}), json!("4")),
        (r#"InStr("abcABC", "C", , vbTextCompare)"#, json!({}), json!("3")),
        (r#"InStr("abc", "c", 4)"#, json!({}), json!("0")),
        (r#"InStr("abc", "c", 99)"#, json!({}), json!("0")),
        (r#"InStr("😀b", "b")"#, json!({}), json!("3")),
        (r#"InStr([x], "b")"#, json!({}), json!(null)),
        ("Left([x], 3)", json!({}), json!("")),
        (r#"Left("John", 0)"#, json!({}), json!("")),
        (r#"Left("a😀b", 2)"#, json!({}), json!("a")),
        (r#"Left("a😀b", 3)"#, json!({}), json!("a😀")),
        (r#"Len("a😀")"#, json!({}), json!("3")),
        (r#"Mid("a😀b", 3, 5)"#, json!({}), json!("b")),
        (r#"Mid("a😀b", 2, 1)"#, json!({}), json!("")),
        (r#"Mid("abc", "2", "1")"#, json!({}), json!("b")),
        (r#"Mid("abc", 9223372036854775807, 9223372036854775807)"#, json!({}), json!("")),
        ("Mid([x], 1, 1)", json!({}), json!(null)),
        (r#"Prepend("SMTP:", [x])"#, json!({}), json!(null)),
        (r#"Replace([x], "", , , "y", , )"#, json!({"x": "abc"}), json!("abc")),
        (r#"Replace([x], "b", , , [none], , )"#, json!({"x": "abc"}), json!("ac")),
        (r#"Word(",a,,b,", 2, ",")"#, json!({}), json!("b")),
        (r#"Word("a b", -9223372036854775808, " ")"#, json!({}), json!("")),
        (r#"Word("a b", 1, "")"#, json!({}), json!("a b")),
        ("CStr([x])", json!({"x": true}), json!("True")),
    ] {
        check(text, &source, &expected);
    }
    refuse(r#"Mid("abc", 0, 1)"#, &json!({}), "`Mid`: `start` counts from 1");
    refuse(r#"Mid("abc", 1, -1)"#, &json!({}), "`Mid`: `length` is negative");
    refuse(r#"Mid("abc", [x], 1)"#, &json!({}), "`Mid`: `start` has no value");
    refuse(r#"InStr("abc", "a", 0)"#, &json!({}), "`InStr`: `start` counts from 1");
    refuse(
        r#"InStr("abc", "a", 1, "x")"#,
        &json!({}),
        "`InStr`: `compareType` is `vbBinaryCompare` or `vbTextCompare`",
    );
}

fn extended(text: &str, source: &Json) -> Result<Value, EvaluationError> {
    let world = World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
    let expression = Expression::parse_with(text, Language::EXTENDED).unwrap_or_else(|error| panic!("{text}: {error}"));
    match expression.evaluate(source.as_object().unwrap(), &world)? {
        Outcome::Value(value) => Ok(value),
        other => panic!("{text} yields {other:?}"),
    }
}

#[test]
fn extensions() {
    for (text, source, expected) in [
        ("Trim([x])", json!({}), json!(null)),
        ("Trim([x])", json!({"x": "\u{a0} a  b\t\n"}), json!("a  b")),
        ("Trim([x])", json!({"x": [" a", "b"]}), json!("a")),
        ("Trim([x])", json!({"x": "  "}), json!("")),
        ("Right([x], 3)", json!({"x": "John Doe"}), json!("Doe")),
        ("Right([x], 9)", json!({"x": "Doe"}), json!("Doe")),
        ("Right([x], 0)", json!({"x": "Doe"}), json!("")),
        ("Right([x], -1)", json!({"x": "Doe"}), json!("Doe")),
        ("Right([x], 3)", json!({}), json!("")),
        ("Right([x], 2)", json!({"x": "a😀b"}), json!("b")),
        ("Right([x], \"3\")", json!({"x": "a😀b"}), json!("😀b")),
        ("And([a], [b])", json!({"a": true, "b": "1"}), json!("True")),
        ("And([a], [b])", json!({"a": true}), json!("False")),
        ("And([a] = \"x\", [b] <> \"x\", 1)", json!({"a": "x", "b": "y"}), json!("True")),
        ("And(\"False\", BitAnd(\"x\", 1))", json!({}), json!("False")),
        ("Or([a], [b])", json!({"b": "true"}), json!("True")),
        ("Or([a], [b], 0)", json!({"b": "yes"}), json!("False")),
        ("Or(1, BitAnd(\"x\", 1))", json!({}), json!("True")),
        (
            "IIF(Or([c] = \"FR\", And([c] = \"US\", [s] = \"CA\")), \"y\", \"n\")",
            json!({"c": "US", "s": "NY"}),
            json!("n"),
        ),
    ] {
        assert_eq!(extended(text, &source), Ok(Value::from_json(&expected)), "{text} with {source}");
        let expression = Expression::parse_with(text, Language::EXTENDED).unwrap();
        assert_eq!(Expression::parse_with(&expression.to_string(), Language::EXTENDED).as_ref(), Ok(&expression));
        assert!(expression.extension().is_some() && text.parse::<Expression>().is_err(), "{text}");
    }
    assert!(extended("And(1, BitAnd(\"x\", 1))", &json!({})).is_err(), "what decides is looked at");
    let message = |text| Expression::parse_with(text, Language::EXTENDED).unwrap_err().to_string();
    assert_eq!(message("And([a])"), "`And` needs at least two conditions, and none may be left out, at character 1");
    assert_eq!(message("Or([a], )"), "`Or` needs at least two conditions, and none may be left out, at character 9");
    assert!(!signatures(Language::ENTRA).any(|signature| signature.starts_with("Trim")));
    assert!(signatures(Language::EXTENDED).any(|signature| signature == "And(condition1, condition2, …)"));
}

#[test]
fn the_clock_is_twelve_hours_without_leading_zeros() {
    for (now, expected) in [
        ("2021-07-02T00:05:09Z", "7/2/2021 12:05:09 AM"),
        ("2021-11-12T12:00:00Z", "11/12/2021 12:00:00 PM"),
        ("2021-12-31T23:59:59.9Z", "12/31/2021 11:59:59 PM"),
        ("2021-12-31T23:59:59-08:00", "1/1/2022 7:59:59 AM"),
        ("0099-01-01T01:00:00Z", "1/1/0099 1:00:00 AM"),
    ] {
        let at = jiff::tz::TimeZone::UTC.to_datetime(now.parse().unwrap());
        assert_eq!(crate::expression::dates::free::text_of(at), expected, "{now}");
    }
}

#[test]
fn letters() {
    for (text, expected) in [
        (r#"ToUpper("straße")"#, "STRAßE"),
        (r#"ToLower("ΟΔΥΣΣΕΥΣ")"#, "οδυσσευσ"),
        (r#"ToLower("İI")"#, "İi"),
        (r#"ToUpper("ıi")"#, "ıI"),
        (r#"ToUpper("ıi", "tr")"#, "Iİ"),
        (r#"ToLower("İI", "az-Latn-AZ")"#, "iı"),
        (r#"ToLower("TITLE", "en-US")"#, "title"),
        (r#"PCase("o'neil MCKAY-smith, 3com")"#, "O'Neil Mckay-Smith, 3Com"),
        (r#"PCase("a_b c", "_")"#, "A_B c"),
        (r#"NormalizeDiacritics("äöüÄÖÜß đðþ")"#, "aouAOUss đðþ"),
        (r#"NormalizeDiacritics("한국어")"#, "한국어"),
        (r#"NormalizeDiacritics("हिन्दी")"#, "हिनदी"),
        (r#"NormalizeDiacritics("กำลัง")"#, "กำลง"),
        (r#"NormalizeDiacritics("ที่นี่")"#, "ทน"),
        (r#"NormalizeDiacritics("Đặng Thị Ngọc Ánh")"#, "Đang Thi Ngoc Anh"),
    ] {
        check(text, &json!({}), &json!(expected));
    }
}

#[test]
fn lists() {
    for (text, source, expected) in [
        ("Count([x])", json!({"x": "a"}), json!("1")),
        ("Item([x], 1)", json!({"x": "a"}), json!("a")),
        ("Item([x], 2)", json!({"x": "a"}), json!(null)),
        ("Item([x], 2)", json!({}), json!(null)),
        (r#"Join([s], "a", "b")"#, json!({}), json!("ab")),
        (r#"Join("-", [x], "", [y], " ")"#, json!({"x": ["", "a"], "y": []}), json!("a- ")),
        ("RemoveDuplicates([x])", json!({"x": "a"}), json!("a")),
        ("RemoveDuplicates([x])", json!({}), json!(null)),
        ("RemoveDuplicates([x])", json!({"x": ["a", "A", "a"]}), json!(["a", "A"])),
        (r#"Split(" a , b ", ",")"#, json!({}), json!(["a", "b"])),
        (r#"Split("a,,b", ",")"#, json!({}), json!(["a", "", "b"])),
        (r#"Split("ab", "")"#, json!({}), json!(["ab"])),
    ] {
        check(text, &source, &expected);
    }
    refuse("Item([x], 0)", &json!({}), "`Item`: `index` counts from 1");
    refuse("Item([x], -9223372036854775808)", &json!({}), "`Item`: `index` counts from 1");
}

#[test]
fn app_roles() {
    let assigned = json!({"appRoleAssignments": [
        {"id": "1", "value": "b", "displayName": "B", "principalType": "Group"},
        {"id": "2", "value": "d", "displayName": "D", "principalType": "User"},
        {"id": "3", "value": null, "displayName": "c", "principalType": "User"},
    ]});
    check("SingleAppRoleAssignment([appRoleAssignments])", &assigned, &json!("c"));
    check(
        "AppRoleAssignmentsComplex([appRoleAssignments])",
        &assigned,
        &json!([
            r#"{"id":"1","value":"b","displayName":"B"}"#,
            r#"{"id":"2","value":"d","displayName":"D"}"#,
            r#"{"id":"3","value":null,"displayName":"c"}"#
        ]),
    );
    check(
        "Item(AssertiveAppRoleAssignmentsComplex([appRoleAssignments]), 1)",
        &assigned,
        &json!(r#"{"primary":false,"type":"WindowsAzureActiveDirectoryRole","display":"B","value":"b"}"#),
    );
    for function in ["SingleAppRoleAssignment", "AppRoleAssignmentsComplex", "AssertiveAppRoleAssignmentsComplex"] {
        let text = format!("{function}([appRoleAssignments])");
        check(&text, &json!({}), &json!(null));
        check(&text, &json!({"appRoleAssignments": []}), &json!(null));
        let message = format!("`{function}`: the argument holds something that is no app role assignment");
        refuse(&text, &json!({"appRoleAssignments": ["Admin"]}), &message);
    }
}

#[test]
fn random_strings_that_cannot_be() {
    for (text, expected) in [
        ("RandomString(2,3,0,0,0)", "`Length` is smaller than the sum of the minimums"),
        ("RandomString(257,0,0,0,0)", "`Length` is not between 0 and 256"),
        ("RandomString(8,-1,0,0,0)", "`MinimumNumbers` is not between 0 and 256"),
        ("RandomString(8,1,0,0,0,\"0123456789\")", "`CharactersToAvoid` leaves no character of a class that is needed"),
        ("RandomString([x],1,0,0,0)", "`Length` has no value"),
    ] {
        refuse(text, &json!({}), &format!("`RandomString`: {expected}"));
    }
    check(&format!("Len(RandomString({RANDOM_STRING_MAX},0,0,0,0))"), &json!({}), &json!("256"));
    check("RandomString(0,0,0,0,0)", &json!({}), &json!(""));
}

#[test]
fn a_tenant_without_default_domain() {
    let world = World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
    let expression: Expression = "DefaultDomain()".parse().unwrap();
    assert_eq!(expression.evaluate(&Map::new(), &world), Err(EvaluationError::NoDefaultDomain));
}

proptest! {
    #[test]
    fn random_strings_keep_their_minimums(minima in prop::array::uniform4(0_usize..9), more in 0_usize..9, seed in any::<u64>()) {
        let state = std::cell::Cell::new(seed);
        let random = |bytes: &mut [u8]| for byte in bytes {
            state.set(state.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
            *byte = state.get().to_be_bytes()[0];
        };
        let length = minima.iter().sum::<usize>() + more;
        let [digits, special, capital, lower] = minima;
        let text = format!(r#"RandomString({length},{digits},{special},{capital},{lower},"0Ol1")"#);
        let Ok(Value::Text(made)) = evaluate_in(&text, &Map::new(), &random) else { panic!("{text} fails") };
        let count = |keep: fn(&char) -> bool| made.chars().filter(keep).count();
        prop_assert_eq!(made.len(), length);
        prop_assert!(count(char::is_ascii_digit) >= digits && count(char::is_ascii_punctuation) >= special);
        prop_assert!(count(char::is_ascii_uppercase) >= capital && count(char::is_ascii_lowercase) >= lower);
        prop_assert!(!made.contains(['0', 'O', 'l', '1']));
    }

    #[test]
    fn left_and_mid_cut_a_text_in_two(text in any::<String>(), at in 0_usize..20) {
        let source = json!({"x": text});
        let of = |expression: &str| evaluate_in(expression, source.as_object().unwrap(), &|_| {}).unwrap();
        let (left, right) = (of(&format!("Left([x], {at})")), of(&format!("Mid([x], {}, 1000000)", at + 1)));
        let whole = format!("{}{}", left.first().unwrap(), right.first().unwrap());
        // Only a surrogate pair that lies across the cut is missing.
        prop_assert!(text == whole || text.encode_utf16().count() == whole.encode_utf16().count() + 2);
    }
}

#[test]
fn a_list_of_empty_texts_is_empty() {
    for (text, source, expected) in [
        (r#"IsNullOrEmpty(Split([b], ","))"#, json!({"b": ""}), json!("True")),
        (r#"IsPresent(Split([b], ","))"#, json!({"b": " , "}), json!("False")),
        (r#"Coalesce(Split([b], ","), "z")"#, json!({"b": ""}), json!("z")),
        ("IsNullOrEmpty([b])", json!({"b": ["", ""]}), json!("True")),
        ("IsNullOrEmpty([b])", json!({"b": ["", "x"]}), json!("False")),
        ("IsNull([b])", json!({"b": [""]}), json!("False")),
        (r#"Split([b], ",")"#, json!({"b": "a,,"}), json!(["a", "", ""])),
    ] {
        check(text, &source, &expected);
    }
    let dropped: Expression = "IgnoreFlowIfNullOrEmpty([b])".parse().unwrap();
    let world = World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
    let source = json!({"b": ["", ""]});
    assert_eq!(dropped.evaluate(source.as_object().unwrap(), &world), Ok(Outcome::DropAttribute));
}

#[test]
fn whole_numbers_as_sources_send_them() {
    for (text, source, expected) in [
        (r#"Mid("abc", " 1 ", 2)"#, json!({}), json!("ab")),
        (r#"Mid("abc", "1.0", [n])"#, json!({"n": 2.0}), json!("ab")),
        (r#"DateAdd("d", 1.0, "2021-08-24")"#, json!({}), json!("8/25/2021 12:00:00 AM")),
        (r#"InStr([a], "C", "", 1)"#, json!({"a": "abc"}), json!("3")),
        (r#"InStr([a], "c", [n])"#, json!({"a": "abc", "n": ""}), json!("3")),
    ] {
        check(text, &source, &expected);
    }
    refuse(r#"Mid("abc", 1.5, 1)"#, &json!({}), "`Mid`: `start` is not a whole number");
    refuse(r#"Mid("abc", "", 1)"#, &json!({}), "`Mid`: `start` is not a whole number");
    refuse(r#"InStr("abc", "a", " ")"#, &json!({}), "`InStr`: `start` is not a whole number");
}

#[test]
fn what_is_left_out_at_the_end() {
    for (text, source, expected) in [
        ("Split([x])", json!({"x": " a, b "}), json!(["a, b"])),
        ("Split([x], )", json!({"x": "a"}), json!(["a"])),
        ("Split([x])", json!({}), json!(null)),
        (r#"FormatDateTime([d], "yyyy-MM-dd", "yyyyMMdd", )"#, json!({"d": "2021-08-24"}), json!("20210824")),
        (r#"FormatDateTime([d], "yyyy-MM-dd", "yyyyMMdd", , )"#, json!({"d": "2021-08-24"}), json!("20210824")),
        (r#"FormatDateTime([d], , "yyyy-MM-dd", "yyyyMMdd", )"#, json!({"d": "2021-08-24"}), json!("20210824")),
    ] {
        check(text, &source, &expected);
    }
    assert!(signatures(Language::ENTRA).any(|signature| signature == "Split(source, delimiter?)"));
}

/// What has the form of a date is told what is wrong with it, and not all forms there are.
#[test]
fn dates_that_are_nearly_right() {
    for (text, expected) in [
        (r#"CDate("2021-02-30")"#, "`CDate`: `expression` is no date: that month has no such day"),
        (
            r#"CDate("2020-13-01")"#,
            "`CDate`: `expression` is no date: there is no such month; where no year comes first, the first number is the month, as in `M/d/yyyy`",
        ),
        (
            r#"NumFromDate("2021-06-30+14:01")"#,
            "`NumFromDate`: `value` is no date: an offset is at most 14 hours, and its minutes are fewer than 60",
        ),
        (
            r#"FormatDateTime("9999-12-31T23:59:59-08:00", , "yyyy-MM-ddTHH:mm:sszzz", "yyyy")"#,
            "`FormatDateTime`: `source` is as `inputFormat` says, but no date: in UTC it lies outside the years 1 to 9999",
        ),
        (
            r#"FormatDateTime(" 2021", "AllowTrailingWhite", "yyyy", "yyyy")"#,
            "`FormatDateTime`: `source` has white space that `dateTimeStyles` does not allow",
        ),
        (r#"FormatDateTime("2021x", , "yyyy", "yyyy")"#, "`FormatDateTime`: `source` is not as `inputFormat` says"),
    ] {
        refuse(text, &json!({}), expected);
    }
}
