//! One filter for each meaning, where clients may write it in several ways.

use scim::{AttributePath, Filter, Literal};

use crate::EntityTag;

/// The filter with its names in lower case: names know no case (RFC 7643 §2.1), and a client may spell them anew on every page. As deep as
/// the filter, whose depth its parser has bounded.
pub(super) fn folded(filter: &Filter) -> Filter {
    let all = |members: &[Filter]| members.iter().map(folded).collect();
    match filter {
        Filter::And(members) => Filter::And(all(members)),
        Filter::Or(members) => Filter::Or(all(members)),
        Filter::Not(inner) => Filter::Not(Box::new(folded(inner))),
        Filter::Present(path) => Filter::Present(folded_path(path)),
        Filter::Compare { path, operator, value } => {
            Filter::Compare { path: folded_path(path), operator: *operator, value: value.clone() }
        }
        Filter::ValuePath { path, filter } => {
            Filter::ValuePath { path: folded_path(path), filter: Box::new(folded(filter)) }
        }
    }
}

fn folded_path(path: &AttributePath) -> AttributePath {
    AttributePath {
        urn: path.urn.as_deref().map(str::to_lowercase),
        attribute: path.attribute.to_lowercase(),
        filter: path.filter.as_deref().map(folded).map(Box::new),
        sub_attribute: path.sub_attribute.as_deref().map(str::to_lowercase),
    }
}

/// Takes from the tags that a filter of `meta.version` names what they say of memberships, which are no part of a stored resource.
pub(super) fn without_memberships(filter: &mut Filter, is_in_meta: bool) {
    match filter {
        Filter::And(members) | Filter::Or(members) => {
            for member in members {
                without_memberships(member, is_in_meta);
            }
        }
        Filter::Not(inner) => without_memberships(inner, is_in_meta),
        Filter::Compare { path, value: Literal::String(tag), .. } => {
            let named = path.sub_attribute.as_deref().filter(|_| is_meta(path));
            let named = named.or_else(|| is_in_meta.then_some(path.attribute.as_str()));
            if named.is_some_and(|name| name.eq_ignore_ascii_case("version"))
                && let Some(known) = EntityTag::read(tag)
            {
                // `W/"3"` of `W/"3-0123456789abcdef"`.
                *tag = EntityTag::of(known.version()).to_string();
            }
        }
        Filter::Present(_) | Filter::Compare { .. } => {}
        Filter::ValuePath { path, filter } => without_memberships(filter, is_meta(path)),
    }
}

fn is_meta(path: &AttributePath) -> bool {
    path.urn.is_none() && path.attribute.eq_ignore_ascii_case("meta")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_filter_in_many_spellings_is_one() {
        let folded_text = |text: &str| folded(&text.parse().unwrap()).to_string();
        for (one, other) in [
            ("userName sw \"J\"", "USERNAME SW \"J\""),
            ("emails[type eq \"work\"].value pr", "Emails[Type eq \"work\"].VALUE pr"),
            ("not (Meta.Version eq \"x\") or A pr", "not (meta.version eq \"x\") or a pr"),
            ("urn:example:A:2.0:User:x eq 1", "URN:example:a:2.0:user:X eq 1"),
        ] {
            assert_eq!(folded_text(one), folded_text(other));
        }
        assert_ne!(folded_text("userName sw \"J\""), folded_text("userName sw \"j\""), "a value is as it is");
    }

    #[test]
    fn tags_are_compared_by_the_version_in_them() {
        for (text, expected) in [
            (r#"meta.version eq "W/\"3-0123456789abcdef\"""#, r#"meta.version eq "W/\"3\"""#),
            (r#"not (META.Version ne "W/\"3-0123456789abcdef\"")"#, r#"not (META.Version ne "W/\"3\"")"#),
            (r#"meta[version eq "W/\"3-0123456789abcdef\""]"#, r#"meta[version eq "W/\"3\""]"#),
            (r#"meta.version eq "W/\"3\"""#, r#"meta.version eq "W/\"3\"""#),
            (r#"meta.version eq "W/\"-0123456789abcdef\"""#, r#"meta.version eq "W/\"-0123456789abcdef\"""#),
            (r#"meta.version eq "W/\"3-x\"""#, r#"meta.version eq "W/\"3-x\"""#),
            (r#"title eq "W/\"3-0123456789abcdef\"""#, r#"title eq "W/\"3-0123456789abcdef\"""#),
            (r#"emails[version eq "W/\"3-0123456789abcdef\""]"#, r#"emails[version eq "W/\"3-0123456789abcdef\""]"#),
        ] {
            let mut filter: Filter = text.parse().unwrap();
            without_memberships(&mut filter, false);
            assert_eq!(filter.to_string(), expected);
        }
    }
}
