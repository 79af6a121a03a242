//! The mapping language, inside this process: how long all default mappings of one user take, and what the attacks on the language cost,
//! which `crates/mapping/tests/hostile` holds.

#[path = "../../mapping/tests/hostile/cases.rs"]
mod hostile;

use std::hint::black_box;
use std::process::Command;
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

/// How often an attack is tried at the most: the shortest time of one counts, as others use the machine too.
const TRIES: usize = 10;

/// Measures both.
pub fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let mut figures = vec![one_user(run)?];
    let slowest = slowest_attack();
    progress(&format!("{} attacks", slowest.count));
    figures.push(
        Figure::new("slowest of the hostile expressions and filters", None, slowest.value, Unit::Seconds)
            .requiring(Required::ValueBelow(ATTACK_SECONDS))
            .noted(format!("of {}: {}", slowest.count, slowest.what)),
    );
    let largest = largest_attack()?;
    figures.push(
        Figure::new("most memory that one of them takes", None, largest.value, Unit::Bytes)
            .requiring(Required::ValueBelow(ATTACK_BYTES))
            .noted(format!("with the value that it is about: {}", largest.what)),
    );
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

/// The attack with the largest figure.
struct Worst {
    value: f64,
    what: String,
    count: usize,
}

impl Worst {
    const NONE: Self = Self { value: 0.0, what: String::new(), count: 0 };

    fn see(&mut self, attack: &Attack, value: f64) {
        self.count += 1;
        if value > self.value {
            self.value = value;
            self.what = attack.told();
        }
    }
}

/// The longest that any attack takes, in seconds.
fn slowest_attack() -> Worst {
    let mut slowest = Worst::NONE;
    for attack in attacks() {
        let mut seconds = f64::INFINITY;
        for _ in 0..TRIES {
            let begun = Instant::now();
            attack.run();
            seconds = begun.elapsed().as_secs_f64().min(seconds);
            if seconds < ATTACK_SECONDS / 4.0 {
                break;
            }
        }
        slowest.see(&attack, seconds);
    }
    slowest
}

/// The most that any attack takes, in bytes: each has a process of its own, as memory that was used once is used again. What is measured are
/// the pages that the process holds at the most, from just before the attack, so that neither the program's own code counts nor what made
/// the attack; what is freed is given back at once, as else the pages of what was freed before would count with those that are in use.
fn largest_attack() -> anyhow::Result<Worst> {
    let mut largest = Worst::NONE;
    let program = std::env::current_exe()?;
    for (number, attack) in attacks().enumerate() {
        let mut command = Command::new(&program);
        // Else the kernel gives two megabytes where a few kilobytes are asked for, and all attacks look alike.
        command.args(["attack", &number.to_string()]).env("MIMALLOC_ALLOW_THP", "0");
        command.env("MIMALLOC_PURGE_DELAY", "0");
        let output = command.output()?;
        let answer = String::from_utf8_lossy(&output.stdout);
        let bytes: u32 = answer.trim().parse().with_context(|| format!("attack {number} did not tell its memory"))?;
        largest.see(&attack, f64::from(bytes));
    }
    Ok(largest)
}

/// Runs one attack, and prints by how many bytes it made this process larger.
pub fn attack(number: usize) -> anyhow::Result<()> {
    // What every expression needs of the program is there from here on.
    Attack::Expression(hostile::Case { id: "", expression: WARM_UP.to_owned(), value: "ab".to_owned() }).run();
    let attack = attacks().nth(number).context("there are fewer attacks")?;
    std::fs::write("/proc/self/clear_refs", FORGET_THE_PEAK).context("the peak of this process cannot be reset")?;
    let before = peak_bytes().context("the memory of this process cannot be read")?;
    attack.run();
    let after = peak_bytes().context("the memory of this process cannot be read")?;
    println!("{}", after.saturating_sub(before));
    Ok(())
}

/// Something of everything that attacks are made of.
const WARM_UP: &str = r#"Join("", Split(Replace([x], , "(\w)(?=b)", , "$1", , ), "a"), Replace([x], , "a", , "", , ))"#;
/// What Linux takes for: the most memory so far is what there is now.
const FORGET_THE_PEAK: &str = "5";

enum Attack {
    Expression(hostile::Case),
    Filter {
        pattern: &'static str,
        value: String,
    },
    /// As many clauses as there may be, each with a pattern of its own.
    Filters {
        pattern: &'static str,
        clauses: usize,
        value: String,
    },
}

fn attacks() -> impl Iterator<Item = Attack> {
    let filters = hostile::PATTERNS
        .into_iter()
        .flat_map(|pattern| hostile::texts().map(|value| Attack::Filter { pattern, value }));
    let many = hostile::REMEMBERING.into_iter().flat_map(|pattern| {
        [1, 20, 100, 500].into_iter().flat_map(move |clauses| {
            [1_000, 39_000].map(|length| Attack::Filters { pattern, clauses, value: hostile::mixed(length) })
        })
    });
    hostile::cases().map(Attack::Expression).chain(filters).chain(many)
}

/// Whether a filter of one group with these clauses lets a person in who has the value.
fn decide(patterns: impl Iterator<Item = String>, value: &str) {
    // Negated, as a clause that does not hold ends the group.
    let clauses: Vec<Value> =
        patterns.map(|pattern| json!({"attribute": "x", "operator": "NOT REGEX MATCH", "value": pattern})).collect();
    if let Ok(filters) = serde_json::from_value::<ScopingFilters>(json!([{"name": "f", "clauses": clauses}])) {
        black_box(filters.evaluate(&source(value), jiff::Timestamp::UNIX_EPOCH).is_ok());
    }
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
            Self::Filter { pattern, value } => decide(std::iter::once((*pattern).to_owned()), value),
            Self::Filters { pattern, clauses, value } => {
                decide((0..*clauses).map(|number| format!("{pattern}{number}")), value);
            }
        }
    }

    /// Its kind, and how it begins.
    fn told(&self) -> String {
        let (id, text, value) = match self {
            Self::Expression(case) => (case.id, case.expression.as_str(), &case.value),
            Self::Filter { pattern, value } => ("a filter", *pattern, value),
            Self::Filters { pattern, value, .. } => ("a filter of many clauses", *pattern, value),
        };
        let begin: String = text.chars().take(60).collect();
        format!("{id}, `{begin}` on {} bytes", value.len())
    }
}

fn source(value: &str) -> std::collections::BTreeMap<String, Text> {
    [("x".to_owned(), Text::from(value))].into()
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
        assert!(shown.len() > 700 && shown.iter().all(|shown| shown.chars().count() < 120));
        assert!(shown.contains(&"a filter, `(a+)+$` on 501 bytes".to_owned()));
    }
}
