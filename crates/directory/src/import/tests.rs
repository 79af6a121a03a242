//! Imports as stories: good files, bad rows, and the same file twice.

use std::cell::Cell;
use std::fmt::Write;
use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use store::testing::{TestDatabase, on_both};
use store::{DIRECTORY_FEED, ObjectKind, changes_after, feed_head, groups as stored_groups, number_changes};

use super::*;
use crate::{DirectoryError, User, UserDraft, create_user, find_group, find_user};

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn ids() -> NewId {
    let next = AtomicU64::new(1 << 40);
    Arc::new(move || Uuid::from_u128(u128::from(next.fetch_add(1, Ordering::Relaxed))))
}

async fn users_with(store: &Store, text: impl Into<Vec<u8>>, options: &ImportOptions) -> ImportReport {
    users_in(store, text, Format::Csv, options).await.unwrap()
}

async fn users_in(
    store: &Store,
    text: impl Into<Vec<u8>>,
    format: Format,
    options: &ImportOptions,
) -> Result<ImportReport, ImportError> {
    let (objects, ids, now) = (Objects::Users, shared_ids(store).await, now());
    Import { store, objects, format, options, ids, now }.run(Cursor::new(text.into()), |_| {}).await
}

/// An import of a table.
fn table<'a>(store: &'a Store, objects: Objects, options: &'a ImportOptions) -> Import<'a> {
    Import { store, objects, format: Format::Csv, options, ids: ids(), now: now() }
}

/// Ids above those of the users there are.
async fn shared_ids(store: &Store) -> NewId {
    let start = head(store).await.unsigned_abs() << 20;
    let next = AtomicU64::new(1 + start);
    Arc::new(move || Uuid::from_u128(u128::from(next.fetch_add(1, Ordering::Relaxed))))
}

async fn users(store: &Store, text: impl Into<Vec<u8>>) -> ImportReport {
    users_with(store, text, &ImportOptions::default()).await
}

async fn head(store: &Store) -> i64 {
    let head = store.write(|tx| {
        number_changes(tx, DIRECTORY_FEED)?;
        feed_head(tx, DIRECTORY_FEED)
    });
    head.await.map_err(|error: store::StoreError| error.to_string()).unwrap()
}

async fn user(store: &Store, name: &'static str) -> User {
    store.read(move |tx| find_user(tx, name)).await.unwrap()
}

/// Read, created, updated, unchanged, failed.
fn counts(report: &ImportReport) -> (u64, u64, u64, u64, u64) {
    assert_eq!(report.read, report.created + report.updated + report.unchanged + report.failed);
    (report.read, report.created, report.updated, report.unchanged, report.failed)
}

fn problems(report: &ImportReport) -> Vec<String> {
    report
        .problems
        .iter()
        .map(|p| format!("{} {}: {}", p.line, p.column.as_deref().unwrap_or("-"), p.message))
        .collect()
}

const DOWNLOAD: &str = "\u{feff}userPrincipalName,displayName,surname,mail,givenName,id,userType,jobTitle,department,accountEnabled,usageLocation,streetAddress,state,country,officeLocation,city,postalCode,telephoneNumber,mobilePhone,alternateEmailAddress,ageGroup,consentProvidedForMinor,legalAgeGroupClassification,companyName,creationType,directorySynced,invitationState,identityIssuer,createdDateTime\r
ann@contoso.com,Ann Ames,Ames,ann@contoso.com,Ann,00000000-0000-0000-0000-0000000000a1,Member,Engineer,\"R&D, Berlin\",True,DE,\"1 Long Road\r
Back yard\",Berlin,Germany,B 12,Berlin,10115,+49 30 1,+49 170 1,ann@home.example;ann@old.example,,,,Contoso,,True,,contoso.onmicrosoft.com,1/2/2024 3:04:05 PM\r
bob_fabrikam.com#EXT#@contoso.onmicrosoft.com,Bob,,bob@fabrikam.com,,00000000-0000-0000-0000-0000000000b2,Guest,,,False,,,,,,,,,,,,,,,Invitation,,Accepted,,\r
";

