//! The laws of the language, on expressions and texts that are made at random: what is printed is parsed again, nothing panics, and an
//! evaluation keeps to its limits and can be repeated.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::ast::{Comparator, Node, Place, Style, WORDS};
use super::super::*;
use super::{parse, world};
use crate::net_regex::NetRegex;

/// Functions of every shape, so that a generated call can be well formed.
const SHAPES: [(&str, usize, usize); 34] = [
    ("And", 2, 4),
    ("Append", 2, 2),
    ("AppRoleAssignmentsComplex", 1, 1),
    ("BitAnd", 2, 2),
    ("CDate", 1, 1),
    ("Coalesce", 1, 4),
    ("ConvertToBase64", 1, 1),
    ("ConvertToUTF8Hex", 1, 1),
    ("Count", 1, 1),
    ("DateAdd", 3, 3),
    ("DateDiff", 3, 3),
    ("DateFromNum", 1, 1),
    ("IIF", 1, 3),
    ("IgnoreFlowIfNullOrEmpty", 1, 1),
    ("InStr", 2, 4),
    ("IsString", 1, 1),
    ("Item", 2, 2),
    ("Join", 2, 5),
    ("Left", 2, 2),
    ("Mid", 3, 3),
    ("NormalizeDiacritics", 1, 1),
    ("Not", 1, 1),
    ("Now", 0, 0),
    ("NumFromDate", 1, 1),
    ("Or", 2, 4),
    ("PCase", 1, 2),
    ("RandomString", 5, 6),
    ("RemoveDuplicates", 1, 1),
    ("Right", 2, 2),
    ("SingleAppRoleAssignment", 1, 1),
    ("Split", 2, 2),
    ("ToLower", 1, 2),
    ("Trim", 1, 1),
    ("Word", 3, 3),
];

/// Patterns with what must be quoted in a string of the language.
const PATTERNS: [&str; 6] = ["\\d+", "a\"b", "[\\\\/\"]", "(?<g>.)(?=b)", "x*", "\\\\"];

fn operands(depth: u32) -> BoxedStrategy<Node> {
    let name = "[a-zA-Z:.äß][a-zA-Z0-9:. \"]{0,8}[a-z]|[a-z]{1,4}\\[type eq \"[a-z]{1,3}\"\\]\\.value";
    let leaf = prop_oneof![
        name.prop_map(Node::Attribute),
        prop::sample::select(vec!["a", "b"]).prop_map(|name| Node::Attribute(name.to_owned())),
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
            place: Place::default(),
        });
    prop_oneof![2 => leaf, 3 => plain, 1 => switch, 1 => replace(depth)].boxed()
}

/// `Replace` with a compiled pattern and what is left out between.
fn replace(depth: u32) -> impl Strategy<Value = Node> {
    let pattern = prop::sample::select(PATTERNS.to_vec());
    (operands(depth - 1), pattern, operands(depth - 1)).prop_map(|(source, pattern, new)| {
        let pattern = Node::Pattern(NetRegex::new(pattern).unwrap());
        let arguments = vec![Some(source), None, Some(pattern), None, Some(new), None, None];
        Node::Call { function: functions::find("Replace").unwrap(), arguments, place: Place::default() }
    })
}

fn calls(depth: u32) -> impl Strategy<Value = Node> {
    let shapes = (0..SHAPES.len()).prop_flat_map(move |index| {
        let (_, least, most) = SHAPES[index];
        (Just(index), prop::collection::vec(expressions(depth - 1), least..=most))
    });
    shapes.prop_map(|(index, arguments)| Node::Call {
        function: functions::find(SHAPES[index].0).unwrap(),
        arguments: arguments.into_iter().map(Some).collect(),
        place: Place::default(),
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

fn shortest(expression: &Expression) -> String {
    let mut text = String::new();
    expression.root.write(&mut text, Style::Shortest).unwrap();
    text
}

/// A text of about as many characters as there may be, in which the expression stands over and over.
fn filled(expression: &Expression) -> String {
    let one = shortest(expression);
    let times = (EXPRESSION_CHARS_MAX - "Coalesce()".len()) / (one.chars().count() + 1);
    format!("Coalesce({})", vec![one; times.clamp(1, ARGUMENTS_MAX)].join(","))
}

proptest! {
    #[test]
    fn printing_and_parsing_is_identity(root in expressions(3)) {
        let expression = Expression { root };
        let text = expression.to_string();
        let again = Expression::parse_with(&text, Language::EXTENDED);
        if shortest(&expression).chars().count() > EXPRESSION_CHARS_MAX {
            prop_assert!(again.is_err(), "no text of the expression is short enough");
            return Ok(());
        }
        prop_assert_eq!(again.as_ref(), Ok(&expression));
        // Without the extensions it is the same or nothing.
        match parse(&text) {
            Ok(plain) => prop_assert!(plain == expression && plain.extension().is_none()),
            Err(_) => prop_assert!(expression.extension().is_some()),
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in prop_oneof![any::<String>(), nearly_expressions()]) {
        match parse(&text) {
            Ok(expression) => {
                prop_assert!(shortest(&expression).chars().count() <= text.chars().count());
                prop_assert_eq!(parse(&expression.to_string()), Ok(expression));
            }
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

proptest! {
    // Each case is as long as an expression may be.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_read_at_the_limit_is_read_again(root in expressions(1)) {
        let written = filled(&Expression { root });
        if let Ok(expression) = Expression::parse_with(&written, Language::EXTENDED) {
            let printed = expression.to_string();
            prop_assert!(printed.chars().count() <= EXPRESSION_CHARS_MAX);
            let again = Expression::parse_with(&printed, Language::EXTENDED);
            prop_assert_eq!(again.as_ref(), Ok(&expression));
            prop_assert!(shortest(&expression).chars().count() <= written.chars().count());
        }
    }
}
