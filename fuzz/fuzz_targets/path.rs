//! Any text is a path or refused; a path prints to text that is the same path. The same for lists of paths.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use scim::{AttributePath, Projection, ResourceType};

static USER: LazyLock<ResourceType> = LazyLock::new(ResourceType::user);

fuzz_target!(|text: &str| {
    let user = &*USER;
    if let Ok(path) = text.parse::<AttributePath>() {
        assert_eq!(path.to_string().parse::<AttributePath>().as_ref(), Ok(&path));
        if let Some(resolved) = user.resolve(&path) {
            let canonical = resolved.to_string();
            let again: AttributePath = canonical.parse().expect("a canonical path is a path");
            assert_eq!(user.resolve(&again).map(|found| found.to_string()), Some(canonical));
        }
    }
    if let Ok(projection) = Projection::read(Some(text), None) {
        let mut resource =
            scim::Attributes::from_iter([("id".to_owned(), "1".into()), ("userName".to_owned(), "ada".into())]);
        projection.apply(user, &mut resource);
        assert!(resource.contains_key("id"));
    }
});