#[test]
fn what_entra_downloads_is_imported_and_nothing_changes_the_second_time() {
    on_both(|store| async move {
        let report = users(&store, DOWNLOAD).await;
        assert_eq!((counts(&report), problems(&report)), ((2, 2, 0, 0, 0), vec![]));
        assert_eq!(Vec::from_iter(&report.ignored_columns), ["createdDateTime", "identityIssuer"]);
        let ann = user(&store, "ANN@contoso.com").await;
        assert_eq!(ann.id.uuid().as_u128(), 0xa1);
        for (name, expected) in [
            ("department", Some("R&D, Berlin".into())),
            ("streetAddress", Some("1 Long Road\r\nBack yard".into())),
            ("physicalDeliveryOfficeName", Some("B 12".into())),
            ("otherMails", Some(serde_json::json!(["ann@home.example", "ann@old.example"]))),
            ("mailNickname", Some("ann".into())),
            ("onPremisesSyncEnabled", Some(true.into())),
            ("ageGroup", None),
        ] {
            assert_eq!(ann.attribute(name), expected, "{name}");
        }
        let guest = user(&store, "bob_fabrikam.com#EXT#@contoso.onmicrosoft.com").await;
        assert_eq!((guest.account_enabled, guest.attribute("userType")), (false, Some("Guest".into())));

        let before = head(&store).await;
        let again = users(&store, DOWNLOAD).await;
        assert_eq!((counts(&again), head(&store).await), ((2, 0, 0, 2, 0), before));
    });
}

#[test]
fn a_bad_row_is_named_and_loses_no_good_one() {
    on_both(|store| async move {
        let text = "userPrincipalName,displayName,department,accountEnabled,usageLocation\n\
            ann@c.com,Ann,Sales,Yes,\n\
            \n\
            bad,Bad,,,\n\
            short@c.com,Short\n\
            cal@c.com,Cal,,perhaps,\n\
            dan@c.com,,,,\n\
            ,Nobody,,,\n\
            ANN@c.com,Twin,,,\n\
            eve@c.com,Eve,,,DEU\n\
            ,,,,\n\
            fay@c.com,\"F\na\ny\",,0,\n\
            \u{e9}\"x,Gil,,,\n\
            gus@c.com,Gus,,1,";
        let mut bytes = text.as_bytes().to_vec();
        let broken = text.find('\u{e9}').unwrap();
        bytes[broken] = 0xFF;
        let report = users(&store, bytes.clone()).await;
        assert_eq!(counts(&report), (11, 3, 0, 0, 8));
        assert_eq!(
            problems(&report),
            [
                r#"4 userPrincipalName: userPrincipalName "bad" is not of the form name@domain"#,
                "5 -: the row has another number of fields than the header: 2 instead of 5",
                r#"6 accountEnabled: accountEnabled is "perhaps"; it can be true or false"#,
                "7 displayName: displayName is empty",
                "8 userPrincipalName: userPrincipalName is empty",
                "9 userPrincipalName: userPrincipalName is the same as on line 2",
                "10 usageLocation: usageLocation has 3 characters; it can have 2",
                "15 userPrincipalName: userPrincipalName is not UTF-8; save the file as UTF-8",
            ]
        );
        assert_eq!(user(&store, "fay@c.com").await.display_name, "F\na\ny");
        assert_eq!(counts(&users(&store, bytes).await), (11, 0, 0, 3, 8));
    });
}

