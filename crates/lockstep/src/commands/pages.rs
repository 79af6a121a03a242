//! Long lists, read page by page: each page is a look of its own, so that no list holds up the database.

use directory::{DirectoryError, Page};
use store::ReadTx;

use crate::output::note;
use crate::world::World;

/// Items of one page.
const STEP: u32 = 500;

/// The first items of a list.
pub struct Listed<T> {
    /// The items, as many as were asked for at the most.
    pub items: Vec<T>,
    /// Whether the list goes on.
    pub more: bool,
}

/// Reads a list from its beginning, `limit` items at the most; 0 reads all. `page` reads the items behind a place, as many
/// as it is told.
pub async fn read<T, Id, F>(world: &World, limit: u32, page: F) -> Result<Listed<T>, DirectoryError>
where
    T: Send + 'static,
    Id: Clone + Send + 'static,
    F: Fn(&mut ReadTx<'_>, Option<Id>, u32) -> Result<Page<T, Id>, DirectoryError> + Clone + Send + 'static,
{
    let most = if limit == 0 { usize::MAX } else { limit as usize };
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let step = u32::try_from(most - items.len()).unwrap_or(STEP).min(STEP);
        let (page, from) = (page.clone(), after.clone());
        let Page { items: read, next } = world.store().scan(move |tx| page(tx, from.clone(), step)).await?;
        items.extend(read);
        after = next;
        if after.is_none() || items.len() >= most {
            let more = after.is_some() || items.len() > most;
            items.truncate(most);
            return Ok(Listed { items, more });
        }
    }
}

/// Says that the list goes on, if it does.
pub fn tell_more(more: bool) {
    if more {
        note("there are more; say --limit 0 for all");
    }
}
