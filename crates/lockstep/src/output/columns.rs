//! How wide the columns of a table may be on a terminal, and where their texts break. What is copied never does.

/// Columns that stay whole, by their heads: what is in them is copied.
const WHOLE: [&str; 2] = ["ID", "TOKEN (SHOWN THIS ONCE)"];
/// Where a text may break, beside its end: after these.
const BREAKS: [char; 7] = [' ', '@', '/', '.', '_', ',', ';'];
/// Where only this is left for a column, longer words in it are cut.
const NARROW: usize = 10;
/// Columns are never narrower because of words.
const NARROWEST: usize = 6;
/// Blanks between columns: two, or one where that saves words from being cut.
pub const GAPS: [usize; 2] = [2, 1];

/// How a table is laid out on a terminal.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// The width of each column.
    pub widths: Vec<usize>,
    /// Blanks between columns.
    pub gap: usize,
}

/// The layout of a table, so that it is no wider than the terminal; `None` where it fits as it is, and where it cannot:
/// then the terminal breaks its rows, and what is copied from them is whole all the same.
pub fn layout(head: &[&str], rows: &[Vec<String>], terminal: usize) -> Option<Layout> {
    let column = |index: usize| {
        let cells = rows.iter().filter_map(move |row| row.get(index)).map(String::as_str);
        std::iter::once(head[index]).chain(cells)
    };
    let widest = |index: usize| column(index).map(width).max().unwrap_or_default();
    let longest =
        |index: usize| column(index).flat_map(pieces).map(|piece| width(piece.trim_end())).max().unwrap_or_default();
    let natural: Vec<usize> = (0..head.len()).map(widest).collect();
    let between = head.len().saturating_sub(1);
    if natural.iter().sum::<usize>() + GAPS[0] * between <= terminal {
        return None;
    }
    let is_whole = |index: usize| WHOLE.contains(&head[index]);
    let at_most = |most: usize| -> Vec<usize> {
        let least = |index| if is_whole(index) { natural[index] } else { longest(index).min(most) };
        (0..head.len()).map(least).collect()
    };
    let words = at_most(usize::MAX);
    let mut wanted = &natural;
    for least in [&words, &at_most(NARROW), &at_most(NARROWEST)] {
        for gap in GAPS {
            if let Some(spare) = terminal.checked_sub(least.iter().sum::<usize>() + gap * between) {
                return Some(Layout { widths: spread(least, wanted, spare), gap });
            }
        }
        wanted = &words;
    }
    None
}

/// Gives what is to spare to the columns, a character at a time to the one whose texts have the most lines.
fn spread(least: &[usize], most: &[usize], spare: usize) -> Vec<usize> {
    let mut widths = least.to_vec();
    for _ in 0..spare {
        let wanting = (0..widths.len()).filter(|index| widths[*index] < most[*index]);
        let Some(next) = wanting.max_by_key(|index| most[*index] * 1_000 / widths[*index].max(1)) else { break };
        widths[next] += 1;
    }
    widths
}

/// The text in lines no longer than the width: broken after blanks and the like, within a word only where it is longer.
pub fn wrapped(text: &str, most: usize) -> String {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        if width(&line) + width(piece.trim_end()) > most && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in piece.chars() {
            if width(&line) + char_width(c) > most && c != ' ' && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    lines.push(line);
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

/// The text in lines no longer than the width, broken at blanks alone: a longer word, such as an address, stays whole.
pub fn filled(text: &str, most: usize) -> String {
    let mut filled = String::new();
    for line in text.split('\n') {
        let mut taken = 0;
        for word in line.split_inclusive(' ') {
            if taken > 0 && taken + width(word.trim_end()) > most {
                filled.truncate(filled.trim_end().len());
                filled.push('\n');
                taken = 0;
            }
            filled.push_str(word);
            taken += width(word);
        }
        filled.push('\n');
    }
    filled.pop();
    filled
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(BREAKS)
}

fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Two for the characters of East Asian scripts and pictures, which terminals show twice as wide (UAX #11).
const fn char_width(c: char) -> usize {
    match c {
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::shown::USER_HEAD;

    fn users() -> Vec<Vec<String>> {
        [
            ["ann.oak@contoso.example", "Ann Oak", "Sales", "Lead", "enabled"],
            ["ben.elm@contoso.example", "Ben Elm", "Support", "", "disabled"],
        ]
        .iter()
        .map(|row| {
            let id = "0199c0de-0000-7000-8000-000000000001";
            row.iter().chain([&id]).map(|cell| (*cell).to_owned()).collect()
        })
        .collect()
    }

    #[test]
    fn ids_stay_whole_at_every_usual_width() {
        for (terminal, is_cut) in [(70, true), (80, false), (90, false), (98, false)] {
            let Layout { widths, gap } = layout(&USER_HEAD, &users(), terminal).unwrap();
            assert_eq!(widths[5], 36, "{terminal}");
            assert!(widths.iter().sum::<usize>() + gap * 5 <= terminal, "{terminal}: {widths:?}");
            let words = ["contoso.", "Ann", "DEPARTMENT", "TITLE", "disabled"];
            assert_eq!(words.iter().zip(&widths).any(|(word, width)| word.len() > *width), is_cut, "{widths:?}");
        }
        assert_eq!(layout(&USER_HEAD, &users(), 99), None, "what fits is left as it is");
        assert_eq!(layout(&USER_HEAD, &users(), 40), None, "and so is what cannot");
    }

    #[test]
    fn texts_break_between_words() {
        for (text, width, expected) in [
            ("Ann Oak", 7, "Ann Oak"),
            ("Ann Oak", 6, "Ann\nOak"),
            ("a b c d", 3, "a b\nc d"),
            ("ann.oak@contoso.example", 12, "ann.oak@\ncontoso.\nexample"),
            ("https://app.example.com/scim", 20, "https://app.example.\ncom/scim"),
            ("2026-03-02 08:00:00Z", 10, "2026-03-02\n08:00:00Z"),
            ("DEPARTMENT", 6, "DEPART\nMENT"),
            ("東京都", 4, "東京\n都"),
            ("", 5, ""),
        ] {
            assert_eq!(wrapped(text, width), expected);
        }
    }

    #[test]
    fn facts_break_at_blanks_alone() {
        for (text, width, expected) in [
            ("one two three", 8, "one two\nthree"),
            ("https://app.example.com/scim works", 10, "https://app.example.com/scim\nworks"),
            ("two\nlines here", 6, "two\nlines\nhere"),
            ("", 6, ""),
        ] {
            assert_eq!(filled(text, width), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_line_is_too_long(text in "[a-z @.]{0,60}", most in 1_usize..20) {
            let wrapped = wrapped(&text, most);
            prop_assert!(wrapped.lines().all(|line| width(line) <= most), "{wrapped}");
            let bare = |text: &str| text.replace([' ', '\n'], "");
            prop_assert_eq!(bare(&wrapped), bare(&text));
        }
    }
}