#[test]
fn managers_may_come_later_in_the_file_or_never() {
    on_both(|store| async move {
        let text = "userPrincipalName,displayName,manager\n\
            ann@c.com,Ann,bob@c.com\nbob@c.com,Bob,CAL@c.com\ncal@c.com,Cal,ann@c.com\n\
            dan@c.com,Dan,nobody@c.com\neve@c.com,Eve,eve@c.com\n";
        for options in [ImportOptions { dry_run: true, ..ImportOptions::default() }, ImportOptions::default()] {
            let report = users_with(&store, text, &options).await;
            assert_eq!((counts(&report), report.without_manager), ((5, 4, 0, 0, 1), 1));
            assert_eq!(
                problems(&report),
                [
                    "5 manager: no user is named \"nobody@c.com\"; the row was imported without its manager",
                    "6 manager: manager cannot be the user's own",
                ]
            );
        }
        for (name, boss) in [("ann@c.com", "bob@c.com"), ("bob@c.com", "cal@c.com"), ("cal@c.com", "ann@c.com")] {
            assert_eq!(user(&store, name).await.manager, Some(user(&store, boss).await.id));
        }
        let before = head(&store).await;
        assert_eq!(counts(&users(&store, text).await), (5, 0, 0, 4, 1));
        assert_eq!(head(&store).await, before);

        let moved = "userPrincipalName,displayName,manager\nann@c.com,Ann,new@c.com\nbob@c.com,Bob,\nnew@c.com,New,\n";
        for options in [ImportOptions { dry_run: true, ..ImportOptions::default() }, ImportOptions::default()] {
            assert_eq!(counts(&users_with(&store, moved, &options).await), (3, 1, 2, 0, 0));
        }
        assert_eq!(user(&store, "bob@c.com").await.manager, None);
    });
}

#[test]
fn a_dry_run_says_what_an_import_would_do() {
    on_both(|store| async move {
        users(&store, "userPrincipalName,displayName,department\nann@c.com,Ann,Sales\nbob@c.com,Bob,Sales\n").await;
        let before = head(&store).await;
        let text = "userPrincipalName,displayName,department\nann@c.com,Ann,Support\nbob@c.com,Bob,Sales\ncal@c.com,Cal,\ncal@c.com,Cal,\n";
        let dry = users_with(&store, text, &ImportOptions { dry_run: true, ..ImportOptions::default() }).await;
        assert_eq!((counts(&dry), head(&store).await), ((4, 1, 1, 1, 1), before));
        let real = users(&store, text).await;
        assert_eq!(real, ImportReport { dry_run: false, ..dry });
        assert_eq!(head(&store).await, before + 2);
    });
}

#[test]
fn headers_of_templates_and_of_other_spreadsheets() {
    on_both(|store| async move {
        let template = "version:v1.0,,,\n\
            User name [userPrincipalName] Required,Name [displayName] Required,Initial password [passwordProfile] Required,Block sign in (Yes/No) [accountEnabled] Required\n\
            Example: chris@contoso.com,Chris Green,myPassword1234,No\n\
            ann@c.com,Ann,secret,Yes\n";
        let report = users(&store, template).await;
        assert_eq!((counts(&report), problems(&report)), ((1, 1, 0, 0, 0), vec![]));
        assert!(!user(&store, "ann@c.com").await.account_enabled);
        for text in [
            "USERPRINCIPALNAME;DisplayName;Department\nbob@c.com;Bob;A, B\n",
            "userPrincipalName\tdisplayName\tdepartment\nbob@c.com\tBob\tA, B\n",
        ] {
            assert_eq!(counts(&users(&store, text).await).4, 0);
            assert_eq!(user(&store, "bob@c.com").await.attribute("department"), Some("A, B".into()));
        }
    });
}

#[test]
fn a_file_that_cannot_be_one_is_refused_before_anything_is_imported() {
    on_both(|store| async move {
        let utf16: Vec<u8> = "userPrincipalName\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let long = format!("userPrincipalName,{}\n", "x".repeat(RECORD_BYTES_MAX));
        for (bytes, expected) in [
            (b"".to_vec(), "the file is empty"),
            (
                b"name,mail\nann@c.com,x\n".to_vec(),
                r#"the column userPrincipalName is missing; add it, or give its column that name: the file has "name", "mail""#,
            ),
            (
                b"userPrincipalName,mobile,mobilePhone\na@c.d,,\n".to_vec(),
                r#"the columns "mobile" and "mobilePhone" mean the same"#,
            ),
            ([&[0xFF, 0xFE][..], &utf16].concat(), "the file is encoded in UTF-16; save it as UTF-8"),
            (utf16, "the file is encoded in UTF-16; save it as UTF-8"),
            (
                b"userPrincipalName,\xE4\n".to_vec(),
                "line 1 is not in UTF-8: the file seems to be encoded in Windows-1252",
            ),
            (b"userPrincipalName,\xFF\n".to_vec(), "the first line names no columns: it is not UTF-8"),
            (long.into_bytes(), "the first line names no columns: it is too long"),
        ] {
            let error = users_in(&store, bytes, Format::Csv, &ImportOptions::default()).await.unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        }
        assert_eq!(head(&store).await, 0);
    });
}

