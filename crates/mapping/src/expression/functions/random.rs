//! Functions of chance. Where the random bytes come from is the caller's (`World::random`).

use super::super::evaluate::{Arguments, Evaluated, Interrupt};
use crate::value::{Value, World};

/// Longest text that `RandomString` makes.
pub(super) const RANDOM_STRING_MAX: usize = 256;

const DIGITS: &str = "0123456789";
const CAPITALS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const LOWER_CASE: &str = "abcdefghijklmnopqrstuvwxyz";
/// The special characters of Windows' password complexity rule.
const SPECIAL: &str = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/";

/// A random UUID (RFC 9562 §5.4), lower case with dashes.
pub(super) fn guid(world: &World<'_>) -> Value {
    let mut bytes = [0; 16];
    (world.random)(&mut bytes);
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    Value::Text(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

/// A text of the given length with at least so many characters of each class, in random order.
pub(super) fn random_string(arguments: &mut Arguments<'_, '_, '_>) -> Evaluated {
    let length = size(arguments, 0, "Length")?;
    let minima = [
        (DIGITS, size(arguments, 1, "MinimumNumbers")?),
        (SPECIAL, size(arguments, 2, "MinimumSpecialCharacters")?),
        (CAPITALS, size(arguments, 3, "MinimumCapital")?),
        (LOWER_CASE, size(arguments, 4, "MinimumLowerCase")?),
    ];
    let avoid = arguments.text(5)?.unwrap_or_default();
    if minima.iter().map(|(_, minimum)| minimum).sum::<usize>() > length {
        return Err(arguments.refuse("`Length` is smaller than the sum of the minimums"));
    }
    let world = arguments.world();
    let mut all = Vec::new();
    let mut characters = Vec::with_capacity(length);
    for (class, minimum) in minima {
        let class: Vec<char> = class.chars().filter(|character| !avoid.contains(*character)).collect();
        if class.is_empty() && minimum > 0 {
            return Err(arguments.refuse("`CharactersToAvoid` leaves no character of a class that is needed"));
        }
        characters.extend((0..minimum).map(|_| class[below(world, class.len())]));
        all.extend(class);
    }
    if all.is_empty() && length > 0 {
        return Err(arguments.refuse("`CharactersToAvoid` leaves no character at all"));
    }
    while characters.len() < length {
        characters.push(all[below(world, all.len())]);
    }
    for last in (1..characters.len()).rev() {
        characters.swap(last, below(world, last + 1));
    }
    Ok(Value::Text(characters.into_iter().collect()))
}

fn size(arguments: &mut Arguments<'_, '_, '_>, index: usize, parameter: &str) -> Result<usize, Interrupt> {
    let number = arguments.integer(index, parameter)?;
    match usize::try_from(number) {
        Ok(size) if size <= RANDOM_STRING_MAX => Ok(size),
        _ => Err(arguments.refuse(format!("`{parameter}` is not between 0 and {RANDOM_STRING_MAX}"))),
    }
}

/// A number below `limit` (at most a few hundred): with 64 random bits the bias is far below what anyone could see, and
/// unlike rejection it ends with every source of bytes.
fn below(world: &World<'_>, limit: usize) -> usize {
    let mut bytes = [0; 8];
    (world.random)(&mut bytes);
    let scaled = (u128::from(u64::from_le_bytes(bytes)) * limit as u128) >> 64;
    usize::try_from(scaled).expect("a number below a usize is a usize")
}
