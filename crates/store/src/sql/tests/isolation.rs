//! The walls between tenants as the databases see them (TI-03), and whose word counts on letters (SU-09).

use std::collections::BTreeSet;

use super::{TENANT_TABLES, all, words};
use crate::listing::{self, Direction};
use crate::resources::{Chunk, ResourceKind};
use crate::testing::{databases, numbered, postgres_client, second, sqlite_connection};
use crate::{Database, Store, StoreError, TenantKey, WriteTx, members, resources, tenants};

/// Every table that has a column for the tenant, as the databases tell it.
fn tables_of_tenants() -> Vec<BTreeSet<String>> {
    let mut found = Vec::new();
    for database in databases() {
        drop(database.open());
        if let Some(sqlite) = sqlite_connection(&database) {
            let mut tables = sqlite
                .prepare("SELECT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND c.name = 'tenant'")
                .unwrap();
            found.push(tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect());
        }
        if let Some(mut postgres) = postgres_client(&database) {
            let tables = "SELECT table_name::text FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'tenant'";
            found.push(postgres.query(tables, &[]).unwrap().iter().map(|row| row.get(0)).collect());
        }
    }
    found
}

#[test]
fn ti_03_every_table_of_tenants_is_watched() {
    let watched: BTreeSet<String> = TENANT_TABLES.iter().chain(&["tenants"]).map(|name| (*name).to_owned()).collect();
    for found in tables_of_tenants() {
        assert_eq!(found, watched, "name new tables of tenants in TENANT_TABLES");
    }
}

#[test]
fn ti_03_every_statement_on_changes_names_the_feed() {
    for (name, sql) in all() {
        for text in [sql.sqlite(), sql.postgres()].iter().filter(|text| words(text).contains(&"changes")) {
            let names_feed =
                text.contains("feed = ") || text.contains("changes (feed, ") || text.contains("feed = ANY");
            assert!(names_feed, "{name}: {text}");
        }
    }
}

#[test]
fn su_09_no_statement_knows_of_letters() {
    const FOLDING: [&str; 9] =
        ["LOWER", "UPPER", "NOCASE", "ILIKE", "LIKE", "CITEXT", "NORMALIZE", "REGEXP", "SIMILAR"];
    for (name, sql) in all() {
        for text in [sql.sqlite(), sql.postgres()] {
            let found = words(text).into_iter().find(|word| FOLDING.contains(&word.to_uppercase().as_str()));
            assert_eq!(found, None, "{name}: keys are folded once, before they are stored");
        }
    }
}

const ROWS: Chunk = Chunk { rows: 9, bytes: usize::MAX };
const USER: ResourceKind = ResourceKind::User;
const GROUP: ResourceKind = ResourceKind::Group;

/// Makes a tenant with a user in a group. The ids are the same in every tenant.
fn inhabit(tx: &mut WriteTx<'_>, name: &str) -> Result<TenantKey, StoreError> {
    let tenant = tenants::insert_tenant(tx, name, "generic", "{}", second(0))?;
    move_in(tx, tenant).map(|()| tenant)
}

fn move_in(tx: &mut WriteTx<'_>, tenant: TenantKey) -> Result<(), StoreError> {
    let keys = [("externalId".into(), "7".to_owned())];
    resources::insert(tx, tenant, USER, numbered(1), Some("ann"), "{}", &keys, second(1))?;
    resources::insert(tx, tenant, GROUP, numbered(2), None, "{}", &[], second(1))?;
    let member = members::MemberRecord { id: numbered(1), kind: USER, display: None };
    members::add(tx, tenant, numbered(2), &member).map(drop)
}

/// How many rows a tenant has, by every way in: by id, unique key, key, page, count, memberships.
fn seen(tx: &mut WriteTx<'_>, tenant: TenantKey) -> Result<[usize; 7], StoreError> {
    Ok([
        resources::by_id(tx, tenant, USER, numbered(1))?.iter().count(),
        resources::by_unique_key(tx, tenant, USER, "ann")?.iter().count(),
        listing::by_key(tx, tenant, USER, ("externalId", "7"), 9)?.len(),
        listing::by_id_after(tx, tenant, USER, Direction::Up, None, ROWS)?.len(),
        usize::try_from(listing::count(tx, tenant, USER)?).unwrap_or(usize::MAX),
        members::members_after(tx, tenant, numbered(2), None, 9)?.len(),
        members::group_ids_of(tx, tenant, numbered(1), None, 9)?.len(),
    ])
}

fn block_on<T>(told: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(told)
}

/// A role that sees the rows of one tenant only: of the one that its connection names, if it names one.
fn make_role(client: &mut postgres::Client) -> String {
    let role = format!("guest_{}", std::process::id());
    let schema: String = client.query_one("SELECT current_schema()::text", &[]).unwrap().get(0);
    let role_and_rights = format!(
        "CREATE ROLE {role}; GRANT ALL ON SCHEMA {schema} TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {role}"
    );
    client.batch_execute(&role_and_rights).unwrap();
    for table in TENANT_TABLES {
        let policy = format!(
            "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
             CREATE POLICY own ON {table} TO {role} USING (tenant = current_setting('lockstep.tenant', true)::bigint)"
        );
        client.batch_execute(&policy).unwrap();
    }
    role
}

/// PostgreSQL, told to show a role the rows of one tenant only, shows the store that signs in as it what the store asks for, and
/// nothing of others: no statement needs a row of another tenant, and none gets one.
#[test]
fn ti_03_row_level_security_has_nothing_to_hide() {
    for database in databases() {
        let Database::Postgres(url) = database.database().clone() else { continue };
        let owner = database.open();
        let (ours, theirs) = block_on(async {
            let both = owner.write(|tx| Ok::<_, StoreError>((inhabit(tx, "one")?, inhabit(tx, "two")?)));
            both.await.unwrap()
        });
        let mut client = postgres_client(&database).unwrap();
        let role = make_role(&mut client);
        let sign_in =
            |setting: &str| Store::open(&Database::Postgres(format!("{url}%20-crole%3D{role}{setting}"))).unwrap();
        let (guest, nobody) = (sign_in(&format!("%20-clockstep.tenant%3D{}", ours.0)), sign_in(""));
        block_on(async {
            for (store, tenant, expected) in [(&guest, ours, [1; 7]), (&guest, theirs, [0; 7]), (&nobody, ours, [0; 7])]
            {
                assert_eq!(store.write(move |tx| seen(tx, tenant)).await.unwrap(), expected);
            }
            let written = guest.write(move |tx| {
                resources::touch(tx, theirs, USER, numbered(1), second(2))?;
                members::clear(tx, theirs, numbered(2))?;
                resources::delete(tx, theirs, USER, numbered(1), &[])
            });
            assert!(!written.await.unwrap(), "there is nothing of theirs to change");
            assert!(guest.write(move |tx| move_in(tx, theirs)).await.is_err(), "nor can anything be put there");
            assert_eq!(owner.write(move |tx| seen(tx, theirs)).await.unwrap(), [1; 7]);
        });
        drop((guest, nobody));
        client.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
    }
}
