//! Every statement of the store: both databases know it, it keeps to its tenant, and it looks no table through.

mod isolation;

use std::collections::BTreeSet;

use super::Sql;
use crate::testing::{TestDatabase, databases, postgres_client, sqlite_connection};
use crate::{
    applications, audit, changes, clients, deletions, emptied, groups, jobs, links, listing, logs, mapping_versions,
};
use crate::{
    members, reconsiderations, references, resources, schemas, settings, tenants, tokens, unique_values, users,
    webhooks,
};

const MODULES: &[(&str, &[&Sql])] = &[
    ("applications", applications::ALL),
    ("audit", audit::ALL),
    ("changes", changes::ALL),
    ("clients", clients::ALL),
    ("groups", groups::ALL),
    ("jobs", jobs::ALL),
    ("links", links::ALL),
    ("listing", listing::ALL),
    ("logs", logs::ALL),
    ("mapping_versions", mapping_versions::ALL),
    ("deletions", deletions::ALL),
    ("emptied", emptied::ALL),
    ("members", members::ALL),
    ("reconsiderations", reconsiderations::ALL),
    ("references", references::ALL),
    ("resources", resources::ALL),
    ("schemas", schemas::ALL),
    ("settings", settings::ALL),
    ("tenants", tenants::ALL),
    ("tokens", tokens::ALL),
    ("unique_values", unique_values::ALL),
    ("users", users::ALL),
    ("webhooks", webhooks::ALL),
];

/// Statements that look at a whole table, each with its reason.
const WHOLE_TABLE: &[(&str, &str)] = &[
    ("applications::ALL_APPS", "an installation has some hundred applications"),
    ("applications::ADMINS", "an installation has some administrators"),
    ("audit::LATEST", "from the end of an index, as many as asked for"),
    ("changes::NEEDED", "there are as many jobs as applications"),
    ("groups::COUNT", "a total"),
    ("groups::NESTED_GROUPS_OF", "what is found on the way up, not a table"),
    ("members::COUNT_UP_TO", "what is counted is as many as the caller's limit lets through"),
    ("tenants::TENANTS", "every tenant is wanted, by name"),
    ("users::COUNT", "a total"),
    ("webhooks::ANY", "one is enough"),
    ("webhooks::DUE", "there are as many webhooks as applications that want to be told"),
];

/// Statements that sort before they give a page, each with its reason.
const SORTED: &[(&str, &str)] = &[
    ("applications::ADMINS", "an installation has some administrators"),
    ("jobs::DUE", "jobs of two statuses are merged; there are as many as applications"),
];

/// Statements about a tenant's data that name no tenant, each with its reason.
const ACROSS_TENANTS: &[(&str, &str)] = &[
    ("tokens::TOKEN_OWNER", "the token is what tells the tenant"),
    ("clients::SECRET_OWNER", "the secret is what tells the tenant"),
    ("webhooks::ANY", "whether there is work at all is asked before whose it is"),
    ("webhooks::DUE", "who sends asks which tenants' webhooks have something to send"),
];

/// The tables whose rows belong to a tenant.
const TENANT_TABLES: &[&str] = &[
    "tokens",
    "clients",
    "client_secrets",
    "federations",
    "assertions",
    "resources",
    "resource_keys",
    "resource_counts",
    "members",
    "tenant_schemas",
    "unique_values",
    "deletions",
    "emptied_groups",
    "webhooks",
];

fn all() -> impl Iterator<Item = (String, &'static Sql)> {
    MODULES.iter().flat_map(|(module, all)| all.iter().map(move |sql| (format!("{module}::{}", sql.name), *sql)))
}

fn is_listed(list: &[(&str, &str)], name: &str) -> bool {
    list.iter().any(|(listed, _)| *listed == name)
}

/// The words of a text outside of its quoted literals.
fn words(text: &str) -> Vec<&str> {
    text.split('\'').step_by(2).flat_map(split_words).collect()
}

fn split_words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// The numbers of the placeholders in a text.
fn placeholders(text: &str, mark: char) -> BTreeSet<usize> {
    let numbers = text.split(mark).skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next());
    numbers.map(|number| number.unwrap_or_default().parse().expect("a placeholder has a number")).collect()
}

/// A page that began above the nil UUID would never show the object that has it; see `id::above`.
#[test]
fn a_page_begins_at_an_id_and_not_above_one() {
    for (name, sql) in all() {
        for text in [sql.sqlite, sql.postgres] {
            let compared: Vec<_> =
                text.match_indices(" > $").map(|(at, _)| text[..at].rsplit(' ').next().unwrap_or_default()).collect();
            // Changes are counted from one, and names are never empty.
            assert!(
                compared.iter().all(|column| ["seq", "upn_key", "unique_key"].contains(column)),
                "{name} compares {compared:?} by >"
            );
        }
    }
}

#[test]
fn every_module_with_statements_is_listed() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let files = std::fs::read_dir(source).unwrap().map(|entry| entry.unwrap().path());
    let with_statements = files.filter(|path| {
        std::fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| line == "statements! {"))
    });
    let found: BTreeSet<String> =
        with_statements.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    let listed: BTreeSet<String> = MODULES.iter().map(|(module, _)| (*module).to_owned()).collect();
    assert_eq!(found, listed);
}

#[test]
fn both_databases_prepare_every_statement() {
    for database in databases() {
        drop(database.open());
        let mut refused = Vec::new();
        if let Some(sqlite) = sqlite_connection(&database) {
            refused
                .extend(all().filter_map(|(name, sql)| Some((name, sqlite.prepare(sql.sqlite()).err()?.to_string()))));
        }
        if let Some(mut postgres) = postgres_client(&database) {
            refused.extend(all().filter_map(|(name, sql)| Some((name, postgres_refusal(&mut postgres, sql)?))));
        }
        assert!(refused.is_empty(), "{refused:#?}");
    }
}

