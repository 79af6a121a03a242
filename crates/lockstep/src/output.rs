//! What a command answers: tables for people, JSON for programs. Both go to standard output; log lines and errors do not.

mod columns;

use std::io::{self, IsTerminal as _, Write};

use comfy_table::{Attribute, Cell, ContentArrangement, Table, presets};
use console::Term;
use jiff::Timestamp;
use serde::Serialize;

/// When colours are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Standard output in the form that was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    terminal: bool,
    colours: bool,
}

#[expect(
    clippy::unused_self,
    reason = "whoever prints holds the output; that it is standard output is known only here"
)]
impl Output {
    /// Finds out whether a person is looking.
    pub fn new(json: bool, color: Color) -> Self {
        match color {
            Color::Auto => {}
            Color::Always => force_colours(true),
            Color::Never => force_colours(false),
        }
        Self {
            json,
            terminal: io::stdout().is_terminal(),
            colours: console::colors_enabled() && color_is_wanted(color),
        }
    }

    /// Whether JSON is wanted.
    pub const fn is_json(self) -> bool {
        self.json
    }

    /// Prints one JSON document on one line.
    pub fn json(self, value: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(value)?;
        text.push(b'\n');
        Ok(write_raw(&text)?)
    }

    /// Prints a line for people; escapes of the terminal in it are taken out.
    pub fn line(self, text: &str) -> anyhow::Result<()> {
        Ok(write_raw(format!("{}\n", clean_lines(text)).as_bytes())?)
    }

    /// Prints the difference of two texts in unified form, what goes in red and what comes in green.
    pub fn difference(self, text: &str) -> anyhow::Result<()> {
        let mut shown = String::new();
        for line in text.lines() {
            let line = clean(line);
            let coloured = match line.chars().next().filter(|_| self.colours) {
                Some('+') => console::style(line).green().to_string(),
                Some('-') => console::style(line).red().to_string(),
                Some('@') => console::style(line).cyan().to_string(),
                Some('~') => console::style(line).yellow().to_string(),
                _ => line,
            };
            shown.extend([&coloured, "\n"]);
        }
        Ok(write_raw(shown.as_bytes())?)
    }

    /// Prints a table for people, or a sentence in its place where it has no rows.
    pub fn table(self, head: &[&str], rows: Vec<Vec<String>>, if_empty: &str) -> anyhow::Result<()> {
        if rows.is_empty() {
            return self.line(if_empty);
        }
        let rows: Vec<Vec<String>> = rows.into_iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
        let layout = self.columns().and_then(|columns| columns::layout(head, &rows, columns));
        let fitted = |text: &str, column: usize| {
            let width = layout.as_ref().and_then(|layout| layout.widths.get(column));
            width.map_or_else(|| text.to_owned(), |width| columns::wrapped(text, *width))
        };
        let mut table = self.plain_table();
        table.set_header(head.iter().enumerate().map(|(column, name)| self.heading(&fitted(name, column))));
        for row in &rows {
            table.add_row(row.iter().enumerate().map(|(column, cell)| fitted(cell, column)));
        }
        let gap = layout.as_ref().map_or(columns::GAPS[0], |layout| layout.gap);
        self.print(table, gap)
    }

    /// Prints further rows of a table that was begun before; its columns are not known any more.
    pub fn more_rows(self, rows: Vec<Vec<String>>) -> anyhow::Result<()> {
        rows.into_iter().try_for_each(|row| {
            let cells: Vec<String> = row.iter().map(|cell| clean(cell)).collect();
            self.line(&cells.join("  "))
        })
    }

    /// Prints facts, one a line: a name and its value.
    pub fn facts(self, facts: &[(&str, String)]) -> anyhow::Result<()> {
        let mut table = self.plain_table();
        let names = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        let room = self.columns().and_then(|columns| columns.checked_sub(names + columns::GAPS[0]));
        for (name, value) in facts {
            let value = clean_lines(value);
            let value =
                room.filter(|room| *room > 0).map_or_else(|| value.clone(), |room| columns::filled(&value, room));
            table.add_row([self.heading(name), Cell::new(value)]);
        }
        self.print(table, columns::GAPS[0])
    }

