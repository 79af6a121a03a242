//! A newtype for each id, so that one kind is never taken for another.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Makes a version 7 UUID from a clock reading and ten random bytes (RFC 9562 §5.7). Both come from the caller, so that
/// tests are repeatable; ids made later sort later, which keeps inserts at the end of every index.
pub fn version_7(at: jiff::Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

macro_rules! id_type { ($($(#[$doc:meta])* $name:ident)*) => { $(
    $(#[$doc])*
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
    #[serde(try_from = "String", into = "String")]
    pub struct $name(Uuid);

    impl $name {
        /// Wraps a UUID that is known to name this kind of thing.
        pub const fn new(id: Uuid) -> Self { Self(id) }
        /// The UUID inside.
        pub const fn uuid(self) -> Uuid { self.0 }
    }
    impl fmt::Display for $name {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
    }
    impl FromStr for $name {
        type Err = uuid::Error;
        /// Takes only the hyphenated form that [`fmt::Display`] gives, in any case, as people write it.
        fn from_str(text: &str) -> Result<Self, Self::Err> {
            uuid::fmt::Hyphenated::from_str(text).map(|id| Self(id.into_uuid()))
        }
    }
    impl TryFrom<String> for $name {
        type Error = uuid::Error;
        fn try_from(text: String) -> Result<Self, Self::Error> { text.parse() }
    }
    impl From<$name> for String {
        fn from(id: $name) -> Self { id.to_string() }
    }
    impl From<Uuid> for $name {
        fn from(id: Uuid) -> Self { Self(id) }
    }
    impl From<$name> for Uuid {
        fn from(id: $name) -> Self { id.0 }
    }
)* } }

id_type! {
    /// A SCIM `id` of a user or group of a tenant. Made by the server, never used again.
    ResourceId
    /// A secret token of a tenant.
    TokenId
    /// An OAuth 2.0 client of a tenant: its `client_id`.
    ClientId
    /// A secret of an OAuth 2.0 client.
    SecretId
    /// A webhook of a tenant.
    WebhookId
    /// A user of the directory (Entra's `objectId`).
    UserId
    /// A group of the directory (Entra's `objectId`).
    GroupId
    /// A user or a group of the directory, where either may stand.
    ObjectId
    /// An application of the directory (Entra's service principal).
    AppId
    /// An app role of an application.
    RoleId
    /// One run of a provisioning job.
    CycleId
    /// One record of the provisioning log, or of the audit log.
    LogId
}

/// From where a page goes on that is to show what is above `after`: `None` begins at the first id there can be, and above
/// the last there is none. Statements compare with `>=`.
pub(crate) fn above<T: Into<Uuid>>(after: Option<T>) -> Option<Uuid> {
    match after {
        None => Some(Uuid::nil()),
        Some(id) => id.into().as_u128().checked_add(1).map(Uuid::from_u128),
    }
}

/// The same for a page that is to show what is below `before`, from large to small. Statements compare with `<=`.
pub(crate) fn below<T: Into<Uuid>>(before: Option<T>) -> Option<Uuid> {
    match before {
        None => Some(Uuid::max()),
        Some(id) => id.into().as_u128().checked_sub(1).map(Uuid::from_u128),
    }
}

impl From<UserId> for ObjectId {
    fn from(id: UserId) -> Self {
        Self(id.0)
    }
}

impl From<GroupId> for ObjectId {
    fn from(id: GroupId) -> Self {
        Self(id.0)
    }
}

impl ObjectId {
    /// The same id, where the object is known to be a user.
    pub const fn user(self) -> UserId {
        UserId(self.0)
    }
    /// The same id, where the object is known to be a group.
    pub const fn group(self) -> GroupId {
        GroupId(self.0)
    }
}

impl ClientId {
    /// The id that a text is; with case (RFC 6749 §1.9).
    pub fn exact(text: &str) -> Option<Self> {
        text.parse().ok().filter(|_| is_printed(text))
    }
}

/// Whether an id is written as it is printed.
fn is_printed(id: &str) -> bool {
    !id.bytes().any(|byte| byte.is_ascii_uppercase())
}

impl ResourceId {
    /// Its sixteen bytes.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// The id of these bytes, which are those of its UUID.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The id that a text is; with case, as SCIM compares ids (RFC 7643 §3.1), so that one object has one address.
    pub fn exact(text: &str) -> Option<Self> {
        text.parse().ok().filter(|_| is_printed(text))
    }
}

/// The small number by which every row of a tenant is keyed. Made by the database, never shown outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantKey(pub(crate) i64);

impl TenantKey {
    /// The number, for what is kept beside the database. No other tenant ever has it, also not one of the same name.
    pub const fn number(self) -> i64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_printed_form_is_an_address() {
        let id = "0198c2a4-7d1e-7aaa-8bbb-0123456789ab";
        assert_eq!(id.parse::<ResourceId>().unwrap().to_string(), id);
        for other in [
            "",
            "x",
            "0198c2a47d1e7aaa8bbb0123456789ab",
            "{0198c2a4-7d1e-7aaa-8bbb-0123456789ab}",
            "urn:uuid:0198c2a4-7d1e-7aaa-8bbb-0123456789ab",
        ] {
            assert!(other.parse::<ResourceId>().is_err(), "{other}");
        }
        assert_eq!(ResourceId::exact(id).map(|id| id.to_string()).as_deref(), Some(id));
        assert_eq!(id.to_uppercase().parse::<ResourceId>().unwrap().to_string(), id);
        for other in [id.to_uppercase(), id.replace('b', "B")] {
            assert_eq!(ResourceId::exact(&other), None);
        }
    }

    #[test]
    fn a_page_begins_above_the_last_one() {
        let id = Uuid::from_u128;
        for (after, expected) in [
            (None, Some(id(0))),
            (Some(id(0)), Some(id(1))),
            (Some(id(0xFF)), Some(id(0x100))),
            (Some(id(u128::MAX - 1)), Some(id(u128::MAX))),
            (Some(id(u128::MAX)), None),
        ] {
            assert_eq!(above(after), expected, "{after:?}");
        }
        for (before, expected) in [
            (None, Some(id(u128::MAX))),
            (Some(id(u128::MAX)), Some(id(u128::MAX - 1))),
            (Some(id(0x100)), Some(id(0xFF))),
            (Some(id(0)), None),
        ] {
            assert_eq!(below(before), expected, "{before:?}");
        }
    }

    #[test]
    fn later_ids_sort_later() {
        let at = |ms| version_7(jiff::Timestamp::from_millisecond(ms).unwrap(), [9; 10]);
        assert!(at(1_000) < at(1_001));
        assert_eq!(at(5).get_version_num(), 7);
    }
}
