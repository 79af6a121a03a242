//! Both databases end in the same schema, an old or foreign one is told apart, and opening is safe at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{CREATE_VERSIONS, MIGRATIONS, SCHEMA_VERSION};
use crate::resources::ResourceKind;
use crate::testing::{TestDatabase, databases, numbered, postgres_client, second, sqlite_connection};
use uuid::Uuid;

use crate::links::{self, LinkState};
use crate::{AppId, Database, ObjectId, ObjectKind, ResourceId, Store, StoreError, tenants};

/// Tables that only PostgreSQL needs: its writers append changes without waiting for each other.
const ONLY_POSTGRES: [&str; 2] = ["changes_unnumbered", "feeds"];

/// The column that only SQLite needs: where a resource lies. PostgreSQL's rows move with each change.
const ONLY_SQLITE: &str = "row_id";

/// Table and column, with whether it may be null and the type's name.
type Columns = BTreeMap<(String, String), (bool, String)>;

fn names(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into()).collect();
    names.sort();
    names
}

#[test]
fn both_folders_hold_the_migrations_that_the_program_runs() {
    let listed: Vec<String> = MIGRATIONS.iter().map(|migration| format!("{}.sql", migration.name)).collect();
    assert_eq!(names("sqlite"), listed);
    assert_eq!(names("postgres"), listed);
    assert_eq!(usize::try_from(SCHEMA_VERSION), Ok(MIGRATIONS.len()));
}

fn sqlite_columns(connection: &rusqlite::Connection) -> Columns {
    let text = "SELECT t.name, c.name, c.\"notnull\" = 0 AND c.pk = 0, c.type FROM sqlite_schema t, pragma_table_info(t.name) c
                WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
    let mut statement = connection.prepare(text).unwrap();
    let rows = statement.query_map([], |row| {
        let kind = match row.get::<_, String>(3)?.as_str() {
            "INTEGER" | "BIGINT" => "bigint",
            "TEXT" => "text",
            "BLOB" => "bytes",
            other => panic!("no PostgreSQL type stands for {other}"),
        };
        Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, kind.to_owned())))
    });
    let all = rows.unwrap().map(Result::unwrap);
    all.filter(|((_, column), _): &((String, String), _)| column != ONLY_SQLITE).collect()
}

fn postgres_columns(client: &mut postgres::Client) -> Columns {
    let text = "SELECT table_name::text, column_name::text, is_nullable = 'YES', data_type::text FROM information_schema.columns
                WHERE table_schema = current_schema()";
    let rows = client.query(text, &[]).unwrap();
    let column = |row: &postgres::Row| {
        let kind: String = row.get(3);
        let kind = if kind == "uuid" || kind == "bytea" { "bytes".to_owned() } else { kind };
        ((row.get(0), row.get(1)), (row.get(2), kind))
    };
    let all: Columns = rows.iter().map(column).collect();
    all.into_iter().filter(|((table, _), _)| !ONLY_POSTGRES.contains(&table.as_str())).collect()
}

/// The indexes that have a name of ours, with their columns in order, whether they are unique, and whether partial.
type Indexes = BTreeMap<String, (Vec<String>, bool, bool)>;

fn sqlite_indexes(connection: &rusqlite::Connection) -> Indexes {
    let text = "SELECT i.name, c.name, i.\"unique\", i.partial FROM sqlite_schema t, pragma_index_list(t.name) i, pragma_index_info(i.name) c
                WHERE t.type = 'table' AND i.origin = 'c' ORDER BY i.name, c.seqno";
    let mut found = Indexes::new();
    let mut statement = connection.prepare(text).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let entry = found.entry(row.get(0).unwrap()).or_default();
        entry.0.push(row.get(1).unwrap());
        (entry.1, entry.2) = (row.get(2).unwrap(), row.get(3).unwrap());
    }
    found
}

fn postgres_indexes(client: &mut postgres::Client) -> Indexes {
    let text = "SELECT n.relname::text, array_agg(a.attname::text ORDER BY a.attnum), bool_or(i.indisunique), bool_or(i.indpred IS NOT NULL)
                FROM pg_index i JOIN pg_class n ON n.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = i.indexrelid
                WHERE n.relnamespace = current_schema()::regnamespace AND NOT i.indisprimary AND t.relname <> ALL ($1) GROUP BY n.relname";
    let rows = client.query(text, &[&ONLY_POSTGRES.as_slice()]).unwrap();
    rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2), row.get(3)))).collect()
}

