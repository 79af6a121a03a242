//! The names of attributes of extensions as SCIM 1.1 had them, whose URNs end with a version.

use std::borrow::Cow;

/// A target attribute with the `:` of today between the URN of its schema and its name, where a `.` stands behind the version of the
/// schema: `urn:scim:schemas:extension:enterprise:1.0.manager`, as applications of the time of SCIM 1.1 have it in their documents.
#[must_use]
pub fn with_colon_behind_version(target: &str) -> Cow<'_, str> {
    match dot_behind_version(target) {
        Some(at) => Cow::Owned(format!("{}:{}", &target[..at], &target[at + 1..])),
        None => Cow::Borrowed(target),
    }
}

fn dot_behind_version(target: &str) -> Option<usize> {
    target.get(..4).filter(|begin| begin.eq_ignore_ascii_case("urn:"))?;
    let head = target.split('[').next()?;
    let last = head.rfind(':')? + 1;
    let name = head[last..].find(|letter: char| letter.is_ascii_alphabetic())?;
    let version = head[last..last + name].strip_suffix('.')?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    version.split('.').all(is_number).then_some(last + version.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_behind_a_version_is_the_name_of_an_attribute() {
        for (text, expected) in [
            ("urn:scim:schemas:extension:enterprise:1.0.manager", "urn:scim:schemas:extension:enterprise:1.0:manager"),
            ("URN:scim:schemas:core:1.0.name.givenName", "URN:scim:schemas:core:1.0:name.givenName"),
            (
                r#"urn:scim:schemas:extension:x:1.0.badges[type eq "a:1.b"].code"#,
                r#"urn:scim:schemas:extension:x:1.0:badges[type eq "a:1.b"].code"#,
            ),
        ] {
            assert_eq!(with_colon_behind_version(text), expected);
        }
        for same in [
            "userName",
            "name.givenName",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.manager",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            "urn:example:1.0",
            "urn:example:1..x",
            "urn:example:.x",
            "urn:example:2Foo.x",
            "urn:",
            "urn",
            "",
        ] {
            assert_eq!(with_colon_behind_version(same), same);
        }
    }

    proptest! {
        #[test]
        fn what_is_of_today_stays(text in "(urn:)?[a1.:\\[é]{0,16}") {
            let once = with_colon_behind_version(&text).into_owned();
            prop_assert_eq!(with_colon_behind_version(&once), once.as_str());
        }
    }
}