#[test]
fn what_an_open_quote_takes_along_is_told() {
    on_both(|store| async move {
        let row = |name: &str| format!("{name}@c.com,{name}\n");
        for (end, expected) in [
            ("", "3 -: a quote is left open up to the end of the file (lines 3 to 5 were not read)"),
            ("dan@c.com,Dan", "3 -: a quote is left open up to the end of the file (lines 3 to 6 were not read)"),
        ] {
            let text =
                ["userPrincipalName,displayName\n", &row("ann"), "\"bob@c.com,Bob\n", &row("cy"), &row("dee"), end];
            assert_eq!(problems(&users(&store, text.concat()).await), [expected]);
        }
        let one = "userPrincipalName,displayName\nann@c.com,\"Ann\n";
        assert_eq!(problems(&users(&store, one).await), ["2 -: a quote is left open up to the end of the file"]);
    });
}

#[test]
fn an_import_that_is_stopped_has_written_what_it_told() {
    on_both(|store| async move {
        let mut file = "userPrincipalName,displayName\n".to_owned();
        (0..3000).for_each(|number| writeln!(file, "p{number}@c.com,P").unwrap());
        let file = Cursor::new(file);
        let options = ImportOptions::default();
        let (told, (tell, stop)) = (Cell::new(0), watch::channel(false));
        let progress = |progress: Progress| {
            told.set(progress.rows);
            tell.send_replace(progress.rows >= 1000);
        };
        let ended = table(&store, Objects::Users, &options).run_until(file, progress, stop).await;
        assert!(matches!(ended, Err(ImportError::Stopped)), "{ended:?}");
        let there = store.read(store::users::count_users).await.unwrap().0;
        assert_eq!((told.get(), there), (1000, 1000));
    });
}

#[test]
fn a_long_text_makes_nobody_and_takes_nobody_along() {
    on_both(|store| async move {
        let text = "evil@c.com,Evil\n".repeat(RECORD_BYTES_MAX / 16);
        let file = format!("userPrincipalName,displayName\nann@c.com,\"{text}\"\neve@c.com,Eve\n");
        let report = users(&store, file).await;
        let last = 2 + RECORD_BYTES_MAX / 16;
        let told = format!("row is longer than 1048576 bytes; is a quote left open? (lines 2 to {last} were not read)");
        assert!(problems(&report)[0].ends_with(&told), "{:?}", problems(&report));
        assert_eq!((report.created, report.failed), (1, 1));
    });
}

#[test]
fn a_file_whose_lines_end_in_cr_alone_is_refused() {
    on_both(|store| async move {
        let file = "userPrincipalName,displayName\rann@c.com,Ann\r";
        let refused = users_in(&store, file, Format::Csv, &ImportOptions::default()).await.unwrap_err().to_string();
        assert!(refused.contains("CR alone"), "{refused}");
    });
}

#[test]
fn broken_json_is_told_by_the_line_of_the_file() {
    on_both(|store| async move {
        let text = "{\"userPrincipalName\":\"ann@c.com\",\"displayName\":\"Ann\"}\n{\"userPrincipalName\":}\n";
        let options = ImportOptions::default();
        let report = users_in(&store, text, Format::JsonLines, &options).await.unwrap();
        assert_eq!(problems(&report), ["2 -: the line is no JSON object: expected value at character 22"]);
    });
}

#[test]
fn a_huge_row_or_field_is_left_out() {
    on_both(|store| async move {
        let field = "x".repeat(FIELD_BYTES_MAX + 1);
        let row = "x".repeat(RECORD_BYTES_MAX + 1);
        let text = format!("userPrincipalName,displayName\n{row},X\nann@c.com,{field}\nbob@c.com,Bob\n");
        let report = users(&store, text).await;
        assert_eq!(counts(&report), (3, 1, 0, 0, 2));
        assert_eq!(
            problems(&report),
            [
                "2 -: the row is longer than 1048576 bytes; is a quote left open?",
                "3 displayName: displayName is longer than 65536 bytes"
            ]
        );
    });
}

