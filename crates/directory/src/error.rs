//! What can go wrong in the directory. Each message is one sentence, with the cure where there is one.

use store::StoreError;

/// A failure of a use case of the directory.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Nothing of that name or id is there.
    #[error("no {kind} is named {name:?}")]
    NotFound {
        /// What was looked for: `user`, `group`, `application`, …
        kind: &'static str,
        /// The name or id as given.
        name: String,
    },
    /// Several objects have the name; ids tell them apart.
    #[error("{count} {kind}s are named {name:?}; use the object id of the one you mean")]
    Ambiguous {
        /// What was looked for.
        kind: &'static str,
        /// The name as given.
        name: String,
        /// How many have it (counting stops at a limit).
        count: usize,
    },
    /// Another object holds a value that has to be unique.
    #[error("another {kind} has the {attribute} {value:?}; choose another or change that {kind} first")]
    NotUnique {
        /// What kind of object holds it.
        kind: &'static str,
        /// The attribute.
        attribute: &'static str,
        /// The value both want.
        value: String,
    },
    /// Objects of that kind have no such attribute.
    #[error("{name} is not an attribute of {kind}s")]
    UnknownAttribute {
        /// `user` or `group`.
        kind: &'static str,
        /// The name as given.
        name: String,
    },
    /// The application has no such app role.
    #[error("the application has no app role {name:?}; it has {known}")]
    UnknownRole {
        /// The name as given.
        name: String,
        /// The roles there are, for people; a few of many.
        known: String,
    },
    /// A value that the attribute cannot have.
    #[error("{attribute} {reason}")]
    Invalid {
        /// The attribute, in the directory's spelling.
        attribute: String,
        /// What is wrong with it, as the end of a sentence that begins with the attribute.
        reason: String,
    },
    /// Nobody would be left who may administer.
    #[error("no other Global Administrator may sign in; grant the role to somebody else first")]
    LastAdministrator,
    /// A change that the state of the objects forbids.
    #[error("{0}")]
    NotAllowed(String),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DirectoryError {
    pub(crate) fn not_found(kind: &'static str, name: &(impl ToString + ?Sized)) -> Self {
        Self::NotFound { kind, name: name.to_string() }
    }

    pub(crate) fn invalid(attribute: &str, reason: impl Into<String>) -> Self {
        Self::Invalid { attribute: attribute.to_owned(), reason: reason.into() }
    }
}
