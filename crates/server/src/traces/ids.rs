//! Ids of traces and of spans: random, and never all zero (W3C Trace Context §3.2.2).

use std::fmt;

/// Names a trace, in all services that a request passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceId([u8; 16]);

/// Names a span within its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanId([u8; 8]);

impl TraceId {
    pub(super) fn of([high, low]: [u64; 2]) -> Self {
        Self(((u128::from(high) << 64 | u128::from(low)).max(1)).to_be_bytes())
    }

    /// `None` for the one that is not valid.
    pub(super) fn known(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }
}

impl SpanId {
    pub(super) fn of(number: u64) -> Self {
        Self(number.max(1).to_be_bytes())
    }

    /// `None` for the one that is not valid.
    pub(super) fn known(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then_some(Self(bytes))
    }

    /// The id of the span's step with that number, from 1.
    pub(super) fn step(self, number: u64) -> Self {
        Self::of(u64::from_be_bytes(self.0).wrapping_add(number))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}
