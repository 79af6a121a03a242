//! What requests share: room for answers that may be large, places for bodies that come and room for what they are when read, turns to
//! write and to scan. Taken before it is needed and given back when that is over, also where the client has gone. Else whoever asks for
//! pages on many connections, and reads none, would fill the memory. No tenant can take all of anything.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use provider::LIST_BYTES_MAX;
use store::{ReadTx, Store, StoreError, TenantKey, WriteTimes, WriteTx};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Rejection;

const MIB: usize = 1 << 20;
/// What such answers may come to at a time, in MiB.
const ROOM_MIB: usize = 512;
/// The same for one tenant.
const SHARE_MIB: usize = ROOM_MIB / 2;
/// Tenants whose shares are kept in mind, also while nothing is taken from them.
const SHARES_MAX: usize = 1000;
/// What is set aside for one whose size is not known yet, in MiB.
const ANSWER_MIB: usize = LIST_BYTES_MAX / MIB;
/// The same in bytes.
pub(crate) const ANSWER_BYTES: usize = ANSWER_MIB * MIB;

/// Scans of one tenant at a time, of those of all: half of them.
const SCANS_PART: usize = 2;
/// Writes of one tenant at a time where they run one after the other: what others wait for at the most. Fewer would make the commits of
/// one that is alone smaller.
const WRITES_IN_TURN: u32 = 64;
/// The same while other tenants are served: what one of those waits for is then mostly its own commit.
const WRITES_AMONG_MANY: u32 = 4;
/// Writes of one tenant at a time where each takes one of 16 connections.
const WRITES_BESIDE: u32 = 12;
/// Bodies that are more than small, while they come.
const BODIES_MAX: usize = 256;
/// The same of one tenant.
const BODIES_EACH: usize = BODIES_MAX / 2;
/// What bodies are counted in that have been read and are not done with, in bytes.
const READ_BYTES: usize = 64 << 10;
/// What they may come to, in those: as JSON they take many times their bytes.
const READ_MAX: usize = (512 << 20) / READ_BYTES;
/// The same of one tenant.
const READ_SHARE_MAX: usize = READ_MAX / 2;
/// Requests of one tenant that may wait for their turn.
const WAITING_MAX: usize = 1024;

/// How much is written at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteSize {
    /// What one request changes.
    One,
    /// Several operations of a bulk request.
    Batch,
}

/// The room that is left.
pub(crate) struct Room<Tenant = TenantKey> {
    whole: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    read: Arc<Semaphore>,
    scans_each: usize,
    writes_each: usize,
    /// What a write takes of those while other tenants are served.
    write_among_many: u32,
    /// The same of several that are written together.
    batch_among_many: u32,
    shares: Mutex<HashMap<Tenant, Weak<Share>>>,
}

