//! Whether a tenant holds what it has to: its contents, read from the store, against the model.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use store::resources::{Chunk, ResourceKind, page_after};
use store::{ReadTx, ResourceId, StoreError, TenantKey, members};

use super::applications::Installed;
use super::expected::Contents;
use crate::world::World;

/// Resources and members read at a time.
const STEP: u32 = 500;
/// Users and groups read at a time.
const CHUNK: Chunk = Chunk { rows: STEP, bytes: 8 << 20 };
/// Differences of one kind that are told by name.
const NAMES_TOLD_MAX: usize = 3;

/// What differs, one sentence each; empty when all is as expected.
pub async fn differences(world: &World, installed: &Installed, expected: &Contents) -> Result<Vec<String>, StoreError> {
    let key = installed.key;
    let found = world.store().scan(move |tx| contents(tx, key)).await?;
    Ok(compare(installed.name, expected, &found))
}

fn contents(tx: &mut ReadTx<'_>, tenant: TenantKey) -> Result<Contents, StoreError> {
    let mut names: BTreeMap<ResourceId, String> = BTreeMap::new();
    let mut contents = Contents::default();
    for (id, doc) in all(tx, tenant, ResourceKind::User)? {
        let name = doc["userName"].as_str().unwrap_or_default().to_owned();
        contents.users.insert(name.clone(), doc["active"].as_bool().unwrap_or(true));
        names.insert(id, name);
    }
    for (id, doc) in all(tx, tenant, ResourceKind::Group)? {
        let (mut after, mut held) = (None, BTreeSet::new());
        loop {
            let page = members::members_after(tx, tenant, id, after, STEP)?;
            let Some(last) = page.last().map(|member| member.id) else { break };
            held.extend(
                page.iter().map(|member| names.get(&member.id).cloned().unwrap_or_else(|| member.id.to_string())),
            );
            after = Some(last);
        }
        contents.groups.insert(doc["displayName"].as_str().unwrap_or_default().to_owned(), held);
    }
    Ok(contents)
}

fn all(tx: &mut ReadTx<'_>, tenant: TenantKey, kind: ResourceKind) -> Result<Vec<(ResourceId, Value)>, StoreError> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = page_after(tx, tenant, kind, after, CHUNK)?;
        let Some(last) = page.last().map(|record| record.id) else { return Ok(found) };
        for record in page {
            let doc = serde_json::from_str(&record.doc).map_err(|error| StoreError::Decode(error.to_string()))?;
            found.push((record.id, doc));
        }
        after = Some(last);
    }
}

fn compare(name: &str, expected: &Contents, found: &Contents) -> Vec<String> {
    let mut told = Vec::new();
    let mut tell = |what: &str, names: Vec<String>| {
        if !names.is_empty() {
            let shown = names.iter().take(NAMES_TOLD_MAX).cloned().collect::<Vec<_>>().join(", ");
            told.push(format!("{name}: {} {what}, among them {shown}", names.len()));
        }
    };
    let keys = |of: &BTreeMap<String, bool>, not_in: &BTreeMap<String, bool>| {
        of.keys().filter(|key| !not_in.contains_key(*key)).cloned().collect::<Vec<_>>()
    };
    tell("users are missing", keys(&expected.users, &found.users));
    tell("users are too many", keys(&found.users, &expected.users));
    let wrong =
        expected.users.iter().filter(|(user, active)| found.users.get(*user).is_some_and(|found| found != *active));
    tell("users are active or not against expectation", wrong.map(|(user, _)| user.clone()).collect());
    let groups: BTreeSet<&String> = expected.groups.keys().chain(found.groups.keys()).collect();
    let differ = groups.into_iter().filter(|group| expected.groups.get(*group) != found.groups.get(*group));
    tell("groups or their members differ", differ.cloned().collect());
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(users: &[(&str, bool)], groups: &[(&str, &[&str])]) -> Contents {
        Contents {
            users: users.iter().map(|(name, active)| ((*name).to_owned(), *active)).collect(),
            groups: groups
                .iter()
                .map(|(name, members)| {
                    ((*name).to_owned(), members.iter().map(|member| (*member).to_owned()).collect())
                })
                .collect(),
        }
    }

    #[test]
    fn every_kind_of_difference_is_told() {
        let expected = held(&[("a", true), ("b", true)], &[("g", &["a"])]);
        assert_eq!(compare("X", &expected, &expected), Vec::<String>::new());
        let found = held(&[("a", false), ("c", true)], &[("g", &["a", "c"])]);
        assert_eq!(
            compare("X", &expected, &found),
            [
                "X: 1 users are missing, among them b",
                "X: 1 users are too many, among them c",
                "X: 1 users are active or not against expectation, among them a",
                "X: 1 groups or their members differ, among them g",
            ]
        );
    }
}
