//! What stands in the files, and how much of it.

use std::time::Duration;

use http::{Method, StatusCode, Uri};
use store::testing::TestDatabase;

use super::writer::segments;
use super::*;
use crate::gates::Gates;

const MIB: u64 = 1 << 20;

fn line(uri: &Uri, second: i64) -> Line<'_> {
    Line {
        at: Timestamp::from_second(second).unwrap(),
        took: Duration::from_micros(1234),
        method: &Method::GET,
        uri,
        names: Names { tenant: "contoso", ..Names::default() },
        status: StatusCode::OK,
        caller: None,
        bytes: Some(7),
        id: "x-1",
        trace: None,
        is_exposed: false,
        bodies: None,
    }
}

fn settings(database: &TestDatabase, bytes_max: u64, age: Duration) -> LogSettings {
    let store::Database::Sqlite(file) = database.database() else { panic!("the test asks for a file") };
    LogSettings { folder: file.with_extension("requests"), bytes_max, age_max: age }
}

#[test]
fn lines_are_found_newest_first_by_what_is_asked_for() {
    let database = TestDatabase::sqlite();
    let settings = settings(&database, MIB, Duration::MAX);
    let folder = tenant_folder(&settings.folder, "contoso", 1);
    let log = RequestLog::start(settings, database.open()).unwrap();
    let (users, groups) = (Uri::from_static("/t/contoso/scim/v2/Users"), Uri::from_static("/t/contoso/scim/v2/Groups"));
    for (second, uri, status) in [(1, &users, 200), (2, &users, 401), (3, &groups, 404), (4, &users, 200)] {
        let gate = Gates::new(0).gate(1, "contoso");
        log.add(Owner::Tenant(gate), &Line { status: StatusCode::from_u16(status).unwrap(), ..line(uri, second) });
    }
    // Nobody's: there is no such tenant.
    log.add(Owner::Named("nobody".to_owned()), &line(&users, 5));
    log.flush();
    let second = |second| Timestamp::from_second(second).ok();
    for (query, expected) in [
        (LogQuery::default(), vec![4, 3, 2, 1]),
        (LogQuery { limit: 2, ..LogQuery::default() }, vec![4, 3]),
        (LogQuery { since: second(3), ..LogQuery::default() }, vec![4, 3]),
        (LogQuery { status: Some((400, 499)), ..LogQuery::default() }, vec![3, 2]),
        (LogQuery { method: Some("get".to_owned()), path: Some("/Groups".to_owned()), ..LogQuery::default() }, vec![3]),
        (LogQuery { method: Some("PUT".to_owned()), ..LogQuery::default() }, vec![]),
        (LogQuery { callers: Some(vec!["somebody".to_owned()]), ..LogQuery::default() }, vec![]),
        (LogQuery { id: Some("x-1".to_owned()), limit: 1, ..LogQuery::default() }, vec![4]),
    ] {
        let found = search(&folder, &query).unwrap();
        let found: Vec<_> =
            found.iter().map(|line| line["at"].as_str().unwrap().parse::<Timestamp>().unwrap().as_second()).collect();
        assert_eq!(found, expected, "{query:?}");
    }
    let found = search(&folder, &LogQuery { limit: 1, ..LogQuery::default() }).unwrap().remove(0);
    let expected = serde_json::json!({
        "at": "1970-01-01T00:00:04.000Z", "status": 200, "method": "GET", "path": "/t/contoso/scim/v2/Users", "ms": 1.234, "bytes": 7, "id": "x-1",
    });
    assert_eq!(found, expected);
    assert_eq!(std::fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1);
    assert_eq!(log.dropped(), 0);
}

