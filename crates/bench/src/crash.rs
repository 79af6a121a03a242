//! `kill -9` at random moments of cycles, of the process that runs the cycle, of the server with the target, or of both;
//! then restart, and see what is there once all is calm: nobody twice, nothing lost, nothing left to write.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::Value;

use crate::database::Kind;
use crate::figures::{Figure, Required, Unit};
use crate::hub::{CYCLE_MAX, Hub};
use crate::people::Person;
use crate::product::Product;
use crate::random::Random;
use crate::run::{Run, progress};

/// Kills of a full and of a quick run.
pub const KILLS: [usize; 2] = [100, 10];
/// Kills at the most, so that a run ends.
pub const KILLS_MAX: usize = 10_000;
/// Kills of one organisation; then the next one begins with an initial cycle.
const KILLS_PER_WORLD: usize = 10;
/// Cycles started for each kill that is wanted: some end before they are killed.
const STARTS_PER_KILL: usize = 20;
/// People of an organisation at its beginning.
const PEOPLE: usize = 2_000;
/// People who move, leave and join before each incremental cycle.
const MOVERS: usize = 300;
const LEAVERS: usize = 30;
const JOINERS: usize = 100;
/// How long it may take until all is calm: leases of the killed have to end, and creates of unknown outcome to settle.
const CALMING_MAX: Duration = Duration::from_secs(400);
/// The pause between them.
const CALMING_PAUSE: Duration = Duration::from_secs(1);
/// Microseconds within which a kill comes after a cycle's start: at first, at least and at most.
const MOMENT_MICROS: [u64; 3] = [1_000_000, 20_000, 3_000_000];

const ENTERPRISE_USER: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Cycle,
    Server,
    Both,
}

/// What was found in the target that must not be there, or must.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    kills: usize,
    duplicates: usize,
    lost: usize,
    lost_managers: usize,
    further_writes: usize,
}

/// Kills `kills` times on each database.
pub fn measure(run: &Run, kills: usize) -> anyhow::Result<Vec<Figure>> {
    anyhow::ensure!(kills <= KILLS_MAX, "at the most {KILLS_MAX} kills");
    let mut figures = Vec::new();
    for kind in run.kinds() {
        let mut random = Random::new(run.seed);
        let mut all = Found::default();
        while all.kills < kills {
            let found = world(run, kind, (kills - all.kills).min(KILLS_PER_WORLD), &mut random)?;
            all.kills += found.kills;
            all.duplicates += found.duplicates;
            all.lost += found.lost;
            all.lost_managers += found.lost_managers;
            all.further_writes += found.further_writes;
            progress(&format!("crash, {}: {} of {kills} kills, {found:?}", kind.name(), all.kills));
        }
        figures.extend(figures_of(all, kind, kills));
    }
    Ok(figures)
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn figures_of(found: Found, kind: Kind, kills: usize) -> Vec<Figure> {
    let figure = |what: &str, count: usize, expected: usize| {
        Figure::new(format!("crash: {what}"), Some(kind), count as f64, Unit::Count)
            .requiring(Required::ValueExactly(expected as f64))
    };
    vec![
        figure("kills during cycles", found.kills, kills),
        figure("duplicates", found.duplicates, 0),
        figure("lost changes", found.lost, 0),
        figure("lost manager references", found.lost_managers, 0),
        figure("writes of a further cycle", found.further_writes, 0),
    ]
}

/// One organisation from its first cycle on, killed `kills` times.
fn world(run: &Run, kind: Kind, kills: usize, random: &mut Random) -> anyhow::Result<Found> {
    let mut people: Vec<Person> = (0..PEOPLE).map(Person::hired).collect();
    let mut hub = Hub::new(Product::new(run, run.database(kind)?)?, &people)?;
    let mut found = Found::default();
    let mut moment_max = MOMENT_MICROS[0];
    for _ in 0..kills * STARTS_PER_KILL {
        if found.kills == kills {
            break;
        }
        let moment = Duration::from_micros(random.below(moment_max));
        let victim = [Victim::Cycle, Victim::Server, Victim::Both][usize::try_from(random.below(3)).unwrap_or(0)];
        if kill_at(&mut hub, moment, victim)? {
            found.kills += 1;
            moment_max = (moment_max + moment_max / 10).min(MOMENT_MICROS[2]);
        } else {
            // The cycle was over before its moment came: sooner next time, and something new to do.
            moment_max = (moment_max - moment_max / 4).max(MOMENT_MICROS[1]);
            calm(&hub)?;
            hub.import(&change_some(&mut people, random))?;
        }
    }
    calm(&hub)?;
    let before = hub.endpoint.list("Users")?;
    (found.duplicates, found.lost) = compare(&people, &before);
    found.lost_managers = lost_managers(&people, &before);
    hub.sync()?;
    found.further_writes = differences(&before, &hub.endpoint.list("Users")?);
    Ok(found)
}

/// Starts a cycle and kills at the moment; `false` when the cycle had ended before.
fn kill_at(hub: &mut Hub, moment: Duration, victim: Victim) -> anyhow::Result<bool> {
    let mut running = hub.start_cycle()?;
    std::thread::sleep(moment);
    if running.child.ended()?.is_some() {
        return Ok(false);
    }
    if victim != Victim::Server {
        running.child.kill()?;
    }
    if victim != Victim::Cycle {
        hub.restart()?;
    }
    if victim == Victim::Server {
        // How a cycle ends whose target was killed under it is its own business; that it ends is not.
        let (status, _) = running.child.finish(CYCLE_MAX).context("a cycle whose target was killed")?;
        progress(&format!("crash: a cycle whose target was killed ended with {status}"));
    }
    Ok(true)
}

/// Runs cycles until one has nothing to write and nothing that failed.
fn calm(hub: &Hub) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        let last = match hub.sync() {
            Ok(cycle) if cycle.is_calm() => return Ok(()),
            Ok(cycle) => format!("{cycle:?}"),
            // The lease of a killed cycle has to end first.
            Err(error) => format!("{error:#}"),
        };
        let seconds = CALMING_MAX.as_secs();
        anyhow::ensure!(
            begun.elapsed() < CALMING_MAX,
            "the cycles of {seconds} s did not converge; the last one: {last}"
        );
        std::thread::sleep(CALMING_PAUSE);
    }
}

