//! Which licences a dependency may have, and whether an SPDX expression is within them.

/// Licences that may be shipped inside a program under MIT or Apache-2.0.
const ALLOWED: [&str; 14] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "Zlib",
];

/// Exceptions that only take conditions away.
const ALLOWED_EXCEPTIONS: [&str; 1] = ["LLVM-exception"];

/// Parentheses inside parentheses; real expressions have one level.
const DEPTH_MAX: usize = 16;

/// Whether the terms of `expression` can be met with allowed licences alone: one side of each `OR` (or of the slash
/// of old manifests), both sides of each `AND`. What cannot be read is not allowed.
pub fn is_allowed(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, depth: 0 };
    reader.any_of() == Some(true) && reader.words.is_empty()
}

struct Reader<'a> {
    words: &'a [&'a str],
    depth: usize,
}

/// Each method reads one level of the grammar and answers none where the text is no expression.
impl Reader<'_> {
    fn any_of(&mut self) -> Option<bool> {
        let mut allowed = self.all_of()?;
        while self.take("OR") {
            allowed |= self.all_of()?;
        }
        Some(allowed)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut allowed = self.one()?;
        while self.take("AND") {
            allowed &= self.one()?;
        }
        Some(allowed)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            if self.depth == DEPTH_MAX {
                return None;
            }
            self.depth += 1;
            let allowed = self.any_of()?;
            self.depth -= 1;
            return self.take(")").then_some(allowed);
        }
        let licence = self.word()?;
        let mut allowed = ALLOWED.contains(&licence.trim_end_matches('+'));
        if self.take("WITH") {
            allowed &= ALLOWED_EXCEPTIONS.contains(&self.word()?);
        }
        Some(allowed)
    }

    fn word(&mut self) -> Option<&str> {
        let (&first, rest) = self.words.split_first()?;
        if ["(", ")", "OR", "AND", "WITH"].contains(&first) {
            return None;
        }
        self.words = rest;
        Some(first)
    }

    fn take(&mut self, expected: &str) -> bool {
        match self.words.split_first() {
            Some((&first, rest)) if first.eq_ignore_ascii_case(expected) => {
                self.words = rest;
                true
            }
            Some(_) | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DEPTH_MAX, is_allowed};

    #[test]
    fn expressions() {
        for (expression, expected) in [
            ("MIT", true),
            ("MIT/Apache-2.0", true),
            ("Unlicense/MIT", true),
            ("Apache-2.0 OR MIT OR LGPL-2.1-or-later", true),
            ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MPL-2.0+", true),
            ("GPL-3.0-only", false),
            ("MIT AND GPL-3.0-only", false),
            // AND binds tighter than OR.
            ("GPL-3.0-only AND MIT OR MIT", true),
            ("GPL-3.0-only AND (MIT OR ISC)", false),
            ("MIT OR ISC AND GPL-3.0-only", true),
            ("GPL-2.0-only WITH Classpath-exception-2.0", false),
            ("MIT WITH Some-exception", false),
            ("", false),
            ("MIT OR", false),
            ("MIT Apache-2.0", false),
            ("(MIT", false),
            ("MIT)", false),
            ("AND", false),
            ("non-standard", false),
        ] {
            assert_eq!(is_allowed(expression), expected, "{expression}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}MIT{}", "(".repeat(depth), ")".repeat(depth));
        assert!(is_allowed(&nested(DEPTH_MAX)));
        assert!(!is_allowed(&nested(DEPTH_MAX + 1)));
        assert!(!is_allowed(&"(".repeat(100_000)));
    }
}
