//! What a use case is promised, on both databases: kept whole or not at all, unique by index, one moment to a reader.

use std::collections::BTreeSet;
use std::sync::{Arc, Barrier, Mutex};
use std::task::Poll;

use tokio::task::JoinSet;

use super::ATTEMPTS_MAX;
use crate::applications::{AppRecord, RoleRecord};
use crate::links::{LinkRecord, LinkState};
use crate::resources::ResourceKind;
use crate::settings::{put_setting, setting};
use crate::testing::{numbered, on_both, second};
use crate::tokens::tests::named;
use crate::users::UserRecord;
use crate::{AppId, ObjectKind, Store, StoreError, TenantKey, UniqueKey, WriteTx};
use crate::{applications, links, resources, tenants, tokens, users};

/// Callers that race for one name.
const RACERS: u32 = 16;

async fn tenant(store: &Store, name: &'static str) -> TenantKey {
    store.write(move |tx| tenants::insert_tenant(tx, name, "generic", "{}", second(0))).await.unwrap()
}

async fn settings_held(store: &Store, names: Vec<String>) -> BTreeSet<String> {
    let held = store.read(move |tx| {
        let mut held = BTreeSet::new();
        for name in names {
            held.extend(setting(tx, &name)?.map(|_| name));
        }
        Ok::<_, StoreError>(held)
    });
    held.await.unwrap()
}

/// What a use case does to itself in the test below.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fate {
    Kept,
    Refused,
    Collides,
    Panics,
    GoesOn,
}

fn write_with_fate(tx: &mut WriteTx<'_>, name: &str, fate: Fate) -> Result<(), StoreError> {
    put_setting(tx, name, "1")?;
    match fate {
        Fate::Kept => Ok(()),
        Fate::Refused => Err(StoreError::Decode("refused".to_owned())),
        Fate::Collides => tenants::insert_tenant(tx, "taken", "generic", "{}", second(0)).map(drop),
        Fate::Panics => panic!("a use case with a mistake in it"),
        Fate::GoesOn => {
            drop(tenants::insert_tenant(tx, "taken", "generic", "{}", second(0)));
            Ok(())
        }
    }
}

/// A client that goes away ends what it asked for, and not only the waiting.
#[test]
fn a_scan_that_nobody_waits_for_ends_at_its_next_statement() {
    on_both(|store| async move {
        let (begun, is_begun) = tokio::sync::oneshot::channel();
        let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
        let (tell, told) = tokio::sync::oneshot::channel();
        let scan = {
            let store = store.clone();
            tokio::spawn(async move {
                let scan = store.scan(move |tx| {
                    let first = setting(tx, "a").is_ok();
                    let _ = begun.send(());
                    let _ = may_go_on.recv();
                    let _ = tell.send((first, setting(tx, "a").is_ok()));
                    Ok::<_, StoreError>(())
                });
                scan.await
            })
        };
        is_begun.await.unwrap();
        scan.abort();
        assert!(scan.await.unwrap_err().is_cancelled());
        go_on.send(()).unwrap();
        assert_eq!(told.await.unwrap(), (true, false));
        assert!(store.scan(|tx| setting(tx, "a")).await.is_ok());
    });
}

#[test]
fn of_two_hundred_writers_at_once_each_has_its_own_fate() {
    on_both(|store| async move {
        tenant(&store, "taken").await;
        let mut writers = JoinSet::new();
        for number in 0..200_u32 {
            let fate = match number % 40 {
                7 => Fate::Refused,
                17 => Fate::Collides,
                27 => Fate::Panics,
                37 => Fate::GoesOn,
                _ => Fate::Kept,
            };
            let (store, name) = (store.clone(), format!("s{number}"));
            writers.spawn(async move {
                let written = name.clone();
                (fate, name, store.write(move |tx| write_with_fate(tx, &written, fate)).await)
            });
        }
        let (mut all, mut kept) = (Vec::new(), BTreeSet::new());
        for (fate, name, result) in writers.join_all().await {
            let right = match fate {
                Fate::Kept => result.is_ok(),
                Fate::Refused => matches!(result, Err(StoreError::Decode(_))),
                Fate::Collides => matches!(result, Err(StoreError::NotUnique(UniqueKey::TenantName))),
                Fate::Panics | Fate::GoesOn => matches!(result, Err(StoreError::Internal(_))),
            };
            assert!(right, "{fate:?}: {result:?}");
            kept.extend((fate == Fate::Kept).then(|| name.clone()));
            all.push(name);
        }
        assert_eq!(kept.len(), 180);
        assert_eq!(settings_held(&store, all).await, kept);
    });
}

