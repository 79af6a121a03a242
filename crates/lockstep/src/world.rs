//! What commands work with: the data folder, the opened store, the clock, randomness, and the keys made from the
//! installation's key. Here, at the edge, and nowhere else, the clock and the operating system's randomness are read.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{anyhow, bail};
use directory::{Activity, DirectoryError};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use provider::TokenKey;
use provisioning::{Engine, EngineParts, MasterKey, OutboundPolicy, Trust};
use serde_json::Value;
use server::LogSettings;
use sha2::Sha256;
use store::audit::{AuditRecord, insert_audit};
use store::{Store, StoreError, WriteTx, settings, version_7};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::config::{Config, FILE_NAME, Outbound, collector_policy};
use crate::data_folder::{DataFolder, KEY_BYTES};
use crate::files::cannot_read;
use crate::outcome::usage;

/// The setting that holds the address under which others reach the server; `serve` writes it.
pub const PUBLIC_URL: &str = "public_url";
/// The folder of the request log, inside the data folder.
const REQUEST_LOG: &str = "requests";
/// The setting by which a key of another installation is told.
const KEY_CHECK: &str = "key_check";
/// Idle connections kept to one identity provider: its keys are fetched now and then.
const OUTBOUND_IDLE_MAX: usize = 1;
const TOKEN_KEY_LABEL: &[u8] = b"lockstep token key, version 1";
const KEY_CHECK_LABEL: &[u8] = b"lockstep key check, version 1";

/// An opened installation; cheap to clone.
#[derive(Clone)]
pub struct World {
    config: Arc<Config>,
    folder: Arc<DataFolder>,
    store: Store,
}

impl World {
    /// Opens the data folder and the database, and refuses what does not belong together.
    pub fn open(config: Config, runtime: &Runtime) -> anyhow::Result<Self> {
        let (folder, setup) = DataFolder::open(&config.data, random)?;
        if config.postgres.is_none()
            && let Err(error) = folder.prepare_database_file(&setup)
        {
            setup.undo();
            return Err(error);
        }
        for told in folder.open_to_others().into_iter().chain(folder.open_password(FILE_NAME)) {
            tracing::warn!("{told}");
        }
        let store = match Store::open(&config.database(&folder.database_file())) {
            Ok(store) => store,
            Err(error) => {
                setup.undo();
                return Err(match error {
                    StoreError::Unavailable(_) | StoreError::Internal(_) if config.postgres.is_some() => {
                        anyhow!("{error}; check the address after --database, and that PostgreSQL runs there")
                    }
                    other => other.into(),
                });
            }
        };
        drop(setup);
        let world = Self { config: Arc::new(config), folder: Arc::new(folder), store };
        runtime.block_on(world.check_key())?;
        Ok(world)
    }

