//! The mapping language, inside this process: how long all default mappings of one user take, and what the attacks on the language cost,
//! which `crates/mapping/tests/hostile` holds.

#[path = "../../mapping/tests/hostile/cases.rs"]
mod hostile;

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use mapping::{Expression, Flow, Language, ObjectMapping, Operation, ScopingFilters, Value as Text, World};
use serde_json::{Value, json};

use crate::child::peak_of;
use crate::figures::{Figure, Required, Unit, median};
use crate::run::{Run, progress};

/// The application whose default mappings are measured.
const TEMPLATE: &str = include_str!("../../provisioning/templates/palo-alto-cie.json");
/// Users of one measurement; the middle one of many measurements counts.
const USERS: u32 = 200;
/// Seconds that the mappings of one user may take.
const USER_SECONDS: f64 = 20e-6;
/// Seconds that an attack may take, and the bytes.
const ATTACK_SECONDS: f64 = 0.05;
const ATTACK_BYTES: f64 = 8.0 * 1024.0 * 1024.0;

/// Measures both.
pub fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    // Before anything else makes this process large.
    let memory = memory_of_attacks();
    let mut figures = vec![one_user(run)?];
    let slowest = slowest_attack(if run.quick { 1 } else { run.rounds });
    figures.push(
        Figure::new("slowest of the hostile expressions and filters", None, slowest.seconds, Unit::Seconds)
            .requiring(Required::ValueBelow(ATTACK_SECONDS))
            .noted(format!("of {}: {}", slowest.count, slowest.what)),
    );
    match memory {
        Some(bytes) => figures.push(
            Figure::new("memory that all of them together add", None, bytes, Unit::Bytes)
                .requiring(Required::ValueBelow(ATTACK_BYTES)),
        ),
        None => progress("the memory of this process cannot be read"),
    }
    Ok(figures)
}

/// Seconds for all mappings of a user.
fn one_user(run: &Run) -> anyhow::Result<Figure> {
    let users = default_mappings()?;
    let ada = ada();
    let source = ada.as_object().context("a user is an object")?;
    let world = World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: Some("contoso.com"), random: &|_| {} };
    let mut flowing = 0;
    let mut batches = Vec::new();
    let (begun, time) = (Instant::now(), Duration::from_secs_f64(run.seconds));
    while begun.elapsed() < time {
        let batch = Instant::now();
        for _ in 0..USERS {
            flowing = 0;
            for mapping in &users.attributes {
                let flow = mapping.evaluate(black_box(source), &world, Operation::Update)?;
                flowing += usize::from(matches!(black_box(flow), Flow::Value(_)));
            }
        }
        batches.push(batch.elapsed().as_secs_f64() / f64::from(USERS));
    }
    let name = format!("the {} default mappings of a user", users.attributes.len());
    progress(&format!("{name}: {} measurements", batches.len()));
    Ok(Figure::new(name, None, median(batches), Unit::Seconds)
        .requiring(Required::ValueBelow(USER_SECONDS))
        .noted(format!("palo-alto-cie; {flowing} of them flow")))
}

/// Parsed once, as for a job.
fn default_mappings() -> anyhow::Result<ObjectMapping> {
    let mut template: Value = serde_json::from_str(TEMPLATE)?;
    Ok(serde_json::from_value(template["objects"][0].take())?)
}

/// A person with a value in every attribute that the mappings read.
fn ada() -> Value {
    json!({
        "id": "2b6ff9f6-6ba1-4d1c-a2a5-9c1d4a1a9b4e", "userPrincipalName": "ada.lovelace@contoso.com", "accountEnabled": true,
        "IsSoftDeleted": false, "displayName": "Ada Lovelace", "givenName": "Ada", "surname": "Lovelace", "jobTitle": "Analyst",
        "preferredLanguage": "en-GB", "mail": "ada.lovelace@contoso.com", "otherMails": ["ada@example.org", "a.l@example.net"],
        "physicalDeliveryOfficeName": "12/345", "streetAddress": "12 St James's Square", "city": "London", "state": "Greater London",
        "postalCode": "SW1Y 4JH", "country": "United Kingdom", "telephoneNumber": "+44 20 7946 0958", "mobile": "+44 7700 900123",
        "facsimileTelephoneNumber": "+44 20 7946 0959", "mailNickname": "ada.lovelace", "employeeId": "1815", "department": "Analysis",
        "manager": "7f0d9f0a-54b8-4a1c-9d6f-0f2f9a1f6f11", "companyName": "Contoso", "usageLocation": "GB"
    })
}

