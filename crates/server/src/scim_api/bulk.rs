//! The handler of bulk requests (RFC 7644 §3.7): batch by batch, each in a transaction of its own, so that others come in between.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use http::{Response, StatusCode};
use jiff::SignedDuration;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use provider::{BATCH_OPERATIONS_MAX, Bulk, BulkAnswer, Caller, Done, ProviderError, WriteAccess, run_batch};
use scim::BULK_RESPONSE_URN;
use scim::bulk::BulkMethod;
use serde_json::{Map, Value, json};
use store::{StoreError, WriteTx};

use super::body::{BODY_BYTES_MAX, ScimBody};
use super::room::WriteSize;
use super::visitor::Writer;
use super::{Rejection, answer};
use crate::App;
use crate::guard::REQUEST_DEADLINE;

// What `/ServiceProviderConfig` says must be what bodies are held to.
const _: () = assert!(BODY_BYTES_MAX == provider::BULK_BYTES_MAX);

/// How long a bulk request goes on taking up operations: its answer is to come before the request is given up.
const BULK_TIME_MAX: SignedDuration = SignedDuration::from_secs(REQUEST_DEADLINE.as_secs().cast_signed() * 3 / 4);

/// Most operations in one transaction while other tenants are served.
const BATCH_OPERATIONS_AMONG_MANY: usize = 4;

/// What the path of a URI may only have encoded (RFC 3986 §3.3).
const NO_PART_OF_A_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// Does the operations of a bulk request. What is left when its time is over is not attempted. A token that is revoked meanwhile ends it: what is left is not attempted.
pub(crate) async fn bulk(State(app): State<App>, writer: Writer, body: ScimBody) -> Result<Response<Body>, Rejection> {
    let begun = app.now();
    let (maker, base) = (app.clone(), writer.base.clone());
    let read = move |caller: &Caller, body| Bulk::read(caller, body, &base, || (maker.ids)(begun));
    let mut bulk = body.made(&app, &writer, read).await?;
    if let Some(trail) = &writer.trail {
        trail.did(bulk.operations());
    }
    let mut is_first = true;
    loop {
        let now = app.now();
        if now.duration_since(begun) > BULK_TIME_MAX {
            break;
        }
        let is_accompanied = app.edge().gates.is_accompanied(writer.caller.tenant());
        let operations_max = if is_accompanied { BATCH_OPERATIONS_AMONG_MANY } else { BATCH_OPERATIONS_MAX };
        let Some(batch) = bulk.next(&writer.caller, now, operations_max).map(Arc::new) else { break };
        let shared = Arc::clone(&batch);
        let run = move |tx: &mut WriteTx<'_>, access: WriteAccess<'_>| run_batch(tx, access, &shared, now);
        match writer.write_sized(&app, now, WriteSize::Batch, run).await {
            Ok(ran) => bulk.settle(&batch, ran),
            Err(Rejection::Provider(ProviderError::Store(error))) => {
                // Those that met others' are tried again, one by one.
                if error != StoreError::GaveUp {
                    tracing::error!("Operations of a bulk request failed in the store: {error}");
                }
                bulk.settle_failed(&batch, &error);
            }
            Err(rejection) if is_first => return Err(rejection),
            Err(_) => break,
        }
        is_first = false;
        // A bulk request of refusals alone would else keep the thread from its other connections.
        tokio::task::yield_now().await;
    }
    let operations: Vec<Value> = bulk.answers().map(|answer| operation(&writer.base, answer)).collect();
    let message = json!({ "schemas": [BULK_RESPONSE_URN], "Operations": operations });
    Ok(answer::json(StatusCode::OK, message.to_string()))
}

/// What the answer says of one operation (RFC 7644 §3.7.3).
fn operation(base: &str, answer: BulkAnswer) -> Value {
    let mut told = Map::new();
    let mut tell = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
    if let Some(method) = answer.method {
        tell("method", method.into());
    }
    if let Some(bulk_id) = answer.bulk_id {
        tell("bulkId", bulk_id.into());
    }
    if let Some(path) = answer.path {
        // What the client named is no id, and perhaps nothing that an address may have.
        tell("location", format!("{base}{}", utf8_percent_encode(&path, NO_PART_OF_A_PATH)).into());
    }
    match answer.outcome {
        Ok(done) => {
            if let Some(version) = done.version {
                tell("version", format!("W/\"{version}\"").into());
            }
            tell("status", status(&done).as_str().into());
        }
        Err(error) => {
            let body = Rejection::from(error).body();
            tell("status", body.status.clone().into());
            tell("response", serde_json::to_value(body).expect("a struct of texts is JSON"));
        }
    }
    Value::Object(told)
}

/// The status that a single request would have been answered with.
const fn status(done: &Done) -> StatusCode {
    match done.method {
        BulkMethod::Post => StatusCode::CREATED,
        BulkMethod::Put => StatusCode::OK,
        BulkMethod::Patch if done.is_whole => StatusCode::OK,
        BulkMethod::Patch | BulkMethod::Delete => StatusCode::NO_CONTENT,
    }
}