/// Lets people move, leave and join; gives the ones it touched.
fn change_some(people: &mut Vec<Person>, random: &mut Random) -> Vec<Person> {
    let mut touched = BTreeMap::new();
    for turn in 0..MOVERS + LEAVERS {
        let at = usize::try_from(random.below(people.len() as u64)).unwrap_or(0);
        let person = &mut people[at];
        if turn < MOVERS && person.enabled {
            person.moves += 1;
        } else {
            person.enabled = false;
        }
        touched.insert(at, person.clone());
    }
    for _ in 0..JOINERS {
        let number = people.len();
        people.push(Person::hired(number));
        touched.insert(number, people[number].clone());
    }
    touched.into_values().collect()
}

/// How many accounts are there twice, and of how many people the account is missing or not as they are.
fn compare(people: &[Person], users: &[Value]) -> (usize, usize) {
    let mut by_name: BTreeMap<String, Vec<&Value>> = BTreeMap::new();
    let mut external_ids: BTreeMap<&str, usize> = BTreeMap::new();
    for user in users {
        by_name.entry(user["userName"].as_str().unwrap_or_default().to_lowercase()).or_default().push(user);
        if let Some(id) = user["externalId"].as_str() {
            *external_ids.entry(id).or_default() += 1;
        }
    }
    let twice = by_name.values().map(Vec::len).chain(external_ids.into_values());
    let duplicates = twice.map(|count| count - 1).sum();
    let lost = people.iter().filter(|person| {
        let user = by_name.get(&person.user_principal_name()).and_then(|users| users.first());
        !user.is_some_and(|user| is_as(person, user))
    });
    (duplicates, lost.count())
}

/// Whether the account is as the person is. Of a leaver's account only that it is disabled counts.
fn is_as(person: &Person, user: &Value) -> bool {
    if user["active"].as_bool() != Some(person.enabled) {
        return false;
    }
    let enterprise = &user[ENTERPRISE_USER];
    !person.enabled
        || (user["displayName"] == person.display_name().as_str()
            && user["title"] == person.job_title().as_str()
            && user["name"]["givenName"] == person.given_name()
            && user["name"]["familyName"] == person.surname()
            && enterprise["department"] == person.department())
}

/// How many people's accounts do not name the account of their manager. Who has left, or whose manager has, is not asked:
/// what becomes of such a reference is a matter of the mapping.
fn lost_managers(people: &[Person], users: &[Value]) -> usize {
    let by_name: BTreeMap<String, &Value> =
        users.iter().map(|user| (user["userName"].as_str().unwrap_or_default().to_lowercase(), user)).collect();
    let account = |person: &Person| by_name.get(&person.user_principal_name()).copied();
    let lost = people.iter().filter(|person| {
        let manager = person.manager().and_then(|number| people.get(number)).filter(|manager| manager.enabled);
        let Some(manager) = manager.filter(|_| person.enabled) else { return false };
        let named = account(person).map(|user| &user[ENTERPRISE_USER]["manager"]["value"]);
        named.is_none_or(Value::is_null) || named != account(manager).map(|user| &user["id"])
    });
    lost.count()
}

