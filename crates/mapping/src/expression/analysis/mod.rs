//! What an expression can be told about without any object: what it may yield at all, and which of its parts cannot mean what they say.
//! Sound: what is said never to happen never happens. It goes through the expression once; what is known whole is
//! evaluated, all of it within the limits of one evaluation, and what is told of is printed.

mod functions;
mod notes;
mod possible;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::ast::{Node, Place, Style};
use super::evaluate::{EvaluationError, Evaluator, Interrupt, decimal_text};
use super::functions::{Function, SELECT_UNIQUE_VALUE};
use super::{Expression, Outcome};
use crate::value::{Value, World};
use functions::Given;
pub(crate) use notes::one_of;
pub(crate) use possible::{Possible, Shape, Texts};

/// Functions that ask the world, or evaluate their arguments only where they need them.
const NOT_CONCRETE: [&str; 9] = [
    "Coalesce",
    "DefaultDomain",
    "FormatDateTime",
    "Guid",
    "IIF",
    "Now",
    "RandomString",
    SELECT_UNIQUE_VALUE,
    "Switch",
];
/// Where `Replace` has its regular expression: a search may cost more than an analysis may.
const PATTERN: usize = 2;
/// Combinations of known arguments that are tried.
const COMBINATIONS_MAX: usize = 64;
/// Notes about one expression.
const NOTES_MAX: usize = 20;

/// What is told about an expression.
#[derive(Debug)]
pub(crate) struct Analysis {
    /// What it may yield.
    pub(crate) possible: Possible,
    /// What is strange about its parts, in the order of the text.
    pub(crate) notes: Vec<Note>,
}

/// Something strange about a part of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    /// Where the part begins, in characters from 0 of the printed expression.
    pub(crate) position: usize,
    /// The part as it is printed.
    pub(crate) part: String,
    /// Whether this is the first part, from within, that is never a value.
    pub(crate) is_never: bool,
    /// The rest of a sentence that begins with the part.
    pub(crate) message: String,
}

/// The walk over one tree.
struct Analyst<'e, 's> {
    known: &'e dyn Fn(&str) -> Possible,
    evaluator: Evaluator<'s>,
    /// How the expression is printed, which says where its parts begin.
    style: Style,
    notes: Vec<Note>,
}

impl Expression {
    /// What is known of it beforehand, where `known` says what a source attribute may be.
    pub(crate) fn analyse(&self, known: &dyn Fn(&str) -> Possible) -> Analysis {
        let (source, world) = (BTreeMap::<String, Value>::new(), still());
        let (evaluator, style) = (Evaluator::new(&source, &world), self.root.style());
        let mut analyst = Analyst { known, evaluator, style, notes: Vec::new() };
        let (possible, _) = analyst.node(&self.root, 0);
        let mut notes = analyst.notes;
        notes.sort_by_key(|note| note.position);
        Analysis { possible, notes }
    }

    /// How an expression ends that never gives a value, in words: tried with an object that has nothing else than "a".
    pub(crate) fn ends(&self) -> String {
        let ended =
            if has_pattern(&self.root) { Ok(Outcome::Value(Value::Null)) } else { self.evaluate(&Same("a"), &still()) };
        match ended {
            Ok(Outcome::DropAttribute) => "it leaves the attribute out".to_owned(),
            Ok(Outcome::DropObject) => "it leaves the whole object out".to_owned(),
            Err(EvaluationError::NoDefaultDomain | EvaluationError::TooManySteps) | Ok(_) => {
                "it is always empty".to_owned()
            }
            Err(error) => format!("it fails: {error}"),
        }
    }
}

/// An object whose attributes all have one value.
struct Same(&'static str);

impl crate::value::Source for Same {
    fn attribute(&self, _: &str) -> Value {
        Value::from(self.0)
    }
}

/// Why a call that never gives a value fails itself, where that is the same whatever it reads.
fn failure(call: &Node, function: &str) -> Option<String> {
    const TRIED: [&str; 3] = ["a", "1", "2021-01-01"];
    if has_pattern(call) {
        return None;
    }
    let world = still();
    let message = |text: &&'static str| match Evaluator::new(&Same(text), &world).node(call) {
        Err(Interrupt::Failed(EvaluationError::Argument { function: failed, message, .. })) if failed == function => {
            Some(message)
        }
        _ => None,
    };
    let messages: Vec<String> = TRIED.iter().map(message).collect::<Option<_>>()?;
    let first = messages.first()?;
    messages.iter().all(|other| other == first).then(|| first.clone())
}

