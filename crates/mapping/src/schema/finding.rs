//! What an administrator is told about a schema that comes in or goes out.

use std::fmt;

use serde::Serialize;

/// What a finding means for the part it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// It does not work on the other side, and is left out there. It stays in the document.
    NotSupported,
    /// It works, but not as on the other side.
    Different,
    /// It works the same; worth knowing all the same.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotSupported => "not supported",
            Self::Different => "different",
            Self::Note => "note",
        })
    }
}

/// One thing to be told. `Display` is one line: severity, short place, reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it means.
    pub severity: Severity,
    /// The import is not carried out while this stands: what is left would provision other people, or in another way, than the document says.
    pub blocks: bool,
    /// Where: the rule, the object mapping, the target attribute.
    pub place: String,
    /// The same in few words, for people who have one document before them, such as `users: target attribute title`. None where there are
    /// none.
    #[serde(skip)]
    pub short_place: Option<String>,
    /// Why, what happens, and how to mend it.
    pub reason: String,
}

impl Finding {
    pub(super) fn new(severity: Severity, place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { severity, blocks: false, place: place.into(), short_place: None, reason: reason.into() }
    }

    pub(super) fn not_supported(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Severity::NotSupported, place, reason)
    }

    pub(super) fn different(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Severity::Different, place, reason)
    }

    pub(super) fn note(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Severity::Note, place, reason)
    }

    /// Shortens what its place begins with.
    pub(super) fn shorten(&mut self, begin: &str, short: &str) {
        let rest = self.place.strip_prefix(begin).map(|rest| rest.strip_prefix(", ").unwrap_or(rest));
        self.short_place = rest.map(|rest| if rest.is_empty() { short.to_owned() } else { format!("{short}: {rest}") });
    }

    /// Where, in as few words as there are.
    pub fn shown_place(&self) -> &str {
        self.short_place.as_deref().unwrap_or(&self.place)
    }

    pub(super) fn blocking(self) -> Self {
        Self { blocks: true, ..self }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.severity, self.shown_place(), self.reason)
    }
}
