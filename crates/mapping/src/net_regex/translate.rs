//! Turns a regular expression of .NET into one of the engine that runs it: the two write classes, options and ends of lines differently, and
//! number groups differently. What .NET refuses is refused, in words. The language is described in
//! <https://learn.microsoft.com/en-us/dotnet/standard/base-types/regular-expression-language-quick-reference>.

mod group;

use super::classes::{self, Piece};
use super::cost::{Cost, Sum, Times};
use super::groups::{GroupName, Groups};
use super::memory::{FEW_PARTS_MAX, Memory, Shape};
use super::surrogates::{self, Units};
use group::Opened;

/// Bytes of a compiled pattern: compiling takes twice as many for a moment.
const SIZE_MAX: usize = 2 << 20;
/// Bytes of a pattern with what it remembers, of all those of an expression, and of all those of a filter.
pub(crate) const WEIGHT_MAX: usize = 6 << 20;
/// Bytes up to which classes are repeated by writing them out, which is the fastest way to run a pattern.
const WRITTEN_OUT_MAX: usize = 1 << 20;
/// What one step through a text may cost.
const STEP_WEIGHT_MAX: usize = 20_000;
/// Bytes of a pattern beside those of its parts, of a group, of a letter in either case, of an assertion, and of a class that is repeated
/// without being written out.
const PATTERN_SIZE: usize = 1 << 10;
const GROUP_SIZE: usize = 64;
const CASELESS_SIZE: usize = 700;
const ASSERTION_SIZE: usize = 64;
const COMPACT_SIZE: usize = 16 << 10;
/// Classes from this size on are worth to be repeated that way.
const HEAVY_SIZE: usize = 8 << 10;
/// How much larger parts become where groups or borders of words are found by a table of their own.
const TABLE_TIMES: usize = 5;
/// Two ways to begin, which lead to the same: for such a pattern no table is built.
const NO_TABLE: &str = "(?:|)";
/// What the end of a text is, where the text ends with a line feed: `$` of .NET also matches before it.
const END_OR_LAST_LINE: &str = "(?=\\n?\\z)";

/// A translated pattern.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is found out on its own, by another part of a pattern")]
pub(super) struct Translated {
    /// For texts that do not end with a line feed.
    pub(super) pattern: String,
    /// For texts that do, where that is another one.
    pub(super) before_line_feed: Option<String>,
    pub(super) groups: Groups,
    /// What a search costs; its size is that of everything that is compiled.
    pub(super) cost: Cost,
    /// Whether it needs an engine that tries one way after the other.
    pub(super) is_backtracking: bool,
    /// Whether it has borders of words.
    pub(super) has_borders: bool,
    /// Whether what is remembered of a text may be so much that it is given up, and the text is looked at slowly.
    pub(super) is_blurred: bool,
    /// Whether a match begins where a text does, and nowhere else.
    pub(super) is_anchored: bool,
    pub(super) captures: usize,
    pub(super) memory: Memory,
}

impl Translated {
    /// Bytes of what is compiled, with what it remembers.
    pub(super) fn weight(&self) -> usize {
        self.cost.size.saturating_add(self.memory.total)
    }
}

/// Translates a pattern, or says in words what is wrong with it.
pub(super) fn translate(text: &str) -> Result<Translated, String> {
    let letters: Vec<char> = text.chars().collect();
    let written_out = translate_as(&letters, false)?;
    if written_out.cost.size <= WRITTEN_OUT_MAX && written_out.cost.weight <= STEP_WEIGHT_MAX {
        return Ok(written_out);
    }
    let compact = translate_as(&letters, true)?;
    let is_too_large =
        compact.cost.size > SIZE_MAX || compact.weight() > WEIGHT_MAX || compact.cost.weight > STEP_WEIGHT_MAX;
    if is_too_large { Err(TOO_LARGE.to_owned()) } else { Ok(compact) }
}

