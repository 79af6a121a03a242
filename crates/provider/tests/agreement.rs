//! A list through the store is what a plain evaluation of its filter says of every resource, in the order that a plain sort gives, on
//! pages of every kind. The evaluation here shares no code with the one that is tested.

use std::cmp::Ordering;
use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use provider::{
    Caller, Kinds, ListQuery, Listing, NewResource, Pager, ResourceKind, TenantError, TenantSettings, TokenKey,
    TokenRequest, View, Walker,
};
use scim::{Projection, USER_URN};
use serde_json::{Value, json};
use store::Store;
use store::testing::on_both;

const CASES: usize = 120;

/// What a user has, in the order of [`FIELDS`] where it is one value.
#[derive(Clone, Debug)]
struct Person {
    number: usize,
    external_id: Option<&'static str>,
    active: Option<bool>,
    title: Option<&'static str>,
    family_name: Option<&'static str>,
    url: Option<&'static str>,
    certificates: Vec<&'static str>,
    /// Type and value of each address; which one is primary.
    emails: Vec<(&'static str, &'static str)>,
    primary: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Plain {
    Text(String),
    Flag(bool),
    Second(i64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Compared without case.
    Loose,
    Exact,
    /// Base64: no order.
    Binary,
    Flag,
    Instant,
}

const FIELDS: [(&str, Kind); 12] = [
    ("userName", Kind::Loose),
    ("externalId", Kind::Exact),
    ("active", Kind::Flag),
    ("title", Kind::Loose),
    ("urn:ietf:params:scim:schemas:core:2.0:User:name.familyName", Kind::Loose),
    ("profileUrl", Kind::Exact),
    ("x509Certificates.value", Kind::Binary),
    ("emails", Kind::Loose),
    ("emails.type", Kind::Loose),
    ("emails.primary", Kind::Flag),
    ("meta.created", Kind::Instant),
    ("meta.resourceType", Kind::Exact),
];
const TEXTS: [&str; 7] = ["a", "B", "ab", "Ba", "7", "%", "b\\\"a"];
const URLS: [&str; 2] = ["https://a.example/X", "https://a.example/x"];
const OPERATORS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];

impl Person {
    fn name(&self) -> String {
        format!("{}-{}", if self.number.is_multiple_of(2) { "Ann" } else { "bob" }, self.number * 7 % 10)
    }

    /// The values of a field, one for each element.
    fn values(&self, field: usize) -> Vec<Plain> {
        let text = |text: &str| Plain::Text(text.to_owned());
        let some = |given: Option<&str>| given.map(text).into_iter().collect();
        match field {
            0 => vec![Plain::Text(self.name())],
            1 => some(self.external_id),
            2 => self.active.map(Plain::Flag).into_iter().collect(),
            3 => some(self.title),
            4 => some(self.family_name),
            5 => some(self.url),
            6 => self.certificates.iter().map(|given| text(given)).collect(),
            7 => self.emails.iter().map(|(_, value)| text(value)).collect(),
            8 => self.emails.iter().map(|(kind, _)| text(kind)).collect(),
            9 => self
                .emails
                .iter()
                .enumerate()
                .filter(|(at, _)| *at == self.primary)
                .map(|_| Plain::Flag(true))
                .collect(),
            10 => vec![Plain::Second(self.second())],
            _ => vec![text("User")],
        }
    }

    /// What a comparison of a field looks at: an address that does not say that it is primary is not (RFC 7643 §2.4).
    fn compared(&self, field: usize) -> Vec<Plain> {
        match field {
            9 => (0..self.emails.len()).map(|at| Plain::Flag(at == self.primary)).collect(),
            _ => self.values(field),
        }
    }

    fn second(&self) -> i64 {
        i64::try_from(self.number / 2).expect("few people")
    }

