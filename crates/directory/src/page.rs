//! Pages of long lists, and looking through a list for some of its rows.

use crate::error::DirectoryError;

/// The most rows that one look through a list reads before it answers with what it has.
const SCAN_MAX: usize = 50_000;
/// Rows read at a time while looking.
pub(crate) const SCAN_STEP: u32 = 500;

/// A page of a list in the order of ids, or of whatever else `Id` says the place of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, Id> {
    /// What was found; a page that ends early for the sake of time may hold none and still have a next one.
    pub items: Vec<T>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<Id>,
}

/// Looks through the rows after `after` for `limit` of them. `step` reads the [`SCAN_STEP`] rows after an id, in
/// their order; `pick` makes an item of a row that is wanted.
pub(crate) fn look_through<Row, T, Id: Clone>(
    after: Option<Id>,
    limit: u32,
    mut step: impl FnMut(Option<Id>) -> Result<Vec<Row>, DirectoryError>,
    id: impl Fn(&Row) -> Id,
    pick: impl Fn(Row) -> Result<Option<T>, DirectoryError>,
) -> Result<Page<T, Id>, DirectoryError> {
    let (mut items, mut next, mut looked_at) = (Vec::new(), after, 0);
    while looked_at < SCAN_MAX {
        let rows = step(next.clone())?;
        let last_step = rows.len() < SCAN_STEP as usize;
        for row in rows {
            if items.len() >= limit as usize {
                return Ok(Page { items, next });
            }
            looked_at += 1;
            next = Some(id(&row));
            items.extend(pick(row)?);
        }
        if last_step {
            return Ok(Page { items, next: None });
        }
    }
    Ok(Page { items, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks through the numbers 1..=`last` for multiples of `of`.
    fn multiples(last: usize, of: usize, after: Option<usize>, limit: u32) -> Page<usize, usize> {
        let step = |after: Option<usize>| {
            let first = after.map_or(1, |after| after + 1);
            Ok((first..=last).take(SCAN_STEP as usize).collect())
        };
        look_through(after, limit, step, |row| *row, |row| Ok(row.is_multiple_of(of).then_some(row))).unwrap()
    }

    #[test]
    fn pages_end_when_they_are_full_or_the_list_ends_or_enough_was_looked_at() {
        for (last, of, after, limit, items, next) in [
            (10, 1, None, 3, vec![1, 2, 3], Some(3)),
            (10, 1, Some(3), 100, (4..=10).collect(), None),
            (10, 4, None, 10, vec![4, 8], None),
            (0, 1, None, 10, vec![], None),
            (SCAN_STEP as usize, 400, None, 10, vec![400], None),
            (SCAN_MAX + 2, SCAN_MAX + 1, None, 10, vec![], Some(SCAN_MAX)),
            (SCAN_MAX + 2, SCAN_MAX + 1, Some(SCAN_MAX), 10, vec![SCAN_MAX + 1], None),
        ] {
            assert_eq!(multiples(last, of, after, limit), Page { items, next }, "{last} {of} {after:?} {limit}");
        }
    }
}
