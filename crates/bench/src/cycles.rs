//! Provisioning cycles over organisations of three sizes: the initial cycle, incremental ones of 100 changes, and ones
//! without changes; and the memory they need.

use anyhow::Context as _;

use crate::database::Kind;
use crate::figures::{Figure, Required, Unit, median};
use crate::hub::{Cycle, HOW, Hub};
use crate::limits::{INSERTS, durable_inserts};
use crate::people::Person;
use crate::product::Product;
use crate::run::{Run, progress};

/// People of each organisation; the last is held against the first, and judged.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// People of a quick run; no speed of theirs is judged.
const SIZES_QUICK: [usize; 2] = [200, 1_000];
/// People who move before an incremental cycle.
const CHANGES: usize = 100;
/// Incremental cycles, and cycles without changes, of each size; the median counts.
const REPEATS: usize = 15;
/// Users per second of the initial cycle.
const USERS_PER_SECOND_MIN: f64 = 2_000.0;
/// Memory of all processes.
const PEAK_BYTES_MAX: f64 = 500e6;
/// Seconds of a cycle without changes.
const EMPTY_SECONDS_MAX: f64 = 0.05;
/// How much longer an incremental cycle may take in the largest organisation than in the smallest.
const GROWTH_MAX: f64 = 1.5;

/// What was seen at one size.
#[derive(Debug)]
struct Seen {
    size: usize,
    initial_seconds: f64,
    incremental_seconds: f64,
    empty_seconds: f64,
    empty_requests: u64,
    peak_bytes: u64,
}

/// Measures the cycles on each database.
pub fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let sizes: &[usize] = if run.quick { &SIZES_QUICK } else { &SIZES };
    let mut figures = Vec::new();
    for kind in run.kinds() {
        let inserts = durable_inserts(run, kind)?;
        let mut organisations: Vec<Organisation> =
            sizes.iter().map(|size| Organisation::provisioned(run, kind, *size)).collect::<anyhow::Result<_>>()?;
        // All sizes in turn, so that a noisy moment meets each of them.
        for turn in 0..REPEATS {
            for organisation in &mut organisations {
                organisation.change(turn)?;
            }
        }
        for _ in 0..REPEATS {
            for organisation in &mut organisations {
                organisation.rest()?;
            }
        }
        progress(&format!("cycles, {}: {REPEATS} of each size with and without changes", kind.name()));
        let seen: Vec<Seen> = organisations.iter().map(Organisation::seen).collect::<anyhow::Result<_>>()?;
        let smallest = seen.first().map(|seen| seen.incremental_seconds).context("no size was measured")?;
        figures.extend(seen.iter().flat_map(|seen| figures_of(seen, kind, inserts, smallest)));
    }
    Ok(figures)
}

/// People in the directory of a hub of their own, and the cycles that it ran.
#[derive(Debug)]
struct Organisation {
    people: Vec<Person>,
    hub: Hub,
    initial: Cycle,
    incremental: Vec<Cycle>,
    empty: Vec<Cycle>,
}

impl Organisation {
    /// One whose people all have their accounts.
    fn provisioned(run: &Run, kind: Kind, size: usize) -> anyhow::Result<Self> {
        let people: Vec<Person> = (0..size).map(Person::hired).collect();
        let hub = Hub::new(Product::new(run, run.database(kind)?)?, &people)?;
        progress(&format!("cycles, {}: {size} people are in the directory", kind.name()));
        let initial = hub.cycle()?;
        anyhow::ensure!(initial.created == size as u64, "the initial cycle did not create {size} users: {initial:?}");
        progress(&format!("cycles, {}: initial cycle of {size} in {:.1} s", kind.name(), initial.seconds));
        Ok(Self { people, hub, initial, incremental: Vec::new(), empty: Vec::new() })
    }

    /// Runs a cycle after some people have moved.
    fn change(&mut self, turn: usize) -> anyhow::Result<()> {
        let moved = move_some(&mut self.people, turn);
        self.hub.import(&moved)?;
        let cycle = self.hub.cycle()?;
        let expected = moved.len() as u64;
        anyhow::ensure!(cycle.changed == expected, "a cycle did not update {expected} users: {cycle:?}");
        self.incremental.push(cycle);
        Ok(())
    }

    /// Runs a cycle without changes.
    fn rest(&mut self) -> anyhow::Result<()> {
        self.empty.push(self.hub.cycle()?);
        Ok(())
    }

