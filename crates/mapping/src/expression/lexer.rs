//! Cuts the text of an expression into tokens. What an order of tokens means is `parser`'s.

use super::ast::Comparator;
use super::{ParseError, advice};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Name(String),
    Attribute(String),
    Text(String),
    /// As written; a `&H` number fits 64 bits.
    Number(String),
    Comparator(Comparator),
    Open,
    Close,
    Comma,
}

impl Token {
    /// How an error message names this token.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Name(text) | Self::Number(text) => format!("`{text}`"),
            Self::Attribute(name) => format!("`[{name}]`"),
            Self::Text(_) => "a string".to_owned(),
            Self::Comparator(operator) => format!("`{}`", operator.symbol()),
            Self::Open => "`(`".to_owned(),
            Self::Close => "`)`".to_owned(),
            Self::Comma => "`,`".to_owned(),
        }
    }
}

/// The tokens, each with its position in characters from 0.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ParseError> {
    let characters: Vec<char> = text.chars().collect();
    let mut lexer = Lexer { characters: &characters, at: 0 };
    let mut tokens = Vec::new();
    while let Some(character) = lexer.peek() {
        if character.is_whitespace() {
            lexer.at += 1;
            continue;
        }
        let position = lexer.at;
        tokens.push((position, lexer.token(character)?));
    }
    Ok(tokens)
}

struct Lexer<'a> {
    characters: &'a [char],
    at: usize,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn peek_second(&self) -> Option<char> {
        self.characters.get(self.at + 1).copied()
    }

    fn token(&mut self, character: char) -> Result<Token, ParseError> {
        match character {
            '(' => Ok(self.single(Token::Open)),
            ')' => Ok(self.single(Token::Close)),
            ',' => Ok(self.single(Token::Comma)),
            '=' | '<' | '>' => Ok(self.comparator(character)),
            '[' => self.attribute(),
            '"' => self.text(),
            '&' if matches!(self.peek_second(), Some('H' | 'h')) => self.hexadecimal(),
            '-' if self.peek_second().is_some_and(|next| next.is_ascii_digit()) => Ok(self.number()),
            _ if character.is_ascii_digit() => Ok(self.number()),
            _ if character.is_alphabetic() || character == '_' => Ok(self.name()),
            _ => Err(advice::of_character(self.characters, self.at)),
        }
    }

    fn single(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn comparator(&mut self, first: char) -> Token {
        let (operator, length) = match (first, self.peek_second()) {
            ('<', Some('>')) => (Comparator::NotEqual, 2),
            ('<', Some('=')) => (Comparator::LessOrEqual, 2),
            ('>', Some('=')) => (Comparator::GreaterOrEqual, 2),
            ('<', _) => (Comparator::Less, 1),
            ('>', _) => (Comparator::Greater, 1),
            _ => (Comparator::Equal, 1),
        };
        self.at += length;
        Token::Comparator(operator)
    }

    /// `[name]`; brackets inside are balanced, so that `[emails[type eq "work"].value]` is one name.
    fn attribute(&mut self) -> Result<Token, ParseError> {
        let start = self.at;
        let mut open = 0_usize;
        while let Some(character) = self.peek() {
            self.at += 1;
            match character {
                '[' => open += 1,
                ']' => open -= 1,
                _ => {}
            }
            if open == 0 {
                let name: String = self.characters[start + 1..self.at - 1].iter().collect();
                let name = name.trim();
                if name.is_empty() {
                    return Err(ParseError::new(start, "an attribute name is missing between the brackets"));
                }
                return Ok(Token::Attribute(name.to_owned()));
            }
        }
        Err(ParseError::new(start, "this `[` is not closed by a `]`"))
    }

    /// Only `\\` and `\"` are escapes: published expressions hold patterns such as `"\+"`, where the backslash is meant.
    fn text(&mut self) -> Result<Token, ParseError> {
        let start = self.at;
        let (mut text, mut has_quote) = (String::new(), false);
        self.at += 1;
        while let Some(character) = self.peek() {
            self.at += 1;
            match (character, self.peek()) {
                ('"', _) => return Ok(Token::Text(text)),
                ('\\', Some(escaped @ ('"' | '\\'))) => {
                    text.push(escaped);
                    has_quote |= escaped == '"';
                    self.at += 1;
                }
                (other, _) => text.push(other),
            }
        }
        let hint = if has_quote { "; in it, `\\\"` is a quote that belongs to the text" } else { "" };
        Err(ParseError::new(start, format!("this string is not closed by a `\"`{hint}")))
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek().is_some_and(&keep) {
            self.at += 1;
        }
        self.characters[start..self.at].iter().collect()
    }

    fn number(&mut self) -> Token {
        let mut number = String::new();
        if self.peek() == Some('-') {
            number.push('-');
            self.at += 1;
        }
        number += &self.take_while(|c| c.is_ascii_digit());
        if self.peek() == Some('.') && self.peek_second().is_some_and(|next| next.is_ascii_digit()) {
            self.at += 1;
            number.push('.');
            number += &self.take_while(|c| c.is_ascii_digit());
        }
        Token::Number(number)
    }

    fn hexadecimal(&mut self) -> Result<Token, ParseError> {
        let start = self.at;
        self.at += 2;
        let digits = self.take_while(|c| c.is_ascii_hexdigit());
        match i64::from_str_radix(&digits, 16) {
            Ok(_) => Ok(Token::Number(format!("&H{digits}"))),
            Err(_) if digits.is_empty() => Err(ParseError::new(start, "`&H` needs hexadecimal digits after it")),
            Err(_) => Err(ParseError::new(start, "this hexadecimal number is too large")),
        }
    }

    fn name(&mut self) -> Token {
        Token::Name(self.take_while(|c| c.is_alphanumeric() || c == '_'))
    }
}
