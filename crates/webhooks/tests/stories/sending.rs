//! What a receiver is sent, and what follows its answers.

use serde_json::json;
use store::testing::on_both;
use tokio::sync::Notify;
use webhooks::{Answer, GIVEN_UP_AFTER_HOURS, WEBHOOKS_MAX, WebhookError};

use crate::receiver::Receiver;
use crate::world::World;

fn told(receiver: &Receiver) -> Vec<String> {
    receiver.take().iter().map(crate::receiver::Received::told).collect()
}

#[test]
fn what_changes_arrives_in_order_signed_and_once() {
    on_both(|store| async {
        let (world, receiver) = (World::new(store).await, Receiver::start().await);
        world.user("before").await;
        let secret = world.webhook(&receiver.url).await;
        let ada = world.user("ada").await;
        world.patch(ada, "active", json!(false)).await;
        world.delete(ada).await;
        world.deliverer.round().await.unwrap();
        let came = receiver.take();
        let names: Vec<String> = came.iter().map(crate::receiver::Received::told).collect();
        assert_eq!(names, ["create:notice", "deactivate patch:notice", "delete"], "not what was there before");
        for one in &came {
            let claims = one.claims();
            assert!(one.is_signed_with(&secret) && !one.is_signed_with(&format!("whsec_{}", "A".repeat(43) + "=")));
            assert_eq!((one.header(":first"), one.header("content-type")), ("POST /hook HTTP/1.1", "application/json"));
            assert_eq!(claims["jti"], one.header("webhook-id"));
            assert_eq!(
                (&claims["aud"], &claims["iss"]),
                (&json!(receiver.url), &json!("https://scim.example/t/acme/scim/v2"))
            );
            assert_eq!(claims["sub_id"]["uri"], format!("/Users/{ada}"));
        }
        assert_eq!(came[2].claims()["sub_id"]["externalId"], "e-ada", "who is gone is told by it");
        world.deliverer.round().await.unwrap();
        assert_eq!(receiver.take().len(), 0, "what was taken does not come again");
        let (state, backlog) = world.state().await;
        assert_eq!((backlog, state.progress.last_success), (0, Some(world.now())));
    });
}

#[test]
fn a_failure_is_tried_again_later_and_nothing_overtakes_it() {
    on_both(|store| async {
        let (world, receiver) = (World::new(store).await, Receiver::start().await);
        world.webhook(&receiver.url).await;
        world.user("ada").await;
        let bob = world.user("bob").await;
        world.patch(bob, "title", json!("Dr")).await;
        receiver.answer(&["204 No Content", "500 Oops", "503 Busy\r\nretry-after: 60"]);
        world.deliverer.round().await.unwrap();
        let first = receiver.take();
        assert_eq!(first.len(), 2, "the third waits behind the second");
        world.pass(4);
        world.deliverer.round().await.unwrap();
        assert_eq!(receiver.take().len(), 0, "too early");
        world.pass(1);
        world.deliverer.round().await.unwrap();
        let again = receiver.take();
        assert_eq!((again.len(), again[0].header("webhook-id")), (1, first[1].header("webhook-id")));
        let (state, backlog) = world.state().await;
        assert_eq!((state.progress.failures, backlog), (2, 2));
        assert_eq!(state.progress.last_failure.unwrap().1, "status 503");
        world.pass(59);
        world.deliverer.round().await.unwrap();
        assert_eq!(receiver.take().len(), 0, "the receiver asked for a minute");
        world.pass(1);
        world.deliverer.round().await.unwrap();
        assert_eq!(told(&receiver), ["create:notice", "patch:notice"]);
        assert_eq!(world.state().await.0.progress.failures, 0);
    });
}

#[test]
fn who_is_gone_is_sent_nothing_until_resumed() {
    on_both(|store| async {
        let (world, receiver) = (World::new(store).await, Receiver::start().await);
        world.webhook(&receiver.url).await;
        world.user("ada").await;
        receiver.answer(&["410 Gone"]);
        for _ in 0..3 {
            world.deliverer.round().await.unwrap();
            world.pass(100_000);
        }
        assert_eq!(receiver.take().len(), 1);
        assert!(world.state().await.0.progress.paused.unwrap().contains("410"));
        world.resume().await;
        world.deliverer.round().await.unwrap();
        assert_eq!(told(&receiver), ["create:notice"], "it goes on where it was");
    });
}

