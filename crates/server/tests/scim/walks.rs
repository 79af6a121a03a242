//! Walks by `startIndex` while others make and delete users.

use std::collections::BTreeSet;

use provider::{Kinds, ListQuery, Listing, NewResource, Pager, ResourceKind, TokenKey, View, Walker};
use scim::Projection;
use serde_json::{Value, json};
use store::testing::on_both;

use crate::world::{Answer, USER, World};

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.body);
    let resources = answer.body["Resources"].as_array().unwrap();
    assert_eq!(answer.body["itemsPerPage"], resources.len());
    resources.iter().map(|user| user["id"].as_str().unwrap().to_owned()).collect()
}

/// Makes users in one transaction, past the router.
async fn make(world: &World, names: Vec<String>) -> Vec<String> {
    let (key, token) = (TokenKey::new([9; 32]), world.token.clone());
    let start = world.clock.fetch_add(i64::try_from(names.len()).unwrap() + 1, std::sync::atomic::Ordering::Relaxed);
    let made = world.store.write(move |tx| -> Result<Vec<String>, provider::ProviderError> {
        let at = |number: usize| jiff::Timestamp::from_millisecond(start + i64::try_from(number).unwrap()).unwrap();
        let caller = provider::authenticate(tx, &key, &token, at(0)).unwrap();
        let mut ids = Vec::new();
        for (number, name) in names.iter().enumerate() {
            let id = store::version_7(at(number), [0; 10]).into();
            let body = json!({ "schemas": [USER], "userName": name, "externalId": "same" });
            let new = NewResource::prepare(&caller, ResourceKind::User, body, id, at(number))?;
            provider::create(tx, caller.may_write()?, &new)?;
            ids.push(id.to_string());
        }
        Ok(ids)
    });
    made.await.unwrap()
}

/// SG-05. Who is there during the whole walk is seen once, whatever others do, in every order, with an index or without.
#[test]
fn nobody_is_skipped_or_seen_twice_while_a_thousand_come_and_go() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let all = make(&world, (0..10_000).map(|number| format!("u{:05}", number * 7919 % 10_000)).collect()).await;
        one_more_than_an_index_may_lead_to(&world).await;
        let mut stays: BTreeSet<&String> = all.iter().collect();
        let (mut seen, mut walked, mut deleted) = (BTreeSet::new(), 0, 0);
        loop {
            let answer = world.get(&format!("/Users?attributes=id&count=500&startIndex={}", walked + 1)).await;
            let page = ids(&answer);
            walked += page.len();
            for id in page {
                assert!(seen.insert(id.clone()), "{id} is seen twice");
            }
            if answer.body["totalResults"].as_u64().unwrap() <= walked as u64 {
                break;
            }
            // In what was walked already, at the end of it, and in what is to come.
            for at in (0..50)
                .map(|number| (walked * 5 / 6 + number * 13) % all.len())
                .chain([(walked - 1) % all.len(), walked % all.len()])
            {
                if stays.remove(&all[at]) {
                    world.call("DELETE", &format!("/Users/{}", all[at]), &Value::Null).await;
                    deleted += 1;
                }
            }
            make(&world, (0..50).map(|number| format!("new{walked}-{number}")).collect()).await;
        }
        assert!(deleted > 500, "{deleted}");
        let missed: Vec<_> = stays.iter().filter(|id| !seen.contains(id.as_str())).collect();
        assert!(missed.is_empty(), "{} of {}", missed.len(), stays.len());
        // A fresh query counts exactly.
        let fresh = world.get("/Users?count=0").await;
        let made = u64::try_from(walked / 500 * 50).unwrap();
        let there = 10_000 - deleted + made;
        assert!(fresh.body["totalResults"].as_u64().unwrap().abs_diff(there) <= 50, "{}", fresh.body);
    });
}

/// Beginnings that too many share are looked for among all; a value that too many share is refused.
async fn one_more_than_an_index_may_lead_to(world: &World) {
    make(world, vec!["u-last".to_owned()]).await;
    let alike = world.get("/Users?filter=userName+sw+%22U%22&count=1").await;
    assert_eq!((ids(&alike).len(), &alike.body["totalResults"]), (1, &json!(provider::CANDIDATES_MAX + 1)));
    let shared = world.get("/Users?filter=externalId+eq+%22same%22").await;
    assert_eq!((shared.status.as_u16(), &shared.body["scimType"]), (400, &json!("tooMany")));
    let few = world.get("/Users?filter=externalId+eq+%22same%22+and+userName+eq+%22u-last%22").await;
    assert_eq!(ids(&few).len(), 1);
}

#[test]
fn a_walk_in_any_order_goes_on_where_its_last_page_ended() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (number, query) in [
            "",
            "&filter=externalId+eq+%22same%22",
            "&filter=userName+co+%22-%22",
            "&sortBy=userName",
            "&sortBy=externalId",
            "&sortBy=userName&sortOrder=descending",
            "&sortBy=id&sortOrder=descending",
            "&filter=userName+co+%22-%22&sortBy=userName",
        ]
        .into_iter()
        .enumerate()
        {
            let world = world.tenant(&format!("t{number}"), "generic").await;
            let all = make(&world, (0..10).map(|number| format!("u-{number}")).collect()).await;
            let first = ids(&world.get(&format!("/Users?count=4&startIndex=1{query}")).await);
            for id in &first[..3] {
                world.call("DELETE", &format!("/Users/{id}"), &Value::Null).await;
            }
            let answer = world.get(&format!("/Users?count=4&startIndex=5{query}")).await;
            let second = ids(&answer);
            assert!(
                answer.body["totalResults"].as_u64().unwrap() > 8,
                "{query}: there are more, so the client must go on"
            );
            let answer = world.get(&format!("/Users?count=4&startIndex=9{query}")).await;
            assert_eq!((&answer.body["totalResults"], &answer.body["startIndex"]), (&json!(10), &json!(9)), "{query}");
            let walked: Vec<String> = [first, second, ids(&answer)].concat();
            assert_eq!(walked.iter().collect::<BTreeSet<_>>(), all.iter().collect(), "{query}");
            assert_eq!(walked.len(), 10, "{query}");
            // Another client, and one that begins anew, see what there is now.
            let fresh = world.get(&format!("/Users?count=4{query}")).await;
            assert_eq!((&fresh.body["totalResults"], ids(&fresh).len()), (&json!(7), 4), "{query}");
            let token = world.new_token(&world.tenant, "second", 1).await;
            let other = World { token, ..world.clone() };
            let page = other.get(&format!("/Users?count=4&startIndex=5{query}")).await;
            assert_eq!((&page.body["totalResults"], ids(&page).len()), (&json!(7), 3), "{query}");
        }
    });
}

