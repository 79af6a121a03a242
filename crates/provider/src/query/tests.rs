//! What a list may cost.

use scim::ScimType;
use serde_json::json;
use store::Store;
use store::testing::on_both;

use super::*;
use crate::{NewResource, Scope, TenantError, TenantSettings, TokenKey, TokenRequest};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

async fn caller(store: &Store) -> Caller {
    let made = store.write(|tx| -> Result<Caller, TenantError> {
        let key = TokenKey::new([3; 32]);
        crate::create_tenant(tx, "t", "generic", &TenantSettings::default(), NOW)?;
        let id = store::version_7(NOW, [0; 10]).into();
        let request = TokenRequest { tenant: "t", name: "list", id, secret: [1; 32], scope: Scope::Write, days: 1 };
        let token = crate::create_token(tx, &key, &request, NOW)?.text;
        Ok(Caller::clone(&*crate::authenticate(tx, &key, &token, NOW).expect("a new token is valid")))
    });
    made.await.expect("a tenant is made")
}

/// Makes users whose titles are these.
async fn users(store: &Store, caller: &Caller, titles: &[&str]) {
    for (number, title) in titles.iter().enumerate() {
        let body = json!({ "schemas": [scim::USER_URN], "userName": format!("u{number}"), "title": title });
        let id = store::version_7(NOW, [0, 0, 0, 0, 0, 0, 0, 0, 1, u8::try_from(number).unwrap()]).into();
        let new = NewResource::prepare(caller, ResourceKind::User, body, id, NOW).unwrap();
        let caller = caller.clone();
        store.write(move |tx| crate::create(tx, caller.may_write()?, &new).map(drop)).await.unwrap();
    }
}

/// The answer of a list whose comparisons may cost so much, or how it is refused.
async fn list(store: &Store, caller: &Caller, query: &ListQuery<'_>, effort_max: u64) -> Result<String, ScimError> {
    list_of(store, caller, (ResourceKind::User, query), (effort_max, MEMBERSHIPS_MAX)).await
}

/// The same for any kind, and for a number of memberships that may be looked at.
async fn list_of(
    store: &Store,
    caller: &Caller,
    (kind, query): (ResourceKind, &ListQuery<'_>),
    (effort_max, memberships_max): (u64, u64),
) -> Result<String, ScimError> {
    let pager = Arc::new(Pager::new(&TokenKey::new([3; 32])));
    let mut listing = Listing::prepare(caller, Kinds::One(kind), query, &pager, Walker::default(), NOW).unwrap();
    (listing.effort_max, listing.memberships_max) = (effort_max, memberships_max);
    let caller = Arc::new(caller.clone());
    let listed = store.scan(move |tx| {
        let projection = scim::Projection::default();
        let view = View { base: "", projection: &projection };
        super::list(tx, &caller, &listing, view, LIST_BYTES_MAX).map(|list| list.map(ListText::collect))
    });
    match listed.await {
        Ok(text) => Ok(text.expect("the list is short")),
        Err(ProviderError::Scim(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

/// Groups of so many members each, who are users.
async fn groups(store: &Store, caller: &Caller, sizes: &[u8]) {
    users(store, caller, &["x"; 20]).await;
    let id = |kind, number| store::version_7(NOW, [0, 0, 0, 0, 0, 0, 0, 0, kind, number]);
    for (number, size) in (0..).zip(sizes) {
        let members: Vec<_> = (0..*size).map(|member| json!({ "value": id(1, member).to_string() })).collect();
        let body = json!({ "schemas": [scim::GROUP_URN], "displayName": format!("g{number}"), "members": members });
        let new = NewResource::prepare(caller, ResourceKind::Group, body, id(2, number).into(), NOW).unwrap();
        let caller = caller.clone();
        store.write(move |tx| crate::create(tx, caller.may_write()?, &new).map(drop)).await.unwrap();
    }
}

/// A filter that names no id looks at members until one decides, and at so many only.
#[test]
fn a_filter_that_looks_at_too_many_members_is_refused_with_the_limit() {
    on_both(|store| async move {
        let caller = caller(&store).await;
        groups(&store, &caller, &[20, 3]).await;
        let all = vec!["g0", "g1"];
        for (filter, looked_at, found) in [
            ("members.type eq \"Group\"", 23_u64, vec![]),
            ("members.type eq \"Group\" or members.type ne \"User\"", 23, vec![]),
            // One of the first few decides.
            ("members.type eq \"User\"", 8 + 3, all.clone()),
            ("members pr", 2, all.clone()),
            ("members eq null", 2, vec![]),
            ("members.type eq \"Group\" and displayName eq \"g1\"", 3, vec![]),
            ("displayName eq \"g1\"", 0, vec!["g1"]),
        ] {
            let query = ListQuery { filter: Some(filter), ..ListQuery::default() };
            for (max, is_answered) in [(looked_at, true), (looked_at.saturating_sub(1), looked_at == 0)] {
                let listed = list_of(&store, &caller, (ResourceKind::Group, &query), (u64::MAX, max)).await;
                match listed {
                    Ok(text) => {
                        assert!(is_answered, "{filter}");
                        assert!(text.contains(&format!("\"totalResults\":{}", found.len())), "{filter} {text}");
                        assert!(found.iter().all(|name| text.contains(name)), "{filter}");
                    }
                    Err(refused) => {
                        assert!(!is_answered, "{filter}");
                        assert_eq!(refused.scim_type, ScimType::TooMany, "{filter}");
                        assert!(refused.detail.contains(&MEMBERSHIPS_MAX.to_string()), "{}", refused.detail);
                    }
                }
            }
        }
    });
}

/// SF-22: few resources of long texts, and a short request that compares them again and again. What is not ASCII costs what folding it
/// costs, once.
#[test]
fn a_list_that_compares_too_much_is_refused_with_the_cure() {
    on_both(|store| async move {
        let caller = caller(&store).await;
        users(&store, &caller, &["", &"x".repeat(1000), &"é".repeat(500)]).await;
        let filter = |terms: usize| {
            let terms: Vec<String> = (0..terms).map(|at| format!("title co \"{at}\"")).collect();
            terms.join(" or ")
        };
        // A value that is looked for counts 32, and one that is found as much again.
        for (terms, cost) in [(1, 3 * 32 + 2 * 1032 + 32_000), (5, 5 * (3 * 32 + 2 * 1032) + 32_000)] {
            let filter = filter(terms);
            let query = ListQuery { filter: Some(&filter), ..ListQuery::default() };
            assert!(list(&store, &caller, &query, cost).await.unwrap().contains("\"totalResults\":0"));
            let refused = list(&store, &caller, &query, cost - 1).await.unwrap_err();
            assert_eq!(refused.scim_type, ScimType::TooMany);
            assert!(refused.detail.contains("ask for an indexed attribute"), "{}", refused.detail);
        }
        let query = ListQuery { sort_by: Some("title"), ..ListQuery::default() };
        assert!(list(&store, &caller, &query, 33_000).await.is_ok());
        assert_eq!(list(&store, &caller, &query, 32_999).await.unwrap_err().scim_type, ScimType::TooMany);
    });
}
