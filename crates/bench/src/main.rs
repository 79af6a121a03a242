//! The benchmark: measures the limits of the machine and the product against them (`cargo xtask bench`). Only the
//! command line lives here; what is measured is in `limits`, `provider`, `cycles`,
//! `crash`, `scale`, `races`, `fairness`, `mappings` and `peers`.

mod child;
mod crash;
mod cycles;
mod database;
mod document;
mod fairness;
mod figures;
mod folder;
mod group_commit;
mod hub;
mod indexed;
mod limits;
mod line;
mod load;
mod mappings;
mod peers;
mod people;
mod product;
mod provider;
mod races;
mod random;
mod run;
mod scale;
mod scim;
mod serve;
mod walk;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use serde::Serialize;

use figures::{Figure, Verdict};
use folder::Folder;
use peers::Packages;
use run::Run;
use serve::Place;

/// As the product: JSON at many connections is much faster with it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the machine's limits and the product, each figure as a ratio to its limit.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    settings: Settings,
}

#[derive(Debug, clap::Args)]
struct Settings {
    /// Measures these parts only; may be given several times
    #[arg(long, value_enum, value_name = "NAME", global = true)]
    only: Vec<Part>,

    /// Small sizes and short loads, to see that all works
    #[arg(long, global = true)]
    quick: bool,

    /// Writes the figures to this file, as JSON
    #[arg(long, value_name = "FILE", global = true)]
    json: Option<PathBuf>,

    /// The program under test; without it, it is built with optimisation
    #[arg(long, value_name = "PROGRAM", global = true)]
    lockstep: Option<PathBuf>,

    /// Where databases go while they are measured [default: beside this program]
    #[arg(long, value_name = "FOLDER", global = true)]
    folder: Option<PathBuf>,

    /// A PostgreSQL server on which new databases may be made; without it, SQLite alone is measured
    #[arg(long, env = "LOCKSTEP_TEST_POSTGRES", value_name = "URL", hide_env_values = true, global = true)]
    postgres: Option<String>,

    /// Counted seconds of each load [default: 4; quick: 0.5]
    #[arg(long, global = true)]
    seconds: Option<f64>,

    /// How often product and limit are measured in turn [default: 3; quick: 1]
    #[arg(long, global = true)]
    rounds: Option<usize>,

    /// The programs of the Python environment that holds the peers, which are then measured
    #[arg(long, value_name = "FOLDER", requires = "peers_node", global = true)]
    peers_python: Option<PathBuf>,

    /// The folder of the peer that runs in Node.js
    #[arg(long, value_name = "FOLDER", requires = "peers_python", global = true)]
    peers_node: Option<PathBuf>,

    /// Where random choices begin
    #[arg(long, default_value_t = 1, global = true)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The machine: durable inserts, a bare handler, a minimal handler
    Limits,
    /// The service provider under load
    Provider,
    /// Initial, incremental and empty cycles
    Cycles,
    /// `kill -9` at random moments of cycles
    Crash,
    /// Filters, walks, groups and memory with a million users
    Scale,
    /// Many callers who want the same at the same moment
    Races,
    /// A quiet tenant beside one that sends all it can
    Fairness,
    /// The mapping language: the mappings of one user, and attacks
    Mappings,
    /// Public SCIM servers beside ours: `cargo xtask bench --peers`
    Peers,
}

const PARTS: [Part; 8] =
    [Part::Mappings, Part::Limits, Part::Provider, Part::Cycles, Part::Crash, Part::Scale, Part::Races, Part::Fairness];

