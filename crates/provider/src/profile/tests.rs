//! Each profile keeps exactly the attributes its application documents.

use super::*;

#[test]
fn the_built_in_profiles_are_read() {
    assert_eq!(Profile::names(), ["generic", "forcepoint-csg", "netskope", "palo-alto-cie", "storegate"]);
    assert!(Profile::by_name("nobody").is_none());
}
