//! The names of months, days and halves of the day in the invariant culture.

/// From January.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// From Sunday.
pub(super) const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Before noon and after it.
pub(super) const HALVES: [&str; 2] = ["AM", "PM"];

/// The only era there is.
pub(super) const ERA: &str = "A.D.";

/// The three letters that stand for a name.
pub(super) fn short(name: &'static str) -> &'static str {
    &name[..3]
}

/// [`short`] of each.
pub(super) fn shorts<const N: usize>(names: [&'static str; N]) -> [&'static str; N] {
    names.map(short)
}
