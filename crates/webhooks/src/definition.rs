//! Webhooks as administrators make, see and change them.

use jiff::Timestamp;
use outbound::{OutboundPolicy, WebAddress};
use provider::{ProviderError, TenantError};
use store::webhooks::{self, Progress, WebhookRecord};
use store::{ReadTx, StoreError, TenantKey, UniqueKey, WebhookId, WriteTx};

/// Webhooks that a tenant may have.
pub const WEBHOOKS_MAX: usize = 10;
/// Longest name of a webhook, in characters.
pub const WEBHOOK_NAME_CHARS_MAX: usize = 128;
/// Longest address, in bytes.
pub const URL_BYTES_MAX: usize = 2000;
/// Resource types that a webhook may name.
pub const TYPES_MAX: usize = 32;
/// Longest name of a resource type that a webhook may name, in bytes.
const TYPE_BYTES_MAX: usize = 128;
/// What a webhook may be told of (RFC 9967 §2.4).
pub const ACTIONS: [&str; 6] = ["create", "patch", "put", "delete", "activate", "deactivate"];

/// Why something cannot be done with a webhook.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It cannot be as it is described.
    #[error("{0}")]
    Bad(String),
    /// The tenant has a webhook of that name.
    #[error("the tenant {tenant:?} has a webhook named {name:?}; remove it first or choose another name")]
    Exists {
        /// The tenant.
        tenant: String,
        /// The name that is taken.
        name: String,
    },
    /// The tenant has no webhook of that name.
    #[error("the tenant {tenant:?} has no webhook named {name:?}; lockstep tenant webhook list shows those there are")]
    NoSuchWebhook {
        /// The tenant.
        tenant: String,
        /// The name as given.
        name: String,
    },
    /// The tenant has as many webhooks as it may.
    #[error("the tenant {0:?} has {max} webhooks; remove one first", max = WEBHOOKS_MAX)]
    TooMany(String),
    /// The tenant cannot be used.
    #[error("{0}")]
    Tenant(#[from] TenantError),
    /// The events cannot be read.
    #[error("{0}")]
    Events(#[from] ProviderError),
    /// The store failed.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// A webhook that an administrator asks for.
pub struct WebhookRequest<'a> {
    /// The tenant's name.
    pub tenant: &'a str,
    /// Its own name; unique in the tenant.
    pub name: &'a str,
    /// A new id.
    pub id: WebhookId,
    /// Where events are sent.
    pub url: &'a str,
    /// What may be dialled.
    pub policy: OutboundPolicy,
    /// Whether they carry the resource as it is when they are sent.
    pub is_full: bool,
    /// Which of [`ACTIONS`] are told; all where there are none.
    pub actions: &'a [String],
    /// Resources of which types are told, by name; all where there are none.
    pub types: &'a [String],
}

/// Adds a webhook. It is told what changes from now on.
pub fn add(tx: &mut WriteTx<'_>, request: &WebhookRequest<'_>, now: Timestamp) -> Result<WebhookRecord, WebhookError> {
    let WebhookRequest { tenant, name, id, url, is_full, actions, types, .. } = *request;
    check(request)?;
    let key = provider::tenant(tx, tenant)?.key;
    check_types(tx, tenant, types)?;
    if webhooks::webhooks(tx, key)?.len() >= WEBHOOKS_MAX {
        return Err(WebhookError::TooMany(tenant.to_owned()));
    }
    store::number_changes(tx, key.into())?;
    let read_to = store::feed_head(tx, key.into())?;
    let progress = Progress {
        read_to,
        failures: 0,
        failing_since: None,
        next_attempt: Timestamp::UNIX_EPOCH,
        last_success: None,
        last_failure: None,
        missed: 0,
        paused: None,
    };
    let record = WebhookRecord {
        tenant: key,
        id,
        name: name.to_owned(),
        url: url.to_owned(),
        is_full,
        actions: actions.join(" "),
        types: types.join(" "),
        created: now,
        progress,
    };
    webhooks::insert_webhook(tx, &record).map_err(|error| match error {
        StoreError::NotUnique(UniqueKey::WebhookName) => {
            WebhookError::Exists { tenant: tenant.to_owned(), name: name.to_owned() }
        }
        other => WebhookError::Store(other),
    })?;
    Ok(record)
}

/// Whether a webhook may be as it is asked for.
fn check(request: &WebhookRequest<'_>) -> Result<(), WebhookError> {
    let bad = |text: String| Err(WebhookError::Bad(text));
    let WebhookRequest { name, url, policy, actions, types, .. } = *request;
    if name.trim().is_empty() || name.chars().count() > WEBHOOK_NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return bad(format!("a webhook name has 1 to {WEBHOOK_NAME_CHARS_MAX} characters and no control characters"));
    }
    if url.len() > URL_BYTES_MAX {
        return bad(format!("the URL of a webhook has at most {URL_BYTES_MAX} bytes"));
    }
    let address: WebAddress = match url.parse() {
        Ok(address) => address,
        Err(error) => return bad(format!("the URL of a webhook cannot be used: {error}")),
    };
    if let Err(reason) = address.check(policy) {
        let host = address.host();
        return bad(format!(
            "nothing could be sent to {host}: {reason}; choose another URL, or change that setting first"
        ));
    }
    if let Some(unknown) = actions.iter().find(|action| !ACTIONS.contains(&action.as_str())) {
        return bad(format!("no event is called {unknown:?}; there are {}", ACTIONS.join(", ")));
    }
    let is_name = |name: &String| {
        (1..=TYPE_BYTES_MAX).contains(&name.len()) && !name.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    if types.len() > TYPES_MAX || !types.iter().all(is_name) {
        return bad(format!(
            "a webhook names at most {TYPES_MAX} resource types, each as /ResourceTypes does, such as User"
        ));
    }
    Ok(())
}

/// Whether the tenant has resource types of these names: of one that it has not nothing would ever be told.
fn check_types(tx: &mut ReadTx<'_>, tenant: &str, types: &[String]) -> Result<(), WebhookError> {
    if types.is_empty() {
        return Ok(());
    }
    let caller = provider::administrator(tx, tenant)?;
    let names: Vec<&str> = caller.profile().resource_types().map(|kind| kind.name.as_str()).collect();
    match types.iter().find(|name| !names.contains(&name.as_str())) {
        Some(unknown) => Err(WebhookError::Bad(format!(
            "the tenant {tenant:?} has no resource type {unknown:?}; there are {}",
            names.join(", ")
        ))),
        None => Ok(()),
    }
}

/// The webhooks of a tenant by name, each with the number of changes that it has still to look at.
pub fn list(tx: &mut WriteTx<'_>, tenant: &str) -> Result<Vec<(WebhookRecord, i64)>, WebhookError> {
    let key = provider::tenant(tx, tenant)?.key;
    store::number_changes(tx, key.into())?;
    let head = store::feed_head(tx, key.into())?;
    let all = webhooks::webhooks(tx, key)?.into_iter();
    Ok(all.map(|webhook| ((head - webhook.progress.read_to).max(0), webhook)).map(|(owed, one)| (one, owed)).collect())
}

/// The webhook of a tenant with that name.
pub fn find(tx: &mut ReadTx<'_>, tenant: &str, name: &str) -> Result<WebhookRecord, WebhookError> {
    let key = provider::tenant(tx, tenant)?.key;
    let found = webhooks::webhooks(tx, key)?.into_iter().find(|webhook| webhook.name == name);
    found.ok_or_else(|| WebhookError::NoSuchWebhook { tenant: tenant.to_owned(), name: name.to_owned() })
}

fn place(tx: &mut ReadTx<'_>, tenant: &str, name: &str) -> Result<(TenantKey, WebhookId), WebhookError> {
    find(tx, tenant, name).map(|webhook| (webhook.tenant, webhook.id))
}

/// Removes a webhook.
pub fn remove(tx: &mut WriteTx<'_>, tenant: &str, name: &str) -> Result<(), WebhookError> {
    let (key, id) = place(tx, tenant, name)?;
    Ok(webhooks::delete_webhook(tx, key, id)?)
}

/// Pauses a webhook: nothing is sent until it is resumed.
pub fn pause(tx: &mut WriteTx<'_>, tenant: &str, name: &str) -> Result<(), WebhookError> {
    let (key, id) = place(tx, tenant, name)?;
    Ok(webhooks::pause_webhook(tx, key, id, "by an administrator")?)
}

/// Lets a webhook go on where it was, and at once.
pub fn resume(tx: &mut WriteTx<'_>, tenant: &str, name: &str) -> Result<(), WebhookError> {
    let (key, id) = place(tx, tenant, name)?;
    Ok(webhooks::resume_webhook(tx, key, id)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(url: &str, policy: OutboundPolicy) -> String {
        let id = store::version_7(Timestamp::UNIX_EPOCH, [1; 10]).into();
        let (actions, types) = (&[], &[]);
        let request = WebhookRequest { tenant: "t", name: "w", id, url, policy, is_full: false, actions, types };
        check(&request).err().map_or_else(String::new, |error| error.to_string())
    }

    #[test]
    fn what_would_not_be_dialled_is_refused_at_once_and_names_are_not_looked_up() {
        let own = OutboundPolicy::default();
        let hosted = OutboundPolicy { private_networks: false, plain_http: false };
        for (url, here, there) in [
            ("https://app.example/hook", true, true),
            ("http://app.example/hook", true, true),
            ("http://127.0.0.1:8080/", true, false),
            ("https://[::1]/", true, false),
            ("https://localhost:9/", true, false),
            ("https://169.254.169.254/latest", false, false),
            ("http://93.184.216.34/", false, false),
            ("https://93.184.216.34/", true, true),
        ] {
            let found = [own, hosted].map(|policy| told(url, policy).is_empty());
            assert_eq!(found, [here, there], "{url}");
        }
    }

    #[test]
    fn addresses_of_webhooks() {
        let longest = format!("https://a/{}", "p".repeat(URL_BYTES_MAX - 10));
        let too_long = format!("{longest}p");
        for (url, expected) in [
            ("https://app.example/hook?key=1", ""),
            ("http://127.0.0.1:8080/", ""),
            (longest.as_str(), ""),
            (too_long.as_str(), "at most 2000 bytes"),
            ("ftp://app.example/", "begins with https:// or http://"),
            ("https://user:geheim@app.example/", "holds no user"),
            ("https://app.example:99999/geheim", "a port is a number from 1 to 65535"),
            ("http://0x7f.1/geheim", "is written like 192.0.2.1"),
            ("http://127.1/", "is written like 192.0.2.1"),
            ("https://2130706433/", "is written like 192.0.2.1"),
        ] {
            let told = told(url, OutboundPolicy::default());
            assert!(told.contains(expected) && told.is_empty() == expected.is_empty(), "{url}: {told}");
            assert!(!told.contains("geheim"), "{told}");
        }
    }
}
