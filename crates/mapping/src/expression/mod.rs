//! The expression language of attribute mappings: what Entra's portal calls an expression, in its dialect.
//!
//! ```text
//! expression := operand [ compOp operand ]
//! operand    := call | attribute | string | number | word
//! call       := Name ws* "(" [ arg ("," arg)* ] ")"
//! arg        := expression | nothing (omitted)
//! attribute  := "[" name "]"                     brackets inside the name are balanced
//! string     := '"' ( char | '\\' | '\"' )* '"'  any other backslash is literal
//! number     := ["-"] digits ["." digits] | "&H" hexdigits
//! word       := IgnoreAttributeFlow | IgnoreObjectFlow | vbTextCompare | vbBinaryCompare
//! compOp     := "=" | "<>" | "<" | "<=" | ">" | ">="
//! ```
//!
//! The functions `And`, `Or`, `Right` and `Trim` are this project's own: they are read only where the [`Language`] says so.
//!
//! An [`Expression`] is parsed once and evaluated for every object. Everything that can be known without an object (names
//! and numbers of arguments, limits) is refused while parsing. Functions are entries of one table in `functions`.
//! What is mapped onto which target attribute lives in `attribute_mapping`.

mod advice;
pub(crate) mod analysis;
mod ast;
mod catalogue;
mod dates;
mod error;
mod evaluate;
mod functions;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

pub(crate) use ast::{ignored_by, is_word};
pub use catalogue::{FunctionDefinition, ParameterDefinition, functions};
pub(crate) use catalogue::{Part, PartKind, is_same_function, positions};
pub(crate) use dates::{date_time, file_time};
pub use error::ParseError;
pub use evaluate::EvaluationError;
use evaluate::{Evaluator, Interrupt};

use crate::value::{Source, Value, World};
use ast::Node;

/// Characters of one expression; Entra's own limit.
pub const EXPRESSION_CHARS_MAX: usize = 10_000;
/// Function calls inside one another. Published expressions reach 8; `IIF` in place of a `Switch` nests as deep as that has keys. The
/// deepest takes less than 1 MiB of stack without optimisation, half of what a thread has.
pub const DEPTH_MAX: usize = 150;
/// Arguments of one call. A `Switch` over every country needs about 500.
pub const ARGUMENTS_MAX: usize = 1_024;
/// Bytes of one text, and of each element of a list.
pub const OUTPUT_BYTES_MAX: usize = 64 * 1024;
/// Elements of a list that a function makes. One that is read may be as long as [`STEPS_MAX`] allows.
pub const LIST_MAX: usize = 1_000;
/// Work of one evaluation: one step per node, and more for large values, so that 40 values of the largest size end it.
pub const STEPS_MAX: usize = 10_000;

/// The function whose value logs do not show.
const REDACT: &str = "Redact";

/// Which functions may be called. By default those that Entra has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Language {
    /// Also those that only this project has: `And`, `Or`, `Right`, `Trim`. Entra refuses expressions that use them.
    pub extensions: bool,
}

impl Language {
    /// Entra's own, to the letter.
    pub const ENTRA: Self = Self { extensions: false };
    /// Entra's with this project's extensions.
    pub const EXTENDED: Self = Self { extensions: true };
}

/// A parsed expression. `Display` prints text that parses to an equal expression in the same [`Language`]: with blanks between its parts, or
/// as short as it can be where it would be longer than [`EXPRESSION_CHARS_MAX`] with them.
#[derive(Clone, Debug, PartialEq)]
pub struct Expression {
    root: Node,
}

/// What an evaluation yields when it does not fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The value; [`Value::Null`] included.
    Value(Value),
    /// The attribute is left out of this export (`IgnoreAttributeFlow`, `IgnoreFlowIfNullOrEmpty`).
    DropAttribute,
    /// The whole object is skipped (`IgnoreObjectFlow`).
    DropObject,
    /// The first of these that the target does not hold yet (`SelectUniqueValue`).
    Unique(Candidates),
}

/// Values for an attribute that is to be unique at the target, in the order in which they are tried there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    /// What the rules give, without empty values and repetitions; empty where no rule gives any.
    pub values: Vec<String>,
    /// Why there are no more: a rule behind them failed. It matters only where all of them are taken.
    pub failure: Option<EvaluationError>,
}

impl Candidates {
    /// The first that is not taken. Of a directory that knows no case, `is_taken` compares without.
    pub fn first_free(&self, is_taken: impl Fn(&str) -> bool) -> Option<&str> {
        self.values.iter().map(String::as_str).find(|value| !is_taken(value))
    }
}

