//! Names that many want at once (SU-02, SU-03).

use serde_json::{Value, json};
use store::testing::on_both;

use crate::send::operations;
use crate::world::{USER, World};

/// Rounds of each race.
const ROUNDS: usize = 50;

type Request = (&'static str, String, Value);

/// Sends all requests at once, each on a task of its own; gives their statuses in their order.
async fn at_once(world: &World, requests: Vec<Request>) -> Vec<u16> {
    let sent: Vec<_> = requests
        .into_iter()
        .map(|(method, path, body)| {
            let world = world.clone();
            tokio::spawn(async move { world.call(method, &path, &body).await.status.as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for answer in sent {
        statuses.push(answer.await.unwrap());
    }
    statuses
}

fn named(name: &str) -> Value {
    json!({ "schemas": [USER], "userName": name })
}

#[test]
fn su_02_of_sixteen_who_want_one_name_one_gets_it() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for round in 0..ROUNDS {
            let spellings =
                [format!("zoé{round}"), format!("ZOÉ{round}"), format!("zoe\u{301}{round}"), format!("ｚｏé{round}")];
            let post = |at: usize| ("POST", "/Users".to_owned(), named(&spellings[at % 4]));
            let mut statuses = at_once(&world, (0..16).map(post).collect()).await;
            statuses.sort_unstable();
            assert_eq!((statuses[0], &statuses[1..]), (201, [409; 15].as_slice()), "round {round}");
        }
        assert_eq!(world.get("/Users?count=0").await.body["totalResults"], ROUNDS);
    });
}

#[test]
fn su_03_a_new_user_and_renamed_ones_want_one_name() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        for round in 0..ROUNDS {
            let name = format!("wanted{round}");
            let (first, second) = (world.user(&format!("a{round}")).await, world.user(&format!("b{round}")).await);
            let rename = operations(&json!([{ "op": "replace", "path": "userName", "value": name.to_uppercase() }]));
            let requests = vec![
                ("POST", "/Users".to_owned(), named(&name)),
                ("PATCH", format!("/Users/{first}"), rename),
                ("PUT", format!("/Users/{second}"), named(&name)),
            ];
            let statuses = at_once(&world, requests).await;
            let won = statuses.iter().filter(|status| [200, 201].contains(*status)).count();
            let lost = statuses.iter().filter(|status| **status == 409).count();
            assert_eq!((won, lost), (1, 2), "round {round}: {statuses:?}");
            assert_eq!(world.get(&format!("/Users?filter=userName+eq+%22{name}%22")).await.body["totalResults"], 1);
        }
    });
}

#[test]
fn su_03_two_who_would_swap_their_names_keep_them() {
    on_both(|store| async {
        let world = World::new(store, "generic").await;
        let (ann, bob) = (world.user("ann").await, world.user("bob").await);
        let rename = |id: &str, name: &str| -> Request {
            (
                "PATCH",
                format!("/Users/{id}"),
                operations(&json!([{ "op": "replace", "path": "userName", "value": name }])),
            )
        };
        for round in 0..ROUNDS {
            let statuses = at_once(&world, vec![rename(&ann, "bob"), rename(&bob, "ann")]).await;
            assert_eq!(statuses, [409, 409], "round {round}: neither name was free, and nobody waited for ever");
        }
        for round in 0..ROUNDS {
            let (from, to) = if round % 2 == 0 { ("ann", "spare") } else { ("spare", "ann") };
            let statuses = at_once(&world, vec![rename(&ann, to), ("POST", "/Users".to_owned(), named(from))]).await;
            assert!(statuses == [200, 201] || statuses == [200, 409], "round {round}: {statuses:?}");
            let found = world.get(&format!("/Users?filter=userName+eq+%22{from}%22")).await.body;
            if statuses[1] == 201 {
                let path = format!("/Users/{}", found["Resources"][0]["id"].as_str().unwrap());
                assert_eq!(world.call("DELETE", &path, &Value::Null).await.status.as_u16(), 204);
            }
        }
    });
}