/// What one tenant may take.
struct Share {
    answers: Arc<Semaphore>,
    scans: Arc<Semaphore>,
    writes: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    read: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl<Tenant: Eq + Hash> Room<Tenant> {
    /// Room on a store that has so many scans at a time, and whose writes run one after the other or not.
    pub(crate) fn new(scans: usize, writes_in_turn: bool) -> Self {
        Self {
            whole: Arc::new(Semaphore::new(ROOM_MIB)),
            bodies: Arc::new(Semaphore::new(BODIES_MAX)),
            read: Arc::new(Semaphore::new(READ_MAX)),
            scans_each: (scans / SCANS_PART).max(1),
            writes_each: if writes_in_turn { WRITES_IN_TURN } else { WRITES_BESIDE } as usize,
            write_among_many: if writes_in_turn { WRITES_IN_TURN / WRITES_AMONG_MANY } else { 1 },
            batch_among_many: if writes_in_turn { WRITES_IN_TURN } else { 1 },
            shares: Mutex::default(),
        }
    }

    /// Sets so many bytes aside for one answer of a tenant, and its turn to scan. Waits for them as long as a request may take.
    pub(crate) async fn take(&self, tenant: Tenant, bytes: usize) -> Result<Held, Rejection> {
        let size = bytes.div_ceil(MIB).min(SHARE_MIB);
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        // The share first: whoever waits for that keeps no other tenant waiting.
        let share = self.share(tenant);
        let mine = share.turn(&share.answers, size).await?;
        let turn = share.turn(&share.scans, 1).await?;
        let whole = Arc::clone(&self.whole).acquire_many_owned(size).await.map_err(|_| Rejection::Internal)?;
        Ok(Held { share: mine, whole, turn, _shares: share })
    }

    /// Waits for a place for a body that is more than small, which is held until this is dropped.
    pub(crate) async fn body(&self, tenant: Tenant) -> Result<BodyPlace, Rejection> {
        let share = self.share(tenant);
        let mine = share.turn(&share.bodies, 1).await?;
        let whole = Arc::clone(&self.bodies).acquire_owned().await.map_err(|_| Rejection::Internal)?;
        Ok(BodyPlace { _held: [mine, whole], _shares: share })
    }

    /// Waits for room for a body that has come and is to be read, of so many bytes when it is; held until this is dropped.
    pub(crate) async fn read(&self, tenant: Tenant, bytes: usize) -> Result<BodyPlace, Rejection> {
        let size = u32::try_from(bytes.div_ceil(READ_BYTES).min(READ_SHARE_MAX)).unwrap_or(u32::MAX);
        let share = self.share(tenant);
        let mine = share.turn(&share.read, size).await?;
        let whole = Arc::clone(&self.read).acquire_many_owned(size).await.map_err(|_| Rejection::Internal)?;
        Ok(BodyPlace { _held: [mine, whole], _shares: share })
    }

    /// Waits until the tenant has its turn to write, which it has until this is dropped. `many` while other tenants are served.
    /// A batch of writes has the tenant's whole share then.
    pub(crate) async fn write(&self, tenant: Tenant, size: WriteSize, many: bool) -> Result<Turn, Rejection> {
        let share = self.share(tenant);
        let size = match size {
            _ if !many => 1,
            WriteSize::One => self.write_among_many,
            WriteSize::Batch => self.batch_among_many,
        };
        Ok(Turn { _turn: share.turn(&share.writes, size).await?, _shares: share })
    }

    /// Waits until the tenant may have something done that takes long, which is one of its scans.
    pub(crate) async fn aside(&self, tenant: Tenant) -> Result<Turn, Rejection> {
        let share = self.share(tenant);
        Ok(Turn { _turn: share.turn(&share.scans, 1).await?, _shares: share })
    }

    /// Has every turn to scan of a tenant refused from now on.
    #[cfg(test)]
    pub(crate) fn end_turns(&self, tenant: Tenant) {
        let share = self.share(tenant);
        share.scans.close();
        std::mem::forget(share);
    }

    fn share(&self, tenant: Tenant) -> Arc<Share> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&tenant).and_then(Weak::upgrade) {
            return share;
        }
        if shares.len() >= SHARES_MAX {
            shares.retain(|_, share| share.strong_count() > 0);
        }
        let share = Arc::new(Share {
            answers: Arc::new(Semaphore::new(SHARE_MIB)),
            scans: Arc::new(Semaphore::new(self.scans_each)),
            writes: Arc::new(Semaphore::new(self.writes_each)),
            bodies: Arc::new(Semaphore::new(BODIES_EACH)),
            read: Arc::new(Semaphore::new(READ_SHARE_MAX)),
            waiting: AtomicUsize::new(0),
        });
        shares.insert(tenant, Arc::downgrade(&share));
        share
    }
}

impl Share {
    /// Waits for a part of what there is, unless too many do.
    async fn turn(&self, of: &Arc<Semaphore>, size: u32) -> Result<OwnedSemaphorePermit, Rejection> {
        if let Ok(turn) = Arc::clone(of).try_acquire_many_owned(size) {
            return Ok(turn);
        }
        let waiting = Waiting(&self.waiting);
        if waiting.0.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            return Err(Rejection::TooManyAtOnce);
        }
        Arc::clone(of).acquire_many_owned(size).await.map_err(|_| Rejection::Internal)
    }
}

