//! Keys for strings that compare without case. Which attribute uses which is decided by its schema, in [`crate::Filter`] and in the store.

use std::borrow::Cow;

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation;
use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::ScimError;

/// The key under which a `userName` is unique and found: the PRECIS profile UsernameCaseMapped (RFC 8265 §3.3), which also refuses
/// names that could be mistaken for others (ligatures, invisible and compatibility characters). A name may have parts with a blank
/// between them (RFC 8265 §3.1); each part follows the profile, and two blanks, or one at an end, are refused as no difference that
/// anybody sees. A final sigma counts as any other: the profile tells them apart, and then a name in capitals would not be the same name.
///
/// ```
/// assert_eq!(scim::fold_username("Ada@Contoso.Example")?, scim::fold_username("ada@contoso.example")?);
/// assert!(scim::fold_username("ada\u{200b}@contoso.example").is_err(), "nobody sees the character in the middle");
/// # Ok::<(), scim::ScimError>(())
/// ```
///
/// # Errors
/// `invalidValue` when the name is empty or holds a character the profile does not allow.
pub fn fold_username(name: &str) -> Result<String, ScimError> {
    if name.bytes().all(|b| b.is_ascii_graphic() || b == b' ') && name.split(' ').all(|part| !part.is_empty()) {
        return Ok(name.to_ascii_lowercase());
    }
    if !name.contains(' ') {
        return fold_part(name);
    }
    Ok(name.split(' ').map(fold_part).collect::<Result<Vec<_>, _>>()?.join(" "))
}

/// What stands between the blanks of a name.
fn fold_part(part: &str) -> Result<String, ScimError> {
    let refused = || {
        ScimError::invalid_value(
            "userName is empty, holds a character that is not allowed in a name, or a blank that is not alone between others",
        )
    };
    let key = UsernameCaseMapped::enforce(part).map_err(|_| refused())?;
    // A few characters (capital Cherokee letters) map to ones that are refused: such a name would differ from its own key.
    match UsernameCaseMapped::enforce(key.as_ref()) {
        Ok(again) if again == key => Ok(key.replace(FINAL_SIGMA, SIGMA)),
        _ => Err(refused()),
    }
}

const FINAL_SIGMA: char = 'ς';
const SIGMA: &str = "σ";

/// The key of any other string whose attribute is not `caseExact`: NFC, lower case with one sigma, NFC. Characters map one by one, so a
/// key never depends on its neighbours.
///
/// A letter whose capital is written with several, or is another letter's too, is not its capital: `ß` is not `SS`, the Turkish `ı` not
/// `I` (nor `İ` the same as `i`), `ſ` not `S`, the micro sign not `Μ`; nor are ligatures, old forms of Cyrillic letters, and Greek ones
/// that are symbols (`ϐ`) or have an iota below (`ᾳ`).
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
    let lowered: String =
        if is_nfc(text) { text.chars().flat_map(lower).collect() } else { text.nfc().flat_map(lower).collect() };
    if is_nfc(&lowered) { Cow::Owned(lowered) } else { Cow::Owned(lowered.nfc().collect()) }
}

/// What folding a text costs at the most, in bytes that are compared: one of a text that is not ASCII costs as much as many of one that is.
pub fn fold_effort(text: &str) -> u64 {
    let each = if text.is_ascii() { 1 } else { crate::filter::FOLD_WORK };
    each.saturating_mul(text.len() as u64)
}