    /// The width of the terminal. A pipe has none: rows stay whole, so that line-based tools can read them.
    fn columns(self) -> Option<usize> {
        let (_, columns) = if self.terminal { Term::stdout().size_checked() } else { None }?;
        Some(columns.into())
    }

    fn heading(self, name: &str) -> Cell {
        let cell = Cell::new(clean_lines(name));
        if self.colours { cell.add_attribute(Attribute::Bold) } else { cell }
    }

    fn plain_table(self) -> Table {
        let mut table = Table::new();
        table.load_preset(presets::NOTHING);
        // Where texts break is decided here: the library would break ids too.
        table.set_content_arrangement(ContentArrangement::Disabled);
        if self.colours {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table
    }

    fn print(self, mut table: Table, gap: usize) -> anyhow::Result<()> {
        let mut text = String::new();
        for column in table.column_iter_mut() {
            column.set_padding((0, u16::try_from(gap).unwrap_or(u16::MAX)));
        }
        // Blanks at the end of a bold heading would make an empty line where the table is as wide as the terminal.
        if let Some(last) = table.column_iter_mut().last() {
            last.set_padding((0, 0));
        }
        for line in table.lines() {
            text.push_str(line.trim_end());
            text.push('\n');
        }
        Ok(write_raw(text.as_bytes())?)
    }
}

fn color_is_wanted(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => io::stdout().is_terminal(),
    }
}

fn force_colours(wanted: bool) {
    console::set_colors_enabled(wanted);
    console::set_colors_enabled_stderr(wanted);
}

/// Tells people something beside the answer, on standard error.
pub fn note(text: &str) {
    eprintln!("note: {}", clean_lines(text));
}

/// The same in words of its own, which say what it is.
pub fn aside(text: &str) {
    eprintln!("{}", clean_lines(text));
}

/// Writes to standard output and flushes; says when nobody reads any more.
pub fn write_raw(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// A text on one line without anything that moves the cursor, colours, or turns the direction of reading. Breaks become blanks, so
/// that the words around them stay apart.
pub fn clean(text: &str) -> String {
    text.split(['\r', '\n', '\t']).filter(|part| !part.is_empty()).map(clean_lines).collect::<Vec<_>>().join(" ")
}

/// As [`clean`], but line breaks stay.
pub fn clean_lines(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || (!c.is_control() && !turns_direction(*c))).collect()
}

/// Embeddings, overrides and isolates of the bidirectional algorithm (UAX #9). The marks that names need stay.
const fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A moment for people: to the second, in UTC.
pub fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The same where there may be none.
pub fn moment_or(at: Option<Timestamp>, otherwise: &str) -> String {
    at.map_or_else(|| otherwise.to_owned(), moment)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_cannot_steer_the_terminal() {
        for (text, expected) in [
            ("Ann", "Ann"),
            ("\u{1b}[2JAnn\u{7}", "[2JAnn"),
            ("a\u{202e}nnA\u{2066}", "annA"),
            ("\u{9b}31mred", "31mred"),
            ("two\nlines", "two lines"),
            ("StatusCode: BadRequest\r\nMessage: no\r\n", "StatusCode: BadRequest Message: no"),
            ("שרה לוי", "שרה לוי"),
        ] {
            assert_eq!(clean(text), expected);
        }
        assert_eq!(clean_lines("two\nlines\r"), "two\nlines");
    }

    #[test]
    fn people_read_moments_and_counts() {
        assert_eq!(moment(Timestamp::UNIX_EPOCH), "1970-01-01 00:00:00Z");
        assert_eq!(moment_or(None, "never"), "never");
    }

    proptest! {
        #[test]
        fn nothing_printed_holds_an_escape(text in any::<String>()) {
            let no_escapes = clean_lines(&text).chars().all(|c| c == '\n' || !c.is_control());
            prop_assert!(no_escapes);
        }
    }
}
