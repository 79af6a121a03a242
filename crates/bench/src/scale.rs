//! The product with a million users: filters against the minimal indexed handler and against a thousand users, walks through all,
//! groups of a million, and the memory of a hundred tenants. SQLite alone, which is the one that is judged.

use anyhow::Context as _;

use crate::database::Kind;
use crate::document::person;
use crate::figures::{Figure, Required, Unit, median, median_load};
use crate::limits::{GET_CONNECTIONS, POST_CONNECTIONS, post};
use crate::load::{self, Load, Order, Request, Stop};
use crate::product::Product;
use crate::provider::{PATCH_CONNECTIONS, change_members, seconds_each, set_up_group};
use crate::run::{Run, progress, timed};
use crate::scim::Endpoint;
use crate::serve;
use crate::walk::{Walk, Way, walk};

/// Users of the two tenants that are compared, and of a quick run.
const SIZES: [[usize; 2]; 2] = [[1_000, 1_000_000], [400, 2_000]];
/// Connections that make the users.
const SET_UP_CONNECTIONS: usize = 64;
/// Users before the POSTs that are timed; of a quick run, the second number.
const PRESENT: [usize; 2] = [10_000, 500];
/// Tenants among whom the users of the memory figure are.
const TENANTS: [usize; 2] = [100, 4];
/// Numbers that a load chooses from, over all users; more would measure its own memory.
const SUBJECTS: usize = 100_000;
/// Members of the small group.
const SMALL_GROUP: usize = 100;
/// Who is added to both groups one by one, in each of some rounds.
const ADDED: usize = 250;
const ADD_ROUNDS: usize = 4;
/// Turns of each read, in each of some rounds.
const READ_ROUNDS: usize = 2;
/// What the last may take longer than the first, and what then is left of its rate.
const FLAT: f64 = 1.3;
const FLAT_RATE: f64 = 0.769;

/// The filters, each with how a query for `{subject}` is written.
const FILTERS: [(&str, &str); 3] = [
    ("userName", "/Users?filter=userName%20eq%20%22scale.{subject}%40contoso.example%22"),
    ("externalId", "/Users?filter=externalId%20eq%20%22scale-{subject}%22"),
    (
        "emails[type eq \"work\"].value",
        "/Users?filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22scale.{subject}%40contoso.example%22",
    ),
];

/// Measures all.
pub fn measure(run: &Run) -> anyhow::Result<Vec<Figure>> {
    let [few, many] = SIZES[usize::from(run.quick)];
    let mut figures = vec![slowest_posts(run)?];
    let sizes = [Filled::new(run, few)?, Filled::new(run, many)?];
    figures.extend(reads(run, &sizes)?);
    let [small, large] = sizes;
    drop(small);
    for way in [Way::Index, Way::Cursor] {
        figures.extend(walks(&large.endpoint, way, many));
    }
    figures.extend(large.members(run)?);
    drop(large);
    figures.push(memory(run, many)?);
    Ok(figures)
}

/// A running product with one tenant of so many users.
struct Filled {
    endpoint: Endpoint,
    users: Vec<String>,
    _server: crate::child::Child,
    product: Product,
}

impl Filled {
    fn new(run: &Run, users: usize) -> anyhow::Result<Self> {
        let product = Product::new(run, run.database(Kind::Sqlite)?)?;
        let server = product.serve()?;
        let endpoint = product.tenant()?;
        let users = fill(&endpoint, users, true)?;
        Ok(Self { endpoint, users, _server: server, product })
    }

    /// What is asked for, out of all there are: their ids and their numbers.
    fn subjects(&self) -> [Vec<String>; 2] {
        let step = self.users.len().div_ceil(SUBJECTS);
        let numbers = (0..self.users.len()).step_by(step).map(|number| number.to_string());
        [self.users.iter().step_by(step).cloned().collect(), numbers.collect()]
    }