#[test]
fn ids_name_users_first_and_names_after_them() {
    on_both(|store| async move {
        let text = "id,userPrincipalName,displayName\n\
            00000000-0000-0000-0000-000000000001,ann@c.com,Ann\n00000000-0000-0000-0000-000000000002,bob@c.com,Bob\n";
        users(&store, text).await;
        let renamed = "id,userPrincipalName,displayName\n\
            00000000-0000-0000-0000-000000000001,ann.ames@c.com,Ann\n\
            00000000-0000-0000-0000-000000000009,bob@c.com,Bob B\n\
            00000000-0000-0000-0000-000000000001,cal@c.com,Cal\n\
            x,dan@c.com,Dan\n";
        let report = users(&store, renamed).await;
        assert_eq!(counts(&report), (4, 0, 2, 0, 2));
        assert_eq!(problems(&report)[0], "4 id: id is the same as on line 2");
        assert!(problems(&report)[1].starts_with("5 id: id is no object id"));
        assert_eq!(user(&store, "ann.ames@c.com").await.id.uuid().as_u128(), 1);
        assert_eq!(user(&store, "bob@c.com").await.id.uuid().as_u128(), 2);
        store.write(|tx| crate::delete_user(tx, store::UserId::new(Uuid::from_u128(1)), now())).await.unwrap();
        let refused = users(&store, renamed).await;
        assert!(problems(&refused)[0].ends_with("is soft-deleted; restore it first"), "{refused:?}");
    });
}

#[test]
fn empty_cells_clear_or_leave_alone() {
    on_both(|store| async move {
        users(&store, "userPrincipalName,displayName,department\nann@c.com,Ann,Sales\n").await;
        let text = "userPrincipalName,department\nann@c.com,\n";
        let keep = ImportOptions { empty_clears: false, ..ImportOptions::default() };
        assert_eq!(counts(&users_with(&store, text, &keep).await), (1, 0, 0, 1, 0));
        assert_eq!(counts(&users(&store, text).await), (1, 0, 1, 0, 0));
        assert_eq!(user(&store, "ann@c.com").await.attribute("department"), None);
    });
}

#[test]
fn json_lines() {
    on_both(|store| async move {
        let text = r#"
{"userPrincipalName":"ann@c.com","displayName":"Ann","otherMails":["a@b.c"],"shoeSize":44,"manager":"bob@c.com"}
{"userPrincipalName":"bob@c.com","displayName":"Bob","accountEnabled":false,"employeeId":7}
{"userPrincipalName":"cal@c.com","displayName":["a","b"]}
{"displayName":"Dan"}
{"userPrincipalName":"eve@c.com","displayName":"Eve","mobile":"1","mobilePhone":"2"}
not json
["list"]
"#;
        let options = ImportOptions::default();
        let report = users_in(&store, text, Format::JsonLines, &options).await.unwrap();
        assert_eq!(counts(&report), (7, 2, 0, 0, 5));
        let said = problems(&report);
        assert_eq!(said[0], "4 displayName: displayName is a list where a text is wanted");
        assert_eq!(said[1], "5 userPrincipalName: userPrincipalName is missing");
        assert_eq!(said[2], "6 mobilePhone: mobilePhone stands twice in the object");
        assert!(said[3].starts_with("7 -: the line is no JSON object"), "{}", said[3]);
        assert_eq!(Vec::from_iter(&report.ignored_columns), ["shoeSize"]);
        let ann = user(&store, "ann@c.com").await;
        assert_eq!(ann.manager, Some(user(&store, "bob@c.com").await.id));
        let deep = "[".repeat(100_000);
        let report = users_in(&store, deep, Format::JsonLines, &options).await.unwrap();
        assert_eq!(counts(&report), (1, 0, 0, 0, 1));
    });
}

