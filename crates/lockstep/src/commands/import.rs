//! `import`: users, groups and members from files.

use std::cell::Cell;
use std::io::{Read, Seek as _};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;

use anyhow::Context as _;
use directory::import::{
    Format, Import, ImportError, ImportOptions, ImportReport, NewId, Objects, Problem, Progress, check_encoding,
};
use directory::{Activity, DirectoryError};
use mapping::counted;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::cli::{ImportArgs, ImportCommand, ImportFormat};
use crate::files;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::progress::{Bar, Unit};
use crate::stop::StopRequests;
use crate::world::{World, audit, new_id, now};

/// Problems that people are shown; JSON has all that the report lists.
const PROBLEMS_SHOWN_MAX: usize = 50;
/// Users without the manager they were to have who are shown.
const MANAGERS_SHOWN_MAX: usize = 10;

/// Carries out `import`.
pub async fn run(command: ImportCommand, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let (what, args, group) = match command {
        ImportCommand::Users(args) => (Objects::Users, args, None),
        ImportCommand::Groups(args) => (Objects::Groups, args, None),
        ImportCommand::Members { import, group } => (Objects::Members, import, group),
    };
    let report = import(what, &args, group, world, output).await?;
    if !args.dry_run && report.created + report.updated > 0 {
        let detail = json!({ "created": report.created, "updated": report.updated, "failed": report.failed });
        audit_import(world, &args.file, detail).await?;
    }
    show(output, &report)?;
    Ok(Outcome::of_failed(report.failed))
}

async fn import(
    objects: Objects,
    args: &ImportArgs,
    group: Option<String>,
    world: &World,
    output: Output,
) -> anyhow::Result<ImportReport> {
    let options = ImportOptions { dry_run: args.dry_run, empty_clears: !args.keep_empty, group };
    let ids: NewId = Arc::new(new_id);
    let import = Import { store: world.store(), objects, format: format(args), options: &options, ids, now: now() };
    if args.file == Path::new("-") {
        return run_shown(&import, std::io::stdin(), 0, "standard input", world, output).await;
    }
    let (mut file, length) = files::open(&args.file, "")?;
    let name = args.file.display().to_string();
    // A pipe cannot be read twice; of one, the import itself looks at the beginning.
    if length > 0 {
        check_encoding(&file).with_context(|| name.clone())?;
        file.rewind().with_context(|| name.clone())?;
    }
    run_shown(&import, file, length, &name, world, output).await
}

/// Imports under a progress bar, up to the end or to Ctrl+C.
async fn run_shown(
    import: &Import<'_>,
    input: impl Read + Send + 'static,
    bytes: u64,
    name: &str,
    world: &World,
    output: Output,
) -> anyhow::Result<ImportReport> {
    let bar = Bar::new(output, "Importing", bytes, Unit::Bytes);
    let rows = Cell::new(0);
    let progress = |progress: Progress| {
        rows.set(progress.rows);
        bar.at(progress.bytes, None, &counted(progress.rows, "row"));
    };
    let (mut requests, (tell, stop)) = (StopRequests::listen(), watch::channel(false));
    let done = {
        let mut run = pin!(import.run_until(input, progress, stop));
        tokio::select! {
            done = &mut run => done,
            () = requests.next() => {
                tell.send_replace(true);
                run.await
            }
        }
    };
    bar.done();
    let ended = match done {
        Ok(report) => return Ok(report),
        Err(ImportError::Stopped) => None,
        Err(error) => Some(error),
    };
    let rows = rows.get();
    if !import.options.dry_run && rows > 0 {
        let recorded = audit_import(world, Path::new(name), json!({ "stopped": true, "read": rows })).await;
        // Where the disk is full, the record has no room either: what ended the import is what counts.
        if ended.is_none() {
            recorded?;
        }
    }
    Err(cut_short(ended, name, rows, import.options.dry_run))
}

/// Why an import did not come to its end (`None` is Ctrl+C), and what is left to do.
fn cut_short(error: Option<ImportError>, name: &str, rows: u64, dry_run: bool) -> anyhow::Error {
    const REST: &str = "import the file again, and the rest follows";
    let taken = counted(rows, "row");
    match error {
        None => anyhow::anyhow!("the import was stopped after {taken}; {REST}"),
        Some(error) if dry_run || rows == 0 => anyhow::Error::new(error).context(name.to_owned()),
        Some(error) => anyhow::anyhow!("{name}: the import ended after {taken}: {error}; then {REST}"),
    }
}

fn format(args: &ImportArgs) -> Format {
    let extension = args.file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match args.format {
        Some(ImportFormat::Jsonl) => Format::JsonLines,
        None if ["jsonl", "ndjson"].iter().any(|known| known.eq_ignore_ascii_case(extension)) => Format::JsonLines,
        Some(ImportFormat::Csv) | None => Format::Csv,
    }
}

async fn audit_import(world: &World, file: &Path, detail: Value) -> anyhow::Result<()> {
    let name = file.file_name().map_or_else(|| "-".to_owned(), |name| name.to_string_lossy().into_owned());
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
    let (failed, without): (Vec<&Problem>, Vec<&Problem>) = report.problems.iter().partition(|problem| problem.failed);
    problems(output, &failed, report.failed, PROBLEMS_SHOWN_MAX)?;
    if report.without_manager > 0 {
        let were = if report.without_manager == 1 { "was" } else { "were" };
        let users = counted(report.without_manager, "user");
        output.line(&format!("{users} {were} imported without the manager the row names:"))?;
        problems(output, &without, report.without_manager, MANAGERS_SHOWN_MAX)?;
    }
    Ok(())
}

/// The first of so many problems.
fn problems(output: Output, listed: &[&Problem], all: u64, most: usize) -> anyhow::Result<()> {
    let shown = listed.len().min(most);
    for problem in &listed[..shown] {
        output.line(&format!("line {}: {}", problem.line, problem.message))?;
    }
    let further = all.saturating_sub(shown as u64);
    if further > 0 {
        let more = if listed.len() > shown { "; --json lists more" } else { "" };
        output.line(&format!("and {}{more}", counted(further, "further problem")))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use store::StoreError;

    use super::*;
    use crate::outcome::sentence;

    #[test]
    fn an_import_that_is_cut_short_says_what_is_left() {
        let full = || Some(ImportError::Store(StoreError::Full));
        for (error, rows, dry_run, expected) in [
            (None, 1, false, "the import was stopped after 1 row; import the file again, and the rest follows"),
            (
                full(),
                1500,
                false,
                "p.csv: the import ended after 1500 rows: no space is left for the database; free some and try again; \
                 then import the file again, and the rest follows",
            ),
            (full(), 0, false, "p.csv: no space is left for the database; free some and try again"),
            (full(), 1500, true, "p.csv: no space is left for the database; free some and try again"),
        ] {
            assert_eq!(sentence(&cut_short(error, "p.csv", rows, dry_run)), expected);
        }
    }
}