/// A world in which nothing happens: what is evaluated here asks nothing of it.
fn still() -> World<'static> {
    World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} }
}

fn has_pattern(node: &Node) -> bool {
    match node {
        Node::Pattern(_) => true,
        Node::Call { function, arguments, .. } => {
            function.name == "Replace" && matches!(arguments.get(PATTERN), Some(Some(_)))
                || arguments.iter().flatten().any(has_pattern)
        }
        Node::Comparison { left, right, .. } => has_pattern(left) || has_pattern(right),
        Node::Attribute(_) | Node::Text(_) | Node::Number(_) | Node::Word(_) => false,
    }
}

impl Analyst<'_, '_> {
    /// What a node may yield that is printed at `position`, and where what follows it is printed.
    fn node(&mut self, node: &Node, position: usize) -> (Possible, usize) {
        let possible = match node {
            Node::Attribute(name) => (self.known)(name),
            Node::Text(text) => {
                self.note(node, position, false, notes::of_text(text));
                Possible::few([text.as_str()])
            }
            Node::Pattern(pattern) => Possible::few([pattern.text()]),
            Node::Number(number) => Possible::few([decimal_text(number).as_str()]),
            Node::Word(_) => self.evaluated(node).unwrap_or_else(Possible::anything),
            Node::Comparison { left, operator, right } => {
                let (left, behind) = self.node(left, position);
                let (right, end) = self.node(right, behind + self.style.around(*operator));
                let possible = self.comparison(node, &left, &right);
                self.note(node, position, false, notes::of_comparison(&possible));
                return (possible, end);
            }
            Node::Call { function, arguments, .. } => return self.call(node, function, arguments, position),
        };
        (possible, position + node.width_of_leaf(self.style))
    }

    fn call(
        &mut self,
        node: &Node,
        function: &'static Function,
        arguments: &[Option<Node>],
        position: usize,
    ) -> (Possible, usize) {
        let mut at = position + self.style.before_arguments(function);
        let (mut values, mut places) = (Vec::with_capacity(arguments.len()), Vec::with_capacity(arguments.len()));
        for (index, argument) in arguments.iter().enumerate() {
            at += if index == 0 { 0 } else { self.style.between_arguments() };
            places.push(at);
            let (value, behind) =
                argument.as_ref().map_or_else(|| (Possible::null(), at), |argument| self.node(argument, at));
            values.push(value);
            at = behind;
        }
        let given = Given { nodes: arguments, values };
        let possible = match self.concrete(function, &given) {
            Some(possible) => possible,
            None => functions::possible(function.name, &given),
        };
        for (index, message) in notes::of_call(function.name, &given) {
            match index.and_then(|index| Some((*places.get(index)?, arguments.get(index)?.as_ref()?))) {
                Some((place, argument)) => self.note(argument, place, false, Some(message)),
                None => self.note(node, position, false, Some(message)),
            }
        }
        if !possible.may_be_value() && !notes::is_choice(function.name) && is_first(&given) {
            let fails = if self.notes.len() < NOTES_MAX { failure(node, function.name) } else { None };
            let why = fails.map_or_else(String::new, |why| format!(": {why}"));
            self.note(node, position, true, Some(format!("never gives a value{why}")));
        }
        (possible, at + 1)
    }

    fn note(&mut self, node: &Node, position: usize, is_never: bool, message: Option<String>) {
        if let Some(message) = message
            && self.notes.len() < NOTES_MAX
        {
            self.notes.push(Note { position, part: shown(node), is_never, message });
        }
    }

