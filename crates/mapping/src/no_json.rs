//! Why a text is no JSON, in words of people rather than of a parser.

use serde_json::Error;

/// What the parser says, at the beginning of its message, and what is said in its place. The first that fits counts.
const WORDS: [(&str, &str); 18] = [
    ("EOF while parsing a string", "it ends before it is complete, within a text: a `\"` is missing"),
    ("EOF while parsing a list", "it ends before it is complete, within a list: a `]` is missing"),
    ("EOF while parsing an object", "it ends before it is complete, within an object: a `}` is missing"),
    ("EOF while parsing a value", "it ends before it is complete, where a value is expected"),
    ("expected value", "a value is expected here: a text in quotation marks, a number, true, false, null, `[` or `{`"),
    ("expected ident", "a value is expected here: of words there are true, false and null"),
    ("expected `:`", "a `:` is expected here, between a name and its value"),
    ("expected `,` or `]`", "a `,` is expected here, or the `]` that ends the list"),
    ("expected `,` or `}`", "a `,` is expected here, or the `}` that ends the object"),
    ("key must be a string", "a name in quotation marks is expected here"),
    ("trailing comma", "nothing follows the `,` before this; take the `,` out"),
    ("trailing characters", "something stands behind its end"),
    ("invalid escape", "`\\` begins no escape of JSON here; write `\\\\` for a `\\`"),
    ("control character", "a text has a line break, or another control character; write `\\n` for a line break"),
    ("recursion limit exceeded", "its lists and objects are too deep in one another"),
    ("invalid type: ", "an object in braces is expected"),
    ("invalid number", "a number is expected here, such as -1.5"),
    ("number out of range", "the number is too large"),
];

/// Why a text is no JSON, with the place. `Display` is the end of a sentence: `a value is expected here, in line 2, column 5`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}, in line {line}, column {column}")]
pub struct NoJson {
    /// What is wrong.
    pub what: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl NoJson {
    /// What a parser found in a text.
    pub fn of(text: &str, error: &Error) -> Self {
        let told = error.to_string();
        let told = told.rsplit_once(" at line ").map_or(told.as_str(), |(what, _)| what);
        let known = WORDS.iter().find(|(begins, _)| told.starts_with(begins));
        let line = error.line().max(1);
        // The parser counts bytes.
        let before = text.split('\n').nth(line - 1).unwrap_or_default().bytes().take(error.column());
        let is_first = |byte: &u8| byte & 0b1100_0000 != 0b1000_0000;
        let what = known.map_or(told, |(_, words)| words).to_owned();
        Self { what, line, column: before.filter(is_first).count().max(1) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;

    #[test]
    fn what_is_no_json_is_told_in_words() {
        for (text, told) in [
            ("", "it ends before it is complete, where a value is expected, in line 1, column 1"),
            ("{\n\"é\": \"ü", "it ends before it is complete, within a text: a `\"` is missing, in line 2, column 7"),
            ("[1,\n2\n", "it ends before it is complete, within a list: a `]` is missing, in line 3, column 1"),
            ("{\"a\": {}", "it ends before it is complete, within an object: a `}` is missing, in line 1, column 8"),
            (
                "{\"é\": }",
                "a value is expected here: a text in quotation marks, a number, true, false, null, `[` or `{`, in line 1, column 7",
            ),
            ("[nul]", "a value is expected here: of words there are true, false and null, in line 1, column 5"),
            ("{\"a\" 1}", "a `:` is expected here, between a name and its value, in line 1, column 6"),
            ("[1 2]", "a `,` is expected here, or the `]` that ends the list, in line 1, column 4"),
            ("{\"a\": 1 \"b\"}", "a `,` is expected here, or the `}` that ends the object, in line 1, column 9"),
            ("{a: 1}", "a name in quotation marks is expected here, in line 1, column 2"),
            ("[1,]", "nothing follows the `,` before this; take the `,` out, in line 1, column 4"),
            ("{} x", "something stands behind its end, in line 1, column 4"),
            ("\"\\d\"", "`\\` begins no escape of JSON here; write `\\\\` for a `\\`, in line 1, column 3"),
            (
                "\"a\nb\"",
                "a text has a line break, or another control character; write `\\n` for a line break, in line 2, column 1",
            ),
            ("-", "it ends before it is complete, where a value is expected, in line 1, column 1"),
            ("-x", "a number is expected here, such as -1.5, in line 1, column 2"),
            ("1e999", "the number is too large, in line 1, column 5"),
        ] {
            let error = serde_json::from_str::<Value>(text).unwrap_err();
            assert_eq!(NoJson::of(text, &error).to_string(), told, "{text} ({error})");
        }
        let error = serde_json::from_str::<Map<String, Value>>("[]").unwrap_err();
        assert_eq!(NoJson::of("[]", &error).what, "an object in braces is expected");
    }
}