/// One that waits, counted until it does not.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place for a body.
pub(crate) struct BodyPlace {
    _held: [OwnedSemaphorePermit; 2],
    _shares: Arc<Share>,
}

/// A turn to write, or to have something done.
pub(crate) struct Turn {
    _turn: OwnedSemaphorePermit,
    _shares: Arc<Share>,
}

/// Room that is set aside.
pub(crate) struct Held {
    share: OwnedSemaphorePermit,
    whole: OwnedSemaphorePermit,
    turn: OwnedSemaphorePermit,
    /// Keeps the share in mind for as long as something is taken from it.
    _shares: Arc<Share>,
}

impl Turn {
    /// Has something done that takes long. The turn is the work's, as below.
    pub(crate) async fn aside<T: Send + 'static>(
        self,
        store: &Store,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Rejection> {
        let done = store.aside(move || {
            let _held = self;
            work()
        });
        Ok(done.await?)
    }

    /// Runs a use case that writes; tells when it went through its stages. The turn is also the work's: where the client has gone, the
    /// next begins when this one is done.
    pub(crate) async fn write<T, E, F>(self, store: &Store, mut use_case: F) -> (Result<T, E>, Option<WriteTimes>)
    where
        F: FnMut(&mut WriteTx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let held = Arc::new(self);
        let until_done = Arc::clone(&held);
        let written = store.write_timed(move |tx| {
            let _held = &until_done;
            use_case(tx)
        });
        let written = written.await;
        drop(held);
        written
    }
}

impl Held {
    /// Runs a use case that reads much; gives the room back for its answer. The room is the work's: where the client has gone, it is
    /// given back when the work has stopped.
    pub(crate) async fn scan<T, F>(self, store: &Store, use_case: F) -> Result<(T, Self), Rejection>
    where
        F: FnOnce(&mut ReadTx<'_>) -> Result<T, Rejection> + Send + 'static,
        T: Send + 'static,
    {
        store.scan(move |tx| use_case(tx).map(|answer| (answer, self))).await
    }

    /// Gives back what an answer of that size does not need.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let needed = bytes.div_ceil(MIB);
        for held in [&mut self.share, &mut self.whole] {
            drop(held.split(held.num_permits().saturating_sub(needed)));
        }
    }

    /// The text as it is sent, which keeps the room that it needs for as long as it is not written. The scan is over.
    pub(crate) fn keep(self, text: String) -> Bytes {
        let Self { mut share, mut whole, turn, _shares: shares } = self;
        drop(turn);
        let size = (text.len() / MIB).min(ANSWER_MIB);
        match (share.split(size), whole.split(size)) {
            (Some(share), Some(whole)) if size > 0 => {
                Bytes::from_owner(Kept { text, _room: [share, whole], _shares: shares })
            }
            _ => text.into(),
        }
    }
}

/// A text with its room.
struct Kept {
    text: String,
    _room: [OwnedSemaphorePermit; 2],
    _shares: Arc<Share>,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use store::testing::on_both;

    use super::WriteSize::{Batch, One};
    use super::*;

    #[tokio::test]
    async fn room_is_kept_until_the_answer_is_gone_and_small_answers_keep_none() {
        let (room, tenant) = (Room::new(100, true), 1);
        let small = room.take(tenant, ANSWER_BYTES).await.ok().unwrap().keep("small".to_owned());
        assert_eq!((&*small, room.whole.available_permits()), (&b"small"[..], ROOM_MIB));
        let large = room.take(tenant, ANSWER_BYTES).await.ok().unwrap().keep("x".repeat(3 * MIB));
        let being_written = large.slice(1..);
        drop(large);
        let left = || (room.share(tenant).answers.available_permits(), room.whole.available_permits());
        assert_eq!(left(), (SHARE_MIB - 3, ROOM_MIB - 3));
        drop(being_written);
        assert_eq!(left(), (SHARE_MIB, ROOM_MIB));
    }

