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
