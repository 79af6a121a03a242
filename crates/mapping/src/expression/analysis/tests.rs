//! Tests of the analysis: what it says about known expressions, and that it never says "never" of what happens.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::Language;
use super::*;

/// Attributes by name: a list, a boolean, one of three words, a whole number; all others may be anything.
fn known(name: &str) -> Possible {
    match name {
        "many" => Possible::list_or_null(),
        "flag" => Possible::booleans(true, true).or(Possible::null()),
        "word" => Possible::few(["a", "True", "2"]).or(Possible::null()),
        "number" => Possible::many(Shape::Integer, false).or(Possible::null()),
        "text" => Possible::text_or_null(),
        _ => Possible::anything(),
    }
}

fn analysed(text: &str) -> Analysis {
    text.parse::<Expression>().unwrap_or_else(|error| panic!("{text}: {error}")).analyse(&known)
}

#[test]
fn what_never_gives_a_value() {
    for (text, ends) in [
        (r#""""#, "it is always empty"),
        ("Left([x], 0)", "it is always empty"),
        (r#"Word([x], 0, " ")"#, "it is always empty"),
        ("Mid([x], 0, 3)", "it fails: `Mid`: `start` counts from 1"),
        ("Mid([x], 2, 0)", "it is always empty"),
        ("Item([many], 0)", "it fails: `Item`: `index` counts from 1"),
        ("Item([text], 2)", "it is always empty"),
        ("ToLower(Left([x], 0))", "it is always empty"),
        (r#"CDate("soon")"#, "it fails: `CDate`: `expression` is no date; `yyyy-MM-dd`"),
        (r#"DateAdd("month", 1, [x])"#, "it fails: `DateAdd`: `interval` is"),
        (r#"Join(",", "", Left([x], 0))"#, "it is always empty"),
        (r#"Switch([x], , "a", "", "b", Left([y], 0))"#, "it is always empty"),
        (r#"Switch([flag], , "true", "1", "false", "0")"#, "it is always empty"),
        (r#"IIF(IsPresent([x]) = "true", "yes", )"#, "it is always empty"),
        (r#"IIF(1 = 2, [x], "")"#, "it is always empty"),
        ("IIF([x] = \"a\", IgnoreAttributeFlow, IgnoreAttributeFlow)", "it leaves the attribute out"),
        ("IgnoreObjectFlow", "it leaves the whole object out"),
        (r#"IgnoreFlowIfNullOrEmpty(Replace("", "a", , , "b", , ))"#, "it leaves the attribute out"),
        ("RandomString(3, 2, 2, 0, 0)", "it fails: `RandomString`: `Length` is smaller"),
        (r#"SelectUniqueValue("", Left([x], 0))"#, "it is always empty"),
        (r#"BitAnd([x], "one")"#, "it fails: `BitAnd`"),
        ("DateFromNum(\"x\")", "it fails: `DateFromNum`"),
        (r#"DateAdd("month", 1, Now())"#, "it fails: `DateAdd`: `interval` is"),
        ("Mid([x], 0, 2)", "it fails: `Mid`: `start` counts from 1"),
        (r#"Left([x], "two")"#, "it fails: `Left`: `numChars` is not a whole number"),
        ("RandomString(300, 1, 1, 1, 1)", "it fails: `RandomString`: `Length` is not between 0 and 256"),
        (r#"ToUpper([x], "not a culture")"#, "it fails: `ToUpper`: `culture` is not the name of one"),
        (r#"ToLower([x], " tr-TR ")"#, "it fails: `ToLower`: `culture` is not the name of one"),
        (r#"CDate("2021-02-30")"#, "it fails: `CDate`: `expression` is no date: that month has no such day"),
    ] {
        assert!(!analysed(text).possible.may_be_value(), "{text}");
        let told = text.parse::<Expression>().unwrap().ends();
        assert!(told.starts_with(ends), "{text}: {told}");
    }
}

#[test]
fn what_may_give_a_value() {
    for text in [
        "[x]",
        "Left([x], 1)",
        "Item([many], 2)",
        "Item([x], 2)",
        "Count(Left([x], 0))",
        r#"Append([x], "")"#,
        r#"Switch([flag], , "True", "1")"#,
        r#"IIF(IsPresent([x]) = "True", "yes", )"#,
        r#"Replace([x], , "x*", , "-", , )"#,
        r#"Coalesce("", [x])"#,
        r#"Not("")"#,
        "IIF([x], [y], IgnoreObjectFlow)",
        "SelectUniqueValue([x], Left([x], 0))",
        "DefaultDomain()",
    ] {
        assert!(analysed(text).possible.may_be_value(), "{text}");
    }
}

#[test]
fn parts_that_do_not_mean_what_they_say() {
    for (text, expected) in [
        ("Join(\" \", [x], Left([y], 0))", vec![(15, "Left([y], 0)", "never gives a value")]),
        (
            r#"IIF(IsPresent([x]) = "true", "yes", "no")"#,
            vec![(
                4,
                r#"IsPresent([x]) = "true""#,
                "is always false; texts are compared with case, and null equals nothing",
            )],
        ),
        (
            r#"IIF("yes", [x], [y])"#,
            vec![(4, "\"yes\"", "never counts as true; a condition is True, a number other than 0, or a comparison")],
        ),
        (r#"IIF("True", [x], [y])"#, vec![(4, "\"True\"", "always counts as true")]),
        (
            r#"Switch([flag], "n", "True", "y", "false", "z")"#,
            vec![(
                33,
                "\"false\"",
                "is a key that the source of `Switch` never equals; it can be empty, `False` or `True`",
            )],
        ),
        (
            r#"FormatDateTime([x], , "yyyy-MM-dd", "yyyy-mm-dd")"#,
            vec![(36, "\"yyyy-mm-dd\"", "has `mm`, which is minutes, and no month; a month is `MM`")],
        ),
        (
            r#"FormatDateTime([x], "YYYY-MM-DD", "yyyy")"#,
            vec![(20, "\"YYYY-MM-DD\"", "has `Y`, which .NET writes as it stands; a year is `yyyy`")],
        ),
        (
            r#"FormatDateTime([x], , "M/d/yyyy h:mm:ss tt", "yyyy-MM-ddThh:mm:ssZ")"#,
            vec![(
                45,
                "\"yyyy-MM-ddThh:mm:ssZ\"",
                "has `h`, the hour of twelve, without `tt`; the hour of the day is `HH`",
            )],
        ),
        (
            r#"Replace([x], , "$abc", , "", , )"#,
            vec![(15, "\"$abc\"", "matches nothing: `^` stands at the beginning of a pattern, `$` at its end")],
        ),
        (
            "SingleAppRoleAssignment([roles])",
            vec![(24, "[roles]", "is no app role assignment; write [appRoleAssignments] there")],
        ),
    ] {
        let found = analysed(text).notes;
        let told: Vec<_> =
            found.iter().map(|note| (note.position, note.part.as_str(), note.message.as_str())).collect();
        assert_eq!(told, expected, "{text}");
        for note in &found {
            let printed: String = text.parse::<Expression>().unwrap().to_string().chars().skip(note.position).collect();
            assert!(printed.starts_with(&note.part), "{text}");
        }
    }
}

/// A part that can be left is no problem of the whole, but has its reason.
#[test]
fn parts_that_always_fail_say_why() {
    for (part, why) in [
        (r#"DateAdd("month", 1, Now())"#, ": `interval` is `yyyy`, `m`, `d`, `ww`, `h`, `n` (minute) or `s`"),
        ("Item([x], 0)", ": `index` counts from 1"),
        ("Mid([x], 0, 2)", ": `start` counts from 1"),
        ("Mid([x], [y], -1)", ""),
        ("RandomString(300, 0, 0, 0, 0)", ": `Length` is not between 0 and 256"),
        (r#"Left([x], "two")"#, ": `numChars` is not a whole number"),
        (r#"ToUpper([x], "not a culture")"#, ": `culture` is not the name of one, such as `tr-TR`"),
        ("Left([x], 0)", ""),
        ("Mid([x], [y], 0)", ""),
        ("Left(CDate([x]), 0)", ""),
    ] {
        let found = analysed(&format!("IIF([z] = \"a\", {part}, [x])")).notes;
        let told: Vec<_> = found.iter().map(|note| (note.part.as_str(), note.message.clone())).collect();
        assert_eq!(told, [(part, format!("never gives a value{why}"))], "{part}");
    }
}

#[test]
fn letters_and_names_that_dot_net_passes_over_are_told_of() {
    for (text, message) in [
        (
            r#"FormatDateTime([x], , "yyyy-MM-dd", "DD/MM/YYYY")"#,
            "has `Y`, which .NET writes as it stands; a year is `yyyy`",
        ),
        (
            r#"FormatDateTime([x], , "yyyy-MM-dd", "DD/MM/yyyy")"#,
            "has `D`, which .NET writes as it stands; a day is `dd`",
        ),
        (
            r#"FormatDateTime([x], , "yyyy-MM-dd", "D.M.yyyy")"#,
            "has `D`, which .NET writes as it stands; a day is `dd`",
        ),
        (
            r#"ToLower([x], "turkish")"#,
            "names no culture that is known, so that letters change as without it; one is `tr-TR`",
        ),
    ] {
        let found = analysed(text).notes;
        assert_eq!(found.iter().map(|note| note.message.as_str()).collect::<Vec<_>>(), [message], "{text}");
    }
}

#[test]
fn words_in_quotes_are_told_of() {
    for (text, part, position, does) in [
        (
            r#"IIF([flag] = "True", [x], "IgnoreAttributeFlow")"#,
            "\"IgnoreAttributeFlow\"",
            26,
            "leaves the attribute as it is",
        ),
        (r#"Coalesce([x], "ignoreObjectFlow")"#, "\"ignoreObjectFlow\"", 14, "passes over the whole object"),
    ] {
        let message = format!("is a text like any other; the word without quotes {does}");
        let note = Note { position, part: part.to_owned(), is_never: false, message };
        assert_eq!(analysed(text).notes, [note], "{text}");
    }
}

#[test]
fn parts_that_are_meant_so() {
    for text in [
        r#"Switch([x], [x], "", "Other")"#,
        r#"Coalesce([x], "")"#,
        "IIF(IsPresent([x]), IIF(IsPresent([y]), [y], IgnoreAttributeFlow), IgnoreAttributeFlow)",
        r#"FormatDateTime([x], , "M/d/yyyy h:mm:ss tt", "yyyy-MM-dd'T'HH:mm:ss'Z'")"#,
        r#"Replace([x], , "^a?$", , "", , )"#,
        r#"FormatDateTime([x], , "yyyy-MM-dd", "D")"#,
        r#"FormatDateTime([x], , "yyyy-MM-dd", "dd 'D' MMM yyyy")"#,
        r#"ToLower([x], "xx-Latn-YY")"#,
        r#"ToUpper([x], "")"#,
    ] {
        assert_eq!(analysed(text).notes, [], "{text}");
    }
}

#[test]
fn patterns_that_match_nothing() {
    for (pattern, expected) in [
        ("$abc", true),
        ("abc^", true),
        ("a^", true),
        ("^abc$", false),
        ("$a*", false),
        ("$a|b", false),
        ("(?m)a^", false),
        (r"\b^", false),
        (r"a\^", false),
        ("$", false),
        ("^", false),
    ] {
        assert_eq!(matches_nothing(pattern), expected, "{pattern}");
    }
}

#[test]
fn a_huge_expression_is_analysed_at_once() {
    let many = "Replace(\"aaaaaaaaaaaaaaaa\", \"a\", , , \"aaaaaaaaaaaaaaaa\", , ), ".repeat(150);
    let text = format!("Join(\"\", {many}\"\")");
    assert!(analysed(&text).possible.may_be_value());
    let nested = format!("{}[word]{}", "Replace(".repeat(31), ", \"a\", , , \"aaaaaaaa\", , )".repeat(31));
    assert!(analysed(&nested).possible.may_be_value());
}

const TEXTS: [&str; 19] = [
    "",
    " ",
    "a",
    "b",
    "True",
    "true",
    "False",
    "0",
    "1",
    "-1",
    "2",
    "300",
    "a,b",
    "yyyy",
    "yyyy-MM-dd",
    "2024-01-31",
    "d",
    ",",
    "$a",
];

/// A leaf of an expression.
fn leaf() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(&["[x]", "[text]", "[many]", "[flag]", "[word]", "[number]"][..])
            .prop_map(str::to_owned),
        proptest::sample::select(&TEXTS[..]).prop_map(super::super::quoted),
        proptest::sample::select(&["-1", "0", "1", "2", "3"][..]).prop_map(str::to_owned),
        proptest::sample::select(&["IgnoreAttributeFlow", "IgnoreObjectFlow"][..]).prop_map(str::to_owned),
    ]
}

/// A call of any function with arguments of the right number.
fn call(inner: impl Strategy<Value = String> + Clone + 'static) -> impl Strategy<Value = String> {
    let signatures: Vec<String> = super::super::signatures(Language::EXTENDED).collect();
    let arguments = proptest::collection::vec(inner, 8);
    (proptest::sample::select(signatures), arguments, 1_usize..4, any::<u8>()).prop_map(
        |(signature, arguments, more, left_out)| {
            let (name, parameters) = signature.split_once('(').unwrap();
            let parameters: Vec<&str> =
                parameters.trim_end_matches(')').split(", ").filter(|name| !name.is_empty()).collect();
            let has_rest = parameters.last() == Some(&"…");
            let named = parameters.len() - usize::from(has_rest);
            let count = if has_rest { (named + 2 * more).min(8) & !usize::from(name == "Switch") } else { named };
            let shown = (0..count).map(|index| {
                let is_optional = parameters.get(index).is_some_and(|name| name.ends_with('?'));
                if is_optional && left_out & (1 << index) != 0 { "" } else { &arguments[index] }
            });
            format!("{name}({})", shown.collect::<Vec<_>>().join(", "))
        },
    )
}

fn expression() -> impl Strategy<Value = String> {
    let tree = leaf().prop_recursive(3, 24, 8, |inner| {
        let sides = (inner.clone(), proptest::sample::select(&["=", "<>", "<", ">="][..]), inner.clone());
        let compared =
            sides.prop_map(|(left, operator, right)| format!("IIF({left} {operator} {right}, \"a\", [text])"));
        prop_oneof![5 => call(inner), 1 => compared]
    });
    call(tree)
}

fn object() -> impl Strategy<Value = BTreeMap<String, Value>> {
    let text = || proptest::sample::select(&TEXTS[..]).prop_map(Value::from);
    let list = || {
        proptest::collection::vec(proptest::sample::select(&TEXTS[..]).prop_map(str::to_owned), 0..3)
            .prop_map(Value::List)
    };
    let of = |few: &'static [&'static str]| {
        proptest::option::of(proptest::sample::select(few).prop_map(str::to_owned)).prop_map(Value::from)
    };
    let any = prop_oneof![Just(Value::Null), text(), list()];
    let single = prop_oneof![Just(Value::Null), text()];
    (any, single, list(), of(&["True", "False"]), of(&["a", "True", "2"]), of(&["-1", "0", "12", "20240131"])).prop_map(
        |(x, text, many, flag, word, number)| {
            [("x", x), ("text", text), ("many", many), ("flag", flag), ("word", word), ("number", number)]
                .map(|(name, value)| (name.to_owned(), value))
                .into()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    /// Whatever an expression yields was said to be possible.
    #[test]
    fn what_happens_was_possible(text in expression(), object in object(), seconds in 0_i64..4_000_000_000) {
        let Ok(expression) = Expression::parse_with(&text, Language::EXTENDED) else { return Ok(()) };
        let possible = expression.analyse(&known).possible;
        let now = jiff::Timestamp::from_second(seconds).unwrap();
        let world = World { now, default_domain: Some("contoso.example"), random: &|bytes| bytes.fill(7) };
        match expression.evaluate(&object, &world) {
            Ok(Outcome::Value(value)) => prop_assert!(possible.contains(&value), "{text} gives {value:?}, not {possible:?}"),
            Ok(Outcome::Unique(candidates)) => {
                for value in candidates.values {
                    prop_assert!(possible.contains(&value.as_str().into()), "{text} gives {value}, not {possible:?}");
                }
            }
            Ok(Outcome::DropAttribute | Outcome::DropObject) | Err(_) => {}
        }
    }
}

#[test]
fn notes_about_a_long_expression_stand_where_it_is_printed() {
    let pair = |number: usize| format!(",\"K{number:03}\",\"value{number:03}\"");
    let pairs = (0..500).map(pair).collect::<Vec<_>>().concat();
    for text in [
        format!("IIF(IsPresent([x])=\"true\",Switch([x],{pairs}),Left(\"\\d\", 0))"),
        format!("Join(\"\\d\",Switch([x],{pairs}),[x]=Left([y],0),Left([x],0))"),
    ] {
        let expression: Expression = text.parse().unwrap();
        let printed: Vec<char> = expression.to_string().chars().collect();
        let notes = expression.analyse(&known).notes;
        assert!(notes.len() > 1);
        for note in notes {
            let there: String = printed[note.position..].iter().collect();
            let bare = |text: &str| text.replace(' ', "").replace("\\\\", "\\");
            assert!(bare(&there).starts_with(bare(&note.part).trim_end_matches('…')), "{note:?} is at {there:.40}");
        }
    }
}
