//! Counts in sentences for people.

/// A count with its noun, in the plural where there is not one.
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_no_plural() {
        for (count, expected) in [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (21, "21 rows")] {
            assert_eq!(counted(count, "row"), expected);
        }
    }
}
