//! The texts of secrets: 256 bits of the caller's randomness in base64url behind a prefix that tells what kind they are, so that
//! one kind is never taken for another, and people and scanners of leaked secrets recognise them.

/// Base64url digits of 32 bytes.
const SECRET_CHARS: usize = 43;
/// Bytes of every prefix.
const PREFIX_CHARS: usize = 4;
/// Characters of a secret that stay known: the prefix and six more.
const HINT_CHARS: usize = PREFIX_CHARS + 6;

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretKind {
    /// A secret token of a tenant.
    Token,
    /// An access token of an OAuth client.
    AccessToken,
    /// A secret of an OAuth client.
    ClientSecret,
}

impl SecretKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Token => "lst_",
            Self::AccessToken => "lsa_",
            Self::ClientSecret => "lsc_",
        }
    }

    /// The kind that a text has the form of.
    pub(crate) fn of(text: &str) -> Option<Self> {
        if text.len() != PREFIX_CHARS + SECRET_CHARS {
            return None;
        }
        let kinds = [Self::Token, Self::AccessToken, Self::ClientSecret].into_iter();
        let mut with_rest = kinds.filter_map(|kind| Some((kind, text.strip_prefix(kind.prefix())?)));
        let (kind, rest) = with_rest.next()?;
        rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).then_some(kind)
    }

    /// The text of a new secret.
    pub(crate) fn text(self, secret: [u8; 32]) -> String {
        let mut text = String::with_capacity(PREFIX_CHARS + SECRET_CHARS);
        text.push_str(self.prefix());
        for three in secret.chunks(3) {
            let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
            for digit in 0..=three.len() {
                text.push(char::from(DIGITS[(bits >> (18 - 6 * digit) & 63) as usize]));
            }
        }
        text
    }
}

/// What of a secret stays known, to tell it from others.
pub(crate) fn hint(text: &str) -> String {
    text.chars().take(HINT_CHARS).collect()
}

/// The digits of base64url (RFC 4648 §5).
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_secret_is_base64url_of_its_bytes() {
        for (secret, expected) in [
            ([0; 32], "lst_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            ([255; 32], "lst___________________________________________8"),
            ([0x4d; 32], "lst_TU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU0"),
        ] {
            assert_eq!(SecretKind::Token.text(secret), expected);
            assert_eq!(SecretKind::of(expected), Some(SecretKind::Token));
            assert_eq!(hint(expected), expected[..10]);
        }
    }

    #[test]
    fn au_06_wrong_kind_each_kind_has_a_prefix_of_its_own() {
        for kind in [SecretKind::Token, SecretKind::AccessToken, SecretKind::ClientSecret] {
            assert_eq!(SecretKind::of(&kind.text([7; 32])), Some(kind));
        }
        assert_eq!(SecretKind::of(&SecretKind::Token.text([7; 32]).replace("lst_", "lsk_")), None);
    }

    /// Nothing of the randomness is lost on the way: every bit of it changes the text.
    #[test]
    fn au_10_entropy_all_256_bits_are_in_the_text() {
        let mut texts = BTreeSet::from([SecretKind::Token.text([0; 32])]);
        for bit in 0..256 {
            let mut secret = [0_u8; 32];
            secret[bit / 8] = 1 << (bit % 8);
            texts.insert(SecretKind::Token.text(secret));
        }
        assert_eq!(texts.len(), 257);
    }
}