#[test]
fn whoever_is_paused_while_it_is_sent_to_is_sent_no_more() {
    on_both(|store| async {
        let (world, receiver) = (World::new(store).await, Receiver::start().await);
        world.webhook(&receiver.url).await;
        for name in ["ada", "bob"] {
            world.user(name).await;
        }
        let paused = world.store.clone();
        receiver.before_answer(move || {
            let paused = paused.clone();
            Box::pin(async move { drop(paused.write(|tx| webhooks::pause(tx, "acme", "app")).await) })
        });
        world.deliverer.round().await.unwrap();
        let (state, backlog) = world.state().await;
        assert_eq!((receiver.take().len(), backlog), (1, 1), "the answer that came then is kept");
        assert_eq!(state.progress.paused.as_deref(), Some("by an administrator"));
        world.resume().await;
        world.deliverer.round().await.unwrap();
        assert_eq!(told(&receiver), ["create:notice"]);
    });
}

#[test]
fn who_never_answers_is_given_up_after_a_week() {
    on_both(|store| async {
        let world = World::new(store).await;
        world.webhook("http://127.0.0.1:1/hook").await;
        world.user("ada").await;
        world.deliverer.round().await.unwrap();
        let (_, why) = world.state().await.0.progress.last_failure.unwrap();
        assert!(why.contains("nothing answers at 127.0.0.1:1"), "{why}");
        world.pass(GIVEN_UP_AFTER_HOURS * 3600 - 1);
        world.deliverer.round().await.unwrap();
        assert_eq!(world.state().await.0.progress.paused, None);
        world.pass(3600);
        world.deliverer.round().await.unwrap();
        assert!(world.state().await.0.progress.paused.unwrap().contains("7 days"));
    });
}

#[test]
fn only_what_is_wanted_is_sent_and_in_full_where_so_asked() {
    on_both(|store| async {
        let (world, receiver) = (World::new(store).await, Receiver::start().await);
        let wanted = ["delete", "deactivate"];
        world.try_webhook("app", &receiver.url, &wanted, true).await.unwrap_or_else(|refused| panic!("{refused}"));
        let ada = world.user("ada").await;
        world.patch(ada, "title", json!("Dr")).await;
        world.patch(ada, "active", json!(false)).await;
        world.deliverer.round().await.unwrap();
        let came = receiver.take();
        assert_eq!((came.len(), came[0].told()), (1, "deactivate put:full".to_owned()));
        let data = &came[0].claims()["events"]["urn:ietf:params:scim:event:prov:put:full"]["data"];
        assert_eq!((&data["userName"], &data["active"]), (&json!("ada"), &json!(false)));
        assert_eq!(world.state().await.1, 0, "what is not wanted is passed over");
    });
}

#[test]
fn two_servers_send_once_and_a_restart_goes_on() {
    on_both(|store| async {
        let (world, receiver) = (World::new(store).await, Receiver::start().await);
        world.webhook(&receiver.url).await;
        for number in 0..50 {
            world.user(&format!("user-{number}")).await;
        }
        let other = world.other_server();
        let (one, two) = tokio::join!(world.deliverer.round(), other.round());
        assert!(one.is_ok() && two.is_ok());
        let came = receiver.take();
        let mut ids: Vec<String> = came.iter().map(|one| one.header("webhook-id").to_owned()).collect();
        assert_eq!(ids.len(), 50);
        ids.dedup();
        assert_eq!(ids.len(), 50, "each once, in the order of its number");
        world.user("after").await;
        world.other_server().round().await.unwrap();
        assert_eq!(told(&receiver), ["create:notice"]);
    });
}

