//! The `lockstep` program: one binary that is the provisioning service, the application tenants, and the commands for both.
//! Here the command line is read and the exit code decided; what each command does is in `commands`.

mod ask;
mod cli;
mod commands;
mod config;
mod data_folder;
mod expiry;
mod files;
mod hosting;
mod logging;
mod outcome;
mod output;
mod progress;
mod sample;
mod shown;
mod stop;
mod traces;
mod world;

use std::process::ExitCode;
use std::time::Duration;

use crate::cli::Cli;
use crate::outcome::{Outcome, exit_code};

/// How long threads that wait for an input may take to end.
const END_MAX: Duration = Duration::from_secs(1);

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = cli::read();
    match run(cli) {
        Ok(outcome) => outcome.into(),
        Err(error) => exit_code(&error),
    }
}

fn run(cli: Cli) -> anyhow::Result<Outcome> {
    if let cli::Command::Completions { shell } = cli.command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut cli::command(), "lockstep", &mut script);
        output::write_raw(&script)?;
        return Ok(Outcome::Done);
    }
    let global = global_of(&cli);
    let config = config::Config::load(&global)?;
    logging::start(&config);
    let output = output::Output::new(cli.global.json, cli.global.color);
    // Two workers at the least: the cycles' reads of the embedded database run on the worker that asks, and others must not wait for it.
    let workers = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build()?;
    let outcome = commands::run(cli.command, config, cli.global.data.is_some(), output, &runtime);
    // An input that was given up may still be waited for; nothing that was begun in the data is.
    runtime.shutdown_timeout(END_MAX);
    outcome
}

/// The global options, with those of the command that belong to the configuration.
fn global_of(cli: &Cli) -> cli::GlobalArgs {
    let mut global = cli.global.clone();
    match &cli.command {
        cli::Command::Serve(args) => {
            global.listen.clone_from(&args.listen);
            global.otlp_endpoint.clone_from(&args.otlp_endpoint);
            global.otlp_headers = world::collector_headers();
        }
        cli::Command::Demo(args) => {
            global.listen = Some(args.listen.clone().unwrap_or_else(|| "127.0.0.1:0".to_owned()));
            global.without_file = global.data.is_none() && global.config.is_none();
        }
        _ => {}
    }
    global
}
