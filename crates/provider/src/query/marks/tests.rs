//! Walks by index, told one by one, and many at random against a model.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn walk(tenant: i64, token: u8, digest: u8, count: u32) -> Walk {
    let (tenant, walker) = (store::testing::tenant_key(tenant), Walker::testing(token));
    Walk { tenant, walker, digest: [digest; 32], count, is_descending: false }
}

fn place(number: u8) -> Place {
    Place { part: 0, id: [number; 16], key: None }
}

fn end(next: u64, number: u8) -> End {
    End { next, place: place(number), total: 9, has_more: true }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn a_walk_is_known_by_its_token_its_list_its_page_size_and_its_number() {
    let mut marks = Marks::default();
    marks.go_on(&walk(1, 1, 1, 100), None, Some(end(101, 3)), at(0));
    marks.go_on(&walk(1, 2, 1, 100), None, Some(end(101, 2)), at(0));
    marks.go_on(&walk(1, 1, 1, 50), None, Some(end(101, 1)), at(0));
    for (name, walk, next, second, expected) in [
        ("its own", walk(1, 1, 1, 100), 101, 2, Some(3)),
        ("another token's", walk(1, 2, 1, 100), 101, 2, Some(2)),
        ("another page size", walk(1, 1, 1, 50), 101, 2, Some(1)),
        ("a smaller last page", walk(1, 1, 1, 7), 101, 2, Some(1)),
        ("another list", walk(1, 1, 2, 100), 101, 2, None),
        ("another number", walk(1, 1, 1, 100), 102, 2, None),
        ("another tenant", walk(2, 1, 1, 100), 101, 2, None),
        ("too old", walk(1, 1, 1, 100), 101, MARK_LIFE.as_secs(), None),
    ] {
        assert_eq!(marks.find(&walk, next, at(second)), expected.map(|number| (place(number), 9)), "{name}");
    }
}

#[test]
fn where_two_walks_stand_at_one_number_both_go_on_from_the_first_place() {
    for (is_descending, first, second) in [(false, 3, 8), (true, 8, 3)] {
        let (mut marks, walk) = (Marks::default(), Walk { is_descending, ..walk(1, 1, 1, 5) });
        let found = |marks: &Marks, start| marks.find(&walk, start, at(1)).map(|(place, _)| place.id[0]);
        marks.go_on(&walk, None, Some(end(6, first)), at(0));
        marks.go_on(&walk, None, Some(end(6, second)), at(0));
        for _ in 0..2 {
            assert_eq!(found(&marks, 6), Some(first));
            marks.go_on(&walk, Some((6, &place(first))), Some(end(11, 20)), at(0));
        }
        // Both have gone on; a third, later one is not held up by them.
        marks.go_on(&walk, None, Some(end(6, second)), at(0));
        assert_eq!(found(&marks, 6), Some(second));
    }
}

#[test]
fn a_request_that_is_sent_again_goes_on_from_where_it_did() {
    let (mut marks, walk) = (Marks::default(), walk(1, 1, 1, 5));
    marks.go_on(&walk, None, Some(end(6, 5)), at(0));
    for _ in 0..3 {
        assert_eq!(marks.find(&walk, 6, at(0)), Some((place(5), 9)));
        marks.go_on(&walk, Some((6, &place(5))), Some(end(11, 10)), at(0));
    }
    // The walk ends. One that begins anew is alone.
    marks.go_on(&walk, Some((11, &place(10))), None, at(0));
    marks.go_on(&walk, None, Some(end(6, 9)), at(1));
    assert_eq!(marks.find(&walk, 6, at(1)), Some((place(9), 9)));
    marks.go_on(&walk, Some((6, &place(9))), Some(end(11, 14)), at(1));
    assert_eq!(marks.find(&walk, 11, at(1)), Some((place(14), 9)));
}

#[test]
fn what_is_remembered_is_bounded_and_no_other_token_makes_a_walk_forgotten() {
    let (mut marks, mine) = (Marks::default(), walk(1, 1, 1, 5));
    marks.go_on(&mine, None, Some(end(6, 5)), at(0));
    for next in 0..1000 {
        marks.go_on(&walk(1, 2, 1, 5), None, Some(end(next, 1)), at(1));
        // The marks that the own token has left behind go first.
        marks.go_on(&walk(1, 1, 2, 5), None, Some(end(next, 1)), at(1));
        marks.go_on(&walk(1, 1, 2, 5), Some((next, &place(1))), None, at(1));
    }
    assert!(marks.find(&mine, 6, at(1)).is_some());
    assert_eq!(marks.find(&walk(1, 2, 1, 5), 999 - MARKS_EACH as u64, at(1)), None);
    assert!(marks.0.values().flatten().all(|(_, trail)| trail.marks.len() <= MARKS_EACH));
    for token in 3..=u8::try_from(WALKERS_EACH).unwrap() {
        marks.go_on(&walk(1, token, 1, 5), None, Some(end(6, 1)), at(2));
    }
    assert!(marks.find(&mine, 6, at(2)).is_some());
    marks.go_on(&walk(1, 99, 1, 5), None, Some(end(6, 1)), at(3));
    marks.go_on(&walk(1, 98, 1, 5), None, Some(end(6, 1)), at(3));
    assert_eq!((marks.find(&mine, 6, at(3)), marks.0[&mine.tenant].len()), (None, WALKERS_EACH));
    let long = scim::SortKey::text("x".repeat(MARK_KEY_BYTES_MAX + 1));
    let far = End { next: 900, place: Place { key: Some(long), ..place(1) }, total: 9, has_more: true };
    marks.go_on(&mine, None, Some(far), at(3));
    assert_eq!(marks.find(&mine, 900, at(3)), None);
    for other in 0..i64::try_from(TENANTS_MAX).unwrap() {
        marks.go_on(&walk(100 + other, 1, 1, 5), None, Some(end(6, 1)), at(4 + other));
    }
    assert_eq!((marks.0.len(), marks.0.contains_key(&mine.tenant)), (TENANTS_MAX, false));
}

/// A list of numbers, of which one part is there all the time.
struct Model {
    there: BTreeSet<u8>,
    marks: Marks,
}

struct Client {
    walk: Walk,
    start: u64,
    seen: Vec<u8>,
    /// Whether it asks until a page is empty.
    goes_on_to_nothing: bool,
    is_over: bool,
}

impl Client {
    fn new(walk: Walk, goes_on_to_nothing: bool) -> Self {
        Self { walk, start: 1, seen: Vec::new(), goes_on_to_nothing, is_over: false }
    }

    /// Asks for the next page; as the server does it.
    fn step(&mut self, model: &mut Model) {
        if self.is_over {
            return;
        }
        let found = (self.start > 1).then(|| model.marks.find(&self.walk, self.start, at(0))).flatten();
        let mut behind: Vec<u8> = match &found {
            Some((place, _)) => model.there.iter().copied().filter(|id| *id > place.id[0]).collect(),
            None => model.there.iter().copied().skip(usize::try_from(self.start).unwrap() - 1).collect(),
        };
        let has_more = behind.len() > self.walk.count as usize;
        behind.truncate(self.walk.count as usize);
        let from = found.as_ref().map(|(place, _)| (self.start, place));
        let next = self.start + behind.len() as u64;
        if from.is_some() || has_more {
            let here = behind.last().map(|last| End { has_more, ..end(next, *last) });
            model.marks.go_on(&self.walk, from, here, at(0));
        }
        self.seen.extend(&behind);
        (self.start, self.is_over) = (next, if self.goes_on_to_nothing { behind.is_empty() } else { !has_more });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// SG-05. Each walk shows everyone who is there all the time, whoever else walks, reads, comes and goes; and nobody twice where no
    /// other walk is like it.
    #[test]
    fn no_walk_skips_anybody(
        walkers in prop::collection::vec((1_u8..=2, 1_u32..=7, any::<bool>()), 1..=4),
        steps in prop::collection::vec((0_u8..8, any::<u8>()), 0..200),
    ) {
        let is_stable = |id: u8| id.is_multiple_of(3);
        let mut model = Model { there: (0..=200).collect(), marks: Marks::default() };
        let mut clients: Vec<Client> =
            walkers.iter().map(|(token, count, to_nothing)| Client::new(walk(1, *token, 1, *count), *to_nothing)).collect();
        for (what, which) in steps {
            match what {
                0 | 1 if !is_stable(which) => drop(model.there.remove(&which)),
                2 if !is_stable(which) => drop(model.there.insert(which)),
                3 => {
                    let noise = walk(1, 9, which, 5);
                    (0..MARKS_EACH as u64 * 2).for_each(|next| model.marks.go_on(&noise, None, Some(end(next, which)), at(0)));
                }
                _ => {
                    let at = usize::from(which) % clients.len();
                    clients[at].step(&mut model);
                }
            }
        }
        for client in &mut clients {
            while !client.is_over {
                client.step(&mut model);
            }
        }
        for (number, client) in clients.iter().enumerate() {
            let mut seen: Vec<u8> = client.seen.clone();
            seen.sort_unstable();
            let all = seen.len();
            seen.dedup();
            let missed: Vec<u8> = (0..=200).filter(|id| is_stable(*id) && !seen.contains(id)).collect();
            prop_assert!(missed.is_empty(), "walk {number} of {walkers:?} skips {missed:?}");
            if walkers.iter().filter(|other| (other.0, other.1) == (walkers[number].0, walkers[number].1)).count() == 1 {
                let doubled = client.seen.windows(2).filter(|pair| pair[0] >= pair[1]).count();
                prop_assert_eq!((all - seen.len(), doubled), (0, 0), "walk {} of {:?}", number, walkers);
            }
        }
    }
}
