//! Turns a regular expression of .NET into one of the engine that runs it: the two write classes, options and ends of lines differently, and
//! number groups differently. What .NET refuses is refused, in words. The language is described in
//! <https://learn.microsoft.com/en-us/dotnet/standard/base-types/regular-expression-language-quick-reference>.

use super::classes;
use super::groups::{GroupName, Groups};

/// Groups inside one another.
const DEPTH_MAX: usize = 50;
/// The size of a pattern with its counted repetitions written out: 5 MB and 20 ms, roughly.
pub(crate) const WEIGHT_MAX: usize = 20_000;
/// What the end of a text is, where the text ends with a line feed: `$` of .NET also matches before it.
const END_OR_LAST_LINE: &str = "(?=\\n?\\z)";

/// A translated pattern.
#[derive(Debug)]
pub(super) struct Translated {
    /// For texts that do not end with a line feed.
    pub(super) pattern: String,
    /// For texts that do, where that is another one.
    pub(super) before_line_feed: Option<String>,
    pub(super) groups: Groups,
    /// What one step through a text costs at the most, roughly.
    pub(super) weight: usize,
    /// Whether it needs an engine that tries one way after the other.
    pub(super) is_backtracking: bool,
}

/// Translates a pattern, or says in words what is wrong with it.
pub(super) fn translate(text: &str) -> Result<Translated, String> {
    let letters: Vec<char> = text.chars().collect();
    let groups = Groups::declared(&letters)?;
    let mut translator = Translator {
        letters: &letters,
        at: 0,
        pattern: String::with_capacity(text.len() * 2),
        ends: Vec::new(),
        groups,
        opened: Vec::new(),
        options: Options::default(),
        sums: vec![0],
        last: None,
        is_backtracking: false,
    };
    translator.run()?;
    Ok(translator.finish())
}

/// Options that change how the rest is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    pub(super) is_multiline: bool,
    pub(super) is_explicit: bool,
    pub(super) is_extended: bool,
}

struct Translator<'t> {
    letters: &'t [char],
    at: usize,
    pattern: String,
    /// Where in `pattern` the end of a text stands.
    ends: Vec<usize>,
    groups: Groups,
    /// The options before each group that is open.
    opened: Vec<Options>,
    options: Options,
    /// What the atoms of each open group cost together, the whole first.
    sums: Vec<usize>,
    /// What the last atom costs, which a quantifier multiplies; `None` where there is none that could be repeated.
    last: Option<usize>,
    is_backtracking: bool,
}

