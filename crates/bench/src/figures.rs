//! The figures of a run: each with the mark of the same run it is held against, what is required of it, and the verdict;
//! as a table for people and as JSON for programs. Nothing is measured here.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use crate::database::Kind;
use crate::load::Report;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Unit {
    /// Requests, inserts or users per second.
    #[serde(rename = "1/s")]
    PerSecond,
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Bytes.
    #[serde(rename = "bytes")]
    Bytes,
    /// Things.
    #[serde(rename = "count")]
    Count,
}

/// What must hold, of SQLite's figures.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Required {
    /// The value.
    ValueAtLeast(f64),
    /// The value.
    ValueBelow(f64),
    /// The value.
    ValueExactly(f64),
    /// The value divided by the mark.
    RatioAtLeast(f64),
    /// The value divided by the mark.
    RatioAtMost(f64),
}

/// Whether a figure is as required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As required.
    Ok,
    /// Not as required.
    Short,
    /// Nothing is required of it.
    Reported,
}

/// What a figure is held against, measured in the same run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Mark {
    /// What it is.
    pub name: String,
    /// In the unit of the figure.
    pub value: f64,
}

/// One measured figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// The database, when there was one.
    pub database: Option<&'static str>,
    /// What came out.
    pub value: f64,
    /// In which unit.
    pub unit: Unit,
    /// What it is held against.
    pub mark: Option<Mark>,
    /// The value divided by the mark.
    pub ratio: Option<f64>,
    /// What must hold.
    pub required: Option<Required>,
    /// Whether it does.
    pub verdict: Verdict,
    /// Microseconds within which half and 99 of 100 answers came.
    pub p50_p99_micros: Option<(u32, u32)>,
    /// Anything a reader has to know.
    pub note: Option<String>,
}

impl Figure {
    /// A figure that is reported and no more.
    pub fn new(name: impl Into<String>, database: Option<Kind>, value: f64, unit: Unit) -> Self {
        Self {
            name: name.into(),
            database: database.map(Kind::name),
            value,
            unit,
            mark: None,
            ratio: None,
            required: None,
            verdict: Verdict::Reported,
            p50_p99_micros: None,
            note: None,
        }
    }

    /// The rate of a load; errors of the load become its note.
    pub fn of_load(name: impl Into<String>, database: Option<Kind>, report: &Report) -> Self {
        let mut figure = Self::new(name, database, report.per_second, Unit::PerSecond);
        figure.p50_p99_micros = Some((report.p50_micros, report.p99_micros));
        if report.errors > 0 {
            let trouble = report.trouble.as_deref().unwrap_or("no words");
            figure = figure.noted(format!("{} errors, first: {trouble}", report.errors));
        }
        figure
    }

    /// Holds it against a mark.
    #[must_use]
    pub fn against(mut self, name: impl Into<String>, value: f64) -> Self {
        self.ratio = (value > 0.0).then(|| self.value / value);
        self.mark = Some(Mark { name: name.into(), value });
        self
    }

    /// Requires something of it. PostgreSQL is reported, not judged.
    #[must_use]
    pub fn requiring(mut self, required: Required) -> Self {
        self.required = Some(required);
        let holds = match required {
            Required::ValueAtLeast(least) => self.value >= least,
            Required::ValueBelow(limit) => self.value < limit,
            Required::ValueExactly(expected) => (self.value - expected).abs() < f64::EPSILON,
            Required::RatioAtLeast(least) => self.ratio.is_some_and(|ratio| ratio >= least),
            Required::RatioAtMost(most) => self.ratio.is_some_and(|ratio| ratio <= most),
        };
        let judged = self.database != Some(Kind::Postgres.name());
        self.verdict = match (judged, holds) {
            (false, _) => Verdict::Reported,
            (true, true) => Verdict::Ok,
            (true, false) => Verdict::Short,
        };
        self
    }

    /// Adds a remark.
    #[must_use]
    pub fn noted(mut self, note: impl Into<String>) -> Self {
        let note = note.into();
        self.note = Some(self.note.take().map_or_else(|| note.clone(), |before| format!("{before}; {note}")));
        self
    }

    fn row(&self) -> [String; 8] {
        let mark = self.mark.as_ref();
        let latency = self.p50_p99_micros.map(|(p50, p99)| format!("{} / {}", millis(p50), millis(p99)));
        [
            self.name.clone(),
            self.database.unwrap_or_default().to_owned(),
            shown(self.value, self.unit),
            latency.unwrap_or_default(),
            mark.map(|mark| format!("{} ({})", shown(mark.value, self.unit), mark.name)).unwrap_or_default(),
            self.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default(),
            self.required.map(|required| words(required, self.unit)).unwrap_or_default(),
            match self.verdict {
                Verdict::Ok => "ok".to_owned(),
                Verdict::Short => "SHORT".to_owned(),
                Verdict::Reported => String::new(),
            },
        ]
    }
}

fn millis(micros: u32) -> String {
    format!("{:.1}", f64::from(micros) / 1e3)
}

fn words(required: Required, unit: Unit) -> String {
    match required {
        Required::ValueAtLeast(least) => format!("≥ {}", shown(least, unit)),
        Required::ValueBelow(limit) => format!("< {}", shown(limit, unit)),
        Required::ValueExactly(expected) => shown(expected, unit),
        Required::RatioAtLeast(least) => format!("ratio ≥ {least}"),
        Required::RatioAtMost(most) => format!("ratio ≤ {most}"),
    }
}

