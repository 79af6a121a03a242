//! The candidates of a list one after the other, from any place in either direction: those of one resource type behind those of the
//! one before, each by id or by unique key.

use scim::{Place, SortKey};
use serde_json::Value;
use store::listing::{self, Direction};
use store::resources::{Chunk, ResourceKind, ResourceRecord};
use store::{ReadTx, ResourceId};

use super::plan::{self, Found, Plan};
use super::{Listing, SCAN_MAX, Way, too_many};
use crate::{Caller, ProviderError, document};

/// What is read at a time. PostgreSQL sends all rows that a statement asks for also when they are not read to the end.
const CHUNK: Chunk = Chunk { rows: 128, bytes: 8 << 20 };
/// Resources that are read at a time by their ids: as many of the largest as a chunk may hold.
pub(super) const IDS_CHUNK: usize = CHUNK.bytes / crate::RESOURCE_BYTES_MAX;

/// Candidates, read a chunk at a time.
pub(super) struct Stream<'q> {
    caller: &'q Caller,
    listing: &'q Listing,
    /// What each part's plan leads to, once it was asked.
    sources: Vec<Option<Source>>,
    /// The part that is read; `None` behind the last.
    part: Option<usize>,
    after: Option<Place>,
    direction: Direction,
    /// Resources that filters without index will have looked at.
    scanned: u64,
}

enum Source {
    /// An index from one end to the other.
    Index,
    Records(Vec<ResourceRecord>),
    Ids(Vec<ResourceId>),
}

impl<'q> Stream<'q> {
    /// All candidates, in the direction of the list or against it.
    pub(super) fn new(caller: &'q Caller, listing: &'q Listing, backwards: bool) -> Self {
        let direction = if listing.is_descending == backwards { Direction::Up } else { Direction::Down };
        let sources = listing.parts.iter().map(|_| None).collect();
        let mut stream = Self { caller, listing, sources, part: None, after: None, direction, scanned: 0 };
        stream.part = match direction {
            Direction::Up => (!listing.parts.is_empty()).then_some(0),
            Direction::Down => listing.parts.len().checked_sub(1),
        };
        stream
    }

    /// All candidates, where their order does not matter.
    pub(super) fn unordered(caller: &'q Caller, listing: &'q Listing) -> Self {
        let mut stream = Self::new(caller, listing, listing.is_descending);
        stream.direction = Direction::Up;
        stream
    }

    /// Takes what the plan of the only part leads to, where it was asked already.
    pub(super) fn give(&mut self, records: Vec<ResourceRecord>) {
        if let [source] = self.sources.as_mut_slice() {
            *source = Some(Source::Records(records));
        }
    }

    /// Goes on behind a place.
    pub(super) fn go_behind(&mut self, place: &Place) {
        let part = usize::from(place.part);
        self.part = (part < self.listing.parts.len()).then_some(part);
        self.after = Some(place.clone());
    }

    fn kind(&self, part: usize) -> ResourceKind {
        self.listing.parts[part].kind
    }

    fn source(&mut self, tx: &mut ReadTx<'_>, part: usize) -> Result<&Source, ProviderError> {
        if self.sources[part].is_none() {
            let source = self.ask(tx, part)?;
            self.sources[part] = Some(source);
        }
        Ok(self.sources[part].as_ref().expect("it was set above"))
    }

    fn ask(&mut self, tx: &mut ReadTx<'_>, part: usize) -> Result<Source, ProviderError> {
        let kind = self.kind(part);
        if let Plan::LookUps(look_ups) = &self.listing.parts[part].plan {
            match plan::ask(tx, self.caller, kind, look_ups)? {
                Found::Records(records) => return Ok(Source::Records(records)),
                Found::Ids(ids) => return Ok(Source::Ids(ids)),
                Found::TooMany => {}
            }
        }
        if self.listing.looks_at_all() {
            self.scanned += listing::count(tx, self.caller.tenant(), kind)?;
            if self.scanned > u64::from(SCAN_MAX) {
                return Err(too_many(SCAN_MAX));
            }
        }
        Ok(Source::Index)
    }

    /// How many candidates a part has.
    pub(super) fn len(&mut self, tx: &mut ReadTx<'_>, part: usize) -> Result<u64, ProviderError> {
        let (tenant, kind) = (self.caller.tenant(), self.kind(part));
        Ok(match self.source(tx, part)? {
            Source::Index => listing::count(tx, tenant, kind)?,
            Source::Records(records) => records.len() as u64,
            Source::Ids(ids) => ids.len() as u64,
        })
    }

    /// Goes on behind that many candidates from where the stream begins.
    pub(super) fn skip(&mut self, tx: &mut ReadTx<'_>, mut number: u64) -> Result<(), ProviderError> {
        while let Some(part) = self.part {
            let len = self.len(tx, part)?;
            if number < len {
                self.after = match number.checked_sub(1) {
                    None => None,
                    Some(last) => {
                        let at = if self.direction == Direction::Up { last } else { len - 1 - last };
                        self.place_at(tx, part, (at, len))?
                    }
                };
                return Ok(());
            }
            number -= len;
            self.next_part();
        }
        Ok(())
    }

