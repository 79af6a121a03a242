//! What a bulk request may cost, and what becomes of it where the database fails.

use serde_json::json;
use store::Store;
use store::testing::on_both;

use super::*;
use crate::{Scope, TenantError, TenantSettings, TokenKey, TokenRequest};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

async fn caller(store: &Store) -> Caller {
    let made = store.write(|tx| -> Result<Caller, TenantError> {
        let key = TokenKey::new([3; 32]);
        crate::create_tenant(tx, "t", "generic", &TenantSettings::default(), NOW)?;
        let id = store::version_7(NOW, [0; 10]).into();
        let request = TokenRequest { tenant: "t", name: "bulk", id, secret: [1; 32], scope: Scope::Write, days: 1 };
        let token = crate::create_token(tx, &key, &request, NOW)?.text;
        Ok(Caller::clone(&*crate::authenticate(tx, &key, &token, NOW).expect("a new token is valid")))
    });
    made.await.expect("a tenant is made")
}

/// A bulk request; the ids of what it makes are numbered.
fn read(caller: &Caller, operations: &[Value]) -> Bulk {
    let mut number = 0_u8;
    let body = json!({ "schemas": [scim::BULK_REQUEST_URN], "Operations": operations });
    Bulk::read(caller, body, "http://127.0.0.1/t/t/scim/v2", || {
        number += 1;
        store::version_7(NOW, [0, 0, 0, 0, 0, 0, 0, 0, 0, number]).into()
    })
    .unwrap()
}

/// Works a request off; gives the error or the status of each operation, and how many transactions it took.
async fn work(store: &Store, caller: &Caller, mut bulk: Bulk) -> (Vec<Result<Done, ProviderError>>, usize) {
    let mut batches = 0;
    while let Some(batch) = bulk.next(caller, NOW, BATCH_OPERATIONS_MAX).map(Arc::new) {
        let (caller, shared) = (caller.clone(), Arc::clone(&batch));
        match store.write(move |tx| run_batch(tx, caller.may_write()?, &shared, NOW)).await {
            Ok(ran) => bulk.settle(&batch, ran),
            Err(ProviderError::Store(error)) => bulk.settle_failed(&batch, &error),
            Err(error) => panic!("{error}"),
        }
        batches += 1;
    }
    (bulk.answers().map(|answer| answer.outcome).collect(), batches)
}

fn user(name: &str) -> Value {
    let data = json!({ "schemas": [scim::USER_URN], "userName": name });
    json!({ "method": "POST", "path": "/Users", "bulkId": name, "data": data })
}

fn refresh(id: &ResourceId) -> Value {
    let remove = json!([{ "op": "remove", "path": "members[type eq \"Group\"]" }]);
    json!({ "method": "PATCH", "path": format!("/Groups/{id}"), "data": { "schemas": [scim::PATCH_OP_URN], "Operations": remove } })
}

#[test]
fn sb_09_what_a_request_costs_is_bounded_and_so_is_each_transaction() {
    on_both(|store| async move {
        let caller = caller(&store).await;
        let mut first: Vec<Value> = (0..40).map(|number| user(&format!("u{number}"))).collect();
        let members: Vec<Value> = (0..40).map(|number| json!({ "value": format!("bulkId:u{number}") })).collect();
        let data = json!({ "schemas": [scim::GROUP_URN], "displayName": "G", "members": members });
        first.push(json!({ "method": "POST", "path": "/Groups", "bulkId": "G", "data": data }));
        let (made, batches) = work(&store, &caller, read(&caller, &first)).await;
        let group = made.last().unwrap().as_ref().unwrap().id;
        assert_eq!((made.iter().filter(|one| one.is_ok()).count(), batches), (41, 2));
        // Each looks at 40 members.
        let costly = vec![refresh(&group); 100];
        let (done, batches) = work(&store, &caller, read(&caller, &costly)).await;
        assert!(done.iter().all(Result::is_ok));
        assert!(batches > 100_usize.div_ceil(BATCH_OPERATIONS_MAX), "{batches}");
        let (done, _) = work(&store, &caller, read(&caller, &costly).limited_to(2_000)).await;
        let at = done.iter().position(Result::is_err).unwrap();
        assert!((10..60).contains(&at), "{at}");
        assert!(done[at..].iter().all(|one| matches!(one, Err(ProviderError::TooLarge(_)))));
        assert_eq!(done.len(), 100, "what is refused is told");
    });
}

