//! The product in both its roles over one database: people in the directory, a tenant as the target, a job between them.
//! Importing, running a cycle, and reading what it reports. What is measured with it is in `cycles` and `crash`.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use crate::child::Child;
use crate::people::{Person, write_csv};
use crate::product::{Answered, Product, Running, count, number};
use crate::scim::Endpoint;

/// The name of the application in the hub.
const APPLICATION: &str = "CIE";
/// The gallery template of the application.
const TEMPLATE: &str = "palo-alto-cie";
/// How long an import or a cycle may take.
pub const CYCLE_MAX: Duration = Duration::from_secs(600);
/// What is said of how a cycle is run, so that nobody takes the figures for something else.
pub const HOW: &str = "hub and tenant in one process: the server runs the cycle";
/// Seconds between cycles of a job that is only run when it is told to.
const SELDOM: &str = "2592000";
/// How often a running cycle is asked for. Asking starts a process, which must not be felt.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// A hub with a tenant to provision, and its server.
#[derive(Debug)]
pub struct Hub {
    /// The server, which hosts the tenant.
    pub server: Child,
    /// The tenant.
    pub endpoint: Endpoint,
    /// The program.
    pub product: Product,
}

/// What a cycle reports.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cycle {
    /// Accounts created.
    pub created: u64,
    /// Accounts changed, disabled or deleted.
    pub changed: u64,
    /// Objects that failed.
    pub failed: u64,
    /// References written: managers and members.
    pub references: u64,
    /// Creates of unknown outcome, which a later cycle settles.
    pub waiting: u64,
    /// Requests sent to the target.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
    /// The most memory of the process that ran it, in bytes.
    pub peak_bytes: u64,
}

impl Cycle {
    /// Writes to the target, failed ones included.
    pub const fn writes(&self) -> u64 {
        self.created + self.changed + self.failed + self.references
    }

    /// Whether there was nothing to do, and nothing was left for later.
    pub const fn is_calm(&self) -> bool {
        self.writes() == 0 && self.waiting == 0
    }
}

impl Hub {
    /// Starts a hub whose directory holds `people`, all in scope of one job that has not run yet.
    pub fn new(product: Product, people: &[Person]) -> anyhow::Result<Self> {
        let server = product.serve()?;
        let endpoint = product.tenant()?;
        let hub = Self { server, endpoint, product };
        hub.import(people)?;
        let secret = hub.product.folder().join("secret");
        std::fs::write(&secret, &hub.endpoint.token)?;
        let url = format!("http://{}{}", hub.endpoint.address, hub.endpoint.base);
        let secret = secret.to_str().context("the folder's name is no text")?;
        let application =
            ["app", "add", "--template", TEMPLATE, "--name", APPLICATION, "--tenant-url", &url, "--secret-token-file"];
        hub.product.run(&[application.as_slice(), &[secret]].concat())?;
        hub.product.run(&["app", "set", APPLICATION, "--scope", "all"])?;
        Ok(hub)
    }

    /// Brings the directory to what `people` say; whoever is not among them stays as is.
    pub fn import(&self, people: &[Person]) -> anyhow::Result<()> {
        let path = self.product.folder().join("people.csv");
        let mut file = BufWriter::new(File::create(&path)?);
        write_csv(people, &mut file)?;
        file.flush()?;
        let path = path.to_str().context("the folder's name is no text")?;
        let report = self.product.run_within(&["import", "users", path], CYCLE_MAX)?.json;
        let (read, failed) = (count(&report, "read")?, count(&report, "failed")?);
        anyhow::ensure!(failed == 0, "{failed} of {read} people were not imported: {report}");
        Ok(())
    }

    /// Starts a cycle in a process of its own, which can be killed apart from the server.
    pub fn start_cycle(&self) -> anyhow::Result<Running> {
        self.product.start(&["sync", APPLICATION])
    }

    /// Lets the server run a cycle, and waits for its end.
    pub fn cycle(&self) -> anyhow::Result<Cycle> {
        let before = self.last_cycle()?["id"].clone();
        self.product.run(&["app", "set", APPLICATION, "--status", "on", "--interval", SELDOM])?;
        let deadline = Instant::now() + CYCLE_MAX;
        loop {
            let last = self.last_cycle()?;
            if last["id"] != before && last["ended"].is_string() {
                return read(&Answered { json: last["counts"].clone(), peak_bytes: 0 });
            }
            anyhow::ensure!(Instant::now() < deadline, "the cycle did not end within {CYCLE_MAX:?}");
            std::thread::sleep(ASK_EVERY);
        }
    }

    /// Runs a cycle in a process of its own, to its end.
    pub fn sync(&self) -> anyhow::Result<Cycle> {
        read(&self.start_cycle()?.finish(CYCLE_MAX)?)
    }

    fn last_cycle(&self) -> anyhow::Result<Value> {
        Ok(self.product.run(&["app", "show", APPLICATION])?.json["lastCycle"].clone())
    }

    /// Starts the server again, after it was killed.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.server.kill()?;
        self.server = self.product.serve()?;
        Ok(())
    }
}

fn read(answered: &Answered) -> anyhow::Result<Cycle> {
    let json: &Value = &answered.json;
    let changed = ["updated", "disabled", "deleted"].into_iter().map(|name| count(json, name));
    Ok(Cycle {
        created: count(json, "created")?,
        changed: changed.sum::<anyhow::Result<u64>>()?,
        failed: count(json, "failed")?,
        // A cycle that knows neither does not tell them.
        references: json["references"].as_u64().unwrap_or(0),
        waiting: json["waiting"].as_u64().unwrap_or(0),
        requests: count(json, "requests")?,
        seconds: number(json, "seconds")?,
        peak_bytes: answered.peak_bytes,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;
    use crate::product::Answered;

    #[test]
    fn reports_of_cycles() {
        let json = json!({"cycle": "initial", "created": 5, "updated": 1, "disabled": 2, "deleted": 3, "skipped": 9,
            "failed": 1, "references": 4, "waiting": 1, "requests": 20, "seconds": 0.25});
        let cycle = read(&Answered { json, peak_bytes: 7 }).unwrap();
        let counts = [cycle.created, cycle.changed, cycle.failed, cycle.requests, cycle.writes(), cycle.peak_bytes];
        assert_eq!(counts, [5, 6, 1, 20, 16, 7]);
        assert_eq!(cycle.seconds.to_string(), "0.25");
        let calm = super::Cycle::default();
        assert!(calm.is_calm() && !super::Cycle { waiting: 1, ..calm }.is_calm() && !cycle.is_calm());
        assert!(read(&Answered { json: json!({"created": 5}), peak_bytes: 0 }).is_err());
    }
}
