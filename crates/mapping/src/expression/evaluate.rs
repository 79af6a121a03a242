//! Walks the tree of an expression over one source object. Lazy: a function asks for an argument when it needs it, so the
//! branch that is not taken never fails. What each function does lives in `functions`.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::ast::{Comparator, Node, Place, Word};
use super::error::pointer;
use super::functions::{SELECT_UNIQUE_VALUE, unique};
use super::{LIST_MAX, OUTPUT_BYTES_MAX, Outcome, STEPS_MAX};
use crate::net_regex::{Effort, NetRegex};
use crate::value::{Source, Value, World};

/// Bytes of a value that cost one step.
const STEP_BYTES: usize = 256;
/// Bytes of a text that count as one step more where each of its letters is looked up in tables.
const STEP_LETTERS: usize = 16;
/// List elements that cost one step.
const STEP_ELEMENTS: usize = 16;
/// Steps that compiling a regular expression costs which only the object's values make.
const COMPILING_STEPS: usize = 2_000;

/// Why an evaluation failed. Names attributes and functions, never values: these may be secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// A function got what it cannot work with.
    #[error("`{function}`: {message}")]
    Argument {
        /// The function.
        function: &'static str,
        /// Where the call of it begins, in characters from 0 of the text that was parsed.
        position: usize,
        /// What is wrong, without the value.
        message: String,
    },
    /// A text has more than [`OUTPUT_BYTES_MAX`] bytes.
    #[error("a value has more than {OUTPUT_BYTES_MAX} bytes")]
    ValueTooLarge,
    /// A function would make a list of more than [`LIST_MAX`] elements.
    #[error("a list has more than {LIST_MAX} elements")]
    ListTooLong,
    /// The evaluation took more than [`STEPS_MAX`] steps.
    #[error("the evaluation takes more than {STEPS_MAX} steps")]
    TooManySteps,
    /// `DefaultDomain` was asked and the tenant has none.
    #[error("`DefaultDomain`: there is no default domain")]
    NoDefaultDomain,
}

impl EvaluationError {
    /// Where in the expression it came up, in characters from 0 of the text that was parsed; `None` where no one place is to blame.
    pub fn position(&self) -> Option<usize> {
        if let Self::Argument { position, .. } = self { Some(*position) } else { None }
    }

    /// As [`pointer`](super::ParseError::pointer) of a text that is no expression: two lines that show the place in `text`, which is what was parsed. `None` without a place.
    pub fn pointer(&self, text: &str) -> Option<String> {
        self.position().map(|position| pointer(text, position))
    }
}

/// What ends an evaluation before it has a value.
#[derive(Debug)]
pub(super) enum Interrupt {
    DropAttribute,
    DropObject,
    Failed(EvaluationError),
}

impl From<EvaluationError> for Interrupt {
    fn from(error: EvaluationError) -> Self {
        Self::Failed(error)
    }
}

pub(super) type Evaluated = Result<Value, Interrupt>;

pub(super) struct Evaluator<'w> {
    source: &'w dyn Source,
    world: &'w World<'w>,
    steps: usize,
    effort: Effort,
}

impl<'w> Evaluator<'w> {
    pub(super) fn new(source: &'w dyn Source, world: &'w World<'w>) -> Self {
        Self { source, world, steps: 0, effort: Effort::default() }
    }

    /// The whole expression.
    pub(super) fn outcome(&mut self, root: &Node) -> Result<Outcome, Interrupt> {
        match root {
            Node::Call { function, arguments, place } if function.name == SELECT_UNIQUE_VALUE => {
                let mut arguments = Arguments { name: function.name, place: *place, nodes: arguments, evaluator: self };
                unique::candidates(&mut arguments).map(Outcome::Unique)
            }
            _ => self.node(root).map(Outcome::Value),
        }
    }

    pub(super) fn node(&mut self, node: &Node) -> Evaluated {
        let value = match node {
            Node::Call { function, arguments, place } => {
                let (name, place) = (function.name, *place);
                (function.evaluate)(&mut Arguments { name, place, nodes: arguments, evaluator: self })?
            }
            Node::Attribute(name) => self.source.attribute(name),
            Node::Text(text) => Value::from(text.as_str()),
            Node::Pattern(pattern) => Value::from(pattern.text()),
            Node::Number(number) => Value::Text(decimal_text(number)),
            Node::Word(Word::IgnoreAttributeFlow) => return Err(Interrupt::DropAttribute),
            Node::Word(Word::IgnoreObjectFlow) => return Err(Interrupt::DropObject),
            Node::Word(word) => Value::from(word.name()),
            Node::Comparison { left, operator, right } => self.comparison(left, *operator, right)?,
        };
        self.charge(&value)?;
        Ok(value)
    }

