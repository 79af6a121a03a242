//! Where the arguments of a call stand by the keys of its tree: by the names of the parameters, and by the numbers in the keys of those that
//! are repeated (`source1`, `key2`).

use std::collections::BTreeSet;

use super::super::functions::{self, Function, Rest};
use super::graph::listed;

/// What `Switch` repeats.
const SIDES: [&str; 2] = ["key", "value"];
/// What `Coalesce` takes when nothing else has a value.
const DEFAULT_VALUE: &str = "defaultValue";

/// Keys that mean one parameter: what a function is given first, which Graph calls the source, and how many characters of it are meant.
const FIRST: [&str; 5] = ["source", "string", "value", "expression", "attribute"];
const HOW_MANY: [&str; 2] = ["length", "numChars"];

/// Why the keys of a tree do not say where its arguments stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misplaced {
    /// Which key is wrong, and how.
    pub(crate) reason: String,
    /// Where the arguments stand all the same: those whose keys are unknown in the places that are left, in their order. `None` where that
    /// would be a guess.
    pub(crate) instead: Option<Vec<usize>>,
}

impl From<String> for Misplaced {
    fn from(reason: String) -> Self {
        Self { reason, instead: None }
    }
}

/// The key of an argument that is repeated: a name, and perhaps a number.
struct Key<'k> {
    /// Which argument of the tree has it, from 0.
    index: usize,
    text: &'k str,
    name: &'k str,
    number: Option<u64>,
}

impl<'k> Key<'k> {
    fn read(index: usize, text: &'k str) -> Self {
        let name = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
        let number = text[name.len()..].parse().ok();
        Self { index, text, name: if number.is_some() { name } else { text }, number }
    }

    fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it is a key of `Switch`, or its value.
    fn side(&self) -> Option<usize> {
        SIDES.iter().position(|side| self.is_named(side))
    }
}

/// Where the arguments of a call stand, from 0, by the keys of the tree in its order. `None` for a function that nobody knows.
///
/// # Errors
/// A key that is none of the function's, or comes too often; keys that do not say which argument comes first.
pub(crate) fn positions(name: &str, keys: &[&str]) -> Option<Result<Vec<usize>, Misplaced>> {
    functions::find(name).map(|function| of(function, keys))
}

fn of(function: &Function, keys: &[&str]) -> Result<Vec<usize>, Misplaced> {
    let named = function.parameters;
    let (mut taken, mut positions) = (vec![None; named.len()], vec![0; keys.len()]);
    let (mut repeated, mut unknown) = (Vec::new(), Vec::new());
    for (index, key) in keys.iter().enumerate() {
        let places = places(function, key);
        match places.iter().find(|place| taken[**place].is_none()) {
            Some(place) => {
                taken[*place] = Some(*key);
                positions[index] = *place;
            }
            None if !places.is_empty() => return Err(twice(function, key, taken[places[0]].unwrap_or(key)).into()),
            None if function.rest == Rest::None => unknown.push(index),
            None => repeated.push(Key::read(index, key)),
        }
    }
    if let Some(first) = unknown.first() {
        let free = (0..named.len()).filter(|place| taken[*place].is_none());
        let instead = instead(function, keys, &unknown, free, positions);
        return Err(Misplaced { reason: format!("`{}` is no parameter of `{function}`", keys[*first]), instead });
    }
    for (place, index) in order(function, repeated)?.into_iter().enumerate() {
        positions[index] = named.len() + place;
    }
    Ok(positions)
}

