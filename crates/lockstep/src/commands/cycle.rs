//! `sync` and `plan`: one cycle of a job now, or every request it would send.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use mapping::counted;
use provisioning::{CycleReport, Engine, JobError, Predicted, Progress};
use serde_json::json;
use store::{AppId, ObjectId, ObjectKind};

use super::find;
use crate::outcome::Outcome;
use crate::output::{Output, note};
use crate::progress::{Bar, Unit};
use crate::stop::StopRequests;
use crate::world::World;

/// Further cycles of `sync --settle` at the most: each settles what the one before it left.
const SETTLE_ROUNDS_MAX: u32 = 3;

/// Carries out `sync`.
pub async fn sync(app: &str, settle: bool, world: &World, output: Output) -> anyhow::Result<Outcome> {
    let application = find::application(world, app).await?;
    let engine = world.engine()?;
    let mut stop = StopRequests::listen();
    let mut report = until_stopped(&engine, application.id, &application.name, output, &mut stop).await?;
    let mut rounds = if settle { SETTLE_ROUNDS_MAX } else { 0 };
    while rounds > 0 && report.waiting > 0 {
        rounds -= 1;
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(report.settles_in_seconds.unwrap_or(0) + 1)) => {}
            () = stop.next() => return Err(JobError::Stopped.into()),
        }
        let next = until_stopped(&engine, application.id, &application.name, output, &mut stop).await?;
        let kept = engine.in_escrow(application.id, std::mem::take(&mut report.failures)).await?;
        report = together(&report, next, kept);
    }
    if output.is_json() {
        output.json(&report)?;
    } else {
        output.line(&format!("{}: {report}", application.name))?;
        waiting(output, &report)?;
    }
    Ok(Outcome::of_failed(report.failed))
}

/// What two cycles did together. What failed in the first is put off in the next one, so it has not failed there: `kept`
/// is what of it is still in escrow.
fn together(first: &CycleReport, next: CycleReport, kept: BTreeSet<(ObjectKind, ObjectId)>) -> CycleReport {
    let failures: BTreeSet<_> = kept.into_iter().chain(next.failures).collect();
    CycleReport {
        cycle: first.cycle,
        created: first.created + next.created,
        updated: first.updated + next.updated,
        disabled: first.disabled + next.disabled,
        deleted: first.deleted + next.deleted,
        skipped: first.skipped + next.skipped,
        not_switched_off: first.not_switched_off.max(next.not_switched_off),
        references: first.references + next.references,
        requests: first.requests + next.requests,
        seconds: first.seconds + next.seconds,
        // These say how it stands at the end.
        failed: failures.len() as u64,
        failures,
        waiting: next.waiting,
        settles_in_seconds: next.settles_in_seconds,
    }
}

/// Runs a cycle. Ctrl+C lets it end what it has begun, a second one ends it at once.
async fn until_stopped(
    engine: &Engine,
    app: AppId,
    name: &str,
    output: Output,
    stop: &mut StopRequests,
) -> Result<CycleReport, JobError> {
    let mut running = pin!(run_shown(engine, app, name, output));
    tokio::select! {
        report = &mut running => return report,
        () = stop.next() => {}
    }
    engine.stop();
    note("stopping after what is under way; Ctrl+C again stops at once");
    tokio::select! {
        report = &mut running => report,
        () = stop.next() => Err(JobError::Stopped),
    }
}

/// Runs a cycle under a progress bar.
pub async fn run_shown(engine: &Engine, app: AppId, name: &str, output: Output) -> Result<CycleReport, JobError> {
    let bar = Bar::new(output, name, 0, Unit::Items);
    let shown = bar.clone();
    let progress = Arc::new(move |progress: &Progress| {
        shown.at(
            progress.done,
            Some(progress.total),
            &format!("{}, {}", progress.phase, counted(progress.requests, "request")),
        );
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
        let creates = counted(report.waiting, "create");
        output.line(&format!("The outcome of {creates} is unknown; sync again{when} to settle what it was"))?;
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
        let mut summary = serde_json::to_value(&report)?;
        summary["summary"] = json!(true);
        output.json(&summary)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_cycles_are_told_as_one() {
        let object = |number| (ObjectKind::User, ObjectId::new(uuid::Uuid::from_u128(number)));
        let first = CycleReport {
            cycle: "initial",
            created: 2,
            waiting: 1,
            failed: 3,
            failures: [object(1), object(2), object(3)].into(),
            requests: 5,
            ..CycleReport::default()
        };
        let next = CycleReport {
            cycle: "incremental",
            created: 1,
            requests: 2,
            failed: 2,
            failures: [object(3), object(4)].into(),
            ..CycleReport::default()
        };
        // The first object was done meanwhile, the second is put off.
        let both = together(&first, next, [object(2), object(3)].into());
        assert_eq!((both.cycle, both.created, both.requests, both.waiting, both.failed), ("initial", 3, 7, 0, 3));
        assert_eq!(both.failures, [object(2), object(3), object(4)].into());
    }
}
