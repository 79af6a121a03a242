//! The groups of a pattern: where they begin and end, and how they stand to the rest.

use super::super::cost::Sum;
use super::{Atom, GROUP_SIZE, Options, Translator};

/// Groups inside one another.
const DEPTH_MAX: usize = 50;
/// Groups that capture: what is remembered of them grows with their square.
const CAPTURES_MAX: usize = 100;

/// How a group stands to the rest of the pattern.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stands {
    InLine,
    /// It is tried once at each place, whatever the rest comes to.
    Apart,
    /// The same, and backwards.
    Behind,
}

/// A group that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    /// The options before it.
    pub(super) options: Options,
    /// Where it begins in the translated pattern.
    pub(super) begin: usize,
    pub(super) is_look_around: bool,
    /// Whether nothing in it takes a character so far.
    pub(super) is_still: bool,
    pub(super) stands: Stands,
}

impl Translator<'_> {
    pub(super) fn open(&mut self) -> Result<(), String> {
        if self.opened.len() >= DEPTH_MAX {
            return Err(format!("has groups more than {DEPTH_MAX} deep"));
        }
        if !self.take("?") {
            if self.options.is_explicit {
                self.enter("(?:");
                return Ok(());
            }
            return self.capture();
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
                self.capture()
            }
            Some('(') => Err("asks whether a group took part (`(?(`), which is not supported".to_owned()),
            _ => self.inline_options(),
        }
    }

    fn capture(&mut self) -> Result<(), String> {
        self.tables.has_groups = true;
        self.captures += 1;
        if self.captures > CAPTURES_MAX {
            return Err(format!("has more than {CAPTURES_MAX} groups: write `(?:` for those that nothing asks for"));
        }
        self.enter("(");
        Ok(())
    }

    fn enter(&mut self, text: &str) {
        self.settle();
        let is_look_around = ["(?=", "(?!", "(?<"].iter().any(|begin| text.starts_with(begin));
        let stands = match text {
            "(?<=" | "(?<!" => Stands::Behind,
            "(?=" | "(?!" | "(?>" => Stands::Apart,
            _ => Stands::InLine,
        };
        let (options, begin) = (self.options, self.pattern.len());
        self.opened.push(Opened { options, begin, is_look_around, is_still: true, stands });
        self.pattern.push_str(text);
        self.sums.push(Sum::EMPTY);
    }

    pub(super) fn close(&mut self) -> Result<(), String> {
        self.settle();
        let Some(Opened { options, begin, is_look_around, is_still, stands }) = self.opened.pop() else {
            return Err("has a `)` that closes nothing".to_owned());
        };
        self.options = options;
        let mut cost = self.sums.pop().expect("each open group has one").total();
        cost.weight = cost.weight.saturating_add(1);
        cost.size = cost.size.saturating_add(GROUP_SIZE);
        // What a group holds is put down, and which groups were put down before is looked through.
        cost.steps = cost.steps.saturating_add(self.captures);
        let cost = match stands {
            Stands::InLine => cost,
            Stands::Apart => cost.apart(),
            Stands::Behind => cost.backwards().apart(),
        };
        self.pattern.push(')');
        self.last = Some(Atom { cost, begin, is_still: is_look_around || is_still });
        Ok(())
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
                    match flag {
                        'm' => self.options.is_multiline = is_on,
                        'i' => self.options.is_caseless = is_on,
                        _ => {}
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
                        self.settle();
                    }
                    return Ok(());
                }
                _ => return Err("has a `(?` that begins no group of .NET".to_owned()),
            }
        }
    }
}