#[test]
fn the_oldest_lines_go_by_size_and_by_age() {
    let database = TestDatabase::sqlite();
    let settings = settings(&database, MIB / 4, Duration::from_secs(1000));
    let folder = tenant_folder(&settings.folder, "contoso", 1);
    let uri = Uri::from_static("/t/contoso/scim/v2/Users");
    let log = RequestLog { shared: Arc::default(), control: None, thread: None };
    let mut writer = Writer::new(settings.clone(), database.open()).unwrap();
    let gate = Gates::new(0).gate(1, "contoso");
    let mut fill = |second| {
        for _ in 0..600 {
            log.add(Owner::Tenant(Arc::clone(&gate)), &line(&uri, second));
        }
        assert_eq!(writer.write(&log.shared.take()), 0);
    };
    for second in 0..100 {
        fill(second);
        let bytes: u64 =
            segments(&folder).unwrap().iter().map(|(_, path)| std::fs::metadata(path).unwrap().len()).sum();
        assert!(bytes <= settings.bytes_max + 100_000, "{bytes}");
    }
    assert!(segments(&folder).unwrap().len() > 1);
    fill(5000);
    fill(7000);
    let oldest = search(&folder, &LogQuery::default()).unwrap().pop().unwrap();
    assert_eq!(
        oldest["at"].as_str().unwrap().get(..16),
        Some("1970-01-01T01:23"),
        "all but the last segment were too old"
    );
}

#[test]
fn what_is_too_old_or_nobodys_is_tidied_away() {
    let database = TestDatabase::sqlite();
    let settings = settings(&database, MIB, Duration::from_secs(1000));
    let [kept, gone] = [1, 2].map(|number| tenant_folder(&settings.folder, "contoso", number));
    for folder in [&kept, &gone] {
        std::fs::create_dir_all(folder).unwrap();
        for second in ["100", "2000", "4000"] {
            std::fs::write(folder.join(format!("{second:0>12}000.jsonl")), "").unwrap();
        }
    }
    let now = Timestamp::from_second(4500).unwrap();
    tidy_log(&settings, std::slice::from_ref(&kept), now).unwrap();
    let left: Vec<_> = segments(&kept).unwrap().into_iter().map(|(begun, _)| begun / 1000).collect();
    assert_eq!((left, gone.exists()), (vec![2000, 4000], false));
    tidy_log(&LogSettings { folder: settings.folder.join("nothing"), ..settings }, &[], now).unwrap();
}

#[test]
fn lines_that_come_too_fast_are_dropped_and_counted() {
    let database = TestDatabase::sqlite();
    let settings = settings(&database, MIB, Duration::MAX);
    // Without the thread nothing is ever written.
    let log = RequestLog { shared: Arc::default(), control: None, thread: None };
    let gate = Gates::new(0).gate(1, "contoso");
    let uri: Uri = format!("/t/contoso/{}", "a/".repeat(300)).parse().unwrap();
    while log.dropped() == 0 {
        log.add(Owner::Tenant(Arc::clone(&gate)), &line(&uri, 1));
    }
    let shard = std::mem::take(&mut *log.shared.shards[shard_of_thread()].lock().unwrap());
    assert!((SHARD_BYTES_MAX..SHARD_BYTES_MAX + 2000).contains(&shard.text.len()));
    assert_eq!(Writer::new(settings, database.open()).unwrap().write(&[shard]), 0);
}

/// SH-11.
#[test]
fn no_line_without_bodies_is_longer_than_4_kib() {
    let uri: Uri = format!("/t/contoso/scim/v2/Users?attributes={}", "%22".repeat(9999)).parse().unwrap();
    let mut text = Vec::new();
    line(&uri, 1).write(&mut Second::default(), &mut text);
    assert!(text.len() < 4 << 10, "{}", text.len());
}

#[test]
fn times_are_told_to_the_millisecond_whatever_stood_before() {
    let uri = Uri::from_static("/Users/1");
    let (mut second, mut text) = (Second::default(), Vec::new());
    for (nanoseconds, expected) in [
        (1_700_000_000_000_000_000, "2023-11-14T22:13:20.000Z"),
        (1_700_000_000_009_999_999, "2023-11-14T22:13:20.009Z"),
        (1_700_000_001_123_000_000, "2023-11-14T22:13:21.123Z"),
        (1_700_000_000_999_000_000, "2023-11-14T22:13:20.999Z"),
        (0, "1970-01-01T00:00:00.000Z"),
    ] {
        text.clear();
        let at = Timestamp::from_nanosecond(nanoseconds).unwrap();
        Line { at, took: Duration::from_micros(2_000_045), ..line(&uri, 0) }.write(&mut second, &mut text);
        let told: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(told["at"], expected);
        assert!(String::from_utf8_lossy(&text).contains(r#","ms":2000.045,"bytes":7,"id":"x-1"}"#));
    }
}