    /// The place with that number, counted up from 0, of so many.
    fn place_at(
        &mut self,
        tx: &mut ReadTx<'_>,
        part: usize,
        (number, len): (u64, u64),
    ) -> Result<Option<Place>, ProviderError> {
        let (tenant, kind, way) = (self.caller.tenant(), self.kind(part), self.listing.way);
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let id = match self.source(tx, part)? {
            Source::Records(records) => records.get(at).map(|record| record.id),
            Source::Ids(ids) => ids.get(at).copied(),
            Source::Index if way == Way::ByUniqueKey => {
                // A group may be from a time when its name need not have been unique.
                let len = if kind == ResourceKind::User { len } else { u64::MAX };
                let key = listing::unique_key_at(tx, tenant, kind, (number, len))?.map(SortKey::Text);
                return Ok(key.map(|key| Place { key: Some(key), ..place_of(part, ResourceId::from_bytes([0; 16])) }));
            }
            Source::Index => listing::id_at(tx, tenant, kind, (number, len))?,
        };
        Ok(id.map(|id| place_of(part, id)))
    }

    fn next_part(&mut self) {
        self.after = None;
        self.part = self.part.and_then(|part| match self.direction {
            Direction::Up => Some(part + 1).filter(|part| *part < self.listing.parts.len()),
            Direction::Down => part.checked_sub(1),
        });
    }

    /// The next candidates, `rows` at the most, with the number of their part; none when all were read.
    pub(super) fn next(
        &mut self,
        tx: &mut ReadTx<'_>,
        rows: u32,
    ) -> Result<Option<(usize, Vec<ResourceRecord>)>, ProviderError> {
        while let Some(part) = self.part {
            let chunk = Chunk { rows: CHUNK.rows.min(rows), ..CHUNK };
            let found = self.chunk(tx, part, chunk)?;
            let Some(last) = found.last() else {
                self.next_part();
                continue;
            };
            let is_all = match &self.sources[part] {
                // Where fewer came than fit, there are no more.
                Some(Source::Index) => found.len() < chunk.rows as usize && bytes(&found) < chunk.bytes,
                Some(Source::Records(_)) => true,
                _ => false,
            };
            if is_all {
                self.next_part();
            } else {
                self.after = Some(self.place(part, last)?);
            }
            return Ok(Some((part, found)));
        }
        Ok(None)
    }

    fn chunk(&mut self, tx: &mut ReadTx<'_>, part: usize, chunk: Chunk) -> Result<Vec<ResourceRecord>, ProviderError> {
        let (tenant, kind, direction, way) = (self.caller.tenant(), self.kind(part), self.direction, self.listing.way);
        let (id, key) = match self.after.clone() {
            None => (None, None),
            Some(place) => (Some(ResourceId::from_bytes(place.id)), place.key),
        };
        let rows = chunk.rows as usize;
        match self.source(tx, part)? {
            Source::Index if way == Way::ByUniqueKey => {
                let after = match &key {
                    Some(SortKey::Text(key)) => Some(key.as_str()),
                    _ => None,
                };
                Ok(listing::by_unique_key_after(tx, tenant, kind, direction, after, chunk)?)
            }
            Source::Index => Ok(listing::by_id_after(tx, tenant, kind, direction, id, chunk)?),
            Source::Records(records) => {
                let is_left = |record: &&ResourceRecord| match (id, direction) {
                    (None, _) => true,
                    (Some(id), Direction::Up) => record.id > id,
                    (Some(id), Direction::Down) => record.id < id,
                };
                let mut left: Vec<ResourceRecord> = records.iter().filter(is_left).cloned().collect();
                if direction == Direction::Down {
                    left.reverse();
                }
                left.truncate(rows);
                Ok(left)
            }
            Source::Ids(ids) => {
                let wanted: Vec<ResourceId> = match direction {
                    Direction::Up => {
                        let from = id.map_or(0, |id| ids.partition_point(|other| *other <= id));
                        ids[from..].iter().take(rows.min(IDS_CHUNK)).copied().collect()
                    }
                    Direction::Down => {
                        let to = id.map_or(ids.len(), |id| ids.partition_point(|other| *other < id));
                        ids[..to].iter().rev().take(rows.min(IDS_CHUNK)).copied().collect()
                    }
                };
                if wanted.is_empty() {
                    return Ok(Vec::new());
                }
                let mut found = listing::by_ids(tx, tenant, kind, &wanted)?;
                found.sort_unstable_by_key(|record| record.id);
                if direction == Direction::Down {
                    found.reverse();
                }
                Ok(found)
            }
        }
    }

    /// The place of a candidate of that part.
    pub(super) fn place(&self, part: usize, record: &ResourceRecord) -> Result<Place, ProviderError> {
        let place = place_of(part, record.id);
        match (self.listing.way, self.caller.unique_attribute(self.kind(part))) {
            (Way::ByUniqueKey, Some(attribute)) => {
                let attributes = document::read(&record.doc)?;
                let name = attributes.get(attribute).and_then(Value::as_str).unwrap_or_default();
                let key = document::folded(self.kind(part), name)?;
                Ok(Place { key: Some(SortKey::Text(key)), ..place })
            }
            _ => Ok(place),
        }
    }
}

fn bytes(records: &[ResourceRecord]) -> usize {
    records.iter().map(|record| record.doc.len()).sum()
}

/// The place of an id in that part.
pub(super) fn place_of(part: usize, id: ResourceId) -> Place {
    Place { part: u16::try_from(part).unwrap_or(u16::MAX), id: id.to_bytes(), key: None }
}