#[test]
fn an_operation_that_breaks_its_transaction_does_not_take_the_others_with_it() {
    on_both(|store| async move {
        let caller = caller(&store).await;
        let mut bulk = read(&caller, &[user("a"), user("b"), user("c")]);
        let batch = bulk.next(&caller, NOW, BATCH_OPERATIONS_MAX).unwrap();
        assert_eq!(batch.numbers().count(), 3);
        bulk.settle_failed(&batch, &StoreError::Internal("a use case panicked".to_owned()));
        // Each of them is tried alone; the second one fails again.
        for number in 0..3 {
            let batch = bulk.next(&caller, NOW, BATCH_OPERATIONS_MAX).unwrap();
            assert_eq!(batch.numbers().collect::<Vec<_>>(), [number]);
            let shared = caller.clone();
            if number == 1 {
                bulk.settle_failed(&batch, &StoreError::Internal("a use case panicked".to_owned()));
            } else {
                let batch = Arc::new(batch);
                let run = Arc::clone(&batch);
                let ran = store.write(move |tx| run_batch(tx, shared.may_write()?, &run, NOW)).await.unwrap();
                bulk.settle(&batch, ran);
            }
        }
        assert!(bulk.next(&caller, NOW, BATCH_OPERATIONS_MAX).is_none());
        let done: Vec<bool> = bulk.answers().map(|answer| answer.outcome.is_ok()).collect();
        assert_eq!(done, [true, false, true]);
    });
}

#[test]
fn a_database_that_is_gone_is_not_asked_for_each_operation() {
    on_both(|store| async move {
        let caller = caller(&store).await;
        let operations: Vec<Value> = (0..=BATCH_OPERATIONS_MAX).map(|number| user(&format!("u{number}"))).collect();
        let mut bulk = read(&caller, &operations);
        let mut batches = 0;
        while let Some(batch) = bulk.next(&caller, NOW, BATCH_OPERATIONS_MAX) {
            bulk.settle_failed(&batch, &StoreError::Busy);
            batches += 1;
        }
        assert_eq!(batches, 2);
        assert!(bulk.answers().all(|answer| matches!(answer.outcome, Err(ProviderError::Store(StoreError::Busy)))));
    });
}

/// SU-03: two bulk requests that name the same resources in opposite orders would wait for each other.
#[test]
fn operations_that_meet_those_of_others_go_on_one_by_one() {
    on_both(|store| async move {
        if store.writes_in_turn() {
            return;
        }
        let caller = caller(&store).await;
        let (made, _) = work(&store, &caller, read(&caller, &[user("a"), user("b")])).await;
        let ids: Vec<_> = made.iter().map(|one| one.as_ref().unwrap().id).collect();
        let rename = |at: usize, name: &str| {
            let operations = json!([{ "op": "replace", "path": "userName", "value": name }]);
            let data = json!({ "schemas": [scim::PATCH_OP_URN], "Operations": operations });
            json!({ "method": "PATCH", "path": format!("/Users/{}", ids[at]), "data": data })
        };
        let run = |batch: &Arc<Batch>| {
            let (batch, caller) = (Arc::clone(batch), caller.clone());
            store.write(move |tx| run_batch(tx, caller.may_write()?, &batch, NOW))
        };
        // Another one has changed b, and is not done.
        let mut other = read(&caller, &[rename(1, "c")]);
        let changing = Arc::new(other.next(&caller, NOW, BATCH_OPERATIONS_MAX).unwrap());
        let (tell, is_held) = tokio::sync::oneshot::channel();
        let (let_go, may_go) = std::sync::mpsc::channel::<()>();
        let (holder, held_by, mut tell) = (store.clone(), caller.clone(), Some(tell));
        let holding = tokio::spawn(async move {
            let held = holder.write(move |tx| {
                let ran = run_batch(tx, held_by.may_write()?, &changing, NOW)?;
                let _ = tell.take().map(|tell| tell.send(()));
                let _ = may_go.recv();
                Ok::<_, ProviderError>(ran.results.len())
            });
            held.await
        });
        is_held.await.unwrap();
        let mut bulk = read(&caller, &[rename(0, "d"), rename(1, "e")]);
        let both = Arc::new(bulk.next(&caller, NOW, BATCH_OPERATIONS_MAX).unwrap());
        assert_eq!(both.numbers().count(), 2);
        // If it waited, this would not end: the other one is let go after it.
        let Err(ProviderError::Store(error)) = run(&both).await else { panic!("it went on") };
        assert_eq!(error, StoreError::GaveUp);
        bulk.settle_failed(&both, &error);
        // Nor does one by itself that wants the name which the other one has not given up yet.
        let mut wanting = read(&caller, &[rename(0, "b")]);
        let one = Arc::new(wanting.next(&caller, NOW, BATCH_OPERATIONS_MAX).unwrap());
        wanting.settle(&one, run(&one).await.unwrap());
        assert!(wanting.answers().all(|answer| matches!(answer.outcome, Err(ProviderError::NotUnique { .. }))));
        let_go.send(()).unwrap();
        assert_eq!(holding.await.unwrap().unwrap(), 1);
        let (done, batches) = work(&store, &caller, bulk).await;
        assert_eq!((done.iter().filter(|one| one.is_ok()).count(), batches), (2, 2));
    });
}
