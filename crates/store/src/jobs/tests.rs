//! One cycle of a job at a time: leases are taken, refused, taken over, renewed and given back; jobs are due in order.

use super::*;
use crate::applications::{self, AppRecord};
use crate::testing::{numbered, on_both, second};
use crate::{Store, StoreError};

fn add_job(tx: &mut WriteTx<'_>, number: u128, status: &str, next_run: i64) -> Result<AppId, StoreError> {
    let id: AppId = numbered(number);
    let name = format!("app{number}");
    let app = AppRecord { id, name: name.clone(), template: "custom".to_owned(), created: second(0) };
    applications::insert_app(tx, &app, &name)?;
    insert_job(tx, id, status, "{}", b"sealed", second(next_run))?;
    Ok(id)
}

#[test]
fn a_lease_is_held_by_one_and_taken_over_when_it_has_run_out() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let app = add_job(tx, 1, "on", 0)?;
            let first = take_lease(tx, app, "a", second(10), second(20))?.unwrap();
            assert_eq!((first.app(), first.fence()), (app, 1));
            assert!(holds(tx, first)?);
            for now in [10, 19, 20] {
                assert_eq!(take_lease(tx, app, "b", second(now), second(99))?, None, "held until the end of second 20");
            }
            assert!(renew(tx, first, second(30))?);
            assert_eq!(take_lease(tx, app, "b", second(25), second(99))?, None, "renewed");
            let taken = take_lease(tx, app, "b", second(31), second(40))?.unwrap();
            assert_eq!(taken.fence(), 2);
            assert_eq!((holds(tx, first)?, renew(tx, first, second(99))?, holds(tx, taken)?), (false, false, true));
            // What the former holder still does has no effect.
            set_watermark(tx, first, 5)?;
            set_initial(tx, first, 5, "x")?;
            release(tx, first, second(99))?;
            let job = job_by_app(tx, app)?.unwrap();
            assert_eq!((job.watermark, job.initial_from, job.initial_cursor), (None, None, None));
            assert_eq!((job.next_run, job.fence, job.lease_until), (second(0), 2, Some(second(40))));

            let same_owner = take_lease(tx, app, "b", second(32), second(50))?.unwrap();
            assert_eq!(same_owner.fence(), 3);
            assert_eq!((holds(tx, taken)?, holds(tx, same_owner)?), (false, true));
            release(tx, same_owner, second(60))?;
            assert_eq!((holds(tx, same_owner)?, renew(tx, same_owner, second(99))?), (false, false));
            let job = job_by_app(tx, app)?.unwrap();
            assert_eq!((job.next_run, job.lease_until), (second(60), None));
            let next = take_lease(tx, app, "c", second(60), second(70))?.unwrap();
            assert_eq!(next.fence(), 4, "the number grows over a release too");
            assert_eq!(take_lease(tx, numbered(404), "c", second(60), second(70))?, None);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn a_lease_is_lost_when_the_target_is_forgotten() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let app = add_job(tx, 1, "on", 0)?;
            let lease = take_lease(tx, app, "a", second(10), second(20))?.unwrap();
            assert_eq!((holds(tx, lease)?, is_held(tx, lease)?), (true, true));
            forget_target(tx, app)?;
            assert_eq!((holds(tx, lease)?, is_held(tx, lease)?, renew(tx, lease, second(99))?), (false, false, false));
            assert_eq!(due_jobs(tx, second(11), 9)?, [app]);
            assert_eq!(take_lease(tx, app, "b", second(11), second(20))?.unwrap().fence(), 3);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn of_many_who_want_the_lease_at_once_one_gets_it() {
    on_both(|store| async move {
        let app = store.write(|tx| add_job(tx, 1, "on", 0)).await.unwrap();
        let mut contenders = tokio::task::JoinSet::new();
        for number in 0..16 {
            let store: Store = store.clone();
            contenders.spawn(async move {
                let owner = format!("owner{number}");
                store.write(move |tx| take_lease(tx, app, &owner, second(1), second(9))).await.unwrap()
            });
        }
        let taken: Vec<Lease> = contenders.join_all().await.into_iter().flatten().collect();
        assert_eq!(taken.iter().map(|lease| lease.fence()).collect::<Vec<_>>(), [1]);
    });
}

