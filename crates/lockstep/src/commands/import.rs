//! `import`: users, groups and members from files.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use directory::import::{Format, ImportError, ImportOptions, ImportReport, NewId, Progress};
use directory::{Activity, DirectoryError};
use serde_json::json;

use crate::cli::{ImportArgs, ImportCommand, ImportFormat};
use crate::files;
use crate::outcome::Outcome;
use crate::output::{Output, counted};
use crate::progress::{Bar, Unit};
use crate::world::{World, audit, new_id, now};

/// Problems that people are shown; JSON has all that the report lists.
const PROBLEMS_SHOWN_MAX: usize = 50;

#[derive(Clone, Copy)]
enum What {
    Users,
    Groups,
    Members,
}

/// Carries out `import`.
pub async fn run(command: ImportCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let (what, args, group) = match command {
        ImportCommand::Users(args) => (What::Users, args, None),
        ImportCommand::Groups(args) => (What::Groups, args, None),
        ImportCommand::Members { import, group } => (What::Members, import, group),
    };
    let report = import(what, &args, group, world, output).await?;
    if !args.dry_run && report.created + report.updated > 0 {
        audit_import(world, &args.file, &report).await?;
    }
    show(output, &report)?;
    Ok(Outcome::of_failed(report.failed))
}

async fn import(
    what: What,
    args: &ImportArgs,
    group: Option<String>,
    world: &World,
    output: Output,
) -> anyhow::Result<ImportReport> {
    let (input, bytes) = open(&args.file)?;
    let format = format(args);
    let options = ImportOptions { dry_run: args.dry_run, empty_clears: !args.keep_empty, group };
    let bar = Bar::new(output, "Importing", bytes, Unit::Bytes);
    let progress = |progress: Progress| bar.at(progress.bytes, None, &counted(progress.rows, "row"));
    let (store, now, ids): (_, _, NewId) = (world.store(), now(), Arc::new(new_id));
    let done: Result<ImportReport, ImportError> = match what {
        What::Users => directory::import::import_users(store, input, format, &options, ids, now, progress).await,
        What::Groups => directory::import::import_groups(store, input, format, &options, ids, now, progress).await,
        What::Members => directory::import::import_members(store, input, format, &options, now, progress).await,
    };
    bar.done();
    done.with_context(|| args.file.display().to_string())
}

/// The input and its length in bytes, 0 where that is not known.
fn open(path: &Path) -> anyhow::Result<(Box<dyn Read + Send>, u64)> {
    if path == Path::new("-") {
        return Ok((Box::new(std::io::stdin()), 0));
    }
    let (file, length) = files::open(path, "")?;
    Ok((Box::new(file), length))
}

fn format(args: &ImportArgs) -> Format {
    let extension = args.file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match args.format {
        Some(ImportFormat::Jsonl) => Format::JsonLines,
        None if ["jsonl", "ndjson"].iter().any(|known| known.eq_ignore_ascii_case(extension)) => Format::JsonLines,
        Some(ImportFormat::Csv) | None => Format::Csv,
    }
}

async fn audit_import(world: &World, file: &Path, report: &ImportReport) -> anyhow::Result<()> {
    let name = file.file_name().map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned());
    let detail = json!({ "created": report.created, "updated": report.updated, "failed": report.failed });
    let recorded = world.store().write(move |tx| audit(tx, Activity::Import, &name, &detail));
    recorded.await.map_err(|error: DirectoryError| error.into())
}

fn show(output: Output, report: &ImportReport) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(report);
    }
    let would = if report.dry_run { " (nothing was written: --dry-run)" } else { "" };
    output.line(&format!(
        "{} read: {} created, {} updated, {} unchanged, {} failed{would}",
        counted(report.read, "row"),
        report.created,
        report.updated,
        report.unchanged,
        report.failed
    ))?;
    if !report.ignored_columns.is_empty() {
        let columns: Vec<&str> = report.ignored_columns.iter().map(String::as_str).collect();
        output.line(&format!("Columns that mean nothing here: {}", columns.join(", ")))?;
    }
    for problem in report.problems.iter().take(PROBLEMS_SHOWN_MAX) {
        output.line(&format!("line {}: {}", problem.line, problem.message))?;
    }
    let shown = report.problems.len().min(PROBLEMS_SHOWN_MAX);
    let further = report.further_problems + (report.problems.len() - shown) as u64;
    if further > 0 {
        output.line(&format!("and {}; --json lists more", counted(further, "further problem")))?;
    }
    Ok(())
}