/// A value with its unit, as a person reads it.
pub fn shown(value: f64, unit: Unit) -> String {
    match unit {
        Unit::PerSecond => format!("{}/s", grouped(value)),
        Unit::Seconds if value < 1e-3 => format!("{:.1} µs", value * 1e6),
        Unit::Seconds if value < 0.1 => format!("{:.1} ms", value * 1e3),
        Unit::Seconds => format!("{value:.2} s"),
        Unit::Bytes => format!("{:.0} MB", value / 1e6),
        Unit::Count => grouped(value),
    }
}

/// A whole number with its thousands apart.
fn grouped(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// All figures as a table, with the notes below it.
pub fn table(figures: &[Figure]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(["figure", "database", "measured", "p50 / p99 ms", "mark of this run", "ratio", "required", ""]);
    for figure in figures {
        table.add_row(figure.row());
    }
    for column in [2, 3, 5] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let notes = figures.iter().filter_map(|figure| {
        let database = figure.database.map(|name| format!(" ({name})")).unwrap_or_default();
        figure.note.as_ref().map(|note| format!("\n{}{database}: {note}", figure.name))
    });
    format!("{table}{}", notes.collect::<String>())
}

/// The middle one of some values; 0 without values.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The load with the median rate.
pub fn median_load(mut reports: Vec<Report>) -> Report {
    reports.sort_by(|one, other| one.per_second.total_cmp(&other.per_second));
    let errors = reports.iter().map(|report| report.errors).sum();
    let trouble = reports.iter().find_map(|report| report.trouble.clone());
    let middle = reports.len() / 2;
    let report = reports.into_iter().nth(middle).unwrap_or_default();
    Report { errors, trouble, ..report }
}

#[cfg(test)]
mod tests {
    use super::{Figure, Required, Unit, Verdict, median, median_load, shown, table};
    use crate::database::Kind;
    use crate::load::Report;

    #[test]
    fn verdicts() {
        let figure = |kind| Figure::new("POST", kind, 50.0, Unit::PerSecond).against("minimal", 100.0);
        for (kind, required, expected) in [
            (Some(Kind::Sqlite), Required::RatioAtLeast(0.5), Verdict::Ok),
            (Some(Kind::Sqlite), Required::RatioAtLeast(0.6), Verdict::Short),
            (Some(Kind::Postgres), Required::RatioAtLeast(0.6), Verdict::Reported),
            (None, Required::RatioAtMost(0.5), Verdict::Ok),
            (None, Required::RatioAtMost(0.4), Verdict::Short),
            (None, Required::ValueAtLeast(50.0), Verdict::Ok),
            (None, Required::ValueBelow(50.0), Verdict::Short),
            (None, Required::ValueExactly(50.0), Verdict::Ok),
            (None, Required::ValueExactly(0.0), Verdict::Short),
        ] {
            assert_eq!(figure(kind).requiring(required).verdict, expected, "{kind:?} {required:?}");
        }
        let without_mark = Figure::new("POST", None, 50.0, Unit::PerSecond).requiring(Required::RatioAtLeast(0.0));
        assert_eq!(without_mark.verdict, Verdict::Short);
        assert_eq!(Figure::new("POST", None, 1.0, Unit::Count).against("nothing", 0.0).ratio, None);
    }

    #[test]
    fn values_for_people() {
        for (value, unit, expected) in [
            (127_000.4, Unit::PerSecond, "127,000/s"),
            (999.0, Unit::PerSecond, "999/s"),
            (0.000_012_3, Unit::Seconds, "12.3 µs"),
            (0.0123, Unit::Seconds, "12.3 ms"),
            (12.345, Unit::Seconds, "12.35 s"),
            (499_999_999.0, Unit::Bytes, "500 MB"),
            (1_000_000.0, Unit::Count, "1,000,000"),
        ] {
            assert_eq!(shown(value, unit), expected);
        }
    }

    #[test]
    fn the_table_holds_all_and_its_notes() {
        let short = Figure::new("POST, 8 connections", Some(Kind::Sqlite), 10.0, Unit::PerSecond)
            .against("minimal handler", 100.0)
            .requiring(Required::RatioAtLeast(0.4))
            .noted("one")
            .noted("two");
        let table = table(&[short]);
        for part in ["POST, 8 connections", "SQLite", "10/s", "100/s (minimal handler)", "0.10", "ratio ≥ 0.4", "SHORT"]
        {
            assert!(table.contains(part), "{part} in {table}");
        }
        assert!(table.ends_with("POST, 8 connections (SQLite): one; two"), "{table}");
    }

    #[test]
    fn the_middle_one_is_taken_and_no_error_is_lost() {
        assert_eq!(median([3.0, 1.0, 2.0]).to_string(), "2");
        assert_eq!(median([]).to_string(), "0");
        let report = |per_second, errors| Report { per_second, errors, ..Report::default() };
        let middle = median_load(vec![report(3.0, 1), report(1.0, 0), report(2.0, 2)]);
        assert_eq!((middle.per_second.to_string().as_str(), middle.errors), ("2", 3));
    }
}