/// Why a pattern is refused that would take too much memory.
pub(super) const TOO_LARGE: &str = "is too large once it is compiled: shorten it, repeat less of it, or, where ASCII is enough, write `[0-9]` for `\\d` and `[A-Za-z0-9_]` for `\\w`, which stand for the characters of all languages";

fn translate_as(letters: &[char], is_compact: bool) -> Result<Translated, String> {
    let mut translator = Translator {
        letters,
        at: 0,
        pattern: String::with_capacity(letters.len() * 2),
        ends: Vec::new(),
        groups: Groups::declared(letters)?,
        opened: Vec::new(),
        options: Options::default(),
        sums: vec![Sum::EMPTY],
        last: None,
        is_backtracking: false,
        is_compact,
        tables: Tables::default(),
        captures: 0,
        classes: 0,
        is_plain: true,
        is_anchored: false,
    };
    translator.run()?;
    Ok(translator.finish())
}

/// Options that change how the rest is read.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a letter of `(?imnsx)`")]
pub(super) struct Options {
    pub(super) is_multiline: bool,
    pub(super) is_explicit: bool,
    pub(super) is_extended: bool,
    pub(super) is_caseless: bool,
}

#[expect(clippy::struct_excessive_bools, reason = "each is found out on its own, by another part of a pattern")]
struct Translator<'t> {
    letters: &'t [char],
    at: usize,
    pattern: String,
    /// Where in `pattern` the end of a text stands.
    ends: Vec<usize>,
    groups: Groups,
    /// The groups that are open.
    opened: Vec<Opened>,
    options: Options,
    /// What the atoms of each open group cost together, the whole first.
    sums: Vec<Sum>,
    /// The last atom, which a quantifier repeats; `None` where there is none that could be repeated.
    last: Option<Atom>,
    is_backtracking: bool,
    /// Whether large classes are kept once where they are repeated, which takes steps instead of memory.
    is_compact: bool,
    tables: Tables,
    captures: usize,
    classes: usize,
    /// Whether there are only letters so far.
    is_plain: bool,
    is_anchored: bool,
}

/// What a quantifier repeats.
#[derive(Clone, Copy, Debug)]
struct Atom {
    cost: Cost,
    /// Where it begins in the translated pattern.
    begin: usize,
    /// Whether it takes no character: repeated, it matches once or not at all.
    is_still: bool,
}

/// What is found by a table of its own, or by a slower engine.
#[derive(Clone, Copy, Debug, Default)]
struct Tables {
    has_groups: bool,
    has_borders: bool,
}

