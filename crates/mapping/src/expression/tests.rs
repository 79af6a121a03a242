//! Tests of the language as a whole: refusals with their places, limits, and the laws of parsing and evaluating.

mod laws;
mod refusals;

use std::collections::BTreeMap;

use super::*;

fn world() -> World<'static> {
    World {
        now: "2021-07-02T15:33:38Z".parse().unwrap(),
        default_domain: Some("contoso.com"),
        random: &|bytes| bytes.fill(0xa5),
    }
}

fn parse(text: &str) -> Result<Expression, ParseError> {
    text.parse()
}

#[track_caller]
fn evaluate(text: &str, source: &BTreeMap<String, Value>) -> Result<Outcome, EvaluationError> {
    parse(text).unwrap().evaluate(source, &world())
}

fn source(name: &str, value: impl Into<Value>) -> BTreeMap<String, Value> {
    BTreeMap::from([(name.to_owned(), value.into())])
}

#[test]
fn printed_forms() {
    for (text, expected) in [
        ("[mail]", "[mail]"),
        ("[ mail ]", "[mail]"),
        (r#"[emails[type eq "work"].value]"#, r#"[emails[type eq "work"].value]"#),
        (r#""a\"b\\c\d""#, r#""a\"b\\c\\d""#),
        ("-1.50", "-1.50"),
        ("&HfF", "&HfF"),
        ("Append (\n[a] ,\t\"x\")", r#"Append([a], "x")"#),
        (r"ToLower([x], )", r"ToLower([x], )"),
        (r"ToLower([x], , , )", r"ToLower([x], )"),
        (r#"Switch([a],,"1","2",)"#, r#"Switch([a], , "1", "2")"#),
        (r#"Switch([a],,"1",)"#, r#"Switch([a], , "1", )"#),
        (r#"Coalesce(,"a")"#, r#"Coalesce(, "a")"#),
        ("IIF([a]<>1,IgnoreAttributeFlow,IgnoreObjectFlow)", "IIF([a] <> 1, IgnoreAttributeFlow, IgnoreObjectFlow)"),
        ("[a]>=[b]", "[a] >= [b]"),
    ] {
        let expression = parse(text).unwrap();
        assert_eq!(expression.to_string(), expected, "{text}");
        assert_eq!(parse(expected), Ok(expression), "{text}");
    }
}

/// What is saved is what is printed, so that has to be short enough to be read.
#[test]
fn what_can_be_written_can_be_printed_and_read() {
    let pair = |number: usize| format!(",\"K{number:03}\",\"value{number:03}\"");
    let pairs = |count: usize| (0..count).map(pair).collect::<Vec<_>>().concat();
    let (switch, letters) = (format!("Switch([c],{})", pairs(505)), "\\d".repeat(4_990));
    for (text, is_shortened) in [
        (format!("Switch([c],{})", pairs(3)), false),
        (switch, true),
        (format!("\"{letters}\""), true),
        (format!("Replace([c],,\"{}\",,\"\",,)", "\\d".repeat(100)), false),
        (format!("Append([c],\"{letters}\")"), true),
        (format!("Coalesce({}[c])", "AppRoleAssignments([a]),".repeat(416)), true),
        (format!("-{}", "1".repeat(EXPRESSION_CHARS_MAX - 1)), false),
    ] {
        let expression = parse(&text).unwrap();
        let printed = expression.to_string();
        assert!(printed.chars().count() <= EXPRESSION_CHARS_MAX, "{printed}");
        assert_eq!(parse(&printed).as_ref(), Ok(&expression));
        assert_eq!(printed == text, is_shortened || !text.contains(','), "{printed}");
        // The job's settings hold the source of a mapping.
        let source = crate::MappingSource::from(expression);
        assert_eq!(source.to_string().parse(), Ok(source));
    }
}

#[test]
fn a_failure_says_where_the_call_stands() {
    for (text, expected) in [
        ("Left([mail], \"x\")", Some("Left([mail], \"x\")\n^")),
        ("Join(\" \",\n  [a], Mid([a], 0, 1))", Some("  [a], Mid([a], 0, 1))\n       ^")),
        ("SelectUniqueValue(CDate([a]), [a])", Some("SelectUniqueValue(CDate([a]), [a])\n                  ^")),
        ("Split(Join(\",\", [long]), \",\")", None),
    ] {
        let object = BTreeMap::from([
            ("a".to_owned(), Value::from("x")),
            ("long".to_owned(), Value::List(vec!["x".to_owned(); LIST_MAX + 1])),
        ]);
        let error = evaluate(text, &object).unwrap_err();
        assert_eq!(error.pointer(text).as_deref(), expected, "{text}: {error}");
        assert_eq!(error.position().is_some(), expected.is_some());
    }
}

#[test]
fn what_an_expression_reads_and_uses() {
    let expression = parse(r#"IIF([a] = "x", Redact([b]), Join("", [c], [a]))"#).unwrap();
    assert_eq!(expression.attributes(), BTreeSet::from(["a", "b", "c"]));
    assert!(expression.is_redacted());
    assert!(expression.uses_function("Join"));
    assert!(!expression.uses_function("join"));
    assert!(!parse("[Redact]").unwrap().is_redacted());
    let nested = parse(r#"Redact(Append([a], Redact([b]))) = Join("", Redact("x"), [c])"#).unwrap();
    let redacted: Vec<String> = nested.redacted().iter().map(ToString::to_string).collect();
    assert_eq!(redacted, ["Append([a], Redact([b]))", "\"x\""]);
}

#[test]
fn a_call_is_found_where_it_begins() {
    let text = "Join( \")\", CDate([a]), [b] ) = Trim(Replace([c], , \"(x)\", , \"y\", , ))";
    let expression = Expression::parse_with(text, Language::EXTENDED).unwrap();
    for (begins, call) in [
        ("Join", "Join(\")\", CDate([a]), [b])"),
        ("CDate", "CDate([a])"),
        ("Trim", "Trim(Replace([c], , \"(x)\", , \"y\", , ))"),
        ("Replace", "Replace([c], , \"(x)\", , \"y\", , )"),
    ] {
        let found = expression.call_at(text.find(begins).unwrap()).unwrap();
        assert_eq!((found.to_string().as_str(), found.function()), (call, Some(begins)));
    }
    assert_eq!((expression.call_at(1), expression.function()), (None, None));
}

#[test]
fn words_end_the_flow_from_any_depth() {
    for (text, expected) in [
        ("IgnoreAttributeFlow", Outcome::DropAttribute),
        ("Join(\"\", \"a\", IgnoreObjectFlow)", Outcome::DropObject),
        ("Append(IgnoreFlowIfNullOrEmpty([a]), \"x\")", Outcome::DropAttribute),
        ("IIF(\"True\", \"kept\", IgnoreObjectFlow)", Outcome::Value("kept".into())),
    ] {
        assert_eq!(evaluate(text, &BTreeMap::new()), Ok(expected), "{text}");
    }
}

#[test]
fn the_branch_not_taken_never_fails() {
    for text in [
        "IIF(\"True\", \"ok\", Mid([a], 0, 1))",
        "IIF(\"False\", Mid([a], 0, 1), \"ok\")",
        "Switch(\"1\", Item([a], 0), \"1\", \"ok\", \"2\", Item([a], 0))",
        "Coalesce(\"ok\", Item([a], 0))",
    ] {
        assert_eq!(evaluate(text, &source("a", "x")), Ok(Outcome::Value("ok".into())), "{text}");
    }
}

#[test]
fn comparison_with_null_is_false() {
    for operator in ["=", "<>", "<", "<=", ">", ">="] {
        for text in [format!("[x] {operator} 1"), format!("1 {operator} [x]"), format!("[x] {operator} [x]")] {
            assert_eq!(evaluate(&text, &BTreeMap::new()), Ok(Outcome::Value("False".into())), "{text}");
        }
    }
}

#[test]
fn limit_of_characters() {
    let of = |length: usize| format!("\"{}\"", "ä".repeat(length - 2));
    assert!(parse(&of(EXPRESSION_CHARS_MAX)).is_ok());
    let error = parse(&of(EXPRESSION_CHARS_MAX + 1)).unwrap_err();
    assert_eq!(error.to_string(), "an expression has at most 10000 characters, this one has 10001, at character 10001");
}

#[test]
fn limit_of_depth() {
    let of = |depth: usize| format!("{}[a]{}", "Not(".repeat(depth), ")".repeat(depth));
    assert!(parse(&of(DEPTH_MAX)).is_ok());
    let error = parse(&of(DEPTH_MAX + 1)).unwrap_err();
    assert_eq!(error.position, 4 * DEPTH_MAX);
    assert_eq!(error.message, "functions are nested more than 150 deep");
    assert!(parse(&"Not(".repeat(2_000)).is_err());
    assert!(parse(&"[".repeat(9_000)).is_err());
    assert!(parse(&"(".repeat(9_000)).is_err());
}

/// On threads as the jobs have them: everything that walks the tree has room for the deepest there is, without optimisation too.
#[test]
fn the_deepest_expression_fits_a_stack() {
    const STACK_BYTES: usize = 1 << 20;
    let forms: [(&str, &str); 4] = [
        ("IIF([a]=\"1\",\"x\",", ")"),
        ("Coalesce(,Not(", ")=[b],[c])"),
        ("Append(ToLower(", "),\"x\")"),
        ("Left(Replace(", ",,\"x\",,\"y\",,),5)"),
    ];
    for (open, close) in forms {
        let depth = DEPTH_MAX / open.matches('(').count();
        let text = format!("{}[a]{}", open.repeat(depth), close.repeat(depth));
        let walk = move || {
            let expression = parse(&text).unwrap();
            let printed = expression.to_string();
            assert_eq!(parse(&printed).as_ref(), Ok(&expression), "{printed}");
            let _ = expression.evaluate(&source("a", "z"), &world());
            expression.analyse(&|_| analysis::Possible::anything());
            assert_eq!(expression.attributes().first(), Some(&"a"));
            assert!(!expression.is_redacted() && expression.part() == expression.clone().part());
            assert!(!expression.ends().is_empty());
        };
        std::thread::Builder::new().stack_size(STACK_BYTES).spawn(walk).unwrap().join().unwrap();
    }
}

#[test]
fn limit_of_arguments() {
    let of = |count: usize| format!("Coalesce({})", vec!["[a]"; count].join(","));
    assert!(parse(&of(ARGUMENTS_MAX)).is_ok());
    assert_eq!(parse(&of(ARGUMENTS_MAX + 1)).unwrap_err().message, "`Coalesce` takes at most 1024 arguments");
}

#[test]
fn limit_of_bytes() {
    let text = "x".repeat(OUTPUT_BYTES_MAX);
    let half = &text[..OUTPUT_BYTES_MAX / 2];
    for (expression, value, fits) in [
        ("ToUpper([a])", text.as_str(), true),
        ("Append([a], \"y\")", text.as_str(), false),
        ("Join(\"\", [a], [a])", half, true),
        ("Join(\"-\", [a], [a])", half, false),
        ("Replace([a], \"x\", , , \"yz\", , )", half, true),
        ("Replace([a], \"x\", , , \"xyz\", , )", half, false),
        ("Replace([a], \"x\", , , [a], , )", half, false),
        ("ConvertToUTF8Hex([a])", half, true),
        ("ConvertToUTF8Hex([a])", text.as_str(), false),
    ] {
        let got = evaluate(expression, &source("a", value));
        assert_eq!(got.is_ok(), fits, "{expression}");
        assert!(fits || got == Err(EvaluationError::ValueTooLarge), "{expression}");
    }
    assert_eq!(evaluate("IsNull([a])", &source("a", text + "x")), Err(EvaluationError::ValueTooLarge));
}

#[test]
fn limit_of_list_elements() {
    // What is read may be longer than what is made: a group has as many members as it has.
    let list = |count: usize| source("a", vec!["0".repeat(36); count]);
    for text in
        ["Count([a])", "Count(Redact([a]))", "Count(IIF(IsPresent([a]), [a], [b]))", "Count(Coalesce([b], [a]))"]
    {
        assert_eq!(evaluate(text, &list(5_000)), Ok(Outcome::Value("5000".into())), "{text}");
    }
    assert_eq!(evaluate("Count([a])", &list(200_000)), Err(EvaluationError::TooManySteps));
    let long = source("a", vec!["x".repeat(OUTPUT_BYTES_MAX + 1)]);
    assert_eq!(evaluate("Count([a])", &long), Err(EvaluationError::ValueTooLarge));
    let text = |delimiters: usize| source("a", ",".repeat(delimiters));
    assert_eq!(evaluate("Count(Split([a], \",\"))", &text(LIST_MAX - 1)), Ok(Outcome::Value("1000".into())));
    assert_eq!(evaluate("Count(Split([a], \",\"))", &text(LIST_MAX)), Err(EvaluationError::ListTooLong));
    assert_eq!(evaluate("Split([a], \",\")", &text(OUTPUT_BYTES_MAX)), Err(EvaluationError::ListTooLong));
}

#[test]
fn limit_of_steps() {
    let of = |times: usize| format!("Join(\"\"{})", ", Len([a])".repeat(times));
    let large = source("a", "x".repeat(OUTPUT_BYTES_MAX));
    assert!(evaluate(&of(38), &large).is_ok());
    assert_eq!(evaluate(&of(39), &large), Err(EvaluationError::TooManySteps));
    assert!(evaluate(&of(900), &source("a", "x")).is_ok(), "small values are cheap");
}