#[test]
fn groups_and_their_members() {
    on_both(|store| async move {
        users(&store, "userPrincipalName,displayName\nann@c.com,Ann\nbob@c.com,Bob\n").await;
        let options = ImportOptions::default();
        let groups =
            "displayName,description,securityEnabled\nSales,People who sell,true\nsales,Twin,true\nNews,,False\n";
        for expected in [(3, 2, 0, 0, 1), (3, 0, 0, 2, 1)] {
            let report = table(&store, Objects::Groups, &options).run(groups.as_bytes(), |_| {}).await.unwrap();
            assert_eq!(counts(&report), expected);
            assert_eq!(problems(&report), ["3 displayName: displayName is the same as on line 2"]);
        }
        let members = "groupDisplayName,userPrincipalName\nSales,ann@c.com\nSALES,bob@c.com\nSales,News\nNews,Sales\n\
            Sales,nobody@c.com\nNowhere,ann@c.com\nsales,ANN@c.com\n,ann@c.com\n";
        for expected in [(8, 3, 0, 1, 4), (8, 0, 0, 4, 4)] {
            let report = table(&store, Objects::Members, &options).run(members.as_bytes(), |_| {}).await.unwrap();
            assert_eq!((counts(&report), report.problems.len()), (expected, 4), "{report:?}");
        }
        let twice = format!("groupDisplayName,member\n{}", "News,bob@c.com\n".repeat(BATCH_ROWS + 2));
        let dry = ImportOptions { dry_run: true, ..ImportOptions::default() };
        let report = table(&store, Objects::Members, &dry).run(Cursor::new(twice), |_| {}).await.unwrap();
        let again = BATCH_ROWS as u64 + 1;
        assert_eq!(counts(&report), (again + 1, 1, 0, again, 0), "what stands twice is there already");
        let people = &b"userPrincipalName,displayName,mail\nann@c.com,Ann,\n"[..];
        let refused = table(&store, Objects::Groups, &options).run(people, |_| {}).await.unwrap_err();
        assert!(refused.to_string().ends_with("import it with lockstep import users"), "{refused}");
        let download = "id,userPrincipalName,displayName,userType,isUser,isGroup,isGuest\n\
            00000000-0000-0000-0000-00000000dead,ann@c.com,Ann,Member,True,False,False\n";
        let missing = table(&store, Objects::Members, &options).run(download.as_bytes(), |_| {}).await.unwrap_err();
        assert!(missing.to_string().starts_with("the column groupDisplayName is missing"), "{missing}");
        let news = ImportOptions { group: Some("news".to_owned()), ..options };
        let report = table(&store, Objects::Members, &news).run(download.as_bytes(), |_| {}).await.unwrap();
        assert_eq!(counts(&report), (1, 1, 0, 0, 0));
        let count = |name: &'static str| {
            store.read(move |tx| {
                let group = find_group(tx, name)?.id;
                Ok::<_, DirectoryError>(stored_groups::members_after(tx, group, None, 9)?.len())
            })
        };
        assert_eq!((count("Sales").await.unwrap(), count("News").await.unwrap()), (3, 1));
    });
}

#[test]
fn many_rows_in_many_batches() {
    on_both(|store| async move {
        const ROWS: u64 = 1_234;
        let mut text = "userPrincipalName,displayName,department,manager\n".to_owned();
        for number in 0..ROWS {
            let manager = (number + 600) % ROWS;
            writeln!(text, "u{number}@c.com,User {number},D{},u{manager}@c.com", number % 7).unwrap();
        }
        let rows = std::sync::Mutex::new(Vec::new());
        let options = ImportOptions::default();
        let told = |progress: Progress| rows.lock().unwrap().push(progress.rows);
        let input = Cursor::new(text.clone());
        let report = table(&store, Objects::Users, &options).run(input, told).await.unwrap();
        assert_eq!((counts(&report), report.without_manager), ((ROWS, ROWS, 0, 0, 0), 0));
        assert_eq!(*rows.lock().unwrap(), [BATCH_ROWS as u64, 2 * BATCH_ROWS as u64, ROWS]);
        let boss = user(&store, "u600@c.com").await.id;
        assert_eq!(user(&store, "u0@c.com").await.manager, Some(boss));
        let before = head(&store).await;
        assert_eq!(counts(&users(&store, text).await), (ROWS, 0, 0, ROWS, 0));
        assert_eq!(head(&store).await, before);
        let kinds = store.read(|tx| changes_after(tx, DIRECTORY_FEED, 0, 10_000)).await;
        let kinds: Vec<store::Change> = kinds.map_err(|e: store::StoreError| e.to_string()).unwrap();
        assert!(kinds.iter().all(|change| change.object == ObjectKind::User));
    });
}