    #[tokio::test]
    async fn a_larger_answer_takes_more_and_gives_back_what_it_does_not_need() {
        let (room, tenant) = (Room::new(100, true), 1);
        let mut held = room.take(tenant, 100 * MIB + 1).await.ok().unwrap();
        let left = || (room.share(tenant).answers.available_permits(), room.whole.available_permits());
        assert_eq!(left(), (SHARE_MIB - 101, ROOM_MIB - 101));
        held.shrink_to(2 * MIB + 1);
        assert_eq!(left(), (SHARE_MIB - 3, ROOM_MIB - 3));
        held.shrink_to(50 * MIB);
        assert_eq!(left(), (SHARE_MIB - 3, ROOM_MIB - 3));
        drop(held);
        assert_eq!(left(), (SHARE_MIB, ROOM_MIB));
        assert!(room.take(tenant, usize::MAX).await.is_ok(), "never more than there is");
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_that_do_not_end_leave_places_for_those_of_others() {
        let (room, greedy, other) = (Room::new(100, true), 1, 2);
        let mut held = Vec::new();
        while let Ok(taken) = tokio::time::timeout(Duration::from_secs(1), room.body(greedy)).await {
            held.push(taken.ok().unwrap());
        }
        assert_eq!(held.len(), BODIES_EACH);
        assert!(tokio::time::timeout(Duration::from_secs(1), room.body(other)).await.is_ok());
        held.pop();
        assert!(tokio::time::timeout(Duration::from_secs(1), room.body(greedy)).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_that_were_read_leave_room_for_those_of_others() {
        let (room, greedy, other, size) = (Room::new(100, true), 1, 2, 90 * MIB);
        let mut held = Vec::new();
        while let Ok(taken) = tokio::time::timeout(Duration::from_secs(1), room.read(greedy, size)).await {
            held.push(taken.ok().unwrap());
        }
        assert_eq!(held.len(), READ_SHARE_MAX * READ_BYTES / size);
        assert!(tokio::time::timeout(Duration::from_secs(1), room.read(other, size)).await.is_ok());
        held.pop();
        assert!(tokio::time::timeout(Duration::from_secs(1), room.read(greedy, size)).await.is_ok());
        drop(held);
        assert!(room.read(greedy, usize::MAX).await.is_ok(), "never more than there is");
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_that_takes_all_it_can_leaves_room_for_others() {
        let (room, greedy, other) = (Room::new(100, true), 1, 2);
        let mut held = Vec::new();
        while let Ok(taken) = tokio::time::timeout(Duration::from_secs(1), room.take(greedy, ANSWER_BYTES)).await {
            held.push(taken.ok().unwrap());
        }
        assert_eq!(held.len(), SHARE_MIB / ANSWER_MIB);
        assert!(room.take(other, ANSWER_BYTES).await.is_ok());
        held.pop();
        assert!(room.take(greedy, ANSWER_BYTES).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_no_room_waits_for_none() {
        let (room, tenant) = (Arc::new(Room::new(100, true)), 1);
        let held = room.take(tenant, SHARE_MIB * MIB).await.ok().unwrap();
        let waits = {
            let room = Arc::clone(&room);
            tokio::spawn(async move { room.take(tenant, ANSWER_BYTES).await.map(drop) })
        };
        tokio::time::sleep(Duration::from_secs(1)).await;
        let counted = tokio::time::timeout(Duration::from_secs(1), room.take(tenant, 0)).await;
        assert_eq!(&*counted.unwrap().ok().unwrap().keep("{}".to_owned()), b"{}");
        assert!(!waits.is_finished());
        drop(held);
        assert!(waits.await.unwrap().is_ok());
    }

    /// TI-06: whoever has all its turns waits for its own; the others do not.
    #[tokio::test(start_paused = true)]
    async fn ti_06_a_tenant_that_writes_and_scans_all_it_can_holds_up_nobody_else() {
        let (greedy, other) = (1, 2);
        for (in_turn, many, size, writes) in [
            (true, false, One, WRITES_IN_TURN),
            (true, false, Batch, WRITES_IN_TURN),
            (true, true, One, WRITES_AMONG_MANY),
            (true, true, Batch, 1),
            (false, false, One, WRITES_BESIDE),
            (false, true, One, WRITES_BESIDE),
            (false, true, Batch, WRITES_BESIDE),
        ] {
            let room = Room::new(4, in_turn);
            let mut turns = Vec::new();
            while let Ok(turn) = tokio::time::timeout(Duration::from_secs(1), room.write(greedy, size, many)).await {
                turns.push(turn.ok().unwrap());
            }
            let mut scans = Vec::new();
            while let Ok(scan) = tokio::time::timeout(Duration::from_secs(1), room.take(greedy, ANSWER_BYTES)).await {
                scans.push(scan.ok().unwrap());
            }
            assert_eq!((turns.len(), scans.len()), (writes as usize, 2));
            assert!(room.write(other, size, many).await.is_ok() && room.take(other, ANSWER_BYTES).await.is_ok());
            assert!(room.aside(other).await.is_ok());
            assert!(tokio::time::timeout(Duration::from_secs(1), room.aside(greedy)).await.is_err());
            turns.pop();
            assert!(room.write(greedy, size, many).await.is_ok());
            // A scan that is over makes way, also while its answer is being written.
            let answer = scans.pop().unwrap().keep("x".repeat(3 * MIB));
            assert!(room.take(greedy, ANSWER_BYTES).await.is_ok());
            drop(answer);
        }
    }

    /// TI-06: whoever closes its requests has no more work done at a time than whoever waits for the answers.
    #[test]
    fn a_turn_is_given_back_when_the_work_ends_also_where_nobody_waits_for_it() {
        on_both(|store| async move {
            let (room, tenant) = (Arc::new(Room::new(4, true)), 1);
            let left = || (room.share(tenant).scans.available_permits(), room.share(tenant).writes.available_permits());
            let before = left();
            let mut gates = Vec::new();
            for what in ["scan", "write", "aside"] {
                let (begun, is_begun) = tokio::sync::oneshot::channel();
                let (open, gate) = std::sync::mpsc::channel::<()>();
                let (room, store) = (Arc::clone(&room), store.clone());
                let client = tokio::spawn(async move {
                    let mut begun = Some(begun);
                    let mut work = move || {
                        let _ = begun.take().map(|begun| begun.send(()));
                        let _ = gate.recv();
                        Ok(())
                    };
                    match what {
                        "write" => room.write(tenant, One, false).await?.write(&store, move |_| work()).await.0,
                        "scan" => room.take(tenant, ANSWER_BYTES).await?.scan(&store, move |_| work()).await.map(drop),
                        _ => room.aside(tenant).await?.aside(&store, work).await?,
                    }
                });
                is_begun.await.unwrap();
                client.abort();
                assert!(client.await.is_err_and(|error| error.is_cancelled()));
                gates.push(open);
            }
            assert_eq!(left(), (before.0 - 2, before.1 - 1));
            drop(gates);
            // All of them can be had again.
            drop(room.take(tenant, ANSWER_BYTES).await.ok().unwrap());
            let turns = u32::try_from(before.1).unwrap();
            assert!(Arc::clone(&room.share(tenant).writes).acquire_many_owned(turns).await.is_ok());
        });
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_wait_than_allowed() {
        let (room, tenant) = (Arc::new(Room::new(1, false)), 1);
        let held = room.take(tenant, ANSWER_BYTES).await.ok().unwrap();
        let wait = || {
            let room = Arc::clone(&room);
            tokio::spawn(async move { room.take(tenant, ANSWER_BYTES).await.map(drop) })
        };
        let waiting: Vec<_> = (0..WAITING_MAX).map(|_| wait()).collect();
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(matches!(room.take(tenant, ANSWER_BYTES).await, Err(Rejection::TooManyAtOnce)));
        drop(held);
        for one in waiting {
            assert!(one.await.unwrap().is_ok());
        }
        assert!(room.take(tenant, ANSWER_BYTES).await.is_ok());
    }
}
