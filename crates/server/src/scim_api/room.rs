//! Room for answers that may be large, of all tenants together: taken before one is put together, and given back when the client
//! has it. Else whoever asks for pages on many connections, and reads none, would fill the memory.

use std::sync::Arc;

use bytes::Bytes;
use provider::LIST_BYTES_MAX;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Rejection;

const MIB: usize = 1 << 20;
/// What such answers may come to at a time, in MiB.
const ROOM_MIB: usize = 512;
/// What is set aside for one whose size is not known yet, in MiB. A group with very many members may come to more.
const ANSWER_MIB: usize = LIST_BYTES_MAX / MIB;

/// The room that is left; cheap to clone.
#[derive(Clone)]
pub(crate) struct Room(Arc<Semaphore>);

impl Default for Room {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ROOM_MIB)))
    }
}

impl Room {
    /// Sets room aside for one answer. Waits for it as long as a request may take.
    pub(crate) async fn take(&self) -> Result<Held, Rejection> {
        let size = u32::try_from(ANSWER_MIB).unwrap_or(u32::MAX);
        let taken = Arc::clone(&self.0).acquire_many_owned(size).await;
        taken.map(Held).map_err(|_| Rejection::Internal)
    }
}

/// Room that is set aside.
pub(crate) struct Held(OwnedSemaphorePermit);

impl Held {
    /// The text as it is sent, which keeps the room that it needs for as long as it is not written.
    pub(crate) fn keep(mut self, text: String) -> Bytes {
        let size = (text.len() / MIB).min(ANSWER_MIB);
        match self.0.split(size) {
            Some(room) if size > 0 => Bytes::from_owner(Kept { text, _room: room }),
            _ => text.into(),
        }
    }
}

struct Kept {
    text: String,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn room_is_kept_until_the_answer_is_gone_and_small_answers_keep_none() {
        let room = Room::default();
        let small = room.take().await.ok().unwrap().keep("small".to_owned());
        assert_eq!((&*small, room.0.available_permits()), (&b"small"[..], ROOM_MIB));
        let large = room.take().await.ok().unwrap().keep("x".repeat(3 * MIB));
        let being_written = large.slice(1..);
        drop(large);
        assert_eq!(room.0.available_permits(), ROOM_MIB - 3);
        drop(being_written);
        assert_eq!(room.0.available_permits(), ROOM_MIB);
    }
}