    fn seen(&self) -> anyhow::Result<Seen> {
        let cycles = [self.initial].into_iter().chain(self.incremental.iter().chain(&self.empty).copied());
        let server = self.hub.server.peak_bytes().context("the server is gone")?;
        Ok(Seen {
            size: self.people.len(),
            initial_seconds: self.initial.seconds,
            incremental_seconds: median(self.incremental.iter().map(|cycle| cycle.seconds)),
            empty_seconds: median(self.empty.iter().map(|cycle| cycle.seconds)),
            empty_requests: self.empty.iter().map(|cycle| cycle.requests).max().unwrap_or(0),
            peak_bytes: server + cycles.map(|cycle| cycle.peak_bytes).max().unwrap_or(0),
        })
    }
}

/// Moves [`CHANGES`] people, spread over the whole organisation, others in each turn; gives the moved ones.
fn move_some(people: &mut [Person], turn: usize) -> Vec<Person> {
    let step = (people.len() / CHANGES).max(1);
    let chosen = people.iter_mut().skip(turn % step).step_by(step).take(CHANGES);
    chosen
        .map(|person| {
            person.moves += 1;
            person.clone()
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts and bytes stay far below 2^52")]
fn figures_of(seen: &Seen, kind: Kind, inserts: f64, smallest: f64) -> Vec<Figure> {
    let Seen { size, initial_seconds, incremental_seconds, empty_seconds, empty_requests, peak_bytes } = seen;
    let figure =
        |what: &str, value, unit| Figure::new(format!("cycles: {what}, {size} users"), Some(kind), value, unit);
    // What is required holds for the largest size; without it (a quick run) only the requests are.
    let judged = |figure: Figure, required| if *size == SIZES[2] { figure.requiring(required) } else { figure };
    let rate = if *initial_seconds > 0.0 { *size as f64 / initial_seconds } else { 0.0 };
    let initial = figure("initial", rate, Unit::PerSecond).against(INSERTS, inserts).noted(HOW);
    let incremental = figure(&format!("incremental, {CHANGES} changes"), *incremental_seconds, Unit::Seconds)
        .against("the smallest size", smallest);
    let peak = figure("peak memory of hub and tenant", *peak_bytes as f64, Unit::Bytes);
    vec![
        judged(initial, Required::ValueAtLeast(USERS_PER_SECOND_MIN)),
        judged(peak, Required::ValueBelow(PEAK_BYTES_MAX)),
        judged(incremental, Required::RatioAtMost(GROWTH_MAX)),
        judged(figure("without changes", *empty_seconds, Unit::Seconds), Required::ValueBelow(EMPTY_SECONDS_MAX)),
        figure("requests without changes", *empty_requests as f64, Unit::Count).requiring(Required::ValueExactly(0.0)),
    ]
}

#[cfg(test)]
mod tests {
    use super::{CHANGES, SIZES, Seen, figures_of, move_some};
    use crate::database::Kind;
    use crate::figures::Verdict::{self, Ok, Reported, Short};
    use crate::people::Person;

    #[test]
    fn the_moved_are_as_many_as_said_and_others_each_time() {
        for (size, expected) in [(1_000, CHANGES), (10_000, CHANGES), (50, 50)] {
            let mut people: Vec<Person> = (0..size).map(Person::hired).collect();
            let (first, second) = (move_some(&mut people, 0), move_some(&mut people, 1));
            assert_eq!((first.len(), second.len()), (expected, expected), "{size}");
            assert!(first.iter().all(|person| person.moves == 1));
            if size > CHANGES {
                assert!(first.iter().all(|one| second.iter().all(|other| one.number != other.number)));
            }
        }
    }

    #[test]
    fn the_largest_size_is_judged() {
        let seen = |size| Seen {
            size,
            initial_seconds: 40.0,
            incremental_seconds: 0.2,
            empty_seconds: 0.06,
            empty_requests: 0,
            peak_bytes: 600_000_000,
        };
        let verdicts = |size| -> Vec<Verdict> {
            figures_of(&seen(size), Kind::Sqlite, 20_000.0, 0.1).iter().map(|figure| figure.verdict).collect()
        };
        assert_eq!(verdicts(SIZES[0]), [Reported, Reported, Reported, Reported, Ok]);
        assert_eq!(verdicts(SIZES[2]), [Ok, Short, Short, Short, Ok]);
    }
}