/// How many accounts came, went or changed between two looks.
fn differences(before: &[Value], after: &[Value]) -> usize {
    let by_id = |users: &[Value]| -> BTreeMap<String, Value> {
        users.iter().map(|user| (user["id"].to_string(), user.clone())).collect()
    };
    let (before, after) = (by_id(before), by_id(after));
    let changed_or_gone = before.iter().filter(|(id, user)| after.get(*id) != Some(user)).count();
    changed_or_gone + after.keys().filter(|id| !before.contains_key(*id)).count()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{ENTERPRISE_USER, Found, JOINERS, change_some, compare, differences, figures_of, lost_managers};
    use crate::database::Kind;
    use crate::figures::Verdict;
    use crate::people::Person;
    use crate::random::Random;

    fn account(person: &Person) -> Value {
        json!({
            "id": person.number.to_string(), "userName": person.user_principal_name().to_uppercase(),
            "externalId": format!("x{}", person.number), "active": person.enabled,
            "displayName": person.display_name(), "title": person.job_title(),
            "name": {"givenName": person.given_name(), "familyName": person.surname()},
            ENTERPRISE_USER: {
                "department": person.department(),
                "manager": {"value": person.manager().map(|number| number.to_string())},
            },
        })
    }

    #[test]
    fn duplicates_and_lost_changes_are_found() {
        let people: Vec<Person> = (0..3).map(Person::hired).collect();
        let fine: Vec<Value> = people.iter().map(account).collect();
        let with = |at: usize, name: &str, value: Value| {
            let mut users = fine.clone();
            users[at][name] = value;
            users
        };
        let twice: Vec<Value> = fine.iter().chain([&fine[0]]).cloned().collect();
        for (what, users, expected) in [
            ("as they are", fine.clone(), (0, 0)),
            ("one missing", fine[1..].to_vec(), (0, 1)),
            ("one twice, by name and external id", twice, (2, 0)),
            ("one external id twice", with(0, "externalId", json!("x1")), (1, 0)),
            ("an old title", with(1, "title", json!("Old")), (0, 1)),
            ("disabled", with(2, "active", json!(false)), (0, 1)),
            ("no department", with(2, ENTERPRISE_USER, json!({})), (0, 1)),
            ("nobody", Vec::new(), (0, 3)),
        ] {
            assert_eq!(compare(&people, &users), expected, "{what}");
        }
        let mut left = people[..1].to_vec();
        (left[0].enabled, left[0].moves) = (false, 3);
        assert_eq!(compare(&left, &with(0, "active", json!(false))[..1]), (0, 0));
        assert_eq!(compare(&left, &fine[..1]), (0, 1));
    }

    #[test]
    fn lost_managers_are_found() {
        let mut people: Vec<Person> = (0..10).map(Person::hired).collect();
        let fine: Vec<Value> = people.iter().map(account).collect();
        assert_eq!(lost_managers(&people, &fine), 0);
        let mut without = fine.clone();
        without[9][ENTERPRISE_USER] = json!({});
        without[8][ENTERPRISE_USER]["manager"]["value"] = json!("7");
        assert_eq!(lost_managers(&people, &without), 2);
        people[1].enabled = false;
        assert_eq!(lost_managers(&people, &without), 1, "person 9 reports to someone who has left");
        assert_eq!(lost_managers(&people, &[]), 7, "persons 2 to 8 report to person 0");
    }

    #[test]
    fn a_further_cycle_is_seen_to_write() {
        let user = |id: u8, version: u8| json!({"id": id.to_string(), "meta": {"version": version}});
        let before = [user(1, 1), user(2, 1)];
        for (after, expected) in [
            (vec![user(2, 1), user(1, 1)], 0),
            (vec![user(1, 2), user(2, 1)], 1),
            (vec![user(1, 1)], 1),
            (vec![user(1, 1), user(2, 1), user(3, 1)], 1),
        ] {
            assert_eq!(differences(&before, &after), expected, "{after:?}");
        }
    }

    #[test]
    fn changes_touch_each_person_once_and_are_the_same_for_a_seed() {
        let changed = |seed| {
            let mut people: Vec<Person> = (0..500).map(Person::hired).collect();
            let touched = change_some(&mut people, &mut Random::new(seed));
            assert!(touched.iter().all(|person| people[person.number] == *person));
            assert_eq!(people.len(), 500 + JOINERS);
            assert!(people.iter().any(|person| !person.enabled));
            touched
        };
        assert_eq!(changed(1), changed(1));
        assert_ne!(changed(1), changed(2));
    }

    #[test]
    fn one_duplicate_is_too_many() {
        let verdicts =
            |found| figures_of(found, Kind::Sqlite, 100).iter().map(|figure| figure.verdict).collect::<Vec<_>>();
        let fine = Found { kills: 100, ..Found::default() };
        assert_eq!(verdicts(fine), [Verdict::Ok; 5]);
        assert_eq!(verdicts(Found { duplicates: 1, ..fine })[1], Verdict::Short);
        assert_eq!(verdicts(Found { kills: 99, ..fine })[0], Verdict::Short);
    }
}
