//! Why a text is no expression: in words, with the place, and as two lines with a mark under it.

use unicode_width::UnicodeWidthChar as _;

/// Columns of the line that [`ParseError::pointer`] shows, what stands for the parts left out included.
const POINTER_COLUMNS: usize = 76;
/// Stands for what is left out of a long line; one column.
const LEFT_OUT: char = '…';

/// Why a text is no expression. `Display` is one sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}, at character {}{}", .position + 1, .suggestion.as_ref().map(|text| format!("; did you mean `{text}`?")).unwrap_or_default())]
pub struct ParseError {
    /// Where, in characters from 0. Behind the last character that is no white space when something is missing at the end.
    pub position: usize,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<String>,
}

impl ParseError {
    pub(super) fn new(position: usize, message: impl Into<String>) -> Self {
        Self { position, message: message.into(), suggestion: None }
    }

    pub(super) fn suggesting(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// With a better suggestion, where this is about what stands at `place`.
    pub(super) fn suggesting_at(self, place: usize, suggestion: Option<String>) -> Self {
        match suggestion {
            Some(suggestion) if self.position == place => self.suggesting(suggestion),
            _ => self,
        }
    }

    /// Two lines for a terminal, without a line feed at the end: the line of `text` (which this error is about) that is in error, and below
    /// it a `^` under the place. Of a long line only what stands around the place is shown; control characters show as blanks.
    pub fn pointer(&self, text: &str) -> String {
        pointer(text, self.position)
    }
}

/// What [`ParseError::pointer`] shows, for any place.
pub(super) fn pointer(text: &str, position: usize) -> String {
    let (line, place) = line_at(text, position);
    let cells: Vec<Cell> = line.chars().map(Cell::of).collect();
    let (before, after) = cells.split_at(place.min(cells.len()));
    let after_width: usize = after.iter().map(|cell| cell.columns).sum();
    let room_before = POINTER_COLUMNS - 2 - after_width.min(POINTER_COLUMNS / 2);
    let first = before.len() - fitting(before.iter().rev(), room_before);
    let shown_before = &before[first..];
    let begin = if first > 0 { Some(LEFT_OUT) } else { None };
    let indent = shown_before.iter().map(|cell| cell.columns).sum::<usize>() + usize::from(begin.is_some());
    let shown_after = &after[..fitting(after.iter(), POINTER_COLUMNS - 1 - indent)];
    let end = if shown_after.len() < after.len() { Some(LEFT_OUT) } else { None };
    let letters = shown_before.iter().chain(shown_after).map(|cell| cell.letter);
    let shown: String = begin.into_iter().chain(letters).chain(end).collect();
    format!("{}\n{:indent$}^", shown.trim_end(), "")
}

/// A character as a terminal shows it.
struct Cell {
    letter: char,
    columns: usize,
}

impl Cell {
    fn of(letter: char) -> Self {
        let letter = if letter.is_control() { ' ' } else { letter };
        Self { letter, columns: letter.width().unwrap_or(0) }
    }
}

/// The line that holds the character at `position`, and where in it that is.
fn line_at(text: &str, position: usize) -> (&str, usize) {
    let mut left = position;
    let mut last = ("", 0);
    for line in text.split('\n') {
        let length = line.chars().count();
        if left <= length {
            return (line, left);
        }
        left -= length + 1;
        last = (line, length);
    }
    last
}

/// How many of these cells fit into so many columns.
fn fitting<'c>(cells: impl Iterator<Item = &'c Cell>, columns: usize) -> usize {
    let mut used = 0;
    let fits = |cell: &&Cell| {
        used += cell.columns;
        used <= columns
    };
    cells.take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    fn pointer(position: usize, text: &str) -> String {
        ParseError::new(position, "").pointer(text)
    }

    #[test]
    fn the_mark_stands_under_the_character() {
        for (position, text, expected) in [
            (4, "Now(", "Now(\n    ^"),
            (8, "ToUpper(Lowr([a]))", "ToUpper(Lowr([a]))\n        ^"),
            (11, "Join(\",\",\n\tNope([ä]),\n[b])", " Nope([ä]),\n ^"),
            (11, "Join(\",\",\r\nNope(),\r\n[b])", "Nope(),\n^"),
            (4, "\"ä\" 'x", "\"ä\" 'x\n    ^"),
            (5, "\"日本\" x", "\"日本\" x\n       ^"),
            (5, "\"e\u{301}\" x", "\"e\u{301}\" x\n    ^"),
            (0, "", "\n^"),
            (99, "[a]", "[a]\n   ^"),
        ] {
            assert_eq!(pointer(position, text), expected, "{text}");
        }
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let text = format!("{}?{}", "a".repeat(500), "b".repeat(500));
        let shown = pointer(500, &text);
        assert_eq!(shown, format!("…{}?{}…\n{:37}^", "a".repeat(36), "b".repeat(37), ""));
        assert_eq!(pointer(0, &text), format!("{}…\n^", "a".repeat(75)));
        assert_eq!(pointer(1001, &text), format!("…{}\n{:75}^", "b".repeat(74), ""));
        let wide = format!("{}?", "日".repeat(500));
        assert_eq!(pointer(500, &wide), format!("…{}?\n{:73}^", "日".repeat(36), ""));
    }

    proptest! {
        #[test]
        fn there_are_two_lines_and_the_mark_is_in_sight(text in any::<String>(), position in 0_usize..300) {
            let shown = pointer(position, &text);
            let (line, mark) = shown.split_once('\n').unwrap();
            prop_assert!(line.chars().map(|letter| letter.width().unwrap_or(0)).sum::<usize>() <= POINTER_COLUMNS);
            prop_assert!(mark.width() <= POINTER_COLUMNS + 1);
            prop_assert_eq!(mark.trim_start(), "^");
        }
    }
}