    fn step(&mut self, count: usize) -> Result<(), EvaluationError> {
        self.steps = self.steps.saturating_add(count);
        if self.steps > STEPS_MAX { Err(EvaluationError::TooManySteps) } else { Ok(()) }
    }

    fn charge(&mut self, value: &Value) -> Result<(), EvaluationError> {
        let texts = match value {
            Value::Null => &[],
            Value::Text(text) => std::slice::from_ref(text),
            Value::List(values) => values.as_slice(),
        };
        if texts.iter().any(|text| text.len() > OUTPUT_BYTES_MAX) {
            return Err(EvaluationError::ValueTooLarge);
        }
        let bytes: usize = texts.iter().map(String::len).sum();
        let elements = if let Value::List(values) = value { values.len() } else { 0 };
        self.step(1 + bytes / STEP_BYTES + elements / STEP_ELEMENTS)
    }

    /// Null on either side makes every comparison false, `<>` included.
    fn comparison(&mut self, left: &Node, operator: Comparator, right: &Node) -> Evaluated {
        let left = self.node(left)?;
        let right = self.node(right)?;
        let holds = match (left.first(), right.first()) {
            (Some(left), Some(right)) => operator.holds(compare(left, right)),
            _ => false,
        };
        Ok(Value::from(holds))
    }
}

/// Numeric when both are numbers, else ordinal by UTF-16 units as .NET does.
fn compare(left: &str, right: &str) -> Ordering {
    if let (Some(left), Some(right)) = (decimal(left), decimal(right)) {
        return left.partial_cmp(&right).unwrap_or(Ordering::Equal);
    }
    left.encode_utf16().cmp(right.encode_utf16())
}

/// A decimal number split so that whole numbers of any practical length compare exactly.
#[derive(PartialEq, PartialOrd)]
struct Decimal {
    whole: i128,
    fraction: f64,
}

/// Reads `["-"] digits ["." digits]`, nothing else: no exponent, no blanks, no `inf`.
fn decimal(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    Some(if unsigned.len() == text.len() {
        Decimal { whole, fraction }
    } else {
        Decimal { whole: -whole, fraction: 0.0 - fraction }
    })
}

/// Decimal text of a number as written: `&HF` is `15`, all else stays.
pub(super) fn decimal_text(number: &str) -> String {
    integer(number).filter(|_| number.starts_with('&')).map_or_else(|| number.to_owned(), |value| value.to_string())
}

/// A whole number, decimal or `&H` hexadecimal: with blanks around it, as .NET has it, and with a fraction of zeros, as sources of JSON send it.
pub(super) fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    match text.strip_prefix("&H").or_else(|| text.strip_prefix("&h")) {
        Some(digits) if digits.starts_with(['+', '-']) => None,
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
            let is_whole = !fraction.is_empty() && fraction.bytes().all(|digit| digit == b'0');
            whole.parse().ok().filter(|_| is_whole)
        }
    }
}

/// `True`, `true` (any case) or a number other than zero.
pub(super) fn is_true(value: &Value) -> bool {
    value.first().is_some_and(|text| {
        text.eq_ignore_ascii_case("true")
            || decimal(text).is_some_and(|number| number.whole != 0 || number.fraction != 0.0)
    })
}

/// The arguments of one call, evaluated when asked for.
pub(super) struct Arguments<'n, 'e, 'w> {
    name: &'static str,
    place: Place,
    nodes: &'n [Option<Node>],
    evaluator: &'e mut Evaluator<'w>,
}