#[test]
fn both_databases_end_in_the_same_tables_columns_and_indexes() {
    let made = databases();
    let [sqlite, postgres] = made.as_slice() else { return };
    drop((sqlite.open(), postgres.open()));
    let (sqlite, mut postgres) = (sqlite_connection(sqlite).unwrap(), postgres_client(postgres).unwrap());
    assert_eq!(sqlite_columns(&sqlite), postgres_columns(&mut postgres));
    assert_eq!(sqlite_indexes(&sqlite), postgres_indexes(&mut postgres));
}

#[test]
fn indexed_text_has_the_order_of_its_bytes() {
    for database in databases() {
        drop(database.open());
        let Some(mut client) = postgres_client(&database) else { continue };
        let text = "SELECT t.relname || '.' || a.attname FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey)
                    WHERE t.relnamespace = current_schema()::regnamespace AND a.atttypid = 'text'::regtype AND a.attcollation <> '\"C\"'::regcollation";
        let others: Vec<String> = client.query(text, &[]).unwrap().iter().map(|row| row.get(0)).collect();
        assert!(others.is_empty(), "{others:?} need COLLATE \"C\"");
    }
}

#[test]
fn the_planners_figures_name_indexes_and_fit_their_columns() {
    let database = TestDatabase::sqlite();
    drop(database.open());
    let connection = sqlite_connection(&database).unwrap();
    let text = "SELECT s.idx, s.stat, (SELECT COUNT(*) FROM pragma_index_info(l.name)), l.origin FROM sqlite_stat1 s
                LEFT JOIN pragma_index_list(s.tbl) l ON l.name = s.idx OR (l.origin = 'pk' AND s.idx = s.tbl)";
    let mut statement = connection.prepare(text).unwrap();
    let mut rows = statement.query([]).unwrap();
    let mut seen = 0;
    while let Some(row) = rows.next().unwrap() {
        let (index, figures): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        let columns: Option<i64> = row.get(2).unwrap();
        let figures = i64::try_from(figures.split(' ').count()).unwrap();
        assert_eq!(Some(figures), columns.map(|columns| columns + 1), "{index}");
        seen += 1;
    }
    assert!(seen > 0);
}

/// Runs text on a database that no store opened.
fn run(database: &TestDatabase, text: &str) {
    if let Some(connection) = sqlite_connection(database) {
        connection.execute_batch(text).unwrap();
    }
    if let Some(mut client) = postgres_client(database) {
        client.batch_execute(text).unwrap();
    }
}

/// Brings an empty database to the schema before that migration.
fn before(database: &TestDatabase, name: &str) {
    run(database, CREATE_VERSIONS);
    let is_sqlite = matches!(database.database(), Database::Sqlite(_));
    if is_sqlite {
        run(database, "PRAGMA application_id = 0x4C4F434B");
    }
    for (version, migration) in (1..).zip(MIGRATIONS).take_while(|(_, migration)| migration.name != name) {
        run(database, if is_sqlite { migration.sqlite } else { migration.postgres });
        run(database, &format!("INSERT INTO schema_versions (version, name) VALUES ({version}, '{}')", migration.name));
    }
    run(database, "INSERT INTO tenants (name, profile, settings, created) VALUES ('one', 'generic', '{}', 0)");
}

/// The users of the one tenant that have a key at a path.
fn found(store: &Store, path: &'static str, key: &'static str) -> Vec<ResourceId> {
    let found = store.read(move |tx| {
        let tenant = tenants::tenants(tx)?[0].key;
        crate::listing::by_key(tx, tenant, ResourceKind::User, (path, key), 9)
    });
    let found = tokio::runtime::Runtime::new().unwrap().block_on(found).unwrap();
    found.into_iter().map(|resource| resource.id).collect()
}

/// A row is missing in between, so that numbers given anew would differ.
#[test]
fn keys_of_an_older_schema_lead_to_their_resources_also_after_a_vacuum() {
    let database = TestDatabase::sqlite();
    before(&database, "0010_key_rows");
    let fill = "INSERT INTO resources (tenant, kind, id, doc, version, created, modified) VALUES
          (1, 1, unhex('00000000000000000000000000000001'), '{}', 1, 0, 0),
          (1, 1, unhex('00000000000000000000000000000002'), '{}', 1, 0, 0);
        INSERT INTO resource_keys (tenant, kind, path, key, id) SELECT 1, 1, 'externalId', 'e-' || hex(id), id FROM resources;
        INSERT INTO resource_keys (tenant, kind, path, key, id) VALUES (1, 1, 'externalId', 'nobody', unhex('03'));
        DELETE FROM resources WHERE id = unhex('00000000000000000000000000000001')";
    run(&database, fill);
    drop(database.open());
    sqlite_connection(&database).unwrap().execute_batch("VACUUM").unwrap();
    assert_eq!(found(&database.open(), "externalId", "e-00000000000000000000000000000002"), [numbered(2)]);
}

