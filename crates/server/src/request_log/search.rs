//! Finding lines of a tenant's request log, newest first.

use std::io;
use std::path::Path;

use jiff::Timestamp;
use serde_json::Value;

use super::writer::segments;

/// Which lines are looked for; what is not set does not matter.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    /// The earliest.
    pub since: Option<Timestamp>,
    /// First and last status.
    pub status: Option<(u16, u16)>,
    /// The method, in any case.
    pub method: Option<String>,
    /// A part of the address.
    pub path: Option<String>,
    /// The ids of tokens.
    pub callers: Option<Vec<String>>,
    /// The id of the request.
    pub id: Option<String>,
    /// Most lines; 0 for all.
    pub limit: usize,
}

/// Reads the lines in a tenant's folder that are looked for, newest first. A line that was cut off by a crash is passed over.
pub fn search(folder: &Path, query: &LogQuery) -> io::Result<Vec<Value>> {
    let mut found = Vec::new();
    let since = query.since.map_or(i64::MIN, Timestamp::as_millisecond);
    for (begun, path) in segments(folder)?.into_iter().rev() {
        let text = match std::fs::read(&path) {
            // It was the oldest and had to go meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            text => text?,
        };
        for line in text.rsplit(|byte| *byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<Value>(line) else { continue };
            if query.matches(&line) {
                found.push(line);
                if found.len() == query.limit {
                    return Ok(found);
                }
            }
        }
        if begun < since {
            break;
        }
    }
    Ok(found)
}

impl LogQuery {
    fn matches(&self, line: &Value) -> bool {
        let text = |name: &str| line[name].as_str().unwrap_or_default();
        let at = || text("at").parse::<Timestamp>().ok();
        let status = || line["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default();
        self.since.is_none_or(|since| at().is_some_and(|at| at >= since))
            && self.status.is_none_or(|(first, last)| (first..=last).contains(&status()))
            && self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(text("method")))
            && self.path.as_ref().is_none_or(|path| text("path").contains(path))
            && self.callers.as_ref().is_none_or(|callers| callers.iter().any(|caller| caller == text("caller")))
            && self.id.as_ref().is_none_or(|id| id == text("id"))
    }
}
