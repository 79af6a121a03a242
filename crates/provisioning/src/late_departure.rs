//! Accounts that stayed as they were when their objects left the scope, because nothing switched them off or removed them: whether a change
//! of mappings makes up for it.

use std::fmt;

use mapping::{AttributeMapping, ObjectMapping, ObjectType, counted};
use store::links::count_kept_links;
use store::{AppId, ObjectKind, ReadTx};

use crate::engine::Engine;
use crate::gallery::Template;
use crate::job::JobError;
use crate::object_plan::{leaving, switches_off};
use crate::plan::Leaving;

/// Accounts that the first cycle after a change ends. `Display` is one sentence.
struct LateDeparture {
    object: ObjectType,
    accounts: u64,
    leaving: Leaving,
}

impl fmt::Display for LateDeparture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let objects = match self.object {
            ObjectType::User => "users",
            ObjectType::Group => "groups",
        };
        let ended = match self.leaving {
            Leaving::Deleted => "removed",
            Leaving::SwitchedOff | Leaving::Kept => "switched off",
        };
        write!(
            f,
            "{} of {objects} out of scope, which nothing has {ended} so far, would be {ended} by the next cycle, but for {objects} that are in scope again by then",
            counted(self.accounts, "account")
        )
    }
}

impl Engine {
    /// What is to be known before these mappings take the place of others: whose accounts they end that the others left as they were.
    pub(crate) async fn late_departures(
        &self,
        app: AppId,
        template: &Template,
        before: &[ObjectMapping],
        after: &[ObjectMapping],
    ) -> Result<Vec<String>, JobError> {
        let mut told = Vec::new();
        for new in after {
            let object = new.target_object;
            let old = before.iter().find(|old| old.target_object == object);
            let end = |mapping| end_of(mapping, template.has_soft_delete(object));
            let Some((leaving, _)) = end(new).filter(|new| old.and_then(end).as_ref() != Some(new)) else { continue };
            let kind = match object {
                ObjectType::User => ObjectKind::User,
                ObjectType::Group => ObjectKind::Group,
            };
            let accounts = self.store().read(move |tx: &mut ReadTx<'_>| count_kept_links(tx, app, kind)).await?;
            told.extend((accounts > 0).then(|| LateDeparture { object, accounts, leaving }.to_string()));
        }
        Ok(told)
    }
}

/// Whether a mapping ends accounts of objects that are out of scope.
pub(crate) fn ends_accounts(mapping: &ObjectMapping, has_soft_delete: bool) -> bool {
    end_of(mapping, has_soft_delete).is_some()
}

/// How a mapping ends accounts of objects that are out of scope, and by what; `None` where it leaves them as they are.
fn end_of(mapping: &ObjectMapping, has_soft_delete: bool) -> Option<(Leaving, Vec<&AttributeMapping>)> {
    let by: Vec<&AttributeMapping> = mapping.attributes.iter().filter(|one| switches_off(one)).collect();
    match leaving(mapping, has_soft_delete) {
        _ if !mapping.enabled => None,
        Leaving::SwitchedOff if mapping.flow_types.update && !by.is_empty() => Some((Leaving::SwitchedOff, by)),
        Leaving::Deleted if mapping.flow_types.delete => Some((Leaving::Deleted, by)),
        Leaving::SwitchedOff | Leaving::Deleted | Leaving::Kept => None,
    }
}
