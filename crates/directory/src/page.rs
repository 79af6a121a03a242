//! Pages of long lists.

/// A page of a list in the order of ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, Id> {
    /// What was found; a page that ends early for the sake of time may hold none and still have a next one.
    pub items: Vec<T>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Id>,
}
