//! The tree of a parsed expression and its printed form. Made by `parser`, walked by `evaluate`.

use std::collections::BTreeSet;
use std::fmt;

use super::functions::Function;
use crate::net_regex::NetRegex;

/// One node. A comparison never holds a comparison: the grammar allows one operator between two operands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Call {
        function: &'static Function,
        arguments: Vec<Option<Node>>,
    },
    Attribute(String),
    Text(String),
    /// A text that is a regular expression, compiled once.
    Pattern(NetRegex),
    /// As written, `&H` form included, so that the printed form is the one the administrator knows.
    Number(String),
    Word(Word),
    Comparison {
        left: Box<Node>,
        operator: Comparator,
        right: Box<Node>,
    },
}

/// The bare words of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    IgnoreAttributeFlow,
    IgnoreObjectFlow,
    TextCompare,
    BinaryCompare,
}

/// Every bare word with its spelling.
pub(super) static WORDS: &[(&str, Word)] = &[
    ("IgnoreAttributeFlow", Word::IgnoreAttributeFlow),
    ("IgnoreObjectFlow", Word::IgnoreObjectFlow),
    ("vbTextCompare", Word::TextCompare),
    ("vbBinaryCompare", Word::BinaryCompare),
];

impl Word {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::IgnoreAttributeFlow => "IgnoreAttributeFlow",
            Self::IgnoreObjectFlow => "IgnoreObjectFlow",
            Self::TextCompare => "vbTextCompare",
            Self::BinaryCompare => "vbBinaryCompare",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    pub(super) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

impl Node {
    /// Collects the attribute names that any evaluation may read.
    pub(super) fn attributes<'a>(&'a self, names: &mut BTreeSet<&'a str>) {
        match self {
            Self::Attribute(name) => {
                names.insert(name);
            }
            Self::Call { arguments, .. } => arguments.iter().flatten().for_each(|argument| argument.attributes(names)),
            Self::Comparison { left, right, .. } => {
                left.attributes(names);
                right.attributes(names);
            }
            Self::Text(_) | Self::Pattern(_) | Self::Number(_) | Self::Word(_) => {}
        }
    }

    pub(super) fn as_pattern(&self) -> Option<&NetRegex> {
        if let Self::Pattern(pattern) = self { Some(pattern) } else { None }
    }

    /// What the regular expressions of the tree weigh together.
    pub(super) fn pattern_weight(&self) -> usize {
        match self {
            Self::Call { arguments, .. } => arguments.iter().flatten().map(Self::pattern_weight).sum(),
            Self::Comparison { left, right, .. } => left.pattern_weight() + right.pattern_weight(),
            Self::Pattern(pattern) => pattern.weight(),
            Self::Attribute(_) | Self::Text(_) | Self::Number(_) | Self::Word(_) => 0,
        }
    }

    /// True when a call of `name` stands anywhere in the tree.
    pub(super) fn calls(&self, name: &str) -> bool {
        match self {
            Self::Call { function, arguments } => {
                function.name == name || arguments.iter().flatten().any(|argument| argument.calls(name))
            }
            Self::Comparison { left, right, .. } => left.calls(name) || right.calls(name),
            Self::Attribute(_) | Self::Text(_) | Self::Pattern(_) | Self::Number(_) | Self::Word(_) => false,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call { function, arguments } => {
                write!(f, "{}(", function.name)?;
                for (index, argument) in arguments.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { ", " })?;
                    argument.iter().try_for_each(|argument| write!(f, "{argument}"))?;
                }
                f.write_str(")")
            }
            Self::Attribute(name) => write!(f, "[{name}]"),
            Self::Text(text) => write_quoted(f, text),
            Self::Pattern(pattern) => write_quoted(f, pattern.text()),
            Self::Number(number) => f.write_str(number),
            Self::Word(word) => f.write_str(word.name()),
            Self::Comparison { left, operator, right } => write!(f, "{left} {} {right}", operator.symbol()),
        }
    }
}

/// Writes a string literal; `\` is always doubled, so that what follows it can never turn it into an escape.
pub(super) fn write_quoted(f: &mut impl fmt::Write, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    f.write_char('"')
}
