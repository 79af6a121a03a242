//! Records of a log, printed while they are read: however many there are, some at a time are held.

use std::collections::VecDeque;

use provisioning::{Engine, LogFilter, LogView};
use serde::Serialize;
use store::{AppId, LogId};

use super::pages::tell_more;
use crate::output::{Output, write_raw};

/// Records that are looked at, and printed, at a time.
pub const STEP: u32 = 500;

/// Prints records as they come: one JSON list for programs, tables or lines for people.
pub struct Printer {
    output: Output,
    head: &'static [&'static str],
    limit: u64,
    taken: u64,
    json: Vec<u8>,
    rows: Vec<Vec<String>>,
}

impl Printer {
    /// Prints `limit` records at the most; 0 prints all.
    pub fn new(output: Output, head: &'static [&'static str], limit: u32) -> Self {
        let limit = if limit == 0 { u64::MAX } else { limit.into() };
        Self { output, head, limit, taken: 0, json: Vec::new(), rows: Vec::new() }
    }

    /// Whether as many were printed as were asked for.
    pub const fn is_full(&self) -> bool {
        self.taken >= self.limit
    }

    /// Prints a record: its JSON, or the row of a table.
    pub fn add(&mut self, record: &impl Serialize, row: impl FnOnce() -> Vec<String>) -> anyhow::Result<()> {
        if self.output.is_json() {
            self.json.push(if self.taken == 0 { b'[' } else { b',' });
            serde_json::to_writer(&mut self.json, record)?;
        } else {
            self.rows.push(row());
        }
        self.taken += 1;
        if self.taken.is_multiple_of(STEP.into()) { self.flush() } else { Ok(()) }
    }

    /// Prints a record as lines for people.
    pub fn add_lines(&mut self, lines: impl IntoIterator<Item = String>) -> anyhow::Result<()> {
        self.taken += 1;
        lines.into_iter().try_for_each(|line| self.output.line(&line))
    }

    /// Ends the list, and says whether there is more.
    pub fn end(mut self, more: bool) -> anyhow::Result<()> {
        if self.output.is_json() {
            self.json.extend_from_slice(if self.taken == 0 { b"[]\n" } else { b"]\n" });
        } else if self.taken == 0 {
            self.output.line("No records")?;
        }
        self.flush()?;
        tell_more(more);
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        write_raw(&std::mem::take(&mut self.json))?;
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() { Ok(()) } else { self.output.table(self.head, rows, "") }
    }
}

/// The provisioning logs of several applications as one, newest first.
pub struct Merged {
    engine: Engine,
    wanted: LogFilter,
    logs: Vec<Log>,
}

/// How far the log of one application was read.
struct Log {
    app: AppId,
    read: VecDeque<LogView>,
    before: Option<LogId>,
    ended: bool,
}

impl Merged {
    /// The logs of these applications.
    pub fn new(engine: Engine, wanted: LogFilter, apps: impl Iterator<Item = AppId>) -> Self {
        let log = |app| Log { app, read: VecDeque::new(), before: None, ended: false };
        Self { engine, wanted, logs: apps.map(log).collect() }
    }

    /// The next record. `step` records of a log are looked at, at a time.
    pub async fn next(&mut self, step: u32) -> anyhow::Result<Option<LogView>> {
        for log in &mut self.logs {
            while log.read.is_empty() && !log.ended {
                let page = self.engine.logs(log.app, self.wanted, log.before, step).await?;
                log.read.extend(page.records);
                log.before = page.next;
                log.ended = page.next.is_none();
            }
        }
        let newest = self.logs.iter_mut().max_by_key(|log| log.read.front().map(|record| record.id));
        Ok(newest.and_then(|log| log.read.pop_front()))
    }
}
