//! The sign-in name of a guest as applications expect it. Who is a guest is the directory's to know.

/// What stands between the home address and the inviting tenant in a guest's user principal name.
const GUEST_MARK: &str = "#EXT#@";

/// Turns a guest's `alias_domain#EXT#@tenant` into `alias@domain`: the part before the mark, its last `_` replaced by `@`
/// (a domain cannot hold `_`). Any other name is given back unchanged. The mark is found without regard to case.
pub fn guest_user_principal_name(name: &str) -> String {
    let mark =
        name.as_bytes().windows(GUEST_MARK.len()).position(|part| part.eq_ignore_ascii_case(GUEST_MARK.as_bytes()));
    let Some(home) = mark.and_then(|end| name.get(..end)) else {
        return name.to_owned();
    };
    match home.rsplit_once('_') {
        Some((alias, domain)) => format!("{alias}@{domain}"),
        None => home.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_taken(text in any::<String>()) {
            let home = format!("{text}#EXT#@contoso.com");
            prop_assert!(!guest_user_principal_name(&home).contains("#EXT#@contoso.com"));
            if !text.to_ascii_uppercase().contains(GUEST_MARK) {
                prop_assert_eq!(guest_user_principal_name(&text), text);
            }
        }
    }

    #[test]
    fn vectors() {
        for (name, expected) in [
            ("bob_fabrikam.com#EXT#@contoso.onmicrosoft.com", "bob@fabrikam.com"),
            ("a_b_fabrikam.com#EXT#@c.com", "a_b@fabrikam.com"),
            ("bob_fabrikam.com#ext#@contoso.com", "bob@fabrikam.com"),
            ("bob@contoso.com", "bob@contoso.com"),
            ("bob#EXT#@contoso.com", "bob"),
            ("zoë_exämple.com#EXT#@c.com", "zoë@exämple.com"),
            ("#EXT#@", ""),
            ("", ""),
        ] {
            assert_eq!(guest_user_principal_name(name), expected, "{name}");
        }
    }
}