    fn body(&self) -> Value {
        let emails: Vec<Value> = self
            .emails
            .iter()
            .enumerate()
            .map(|(at, (kind, value))| {
                let mut email = json!({ "type": kind, "value": value });
                if at == self.primary {
                    email["primary"] = json!(true);
                }
                email
            })
            .collect();
        let certificates: Vec<Value> = self.certificates.iter().map(|value| json!({ "value": value })).collect();
        json!({
            "schemas": [USER_URN], "userName": self.name(), "externalId": self.external_id, "active": self.active,
            "title": self.title, "name": { "familyName": self.family_name }, "profileUrl": self.url,
            "x509Certificates": certificates, "emails": emails,
        })
    }
}

#[derive(Clone, Debug)]
enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    Present(usize),
    Null(usize, bool),
    Compare(usize, &'static str, Plain),
    /// An address of this type whose value compares so.
    Address(&'static str, &'static str, &'static str),
}

fn compares(kind: Kind, operator: &str, value: &Plain, literal: &Plain) -> bool {
    let order = match (value, literal) {
        (Plain::Text(value), Plain::Text(literal)) => {
            let is_loose = kind == Kind::Loose;
            let (value, literal) = if is_loose {
                (value.to_lowercase(), literal.to_lowercase())
            } else {
                (value.clone(), literal.clone())
            };
            match operator {
                "co" => return value.contains(&literal),
                "sw" => return value.starts_with(&literal),
                "ew" => return value.ends_with(&literal),
                _ => value.cmp(&literal),
            }
        }
        (Plain::Flag(value), Plain::Flag(literal)) => value.cmp(literal),
        (Plain::Second(value), Plain::Second(literal)) => value.cmp(literal),
        _ => return false,
    };
    match operator {
        "eq" => order == Ordering::Equal,
        "ne" => order != Ordering::Equal,
        "gt" => order == Ordering::Greater,
        "ge" => order != Ordering::Less,
        "lt" => order == Ordering::Less,
        _ => order != Ordering::Greater,
    }
}

impl Expression {
    fn holds(&self, person: &Person) -> bool {
        match self {
            Self::And(all) => all.iter().all(|one| one.holds(person)),
            Self::Or(any) => any.iter().any(|one| one.holds(person)),
            Self::Not(one) => !one.holds(person),
            Self::Present(field) => !person.values(*field).is_empty(),
            Self::Null(field, is_eq) => person.values(*field).is_empty() == *is_eq,
            Self::Compare(field, operator, literal) => {
                let values = person.compared(*field);
                let is_any = values.iter().any(|value| compares(FIELDS[*field].1, operator, value, literal));
                is_any || *operator == "ne" && values.is_empty()
            }
            Self::Address(kind, operator, literal) => {
                let of_kind: Vec<_> = person.emails.iter().filter(|(of, _)| of.eq_ignore_ascii_case(kind)).collect();
                let text = |text: &str| Plain::Text(text.to_owned());
                // Where a value behind the brackets is compared, no address is no value.
                of_kind.iter().any(|(_, value)| compares(Kind::Loose, operator, &text(value), &text(literal)))
                    || *operator == "ne" && of_kind.is_empty() && literal.len() == 1
            }
        }
    }

    fn text(&self) -> String {
        let joined = |all: &[Self], word: &str| {
            let texts: Vec<String> = all.iter().map(Self::nested).collect();
            texts.join(word)
        };
        match self {
            Self::And(all) => joined(all, " and "),
            Self::Or(any) => joined(any, " OR "),
            Self::Not(one) => format!("not ({})", one.text()),
            Self::Present(field) => format!("{} pr", FIELDS[*field].0),
            Self::Null(field, is_eq) => format!("{} {} null", FIELDS[*field].0, if *is_eq { "eq" } else { "ne" }),
            Self::Compare(field, operator, literal) => {
                let literal = match literal {
                    Plain::Text(text) => json!(text).to_string(),
                    Plain::Flag(flag) => flag.to_string(),
                    // Another offset and more digits than the store keeps, for the same instant.
                    Plain::Second(second) => {
                        format!("\"1970-01-01T02:{:02}:{:02}.0000000+02:00\"", second / 60, second % 60)
                    }
                };
                format!("{} {operator} {literal}", FIELDS[*field].0)
            }
            Self::Address(kind, operator, literal) if literal.len() > 1 => {
                format!("emails[type eq \"{kind}\" and value {operator} {}]", json!(literal))
            }
            Self::Address(kind, operator, literal) => {
                format!("emails[type eq \"{kind}\"].value {operator} {}", json!(literal))
            }
        }
    }

    /// `and` binds stronger than `or`, so an `and` within an `or` needs no parentheses.
    fn nested(&self) -> String {
        match self {
            Self::Or(_) => format!("({})", self.text()),
            Self::And(_) | Self::Not(_) | Self::Present(_) | Self::Null(..) | Self::Compare(..) | Self::Address(..) => {
                self.text()
            }
        }
    }
}

fn comparisons() -> impl Strategy<Value = Expression> {
    (0..FIELDS.len(), select(&OPERATORS[..]), select(&TEXTS[..]), any::<bool>(), 0..6_i64, 0..12_usize).prop_map(
        |(field, operator, text, flag, second, number)| {
            let (text, operator) = match (FIELDS[field].1, operator) {
                (Kind::Flag, "eq" | "co" | "gt" | "ge") => (Plain::Flag(flag), "eq"),
                (Kind::Flag, _) => (Plain::Flag(flag), "ne"),
                (Kind::Instant, "co" | "sw" | "ew") => (Plain::Second(second), "ge"),
                (Kind::Instant, operator) => (Plain::Second(second), operator),
                (Kind::Binary, "gt" | "ge" | "lt" | "le") => (Plain::Text("YQ==".to_owned()), "co"),
                (Kind::Binary, operator) => (Plain::Text("YQ==".to_owned()), operator),
                (_, operator) if field == 0 => {
                    let whole = format!("{}-{}", if flag { "ANN" } else { "Bob" }, number % 10);
                    (Plain::Text(if number < 3 { whole[..2 + number].to_owned() } else { whole }), operator)
                }
                (_, operator) if field == 5 => (Plain::Text(URLS[number % 2].to_owned()), operator),
                (_, operator) if field == 11 => (Plain::Text(if flag { "User" } else { "Group" }.to_owned()), operator),
                (_, operator) => (Plain::Text(text.to_owned()), operator),
            };
            Expression::Compare(field, operator, text)
        },
    )
}

fn expressions() -> impl Strategy<Value = Expression> {
    let term = prop_oneof![
        6 => comparisons(),
        // Those that an index answers, more often than chance would have them.
        3 => (0..6_usize).prop_map(|number| Expression::Compare(1, "eq", Plain::Text(TEXTS[number].to_owned()))),
        2 => (0..6_usize).prop_map(|number| Expression::Compare(7, "eq", Plain::Text(TEXTS[number].to_owned()))),
        1 => (0..FIELDS.len()).prop_map(Expression::Present),
        1 => (0..FIELDS.len(), any::<bool>()).prop_map(|(field, is_eq)| Expression::Null(field, is_eq)),
        2 => (select(&["work", "Home"][..]), select(&OPERATORS[..]), select(&TEXTS[..])).prop_map(|(kind, operator, text)| Expression::Address(kind, operator, text)),
    ];
    term.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expression::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expression::Or),
            inner.prop_map(|one| Expression::Not(Box::new(one))),
        ]
    })
}