#[test]
fn keys_under_the_paths_of_an_older_schema_are_found() {
    const EMPLOYEE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber";
    let paths = ["externalId", "emails.value", "displayName", EMPLOYEE, "title"];
    for database in databases() {
        before(&database, "0012_key_paths");
        let is_sqlite = matches!(database.database(), Database::Sqlite(_));
        let (id, row, number) = if is_sqlite {
            ("unhex('00000000000000000000000000000001')", ", row_id", ", 1")
        } else {
            ("'00000000-0000-0000-0000-000000000001'", "", "")
        };
        let rows = format!(
            "INSERT INTO resources (tenant, kind, id, doc, version, created, modified) VALUES (1, 1, {id}, '{{}}', 1, 0, 0);"
        );
        run(&database, &rows);
        for path in paths {
            let key = format!(
                "INSERT INTO resource_keys (tenant, kind, path, key, id{row}) VALUES (1, 1, '{path}', 'x', {id}{number})"
            );
            run(&database, &key);
        }
        let store = database.open();
        for path in paths {
            assert_eq!(found(&store, path, "x"), [numbered(1)], "{path}");
        }
        drop(store);
        run(&database, "DELETE FROM resource_keys WHERE place IN ('1', '2', '3', '4', 'title')");
        let store = database.open();
        assert_eq!(paths.map(|path| found(&store, path, "x").len()), [0; 5], "no other forms of them are kept");
    }
}