impl<'n, 'w> Arguments<'n, '_, 'w> {
    /// How many there are, omitted ones included.
    pub(super) fn count(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn is_given(&self, index: usize) -> bool {
        self.node(index).is_some()
    }

    pub(super) fn world(&self) -> &'w World<'w> {
        self.evaluator.world
    }

    fn node(&self, index: usize) -> Option<&'n Node> {
        self.nodes.get(index).and_then(Option::as_ref)
    }

    /// The value; an omitted argument is null.
    pub(super) fn value(&mut self, index: usize) -> Evaluated {
        match self.node(index) {
            Some(node) => self.evaluator.node(node),
            None => Ok(Value::Null),
        }
    }

    /// The text, or the first of several; `None` for null and for an omitted argument.
    pub(super) fn text(&mut self, index: usize) -> Result<Option<Cow<'n, str>>, Interrupt> {
        match self.node(index) {
            Some(Node::Text(text)) => Ok(Some(Cow::Borrowed(text))),
            Some(node) => Ok(self.evaluator.node(node)?.into_first().map(Cow::Owned)),
            None => Ok(None),
        }
    }

    /// Counts what it takes to look each letter of a text up in tables, which is several times what it takes to copy it.
    pub(super) fn charge_letters(&mut self, text: &str) -> Result<(), Interrupt> {
        self.evaluator.step(text.len() / STEP_LETTERS).map_err(Interrupt::from)
    }

    /// A whole number; `None` for null and for an omitted argument, a failure for anything that is no number.
    pub(super) fn optional_integer(&mut self, index: usize, parameter: &str) -> Result<Option<i64>, Interrupt> {
        match self.text(index)? {
            Some(text) => self.number(&text, parameter).map(Some),
            None => Ok(None),
        }
    }

    /// A whole number that may be left out, for which `""` does as well.
    pub(super) fn omissible_integer(&mut self, index: usize, parameter: &str) -> Result<Option<i64>, Interrupt> {
        match self.text(index)? {
            Some(text) if !text.is_empty() => self.number(&text, parameter).map(Some),
            _ => Ok(None),
        }
    }

    fn number(&self, text: &str, parameter: &str) -> Result<i64, Interrupt> {
        integer(text).ok_or_else(|| self.refuse(format!("`{parameter}` is not a whole number")))
    }

    /// A whole number that must be there.
    pub(super) fn integer(&mut self, index: usize, parameter: &str) -> Result<i64, Interrupt> {
        match self.optional_integer(index, parameter)? {
            Some(number) => Ok(number),
            None => Err(self.refuse(format!("`{parameter}` has no value"))),
        }
    }

    /// A regular expression; `None` for null and for an omitted argument. One that is written in the expression was compiled when that
    /// was parsed.
    pub(super) fn pattern(&mut self, index: usize, parameter: &str) -> Result<Option<NetRegex>, Interrupt> {
        if let Some(Node::Pattern(pattern)) = self.node(index) {
            return Ok(Some(pattern.clone()));
        }
        let Some(text) = self.text(index)? else {
            return Ok(None);
        };
        self.evaluator.step(COMPILING_STEPS)?;
        NetRegex::of_value(&text).map(Some).map_err(|why| self.refuse(format!("`{parameter}` {why}")))
    }

    /// What searches may still take.
    pub(super) fn effort(&mut self) -> &mut Effort {
        &mut self.evaluator.effort
    }

    /// A failure of this call.
    pub(super) fn refuse(&self, message: impl Into<String>) -> Interrupt {
        EvaluationError::Argument { function: self.name, position: self.place.0, message: message.into() }.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparison_of_texts_and_numbers() {
        for (left, right, expected) in [
            ("1", "1", Ordering::Equal),
            ("07", "7", Ordering::Equal),
            ("10", "9", Ordering::Greater),
            ("-1", "0", Ordering::Less),
            ("-1.5", "-1.25", Ordering::Less),
            ("-0.5", "0.5", Ordering::Less),
            ("1.50", "1.5", Ordering::Equal),
            ("129699324000000000", "129699324000000001", Ordering::Less),
            ("a", "A", Ordering::Greater),
            ("10", "9a", Ordering::Less),
            ("1e3", "1000", Ordering::Greater),
            ("", "0", Ordering::Less),
            ("\u{ffff}", "\u{10000}", Ordering::Greater),
        ] {
            assert_eq!(compare(left, right), expected, "{left} {right}");
        }
    }

    #[test]
    fn truth() {
        for (text, expected) in [
            ("True", true),
            ("true", true),
            ("1", true),
            ("-1", true),
            ("0.5", true),
            ("0", false),
            ("0.0", false),
            ("False", false),
            ("yes", false),
            ("", false),
        ] {
            assert_eq!(is_true(&Value::from(text)), expected, "{text}");
        }
        assert!(!is_true(&Value::Null));
    }

    #[test]
    fn whole_numbers() {
        for (text, expected) in [
            ("12", Some(12)),
            ("-3", Some(-3)),
            ("&HF7", Some(247)),
            ("&hff", Some(255)),
            ("&H-1", None),
            ("&H", None),
            (" 1 ", Some(1)),
            ("\t&HF\n", Some(15)),
            ("1.0", Some(1)),
            ("-2.00", Some(-2)),
            ("1 .0", None),
            ("1.", None),
            (".0", None),
            ("1.0.0", None),
            ("1.5", None),
            (" ", None),
            ("", None),
        ] {
            assert_eq!(integer(text), expected, "{text}");
        }
    }
}
