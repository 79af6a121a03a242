//! The paths of keys, as they are stored: those that most keys have by a number, since the path is in each row of the tree that every
//! look-up by a key searches.

/// The paths with their numbers, which are never given to another one. A number cannot be an attribute's name: those begin with a letter
/// (RFC 7643 §2.1).
const NUMBERS: [(&str, &str); 4] = [
    ("externalId", "1"),
    ("emails.value", "2"),
    ("displayName", "3"),
    ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber", "4"),
];

/// The path as it is stored.
pub(crate) fn stored(path: &str) -> &str {
    NUMBERS.iter().find(|(known, _)| *known == path).map_or(path, |(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::{NUMBERS, stored};

    #[test]
    fn every_path_has_one_number_and_others_stay_as_they_are() {
        for (number, (path, stored_as)) in (1..).zip(NUMBERS) {
            assert_eq!((stored(path), stored_as), (stored_as, number.to_string().as_str()));
        }
        for path in ["title", "externalid", "", "urn:example:1:externalId"] {
            assert_eq!(stored(path), path);
        }
    }
}
