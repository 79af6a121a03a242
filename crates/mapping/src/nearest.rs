//! Finds the known name that a mistyped one most likely meant. What is done with it is the caller's.

/// More changed characters than this, and the names have nothing to do with each other.
const DISTANCE_MAX: usize = 2;

/// The candidate that differs only in case, else the closest one by edit distance (at most two changes, and fewer changes
/// than half of what was written).
pub fn nearest<'a>(written: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    if let Some(same) = candidates.clone().find(|candidate| candidate.eq_ignore_ascii_case(written)) {
        return Some(same);
    }
    candidates
        .filter(|candidate| candidate.len().abs_diff(written.len()) <= DISTANCE_MAX)
        .map(|candidate| (distance(written, candidate), candidate))
        .filter(|(distance, _)| *distance <= DISTANCE_MAX && distance * 2 < written.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letters that were added, left out, taken for another, or put in the wrong order beside each other.
fn distance(left: &str, right: &str) -> usize {
    let (left, right) = (left.to_ascii_lowercase().into_bytes(), right.to_ascii_lowercase().into_bytes());
    let (mut older, mut old): (Vec<usize>, Vec<usize>) = (Vec::new(), (0..=right.len()).collect());
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut least = (old[j] + usize::from(a != b)).min(old[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && *b == left[i - 1] {
                least = least.min(older[j - 1] + 1);
            }
            row.push(least);
        }
        (older, old) = (old, row);
    }
    old[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        let known = ["Append", "ToLower", "ToUpper", "Mid", "EQUALS"];
        for (written, expected) in [
            ("append", Some("Append")),
            ("Apend", Some("Append")),
            ("ToLowr", Some("ToLower")),
            ("EQUAL", Some("EQUALS")),
            ("Apepnd", Some("Append")),
            ("Mdi", Some("Mid")),
            ("Md", None),
            ("Completely", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, known.into_iter()), expected, "{written}");
        }
    }
}
