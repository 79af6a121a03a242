//! The text of a page of a list. All of it is text at once, but for the members of large groups: those are held packed, and become text
//! while the client takes it.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::Caller;
use crate::packed::{MembersText, Packed};
use crate::representation::View;

/// A part of the text.
#[derive(Debug)]
enum Piece {
    Text(String),
    Members(MembersText),
}

/// The resources of a page while it is put together.
#[derive(Debug, Default)]
pub(super) struct Resources {
    /// What comes before `text`.
    pieces: VecDeque<Piece>,
    text: String,
    /// What `pieces` take, in bytes.
    bytes: usize,
}

impl Resources {
    pub(super) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds the members of a large group.
    pub(super) fn push_members(&mut self, caller: &Arc<Caller>, view: View<'_>, packed: Packed) {
        self.bytes += self.text.len() + packed.bytes;
        self.pieces.push_back(Piece::Text(std::mem::take(&mut self.text)));
        self.pieces.push_back(Piece::Members(MembersText::new(caller, view, packed)));
    }

    /// What all of it takes, in bytes of memory.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes + self.text.len()
    }

    /// The whole list, with what comes before and behind its resources.
    pub(super) fn between(self, mut head: String, tail: &str) -> ListText {
        let Self { mut pieces, mut text, bytes } = self;
        if let Some(Piece::Text(first)) = pieces.front_mut() {
            head.push_str(first);
            *first = head;
            text.push_str(tail);
            let bytes = bytes + text.len();
            pieces.push_back(Piece::Text(text));
            return ListText { pieces, bytes };
        }
        head.reserve_exact(text.len() + tail.len());
        head.push_str(&text);
        head.push_str(tail);
        ListText { bytes: head.len(), pieces: VecDeque::from([Piece::Text(head)]) }
    }
}

/// A page of a list while its text is made. Each piece is given once; what it was made from is then let go.
#[derive(Debug)]
pub struct ListText {
    pieces: VecDeque<Piece>,
    bytes: usize,
}

impl ListText {
    /// Whether all of it is text already.
    pub fn is_short(&self) -> bool {
        self.pieces.len() <= 1
    }

    /// What it takes, in bytes of memory.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Iterator for ListText {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            match self.pieces.pop_front()? {
                Piece::Text(text) => return Some(text),
                Piece::Members(mut members) => {
                    let mut text = String::new();
                    if members.write_next(&mut text) {
                        self.pieces.push_front(Piece::Members(members));
                        return Some(text);
                    }
                }
            }
        }
    }
}
