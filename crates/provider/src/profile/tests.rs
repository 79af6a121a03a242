//! Each profile keeps exactly the attributes its application documents.

use super::*;

#[test]
fn the_built_in_profiles_are_read() {
    assert_eq!(Profile::names(), ["generic", "forcepoint-csg", "netskope", "palo-alto-cie", "storegate"]);
    assert!(Profile::by_name("nobody").is_none());
}

#[test]
fn kinds_are_found_where_they_live() {
    for (profile, endpoint, expected) in [
        ("generic", "Users", Some(ResourceKind::User)),
        ("generic", "Groups", Some(ResourceKind::Group)),
        ("storegate", "Groups", None),
        ("generic", "users", Some(ResourceKind::User)),
        ("generic", "user", None),
        ("generic", "", None),
    ] {
        assert_eq!(Profile::by_name(profile).unwrap().kind_at(endpoint), expected, "{profile} {endpoint}");
    }
}