/// The parameters that a key means: by its name here or in Graph's list, else by another name of the same.
fn places(function: &Function, key: &str) -> Vec<usize> {
    let named = function.parameters;
    let is_called = |place: usize, name: &str| {
        let in_graph = listed(function.name).and_then(|listed| listed.get(place));
        named[place].name.eq_ignore_ascii_case(name)
            || in_graph.is_some_and(|listed| listed.name.eq_ignore_ascii_case(name))
    };
    let exact: Vec<usize> = (0..named.len()).filter(|place| is_called(*place, key)).collect();
    if !exact.is_empty() || function.rest != Rest::None {
        return exact;
    }
    let means = |names: &[&str], place: usize| {
        names.iter().any(|name| name.eq_ignore_ascii_case(key)) && names.iter().any(|name| is_called(place, name))
    };
    (0..named.len()).filter(|place| (*place == 0 && means(&FIRST, 0)) || means(&HOW_MANY, *place)).collect()
}

fn twice(function: &Function, key: &str, other: &str) -> String {
    if key.eq_ignore_ascii_case(other) {
        return format!("`{key}` of `{}` is there twice", function.name);
    }
    format!("`{other}` and `{key}` are the same parameter of `{function}`")
}

/// Where arguments with unknown keys stand: in the places that are left. Nowhere where Graph documents the keys, or where one comes twice.
fn instead(
    function: &Function,
    keys: &[&str],
    unknown: &[usize],
    free: impl Iterator<Item = usize>,
    mut positions: Vec<usize>,
) -> Option<Vec<usize>> {
    let mut seen = BTreeSet::new();
    if listed(function.name).is_some() || !unknown.iter().all(|index| seen.insert(keys[*index].to_ascii_lowercase())) {
        return None;
    }
    // What is too much is told where the call is read.
    let free = free.chain(function.parameters.len()..);
    for (index, place) in unknown.iter().zip(free) {
        positions[*index] = place;
    }
    Some(positions)
}

/// The repeated arguments in their order. Keys without numbers leave them as they stand.
fn order(function: &Function, mut keys: Vec<Key<'_>>) -> Result<Vec<usize>, String> {
    if function.rest == Rest::Pairs && keys.iter().any(|key| key.side().is_some()) {
        return pairs(function, keys);
    }
    let is_default = |key: &Key<'_>| function.name == "Coalesce" && key.is_named(DEFAULT_VALUE) && key.number.is_none();
    keys.sort_by_key(is_default);
    let count = keys.iter().filter(|key| !is_default(key)).count();
    let sources = &mut keys[..count];
    if sources.iter().any(|key| key.number.is_some()) || function.rest == Rest::Pairs {
        same_kind(function, sources, |one, other| one.is_named(other.name))?;
        sources.sort_by_key(|key| key.number);
        none_twice(function, sources)?;
    }
    Ok(keys.iter().map(|key| key.index).collect())
}

/// Each key of `Switch` before its value: those of one number belong together, or the first and the first, the second and the second.
fn pairs(function: &Function, mut keys: Vec<Key<'_>>) -> Result<Vec<usize>, String> {
    same_kind(function, &keys, |one, other| one.side().is_some() && other.side().is_some())?;
    let has_numbers = keys.iter().any(|key| key.number.is_some());
    let mut seen = [0, 0];
    for key in keys.iter_mut().filter(|_| !has_numbers) {
        let times = &mut seen[key.side().unwrap_or_default()];
        key.number = Some(*times);
        *times += 1;
    }
    keys.sort_by_key(|key| (key.number, key.side()));
    if has_numbers {
        none_twice(function, &keys)?;
    }
    for pair in keys.chunks(SIDES.len()) {
        if pair.len() < SIDES.len() || pair[0].number != pair[1].number {
            let lone = &pair[0];
            let other = SIDES[1 - lone.side().unwrap_or_default()];
            let number = lone.number.filter(|_| has_numbers).map_or_else(String::new, |number| number.to_string());
            return Err(format!("`{}` of `{}` has no `{other}{number}` beside it", lone.text, function.name));
        }
    }
    Ok(keys.iter().map(|key| key.index).collect())
}