#[test]
fn what_is_no_longer_kept_is_counted_and_passed_over() {
    on_both(|store| async {
        let (world, receiver) = (World::new(store).await, Receiver::start().await);
        world.webhook(&receiver.url).await;
        for name in ["ada", "bob", "eve"] {
            world.user(name).await;
        }
        world.pass(1);
        world.trim().await;
        world.deliverer.round().await.unwrap();
        assert_eq!(receiver.take().len(), 1, "the newest change is kept always");
        let (state, backlog) = world.state().await;
        assert_eq!((state.progress.missed, backlog), (2, 0));
    });
}

#[test]
fn addresses_that_may_not_be_dialled_get_nothing() {
    on_both(|store| async {
        let (world, receiver) = (World::new(store).await, Receiver::start().await);
        world.webhook(&receiver.url).await;
        world.user("ada").await;
        world.hosted().round().await.unwrap();
        assert_eq!(receiver.take().len(), 0);
        let (_, why) = world.state().await.0.progress.last_failure.unwrap();
        assert!(why.contains("private networks are not allowed"), "{why}");
        receiver.answer(&["302 Found\r\nlocation: http://127.0.0.1:1/"]);
        world.pass(5);
        world.deliverer.round().await.unwrap();
        let (_, why) = world.state().await.0.progress.last_failure.unwrap();
        assert!(why.contains("redirects are not followed"), "{why}");
    });
}

#[test]
fn a_test_is_signed_too_and_moves_nothing() {
    on_both(|store| async {
        let (world, receiver) = (World::new(store).await, Receiver::start().await);
        let secret = world.webhook(&receiver.url).await;
        world.user("ada").await;
        let answer = world.deliverer.test("acme", "app").await.unwrap_or_else(|refused| panic!("{refused}"));
        let came = receiver.take();
        assert_eq!((answer, came.len(), came[0].is_signed_with(&secret)), (Answer::Taken, 1, true));
        assert!(came[0].told().ends_with("verification"));
        assert_eq!(world.state().await.1, 1);
        receiver.answer(&["404 Not Found"]);
        let answer = world.deliverer.test("acme", "app").await.unwrap_or_else(|refused| panic!("{refused}"));
        assert!(matches!(answer, Answer::Failed { why, .. } if why == "status 404"));
    });
}

#[test]
fn a_server_that_runs_hears_of_changes_and_stops_when_told() {
    on_both(|store| async {
        let (world, receiver) = (World::new(store).await, Receiver::start().await);
        world.webhook(&receiver.url).await;
        let (changed, stop) = (Notify::new(), Notify::new());
        let story = async {
            world.user("ada").await;
            changed.notify_one();
            receiver.arrival().await;
            stop.notify_one();
        };
        tokio::join!(world.deliverer.run(&changed, stop.notified()), story);
        assert_eq!(world.state().await.1, 0, "what was being sent is finished");
    });
}

#[test]
fn webhooks_are_refused_with_their_cure() {
    on_both(|store| async {
        let world = World::new(store).await;
        let long = "n".repeat(129);
        for (name, url, actions, words) in [
            ("", "https://a.example/", &[][..], "1 to 128 characters"),
            (long.as_str(), "https://a.example/", &[], "1 to 128 characters"),
            ("app", "ftp://a.example/", &[], "begins with https://"),
            ("app", "https://a.example/", &["made"], "there are create, patch"),
        ] {
            let refused = world.try_webhook(name, url, actions, false).await.unwrap_err().to_string();
            assert!(refused.contains(words), "{refused}");
        }
        for number in 0..WEBHOOKS_MAX {
            let added = world.try_webhook(&number.to_string(), "https://a.example/", &[], false).await;
            assert!(added.is_ok());
        }
        let more = world.try_webhook("more", "https://a.example/", &[], false).await;
        assert!(matches!(more, Err(WebhookError::TooMany(tenant)) if tenant == "acme"));
        world.store.write(|tx| webhooks::remove(tx, "acme", "9")).await.unwrap_or_else(|refused| panic!("{refused}"));
        let again = world.try_webhook("1", "https://a.example/", &[], false).await;
        assert!(matches!(again, Err(WebhookError::Exists { .. })));
        let missing = world.store.write(|tx| webhooks::pause(tx, "acme", "9")).await;
        assert!(matches!(missing, Err(WebhookError::NoSuchWebhook { .. })));
    });
}
