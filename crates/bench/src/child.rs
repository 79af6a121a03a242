//! Child processes: none outlives its owner, each ends within a time, and the most memory it used is known. What the
//! children are is decided elsewhere.

use std::process::{ChildStdout, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// How often a child is looked at while its end is waited for. Short, as it adds to what is measured from outside.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// A process that is killed when dropped.
#[derive(Debug)]
pub struct Child(std::process::Child);

impl Child {
    /// Starts the command.
    pub fn spawn(command: &mut Command) -> anyhow::Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        command.spawn().map(Self).with_context(|| format!("cannot run {program}"))
    }

    /// The pipe from its standard output, once.
    pub const fn stdout(&mut self) -> Option<ChildStdout> {
        self.0.stdout.take()
    }

    /// How it ended, or `None` while it runs.
    pub fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// Ends it at once, as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        // A child that has ended already cannot be killed, which is as good.
        drop(self.0.kill());
        self.0.wait()?;
        Ok(())
    }

    /// The most memory it has used so far, in bytes; `None` once it is gone.
    pub fn peak_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).ok()?;
        peak_of(&status)
    }

    /// Waits for its end, with the most memory it was seen to use; kills it when it takes longer than `within`.
    pub fn finish(mut self, within: Duration) -> anyhow::Result<(ExitStatus, u64)> {
        let begun = Instant::now();
        let mut peak = 0;
        loop {
            peak = peak.max(self.peak_bytes().unwrap_or(0));
            if let Some(status) = self.ended()? {
                return Ok((status, peak));
            }
            anyhow::ensure!(begun.elapsed() < within, "a command took longer than {} s", within.as_secs());
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        drop(self.kill());
    }
}

/// The high water mark of the resident memory, in bytes, in a `/proc/…/status` text.
pub fn peak_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::{Child, peak_of};

    #[test]
    fn peaks() {
        for (status, expected) in [
            ("Name:\tx\nVmPeak:\t   9 kB\nVmHWM:\t  12 kB\n", Some(12 * 1024)),
            ("Name:\tx\n", None),
            ("VmHWM:\tmuch\n", None),
            ("VmHWM:\t18446744073709551615 kB\n", None),
        ] {
            assert_eq!(peak_of(status), expected, "{status}");
        }
    }

    #[test]
    fn a_command_that_takes_too_long_is_ended() {
        let child = Child::spawn(Command::new("sleep").arg("60")).unwrap();
        assert!(child.peak_bytes().is_some());
        let error = child.finish(Duration::ZERO).unwrap_err();
        assert_eq!(error.to_string(), "a command took longer than 0 s");
    }

    #[test]
    fn a_command_that_ends_tells_how() {
        let child = Child::spawn(&mut Command::new("true")).unwrap();
        assert!(child.finish(Duration::from_secs(60)).unwrap().0.success());
        assert!(
            Child::spawn(&mut Command::new("no-such-program")).unwrap_err().to_string().contains("no-such-program")
        );
    }
}