/// Why PostgreSQL would not take the statement with the parameters, or not give the columns, that the store knows.
fn postgres_refusal(client: &mut postgres::Client, sql: &Sql) -> Option<String> {
    use postgres::types::Type;
    let known = [Type::INT8, Type::TEXT, Type::UUID, Type::BYTEA];
    let statement = match client.prepare(sql.postgres()) {
        Ok(statement) => statement,
        Err(error) => return Some(format!("{error:?}")),
    };
    if let Some(other) = statement.params().iter().find(|kind| !known.contains(kind)) {
        return Some(format!("a parameter is {other}"));
    }
    // `SELECT 1` asks whether there is a row; nobody reads the number.
    let columns =
        statement.columns().iter().filter(|column| column.name() != "?column?" || *column.type_() != Type::INT4);
    columns.map(postgres::Column::type_).find(|kind| !known.contains(kind)).map(|other| format!("a column is {other}"))
}

#[test]
fn both_texts_of_a_statement_take_the_same_parameters() {
    for (name, sql) in all() {
        let (sqlite, postgres) = (placeholders(sql.sqlite(), '?'), placeholders(sql.postgres(), '$'));
        let dense: BTreeSet<usize> = (1..=postgres.len()).collect();
        assert_eq!(postgres, dense, "{name}");
        // What only PostgreSQL needs is not run on SQLite.
        let only_postgres = name.starts_with("changes::");
        assert!(sqlite == postgres || only_postgres, "{name}");
    }
}

#[test]
fn every_statement_on_a_tenants_data_names_the_tenant() {
    for (name, sql) in all().filter(|(name, _)| !is_listed(ACROSS_TENANTS, name)) {
        for text in [sql.sqlite(), sql.postgres()] {
            let tables = words(text).iter().filter(|word| TENANT_TABLES.contains(word)).count();
            let inserted = if text.starts_with("INSERT") { text.matches("(tenant, ").count() } else { 0 };
            let conditions = text.split_once(" FROM ").map_or(text, |(_, rest)| rest);
            let bound = inserted + conditions.matches("tenant = ").count();
            assert!(tables <= bound, "{name} names {tables} tables of tenants, but the tenant {bound} times");
        }
    }
}

#[test]
fn the_lists_of_exceptions_name_statements() {
    for (listed, reason) in WHOLE_TABLE.iter().chain(SORTED).chain(ACROSS_TENANTS) {
        assert!(all().any(|(name, _)| name == *listed), "{listed}: {reason}");
    }
}

fn plan(connection: &rusqlite::Connection, sql: &Sql) -> Vec<String> {
    let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", sql.sqlite())).unwrap();
    explained.raw_query().mapped(|row| row.get(3)).map(Result::unwrap).collect()
}

#[test]
fn no_statement_looks_a_table_through() {
    let database = TestDatabase::sqlite();
    drop(database.open());
    let sqlite = sqlite_connection(&database).unwrap();
    sqlite.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).unwrap();
    let (mut scans, mut sorts) = (Vec::new(), Vec::new());
    for (name, sql) in all() {
        let steps = plan(&sqlite, sql);
        let scan = |step: &&String| {
            step.starts_with("SCAN") && !step.starts_with("SCAN CONSTANT ROW") && !step.contains("VIRTUAL TABLE")
        };
        if steps.iter().any(|step| scan(&step)) && !is_listed(WHOLE_TABLE, &name) {
            scans.push(format!("{name}: {steps:?}"));
        }
        let sort = steps.iter().any(|step| step.starts_with("USE TEMP B-TREE FOR ORDER BY"));
        if sort && sql.sqlite().contains(" LIMIT ") && !is_listed(SORTED, &name) {
            sorts.push(format!("{name}: {steps:?}"));
        }
    }
    assert!(scans.is_empty(), "{scans:#?}");
    assert!(sorts.is_empty(), "the order of a page is that of an index: {sorts:#?}");
}

/// With a million resources each index on the way is a page more that no cache holds.
#[test]
fn a_key_leads_to_the_row_and_not_through_the_index_of_ids() {
    let database = TestDatabase::sqlite();
    drop(database.open());
    let steps = plan(&sqlite_connection(&database).unwrap(), &listing::BY_KEY);
    assert!(steps.iter().any(|step| step.starts_with("SEARCH r USING INTEGER PRIMARY KEY")), "{steps:?}");
}

/// What is looked up by a hash under the server's key, and never compared with anything, cannot tell by its time how much of a guess
/// was right.
#[test]
fn au_08_timing_credentials_are_found_by_their_keyed_hash_and_never_read() {
    let with_hash = all().filter(|(_, sql)| words(sql.sqlite).contains(&"hash"));
    let (inserted, others): (Vec<_>, Vec<_>) = with_hash.partition(|(_, sql)| sql.sqlite.starts_with("INSERT"));
    assert_eq!(inserted.len(), 3, "tokens, access tokens and client secrets");
    let others: Vec<(String, usize)> =
        others.into_iter().map(|(name, sql)| (name, sql.sqlite.matches(".hash = $1").count())).collect();
    assert_eq!(others, [("clients::SECRET_OWNER".to_owned(), 1), ("tokens::TOKEN_OWNER".to_owned(), 1)]);
    for (name, sql) in
        all().filter(|(name, _)| ["clients::SECRET_OWNER", "tokens::TOKEN_OWNER"].contains(&name.as_str()))
    {
        for text in [sql.sqlite, sql.postgres] {
            assert_eq!(text.matches("hash").count(), 1, "{name} must not give the hash back");
        }
    }
}
