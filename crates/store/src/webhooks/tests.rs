//! Webhooks as rows: who may send, and what is kept of it.

use super::*;
use crate::tenants::insert_tenant;
use crate::testing::{numbered, on_both, second};
use crate::{ObjectKind, UniqueKey, append_change, number_changes};

pub(crate) fn new(tenant: TenantKey, number: u128, name: &str) -> WebhookRecord {
    WebhookRecord {
        tenant,
        id: numbered(number),
        name: name.to_owned(),
        url: "https://app.example/hook".to_owned(),
        is_full: true,
        actions: "delete".to_owned(),
        types: String::new(),
        created: second(1),
        progress: Progress {
            read_to: 0,
            failures: 0,
            failing_since: None,
            next_attempt: second(0),
            last_success: None,
            last_failure: None,
            missed: 0,
            paused: None,
        },
    }
}

fn change(tx: &mut WriteTx<'_>, tenant: TenantKey) -> Result<(), StoreError> {
    append_change(tx, tenant.into(), ObjectKind::User, numbered(1), None, second(1))
}

#[test]
fn only_one_sends_at_a_time_and_who_lost_the_right_keeps_nothing() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let tenant = insert_tenant(tx, "one", "generic", "{}", second(0))?;
            let hook = new(tenant, 1, "app");
            insert_webhook(tx, &hook)?;
            assert_eq!(webhook_by_id(tx, tenant, hook.id)?.as_ref(), Some(&hook));
            assert_eq!(due_webhooks(tx, second(5))?, [], "nothing has changed");
            change(tx, tenant)?;
            assert_eq!(due_webhooks(tx, second(5))?, [(tenant, hook.id)]);
            number_changes(tx, tenant.into())?;
            assert_eq!(due_webhooks(tx, second(5))?, [(tenant, hook.id)]);
            let first = claim_webhook(tx, tenant, hook.id, second(5), second(35))?.unwrap();
            assert_eq!(claim_webhook(tx, tenant, hook.id, second(34), second(64))?, None, "another has it");
            assert_eq!(due_webhooks(tx, second(34))?, []);
            let next = claim_webhook(tx, tenant, hook.id, second(35), second(65))?.unwrap();
            let done = Progress { read_to: 1, last_success: Some(second(36)), ..hook.progress.clone() };
            assert_eq!(advance_webhook(tx, first, &done, second(0))?, Kept::Lost, "its right has gone to another");
            assert_eq!(advance_webhook(tx, next, &done, second(0))?, Kept::Active);
            assert_eq!(webhook_by_id(tx, tenant, hook.id)?.unwrap().progress, done);
            assert_eq!(due_webhooks(tx, second(40))?, []);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn a_paused_webhook_is_not_due_until_it_is_resumed() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let tenant = insert_tenant(tx, "one", "generic", "{}", second(0))?;
            let hook = new(tenant, 1, "app");
            insert_webhook(tx, &hook)?;
            change(tx, tenant)?;
            let lease = claim_webhook(tx, tenant, hook.id, second(5), second(35))?.unwrap();
            let failed = Progress {
                failures: 2,
                failing_since: Some(second(5)),
                next_attempt: second(100),
                last_failure: Some((second(6), "status 500".to_owned())),
                ..hook.progress.clone()
            };
            assert_eq!(advance_webhook(tx, lease, &failed, second(0))?, Kept::Active);
            assert_eq!(webhook_by_id(tx, tenant, hook.id)?.unwrap().progress, failed);
            assert_eq!((due_webhooks(tx, second(99))?, is_any_webhook_on(tx)?), (vec![], true), "it waits");
            let lease = claim_webhook(tx, tenant, hook.id, second(100), second(130))?.unwrap();
            pause_webhook(tx, tenant, hook.id, "by hand")?;
            assert_eq!(
                advance_webhook(tx, lease, &failed, second(0))?,
                Kept::Paused,
                "what was sent meanwhile is kept"
            );
            assert_eq!(webhook_by_id(tx, tenant, hook.id)?.unwrap().progress.paused.as_deref(), Some("by hand"));
            assert_eq!((due_webhooks(tx, second(999))?, is_any_webhook_on(tx)?), (vec![], false));
            assert_eq!(claim_webhook(tx, tenant, hook.id, second(999), second(1029))?, None);
            resume_webhook(tx, tenant, hook.id)?;
            let resumed = webhook_by_id(tx, tenant, hook.id)?.unwrap().progress;
            assert_eq!((resumed.paused, resumed.failures, resumed.failing_since), (None, 0, None));
            assert_eq!(due_webhooks(tx, second(131))?, [(tenant, hook.id)]);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn names_are_unique_in_a_tenant_and_go_with_it() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let one = insert_tenant(tx, "one", "generic", "{}", second(0))?;
            let other = insert_tenant(tx, "other", "generic", "{}", second(0))?;
            for (tenant, number, name) in [(one, 1, "b"), (one, 2, "a"), (other, 3, "a")] {
                insert_webhook(tx, &new(tenant, number, name))?;
            }
            let names: Vec<String> = webhooks(tx, one)?.into_iter().map(|hook| hook.name).collect();
            assert_eq!(names, ["a", "b"]);
            assert_eq!(webhook_by_id(tx, other, numbered(1))?, None);
            delete_webhook(tx, other, numbered(1))?;
            assert_eq!(webhooks(tx, one)?.len(), 2, "it is not the other tenant's");
            delete_webhook(tx, one, numbered(1))?;
            crate::tenants::delete_tenant(tx, other)?;
            assert_eq!((webhooks(tx, one)?.len(), webhooks(tx, other)?.len()), (1, 0));
            Ok::<_, StoreError>(one)
        });
        let one = story.await.unwrap();
        let again = store.write(move |tx| insert_webhook(tx, &new(one, 9, "a"))).await;
        assert_eq!(again, Err(StoreError::NotUnique(UniqueKey::WebhookName)));
    });
}
