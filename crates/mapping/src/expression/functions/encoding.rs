//! Functions that write a text in another alphabet.

use super::super::evaluate::{Arguments, Evaluated};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Base64 (RFC 4648 §4, padded) of the UTF-16LE bytes.
pub(super) fn convert_to_base64(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let source = arguments.text(0)?;
    Ok(source.map(|text| base64(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())).into())
}

/// Upper-case hexadecimal of the UTF-8 bytes, without separators.
pub(super) fn convert_to_utf8_hex(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let source = arguments.text(0)?;
    let digit = |value: u8| char::from(HEX[usize::from(value)]);
    Ok(source.map(|text| text.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect::<String>()).into())
}

fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4 {
            let symbol = BASE64[((bits >> (18 - 6 * place)) & 63) as usize];
            text.push(if place <= chunk.len() { char::from(symbol) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    /// RFC 4648 §10.
    #[test]
    fn base64_vectors() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), expected, "{bytes}");
        }
    }
}
