//! Splits Rust source into its code and its string literals, well enough for the architecture rules: a keyword in a
//! comment must not count, nor a quote in a character literal. This is no parser; what rustc refuses is not our matter.

/// The two parts of a source file that rules look at.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// The code, with every comment and every literal replaced by one space.
    pub code: String,
    /// Each string literal without its quotes, escapes as written, and the line it begins in, from 1.
    pub strings: Vec<(usize, String)>,
}

/// Splits `source`. Never fails: an unclosed literal or comment goes to the end of the text.
pub fn split(source: &str) -> Parts {
    let mut scan = Scan { chars: source.chars().collect(), at: 0, line: 1, parts: Parts::default() };
    while scan.at < scan.chars.len() {
        scan.step();
    }
    scan.parts
}

struct Scan {
    chars: Vec<char>,
    at: usize,
    line: usize,
    parts: Parts,
}

impl Scan {
    fn step(&mut self) {
        let char = self.chars[self.at];
        match (char, self.peek(1)) {
            ('/', Some('/')) => self.skip_line_comment(),
            ('/', Some('*')) => self.skip_block_comment(),
            ('"', _) => self.take_string(),
            ('r', Some('"' | '#')) if self.begins_raw_string() => self.take_raw_string(),
            ('\'', _) => self.skip_character_or_lifetime(),
            _ => {
                self.parts.code.push(char);
                self.advance();
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn advance(&mut self) -> Option<char> {
        let char = self.peek(0)?;
        self.at += 1;
        if char == '\n' {
            self.line += 1;
        }
        Some(char)
    }

    fn skip_line_comment(&mut self) {
        while self.peek(0).is_some_and(|char| char != '\n') {
            self.advance();
        }
        self.parts.code.push(' ');
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => depth += 1,
                (Some('*'), Some('/')) => depth -= 1,
                (Some(_), _) => {
                    self.advance();
                    continue;
                }
                (None, _) => break,
            }
            self.advance();
            self.advance();
            if depth == 0 {
                break;
            }
        }
        self.parts.code.push(' ');
    }

    fn take_string(&mut self) {
        let line = self.line;
        self.advance();
        let mut text = String::new();
        while let Some(char) = self.advance() {
            match char {
                '"' => break,
                '\\' => {
                    text.push(char);
                    text.extend(self.advance());
                }
                _ => text.push(char),
            }
        }
        self.finish_string(line, text);
    }

    fn begins_raw_string(&self) -> bool {
        let before = self.at.checked_sub(1).map(|at| self.chars[at]);
        // `br"…"` and `cr"…"` are raw strings too, but `number"` is not.
        let in_word = before.is_some_and(|char| (char.is_alphanumeric() || char == '_') && !matches!(char, 'b' | 'c'));
        let after_hashes = self.chars[self.at + 1..].iter().find(|&&char| char != '#');
        !in_word && after_hashes == Some(&'"')
    }

    fn take_raw_string(&mut self) {
        let line = self.line;
        self.advance();
        let mut hashes = 0;
        while self.peek(0) == Some('#') {
            self.advance();
            hashes += 1;
        }
        self.advance();
        let mut text = String::new();
        while let Some(char) = self.advance() {
            if char == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                self.at += hashes;
                break;
            }
            text.push(char);
        }
        self.finish_string(line, text);
    }

    fn finish_string(&mut self, line: usize, text: String) {
        self.parts.strings.push((line, text));
        self.parts.code.push(' ');
    }

    fn skip_character_or_lifetime(&mut self) {
        self.advance();
        match (self.peek(0), self.peek(1)) {
            (Some('\\'), _) => {
                self.advance();
                self.advance();
                while self.advance().is_some_and(|char| char != '\'') {}
            }
            (Some(_), Some('\'')) => {
                self.advance();
                self.advance();
            }
            // A lifetime: its name is code.
            _ => {}
        }
        self.parts.code.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[track_caller]
    fn check(source: &str, expected: &[(usize, &str)]) {
        let found = split(source).strings;
        let found: Vec<(usize, &str)> = found.iter().map(|(line, text)| (*line, text.as_str())).collect();
        assert_eq!(found, expected, "{source}");
    }

    #[test]
    fn strings_are_found_and_nothing_else() {
        check(r#"let a = "one"; let b = "two";"#, &[(1, "one"), (1, "two")]);
        check(
            r#"// "no"
"yes""#,
            &[(2, "yes")],
        );
        check(r#"/* "no" /* "nested" */ "no" */ "yes""#, &[(1, "yes")]);
        check(r#"let c = '"'; let d = '\''; let e = '\u{1F600}'; "yes""#, &[(1, "yes")]);
        check(r#"fn f<'a>(x: &'a str) { "yes" }"#, &[(1, "yes")]);
        check(r#"b"bytes" c"text""#, &[(1, "bytes"), (1, "text")]);
        check(r#""with \" quote""#, &[(1, r#"with \" quote"#)]);
        check("r\"raw \\\" br#\"more \" raw\"# r##\"a \"# b\"##", &[(1, "raw \\"), (1, "more \" raw"), (1, "a \"# b")]);
        check("let r#type = number\"x\"", &[(1, "x")]);
        check("\"two\nlines\" \"after\"", &[(1, "two\nlines"), (2, "after")]);
        check("\"unclosed", &[(1, "unclosed")]);
        check("/* unclosed \"no\"", &[]);
    }

    #[test]
    fn code_holds_no_comment_and_no_literal() {
        let code = split("mod a; // mod b;\nlet c = \"mod d\"; /* mod e */ 'x'").code;
        assert!(code.contains("mod a;"));
        for hidden in ["mod b", "mod d", "mod e", "x"] {
            assert!(!code.contains(hidden), "{hidden}");
        }
    }

    #[test]
    fn odd_endings_do_not_panic() {
        for source in ["'", "'\\", "r#", "r", "/", "/*", "\"\\", "b'", "r#\"", "'a"] {
            split(source);
        }
    }
}