    /// What a call yields whose arguments are all known.
    fn concrete(&mut self, function: &'static Function, given: &Given<'_>) -> Option<Possible> {
        let has_pattern = function.name == "Replace" && matches!(given.nodes.get(PATTERN), Some(Some(_)));
        if NOT_CONCRETE.contains(&function.name) || has_pattern || given.values.iter().any(Possible::is_nothing) {
            return None;
        }
        let known: Vec<Vec<Option<&str>>> = given.values.iter().map(Possible::finite).collect::<Option<_>>()?;
        let combinations = known.iter().try_fold(1_usize, |product, values| product.checked_mul(values.len()))?;
        if combinations > COMBINATIONS_MAX {
            return None;
        }
        let mut found = Possible::nothing();
        for combination in 0..combinations {
            let mut rest = combination;
            let arguments = known.iter().zip(given.nodes).map(|(values, node)| {
                let value = values[rest % values.len()];
                rest /= values.len();
                node.is_some().then(|| constant(value))
            });
            let call = Node::Call { function, arguments: arguments.collect(), place: Place::default() };
            found = found.or(self.evaluated(&call)?);
        }
        Some(found)
    }

    /// Null on either side makes every comparison false.
    fn comparison(&mut self, node: &Node, left: &Possible, right: &Possible) -> Possible {
        let (left, right) = (left.as_text(), right.as_text());
        if left.is_nothing() || right.is_nothing() {
            return Possible::nothing();
        }
        if !left.has_text() || !right.has_text() {
            return Possible::booleans(false, true);
        }
        let Node::Comparison { operator, .. } = node else { return Possible::booleans(true, true) };
        let (Some(lefts), Some(rights)) = (left.finite(), right.finite()) else {
            return Possible::booleans(true, true);
        };
        let mut found = Possible::nothing();
        for (left, right) in lefts.iter().flat_map(|left| rights.iter().map(move |right| (*left, *right))) {
            let (left, right) = (Box::new(constant(left)), Box::new(constant(right)));
            match self.evaluated(&Node::Comparison { left, operator: *operator, right }) {
                Some(known) => found = found.or(known),
                None => return Possible::booleans(true, true),
            }
        }
        found
    }

    /// What a node without attributes yields; `None` where that takes more steps than are left.
    fn evaluated(&mut self, node: &Node) -> Option<Possible> {
        match self.evaluator.node(node) {
            Ok(value) => Some(Possible::of(&value)),
            Err(Interrupt::Failed(EvaluationError::TooManySteps)) => None,
            Err(Interrupt::DropAttribute | Interrupt::DropObject | Interrupt::Failed(_)) => Some(Possible::nothing()),
        }
    }
}

/// Whether no call among the arguments is never a value itself.
fn is_first(given: &Given<'_>) -> bool {
    let mut pairs = given.values.iter().zip(given.nodes);
    pairs.all(|(value, argument)| value.may_be_value() || !matches!(argument, Some(Node::Call { .. })))
}

/// A node that yields this; null is an attribute that there is not.
fn constant(value: Option<&str>) -> Node {
    value.map_or_else(|| Node::Attribute(String::new()), |text| Node::Text(text.to_owned()))
}

/// The most characters of a part that a message repeats.
const SHOWN_MAX: usize = 60;

/// A node as a message repeats it.
fn shown(node: &Node) -> String {
    let text = node.to_string();
    let mut cut: String = text.chars().take(SHOWN_MAX).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// Whether a regular expression can be seen to match no text at all: something stands before `^` or behind `$`, by .NET's default options.
pub(crate) fn matches_nothing(text: &str) -> bool {
    if text.contains('|') || text.contains("(?") {
        return false;
    }
    let letters: Vec<char> = text.chars().collect();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric();
    let behind_the_end = match letters.as_slice() {
        ['$', letter, rest @ ..] => is_plain(*letter) && !matches!(rest.first(), Some('*' | '?' | '{')),
        _ => false,
    };
    let before_the_begin = match letters.as_slice() {
        [.., before, letter, '^'] => is_plain(*letter) && *before != '\\',
        [letter, '^'] => is_plain(*letter),
        _ => false,
    };
    behind_the_end || before_the_begin
}
