//! The kinds of resources that a tenant has, as numbers: users, groups, and the resource types that the tenant defined itself.

use crate::error::StoreError;

/// The number of the first kind that a tenant can define; those below are kept for the resource types of RFC 7643 and what may follow it.
const CUSTOM_FROM: i64 = 16;

/// The number of a resource type that a tenant defined: 0, 1, 2, … in the order in which they were defined, never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct CustomKind(u16);

impl CustomKind {
    /// The kind with that number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The number under which rows are stored.
    pub(crate) fn code(self) -> i64 {
        CUSTOM_FROM + i64::from(self.0)
    }

    /// The kind whose rows are stored under a number, if it is one of a tenant's own.
    pub(crate) fn from_code(code: i64) -> Option<Self> {
        u16::try_from(code.checked_sub(CUSTOM_FROM)?).ok().map(Self)
    }
}

/// The kind of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceKind {
    /// A SCIM User.
    User,
    /// A SCIM Group.
    Group,
    /// A resource type that the tenant defined.
    Custom(CustomKind),
}

impl ResourceKind {
    pub(crate) fn code(self) -> i64 {
        match self {
            Self::User => 1,
            Self::Group => 2,
            Self::Custom(kind) => kind.code(),
        }
    }

    pub(crate) fn from_code(code: i64) -> Result<Self, StoreError> {
        match code {
            1 => Ok(Self::User),
            2 => Ok(Self::Group),
            other => CustomKind::from_code(other)
                .map(Self::Custom)
                .ok_or_else(|| StoreError::Decode(format!("no resource kind has the number {other}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_back_and_no_other_number() {
        let custom = |number| ResourceKind::Custom(CustomKind::new(number));
        for (kind, code) in [
            (ResourceKind::User, 1),
            (ResourceKind::Group, 2),
            (custom(0), 16),
            (custom(7), 23),
            (custom(u16::MAX), 16 + 65_535),
        ] {
            assert_eq!((kind.code(), ResourceKind::from_code(code)), (code, Ok(kind)));
        }
        for code in [i64::MIN, -1, 0, 3, 15, 16 + 65_536, i64::MAX] {
            assert!(ResourceKind::from_code(code).is_err(), "{code}");
        }
    }
}