#[test]
fn jobs_are_due_in_order_unless_off_or_leased() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let late = add_job(tx, 1, "on", 30)?;
            let early = add_job(tx, 2, "on", 10)?;
            let quarantine = QuarantineRecord { reason: "no answer".to_owned(), since: second(3) };
            set_quarantine(tx, early, Some(&quarantine), 1)?;
            add_job(tx, 3, "off", 5)?;
            let leased = add_job(tx, 4, "on", 20)?;
            let lease = take_lease(tx, leased, "a", second(0), second(100))?.unwrap();
            for (now, expected) in [
                (9, vec![]),
                (10, vec![early]),
                (30, vec![early, late]),
                (100, vec![early, late]),
                (101, vec![early, leased, late]),
            ] {
                assert_eq!(due_jobs(tx, second(now), 9)?, expected, "at {now}");
            }
            assert_eq!(due_jobs(tx, second(101), 2)?, [early, leased]);
            release(tx, lease, second(40))?;
            set_status(tx, early, "off")?;
            set_next_run(tx, late, second(50))?;
            assert_eq!(due_jobs(tx, second(60), 9)?, [leased, late]);
            restart(tx, late, second(1))?;
            assert_eq!(due_jobs(tx, second(60), 9)?, [late, leased]);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn a_watermark_ends_the_initial_cycle_and_a_restart_begins_another() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let app = add_job(tx, 1, "on", 0)?;
            let lease = take_lease(tx, app, "a", second(0), second(9))?.unwrap();
            set_initial(tx, lease, 17, "user 4")?;
            let job = job_by_app(tx, app)?.unwrap();
            assert_eq!(
                (job.initial_from, job.initial_cursor.as_deref(), job.watermark),
                (Some(17), Some("user 4"), None)
            );
            set_watermark(tx, lease, 17)?;
            let job = job_by_app(tx, app)?.unwrap();
            assert_eq!((job.initial_from, job.initial_cursor, job.watermark), (None, None, Some(17)));
            assert!(!update_job(tx, app, "{}", b"late", 0)?);
            assert!(update_job(tx, app, "{\"scope\":1}", b"sealed again", 1)?);
            restart(tx, app, second(3))?;
            let job = job_by_app(tx, app)?.unwrap();
            assert_eq!((job.watermark, job.next_run, job.version), (None, second(3), 3));
            // The cycle that was running is of the old settings: neither its watermark nor its due time counts any more.
            set_watermark(tx, lease, 18)?;
            set_initial(tx, lease, 18, "user 5")?;
            release(tx, lease, second(90))?;
            let job = job_by_app(tx, app)?.unwrap();
            assert_eq!((job.watermark, job.initial_from, job.next_run), (None, None, second(3)));
            assert!(!note_settings(tx, app, "{}", 2)? && note_settings(tx, app, "{\"scope\":1}", 3)?);
            assert_eq!(
                (job.settings.as_str(), job.secret.as_slice(), job.status.as_str()),
                ("{\"scope\":1}", &b"sealed again"[..], "on")
            );
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn the_latest_hundred_cycles_are_kept() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let (app, other) = (numbered(1), numbered(2));
            for number in 1..=103 {
                insert_cycle(tx, app, numbered(number), "incremental", second(0))?;
            }
            insert_cycle(tx, other, numbered(1), "initial", second(0))?;
            end_cycle(tx, app, numbered(102), "succeeded", "{\"created\":2}", second(8))?;
            trim_cycles(tx, app)?;
            let kept = cycles(tx, app, 200)?;
            assert_eq!((kept.len(), kept[0].id, kept[99].id), (100, numbered(103), numbered(4)));
            assert_eq!((kept[0].state.as_str(), kept[0].counts.as_str(), kept[0].ended), ("running", "{}", None));
            assert_eq!(
                (kept[1].state.as_str(), kept[1].counts.as_str(), kept[1].ended),
                ("succeeded", "{\"created\":2}", Some(second(8)))
            );
            assert_eq!(cycles(tx, other, 200)?.len(), 1);
            delete_traces(tx, app)?;
            assert_eq!((cycles(tx, app, 200)?.len(), cycles(tx, other, 200)?.len()), (0, 1));
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn a_cycle_that_did_not_end_was_interrupted_when_somebody_else_has_the_lease() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let app = add_job(tx, 1, "on", 0)?;
            take_lease(tx, app, "a", second(0), second(9))?.unwrap();
            insert_cycle(tx, app, numbered(1), "initial", second(1))?;
            assert_eq!(take_lease(tx, app, "b", second(5), second(20))?, None);
            assert_eq!(cycles(tx, app, 1)?[0].state, "running", "its lease lasts");
            take_lease(tx, app, "b", second(10), second(20))?.unwrap();
            // The first holder was only slow, and says now what it knew.
            end_cycle(tx, app, numbered(1), "failed", "{}", second(11))?;
            let cycle = cycles(tx, app, 1)?.remove(0);
            assert_eq!((cycle.state.as_str(), cycle.ended), ("interrupted", Some(second(10))));
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn quarantine_is_noted_unless_the_settings_have_changed() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let app = add_job(tx, 1, "on", 0)?;
            let quarantine = QuarantineRecord { reason: "no answer".to_owned(), since: second(3) };
            set_quarantine(tx, app, Some(&quarantine), 2)?;
            assert_eq!(job_by_app(tx, app)?.unwrap().quarantine, None);
            set_quarantine(tx, app, Some(&quarantine), 1)?;
            assert_eq!(job_by_app(tx, app)?.unwrap().quarantine, Some(quarantine));
            set_quarantine(tx, app, None, 1)?;
            assert_eq!(job_by_app(tx, app)?.unwrap().quarantine, None);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}