struct Slowest {
    seconds: f64,
    what: String,
    count: usize,
}

/// The longest that any attack takes, each measured so many times: the shortest time of one counts, as others use the machine too.
fn slowest_attack(rounds: usize) -> Slowest {
    let mut slowest = Slowest { seconds: 0.0, what: String::new(), count: 0 };
    for attack in attacks() {
        let times = (0..rounds.max(1)).map(|_| {
            let begun = Instant::now();
            attack.run();
            begun.elapsed().as_secs_f64()
        });
        let seconds = times.fold(f64::INFINITY, f64::min);
        slowest.count += 1;
        if seconds > slowest.seconds {
            slowest.seconds = seconds;
            slowest.what = attack.told();
        }
    }
    slowest
}

enum Attack {
    Expression(hostile::Case),
    Filter { pattern: &'static str, value: String },
}

fn attacks() -> impl Iterator<Item = Attack> {
    let filters = hostile::PATTERNS
        .into_iter()
        .flat_map(|pattern| hostile::texts().map(|value| Attack::Filter { pattern, value }));
    hostile::cases().map(Attack::Expression).chain(filters)
}

impl Attack {
    /// Parses and evaluates, whatever comes of it: what must come of it is the tests' business.
    fn run(&self) {
        match self {
            Self::Expression(case) => {
                if let Ok(expression) = Expression::parse_with(&case.expression, Language::EXTENDED) {
                    let source = source(&case.value);
                    let world = World { now: jiff::Timestamp::UNIX_EPOCH, default_domain: None, random: &|_| {} };
                    black_box(expression.evaluate(&source, &world).is_ok());
                }
            }
            Self::Filter { pattern, value } => {
                let clause = json!({"attribute": "x", "operator": "REGEX MATCH", "value": pattern});
                let filters = json!([{"name": "f", "clauses": [clause]}]);
                if let Ok(filters) = serde_json::from_value::<ScopingFilters>(filters) {
                    black_box(filters.evaluate(&source(value)).is_ok());
                }
            }
        }
    }

    /// Its kind, and how it begins.
    fn told(&self) -> String {
        let (id, text, value) = match self {
            Self::Expression(case) => (case.id, case.expression.as_str(), &case.value),
            Self::Filter { pattern, value } => ("a filter", *pattern, value),
        };
        let begin: String = text.chars().take(60).collect();
        format!("{id}, `{begin}` on {} bytes", value.len())
    }
}

fn source(value: &str) -> std::collections::BTreeMap<String, Text> {
    [("x".to_owned(), Text::from(value))].into()
}

/// What the attacks, one after the other, add to the largest this process has been: no less than what any of them alone takes.
fn memory_of_attacks() -> Option<f64> {
    // The values and texts of the attacks themselves are none of their costs.
    let largest: usize =
        attacks().map(|attack| if let Attack::Expression(case) = &attack { case.value.len() } else { 0 }).max()?;
    let mut before = None;
    for attack in attacks() {
        before = before.or_else(peak_bytes);
        attack.run();
    }
    let added = peak_bytes()?.saturating_sub(before?).saturating_sub(u64::try_from(largest).ok()?);
    u32::try_from(added).ok().map(f64::from)
}

fn peak_bytes() -> Option<u64> {
    peak_of(&std::fs::read_to_string("/proc/self/status").ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_has_a_value_for_every_mapping_that_reads_one() {
        let users = default_mappings().unwrap();
        assert_eq!(users.attributes.len(), 31);
        let ada = ada();
        let read = users.attributes.iter().flat_map(|mapping| mapping.source.attributes());
        let missing: Vec<&str> = read.filter(|name| ada[*name].is_null()).collect();
        assert_eq!(missing, Vec::<&str>::new());
    }

    #[test]
    fn attacks_are_told_in_short() {
        let shown: Vec<String> = attacks().map(|attack| attack.told()).collect();
        assert!(shown.len() > 300 && shown.iter().all(|shown| shown.chars().count() < 120));
        assert!(shown.contains(&"a filter, `(a+)+$` on 501 bytes".to_owned()));
    }
}