fn people() -> impl Strategy<Value = Vec<Person>> {
    let text = || proptest::option::of(select(&TEXTS[..]));
    // Two of the same type and value would be one.
    let emails = proptest::collection::vec((select(&["work", "home"][..]), select(&TEXTS[..])), 0..3);
    let emails = emails.prop_map(|mut emails| {
        emails.dedup();
        emails
    });
    let certificates = proptest::collection::vec(select(&["YQ==", "YWI=", "yq=="][..]), 0..2);
    let url = proptest::option::of(select(&URLS[..]));
    let one = (text(), any::<Option<bool>>(), text(), text(), url, certificates, emails, 0..4_usize);
    proptest::collection::vec(one, 0..10).prop_map(|all| {
        let number = |(number, (external_id, active, title, family_name, url, certificates, emails, primary))| Person {
            number,
            external_id,
            active,
            title,
            family_name,
            url,
            certificates,
            emails,
            primary,
        };
        all.into_iter().enumerate().map(number).collect()
    })
}

/// The place of a person in an order: `None` comes last.
fn place(person: &Person, field: usize) -> Option<Plain> {
    let values = person.values(field);
    let is_of_address = matches!(field, 7 | 8);
    let decides = if is_of_address && person.primary < values.len() { person.primary } else { 0 };
    // Only the primary address has a flag, and it is the one that decides.
    values.get(if field == 9 { 0 } else { decides }).cloned()
}

