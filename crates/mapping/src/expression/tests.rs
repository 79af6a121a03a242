//! Tests of the language as a whole: refusals with their places, limits, and the laws of parsing and evaluating.

mod refusals;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::ast::{Comparator, Node, WORDS};
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

#[test]
fn what_an_expression_reads_and_uses() {
    let expression = parse(r#"IIF([a] = "x", Redact([b]), Join("", [c], [a]))"#).unwrap();
    assert_eq!(expression.attributes(), BTreeSet::from(["a", "b", "c"]));
    assert!(expression.is_redacted());
    assert!(expression.uses_function("Join"));
    assert!(!expression.uses_function("join"));
    assert!(!parse("[Redact]").unwrap().is_redacted());
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
    assert_eq!(error.message, "functions are nested more than 32 deep");
    assert!(parse(&"Not(".repeat(2_000)).is_err());
    assert!(parse(&"[".repeat(9_000)).is_err());
    assert!(parse(&"(".repeat(9_000)).is_err());
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
    let list = |count: usize| source("a", vec!["x".to_owned(); count]);
    assert_eq!(evaluate("Count([a])", &list(LIST_MAX)), Ok(Outcome::Value("1000".into())));
    assert_eq!(evaluate("Count([a])", &list(LIST_MAX + 1)), Err(EvaluationError::ListTooLong));
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

/// Functions of every shape, so that a generated call can be well formed.
const SHAPES: [(&str, usize, usize); 8] = [
    ("Now", 0, 0),
    ("ToLower", 1, 1),
    ("Append", 2, 2),
    ("Mid", 3, 3),
    ("Join", 2, 5),
    ("Coalesce", 1, 4),
    ("Item", 2, 2),
    ("NormalizeDiacritics", 1, 1),
];

fn operands(depth: u32) -> BoxedStrategy<Node> {
    let name = "[a-zA-Z:.äß][a-zA-Z0-9:. \"]{0,8}[a-z]|[a-z]{1,4}\\[type eq \"[a-z]{1,3}\"\\]\\.value";
    let leaf = prop_oneof![
        name.prop_map(Node::Attribute),
        any::<String>().prop_map(Node::Text),
        "-?[0-9]{1,4}(\\.[0-9]{1,3})?|&H[0-9a-fA-F]{1,6}".prop_map(Node::Number),
        (0..WORDS.len()).prop_map(|index| Node::Word(WORDS[index].1)),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let plain = calls(depth);
    let switch =
        (operands(depth - 1), prop::collection::vec(optional(depth), 3..4)).prop_map(|(source, rest)| Node::Call {
            function: functions::find("Switch").unwrap(),
            arguments: std::iter::once(Some(source)).chain(rest).collect(),
        });
    prop_oneof![2 => leaf, 3 => plain, 1 => switch].boxed()
}

fn calls(depth: u32) -> impl Strategy<Value = Node> {
    let shapes = (0..SHAPES.len()).prop_flat_map(move |index| {
        let (_, least, most) = SHAPES[index];
        (Just(index), prop::collection::vec(expressions(depth - 1), least..=most))
    });
    shapes.prop_map(|(index, arguments)| Node::Call {
        function: functions::find(SHAPES[index].0).unwrap(),
        arguments: arguments.into_iter().map(Some).collect(),
    })
}

fn optional(depth: u32) -> impl Strategy<Value = Option<Node>> {
    prop::option::of(expressions(depth - 1))
}

fn expressions(depth: u32) -> BoxedStrategy<Node> {
    use Comparator as C;
    let comparators = [C::Equal, C::NotEqual, C::Less, C::LessOrEqual, C::Greater, C::GreaterOrEqual];
    let compared = (operands(depth), 0..comparators.len(), operands(depth)).prop_map(move |(left, index, right)| {
        Node::Comparison { left: Box::new(left), operator: comparators[index], right: Box::new(right) }
    });
    prop_oneof![4 => operands(depth), 1 => compared].boxed()
}

/// Text that is nearly an expression: far more of it reaches the parser than of arbitrary text.
fn nearly_expressions() -> impl Strategy<Value = String> {
    let parts = [
        "IIF",
        "Join",
        "Mid",
        "Switch",
        "Replace",
        "(",
        ")",
        ",",
        "[a]",
        "[",
        "]",
        "\"",
        "\\",
        "\"x\"",
        "&H",
        "&HFF",
        "-",
        "1",
        ".",
        "=",
        "<>",
        " ",
        "ä",
        "IgnoreObjectFlow",
    ];
    prop::collection::vec(prop::sample::select(parts.to_vec()), 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn printing_and_parsing_is_identity(root in expressions(3)) {
        let expression = Expression { root };
        let text = expression.to_string();
        prop_assume!(text.chars().count() <= EXPRESSION_CHARS_MAX);
        prop_assert_eq!(text.parse(), Ok(expression));
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in prop_oneof![any::<String>(), nearly_expressions()]) {
        match parse(&text) {
            Ok(expression) => prop_assert_eq!(parse(&expression.to_string()), Ok(expression)),
            Err(error) => {
                prop_assert!(error.position <= text.chars().count());
                prop_assert!(error.pointer(&text).ends_with('^'));
            }
        }
    }

    #[test]
    fn results_are_bounded_and_repeatable(root in expressions(3), a in any::<String>(), list in prop::collection::vec(any::<String>(), 0..5)) {
        let source = BTreeMap::from([("a".to_owned(), Value::Text(a)), ("b".to_owned(), Value::List(list))]);
        let expression = Expression { root };
        let outcome = expression.evaluate(&source, &world());
        prop_assert_eq!(&expression.evaluate(&source, &world()), &outcome);
        match outcome {
            Ok(Outcome::Value(Value::Text(text))) => prop_assert!(text.len() <= OUTPUT_BYTES_MAX),
            Ok(Outcome::Value(Value::List(values))) => prop_assert!(values.len() <= LIST_MAX),
            Ok(_) | Err(_) => {}
        }
    }
}