impl Translator<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(letter) = self.next() {
            match letter {
                '\\' => self.escape()?,
                '[' => {
                    let class = classes::class(self.letters, &mut self.at)?;
                    self.atom(&class.text, class.weight)?;
                }
                '(' => self.open()?,
                ')' => self.close()?,
                '|' => {
                    self.pattern.push('|');
                    self.last = None;
                }
                '*' | '+' | '?' => self.quantifier((letter.to_string(), usize::from(letter != '?') + 1))?,
                '{' => match self.counts() {
                    Some(counts) => self.quantifier(counts)?,
                    None => self.literal('{')?,
                },
                '^' => self.atom("^", 1)?,
                '$' if self.options.is_multiline => self.atom("$", 1)?,
                '$' => self.end()?,
                '.' => self.atom(".", 2)?,
                '#' if self.options.is_extended => while self.next().is_some_and(|letter| letter != '\n') {},
                blank if self.options.is_extended && blank.is_whitespace() => {}
                letter => self.literal(letter)?,
            }
        }
        if self.opened.is_empty() { Ok(()) } else { Err("has a `(` that is not closed".to_owned()) }
    }

    fn finish(self) -> Translated {
        let before_line_feed = (!self.ends.is_empty()).then(|| {
            let (mut pattern, mut from) = (String::new(), 0);
            for at in &self.ends {
                pattern.push_str(&self.pattern[from..*at]);
                pattern.push_str(END_OR_LAST_LINE);
                from = at + "\\z".len();
            }
            pattern + &self.pattern[from..]
        });
        Translated {
            pattern: self.pattern,
            before_line_feed,
            groups: self.groups,
            weight: self.sums.iter().sum::<usize>().max(1),
            is_backtracking: self.is_backtracking,
        }
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

    fn atom(&mut self, text: &str, weight: usize) -> Result<(), String> {
        self.pattern.push_str(text);
        self.weigh(weight)?;
        self.last = Some(weight);
        Ok(())
    }

    fn literal(&mut self, letter: char) -> Result<(), String> {
        let mut text = String::new();
        classes::push_literal(&mut text, letter);
        self.atom(&text, 1)
    }

    fn end(&mut self) -> Result<(), String> {
        self.ends.push(self.pattern.len());
        self.atom("\\z", 1)
    }

    fn weigh(&mut self, more: usize) -> Result<(), String> {
        let sum = self.sums.last_mut().expect("the whole is always open");
        *sum = sum.saturating_add(more);
        if *sum > WEIGHT_MAX { Err("is too large: its repetitions multiply".to_owned()) } else { Ok(()) }
    }

    /// A quantifier and what it multiplies the costs by.
    fn quantifier(&mut self, (text, times): (String, usize)) -> Result<(), String> {
        let Some(weight) = self.last.take() else {
            return Err(format!("has the quantifier `{text}` where there is nothing to repeat"));
        };
        self.weigh(weight.saturating_mul(times.saturating_sub(1)))?;
        self.pattern.push_str(&text);
        if self.peek() == Some('?') {
            self.at += 1;
            self.pattern.push('?');
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

    /// `n}`, `n,}` or `n,m}` behind a brace; anything else leaves the brace a letter.
    fn counts(&mut self) -> Option<(String, usize)> {
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
            None => least,
            Some("") => least.saturating_add(1),
            Some(most) => number(most)?,
        };
        self.at += end + 1;
        Some((format!("{{{inner}}}"), times))
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(letter) = self.next() else {
            return Err("ends with a backslash that escapes nothing".to_owned());
        };
        match letter {
            'A' | 'z' | 'b' | 'B' => self.atom(&format!("\\{letter}"), 1),
            'G' => {
                self.is_backtracking = true;
                self.atom("\\G", 1)
            }
            'Z' => self.end(),
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
                self.atom(&escaped.text, escaped.weight)
            }
            _ => {
                self.at -= 1;
                let escaped = classes::escape(self.letters, &mut self.at)?;
                self.atom(&escaped.text, escaped.weight)
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
        self.atom(&format!("(?:\\{index})"), 2)
    }

    fn open(&mut self) -> Result<(), String> {
        if self.opened.len() >= DEPTH_MAX {
            return Err(format!("has groups more than {DEPTH_MAX} deep"));
        }
        if !self.take("?") {
            let text = if self.options.is_explicit { "(?:" } else { "(" };
            self.enter(text);
            return Ok(());
        }
        if self.take("#") {
            while self.next().ok_or("has a comment that is not closed")? != ')' {}
            return Ok(());
        }
        for (text, is_backtracking) in [("<=", true), ("<!", true), ("=", true), ("!", true), (">", true), (":", false)]
        {
            if self.take(text) {
                self.is_backtracking |= is_backtracking;
                self.enter(&format!("(?{text}"));
                return Ok(());
            }
        }
        match self.peek() {
            Some('<' | '\'') => {
                let close = if self.next() == Some('<') { '>' } else { '\'' };
                while self.next().ok_or("has a group whose name is not closed")? != close {}
                self.enter("(");
                Ok(())
            }
            Some('(') => Err("asks whether a group took part (`(?(`), which is not supported".to_owned()),
            _ => self.inline_options(),
        }
    }

    fn enter(&mut self, text: &str) {
        self.pattern.push_str(text);
        self.opened.push(self.options);
        self.sums.push(0);
        self.last = None;
    }

    fn close(&mut self) -> Result<(), String> {
        let Some(options) = self.opened.pop() else {
            return Err("has a `)` that closes nothing".to_owned());
        };
        self.options = options;
        let sum = self.sums.pop().expect("each open group has one").saturating_add(1);
        self.atom(")", sum)
    }

    /// `(?imnsx-imnsx)` for the rest of the group, or `(?imnsx-imnsx:` for a group of its own.
    fn inline_options(&mut self) -> Result<(), String> {
        let before = self.options;
        let (mut is_on, mut flags) = (true, [String::new(), String::new()]);
        loop {
            match self.next() {
                Some('-') if is_on => is_on = false,
                Some('n') => self.options.is_explicit = is_on,
                Some('x') => self.options.is_extended = is_on,
                Some(flag @ ('i' | 's' | 'm')) => {
                    if flag == 'm' {
                        self.options.is_multiline = is_on;
                    }
                    flags[usize::from(!is_on)].push(flag);
                }
                Some(end @ (')' | ':')) => {
                    let [on, off] = flags;
                    let off = if off.is_empty() { off } else { format!("-{off}") };
                    let text = format!("(?{on}{off}{end}");
                    if end == ':' {
                        let inside = self.options;
                        self.options = before;
                        self.enter(&text);
                        self.options = inside;
                    } else if text.len() > "(?)".len() {
                        self.pattern.push_str(&text);
                        self.last = None;
                    }
                    return Ok(());
                }
                _ => return Err("has a `(?` that begins no group of .NET".to_owned()),
            }
        }
    }
}

/// Letters of the counts in braces, the closing brace included.
const COUNT_LETTERS_MAX: usize = 16;
