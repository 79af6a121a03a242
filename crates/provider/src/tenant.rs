//! Tenants: made, listed, found, suspended, deleted. Their tokens are in `token`.

use std::sync::Arc;

use jiff::Timestamp;
use store::tenants::TenantRecord;
use store::{ReadTx, StoreError, TenantKey, UniqueKey, WriteTx};

use crate::custom::profile_of;
use crate::{Address, Caller, Profile, TenantError, oauth};

/// Longest name of a tenant, in bytes: it may become a label of a host name.
pub const TENANT_NAME_BYTES_MAX: usize = 63;

/// What an administrator can choose for a tenant when it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TenantSettings {
    /// Whether no two groups may have the same `displayName`; the profile decides where this is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique_group_names: Option<bool>,
    /// Requests that it may send in a second. Where this is not set, a common rate holds while other tenants are served too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_second: Option<u32>,
    /// Whether the request log keeps bodies, with values masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_bodies: Option<bool>,
    /// Users that it may have; new ones are refused then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users_max: Option<u32>,
    /// Groups that it may have; new ones are refused then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_max: Option<u32>,
    /// An address of its own, beside the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

impl TenantSettings {
    /// The settings of a tenant.
    pub fn of(tenant: &TenantRecord) -> Result<Self, StoreError> {
        Self::read(&tenant.settings)
    }

    /// The address of the endpoint of the tenant of that name: its own, where it has one. `public_url` is the server's, without a
    /// slash at its end.
    pub fn scim_base(&self, public_url: &str, tenant: &str) -> String {
        if let Some(address) = &self.address {
            return address.base(public_url);
        }
        let mut base = String::with_capacity(public_url.len() + tenant.len() + "/t//scim/v2".len());
        for part in [public_url, "/t/", tenant, "/scim/v2"] {
            base.push_str(part);
        }
        base
    }

    /// Reads the stored form. Nearly every tenant has no settings of its own, and every request reads them.
    pub(crate) fn read(text: &str) -> Result<Self, StoreError> {
        if text == "{}" {
            return Ok(Self::default());
        }
        serde_json::from_str(text).map_err(|error| StoreError::Decode(error.to_string()))
    }

    fn write(&self) -> String {
        serde_json::to_string(self).expect("a struct of options of numbers and texts is JSON")
    }
}

/// Makes a tenant. Its name is 1 to 63 of `a-z`, `0-9` and `-`, and does not start with `-`.
pub fn create_tenant(
    tx: &mut WriteTx<'_>,
    name: &str,
    profile: &str,
    settings: &TenantSettings,
    now: Timestamp,
) -> Result<TenantKey, TenantError> {
    if !is_tenant_name(name) {
        return Err(TenantError::BadName(name.to_owned()));
    }
    let profile = Profile::by_name(profile).ok_or_else(|| TenantError::UnknownProfile(profile.to_owned()))?;
    store::tenants::insert_tenant(tx, name, &profile.name, &settings.write(), now).map_err(|error| {
        TenantError::unless_taken(error, UniqueKey::TenantName, || TenantError::TenantExists(name.to_owned()))
    })
}

/// All tenants, by name.
pub fn tenants(tx: &mut ReadTx<'_>) -> Result<Vec<TenantRecord>, TenantError> {
    Ok(store::tenants::tenants(tx)?)
}

/// The tenant of that name.
pub fn tenant(tx: &mut ReadTx<'_>, name: &str) -> Result<TenantRecord, TenantError> {
    store::tenants::tenant_by_name(tx, name)?.ok_or_else(|| TenantError::NoSuchTenant(name.to_owned()))
}

/// The server's own administrator, who looks at the tenant of that name without a token and may not write there.
pub fn administrator(tx: &mut ReadTx<'_>, name: &str) -> Result<Caller, TenantError> {
    let found = tenant(tx, name)?;
    let base = Profile::by_name(&found.profile)
        .ok_or_else(|| StoreError::Decode(format!("no profile is called {}", found.profile)))?;
    let digest = store::schemas::digest_in_force(tx, found.key)?;
    let profile = match &digest {
        None => Arc::clone(base),
        Some(digest) => profile_of(tx, found.key, base, digest)?.ok_or_else(|| {
            StoreError::Internal("a tenant was looked at in a transaction of one statement".to_owned())
        })?,
    };
    let settings = TenantSettings::read(&found.settings)?;
    Ok(Caller::new(found.key, found.name, profile, settings, digest, None))
}

/// Changes the settings of the tenant of that name. They hold from the next request on.
pub fn change_tenant(
    tx: &mut WriteTx<'_>,
    name: &str,
    change: impl FnOnce(&mut TenantSettings),
) -> Result<TenantSettings, TenantError> {
    let found = tenant(tx, name)?;
    let mut settings = TenantSettings::read(&found.settings)?;
    let before = settings.address.clone();
    change(&mut settings);
    store::tenants::change_settings(tx, found.key, &settings.write())?;
    if settings.address != before {
        oauth::forget_bearers(tx, found.key)?;
    }
    Ok(settings)
}

/// Deletes the tenant of that name with its users, groups and tokens.
pub fn delete_tenant(tx: &mut WriteTx<'_>, name: &str) -> Result<(), TenantError> {
    let found = tenant(tx, name)?;
    Ok(store::tenants::delete_tenant(tx, found.key)?)
}

/// Suspends the tenant of that name: its tokens are refused until it is resumed. Says whether that is new.
pub fn suspend_tenant(tx: &mut WriteTx<'_>, name: &str, now: Timestamp) -> Result<bool, TenantError> {
    set_suspended(tx, name, Some(now))
}

/// Ends the suspension of the tenant of that name; says whether there was one.
pub fn resume_tenant(tx: &mut WriteTx<'_>, name: &str) -> Result<bool, TenantError> {
    set_suspended(tx, name, None)
}

fn set_suspended(tx: &mut WriteTx<'_>, name: &str, since: Option<Timestamp>) -> Result<bool, TenantError> {
    let found = tenant(tx, name)?;
    let changed = found.suspended.is_some() != since.is_some();
    if changed {
        store::tenants::set_suspended(tx, found.key, since)?;
    }
    Ok(changed)
}

fn is_tenant_name(name: &str) -> bool {
    name.len() <= TENANT_NAME_BYTES_MAX
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tenants() {
        let longest = "a".repeat(TENANT_NAME_BYTES_MAX);
        for name in ["a", "contoso", "contoso-2", "0-", longest.as_str()] {
            assert!(is_tenant_name(name), "{name}");
        }
        let too_long = "a".repeat(TENANT_NAME_BYTES_MAX + 1);
        for name in ["", "-a", "Contoso", "a.b", "a/b", "a b", "é", too_long.as_str()] {
            assert!(!is_tenant_name(name), "{name}");
        }
    }

    #[test]
    fn settings_survive_storing() {
        for unique_group_names in [None, Some(true), Some(false)] {
            let settings = TenantSettings { unique_group_names, ..TenantSettings::default() };
            assert_eq!(TenantSettings::read(&settings.write()).unwrap(), settings);
        }
        let all = TenantSettings { requests_per_second: Some(7), log_bodies: Some(true), ..TenantSettings::default() };
        assert_eq!(TenantSettings::read(&all.write()).unwrap(), all);
        assert_eq!(TenantSettings::default().write(), "{}");
    }
}