/// SG-05. Two walks at a time, and many pages of others in between, skip nobody; nobody is shown twice where the walks can be told apart.
#[test]
fn two_walks_at_a_time_skip_nobody_and_others_make_none_forgotten() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for (number, (counts, same_token)) in [((7, 13), true), ((7, 7), true), ((7, 7), false)].into_iter().enumerate()
        {
            let world = world.tenant(&format!("w{number}"), "generic").await;
            let noise = World { token: world.new_token(&world.tenant, "noise", 1).await, ..world.clone() };
            let second = if same_token {
                world.clone()
            } else {
                World { token: world.new_token(&world.tenant, "second", 1).await, ..world.clone() }
            };
            let all = make(&world, (0..100).map(|number| format!("u{number:03}")).collect()).await;
            let mut walks = [(&world, counts.0, 1, Vec::new()), (&second, counts.1, 1, Vec::new())];
            step_to(&mut walks[0], 92).await;
            for id in &all[..30] {
                world.call("DELETE", &format!("/Users/{id}"), &Value::Null).await;
            }
            step_to(&mut walks[1], 60).await;
            for start in 1..60 {
                noise.get(&format!("/Users?count=1&startIndex={start}")).await;
            }
            for _ in 0..20 {
                for walk in &mut walks {
                    let to = walk.2 + 1;
                    step_to(walk, to).await;
                }
            }
            for (_, count, _, seen) in &walks {
                let once: BTreeSet<&String> = seen.iter().collect();
                let missed = all[30..].iter().filter(|id| !once.contains(id)).count();
                let doubled = seen.len() - once.len();
                let may_double = same_token && counts.0 == counts.1;
                assert_eq!((missed, doubled > 0 && !may_double), (0, false), "{counts:?} {count} {same_token}");
            }
        }
    });
}

/// Walks to a number or to the end.
async fn step_to((world, count, start, seen): &mut (&World, usize, usize, Vec<String>), to: usize) {
    while *start < to {
        let page = ids(&world.get(&format!("/Users?attributes=id&count={count}&startIndex={start}")).await);
        if page.is_empty() {
            return;
        }
        *start += page.len();
        seen.extend(page);
    }
}

/// SG-04, SG-07: a page far behind the first one, without a walk.
#[test]
fn a_deep_page_is_found_and_what_it_tells_is_exact() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let all = make(&world, (0..3_000).map(|number| format!("u{number:04}")).collect()).await;
        for (query, expected) in [
            ("startIndex=2999&count=5", &all[2998..]),
            ("startIndex=1501&count=3", &all[1500..1503]),
            ("startIndex=3000&count=1&sortBy=userName", &all[2999..]),
            ("startIndex=2901&count=2&sortBy=title", &all[2900..2902]),
            ("startIndex=2901&count=2&filter=externalId+eq+%22same%22", &all[2900..2902]),
            ("startIndex=3001&count=5", &all[..0]),
        ] {
            let answer = world.get(&format!("/Users?{query}")).await;
            assert_eq!((ids(&answer).as_slice(), &answer.body["totalResults"]), (expected, &json!(3000)), "{query}");
        }
        let descending = world.get("/Users?startIndex=2999&count=5&sortBy=meta.created&sortOrder=descending").await;
        assert_eq!(ids(&descending), [all[1].as_str(), all[0].as_str()]);
    });
}

/// What is remembered of walks is the server's; a list that is run without one is exact as well.
#[test]
fn two_servers_that_remember_nothing_of_each_other_still_find_the_page() {
    on_both(|store| async move {
        let world = World::new(store.clone(), "generic").await;
        let all = make(&world, (0..20).map(|number| format!("u{number}")).collect()).await;
        let first = ids(&world.get("/Users?count=7").await);
        assert_eq!(first, all[..7]);
        let (key, token, now) = (TokenKey::new([9; 32]), world.token.clone(), world.now());
        let found = store.read(move |tx| -> Result<String, provider::ProviderError> {
            let caller = provider::authenticate(tx, &key, &token, now).unwrap();
            let pager = std::sync::Arc::new(Pager::new(&key));
            let query = ListQuery { start_index: Some("8"), count: Some("7"), ..ListQuery::default() };
            let scope = Kinds::One(ResourceKind::User);
            let listing = Listing::prepare(&caller, scope, &query, &pager, Walker::default(), now)?;
            let projection = Projection::default();
            let view = View { base: "", projection: &projection };
            Ok(provider::list(tx, &caller, &listing, view, usize::MAX)?.into_iter().flatten().collect())
        });
        let found: Value = serde_json::from_str(&found.await.unwrap()).unwrap();
        assert_eq!((&found["Resources"][0]["id"], &found["startIndex"]), (&json!(all[7]), &json!(8)));
    });
}
