//! The tree of a parsed expression and its printed form. Made by `parser`, walked by `evaluate`.

use std::collections::BTreeSet;
use std::fmt;

use super::EXPRESSION_CHARS_MAX;
use super::functions::Function;
use crate::net_regex::NetRegex;

/// One node. A comparison never holds a comparison: the grammar allows one operator between two operands.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    Call {
        function: &'static Function,
        arguments: Vec<Option<Node>>,
        place: Place,
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

/// Where a call begins in the text that was parsed, in characters from 0. Two expressions are equal wherever their parts stand.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place(pub(super) usize);

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
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

/// Whether a name is a bare word of the language.
pub(crate) fn is_word(name: &str) -> bool {
    WORDS.iter().any(|(word, _)| *word == name)
}

/// What the word leaves out or passes over that a text spells; most likely it was meant, in place of the text.
pub(crate) fn ignored_by(text: &str) -> Option<&'static str> {
    let (_, word) = WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text.trim()))?;
    match word {
        Word::IgnoreAttributeFlow => Some("leaves the attribute as it is"),
        Word::IgnoreObjectFlow => Some("passes over the whole object"),
        Word::TextCompare | Word::BinaryCompare => None,
    }
}

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

    /// Collects the arguments of the calls of `name`; a call inside such an argument is not looked for.
    pub(super) fn arguments_of<'a>(&'a self, name: &str, found: &mut Vec<&'a Self>) {
        match self {
            Self::Call { function, arguments, .. } if function.name == name => found.extend(arguments.iter().flatten()),
            Self::Call { arguments, .. } => {
                arguments.iter().flatten().for_each(|argument| argument.arguments_of(name, found));
            }
            Self::Comparison { left, right, .. } => {
                left.arguments_of(name, found);
                right.arguments_of(name, found);
            }
            Self::Attribute(_) | Self::Text(_) | Self::Pattern(_) | Self::Number(_) | Self::Word(_) => {}
        }
    }

    /// The call that begins at this place of the text that was parsed.
    pub(super) fn call_at(&self, position: usize) -> Option<&Self> {
        match self {
            Self::Call { place, .. } if place.0 == position => Some(self),
            Self::Call { arguments, .. } => arguments.iter().flatten().find_map(|argument| argument.call_at(position)),
            Self::Comparison { left, right, .. } => left.call_at(position).or_else(|| right.call_at(position)),
            Self::Attribute(_) | Self::Text(_) | Self::Pattern(_) | Self::Number(_) | Self::Word(_) => None,
        }
    }

    /// True when a call of `name` stands anywhere in the tree.
    pub(super) fn calls(&self, name: &str) -> bool {
        match self {
            Self::Call { function, arguments, .. } => {
                function.name == name || arguments.iter().flatten().any(|argument| argument.calls(name))
            }
            Self::Comparison { left, right, .. } => left.calls(name) || right.calls(name),
            Self::Attribute(_) | Self::Text(_) | Self::Pattern(_) | Self::Number(_) | Self::Word(_) => false,
        }
    }
}

/// How an expression is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// With blanks, and every backslash doubled.
    Spaced,
    /// In as few characters as there are: never longer than any text that parses to the same.
    Shortest,
}

impl Style {
    fn separator(self) -> &'static str {
        if self == Self::Spaced { ", " } else { "," }
    }

    fn blank(self) -> &'static str {
        if self == Self::Spaced { " " } else { "" }
    }

    fn function(self, function: &Function) -> &'static str {
        if self == Self::Spaced { function.name } else { function.shortest_name() }
    }

    /// Characters before the first argument of a call.
    pub(super) fn before_arguments(self, function: &Function) -> usize {
        self.function(function).len() + 1
    }

    /// Characters between two arguments.
    pub(super) fn between_arguments(self) -> usize {
        self.separator().len()
    }

    /// Characters of an operator with what stands around it.
    pub(super) fn around(self, operator: Comparator) -> usize {
        operator.symbol().len() + 2 * self.blank().len()
    }
}

impl Node {
    /// How it is printed: with blanks, unless that would be longer than an expression may be.
    pub(super) fn style(&self) -> Style {
        let mut room = Room(EXPRESSION_CHARS_MAX);
        if self.write(&mut room, Style::Spaced).is_ok() { Style::Spaced } else { Style::Shortest }
    }

    /// The characters of what is no call and no comparison.
    pub(super) fn width_of_leaf(&self, style: Style) -> usize {
        let mut room = Room(usize::MAX);
        // There is room for everything.
        let _ = self.write(&mut room, style);
        usize::MAX - room.0
    }

    pub(super) fn write(&self, f: &mut impl fmt::Write, style: Style) -> fmt::Result {
        match self {
            Self::Call { function, arguments, .. } => {
                f.write_str(style.function(function))?;
                f.write_str("(")?;
                for (index, argument) in arguments.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { style.separator() })?;
                    argument.iter().try_for_each(|argument| argument.write(f, style))?;
                }
                f.write_str(")")
            }
            Self::Attribute(name) => write!(f, "[{name}]"),
            Self::Text(text) => write_quoted(f, text, style),
            Self::Pattern(pattern) => write_quoted(f, pattern.text(), style),
            Self::Number(number) => f.write_str(number),
            Self::Word(word) => f.write_str(word.name()),
            Self::Comparison { left, operator, right } => {
                left.write(f, style)?;
                write!(f, "{}{}{}", style.blank(), operator.symbol(), style.blank())?;
                right.write(f, style)
            }
        }
    }
}

/// Counts characters down, and refuses those for which there is no room.
struct Room(usize);

impl fmt::Write for Room {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.checked_sub(text.chars().count()).ok_or(fmt::Error)?;
        Ok(())
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, self.style())
    }
}

/// Writes a string literal. Spaced, every `\` is doubled; in the shortest form only one that would be an escape with what follows it.
fn write_quoted(f: &mut impl fmt::Write, text: &str, style: Style) -> fmt::Result {
    f.write_char('"')?;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_escape = match letter {
            '"' => true,
            '\\' => style == Style::Spaced || matches!(letters.peek(), None | Some('"' | '\\')),
            _ => false,
        };
        if is_escape {
            f.write_char('\\')?;
        }
        f.write_char(letter)?;
    }
    f.write_char('"')
}
