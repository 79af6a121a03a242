//! What a run of the benchmark is to do: how long, how often, on which databases, in which folder. The measurements read
//! it; none of them changes it.

use std::path::PathBuf;

use crate::database::{Database, Kind};
use crate::load::{self, Load, Report, Stop};

/// Seconds of a load that only warm up.
const WARM_UP_SECONDS: f64 = 1.0;

/// Load average of each core above which others are at work.
const BUSY_SHARE: f64 = 0.5;
/// Rounds at the most, so that a run ends.
pub const ROUNDS_MAX: usize = 100;

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where databases and logs go. It must be on the disk whose durability is meant.
    pub folder: PathBuf,
    /// The URL of a PostgreSQL server; without one, SQLite alone is measured.
    pub postgres: Option<String>,
    /// Counted seconds of each load.
    pub seconds: f64,
    /// How often product and mark are measured in turn; the median counts.
    pub rounds: usize,
    /// Small sizes, to see that all works; what is judged by size is then not judged.
    pub quick: bool,
    /// The program under test, where a part needs it.
    pub lockstep: Option<PathBuf>,
    /// Where the random choices begin.
    pub seed: u64,
}

impl Run {
    /// The kinds of database to measure on.
    pub fn kinds(&self) -> Vec<Kind> {
        std::iter::once(Kind::Sqlite).chain(self.postgres.is_some().then_some(Kind::Postgres)).collect()
    }

    /// A new database for one measurement.
    pub fn database(&self, kind: Kind) -> anyhow::Result<Database> {
        Database::new(kind, &self.folder, self.postgres.as_deref())
    }

    /// When each load is over.
    pub const fn stop(&self) -> Stop {
        Stop::Seconds { warm_up: WARM_UP_SECONDS, counted: self.seconds }
    }
}

/// Runs a load and says what came out.
pub fn timed(name: &str, load: &Load) -> anyhow::Result<Report> {
    let report = load::run(load)?;
    progress(&format!("{name}: {:.0}/s", report.per_second));
    Ok(report)
}

/// How busy the machine is with other work, when it is: the figures are then low, and ratios the better guide.
pub fn busy(load_average: &str, cores: usize) -> Option<String> {
    let minute: f64 = load_average.split_whitespace().next()?.parse().ok()?;
    let share = minute / f64::from(u32::try_from(cores.max(1)).ok()?);
    (share > BUSY_SHARE).then(|| format!("the load average is {minute} on {cores} cores: figures of this run are low"))
}

/// Tells the person who waits what has just been done.
pub fn progress(line: &str) {
    eprintln!("  {line}");
}

#[cfg(test)]
mod tests {
    use super::busy;

    #[test]
    fn a_busy_machine_is_noticed() {
        for (load_average, cores, expected) in [
            ("0.20 0.18 0.12 1/80 11206", 2, false),
            ("6.86 3.28 2.11 1/80 11206", 2, true),
            ("1.10 0 0", 1, true),
            ("1.10 0 0", 16, false),
            ("9 0 0", 0, true),
            ("", 2, false),
            ("much", 2, false),
        ] {
            assert_eq!(busy(load_average, cores).is_some(), expected, "{load_average}");
        }
    }
}