    /// A database belongs to one key: with another, its tokens and secrets could not be read.
    async fn check_key(&self) -> anyhow::Result<()> {
        let expected = key_check(&self.folder.key());
        let mut kept = self.setting(KEY_CHECK).await?;
        if kept.is_none() {
            let value = expected.clone();
            let write = self.store.write(move |tx| match settings::setting(tx, KEY_CHECK)? {
                Some(kept) => Ok(Some(kept)),
                None => settings::put_setting(tx, KEY_CHECK, &value).map(|()| None),
            });
            kept = write.await.map_err(sentence)?;
        }
        if kept.is_some_and(|kept| kept != expected) {
            bail!(
                "{} is not the key of this database; put the right key back from a backup",
                self.folder.key_file().display()
            );
        }
        Ok(())
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The data folder.
    pub fn folder(&self) -> &DataFolder {
        &self.folder
    }

    /// Where the request log is kept, and how much of it.
    pub fn request_log(&self) -> LogSettings {
        let edge = &self.config.edge;
        LogSettings {
            folder: self.folder.path().join(REQUEST_LOG),
            bytes_max: edge.log_megabytes * 1_000_000,
            age_max: Duration::from_secs(edge.log_days * 24 * 3600),
        }
    }

    /// The data.
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The key under which tokens of tenants are hashed.
    pub fn token_key(&self) -> TokenKey {
        TokenKey::new(derived(&self.folder.key(), TOKEN_KEY_LABEL))
    }

    /// The key of stored secrets.
    pub fn master_key(&self) -> MasterKey {
        MasterKey::new(self.folder.key())
    }

    /// What may be dialled.
    pub fn outbound_policy(&self) -> OutboundPolicy {
        let Outbound { private_networks, plain_http, .. } = self.config.outbound;
        OutboundPolicy { private_networks, plain_http }
    }

    /// A client for what is fetched from elsewhere; it dials what targets may be.
    pub fn outbound(&self) -> anyhow::Result<outbound::Client> {
        let trust = trust(self.config.outbound.ca_file.as_deref())?;
        Ok(outbound::client(self.outbound_policy(), &trust, OUTBOUND_IDLE_MAX))
    }

    /// A client for the collector of traces.
    pub fn collector(&self) -> anyhow::Result<outbound::Client> {
        let Outbound { plain_http, ca_file, .. } = &self.config.outbound;
        Ok(outbound::client(collector_policy(*plain_http), &trust(ca_file.as_deref())?, OUTBOUND_IDLE_MAX))
    }

    /// The provisioning service on this data.
    pub fn engine(&self) -> anyhow::Result<Engine> {
        Ok(Engine::new(EngineParts {
            store: self.store.clone(),
            key: self.master_key(),
            policy: self.outbound_policy(),
            trust: trust(self.config.outbound.ca_file.as_deref())?,
            clock: Arc::new(now),
            random: Arc::new(random),
            lock_folder: self.folder.lock_folder(),
            instance: self.folder.instance().to_owned(),
            actor: actor(),
            default_domain: self.config.default_domain.clone(),
        }))
    }

    /// A setting of the installation.
    pub async fn setting(&self, name: &'static str) -> anyhow::Result<Option<String>> {
        let read = self.store.read(move |tx| settings::setting(tx, name)).await;
        read.map_err(sentence)
    }

    /// The address under which others reach the server, without slash at its end: as configured, else as `serve` last
    /// wrote it, else where `serve` would listen.
    pub async fn public_url(&self) -> anyhow::Result<String> {
        if let Some(url) = &self.config.public_url {
            return Ok(url.clone());
        }
        let kept = self.setting(PUBLIC_URL).await?;
        Ok(kept.unwrap_or_else(|| format!("http://{}", self.config.listen)))
    }
}

fn trust(ca_file: Option<&Path>) -> anyhow::Result<Trust> {
    let Some(path) = ca_file else { return Trust::new(None).map_err(anyhow::Error::msg) };
    let pem = std::fs::read(path).map_err(|error| cannot_read(path, "outbound.ca_file", error))?;
    Trust::new(Some(&pem)).map_err(|error| usage(format!("outbound.ca_file: {}: {error}", path.display())))
}

fn sentence(error: StoreError) -> anyhow::Error {
    error.into()
}

/// Adds a record of a command on the directory to the audit log.
pub fn audit(tx: &mut WriteTx<'_>, activity: Activity, target: &str, detail: &Value) -> Result<(), DirectoryError> {
    directory::record(tx, new_id(), now(), &actor(), activity, target, detail)
}

/// Adds a record of a command on a tenant to the audit log. Entra has no words for these.
pub fn audit_tenant(tx: &mut WriteTx<'_>, activity: &str, target: &str, detail: &Value) -> Result<(), StoreError> {
    let record = AuditRecord {
        id: new_id(),
        at: now(),
        actor: actor(),
        activity: activity.to_owned(),
        target: target.to_owned(),
        detail: detail.to_string(),
    };
    insert_audit(tx, &record)
}

/// Who runs the command, as the audit log names it.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment")]
fn actor() -> String {
    let user = std::env::var("USER").or_else(|_| std::env::var("USERNAME")).ok().filter(|name| !name.is_empty());
    user.map_or_else(|| "command line".to_owned(), |name| format!("command line ({name})"))
}

/// The headers for the collector of traces, as OpenTelemetry's variable has them. They may hold a key, so there is no option for them.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment")]
pub fn collector_headers() -> Option<String> {
    std::env::var("OTEL_EXPORTER_OTLP_HEADERS").ok()
}

/// A variable that a file of a job names for the secret token of a new application; none where it is not set, or is empty.
#[expect(clippy::disallowed_methods, reason = "the command line reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// The moment it is now, in whole milliseconds as the store keeps moments.
#[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
pub fn now() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// Fills a buffer with the operating system's randomness.
pub fn random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives randomness to every process");
}

/// A new id.
pub fn new_id<T: From<Uuid>>() -> T {
    let mut bytes = [0; 10];
    random(&mut bytes);
    version_7(now(), bytes).into()
}

fn derived(key: &[u8; KEY_BYTES], label: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(label);
    mac.finalize().into_bytes().into()
}

/// 64 bits, in hexadecimal: enough to tell keys apart, useless for finding one.
fn key_check(key: &[u8; KEY_BYTES]) -> String {
    let bytes = derived(key, KEY_CHECK_LABEL);
    let first = bytes.first_chunk::<8>().copied().unwrap_or_default();
    format!("{:016x}", u64::from_be_bytes(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_keys_differ_by_label_and_key() {
        let (one, other) = ([1; KEY_BYTES], [2; KEY_BYTES]);
        assert_ne!(derived(&one, TOKEN_KEY_LABEL), derived(&one, KEY_CHECK_LABEL));
        assert_ne!(key_check(&one), key_check(&other));
        assert_eq!(key_check(&one).len(), 16);
    }

    #[test]
    fn new_ids_differ() {
        assert_ne!(new_id::<Uuid>(), new_id::<Uuid>());
    }
}