#[derive(Debug, Subcommand)]
enum Command {
    /// Kills at random moments of cycles and looks at what is left: `--only crash` with a number
    Crash {
        /// How often to kill
        #[arg(long, default_value_t = crash::KILLS[0], value_name = "NUMBER")]
        kills: usize,
    },
    /// Generates a load described on standard input
    #[command(hide = true)]
    Load,
    /// Runs one attack on the mapping language, and tells how much memory it took
    #[command(hide = true)]
    Attack {
        /// Which one, from 0
        number: usize,
    },
    /// Serves a stored document
    #[command(hide = true)]
    ServeBare,
    /// Serves look-ups by indexed keys
    #[command(hide = true)]
    ServeIndexed {
        /// A new SQLite file
        #[arg(long)]
        sqlite: PathBuf,
        /// Users in it
        #[arg(long)]
        users: u64,
    },
    /// Serves inserts by group commit
    #[command(hide = true)]
    ServeMinimal {
        /// A new SQLite file
        #[arg(long, required_unless_present = "into")]
        sqlite: Option<PathBuf>,
        /// The URL of an empty PostgreSQL database
        #[arg(long)]
        into: Option<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { command, settings } = arguments;
    match command {
        Some(Command::Load) => load::process()?,
        Some(Command::Attack { number }) => mappings::attack(number)?,
        Some(Command::ServeBare) => serve::bare()?,
        Some(Command::ServeIndexed { sqlite, users }) => serve::indexed(&sqlite, users)?,
        Some(Command::ServeMinimal { sqlite, into }) => {
            let place = sqlite.map(Place::Sqlite).or(into.map(Place::Postgres));
            serve::minimal(&place.context("no database is given")?)?;
        }
        Some(Command::Crash { kills }) => {
            return measure(Settings { only: vec![Part::Crash], ..settings }, Some(kills));
        }
        None => return measure(settings, None),
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures part after part. One that fails takes no other with it.
fn measure(settings: Settings, kills: Option<usize>) -> anyhow::Result<ExitCode> {
    let peers = settings.peers_python.clone().zip(settings.peers_node.clone());
    let peers = peers.map(|(python, node)| Packages { python, node });
    let parts = match (settings.only.as_slice(), &peers) {
        ([], Some(_)) => vec![Part::Peers],
        ([], None) => PARTS.to_vec(),
        (only, _) => only.to_vec(),
    };
    let json = settings.json.clone();
    let mut run = settings_of_run(settings)?;
    let folder = Folder::within(&run.folder)?;
    if parts.iter().any(|part| ![Part::Limits, Part::Mappings].contains(part)) {
        run.lockstep = Some(product::under_test(run.lockstep.as_deref(), folder.path())?);
    }
    let kills = kills.unwrap_or(crash::KILLS[usize::from(run.quick)]);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let load_average = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let warning = run::busy(&load_average, cores);
    let (mut figures, mut failures) = (Vec::new(), Vec::new());
    for part in parts {
        eprintln!("==> {part:?}");
        match measure_part(&run, part, kills, peers.as_ref()) {
            Ok(measured) => figures.extend(measured),
            Err(error) => failures.push(format!("{part:?} could not be measured: {error:#}")),
        }
    }
    println!("{}", figures::table(&figures));
    if let Some(warning) = &warning {
        println!("warning: {warning}");
    }
    let short = figures.iter().filter(|figure| figure.verdict == Verdict::Short).count();
    println!("{} figures, {short} short of what is required", figures.len());
    for failure in &failures {
        eprintln!("error: {failure}");
    }
    if let Some(file) = json {
        let text = serde_json::to_string_pretty(&Answer { cores, warning, figures: &figures, failures: &failures })?;
        std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Serialize)]
struct Answer<'a> {
    cores: usize,
    warning: Option<String>,
    figures: &'a [Figure],
    failures: &'a [String],
}

fn measure_part(run: &Run, part: Part, kills: usize, peers: Option<&Packages>) -> anyhow::Result<Vec<Figure>> {
    match part {
        Part::Limits => limits::measure(run),
        Part::Mappings => mappings::measure(run),
        Part::Provider => provider::measure(run),
        Part::Cycles => cycles::measure(run),
        Part::Crash => crash::measure(run, kills),
        Part::Scale => scale::measure(run),
        Part::Races => races::measure(run),
        Part::Fairness => fairness::measure(run),
        Part::Peers => peers::measure(run, peers.context("run `cargo xtask bench --peers`, which installs the peers")?),
    }
}

fn settings_of_run(settings: Settings) -> anyhow::Result<Run> {
    let Settings { quick, lockstep, folder, postgres, seconds, rounds, seed, .. } = settings;
    let folder = match folder {
        Some(folder) => std::path::absolute(folder)?,
        // The system's temporary folder may be memory, where nothing is durable and all is fast.
        None => std::env::current_exe()?.with_file_name("bench-data"),
    };
    let seconds = seconds.unwrap_or(if quick { 0.5 } else { 4.0 });
    anyhow::ensure!(seconds > 0.0 && seconds <= load::SECONDS_MAX, "--seconds is up to {}", load::SECONDS_MAX);
    let rounds = rounds.unwrap_or(if quick { 1 } else { 3 });
    anyhow::ensure!((1..=run::ROUNDS_MAX).contains(&rounds), "--rounds is 1 to {}", run::ROUNDS_MAX);
    Ok(Run { folder, postgres, seconds, rounds, quick, lockstep, seed })
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Arguments, settings_of_run};

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_run_has_an_end() {
        for (line, fine) in [
            ("bench", true),
            ("bench --seconds 600 --rounds 100", true),
            ("bench --seconds 601", false),
            ("bench --seconds 0", false),
            ("bench --seconds NaN", false),
            ("bench --rounds 0", false),
            ("bench --rounds 101", false),
        ] {
            let settings = Arguments::try_parse_from(line.split(' ')).unwrap().settings;
            assert_eq!(settings_of_run(settings).is_ok(), fine, "{line}");
        }
    }

    #[test]
    fn forms() {
        for (line, fine) in [
            ("bench", true),
            ("bench --quick --only limits --json f.json", true),
            ("bench --only nothing", false),
            ("bench crash --kills 100 --quick", true),
            ("bench --only provider --only cycles", true),
            ("bench --peers-python a --peers-node b", true),
            ("bench --peers-python a", false),
            ("bench load", true),
            ("bench serve-minimal", false),
            ("bench serve-minimal --sqlite f.db", true),
        ] {
            assert_eq!(Arguments::try_parse_from(line.split(' ')).is_ok(), fine, "{line}");
        }
    }
}
