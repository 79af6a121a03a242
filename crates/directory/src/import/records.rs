//! Splits a file into records: rows of a table (RFC 4180), or lines. Each record is limited, and of one that is too long nothing is
//! kept: so no file needs much memory. Such a record ends where it would have ended: what stands inside quotes never becomes a row
//! of its own.

use std::io::{self, BufRead};

#[cfg(test)]
mod tests;

/// The most bytes of one row; a longer one is left out.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// The most bytes of one field; a row with a longer one is left out.
pub const FIELD_BYTES_MAX: usize = 64 << 10;

/// How records are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Fields are separated by this byte, and may be quoted; line breaks inside quotes belong to the field.
    Table(u8),
    /// A record is a line, of one field.
    Lines,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote inside quotes: the end of the field, or the first half of a doubled quote.
    Quote,
}

/// How reading a record ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The record is whole.
    Whole,
    /// It is longer than [`RECORD_BYTES_MAX`] and was skipped.
    TooLong,
    /// The file ends inside quotes.
    OpenQuote,
}

/// Reads the records of a file, one at a time into the same memory.
pub(super) struct Records<R> {
    input: R,
    /// Bytes read so far.
    pub(super) bytes: u64,
    splitter: Splitter,
}

impl<R: BufRead> Records<R> {
    pub(super) const fn new(input: R, shape: Shape) -> Self {
        let splitter = Splitter {
            shape,
            next_line: 1,
            line: 1,
            state: State::FieldStart,
            length: 0,
            too_long: false,
            at_line_start: true,
            data: Vec::new(),
            ends: Vec::new(),
        };
        Self { input, bytes: 0, splitter }
    }

    /// Goes on with another shape, as after a header that told it.
    pub(super) const fn reshape(&mut self, shape: Shape) {
        self.splitter.shape = shape;
    }

    /// Reads the next record that is not a blank line; `None` at the end of the file.
    pub(super) fn advance(&mut self) -> io::Result<Option<Ended>> {
        loop {
            match self.advance_once()? {
                Some(Ended::Whole) if self.splitter.is_blank() => {}
                other => return Ok(other),
            }
        }
    }

    fn advance_once(&mut self) -> io::Result<Option<Ended>> {
        self.splitter.start();
        loop {
            let chunk = match self.input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if chunk.is_empty() {
                return Ok(self.splitter.at_end_of_file());
            }
            let (taken, ended) = self.splitter.feed(chunk);
            self.input.consume(taken);
            self.bytes += taken as u64;
            if ended.is_some() {
                return Ok(ended);
            }
        }
    }

    /// The line on which the record begins.
    pub(super) const fn line(&self) -> u64 {
        self.splitter.line
    }

    /// The last line of a record that is not whole.
    pub(super) fn last_line(&self) -> u64 {
        let Splitter { at_line_start, next_line, line, .. } = &self.splitter;
        (next_line - u64::from(*at_line_start)).max(*line)
    }

    /// The fields of the record.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let Splitter { data, ends, .. } = &self.splitter;
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(ends).map(|(start, end)| &data[start..*end])
    }

    /// How many fields the record has.
    pub(super) const fn field_count(&self) -> usize {
        self.splitter.ends.len()
    }
}

/// Takes a file byte by byte and keeps the current record.
struct Splitter {
    shape: Shape,
    /// The line of the next byte.
    next_line: u64,
    /// The line on which the record begins.
    line: u64,
    state: State,
    /// Bytes of the record so far, quotes and separators too.
    length: usize,
    /// Whether these are too many, so that nothing of it is kept.
    too_long: bool,
    /// Whether the next byte begins a line.
    at_line_start: bool,
    data: Vec<u8>,
    ends: Vec<usize>,
}

impl Splitter {
    fn start(&mut self) {
        self.data.clear();
        self.ends.clear();
        (self.state, self.length, self.too_long, self.line) = (State::FieldStart, 0, false, self.next_line);
    }

    /// Takes bytes up to the end of the record; says how many, and how the record ended if it did.
    fn feed(&mut self, bytes: &[u8]) -> (usize, Option<Ended>) {
        for (position, &byte) in bytes.iter().enumerate() {
            self.length += 1;
            if self.length > RECORD_BYTES_MAX && !self.too_long {
                (self.too_long, self.data, self.ends) = (true, Vec::new(), Vec::new());
            }
            self.at_line_start = byte == b'\n';
            self.next_line += u64::from(self.at_line_start);
            if self.take(byte) {
                return (position + 1, Some(self.close()));
            }
        }
        (bytes.len(), None)
    }

    /// Takes one byte; says whether it ends the record.
    fn take(&mut self, byte: u8) -> bool {
        match (self.shape, self.state, byte) {
            (Shape::Lines, _, b'\n') | (_, State::FieldStart | State::Plain | State::Quote, b'\n') => return true,
            (Shape::Table(_), State::FieldStart, b'"') => self.state = State::Quoted,
            (Shape::Table(_), State::Quoted, b'"') => self.state = State::Quote,
            (Shape::Table(delimiter), State::FieldStart | State::Plain | State::Quote, byte) if byte == delimiter => {
                if !self.too_long {
                    self.ends.push(self.data.len());
                }
                self.state = State::FieldStart;
            }
            (Shape::Table(_), State::Quoted, byte) => self.keep(byte),
            (Shape::Table(_), State::Quote, b'"') => {
                self.state = State::Quoted;
                self.keep(b'"');
            }
            (_, _, byte) => {
                self.state = State::Plain;
                self.keep(byte);
            }
        }
        false
    }

    fn keep(&mut self, byte: u8) {
        if !self.too_long {
            self.data.push(byte);
        }
    }

    fn at_end_of_file(&mut self) -> Option<Ended> {
        match self.state {
            _ if self.length == 0 => None,
            State::Quoted => Some(Ended::OpenQuote),
            State::FieldStart | State::Plain | State::Quote => Some(self.close()),
        }
    }

    /// Closes the last field; a line may end with CR LF.
    fn close(&mut self) -> Ended {
        if self.too_long {
            return Ended::TooLong;
        }
        if self.state == State::Plain && self.data.last() == Some(&b'\r') {
            self.data.pop();
        }
        self.ends.push(self.data.len());
        Ended::Whole
    }

    fn is_blank(&self) -> bool {
        self.ends.len() == 1 && self.data.is_empty() && matches!(self.state, State::FieldStart | State::Plain)
    }
}