#[test]
fn what_was_written_is_there_when_the_store_is_opened_again() {
    for database in crate::testing::databases() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let store = database.open();
        runtime.block_on(store.write(|tx| put_setting(tx, "a", "1"))).unwrap();
        drop(store);
        let held = runtime.block_on(database.open().read(|tx| setting(tx, "a"))).unwrap();
        assert_eq!(held.as_deref(), Some("1"));
    }
}

#[test]
fn a_reader_that_panics_hurts_nobody() {
    on_both(|store| async move {
        for _ in 0..40 {
            let result: Result<(), StoreError> = store.read(|_| panic!("a use case with a mistake in it")).await;
            assert!(matches!(result, Err(StoreError::Internal(_))), "{result:?}");
            let result: Result<(), StoreError> = store.scan(|_| panic!("a use case with a mistake in it")).await;
            assert!(matches!(result, Err(StoreError::Internal(_))), "{result:?}");
        }
        store.read(|tx| setting(tx, "a")).await.unwrap();
    });
}

#[test]
fn many_that_scan_leave_room_for_others() {
    on_both(|store| async move {
        let (let_go, may_go) = std::sync::mpsc::channel::<()>();
        let may_go = Arc::new(Mutex::new(may_go));
        let mut scanning = JoinSet::new();
        for _ in 0..store.scans.available_permits() + RACERS as usize {
            let (store, may_go) = (store.clone(), Arc::clone(&may_go));
            scanning.spawn(async move {
                let scan = store.scan(move |_| {
                    may_go.lock().unwrap().recv().unwrap();
                    Ok::<_, StoreError>(())
                });
                scan.await
            });
        }
        while store.scans.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        store.write(|tx| put_setting(tx, "a", "1")).await.unwrap();
        assert_eq!(store.read(|tx| setting(tx, "a")).await.unwrap().as_deref(), Some("1"));
        assert_eq!(store.look_up(|tx| setting(tx, "a")).await.unwrap().as_deref(), Some("1"));
        assert!(scanning.try_join_next().is_none());
        for _ in 0..scanning.len() {
            let_go.send(()).unwrap();
        }
        assert!(scanning.join_all().await.iter().all(Result::is_ok));
    });
}

#[test]
fn what_is_done_aside_is_done_on_another_thread_and_a_panic_of_it_hurts_nobody() {
    on_both(|store| async move {
        let there = store.aside(|| std::thread::current().id()).await.unwrap();
        assert_ne!(there, std::thread::current().id());
        assert!(store.aside::<()>(|| panic!("this is no fun")).await.is_err());
        assert_eq!(store.aside(|| 1).await.unwrap(), 1);
    });
}

#[test]
fn a_reader_sees_one_moment() {
    on_both(|store| async move {
        store.write(|tx| put_setting(tx, "a", "old")).await.unwrap();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (go_on, may_go_on) = std::sync::mpsc::channel();
        let reader = store.clone();
        let reading = tokio::spawn(async move {
            let looks = reader.scan(move |tx| {
                let first = setting(tx, "a")?;
                begun.send(()).unwrap();
                may_go_on.recv().unwrap();
                Ok::<_, StoreError>((first, setting(tx, "a")?))
            });
            looks.await.unwrap()
        });
        has_begun.await.unwrap();
        store.write(|tx| put_setting(tx, "a", "new")).await.unwrap();
        go_on.send(()).unwrap();
        assert_eq!(reading.await.unwrap(), (Some("old".to_owned()), Some("old".to_owned())));
        assert_eq!(store.read(|tx| setting(tx, "a")).await.unwrap().as_deref(), Some("new"));
    });
}

#[test]
fn a_text_with_nul_is_refused_on_both() {
    on_both(|store| async move {
        let result = store.write(|tx| put_setting(tx, "a", "x\0y")).await;
        assert!(matches!(result, Err(StoreError::Internal(_))), "{result:?}");
        assert_eq!(store.read(|tx| setting(tx, "a")).await.unwrap(), None);
    });
}

