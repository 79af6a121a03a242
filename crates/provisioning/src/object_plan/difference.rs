//! How an account differs from what it should hold, and what a new one holds.

use mapping::FlowType;
use serde_json::{Map, Value};

use super::{Roles, Wish, roles};
use crate::target_path::TargetPath;

/// One difference between what an account holds and what it should hold.
#[derive(Clone, Debug)]
pub struct Difference<'p> {
    /// Where.
    pub path: &'p TargetPath,
    /// What the target holds.
    pub before: Option<Value>,
    /// What it should hold; `None` removes the value.
    pub after: Option<Value>,
    /// Whether logs must not show the values.
    pub redacted: bool,
    /// Whether `after` are elements that join those which are held, rather than all there are to be.
    pub joins: bool,
    /// Whether brackets choose an element that the target does not have yet.
    pub needs_element: bool,
    /// The function that made roles of `after`, where one did.
    pub roles: Option<Roles>,
}

impl<'p> Difference<'p> {
    /// A reference that becomes another one, by ids at the target.
    pub fn of_reference(path: &'p TargetPath, before: Option<String>, after: Option<&str>) -> Self {
        Self {
            path,
            before: before.map(Value::from),
            after: after.map(Value::from),
            redacted: false,
            joins: false,
            needs_element: false,
            roles: None,
        }
    }
}

/// The smallest set of changes that makes an account hold what it should.
pub fn differences<'p>(wishes: Vec<Wish<'p>>, held: &Map<String, Value>) -> Vec<Difference<'p>> {
    let mut differences = Vec::new();
    for wish in wishes {
        let before = wish.path.read(held);
        let Some(Change { after, joins }) = change(&wish, before) else { continue };
        differences.push(Difference {
            path: wish.path,
            // What joins takes nobody's place: the operation is an add in every dialect (RFC 7644 §3.5.2.1).
            before: before.filter(|_| !joins).cloned(),
            after,
            redacted: wish.redacted,
            joins,
            needs_element: wish.path.needs_element(held),
            roles: wish.roles,
        });
    }
    differences
}

/// What a wish changes.
struct Change {
    after: Option<Value>,
    joins: bool,
}

/// What becomes of what is held; `None` where it stays.
fn change(wish: &Wish<'_>, before: Option<&Value>) -> Option<Change> {
    let is_held = |after: &Value| !wish.always && before.is_some_and(|before| wish.path.same(before, after));
    let adds_only = matches!(wish.flow_type, FlowType::MultiValueAddOnly | FlowType::ValueAddOnly);
    match (wish.flow_type, &wish.value) {
        // What is only added to is never emptied, also not of the last role.
        (FlowType::AttributeAddOnly, Value::Null) => None,
        (_, Value::Null) if adds_only => None,
        (_, Value::Null) => before.map(|_| Change { after: None, joins: false }),
        (flow_type, Value::Array(wanted)) if adds_only || only_adds(flow_type, wish.roles.as_ref()) => {
            let missing = joining(wish, before, wanted);
            (!missing.is_empty()).then_some(Change { after: Some(Value::Array(missing)), joins: true })
        }
        (FlowType::AttributeAddOnly | FlowType::ValueAddOnly, _) if before.is_some() => None,
        (_, value) => (!is_held(value)).then(|| Change { after: Some(value.clone()), joins: false }),
    }
}

/// Roles of which none is ever taken away.
fn only_adds(flow_type: FlowType, roles: Option<&Roles>) -> bool {
    flow_type == FlowType::Always && matches!(roles, Some(Roles::Complex(_)))
}

/// The elements that are added to those held: the missing ones, or all of them where they are written always.
fn joining(wish: &Wish<'_>, held: Option<&Value>, wanted: &[Value]) -> Vec<Value> {
    let is_held = |wanted: &&Value| {
        let as_sent = wish.roles.as_ref().and_then(|roles| roles.as_text(wanted));
        held.is_some_and(|held| {
            wish.path.has_element(held, wanted) || as_sent.is_some_and(|text| wish.path.has_element(held, &text))
        })
    };
    wanted.iter().filter(|wanted| wish.always || !is_held(wanted)).cloned().collect()
}

/// The attributes of a new account.
pub fn new_account(wishes: &[Wish<'_>]) -> Map<String, Value> {
    let mut account = Map::new();
    for wish in wishes {
        if !wish.value.is_null() {
            wish.path.write(&mut account, wish.value.clone());
        }
    }
    for wish in wishes.iter().filter(|wish| wish.roles == Some(Roles::Single)) {
        wish.path.write_beside(&mut account, "type", roles::ROLE_TYPE.into());
    }
    account
}

/// A fingerprint of what an account should hold: equal values have equal fingerprints (64-bit FNV-1a). Where there are values
/// that the target never tells, the upper half is theirs alone: nothing else says whether they are to be written again.
pub fn fingerprint(wishes: &[Wish<'_>], references: &[String]) -> i64 {
    let mut told = Digest::new();
    let mut hidden = None;
    for wish in wishes {
        let digest = if wish.path.is_write_only() { hidden.get_or_insert_with(Digest::new) } else { &mut told };
        digest.add(wish.path.text());
        digest.add(&wish.value.to_string());
    }
    for reference in references {
        told.add(reference);
    }
    let folded = |digest: &Digest| (digest.0 >> HIDDEN_BITS) ^ (digest.0 & LOWER);
    let digest = hidden.map_or(told.0, |hidden| (folded(&hidden) << HIDDEN_BITS) | folded(&told));
    digest.cast_signed()
}

/// The part of a fingerprint that stands for values which the target never tells.
pub const fn hidden_part(fingerprint: i64) -> i64 {
    fingerprint >> HIDDEN_BITS
}

/// A fingerprint with that part of another one.
pub const fn with_hidden_part_of(other: i64, fingerprint: i64) -> i64 {
    (hidden_part(other) << HIDDEN_BITS) | (fingerprint & LOWER.cast_signed())
}

const HIDDEN_BITS: u32 = 32;
const LOWER: u64 = (1 << HIDDEN_BITS) - 1;

struct Digest(u64);

impl Digest {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, text: &str) {
        const PRIME: u64 = 0x0100_0000_01b3;
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
}