impl Tables {
    const fn are_needed(self) -> bool {
        self.has_groups || self.has_borders
    }
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(letter) = self.next() {
            match letter {
                '\\' => self.escape()?,
                '[' => {
                    let class = classes::class(self.letters, &mut self.at)?;
                    self.piece(&class)?;
                }
                '(' => self.open()?,
                ')' => self.close()?,
                '|' => {
                    self.is_plain = false;
                    self.pattern.push('|');
                    self.settle();
                    self.sum().alternative();
                }
                '?' => self.quantifier(("?".to_owned(), Times { copies: 1, least: 0, is_bounded: true }))?,
                '*' | '+' => {
                    let least = usize::from(letter == '+');
                    self.quantifier((letter.to_string(), Times { copies: 2, least, is_bounded: false }))?;
                }
                '{' => match self.counts() {
                    Some(counts) => self.quantifier(counts)?,
                    None => self.literal('{'),
                },
                '^' => {
                    self.is_anchored |= self.pattern.is_empty() && !self.options.is_multiline;
                    self.assertion("^");
                }
                '$' if self.options.is_multiline => self.assertion("$"),
                '$' => self.end(),
                '.' => {
                    self.count_class();
                    self.atom(".", Cost::of_one(2, classes::NEGATION_SIZE));
                }
                '#' if self.options.is_extended => while self.next().is_some_and(|letter| letter != '\n') {},
                blank if self.options.is_extended && blank.is_whitespace() => {}
                letter => self.literal(letter),
            }
        }
        if self.opened.is_empty() { Ok(()) } else { Err("has a `(` that is not closed".to_owned()) }
    }

    fn finish(mut self) -> Translated {
        self.settle();
        let is_one = self.sum().is_one();
        let mut cost = self.sum().total();
        // What tries one way after the other is compiled in pieces, each with a table of its own; an end of the text that is all behind
        // the rest is not yet that.
        let is_at_end = is_one && self.ends == [self.pattern.len().saturating_sub("\\z".len())];
        let has_no_table = self.tables.are_needed() && !self.is_backtracking && cost.size >= HEAVY_SIZE;
        let form = |pattern: String, has_no_table: bool| {
            let times =
                if self.tables.are_needed() && !has_no_table && cost.size >= HEAVY_SIZE { TABLE_TIMES } else { 1 };
            let size = cost.size.saturating_mul(times).saturating_add(PATTERN_SIZE);
            (if has_no_table { NO_TABLE.to_owned() + &pattern } else { pattern }, size)
        };
        let second = self.second().map(|pattern| form(pattern, has_no_table && is_at_end));
        let (pattern, size) = form(self.pattern, has_no_table);
        let (before_line_feed, second_size) = second.unzip();
        cost.size = size.saturating_add(second_size.unwrap_or_default());
        let Self { groups, is_backtracking, tables, captures, classes, is_plain, .. } = self;
        let is_twofold = before_line_feed.is_some();
        let Cost { size, parts, .. } = cost;
        Translated {
            pattern,
            before_line_feed,
            groups,
            cost,
            is_backtracking,
            has_borders: tables.has_borders,
            is_blurred: if is_backtracking { cost.blurred_max } else { parts } > FEW_PARTS_MAX && !is_plain,
            is_anchored: self.is_anchored && is_one,
            captures,
            memory: Shape { size, parts, captures, classes, is_plain, is_backtracking, is_twofold }.memory(),
        }
    }

    /// The pattern for texts that end with a line feed, where that is another one.
    fn second(&self) -> Option<String> {
        let (mut pattern, mut from) = (String::new(), 0);
        for at in &self.ends {
            pattern.push_str(&self.pattern[from..*at]);
            pattern.push_str(END_OR_LAST_LINE);
            from = at + "\\z".len();
        }
        (!self.ends.is_empty()).then(|| pattern + &self.pattern[from..])
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.letters.get(self.at).copied();
        self.at += usize::from(letter.is_some());
        letter
    }

    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn take(&mut self, text: &str) -> bool {
        let is_next =
            text.chars().enumerate().all(|(index, letter)| self.letters.get(self.at + index) == Some(&letter));
        if is_next {
            self.at += text.chars().count();
        }
        is_next
    }

    fn atom(&mut self, text: &str, cost: Cost) {
        self.settle();
        self.last = Some(Atom { cost, begin: self.pattern.len(), is_still: false });
        self.pattern.push_str(text);
    }

    /// Adds up what the last atom costs: nothing repeats it any more.
    fn settle(&mut self) {
        if let Some(atom) = self.last.take() {
            self.add(atom.cost, atom.is_still);
        }
    }

    fn add(&mut self, cost: Cost, is_still: bool) {
        self.sum().add(cost);
        if let Some(group) = self.opened.last_mut() {
            group.is_still &= is_still;
        }
    }

    fn sum(&mut self) -> &mut Sum {
        self.sums.last_mut().expect("the whole is always open")
    }

    fn count_class(&mut self) {
        self.classes += 1;
        self.is_plain = false;
    }

    fn literal(&mut self, letter: char) {
        let letter = Piece::letter(letter);
        self.whole(&letter);
    }

    /// A class or a letter.
    fn piece(&mut self, piece: &Piece) -> Result<(), String> {
        if let Some(high) = piece.half {
            return self.pair(high);
        }
        self.whole(piece);
        Ok(())
    }

    fn whole(&mut self, piece: &Piece) {
        let is_repeated_without_end = matches!(self.peek(), Some('*' | '+'));
        if self.is_compact && piece.size >= HEAVY_SIZE && !is_repeated_without_end {
            // What matches one character in one way is the same with and without a group that is not tried again.
            self.is_backtracking = true;
            let cost = Cost { is_kept: true, written_size: piece.size, ..Cost::of_one(1, COMPACT_SIZE) };
            self.is_plain = false;
            return self.atom(&format!("(?>{})", piece.text), cost);
        }
        if !piece.is_letter() || self.options.is_caseless {
            self.count_class();
        }
        let size = if self.options.is_caseless { piece.size.max(CASELESS_SIZE) } else { piece.size };
        self.atom(&piece.text, Cost::of_one(piece.weight, size));
    }

    /// One half of a character was read: the other has to come behind it. As no half comes alone in a text, a quantifier that takes one or
    /// more of either changes nothing.
    fn pair(&mut self, high: Units) -> Result<(), String> {
        self.take("+");
        let low = match self.next() {
            Some('\\') => classes::escape(self.letters, &mut self.at),
            Some('[') => classes::class(self.letters, &mut self.at),
            _ => return Err(surrogates::HALF.to_owned()),
        }?;
        let characters = low.half.and_then(|low| surrogates::characters(high, low));
        let (Some((first, last)), Some(low)) = (characters, low.half) else {
            return Err(surrogates::HALF.to_owned());
        };
        self.whole(&Piece::range(first, last));
        let is_none_allowed = surrogates::is_every_low(low);
        if self.take("+") || is_none_allowed && (self.take("*") || self.take("?")) {
            self.settle();
        }
        if matches!(self.peek(), Some('*' | '+' | '?' | '{')) { Err(surrogates::HALF.to_owned()) } else { Ok(()) }
    }

    /// What looks at a place and takes no character.
    fn assertion(&mut self, text: &str) {
        self.settle();
        let cost = Cost::of_one(1, ASSERTION_SIZE);
        self.last = Some(Atom { cost, begin: self.pattern.len(), is_still: true });
        self.pattern.push_str(text);
    }

    fn end(&mut self) {
        self.settle();
        self.ends.push(self.pattern.len());
        self.assertion("\\z");
    }

    /// A quantifier and what it multiplies the costs by.
    fn quantifier(&mut self, (text, times): (String, Times)) -> Result<(), String> {
        let Some(atom) = self.last.take() else {
            return Err(format!("has the quantifier `{text}` where there is nothing to repeat"));
        };
        self.is_plain = false;
        if times.is_bounded && times.copies < times.least {
            return Err(format!("has the quantifier `{text}`, whose first number is greater than its second"));
        }
        let is_lazy = self.take("?");
        if atom.is_still {
            self.repeat_still(&atom, times, is_lazy);
        } else {
            self.add(atom.cost.repeated(times), false);
            self.pattern.push_str(&text);
            self.pattern.push_str(if is_lazy { "?" } else { "" });
        }
        let again = self.at;
        let is_nested = matches!(self.peek(), Some('*' | '+' | '?'))
            || self.peek() == Some('{') && {
                self.at += 1;
                self.counts().is_some()
            };
        self.at = again;
        if is_nested { Err("has a quantifier behind another one".to_owned()) } else { Ok(()) }
    }

    /// Repeats what takes no character, which the engine refuses to do: once is as good as ever so often.
    fn repeat_still(&mut self, atom: &Atom, times: Times, is_lazy: bool) {
        let is_never = times.is_bounded && times.copies == 0;
        let (before, behind) = match (times.least, is_lazy) {
            // Its groups are still counted.
            _ if is_never => ("(?:|(?!)", ")"),
            (0, false) => ("(?:", "|)"),
            (0, true) => ("(?:|", ")"),
            _ => ("", ""),
        };
        self.is_backtracking |= is_never;
        self.pattern.insert_str(atom.begin, before);
        self.pattern.push_str(behind);
        self.ends.iter_mut().filter(|at| **at >= atom.begin).for_each(|at| *at += before.len());
        let once = Times { copies: 1, least: times.least.min(1), is_bounded: true };
        self.add(atom.cost.repeated(once), true);
    }

    /// `n}`, `n,}` or `n,m}` behind a brace; anything else leaves the brace a letter.
    fn counts(&mut self) -> Option<(String, Times)> {
        let rest = self.letters.get(self.at..)?;
        let end = rest.iter().take(COUNT_LETTERS_MAX).position(|letter| *letter == '}')?;
        let inner: String = rest[..end].iter().collect();
        let (least, most) = inner.split_once(',').map_or((inner.as_str(), None), |(least, most)| (least, Some(most)));
        let number = |text: &str| -> Option<usize> {
            let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
            is_number.then(|| text.parse().unwrap_or(usize::MAX))
        };
        let least = number(least)?;
        let times = match most {
            None => Times { copies: least, least, is_bounded: true },
            Some("") => Times { copies: least.saturating_add(1), least, is_bounded: false },
            Some(most) => Times { copies: number(most)?, least, is_bounded: true },
        };
        self.at += end + 1;
        Some((format!("{{{inner}}}"), times))
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(letter) = self.next() else {
            return Err("ends with a backslash that escapes nothing".to_owned());
        };
        match letter {
            'A' | 'z' | 'b' | 'B' => {
                self.is_anchored |= letter == 'A' && self.pattern.is_empty();
                self.tables.has_borders |= matches!(letter, 'b' | 'B');
                self.assertion(&format!("\\{letter}"));
                Ok(())
            }
            'G' => {
                self.is_backtracking = true;
                self.assertion("\\G");
                Ok(())
            }
            'Z' => {
                self.end();
                Ok(())
            }
            'k' => {
                let name = self.reference()?;
                self.back_reference(&GroupName::read(&name))
            }
            '1'..='9' => {
                let begin = self.at - 1;
                let digits = self.letters[begin..].iter().take_while(|digit| digit.is_ascii_digit()).count().min(9);
                let name = GroupName::read(&self.letters[begin..begin + digits].iter().collect::<String>());
                if self.groups.find(&name).is_some() {
                    self.at = begin + digits;
                    return self.back_reference(&name);
                }
                if digits == 1 {
                    return Err(format!("refers to the group {letter}, which it does not have"));
                }
                // A number of no group is that of a character.
                self.at = begin;
                let escaped = classes::escape(self.letters, &mut self.at)?;
                self.piece(&escaped)
            }
            _ => {
                self.at -= 1;
                let escaped = classes::escape(self.letters, &mut self.at)?;
                self.piece(&escaped)
            }
        }
    }

    /// `<name>` or `'name'`.
    fn reference(&mut self) -> Result<String, String> {
        let close = match self.next() {
            Some('<') => '>',
            Some('\'') => '\'',
            _ => return Err("has a `\\k` without `<name>`".to_owned()),
        };
        let rest = &self.letters[self.at..];
        let end = rest.iter().position(|letter| *letter == close).ok_or("has a `\\k` whose name is not closed")?;
        self.at += end + 1;
        Ok(rest[..end].iter().collect())
    }

    fn back_reference(&mut self, name: &GroupName) -> Result<(), String> {
        self.is_backtracking = true;
        let indexes =
            self.groups.find(name).ok_or_else(|| format!("refers to the group `{name}`, which it does not have"))?;
        let index = match indexes {
            [0] => return Err("refers to the whole match, which has not ended there".to_owned()),
            [index] => *index,
            _ => return Err(format!("refers to `{name}`, which is the name of several groups")),
        };
        // It is as long as what the group holds.
        let cost = Cost { reach: usize::MAX, scans: 1, is_hard: true, ..Cost::of_one(2, GROUP_SIZE) };
        self.atom(&format!("(?:\\{index})"), cost);
        Ok(())
    }
}

/// Letters of the counts in braces, the closing brace included.
const COUNT_LETTERS_MAX: usize = 16;
