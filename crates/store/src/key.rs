//! Folded keys: what is compared without case is folded once, here, and stored.

pub use scim::fold as folded;

/// Why a text cannot be a user name: PRECIS (RFC 8265, UsernameCaseMapped) refuses it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadKey(String);

/// The key under which a user name (SCIM `userName`, Entra's `userPrincipalName`) is unique: RFC 8265
/// UsernameCaseMapped, computed in Rust so that both databases agree whatever their locale.
pub fn folded_user_name(text: &str) -> Result<String, BadKey> {
    scim::fold_username(text).map_err(|error| BadKey(error.detail))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::folded_user_name;
    use crate::Store;
    use crate::settings::{put_setting, setting};
    use crate::testing::{TestDatabase, databases};

    proptest! {
        #[test]
        fn folding_a_folded_name_changes_nothing(name in any::<String>()) {
            if let Ok(folded) = folded_user_name(&name) {
                prop_assert_eq!(folded_user_name(&folded), Ok(folded));
            }
        }

        #[test]
        fn names_of_people_fold(name in "[a-zA-Z0-9._À-ÖØ-öø-ÿ]{1,40}@[a-zA-Z]{1,20}\\.com") {
            let folded = folded_user_name(&name).expect("PRECIS takes letters, digits, dot, underscore and at");
            prop_assert_eq!(folded_user_name(&folded), Ok(folded));
        }
    }

    #[test]
    fn both_databases_give_back_what_was_folded_here() {
        let opened: Vec<(Store, TestDatabase)> =
            databases().into_iter().map(|database| (database.open(), database)).collect();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        proptest!(ProptestConfig::with_cases(64), |(name in "\\PC{1,30}")| {
            let Ok(folded) = folded_user_name(&name) else { return Ok(()) };
            for (store, _) in &opened {
                let key = folded.clone();
                let kept = store.write(move |tx| {
                    put_setting(tx, &key, &key)?;
                    setting(tx, &key)
                });
                prop_assert_eq!(runtime.block_on(kept).unwrap(), Some(folded.clone()));
            }
        });
    }
}