    /// One member more in a group of all but a few, against a group of a hundred and against the minimal handler.
    fn members(&self, run: &Run) -> anyhow::Result<Vec<Figure>> {
        let (old, new) = self.users.split_at(self.users.len() - ADDED);
        let sizes = [SMALL_GROUP, old.len()];
        let groups = [set_up_group(&self.endpoint, &old[..SMALL_GROUP])?, set_up_group(&self.endpoint, old)?];
        let database = run.database(Kind::Sqlite)?;
        let minimal = serve::start_minimal(&database)?;
        let minimal = post(minimal.address, "/Users", None, 0, PATCH_CONNECTIONS, run.stop());
        let minimal = timed("minimal handler, POST", &minimal)?.per_second;
        let (mut seconds, mut slowest) = ([Vec::new(), Vec::new()], Vec::new());
        let mut trouble = None;
        for _ in 0..ADD_ROUNDS * run.rounds {
            for (at, group) in groups.iter().enumerate() {
                let report = change_members(&self.endpoint, group, true, new)?;
                seconds[at].push(seconds_each(&report));
                if at == 1 {
                    slowest.push(f64::from(report.p99_micros) / 1e6);
                }
                trouble = trouble.or(report.trouble).or(change_members(&self.endpoint, group, false, new)?.trouble);
            }
        }
        let [small, large] = seconds.map(median);
        let name = format!("scale: one member more, group of {}", sizes[1]);
        let figure = |what: &str, value, unit| Figure::new(format!("{name}, {what}"), Some(Kind::Sqlite), value, unit);
        let flat = figure("each", large, Unit::Seconds).against(format!("group of {SMALL_GROUP}"), small);
        let rate =
            figure("rate", 1.0 / large.max(f64::EPSILON), Unit::PerSecond).against("minimal handler, POST", minimal);
        let flat = flat.requiring(Required::RatioAtMost(FLAT));
        Ok(vec![
            trouble.into_iter().fold(flat, Figure::noted),
            rate.requiring(Required::RatioAtLeast(0.5)),
            figure("p99", median(slowest), Unit::Seconds).requiring(Required::ValueBelow(0.010)),
        ])
    }
}

/// GET by id and by each filter: the filters against the indexed handler, and all with many users against few. Both sizes are asked in
/// turns, so that whatever else the machine does meets both.
fn reads(run: &Run, sizes: &[Filled; 2]) -> anyhow::Result<Vec<Figure>> {
    let [few, many] = sizes.each_ref().map(|filled| filled.users.len());
    let subjects = sizes.each_ref().map(Filled::subjects);
    let marks = [indexed(&sizes[0])?, indexed(&sizes[1])?];
    let (mut figures, mut compared) = (Vec::new(), Vec::new());
    for (name, below) in [("GET by id", "/Users/{subject}")].into_iter().chain(FILTERS) {
        let by_number = usize::from(below.contains('?'));
        let (mut products, mut minimal) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        for _ in 0..READ_ROUNDS * run.rounds {
            for (at, filled) in sizes.iter().enumerate() {
                let ours = get(run, &filled.endpoint, below, &subjects[at][by_number]);
                if by_number == 1 {
                    let mut mark = ours.clone();
                    (mark.address, mark.request.path) = (marks[at].address, below.to_owned());
                    minimal[at].push(timed("minimal indexed handler", &mark)?);
                }
                products[at].push(timed(&format!("scale: {name}"), &ours)?);
            }
        }
        let products = products.map(median_load);
        compared.push(
            Figure::new(
                format!("scale: {name}, {many} users against {few}"),
                Some(Kind::Sqlite),
                products[1].per_second,
                Unit::PerSecond,
            )
            .against(format!("{few} users"), products[0].per_second)
            .requiring(Required::RatioAtLeast(FLAT_RATE)),
        );
        for (at, mark) in minimal.into_iter().enumerate().filter(|(_, mark)| !mark.is_empty()) {
            let count = sizes[at].users.len();
            let name = format!("scale: filter {name}, {count} users, {GET_CONNECTIONS} connections");
            let figure = Figure::of_load(name, Some(Kind::Sqlite), &products[at]);
            let figure = figure.against("minimal indexed handler", median_load(mark).per_second);
            figures.push(figure.requiring(Required::RatioAtLeast(0.6)));
        }
    }
    figures.append(&mut compared);
    Ok(figures)
}

fn indexed(filled: &Filled) -> anyhow::Result<serve::Peer> {
    serve::start_indexed(filled.product.folder(), filled.users.len())
}

