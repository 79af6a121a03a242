//! Where the arguments of a call stand by the keys of its tree: by the names of the parameters, and by the numbers in the keys of those that
//! are repeated (`source1`, `key2`).

use super::super::functions::{self, Function, Rest};
use super::graph::listed;

/// What `Switch` repeats.
const SIDES: [&str; 2] = ["key", "value"];
/// What `Coalesce` takes when nothing else has a value.
const DEFAULT_VALUE: &str = "defaultValue";

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
pub(crate) fn positions(name: &str, keys: &[&str]) -> Option<Result<Vec<usize>, String>> {
    functions::find(name).map(|function| of(function, keys))
}

fn of(function: &Function, keys: &[&str]) -> Result<Vec<usize>, String> {
    let named = function.parameters;
    let (mut taken, mut positions) = (vec![false; named.len()], vec![0; keys.len()]);
    let mut repeated = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        let meant = |place: &usize| {
            let in_graph = listed(function.name).and_then(|listed| listed.get(*place));
            named[*place].name.eq_ignore_ascii_case(key)
                || in_graph.is_some_and(|listed| listed.name.eq_ignore_ascii_case(key))
        };
        let mut places = (0..named.len()).filter(meant).peekable();
        let is_named = places.peek().is_some();
        match places.find(|place| !taken[*place]) {
            Some(place) => {
                taken[place] = true;
                positions[index] = place;
            }
            None if is_named || function.rest == Rest::None => {
                return Err(format!("`{key}` is no parameter of `{function}`, or is there twice"));
            }
            None => repeated.push(Key::read(index, key)),
        }
    }
    for (place, index) in order(function, repeated)?.into_iter().enumerate() {
        positions[index] = named.len() + place;
    }
    Ok(positions)
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
        let unknown = positions("ToLower", &["source", "colour"]).unwrap().unwrap_err();
        assert_eq!(unknown, "`colour` is no parameter of `ToLower(source, culture?)`, or is there twice");
        assert!(positions("ToLower", &["source", "source"]).unwrap().is_err());
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
            ("Switch", "source key1 value1 key01 value2", twice("key01", "Switch")),
            ("Switch", "source key1 value", open("key1", "value", "Switch", switch)),
            ("Switch", "source key1 value1 more", open("key1", "more", "Switch", switch)),
            ("Switch", "source one other", open("one", "other", "Switch", switch)),
            ("Switch", "source source a a", format!("`source` is no parameter of `{switch}`, or is there twice")),
            ("Join", "separator source1 SOURCE1", twice("SOURCE1", "Join")),
            ("Coalesce", "source1 source", open("source1", "source", "Coalesce", coalesce)),
            ("Coalesce", "source1 other2", open("source1", "other2", "Coalesce", coalesce)),
        ] {
            let keys: Vec<&str> = keys.split(' ').collect();
            assert_eq!(positions(function, &keys), Some(Err(expected)), "{function} {keys:?}");
        }
    }

    fn twice(key: &str, function: &str) -> String {
        format!("`{key}` of `{function}` is there twice; give each argument a number of its own")
    }
}