fn lower(c: char) -> impl Iterator<Item = char> {
    let c = if c == FINAL_SIGMA { 'σ' } else { c };
    c.to_lowercase()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_look_alike_are_refused_or_joined() {
        for (name, expected) in [
            ("Ada@Contoso.Example", Some("ada@contoso.example")),
            ("Ａda", Some("ada")),
            ("re\u{301}ne\u{301}", Some("réné")),
            ("STRAßE", Some("straße")),
            ("ΟΔΟΣ", Some("οδοσ")),
            ("οδος", Some("οδοσ")),
            ("Νίκος@Πωλήσεις.example", Some("νίκοσ@πωλήσεισ.example")),
            ("Barbara Jensen", Some("barbara jensen")),
            ("Ｂarbara JENSÉN III", Some("barbara jensén iii")),
            ("ΟΔΟΣ ος", Some("οδοσ οσ")),
            ("a  b", None),
            (" a", None),
            ("a ", None),
            ("é ", None),
            (" é", None),
            ("é  b", None),
            ("a\u{3000}b", None),
            ("a\u{a0}b", None),
            ("a ﬁ", None),
            ("", None),
            ("  ", None),
            ("ﬁona", None),
            ("\u{17f}am", None),
            ("\u{212a}ate", None),
            ("a\u{200b}b", None),
            ("a\u{202e}b", None),
            ("a\tb", None),
            ("a\u{1b}b", None),
            ("a\u{2028}b", None),
            ("😀", None),
        ] {
            assert_eq!(fold_username(name).ok().as_deref(), expected, "{name:?}");
        }
    }

    #[test]
    fn the_fast_path_agrees_with_the_profile() {
        for c in (0_u8..128).map(char::from) {
            let name = format!("a{c}");
            let profile = UsernameCaseMapped::enforce(name.as_str()).ok().map(Cow::into_owned);
            assert_eq!(fold_username(&name).ok(), profile, "{c:?}");
        }
    }

    #[test]
    fn every_character_folds_once() {
        for c in '\0'..=char::MAX {
            let once = fold(&c.to_string());
            assert_eq!(fold(&once), once, "{c:?}");
        }
    }

    /// Those that the documentation of [`fold`] names.
    const OTHER_CAPITALS: [std::ops::RangeInclusive<char>; 17] = [
        'µ'..='µ',
        'ß'..='ß',
        'ı'..='ı',
        'ŉ'..='ŉ',
        'ſ'..='ſ',
        '\u{345}'..='\u{345}',
        'ϐ'..='ϑ',
        'ϕ'..='ϖ',
        'ϰ'..='ϱ',
        'ϵ'..='ϵ',
        'և'..='և',
        '\u{1c80}'..='\u{1c88}',
        'ẚ'..='ẛ',
        'ᾀ'..='ᾯ',
        'ᾲ'..='ᾷ',
        'ᾼ'..='ῼ',
        'ﬀ'..='ﬗ',
    ];

    #[test]
    fn a_letter_is_its_capital() {
        for c in ('\0'..=char::MAX).filter(|c| !OTHER_CAPITALS.iter().any(|range| range.contains(c))) {
            let text = c.to_string();
            assert_eq!(fold(&text.to_uppercase()), fold(&text), "{c:?}");
            assert_eq!(fold(&text.to_lowercase()), fold(&text), "{c:?}");
        }
    }

    #[test]
    fn a_name_of_any_character_has_a_stable_key_or_none() {
        for c in '\0'..='\u{1ffff}' {
            if let Ok(once) = fold_username(&format!("a{c}")) {
                assert_eq!(fold_username(&once), Ok(once), "{c:?}");
            }
        }
        assert!(fold_username("\u{13a0}").is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn su_09_a_key_is_its_own_key(name in "[\\PC\u{300}-\u{36f}ﬀ-ﬆＡ-ｚİıςſ]{1,8}") {
            if let Ok(key) = fold_username(&name) {
                prop_assert_eq!(fold_username(&key), Ok(key.clone()));
                let decomposed: String = key.nfd().collect();
                if let Ok(same) = fold_username(&decomposed) {
                    prop_assert_eq!(same, key);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn a_word_is_its_capitals(word in "[A-Za-zÀ-ÖØ-Þà-öø-ÿĀ-İĲ-ňŊ-žΑ-ΡΣ-Ϋά-ώЀ-џԱ-Ֆա-ֆა-ჰ ]{0,20}") {
            prop_assert_eq!(fold(&word.to_uppercase()), fold(&word));
            prop_assert_eq!(fold(&word.to_lowercase()), fold(&word));
        }

        #[test]
        fn folding_a_name_twice_is_folding_it_once(name in any::<String>()) {
            if let Ok(once) = fold_username(&name) {
                prop_assert_eq!(fold_username(&once), Ok(once));
            }
        }
    }
}