/// POST at 8 connections with users present: the time within which 99 of 100 are answered.
fn slowest_posts(run: &Run) -> anyhow::Result<Figure> {
    let present = PRESENT[usize::from(run.quick)];
    let filled = Filled::new(run, present)?;
    let path = filled.endpoint.path("/Users");
    let (mut slowest, mut first_number) = (Vec::new(), 0);
    for _ in 0..run.rounds {
        let token = Some(filled.endpoint.token.clone());
        let load = post(filled.endpoint.address, &path, token, first_number, POST_CONNECTIONS[0], run.stop());
        let report = timed("scale: POST /Users", &load)?;
        first_number = report.next_number;
        slowest.push(f64::from(report.p99_micros) / 1e6);
    }
    let name = format!("scale: POST /Users, {} connections, {present} users present, p99", POST_CONNECTIONS[0]);
    let figure = Figure::new(name, Some(Kind::Sqlite), median(slowest), Unit::Seconds);
    Ok(figure.requiring(Required::ValueBelow(0.010)))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn walks(endpoint: &Endpoint, way: Way, users: usize) -> Vec<Figure> {
    let name = match way {
        Way::Index => "scale: walk by index",
        Way::Cursor => "scale: walk by cursor",
    };
    let walked = walk(endpoint, way, users.saturating_mul(2)).and_then(|walked| {
        anyhow::ensure!(walked.users == users, "{} of {users} users were seen", walked.users);
        Ok(walked)
    });
    let Walk { users: seen, seconds, ends: [first, last] } = match walked {
        Ok(walked) => walked,
        // A walk that does not get to the end is a figure as well.
        Err(error) => {
            let none = Figure::new(name, Some(Kind::Sqlite), 0.0, Unit::PerSecond);
            return vec![none.requiring(Required::ValueAtLeast(100_000.0)).noted(format!("{error:#}"))];
        }
    };
    progress(&format!("{name}: {seen} users in {seconds:.1} s"));
    let rate =
        Figure::new(format!("{name}, {users} users"), Some(Kind::Sqlite), seen as f64 / seconds, Unit::PerSecond);
    let rate = rate.requiring(Required::ValueAtLeast(100_000.0));
    let flat = Figure::new(format!("{name}, last pages against first"), Some(Kind::Sqlite), last, Unit::Seconds);
    vec![rate, flat.against("first pages", first).requiring(Required::RatioAtMost(FLAT))]
}

/// The most memory that the server takes while as many users are made in many tenants.
#[expect(clippy::cast_precision_loss, reason = "bytes of memory stay far below 2^52")]
fn memory(run: &Run, users: usize) -> anyhow::Result<Figure> {
    let product = Product::new(run, run.database(Kind::Sqlite)?)?;
    let server = product.serve()?;
    let tenants = TENANTS[usize::from(run.quick)];
    for tenant in 0..tenants {
        fill(&product.tenant_named(&format!("tenant-{tenant}"))?, users / tenants, false)?;
    }
    let peak = server.peak_bytes().context("the server is gone")?;
    let name = format!("scale: peak memory of the server, {users} users in {tenants} tenants");
    Ok(Figure::new(name, Some(Kind::Sqlite), peak as f64, Unit::Bytes).requiring(Required::ValueBelow(300e6)))
}

/// Makes users through the endpoint; gives their ids, where they are wanted.
fn fill(endpoint: &Endpoint, count: usize, keep_ids: bool) -> anyhow::Result<Vec<String>> {
    let request = Request {
        method: "POST".to_owned(),
        path: endpoint.path("/Users"),
        token: Some(endpoint.token.clone()),
        body: Some(person("scale")),
        ..Request::default()
    };
    let report = load::run(&Load {
        address: endpoint.address,
        connections: SET_UP_CONNECTIONS,
        stop: Stop::Requests(count as u64),
        request,
        first_number: 0,
        expected_status: 201,
        keep_ids,
    })?;
    let made = report.statuses.get(&201).copied().unwrap_or(0);
    anyhow::ensure!(made == count as u64, "{made} of {count} users were made: {}", report.trouble.unwrap_or_default());
    progress(&format!("scale: {count} users, {:.0}/s", report.per_second));
    Ok(report.ids)
}

fn get(run: &Run, endpoint: &Endpoint, below: &str, subjects: &[String]) -> Load {
    let request = Request {
        method: "GET".to_owned(),
        path: endpoint.path(below),
        token: Some(endpoint.token.clone()),
        subjects: subjects.to_vec(),
        order: Order::Mixed,
        body: None,
    };
    Load {
        address: endpoint.address,
        connections: GET_CONNECTIONS,
        stop: run.stop(),
        request,
        first_number: 0,
        expected_status: 200,
        keep_ids: false,
    }
}

#[cfg(test)]
mod tests {
    use super::{ADDED, FLAT, FLAT_RATE, SIZES, SMALL_GROUP, TENANTS};

    #[test]
    fn sizes_are_those_that_are_required() {
        assert_eq!(SIZES[0], [1_000, 1_000_000]);
        assert_eq!(TENANTS[0], 100);
        assert!((FLAT * FLAT_RATE - 1.0).abs() < 1e-3);
        assert!(SIZES.iter().all(|[_, many]| *many > ADDED + SMALL_GROUP && many % 100 == 0));
    }
}