/// The action, status and document of a record of the log.
type Told = (&'static str, &'static str, &'static str);

/// Who was let go by an older program, as its log tells, the oldest record first.
const LET_GO: [(&[Told], LinkState); 8] = [
    (&[("disable", "success", "{}"), ("other", "skipped", "NotInScope")], LinkState::Released),
    (&[("other", "skipped", "no mapping of IsSoftDeleted switches accounts off, so")], LinkState::LeftActive),
    (
        &[("other", "skipped", "the job does not allow Update"), ("other", "skipped", "NotInScope")],
        LinkState::LeftActive,
    ),
    (
        &[("other", "skipped", "no mapping of IsSoftDeleted switches accounts off, so"), ("disable", "success", "{}")],
        LinkState::Released,
    ),
    (
        &[
            ("other", "skipped", "no mapping of IsSoftDeleted switches accounts off, so"),
            ("other", "skipped", "The account was read from the target; NotInScope"),
        ],
        LinkState::Released,
    ),
    (
        &[
            ("other", "skipped", "no mapping of IsSoftDeleted switches accounts off, so"),
            ("other", "skipped", "The account was read from the target; the job does not allow Update"),
        ],
        LinkState::LeftActive,
    ),
    (&[("disable", "failure", "the job does not allow Update")], LinkState::Released),
    (&[], LinkState::Released),
];

#[test]
fn who_an_older_program_left_active_is_known_by_its_log() {
    for database in databases() {
        before(&database, "0015_left_active");
        let is_sqlite = matches!(database.database(), Database::Sqlite(_));
        let id = |number: usize| {
            let hex = format!("{number:032x}");
            if is_sqlite { format!("unhex('{hex}')") } else { format!("'{hex}'") }
        };
        let app = id(9);
        for (number, (records, _)) in LET_GO.iter().enumerate() {
            let user = id(100 + number);
            let link = format!(
                "INSERT INTO links (app, kind, source_id, target_id, state, attempt, at, fence, match_key, label) VALUES
                 ({app}, 1, {user}, 't{number}', 5, 1, 0, 1, '[]', 'Ann')"
            );
            run(&database, &link);
            for (place, (action, status, doc)) in records.iter().enumerate() {
                let record = format!(
                    "INSERT INTO provisioning_logs (app, id, at, cycle, action, status, kind, source_id, label, doc) VALUES
                     ({app}, {}, 0, {app}, '{action}', '{status}', 1, {user}, 'Ann', '{doc}')",
                    id(1000 + 10 * number + place)
                );
                run(&database, &record);
            }
        }
        let store = database.open();
        for (number, (records, expected)) in LET_GO.iter().enumerate() {
            let of = |number: usize| Uuid::from_u128(number as u128);
            let read = store
                .read(move |tx| links::link(tx, AppId::new(of(9)), ObjectKind::User, ObjectId::new(of(100 + number))));
            let link = tokio::runtime::Runtime::new().unwrap().block_on(read).unwrap().unwrap();
            let is_kept = *expected == LinkState::LeftActive;
            assert_eq!((link.state, link.kept), (*expected, is_kept), "{records:?}");
        }
    }
}

#[test]
fn a_newer_schema_is_refused() {
    for database in databases() {
        drop(database.open());
        let newer = "INSERT INTO schema_versions (version, name) VALUES (99, 'later')";
        if let Some(connection) = sqlite_connection(&database) {
            connection.execute_batch(newer).unwrap();
        }
        if let Some(mut client) = postgres_client(&database) {
            client.batch_execute(newer).unwrap();
        }
        let refused = Store::open(database.database()).err().unwrap();
        assert!(matches!(refused, StoreError::Newer { found: 99, known: SCHEMA_VERSION }), "{refused}");
    }
}

/// A file in a folder of its own, which goes with the test.
fn file_holding(bytes: &[u8]) -> (TestDatabase, PathBuf) {
    let database = TestDatabase::sqlite();
    let Database::Sqlite(path) = database.database() else { unreachable!("asked for SQLite") };
    std::fs::write(path, bytes).unwrap();
    let path = path.clone();
    (database, path)
}

fn folder_listing(path: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_file_of_another_program_is_refused_and_left_as_it_is() {
    let database_made_by = |statements: &str| {
        let (_folder, path) = file_holding(b"");
        rusqlite::Connection::open(&path).unwrap().execute_batch(statements).unwrap();
        std::fs::read(&path).unwrap()
    };
    for (what, bytes) in [
        ("a database without a mark", database_made_by("CREATE TABLE theirs (x)")),
        ("a database with another mark", database_made_by("PRAGMA application_id = 7; CREATE TABLE theirs (x)")),
        ("a database with a mark alone", database_made_by("PRAGMA application_id = 7")),
        ("a text", b"shopping list: milk\n".repeat(500)),
        ("a short text", b"milk".to_vec()),
        ("zeros", vec![0; 8192]),
    ] {
        let (database, path) = file_holding(&bytes);
        let refused = Store::open(database.database()).err().unwrap_or_else(|| panic!("{what} was opened"));
        assert!(matches!(&refused, StoreError::Foreign { path: named } if *named == path), "{what}: {refused}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{what} was changed");
        assert_eq!(folder_listing(&path), [path], "{what} was given companions");
    }
}

#[test]
fn an_empty_file_is_a_new_database() {
    let (database, _) = file_holding(b"");
    drop(database.open());
    drop(database.open());
}

#[test]
fn a_place_that_cannot_hold_a_file_is_unavailable() {
    let (_keeper, file) = file_holding(b"");
    let folder = file.parent().unwrap().to_owned();
    for (what, path) in [
        ("a folder", folder.clone()),
        ("in a folder that is missing", folder.join("missing").join("lockstep.db")),
        ("below a file", file.join("lockstep.db")),
    ] {
        let refused = Store::open(&Database::Sqlite(path)).err().unwrap();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{what}: {refused}");
    }
}

#[test]
fn a_server_that_is_not_there_is_unavailable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for url in [format!("postgres://lockstep@127.0.0.1:{free}/postgres"), "postgres://[".to_owned()] {
        let refused = Store::open(&Database::Postgres(url.clone())).err().unwrap();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{url}: {refused}");
    }
}

#[test]
fn many_may_open_a_new_database_at_once() {
    for database in databases() {
        let opened: Vec<Store> = std::thread::scope(|scope| {
            let opening: Vec<_> = (0..8).map(|_| scope.spawn(|| Store::open(database.database()))).collect();
            opening.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let names: BTreeSet<String> = (0..opened.len()).map(|number| format!("t{number}")).collect();
        for (store, name) in opened.iter().zip(names.clone()) {
            let made = store.write(move |tx| tenants::insert_tenant(tx, &name, "generic", "{}", second(0)));
            runtime.block_on(made).unwrap();
        }
        for store in &opened {
            let found = runtime.block_on(store.read(tenants::tenants)).unwrap();
            assert_eq!(found.into_iter().map(|tenant| tenant.name).collect::<BTreeSet<_>>(), names);
        }
    }
}
