//! `sync` and `plan`: one cycle of a job now, or every request it would send.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};

use provisioning::{CycleReport, Engine, JobError, Predicted, Progress};
use serde_json::json;
use store::AppId;

use super::find;
use crate::outcome::Outcome;
use crate::output::Output;
use crate::progress::{Bar, Unit};
use crate::world::World;

/// Carries out `sync`.
pub async fn sync(app: &str, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let application = find::application(world, app).await?;
    let report = run_shown(&world.engine()?, application.id, &application.name, output).await?;
    if output.is_json() {
        output.json(&report)?;
    } else {
        output.line(&format!("{}: {report}", application.name))?;
        waiting(output, &report)?;
    }
    Ok(Outcome::of_failed(report.failed))
}

/// Runs a cycle under a progress bar.
pub async fn run_shown(engine: &Engine, app: AppId, name: &str, output: Output) -> Result<CycleReport, JobError> {
    let bar = Bar::new(output, name, 0, Unit::Items);
    let shown = bar.clone();
    let progress = Arc::new(move |progress: &Progress| {
        shown.at(progress.done, Some(progress.total), &format!("{}, {} requests", progress.phase, progress.requests));
    });
    let report = engine.run_cycle(app, progress).await;
    bar.done();
    report
}

fn waiting(output: Output, report: &CycleReport) -> anyhow::Result<()> {
    if report.failed > 0 {
        output.line("Objects that failed are tried again; lockstep logs tells why they failed")?;
    }
    if report.waiting > 0 {
        let when = report.settles_in_seconds.map_or_else(String::new, |seconds| format!(" in {seconds} s"));
        output
            .line(&format!("The outcome of {} creates is unknown; sync again{when} to settle them", report.waiting))?;
    }
    Ok(())
}

/// Carries out `plan`. Predictions are printed as they come: there may be hundreds of thousands.
pub async fn plan(app: &str, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let application = find::application(world, app).await?;
    let failure: Arc<Mutex<Option<anyhow::Error>>> = Arc::default();
    let noted = Arc::clone(&failure);
    let (sender, receiver) = mpsc::sync_channel::<Predicted>(PRINT_QUEUE_MAX);
    let printer = std::thread::spawn(move || {
        for predicted in receiver {
            if let Err(error) = print(output, &predicted) {
                *noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                return;
            }
        }
    });
    // A reader that has gone is told of below, when the printer has noted it.
    let sink = Box::new(move |predicted: Predicted| drop(sender.send(predicted)));
    let report = world.engine()?.plan(application.id, sink).await;
    printer.join().map_err(|_| anyhow::anyhow!("the plan could not be printed"))?;
    if let Some(error) = failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(error);
    }
    let report = report?;
    if output.is_json() {
        output.json(&json!({ "summary": report }))?;
    } else {
        output.line(&format!("Plan for {}: {report}", application.name))?;
    }
    Ok(Outcome::of_failed(report.failed))
}

/// Predictions that wait to be printed.
const PRINT_QUEUE_MAX: usize = 1_024;

fn print(output: Output, predicted: &Predicted) -> anyhow::Result<()> {
    if output.is_json() {
        return output.json(predicted);
    }
    let mut lines = match (predicted.method, &predicted.path) {
        (Some(method), Some(path)) => {
            format!("{method} {path}  ({} {} {})", predicted.action, predicted.object_type, predicted.object)
        }
        _ => format!("{} {} {}", predicted.action, predicted.object_type, predicted.object),
    };
    if let Some(reason) = &predicted.reason {
        lines.push_str("\n    ");
        lines.push_str(reason);
    }
    if let Some(body) = &predicted.body {
        let body = serde_json::to_string_pretty(body)?;
        lines.push_str("\n    ");
        lines.push_str(&body.replace('\n', "\n    "));
    }
    output.line(&lines)
}
