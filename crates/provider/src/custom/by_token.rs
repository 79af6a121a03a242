//! A tenant's definition over the network: whoever shows a token of the scope `schemas` reads and changes it, and reaches nothing else.

use jiff::Timestamp;
use serde_json::json;
use store::audit::{AuditRecord, insert_audit};
use store::schemas::{Digest, hold_schemas_alone};
use store::{ClientId, LogId, ReadTx, StoreError, TenantKey, TokenId, WriteTx};

use super::change::{change, stored};
use super::tag::{DefinitionTag, TagCondition};
use super::{CustomSchemas, SchemaChange, SchemaError};
use crate::token::valid;
use crate::{AuthError, Bearer, Credential, Scope, TenantSettings, TokenHash};

/// Most resources that a change by token looks at, of all types together: others that write wait for it. Who administers the server may
/// have [`super::RESOURCES_CHECKED_MAX`] looked at.
pub const RESOURCES_CHECKED_BY_TOKEN_MAX: u64 = 2_000;

/// A tenant whose token for schemas was presented. It is no [`crate::Caller`], so that no use case of people and groups takes it.
#[derive(Clone, Debug)]
pub struct Definer {
    tenant: TenantKey,
    tenant_name: String,
    settings: TenantSettings,
    token: TokenId,
    client: Option<ClientId>,
    digest: Option<Digest>,
}

impl TokenHash {
    /// Finds the tenant whose definition the token opens. [`AuthError::OtherScope`] where it opens people and groups instead.
    pub fn definer(&self, tx: &mut ReadTx<'_>, now: Timestamp) -> Result<Definer, AuthError> {
        let owner = store::tokens::token_owner(tx, self.bytes())?.ok_or(AuthError::Invalid)?;
        valid(owner.expires, owner.suspended.is_some(), now)?;
        let settings = TenantSettings::read(&owner.settings)?;
        if !owner.may_define {
            let credential = Some(Credential::of(owner.id, owner.client));
            let bearer = Bearer { tenant: owner.tenant, tenant_name: owner.tenant_name, settings, credential };
            return Err(AuthError::OtherScope { bearer: Box::new(bearer), needed: Scope::Schemas });
        }
        Ok(Definer {
            tenant: owner.tenant,
            settings,
            tenant_name: owner.tenant_name,
            token: owner.id,
            client: owner.client,
            digest: owner.schema_digest,
        })
    }
}

impl Definer {
    /// The key of the tenant's rows.
    pub const fn tenant(&self) -> TenantKey {
        self.tenant
    }

    /// The tenant's name, as in its address.
    pub fn tenant_name(&self) -> &str {
        &self.tenant_name
    }

    /// The tenant's settings.
    pub const fn settings(&self) -> &TenantSettings {
        &self.settings
    }

    /// The token that was presented.
    pub const fn token(&self) -> TokenId {
        self.token
    }

    /// Whose token was presented.
    pub fn credential(&self) -> Credential {
        Credential::of(self.token, self.client)
    }

    /// The tag of what was defined when the token was looked at.
    pub fn tag(&self) -> DefinitionTag {
        DefinitionTag::of(self.digest.as_ref())
    }
}

/// What the tenant defined; empty where it defined nothing.
pub fn definition(tx: &mut ReadTx<'_>, definer: &Definer) -> Result<CustomSchemas, StoreError> {
    Ok(stored(tx, definer.tenant)?.0)
}

/// Sets what the tenant defines as [`super::set_schemas`] does, where `condition` allows it at that moment, and says so in the audit log
/// under `id`. Gives the tag of what is defined then.
pub fn define(
    tx: &mut WriteTx<'_>,
    definer: &Definer,
    definition: &CustomSchemas,
    condition: &TagCondition,
    id: LogId,
    now: Timestamp,
) -> Result<(SchemaChange, DefinitionTag), SchemaError> {
    let gone = || StoreError::Decode("a token has no tenant".to_owned());
    let found = store::tenants::tenant_by_name(tx, &definer.tenant_name)?.ok_or_else(gone)?;
    // Held until the end, so that of two who change the same definition the second sees what the first made of it.
    let held = hold_schemas_alone(tx, definer.tenant)?;
    if !condition.allows(&DefinitionTag::of(held.as_ref())) {
        return Err(SchemaError::Changed);
    }
    let change = change(tx, &found, definition, RESOURCES_CHECKED_BY_TOKEN_MAX, now)?;
    if !change.differences.is_empty() {
        let name = store::tokens::token_name(tx, definer.tenant, definer.token)?.unwrap_or_default();
        let record = AuditRecord {
            id,
            at: now,
            actor: format!("token {name} of {}", definer.tenant_name),
            activity: definition.activity().to_owned(),
            target: definer.tenant_name.clone(),
            detail: json!({ "differences": change.differences }).to_string(),
        };
        insert_audit(tx, &record)?;
    }
    let digest = store::schemas::digest_in_force(tx, definer.tenant)?;
    Ok((change, DefinitionTag::of(digest.as_ref())))
}