#[test]
fn limits() {
    assert_eq!(ATTEMPTS_MAX, 5);
}

/// Inserts something under a name that all racers share and an id of its own.
type Insert = fn(&mut WriteTx<'_>, TenantKey, u32) -> Result<(), StoreError>;

fn insert_app(tx: &mut WriteTx<'_>, number: u32, name: &str) -> Result<(), StoreError> {
    let app = AppRecord {
        id: numbered(u128::from(number)),
        name: name.to_owned(),
        template: "custom".to_owned(),
        created: second(0),
    };
    applications::insert_app(tx, &app, name)
}

fn insert_token(tx: &mut WriteTx<'_>, tenant: TenantKey, number: u32) -> Result<(), StoreError> {
    let token = named("one", u128::from(number));
    tokens::insert_token(tx, tenant, &token, &number.to_be_bytes())
}

fn insert_user(tx: &mut WriteTx<'_>, number: u32) -> Result<(), StoreError> {
    let user = UserRecord {
        id: numbered(u128::from(number)),
        user_principal_name: "One@example.com".to_owned(),
        display_name: String::new(),
        manager: None,
        enabled: true,
        deleted: None,
        doc: "{}".to_owned(),
        version: 1,
        created: second(0),
        modified: second(0),
    };
    users::insert_user(tx, &user, Some("one@example.com"))
}

fn put_link(tx: &mut WriteTx<'_>, number: u32) -> Result<(), StoreError> {
    let link = LinkRecord {
        kind: ObjectKind::User,
        source_id: numbered(u128::from(number)),
        target_id: Some("remote".to_owned()),
        state: LinkState::Linked,
        attempt: 1,
        at: second(0),
        fence: 1,
        match_key: String::new(),
        label: String::new(),
        exported: None,
        kept: false,
    };
    links::put_link(tx, numbered::<AppId>(1), &link)
}

fn insert_role(tx: &mut WriteTx<'_>, number: u32) -> Result<(), StoreError> {
    let role = RoleRecord { id: numbered(u128::from(number)), value: "one".to_owned(), display_name: String::new() };
    applications::insert_role(tx, numbered(1_000), &role)
}

fn insert_resource(tx: &mut WriteTx<'_>, tenant: TenantKey, id: u128, key: Option<&str>) -> Result<(), StoreError> {
    resources::insert(tx, tenant, ResourceKind::User, numbered(id), key, "{}", &[], second(0))
}

/// The races, and the key that the losers hear of.
const RACES: &[(UniqueKey, Insert)] = &[
    (UniqueKey::TenantName, |tx, _, _| tenants::insert_tenant(tx, "one", "generic", "{}", second(0)).map(drop)),
    (UniqueKey::TokenName, insert_token),
    (UniqueKey::ClientName, |tx, tenant, number| {
        crate::clients::tests::a_client(tx, tenant, "one", u128::from(number)).map(drop)
    }),
    (UniqueKey::WebhookName, |tx, tenant, number| {
        crate::webhooks::insert_webhook(tx, &crate::webhooks::tests::new(tenant, u128::from(number), "one"))
    }),
    (UniqueKey::ResourceKey, |tx, tenant, number| insert_resource(tx, tenant, u128::from(number), Some("one"))),
    (UniqueKey::Id, |tx, tenant, _| insert_resource(tx, tenant, 77, None)),
    (UniqueKey::UserPrincipalName, |tx, _, number| insert_user(tx, number)),
    (UniqueKey::ApplicationName, |tx, _, number| insert_app(tx, number, "one")),
    (UniqueKey::RoleValue, |tx, _, number| insert_role(tx, number)),
    (UniqueKey::LinkTarget, |tx, _, number| put_link(tx, number)),
];

#[test]
fn of_many_who_take_one_name_at_once_one_gets_it() {
    on_both(|store| async move {
        let tenant = tenant(&store, "races").await;
        store.write(|tx| insert_app(tx, 1_000, "roles")).await.unwrap();
        for (key, insert) in RACES {
            let mut racers = JoinSet::new();
            for number in 0..RACERS {
                let store = store.clone();
                racers.spawn(async move { store.write(move |tx| insert(tx, tenant, number)).await });
            }
            let (won, lost): (Vec<_>, Vec<_>) = racers.join_all().await.into_iter().partition(Result::is_ok);
            assert_eq!((won.len(), lost.len()), (1, 15), "{key:?}: {lost:?}");
            for result in lost {
                assert!(matches!(&result, Err(StoreError::NotUnique(told)) if told == key), "{key:?}: {result:?}");
            }
        }
    });
}

#[test]
fn a_name_is_free_again_where_nobody_holds_it() {
    on_both(|store| async move {
        let (one, other) = (tenant(&store, "one").await, tenant(&store, "other").await);
        let taken = store.write(move |tx| {
            insert_token(tx, one, 1)?;
            insert_token(tx, other, 2)?;
            assert!(tokens::revoke_token(tx, one, "one", second(1))?);
            insert_token(tx, one, 3)?;
            insert_resource(tx, one, 1, Some("ann"))?;
            insert_resource(tx, other, 2, Some("ann"))?;
            // A resource without the unique attribute collides with no other.
            insert_resource(tx, one, 3, None)?;
            insert_resource(tx, one, 4, None)?;
            let group = ResourceKind::Group;
            resources::insert(tx, one, group, numbered(5), Some("ann"), "{}", &[], second(0))?;
            Ok::<_, StoreError>(tokens::tokens(tx, one)?.len())
        });
        assert_eq!(taken.await.unwrap(), 2);
    });
}

#[test]
fn a_look_up_is_one_statement() {
    on_both(|store| async move {
        store.write(|tx| put_setting(tx, "a", "1")).await.unwrap();
        assert_eq!(store.look_up(|tx| setting(tx, "a")).await, Ok(Some("1".to_owned())));
        let two = store.look_up(|tx| setting(tx, "a").and_then(|_| setting(tx, "a")));
        assert_eq!(two.await, Err(StoreError::Internal("a look-up is one statement".to_owned())));
        let panics = store.look_up(|_| -> Result<(), StoreError> { panic!("a use case with a mistake in it") });
        assert_eq!(panics.await, Err(StoreError::Internal("a use case panicked".to_owned())));
        assert_eq!(store.read(|tx| setting(tx, "a").and_then(|_| setting(tx, "a"))).await, Ok(Some("1".to_owned())));
    });
}

#[test]
fn what_waits_and_what_commits_take_is_counted() {
    on_both(|store| async move {
        let places = usize::try_from(store.figures().connections.unwrap_or(1)).unwrap();
        // As many as there are places hold them all until they are let go.
        let (began, signals) = std::sync::mpsc::channel();
        let gate = Arc::new(Barrier::new(places + 1));
        let mut holders = JoinSet::new();
        for number in 0..places {
            let (store, began, gate) = (store.clone(), began.clone(), Arc::clone(&gate));
            holders.spawn(async move {
                let write = store.write_timed(move |tx| {
                    began.send(()).unwrap();
                    gate.wait();
                    put_setting(tx, &format!("held{number}"), "1")
                });
                write.await
            });
        }
        tokio::task::spawn_blocking(move || (0..places).for_each(|_| signals.recv().unwrap())).await.unwrap();
        let mut later: Vec<_> =
            (0..3).map(|number| Box::pin(store.write(move |tx| put_setting(tx, &format!("l{number}"), "1")))).collect();
        for write in &mut later {
            let first_poll = std::future::poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_pending()));
            assert!(first_poll.await, "there is no place");
        }
        let figures = store.figures();
        assert_eq!((figures.waiting(), figures.busy()), (3, figures.connections.map_or(0, u64::from)));
        tokio::task::spawn_blocking(move || gate.wait()).await.unwrap();
        for (result, times) in holders.join_all().await {
            result.unwrap();
            let times = times.unwrap();
            assert!(times.queued <= times.began && times.began <= times.commit && times.commit <= times.done);
        }
        for write in later {
            write.await.unwrap();
        }
        let count = |histogram: &crate::Histogram| histogram.up_to().last().unwrap().1;
        assert_eq!(figures.waiting(), 0);
        let writes = u64::try_from(places).unwrap() + 3;
        assert_eq!(count(&figures.waits), writes);
        if figures.connections.is_some() {
            assert_eq!((count(&figures.commits), count(&figures.commit_writes)), (writes, 0));
        } else {
            let shared = (count(&figures.commits), count(&figures.commit_writes), figures.commit_writes.sum());
            assert_eq!(shared, (1, 1, writes), "what waited was committed together");
        }
    });
}
