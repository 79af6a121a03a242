//! Builds the tree of an expression from its tokens. The grammar is written once, in the module documentation of
//! `expression`; which arguments a function takes is said in the table of functions.

use super::ast::{Node, Place, WORDS};
use super::functions::{self, Function};
use super::lexer::{self, Token};
use super::{ARGUMENTS_MAX, DEPTH_MAX, EXPRESSION_CHARS_MAX, Language, ParseError, advice, extension_is_off};
use crate::nearest::nearest;
use crate::net_regex::{NetRegex, WEIGHT_MAX};

/// Parses a whole text.
pub(super) fn parse(text: &str, language: Language) -> Result<Node, ParseError> {
    let length = text.chars().count();
    if length > EXPRESSION_CHARS_MAX {
        let message = format!("an expression has at most {EXPRESSION_CHARS_MAX} characters, this one has {length}");
        return Err(ParseError::new(EXPRESSION_CHARS_MAX, message));
    }
    let tokens = lexer::tokens(text)?.into_iter().peekable();
    let mut parser = Parser { tokens, end: text.trim_end().chars().count(), language, pattern_weight: 0 };
    if parser.peek().is_none() {
        return Err(ParseError::new(0, "the expression is empty"));
    }
    let node = parser.expression(0)?;
    match parser.tokens.next() {
        None => Ok(node),
        Some((position, token)) => Err(no_operator(&token, position).unwrap_or_else(|| {
            ParseError::new(position, format!("the expression is complete before {}", token.shown()))
        })),
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<(usize, Token)>>,
    end: usize,
    language: Language,
    /// What the regular expressions weigh together.
    pattern_weight: usize,
}

impl Parser {
    fn peek(&mut self) -> Option<&Token> {
        self.tokens.peek().map(|(_, token)| token)
    }

    /// `operand [ compOp operand ]`; `depth` counts the calls around it.
    fn expression(&mut self, depth: usize) -> Result<Node, ParseError> {
        let left = self.operand(depth)?;
        let Some(Token::Comparator(operator)) = self.peek() else {
            return Ok(left);
        };
        let operator = *operator;
        let position = self.tokens.next().map_or(self.end, |(position, _)| position);
        if let Some((position, Token::Comparator(second))) = self.tokens.peek() {
            let message = "one comparison follows another; equality is `=`, inequality is `<>`";
            let error = ParseError::new(*position, message);
            let meant = advice::of_two_comparators(operator.symbol(), second.symbol());
            return Err(meant.into_iter().fold(error, ParseError::suggesting));
        }
        let is_null = matches!(self.peek(), Some(Token::Name(name)) if advice::of_null(name, 0).is_some());
        let asked = if is_null { advice::of_comparison_with_null(&left.to_string(), operator.symbol()) } else { None };
        let right = self.operand(depth).map_err(|error| match asked {
            Some(question) => error.suggesting(question),
            None => error,
        })?;
        if is_select_unique_value(&left) || is_select_unique_value(&right) {
            return Err(not_outermost(position));
        }
        Ok(Node::Comparison { left: Box::new(left), operator, right: Box::new(right) })
    }

    fn operand(&mut self, depth: usize) -> Result<Node, ParseError> {
        match self.tokens.next() {
            Some((_, Token::Attribute(name))) => Ok(Node::Attribute(name)),
            Some((_, Token::Text(text))) => Ok(Node::Text(text)),
            Some((_, Token::Number(number))) => Ok(Node::Number(number)),
            Some((position, Token::Name(name))) if self.peek() == Some(&Token::Open) => {
                self.call(&name, position, depth)
            }
            Some((position, Token::Name(name))) => word(&name, position),
            Some((position, Token::Open)) => Err(ParseError::new(
                position,
                "a `(` stands only behind the name of a function; conditions and texts have no parentheses around them",
            )),
            Some((position, token)) => {
                let message = format!("a function, an attribute or a string is expected, not {}", token.shown());
                Err(ParseError::new(position, message))
            }
            None => Err(ParseError::new(self.end, "a function, an attribute or a string is expected at the end")),
        }
    }

    fn call(&mut self, name: &str, position: usize, depth: usize) -> Result<Node, ParseError> {
        if depth >= DEPTH_MAX {
            return Err(ParseError::new(position, format!("functions are nested more than {DEPTH_MAX} deep")));
        }
        let function = functions::find(name).ok_or_else(|| unknown_function(name, position, self.language))?;
        if function.is_extension && !self.language.extensions {
            return Err(ParseError::new(position, extension_is_off(function.name)));
        }
        if function.name == functions::SELECT_UNIQUE_VALUE && depth > 0 {
            return Err(not_outermost(position));
        }
        self.tokens.next();
        let (mut arguments, places) = self.arguments(function, position, depth + 1)?;
        function.settle(&mut arguments).map_err(|refusal| {
            let place = refusal.argument.and_then(|index| places.get(index));
            let error = ParseError::new(place.copied().unwrap_or(position), refusal.message);
            refusal.suggestion.into_iter().fold(error, ParseError::suggesting)
        })?;
        let patterns = arguments.iter().flatten().filter_map(Node::as_pattern);
        self.pattern_weight += patterns.map(NetRegex::weight).sum::<usize>();
        if self.pattern_weight > WEIGHT_MAX {
            return Err(ParseError::new(
                position,
                "the regular expressions of the expression are too large together: shorten this one",
            ));
        }
        Ok(Node::Call { function, arguments, place: Place(position) })
    }

    /// What stands between the parentheses, the closing one included, and where each begins. An argument may be omitted:
    /// `F([a], , "b")`.
    fn arguments(
        &mut self,
        function: &Function,
        position: usize,
        depth: usize,
    ) -> Result<(Vec<Option<Node>>, Vec<usize>), ParseError> {
        let (mut arguments, mut places) = (Vec::new(), Vec::new());
        if self.peek() == Some(&Token::Close) {
            self.tokens.next();
            return Ok((arguments, places));
        }
        loop {
            let place = self.tokens.peek().map_or(self.end, |(place, _)| *place);
            if arguments.len() >= ARGUMENTS_MAX {
                return Err(ParseError::new(
                    place,
                    format!("`{}` takes at most {ARGUMENTS_MAX} arguments", function.name),
                ));
            }
            let omitted = matches!(self.peek(), Some(Token::Comma | Token::Close));
            places.push(place);
            let is_interval = function.parameters.get(arguments.len()).is_some_and(|one| one.name == "interval");
            let unit = match self.peek() {
                Some(Token::Name(name)) if is_interval => advice::of_interval(name),
                _ => None,
            };
            let argument = || self.expression(depth).map_err(|error| error.suggesting_at(place, unit));
            arguments.push(if omitted { None } else { Some(argument()?) });
            match self.tokens.next() {
                Some((_, Token::Comma)) => {}
                Some((_, Token::Close)) => return Ok((arguments, places)),
                Some((at, token)) => return Err(no_comma(function, &token, at)),
                None => {
                    let message = format!(
                        "the `)` that ends the arguments of `{}` (character {}) is missing",
                        function.name,
                        position + 1
                    );
                    return Err(ParseError::new(self.end, message));
                }
            }
        }
    }
}

fn no_comma(function: &Function, token: &Token, position: usize) -> ParseError {
    no_operator(token, position).unwrap_or_else(|| {
        let message = format!("`,` or `)` is expected in the arguments of `{}`, not {}", function.name, token.shown());
        ParseError::new(position, message)
    })
}

/// For a token behind an operand that other languages have as an operator.
fn no_operator(token: &Token, position: usize) -> Option<ParseError> {
    match token {
        Token::Comparator(_) => Some(ParseError::new(position, "comparisons cannot be chained; nest `IIF` instead")),
        Token::Name(name) => advice::of_operator(name, position),
        _ => None,
    }
}

fn is_select_unique_value(node: &Node) -> bool {
    matches!(node, Node::Call { function, .. } if function.name == functions::SELECT_UNIQUE_VALUE)
}

fn not_outermost(position: usize) -> ParseError {
    let message = format!("`{}` must be the outermost function", functions::SELECT_UNIQUE_VALUE);
    ParseError::new(position, message)
}

fn word(name: &str, position: usize) -> Result<Node, ParseError> {
    if let Some((_, word)) = WORDS.iter().find(|(spelling, _)| *spelling == name) {
        return Ok(Node::Word(*word));
    }
    if let Some(error) = advice::of_null(name, position) {
        return Err(error);
    }
    if name.eq_ignore_ascii_case("not") && functions::find(name).is_none() {
        return Err(ParseError::new(
            position,
            format!("there is no operator `{name}`; a function turns a condition round"),
        )
        .suggesting("Not(…)"));
    }
    if functions::find(name).is_some() {
        return Err(ParseError::new(position, format!("the arguments of the function `{name}` are missing"))
            .suggesting(format!("{name}(…)")));
    }
    let error = ParseError::new(
        position,
        format!("`{name}` is no word of the language; attributes stand in brackets, texts in quotes"),
    );
    if name.eq_ignore_ascii_case("true") || name.eq_ignore_ascii_case("false") {
        return Err(error.suggesting(format!("\"{name}\"")));
    }
    let near = nearest(name, WORDS.iter().map(|(spelling, _)| *spelling));
    Err(error.suggesting(near.map_or_else(|| format!("[{name}]"), str::to_owned)))
}

fn unknown_function(name: &str, position: usize, language: Language) -> ParseError {
    let error = ParseError::new(position, format!("there is no function `{name}`"));
    match functions::suggestion(name, language) {
        Some(known) => error.suggesting(known),
        None => error,
    }
}