/// Refuses keys of which it is not said which comes first: of two kinds, or some with numbers and some without.
fn same_kind<'k>(
    function: &Function,
    keys: &[Key<'k>],
    is_same: impl Fn(&Key<'k>, &Key<'k>) -> bool,
) -> Result<(), String> {
    let Some(first) = keys.first() else { return Ok(()) };
    let is_other = |key: &&Key<'k>| !is_same(first, key) || first.number.is_some() != key.number.is_some();
    keys.iter().find(is_other).map_or(Ok(()), |other| {
        let (first, other) = (first.text, other.text);
        Err(format!(
            "the keys `{first}` and `{other}` of `{}` do not say which argument comes first; number them all alike, as in `{function}`",
            function.name
        ))
    })
}

/// Refuses two keys of one name and one number, which stand beside each other.
fn none_twice(function: &Function, keys: &[Key<'_>]) -> Result<(), String> {
    let is_same = |pair: &&[Key<'_>]| {
        pair[0].number.is_some() && pair[0].number == pair[1].number && pair[0].name.eq_ignore_ascii_case(pair[1].name)
    };
    keys.windows(2).find(is_same).map_or(Ok(()), |pair| {
        Err(format!("`{}` of `{}` is there twice; give each argument a number of its own", pair[1].text, function.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stand_where_their_names_say() {
        for (function, keys, expected) in [
            ("Replace", vec!["source", "Find", "Replacement"], Some(Ok(vec![0, 1, 4]))),
            ("Replace", vec!["Template", "oldValue", "SOURCE"], Some(Ok(vec![6, 1, 0]))),
            ("Switch", vec!["source", "switchValue", "switchValue"], Some(Ok(vec![0, 2, 3]))),
            ("Switch", vec!["source", "defaultValue", "key1", "value1"], Some(Ok(vec![0, 1, 2, 3]))),
            ("Join", vec!["separator", "source", "source"], Some(Ok(vec![0, 1, 2]))),
            ("Coalesce", vec!["source1", "source2", "defaultValue"], Some(Ok(vec![0, 1, 2]))),
            ("AppRoleAssignments", vec!["appRoleAssignments"], Some(Ok(vec![0]))),
            ("AppRoleAssignments", vec!["source"], Some(Ok(vec![0]))),
            ("SingleAppRoleAssignment", vec!["source"], Some(Ok(vec![0]))),
            ("IsNothing", vec!["source"], Some(Ok(vec![0]))),
            ("IsNothing", vec!["expression"], Some(Ok(vec![0]))),
            ("FormatDateTime", vec!["source", "inputFormat", "outputFormat"], Some(Ok(vec![0, 2, 3]))),
            ("Nothing", vec!["source"], None),
        ] {
            assert_eq!(positions(function, &keys), expected, "{function} {keys:?}");
        }
    }

    #[test]
    fn a_parameter_is_known_by_all_of_its_names() {
        for (function, keys, expected) in [
            ("Left", "length source", vec![1, 0]),
            ("Left", "numChars string", vec![1, 0]),
            ("Right", "LENGTH Source", vec![1, 0]),
            ("Mid", "numChars start string", vec![2, 1, 0]),
            ("Item", "index source", vec![1, 0]),
            ("Word", "delimiters wordNumber source", vec![2, 1, 0]),
            ("CDate", "source", vec![0]),
            ("DateAdd", "dateTime value interval", vec![2, 1, 0]),
            ("RandomString", "MinimumNumbers Length", vec![1, 0]),
        ] {
            let keys: Vec<&str> = keys.split(' ').collect();
            assert_eq!(positions(function, &keys), Some(Ok(expected)), "{function} {keys:?}");
        }
    }

    #[test]
    fn every_function_is_given_by_its_own_names_in_any_order() {
        for function in functions::FUNCTIONS.iter().filter(|function| function.rest == Rest::None) {
            let keys: Vec<&str> = function.parameters.iter().map(|parameter| parameter.name).rev().collect();
            let expected = (0..keys.len()).rev().collect();
            assert_eq!(positions(function.name, &keys), Some(Ok(expected)), "{function}");
        }
    }

    #[test]
    fn unknown_keys_take_the_places_that_are_left() {
        let lower = "`colour` is no parameter of `ToLower(source, culture?)`";
        for (function, keys, reason, instead) in [
            ("ToLower", "source colour", lower, Some(vec![0, 1])),
            ("ToLower", "culture colour", lower, Some(vec![1, 0])),
            ("ToLower", "source source", "`source` of `ToLower` is there twice", None),
            ("Left", "string source", "`string` and `source` are the same parameter of `Left(string, numChars)`", None),
            ("ToLower", "colour COLOUR", lower, None),
            ("Append", "source colour", "`colour` is no parameter of `Append(source, suffix)`", None),
        ] {
            let keys: Vec<&str> = keys.split(' ').collect();
            let misplaced = Misplaced { reason: reason.to_owned(), instead };
            assert_eq!(positions(function, &keys), Some(Err(misplaced)), "{function} {keys:?}");
        }
    }

    #[test]
    fn repeated_arguments_stand_where_their_numbers_say() {
        for (function, keys, expected) in [
            ("Switch", "source defaultValue key1 key2 value1 value2", vec![0, 1, 2, 4, 3, 5]),
            ("Switch", "value2 key2 KEY10 Value10 source", vec![3, 2, 4, 5, 0]),
            ("Switch", "source key key value value", vec![0, 2, 4, 3, 5]),
            ("Switch", "source switchValue2 switchValue1", vec![0, 3, 2]),
            ("Join", "source2 source1 separator", vec![2, 1, 0]),
            ("Join", "separator given last", vec![0, 1, 2]),
            ("Coalesce", "source1 source2 source10 source3", vec![0, 1, 3, 2]),
            ("Coalesce", "defaultValue source2 source1", vec![2, 1, 0]),
            ("Coalesce", "defaultValue source source", vec![2, 0, 1]),
        ] {
            let keys: Vec<&str> = keys.split(' ').collect();
            assert_eq!(positions(function, &keys), Some(Ok(expected)), "{function} {keys:?}");
        }
    }

    #[test]
    fn keys_that_leave_the_order_open_are_refused() {
        let open = |one, other, function, form| {
            format!(
                "the keys `{one}` and `{other}` of `{function}` do not say which argument comes first; number them all alike, as in `{form}`"
            )
        };
        let switch = "Switch(source, defaultValue?, key1, value1, …)";
        let coalesce = "Coalesce(source1, …)";
        for (function, keys, expected) in [
            ("Switch", "source key1 value2", "`key1` of `Switch` has no `value1` beside it".to_owned()),
            ("Switch", "source key1 value1 value3", "`value3` of `Switch` has no `key3` beside it".to_owned()),
            ("Switch", "source key value key", "`key` of `Switch` has no `value` beside it".to_owned()),
            ("Switch", "source key1 value1 key01 value2", twice_of("key01", "Switch")),
            ("Switch", "source key1 value", open("key1", "value", "Switch", switch)),
            ("Switch", "source key1 value1 more", open("key1", "more", "Switch", switch)),
            ("Switch", "source one other", open("one", "other", "Switch", switch)),
            ("Switch", "source source a a", "`source` of `Switch` is there twice".to_owned()),
            ("Join", "separator source1 SOURCE1", twice_of("SOURCE1", "Join")),
            ("Coalesce", "source1 source", open("source1", "source", "Coalesce", coalesce)),
            ("Coalesce", "source1 other2", open("source1", "other2", "Coalesce", coalesce)),
        ] {
            let keys: Vec<&str> = keys.split(' ').collect();
            assert_eq!(positions(function, &keys), Some(Err(expected.into())), "{function} {keys:?}");
        }
    }

    fn twice_of(key: &str, function: &str) -> String {
        format!("`{key}` of `{function}` is there twice; give each argument a number of its own")
    }
}