impl Expression {
    /// Parses a text of `language`; `FromStr` is this in [`Language::ENTRA`].
    pub fn parse_with(text: &str, language: Language) -> Result<Self, ParseError> {
        parser::parse(text, language).map(|root| Self { root })
    }

    /// Evaluates against one source object. The same arguments always give the same outcome.
    pub fn evaluate(&self, source: &dyn Source, world: &World<'_>) -> Result<Outcome, EvaluationError> {
        match Evaluator::new(source, world).outcome(&self.root) {
            Ok(outcome) => Ok(outcome),
            Err(Interrupt::DropAttribute) => Ok(Outcome::DropAttribute),
            Err(Interrupt::DropObject) => Ok(Outcome::DropObject),
            Err(Interrupt::Failed(error)) => Err(error),
        }
    }

    /// The names of all source attributes that an evaluation may read.
    pub fn attributes(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        self.root.attributes(&mut names);
        names
    }

    /// True when the value must not be shown in logs, because `Redact` takes part in it.
    pub fn is_redacted(&self) -> bool {
        self.uses_function(REDACT)
    }

    /// What stands inside its calls of `Redact`: what each of these yields, and what the attributes hold that it reads, is secret.
    pub fn redacted(&self) -> Vec<Self> {
        let mut found = Vec::new();
        self.root.arguments_of(REDACT, &mut found);
        found.into_iter().map(|root| Self { root: root.clone() }).collect()
    }

    /// The call in it that begins at this place, in characters from 0 of the text that was parsed: where an
    /// [`EvaluationError`] came up.
    pub fn call_at(&self, position: usize) -> Option<Self> {
        self.root.call_at(position).map(|root| Self { root: root.clone() })
    }

    /// The function that it calls; `None` where it is no call.
    pub fn function(&self) -> Option<&'static str> {
        if let Node::Call { function, .. } = &self.root { Some(function.name) } else { None }
    }

    /// True when the function `name` (spelled as in the language) is called anywhere in the expression.
    pub fn uses_function(&self, name: &str) -> bool {
        self.root.calls(name)
    }

    /// The first function, if any, that only this project has: with it, the expression needs [`Language::EXTENDED`].
    pub fn extension(&self) -> Option<&'static str> {
        functions::extensions().find(|name| self.root.calls(name))
    }

    /// What its regular expressions weigh together.
    pub(crate) fn pattern_weight(&self) -> usize {
        self.root.pattern_weight()
    }

    /// The tree that Graph shows of it.
    pub(crate) fn part(&self) -> Part {
        Part::of(&self.root)
    }

    /// The attribute name when the expression is nothing but `[name]`.
    pub(crate) fn as_attribute(&self) -> Option<&str> {
        if let Node::Attribute(name) = &self.root { Some(name) } else { None }
    }

    /// The text when the expression is nothing but a string or a number.
    pub(crate) fn as_constant(&self) -> Option<String> {
        match &self.root {
            Node::Text(text) => Some(text.clone()),
            Node::Number(number) => Some(evaluate::decimal_text(number)),
            Node::Call { .. } | Node::Attribute(_) | Node::Pattern(_) | Node::Word(_) | Node::Comparison { .. } => None,
        }
    }
}

impl FromStr for Expression {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse_with(text, Language::ENTRA)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

/// The signatures of every function of a language, in alphabetical order: `ToLower(source, culture?)`, where `?` marks what may be left
/// out. Of a function that is called in more than one way, each. For whoever composes an expression.
pub fn signatures(language: Language) -> impl Iterator<Item = String> {
    functions::signatures(language)
}

/// Says that a function is read only where extensions are switched on, and how that is done.
pub(crate) fn extension_is_off(name: &str) -> String {
    format!(
        "`{name}` is an extension of Lockstep that Entra does not know, and extensions are off; `\"extensions\": true` in the object mapping \
         switches them on"
    )
}

/// The string literal of the language for `text`. A number that is too long for quotes stands without them.
pub(crate) fn quoted(text: &str) -> String {
    let literal = Node::Text(text.to_owned()).to_string();
    let is_too_long = literal.chars().count() > EXPRESSION_CHARS_MAX;
    if is_too_long && is_number(text) { text.to_owned() } else { literal }
}

fn is_number(text: &str) -> bool {
    matches!(lexer::tokens(text).as_deref(), Ok([(_, lexer::Token::Number(number))]) if number == text)
}
