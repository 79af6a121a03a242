//! Progress bars of long work, with rate and time left: on standard error, and only where a person looks at it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::output::{Output, clean};

const REDRAW_EVERY: Duration = Duration::from_millis(100);
const WAITING: &str = "{prefix} {spinner} {elapsed}";

/// How far some work is. Hidden where standard error is no terminal or JSON is wanted.
#[derive(Clone, Debug)]
pub struct Bar(ProgressBar);

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Objects, rows, pages.
    Items,
    /// Bytes.
    Bytes,
}

impl Bar {
    /// Says that something is waited for of which nothing can be counted, and for how long already.
    pub fn waiting(output: Output, title: &str) -> Self {
        let bar = Self::new(output, title, 0, Unit::Items);
        bar.0.set_style(ProgressStyle::with_template(WAITING).unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar
    }

    /// A bar that stands at 0; a total of 0 is one that is not known.
    pub fn new(output: Output, title: &str, total: u64, unit: Unit) -> Self {
        let hidden = output.is_json() || !console::user_attended_stderr();
        let target = if hidden { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target((total > 0).then_some(total), target);
        bar.set_style(style(total > 0, unit));
        bar.set_prefix(clean(title));
        if !hidden {
            bar.enable_steady_tick(REDRAW_EVERY);
        }
        Self(bar)
    }

    /// Moves the bar, and says what is being done.
    pub fn at(&self, done: u64, total: Option<u64>, message: &str) {
        if let Some(total) = total.filter(|total| *total > 0)
            && self.0.length() != Some(total)
        {
            self.0.set_length(total);
            self.0.set_style(style(true, Unit::Items));
        }
        self.0.set_position(done);
        if self.0.message() != message {
            self.0.set_message(clean(message));
        }
    }

    /// Takes the bar away.
    pub fn done(&self) {
        self.0.finish_and_clear();
    }
}

fn style(has_total: bool, unit: Unit) -> ProgressStyle {
    let template = match (has_total, unit) {
        (true, Unit::Items) => "{prefix} {bar:30.cyan} {pos}/{len}  {rate}  {eta} left  {msg}",
        (true, Unit::Bytes) => "{prefix} {bar:30.cyan} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left  {msg}",
        (false, _) => "{prefix} {spinner} {pos}  {rate}  {elapsed}  {msg}",
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("rate", |state: &ProgressState, to: &mut dyn std::fmt::Write| {
        // Writing to a text in memory does not fail.
        let _ = write!(to, "{:.0}/s", state.per_sec());
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_one() {
        for (has_total, unit) in [(true, Unit::Items), (true, Unit::Bytes), (false, Unit::Items)] {
            let bar = ProgressBar::hidden();
            bar.set_style(style(has_total, unit));
            bar.set_position(1);
        }
        let bar = Bar::new(Output::new(true, crate::output::Color::Never), "Users", 0, Unit::Items);
        assert!(ProgressStyle::with_template(WAITING).is_ok());
        bar.at(3, Some(10), "matching");
        assert_eq!((bar.0.position(), bar.0.length()), (3, Some(10)));
        bar.done();
    }
}
