//! Keys for strings that compare without case. Which attribute uses which is decided by its schema, in [`crate::Filter`] and in the store.

use std::borrow::Cow;

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::ScimError;

/// The key under which a `userName` is unique and found: the PRECIS profile UsernameCaseMapped (RFC 8265 §3.3), which also refuses
/// names that could be mistaken for others (ligatures, invisible and compatibility characters, blanks).
///
/// # Errors
/// `invalidValue` when the name is empty or holds a character the profile does not allow.
pub fn fold_username(name: &str) -> Result<String, ScimError> {
    if !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic()) {
        return Ok(name.to_ascii_lowercase());
    }
    UsernameCaseMapped::enforce(name)
        .map(Cow::into_owned)
        .map_err(|_| ScimError::invalid_value("userName is empty or holds a character that is not allowed in a name"))
}

/// The key of any other string whose attribute is not `caseExact`: NFC, lower case, NFC. Characters map one by one, so a key never
/// depends on its neighbours (a final sigma folds like any sigma).
pub fn fold(text: &str) -> String {
    fold_cow(text).into_owned()
}

/// [`fold`] without a copy for text that is its own key.
pub(crate) fn fold_cow(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return if text.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        };
    }
    let lowered: String = if is_nfc(text) {
        text.chars().flat_map(char::to_lowercase).collect()
    } else {
        text.nfc().flat_map(char::to_lowercase).collect()
    };
    if is_nfc(&lowered) { Cow::Owned(lowered) } else { Cow::Owned(lowered.nfc().collect()) }
}
