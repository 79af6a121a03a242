//! The order of operations that wait for each other, in time linear in operations and references, and without recursion.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// An order in which each number comes after those that `after` lists for it, and else as early as its own number lets it. Numbers that
/// come after each other in a circle come together, as one entry, sorted.
pub(super) fn in_order(after: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let (circle_of, mut circles) = circles(after);
    let mut waits_for = vec![0_usize; circles.len()];
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); circles.len()];
    for (number, before) in after.iter().enumerate() {
        for other in before {
            if circle_of[*other] != circle_of[number] {
                waiting[circle_of[*other]].push(circle_of[number]);
                waits_for[circle_of[number]] += 1;
            }
        }
    }
    for circle in &mut circles {
        circle.sort_unstable();
    }
    let first = |circle: usize, circles: &[Vec<usize>]| Reverse((circles[circle][0], circle));
    let mut ready: BinaryHeap<_> =
        (0..circles.len()).filter(|circle| waits_for[*circle] == 0).map(|circle| first(circle, &circles)).collect();
    let mut ordered = Vec::with_capacity(circles.len());
    while let Some(Reverse((_, circle))) = ready.pop() {
        for freed in std::mem::take(&mut waiting[circle]) {
            waits_for[freed] -= 1;
            if waits_for[freed] == 0 {
                ready.push(first(freed, &circles));
            }
        }
        ordered.push(circle);
    }
    ordered.into_iter().map(|circle| std::mem::take(&mut circles[circle])).collect()
}

const UNSEEN: usize = usize::MAX;

/// The strongly connected components (Tarjan 1972) of the graph of who waits for whom: which one each number is in, and their numbers.
fn circles(after: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let mut walk = Walk {
        seen_as: vec![UNSEEN; after.len()],
        lowest: vec![0; after.len()],
        circle_of: vec![UNSEEN; after.len()],
        open: Vec::new(),
        circles: Vec::new(),
        seen: 0,
    };
    for number in 0..after.len() {
        if walk.seen_as[number] == UNSEEN {
            walk.from(number, after);
        }
    }
    (walk.circle_of, walk.circles)
}

struct Walk {
    seen_as: Vec<usize>,
    lowest: Vec<usize>,
    circle_of: Vec<usize>,
    open: Vec<usize>,
    circles: Vec<Vec<usize>>,
    seen: usize,
}

impl Walk {
    fn enter(&mut self, number: usize) {
        self.seen_as[number] = self.seen;
        self.lowest[number] = self.seen;
        self.seen += 1;
        self.open.push(number);
    }

    fn from(&mut self, start: usize, after: &[Vec<usize>]) {
        // Each with how many of those it waits for have been looked at.
        let mut path = vec![(start, 0)];
        self.enter(start);
        while let Some((number, looked)) = path.last_mut() {
            let number = *number;
            if let Some(next) = after[number].get(*looked).copied() {
                *looked += 1;
                if self.seen_as[next] == UNSEEN {
                    self.enter(next);
                    path.push((next, 0));
                } else if self.circle_of[next] == UNSEEN {
                    self.lowest[number] = self.lowest[number].min(self.seen_as[next]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                self.lowest[*parent] = self.lowest[*parent].min(self.lowest[number]);
            }
            if self.lowest[number] == self.seen_as[number] {
                self.close(number);
            }
        }
    }

    /// What was opened since `first` is a circle.
    fn close(&mut self, first: usize) {
        let from = self.open.iter().rposition(|number| *number == first).unwrap_or(0);
        let circle = self.open.split_off(from);
        for number in &circle {
            self.circle_of[*number] = self.circles.len();
        }
        self.circles.push(circle);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn who_waits_comes_later_and_else_nothing_moves() {
        for (after, expected) in [
            (vec![vec![], vec![], vec![]], vec![vec![0], vec![1], vec![2]]),
            (vec![vec![2], vec![], vec![]], vec![vec![1], vec![2], vec![0]]),
            (vec![vec![1], vec![0], vec![0]], vec![vec![0, 1], vec![2]]),
            (vec![vec![0]], vec![vec![0]]),
            (vec![vec![3], vec![2], vec![1], vec![]], vec![vec![1, 2], vec![3], vec![0]]),
            (vec![vec![1, 1], vec![2], vec![]], vec![vec![2], vec![1], vec![0]]),
        ] {
            assert_eq!(in_order(&after), expected, "{after:?}");
        }
    }

    #[test]
    fn a_long_chain_and_a_long_circle_are_walked_without_recursion() {
        let long = 200_000;
        let chain: Vec<Vec<usize>> = (0..long).map(|n| if n + 1 < long { vec![n + 1] } else { vec![] }).collect();
        let ordered = in_order(&chain);
        assert_eq!((ordered.len(), &ordered[0], &ordered[long - 1]), (long, &vec![long - 1], &vec![0]));
        let circle: Vec<Vec<usize>> = (0..long).map(|n| vec![(n + 1) % long]).collect();
        assert_eq!(in_order(&circle).len(), 1);
    }

    proptest! {
        #[test]
        fn every_number_comes_once_and_after_what_it_waits_for(
            edges in proptest::collection::vec(proptest::collection::vec(0_usize..24, 0..4), 24),
        ) {
            let ordered = in_order(&edges);
            let mut place = vec![UNSEEN; edges.len()];
            for (at, circle) in ordered.iter().enumerate() {
                for number in circle {
                    prop_assert_eq!(place[*number], UNSEEN);
                    place[*number] = at;
                }
            }
            for (number, before) in edges.iter().enumerate() {
                prop_assert!(place[number] != UNSEEN);
                for other in before {
                    prop_assert!(place[*other] <= place[number]);
                }
            }
            // Together are only those that reach each other.
            let reaches = |from: usize, to: usize| {
                let (mut seen, mut pending) = (vec![false; edges.len()], edges[from].clone());
                while let Some(next) = pending.pop() {
                    if !std::mem::replace(&mut seen[next], true) {
                        pending.extend(&edges[next]);
                    }
                }
                seen[to]
            };
            for circle in ordered.iter().filter(|circle| circle.len() > 1) {
                for pair in circle.windows(2) {
                    prop_assert!(reaches(pair[0], pair[1]) && reaches(pair[1], pair[0]));
                }
            }
        }
    }
}
