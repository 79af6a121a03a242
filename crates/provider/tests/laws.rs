//! Laws of lists: whatever index answers a filter, the answer is what the filter says of each resource.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use provider::{
    Caller, Kinds, ListQuery, Listing, NewResource, Pager, ProviderError, ResourceKind, Scope, TenantError,
    TenantSettings, TokenKey, TokenRequest, View, Walker,
};
use scim::{Attributes, Filter, Projection, ScimType, USER_URN};
use serde_json::{Value, json};
use store::testing::on_both;
use store::{ResourceId, Store};

/// One user: which of a few names, external ids and addresses it has, and whether it is active.
type Person = (u8, Option<u8>, Vec<u8>, Option<bool>);

/// Texts that are something else where no text is asked for, and what a filter may write for them.
const EXTERNAL_IDS: [&str; 3] = ["7", "7.0", "true"];
const WORDS: [&str; 7] = ["7", "\"7\"", "7.0", "07", "true", "\"true\"", "70e-1"];

fn people() -> impl Strategy<Value = Vec<Person>> {
    let person =
        (0..8_u8, proptest::option::of(0..3_u8), proptest::collection::vec(0..3_u8, 0..3), any::<Option<bool>>());
    proptest::collection::vec(person, 0..8)
}

fn filters() -> impl Strategy<Value = String> {
    let term = prop_oneof![
        (0..9_u8).prop_map(|name| format!("userName eq \"NAME{name}@Example.com\"")),
        (0..4_u8).prop_map(|name| format!("userName eq \"{name}\"")),
        // Now and then one of the wrong type, which makes the whole refused.
        proptest::sample::select(&WORDS[..]).prop_map(|word| format!("externalId eq {word}")),
        proptest::sample::select(&WORDS[..4]).prop_map(|word| format!("emails.display ne {word}")),
        (0..4_u8).prop_map(|address| format!("emails.value eq \"A{address}\"")),
        (0..4_u8).prop_map(|address| format!("emails[type eq \"work\"].value eq \"a{address}\"")),
        any::<bool>().prop_map(|active| format!("active eq {active}")),
        Just("externalId pr".to_owned()),
        Just("emails.value ne \"a1\"".to_owned()),
    ];
    term.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|terms| format!("({})", terms.join(" and "))),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(|terms| format!("({})", terms.join(" or "))),
            inner.prop_map(|term| format!("not ({term})")),
        ]
    })
}

fn body((name, external_id, addresses, active): &Person) -> Value {
    let emails: Vec<Value> = addresses
        .iter()
        .enumerate()
        .map(|(at, address)| json!({ "type": if at == 0 { "work" } else { "home" }, "value": format!("a{address}"), "display": "7" }))
        .collect();
    let external_id = external_id.map(|id| EXTERNAL_IDS[usize::from(id)]);
    let name = if *name < 4 { name.to_string() } else { format!("Name{name}@example.com") };
    json!({
        "schemas": [USER_URN], "userName": name, "externalId": external_id,
        "emails": emails, "active": active,
    })
}

/// A tenant of its own with a caller for it.
async fn tenant(store: &Store, number: usize) -> Caller {
    let now = Timestamp::UNIX_EPOCH;
    let mut secret = [0; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    let made = store.write(move |tx| -> Result<Caller, TenantError> {
        let key = TokenKey::new([3; 32]);
        let name = format!("t{number}");
        provider::create_tenant(tx, &name, "generic", &TenantSettings::default(), now)?;
        let id = store::version_7(now, [0; 10]).into();
        let request = TokenRequest { tenant: &name, name: "law", id, secret, days: 1, scope: Scope::Write };
        let token = provider::create_token(tx, &key, &request, now)?.text;
        Ok(Caller::clone(&*provider::authenticate(tx, &key, &token, now).expect("a new token is valid")))
    });
    made.await.expect("a tenant is made")
}

/// Stores those whose name is free; gives each with its id.
async fn store_people(store: &Store, caller: &Caller, people: &[Person]) -> Vec<(ResourceId, Attributes)> {
    let mut stored = Vec::new();
    for (number, person) in people.iter().enumerate() {
        let mut random = [0; 10];
        random[9] = u8::try_from(number).expect("there are few people");
        let id = store::version_7(Timestamp::UNIX_EPOCH, random).into();
        let new = NewResource::prepare(caller, ResourceKind::User, body(person), id, Timestamp::UNIX_EPOCH);
        let (new, writer) = (new.expect("the body is valid"), caller.clone());
        match store.write(move |tx| provider::create(tx, writer.may_write()?, &new)).await {
            Ok(_) => {
                let user = caller.profile().rules(ResourceKind::User).expect("every profile has users");
                stored.push((id, user.resource_type.read(body(person)).expect("the body is valid")));
            }
            Err(ProviderError::NotUnique { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    stored
}

async fn check(store: &Store, number: usize, people: &[Person], filter: &str) {
    let caller = tenant(store, number).await;
    let stored = store_people(store, &caller, people).await;
    let user = &caller.profile().rules(ResourceKind::User).expect("every profile has users").resource_type;
    let parsed: Filter = filter.parse().expect("the filter is valid");
    let expected: BTreeSet<String> =
        stored.iter().filter(|(_, held)| parsed.matches(user, held)).map(|(id, _)| id.to_string()).collect();

    let pager = Arc::new(Pager::new(&TokenKey::new([3; 32])));
    let query = ListQuery { filter: Some(filter), ..ListQuery::default() };
    let now = Timestamp::UNIX_EPOCH;
    let listing = Listing::prepare(&caller, Kinds::One(ResourceKind::User), &query, &pager, Walker::default(), now);
    let listing = match (parsed.check(user), listing) {
        (Ok(()), Ok(listing)) => listing,
        (Err(_), Err(ProviderError::Scim(refused))) => {
            assert_eq!(refused.scim_type, ScimType::InvalidFilter, "{filter}");
            return;
        }
        (checked, listing) => panic!("{filter}: {checked:?}, but a list of it is {:?}", listing.err()),
    };
    let list = store.scan(move |tx| {
        let projection = Projection::default();
        provider::list(tx, &caller, &listing, View { base: "", projection: &projection })
    });
    let list: Value = serde_json::from_str(&list.await.expect("the list is read")).expect("a list is JSON");
    let resources = list["Resources"].as_array().expect("a list has resources");
    let found: BTreeSet<String> = resources.iter().filter_map(|user| Some(user["id"].as_str()?.to_owned())).collect();
    assert_eq!(found, expected, "{filter}");
    assert_eq!((resources.len(), &list["totalResults"]), (found.len(), &json!(found.len())), "{filter}");
}

#[test]
fn a_list_is_what_its_filter_says() {
    on_both(|store| async move {
        let mut runner = TestRunner::new(Config::default());
        for number in 0..150 {
            let (people, filter) = (
                people().new_tree(&mut runner).expect("people are made").current(),
                filters().new_tree(&mut runner).expect("filters are made").current(),
            );
            check(&store, number, &people, &filter).await;
        }
    });
}