fn in_order(field: usize, left: &Person, right: &Person) -> Ordering {
    let order = match (place(left, field), place(right, field)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(Plain::Text(left)), Some(Plain::Text(right))) if FIELDS[field].1 == Kind::Loose => {
            left.to_lowercase().cmp(&right.to_lowercase())
        }
        (Some(Plain::Text(left)), Some(Plain::Text(right))) => left.cmp(&right),
        (Some(Plain::Flag(left)), Some(Plain::Flag(right))) => left.cmp(&right),
        (Some(Plain::Second(left)), Some(Plain::Second(right))) => left.cmp(&right),
        _ => unreachable!("a field has one type"),
    };
    order.then(left.number.cmp(&right.number))
}

/// A tenant of its own with these people.
async fn tenant(store: &Store, number: usize, people: Vec<Person>) -> Caller {
    let mut secret = [0; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    let made = store.write(move |tx| -> Result<Caller, TenantError> {
        let (key, name, now) = (TokenKey::new([3; 32]), format!("t{number}"), Timestamp::UNIX_EPOCH);
        provider::create_tenant(tx, &name, "generic", &TenantSettings::default(), now)?;
        let id = store::version_7(now, [0; 10]).into();
        let request = TokenRequest { tenant: &name, name: "law", id, secret, days: 1, scope: provider::Scope::Write };
        let token = provider::create_token(tx, &key, &request, now)?.text;
        let caller = provider::authenticate(tx, &key, &token, now).expect("a new token is valid");
        for person in &people {
            let now = Timestamp::from_second(person.second()).expect("a few seconds");
            let mut random = [0; 10];
            random[9] = u8::try_from(person.number).expect("few people");
            let id = store::version_7(now, random).into();
            let new =
                NewResource::prepare(&caller, ResourceKind::User, person.body(), id, now).expect("the body is valid");
            provider::create(tx, caller.may_write().expect("the token may write"), &new)
                .expect("the names are different");
        }
        Ok(Caller::clone(&caller))
    });
    made.await.expect("a tenant is made")
}

struct Asker {
    store: Store,
    caller: Caller,
    pager: Arc<Pager>,
    filter: String,
    sort: Option<(usize, bool)>,
}

impl Asker {
    /// The names on a page, with the whole answer.
    async fn page(&self, start_index: Option<usize>, count: usize, cursor: Option<&str>) -> (Vec<String>, Value) {
        let (start_index, count) = (start_index.map(|start| start.to_string()), count.to_string());
        let query = ListQuery {
            filter: Some(&self.filter),
            sort_by: self.sort.map(|(field, _)| FIELDS[field].0),
            sort_order: self.sort.map(|(_, is_descending)| if is_descending { "descending" } else { "ascending" }),
            start_index: start_index.as_deref(),
            count: Some(&count),
            cursor,
        };
        let scope = Kinds::One(ResourceKind::User);
        // Whole lists with groups, pages without: both ways of reading are gone.
        let excluded = start_index.is_some().then_some("groups");
        let projection = Projection::read(None, excluded).expect("the attribute is known");
        let listing =
            Listing::prepare(&self.caller, scope, &query, &self.pager, Walker::default(), Timestamp::UNIX_EPOCH);
        let asked = Arc::new((Arc::new(self.caller.clone()), listing.expect("the query is valid"), projection));
        let text = self.run(asked).await;
        let list: Value = serde_json::from_str(&text).expect("a list is JSON");
        let resources = list["Resources"].as_array().expect("a list has resources");
        assert_eq!(list["itemsPerPage"], resources.len());
        (resources.iter().map(|user| user["userName"].as_str().expect("a user has a name").to_owned()).collect(), list)
    }

    /// As the server does it: by one statement where that may do, and in one snapshot where there are groups to be shown.
    async fn run(&self, asked: Arc<(Arc<Caller>, Listing, Projection)>) -> String {
        if asked.1.may_be_one_statement() {
            let asked = Arc::clone(&asked);
            let shows_groups = asked.1.shows_groups(&asked.0, View { base: "", projection: &asked.2 });
            let few = move |tx: &mut store::ReadTx<'_>| {
                let (caller, listing, projection) = &*asked;
                provider::list_few(tx, caller, listing, View { base: "", projection })
            };
            let found = if shows_groups.expect("there are users") {
                self.store.read(few).await
            } else {
                self.store.look_up(few).await
            };
            if let Some(text) = found.expect("the list is read") {
                return text;
            }
        }
        let all = self.store.scan(move |tx| {
            let (caller, listing, projection) = &*asked;
            provider::list(tx, caller, listing, View { base: "", projection }, usize::MAX)
        });
        all.await.expect("the list is read").into_iter().flatten().collect()
    }

    async fn check(&self, expected: &[String]) {
        let told = format!("{} sorted by {:?}", self.filter, self.sort);
        let (whole, list) = self.page(None, 100, None).await;
        assert_eq!((whole.as_slice(), &list["totalResults"]), (expected, &json!(expected.len())), "{told}");
        for count in [1, 3] {
            let mut walked = Vec::new();
            while walked.len() < expected.len() {
                let (page, list) = self.page(Some(walked.len() + 1), count, None).await;
                assert_eq!(list["totalResults"], expected.len(), "{told}");
                assert!(!page.is_empty(), "{told}: {count} at a time ends after {walked:?}");
                walked.extend(page);
            }
            assert_eq!(walked, expected, "{told}: {count} at a time");
            self.check_cursors(expected, count, &told).await;
        }
        // A page that no walk led to.
        for start in 1..=expected.len() + 1 {
            let fresh = Self {
                store: self.store.clone(),
                caller: self.caller.clone(),
                pager: pager(),
                filter: self.filter.clone(),
                sort: self.sort,
            };
            let (page, list) = fresh.page(Some(start), 2, None).await;
            let end = expected.len().min(start + 1);
            assert_eq!(
                (page.as_slice(), &list["totalResults"]),
                (&expected[start - 1..end], &json!(expected.len())),
                "{told}: from {start}"
            );
        }
    }

    async fn check_cursors(&self, expected: &[String], count: usize, told: &str) {
        let (mut walked, mut cursor, mut pages) = (Vec::new(), String::new(), Vec::new());
        let mut back = None;
        loop {
            let (page, list) = self.page(None, count, Some(&cursor)).await;
            assert_eq!(list["totalResults"], expected.len(), "{told}");
            walked.extend(page.clone());
            pages.push(page);
            back = list["previousCursor"].as_str().map(str::to_owned).or(back);
            match list["nextCursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        assert_eq!(walked, expected, "{told}: by cursor, {count} at a time");
        pages.pop();
        while let Some(previous) = back.take() {
            let (page, list) = self.page(None, count, Some(&previous)).await;
            assert_eq!(Some(page), pages.pop(), "{told}: back by cursor, {count} at a time");
            back = list["previousCursor"].as_str().map(str::to_owned);
        }
        assert!(pages.is_empty(), "{told}: there are pages in front");
    }
}

fn pager() -> Arc<Pager> {
    Arc::new(Pager::new(&TokenKey::new([3; 32])))
}

/// SF-14: filters of any nesting, evaluated plainly and by statements.
#[test]
fn a_list_is_what_a_plain_evaluation_says_in_the_order_of_a_plain_sort() {
    on_both(|store| async move {
        let mut runner = TestRunner::new(Config::default());
        for number in 0..CASES {
            let people = people().new_tree(&mut runner).expect("people are made").current();
            let expression = expressions().new_tree(&mut runner).expect("filters are made").current();
            let sorts = proptest::option::of((0..FIELDS.len(), any::<bool>()));
            let sort = sorts.new_tree(&mut runner).expect("orders are made").current();
            let mut expected: Vec<&Person> = people.iter().filter(|person| expression.holds(person)).collect();
            if let Some((field, is_descending)) = sort {
                expected.sort_by(|left, right| in_order(field, left, right));
                if is_descending {
                    expected.reverse();
                }
            }
            let expected: Vec<String> = expected.into_iter().map(Person::name).collect();
            let caller = tenant(&store, number, people.clone()).await;
            let asker = Asker { store: store.clone(), caller, pager: pager(), filter: expression.text(), sort };
            asker.check(&expected).await;
        }
    });
}