/// A file that breaks off.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the stick was pulled out"))
    }
}

fn numbered(rows: usize) -> String {
    let mut text = "userPrincipalName,displayName\n".to_owned();
    for number in 0..rows {
        writeln!(text, "u{number}@c.com,User {number}").unwrap();
    }
    text
}

#[test]
fn what_came_before_a_broken_end_is_kept() {
    on_both(|store| async move {
        // The beginning is looked at before the first row; what is long enough breaks only after it.
        let note = "x".repeat(4 << 10);
        let long = numbered(BATCH_ROWS + 1).replace('\n', &format!(",{note}\n"));
        let input = Cursor::new(long).chain(Broken);
        let options = ImportOptions::default();
        let ended = table(&store, Objects::Users, &options).run(input, |_| {}).await.unwrap_err();
        assert_eq!(ended.to_string(), "the file cannot be read: the stick was pulled out");
        let count = store.read(store::users::count_users).await;
        assert_eq!(count.map_err(|e: store::StoreError| e.to_string()), Ok((BATCH_ROWS as u64, 0)));
    });
}

#[test]
fn two_imports_of_the_same_people_at_the_same_time_make_each_once() {
    on_both(|store| async move {
        const ROWS: usize = 2 * BATCH_ROWS;
        let options = ImportOptions::default();
        let low: NewId = {
            let next = AtomicU64::new(1);
            Arc::new(move || Uuid::from_u128(u128::from(next.fetch_add(1, Ordering::Relaxed))))
        };
        let one = table(&store, Objects::Users, &options);
        let other = Import { ids: low, ..table(&store, Objects::Users, &options) };
        let rows = || Cursor::new(numbered(ROWS));
        let (one, other) = tokio::join!(one.run(rows(), |_| {}), other.run(rows(), |_| {}));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!(one.created + other.created, ROWS as u64);
        assert_eq!(one.unchanged + other.unchanged, ROWS as u64);
    });
}

#[test]
fn the_report_lists_so_many_problems_and_counts_the_rest() {
    on_both(|store| async move {
        let text = format!("userPrincipalName,displayName\n{}", "x,X\n".repeat(PROBLEMS_MAX + 5));
        let report = users(&store, text).await;
        assert_eq!((report.problems.len(), report.further_problems), (PROBLEMS_MAX, 5));
        let columns: Vec<String> = (0..IGNORED_MAX + 5).map(|n| format!("c{n}")).collect();
        let report = users(&store, format!("userPrincipalName,{}\n", columns.join(","))).await;
        assert_eq!(report.ignored_columns.len(), IGNORED_MAX);
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["read"], &json["furtherProblems"]), (&0.into(), &0.into()));
    });
}

#[test]
fn no_bytes_make_an_import_panic() {
    let database = TestDatabase::sqlite();
    let store = database.open();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let text = "[a-c@.,;\"\\n\\[\\]{}:é\\x00]{0,80}";
    let header = prop_oneof![Just(String::new()), Just("userPrincipalName,displayName,manager\n".to_owned())];
    let inputs = (header, prop_oneof![text.prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..80)]);
    proptest!(|((header, body) in inputs, lines in any::<bool>())| {
        let bytes = [header.as_bytes(), &body].concat();
        let format = if lines { Format::JsonLines } else { Format::Csv };
        let options = ImportOptions::default();
        runtime.block_on(async {
            drop(users_in(&store, bytes.clone(), format, &options).await);
            for objects in [Objects::Groups, Objects::Members] {
                let import = Import { format, ..table(&store, objects, &options) };
                drop(import.run(Cursor::new(bytes.clone()), |_| {}).await);
            }
        });
    });
    let draft = UserDraft::new("still@alive.com", "Still alive");
    let made = store.write(move |tx| create_user(tx, store::UserId::new(Uuid::from_u128(7)), &draft, now()));
    assert!(runtime.block_on(made).is_ok());
}
