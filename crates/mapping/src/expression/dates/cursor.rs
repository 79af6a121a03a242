//! A place in a text that is read from the left, for the readers of dates.

/// What is still to be read.
pub(super) struct Cursor<'t> {
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// How many digits come next.
    pub(super) fn digits_ahead(&self) -> usize {
        self.rest.bytes().take_while(u8::is_ascii_digit).count()
    }

    /// A number of so many digits: as many as there are, up to `most`.
    pub(super) fn number(&mut self, least: usize, most: usize) -> Option<i32> {
        let digits = self.digits(least, most)?;
        digits.parse().ok()
    }

    /// The digits themselves.
    pub(super) fn digits(&mut self, least: usize, most: usize) -> Option<&'t str> {
        let count = self.digits_ahead().min(most);
        if count < least {
            return None;
        }
        let (digits, rest) = self.rest.split_at(count);
        self.rest = rest;
        Some(digits)
    }

    /// Passes one character, where it is this one.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Passes a word in any case, where it comes next.
    pub(super) fn take_word(&mut self, word: &str) -> bool {
        let is_next = self.rest.get(..word.len()).is_some_and(|next| next.eq_ignore_ascii_case(word));
        if is_next {
            self.rest = &self.rest[word.len()..];
        }
        is_next
    }

    /// The place of the first of these words that comes next, which is passed.
    pub(super) fn take_one_of(&mut self, words: &[&str]) -> Option<usize> {
        words.iter().position(|word| self.take_word(word))
    }

    /// Passes white space; says whether there was any.
    pub(super) fn blanks(&mut self) -> bool {
        let rest = self.rest.trim_start();
        let were_there = rest.len() < self.rest.len();
        self.rest = rest;
        were_there
    }

    /// `+hh:mm`, `+hhmm` or `+hh`.
    pub(super) fn offset(&mut self) -> Option<Offset> {
        let is_west = self.take('-');
        if !is_west && !self.take('+') {
            return None;
        }
        let hours = self.number(1, 2)?;
        let minutes = if self.take(':') || self.digits_ahead() == 2 { self.number(2, 2)? } else { 0 };
        Some(Offset { is_west, hours, minutes })
    }

    /// Parts of a second as ticks; what is smaller is left away.
    pub(super) fn ticks(&mut self, least: usize, most: usize) -> Option<i32> {
        let digits = self.digits(least, most)?;
        let kept = &digits[..digits.len().min(TICK_DIGITS)];
        let ticks: i32 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
        Some((kept.len()..TICK_DIGITS).fold(ticks, |ticks, _| ticks * 10))
    }
}

/// An offset as it is written, whether or not there is such a one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offset {
    is_west: bool,
    hours: i32,
    minutes: i32,
}

impl Offset {
    /// That of UTC.
    pub(super) const NONE: Self = Self { is_west: false, hours: 0, minutes: 0 };

    /// Seconds east of Greenwich; .NET knows none beyond fourteen hours.
    pub(super) fn seconds(self) -> Option<i32> {
        let seconds = (self.hours * 60 + self.minutes) * 60;
        (self.minutes < 60 && seconds <= OFFSET_MAX).then_some(if self.is_west { -seconds } else { seconds })
    }
}

/// Digits behind the second that a tick has.
const TICK_DIGITS: usize = 7;
const OFFSET_MAX: i32 = 14 * 60 * 60;
