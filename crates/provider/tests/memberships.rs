//! Filters by members of groups and by groups of users find what a plain evaluation over whole lists finds, although only those that decide
//! are looked up.

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
use scim::{GROUP_URN, Projection, USER_URN};
use serde_json::{Value, json};
use store::testing::on_both;
use store::{ResourceId, Store};

const CASES: usize = 60;
const USERS: usize = 4;
const GROUPS: usize = 4;
/// Names that members have, `None` being no name; groups have one of those.
const NAMES: [Option<&str>; 4] = [Some("Sales"), Some("sales team"), Some("IT"), None];

fn id(number: usize) -> ResourceId {
    store::version_7(Timestamp::UNIX_EPOCH, [0, 0, 0, 0, 0, 0, 0, 0, 1, u8::try_from(number).expect("few resources")])
        .into()
}

/// What an element has at a sub-attribute.
#[derive(Clone, Debug)]
struct Element {
    value: String,
    kind: &'static str,
    display: Option<&'static str>,
}

impl Element {
    fn get(&self, part: &str) -> Option<&str> {
        match part {
            "value" => Some(&self.value),
            "type" => Some(self.kind),
            _ => self.display,
        }
    }
}

/// The name of a group, and who is in it by number, users first, with the name that is given to the member.
type Group = (Option<&'static str>, Vec<(usize, Option<&'static str>)>);
type World = Vec<Group>;

fn worlds() -> impl Strategy<Value = World> {
    let member = (0..USERS + GROUPS, select(&NAMES[..]));
    let group = (select(&NAMES[..3]), proptest::collection::vec(member, 0..4));
    proptest::collection::vec(group, GROUPS).prop_map(|mut groups| {
        for (own, (_, members)) in groups.iter_mut().enumerate() {
            // Nothing is a member of what it contains.
            members.retain(|(number, _)| *number < USERS + own);
            members.sort_by_key(|(number, _)| *number);
            members.dedup_by_key(|(number, _)| *number);
        }
        groups
    })
}

#[derive(Clone, Debug)]
enum Test {
    Present,
    Null(bool),
    Compare(&'static str, String),
}

#[derive(Clone, Debug)]
enum Expression {
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Not(Box<Expression>),
    /// A test of a part of any element that meets what stands in brackets.
    Behind(Option<Box<Expression>>, Option<&'static str>, Test),
    Brackets(Box<Expression>),
    /// In brackets: a test of a part.
    Part(&'static str, Test),
}

fn compares(operator: &str, value: &str, literal: &str) -> bool {
    let (value, literal) = (value.to_lowercase(), literal.to_lowercase());
    match operator {
        "eq" => value == literal,
        "ne" => value != literal,
        "co" => value.contains(&literal),
        "sw" => value.starts_with(&literal),
        "ew" => value.ends_with(&literal),
        "gt" => value > literal,
        _ => value <= literal,
    }
}

fn holds_of(test: &Test, values: &[&str]) -> bool {
    match test {
        Test::Present => !values.is_empty(),
        Test::Null(is_eq) => values.is_empty() == *is_eq,
        Test::Compare(operator, literal) => {
            values.iter().any(|value| compares(operator, value, literal)) || *operator == "ne" && values.is_empty()
        }
    }
}

impl Expression {
    fn holds(&self, elements: &[Element]) -> bool {
        match self {
            Self::And(all) => all.iter().all(|one| one.holds(elements)),
            Self::Or(any) => any.iter().any(|one| one.holds(elements)),
            Self::Not(one) => !one.holds(elements),
            Self::Brackets(inner) => elements.iter().any(|element| inner.holds(std::slice::from_ref(element))),
            Self::Behind(brackets, part, test) => {
                let is_meant = |element: &&Element| {
                    brackets.as_ref().is_none_or(|inner| inner.holds(std::slice::from_ref(*element)))
                };
                let meant = elements.iter().filter(is_meant);
                let values: Vec<&str> = meant.filter_map(|element| element.get(part.unwrap_or("value"))).collect();
                holds_of(test, &values)
            }
            Self::Part(part, test) => {
                let values: Vec<&str> = elements.iter().filter_map(|element| element.get(part)).collect();
                holds_of(test, &values)
            }
        }
    }

    fn text(&self, attribute: &str) -> String {
        let nested = |one: &Self| format!("({})", one.text(attribute));
        let joined = |all: &[Self], word: &str| all.iter().map(nested).collect::<Vec<_>>().join(word);
        let tested = |test: &Test| match test {
            Test::Present => "pr".to_owned(),
            Test::Null(is_eq) => format!("{} null", if *is_eq { "eq" } else { "ne" }),
            Test::Compare(operator, literal) => format!("{operator} {}", json!(literal)),
        };
        match self {
            Self::And(all) => joined(all, " and "),
            Self::Or(any) => joined(any, " or "),
            Self::Not(one) => format!("not ({})", one.text(attribute)),
            Self::Brackets(inner) => format!("{attribute}[{}]", inner.text(attribute)),
            Self::Part(part, test) => format!("{part} {}", tested(test)),
            Self::Behind(brackets, part, test) => {
                let brackets = brackets.as_ref().map(|inner| format!("[{}]", inner.text(attribute)));
                let part = part.map(|part| format!(".{part}"));
                format!("{attribute}{}{} {}", brackets.unwrap_or_default(), part.unwrap_or_default(), tested(test))
            }
        }
    }
}

fn tests() -> impl Strategy<Value = (&'static str, Test)> {
    let operators = select(&["eq", "eq", "eq", "ne", "co", "sw", "ew", "gt", "le"][..]);
    let part = select(&["value", "type", "display"][..]);
    (part, operators, 0..USERS + GROUPS, select(&["User", "group", "direct"][..]), select(&NAMES[..3]), 0..8).prop_map(
        |(part, operator, number, kind, name, which)| {
            let literal = match part {
                "value" => id(number).to_string(),
                "type" => kind.to_owned(),
                _ => name.expect("these have one").to_owned(),
            };
            let test = match which {
                0 => Test::Present,
                1 => Test::Null(true),
                2 => Test::Null(false),
                _ => Test::Compare(operator, literal),
            };
            (part, test)
        },
    )
}

fn connected(term: impl Strategy<Value = Expression> + 'static) -> impl Strategy<Value = Expression> {
    term.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expression::And),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Expression::Or),
            inner.prop_map(|one| Expression::Not(Box::new(one))),
        ]
    })
}

fn expressions() -> impl Strategy<Value = Expression> {
    let brackets = || connected(tests().prop_map(|(part, test)| Expression::Part(part, test))).prop_map(Box::new);
    let part = |(part, test): (&'static str, Test), is_whole: bool| {
        (if is_whole && part == "value" { None } else { Some(part) }, test)
    };
    connected(prop_oneof![
        2 => (tests(), any::<bool>()).prop_map(move |(test, is_whole)| {
            let (part, test) = part(test, is_whole);
            Expression::Behind(None, part, test)
        }),
        1 => (brackets(), tests()).prop_map(|(inner, (part, test))| Expression::Behind(Some(inner), Some(part), test)),
        2 => brackets().prop_map(Expression::Brackets),
    ])
}

/// A tenant of its own with these groups.
async fn tenant(store: &Store, number: usize, world: World) -> Caller {
    let mut secret = [0; 32];
    secret[..8].copy_from_slice(&number.to_be_bytes());
    let made = store.write(move |tx| -> Result<Caller, TenantError> {
        let (key, name, now) = (TokenKey::new([3; 32]), format!("m{number}"), Timestamp::UNIX_EPOCH);
        provider::create_tenant(tx, &name, "generic", &TenantSettings::default(), now)?;
        let token_id = store::version_7(now, [0; 10]).into();
        let scope = provider::Scope::Write;
        let request = TokenRequest { tenant: &name, name: "law", id: token_id, secret, days: 1, scope };
        let token = provider::create_token(tx, &key, &request, now)?.text;
        let caller = provider::authenticate(tx, &key, &token, now).expect("a new token is valid");
        let mut make = |number: usize, kind, body: Value| {
            let new = NewResource::prepare(&caller, kind, body, id(number), now).expect("the body is valid");
            provider::create(tx, caller.may_write().expect("the token may write"), &new).expect("it is made");
        };
        for number in 0..USERS {
            make(number, ResourceKind::User, json!({ "schemas": [USER_URN], "userName": format!("u{number}") }));
        }
        for (number, (name, members)) in world.iter().enumerate() {
            let members: Vec<Value> = members
                .iter()
                .map(|(member, display)| json!({ "value": id(*member).to_string(), "display": display }))
                .collect();
            let body = json!({ "schemas": [GROUP_URN], "displayName": name, "members": members });
            make(USERS + number, ResourceKind::Group, body);
        }
        Ok(Caller::clone(&caller))
    });
    made.await.expect("a tenant is made")
}

/// The ids of what a filter finds.
async fn found(store: &Store, caller: &Caller, kind: ResourceKind, filter: &str) -> Vec<String> {
    let query = ListQuery { filter: Some(filter), ..ListQuery::default() };
    let pager = Arc::new(Pager::new(&TokenKey::new([3; 32])));
    let listing = Listing::prepare(caller, Kinds::One(kind), &query, &pager, Walker::default(), Timestamp::UNIX_EPOCH);
    let (listing, caller) = (listing.expect("the filter is valid"), Arc::new(caller.clone()));
    let listed = store.scan(move |tx| {
        let projection = Projection::default();
        provider::list(tx, &caller, &listing, View { base: "", projection: &projection }, usize::MAX)
    });
    let text: String = listed.await.expect("the list is read").into_iter().flatten().collect();
    let list: Value = serde_json::from_str(&text).expect("a list is JSON");
    let resources = list["Resources"].as_array().expect("a list has resources");
    resources.iter().map(|resource| resource["id"].as_str().expect("it has an id").to_owned()).collect()
}

fn expected(expression: &Expression, of: impl Iterator<Item = (usize, Vec<Element>)>) -> Vec<String> {
    of.filter(|(_, elements)| expression.holds(elements)).map(|(number, _)| id(number).to_string()).collect()
}

fn members_of(world: &World) -> impl Iterator<Item = (usize, Vec<Element>)> {
    let element = |(number, display): &(usize, Option<&'static str>)| Element {
        value: id(*number).to_string(),
        kind: if *number < USERS { "User" } else { "Group" },
        display: *display,
    };
    world.iter().enumerate().map(move |(number, (_, members))| (USERS + number, members.iter().map(element).collect()))
}

fn groups_of(world: &World) -> impl Iterator<Item = (usize, Vec<Element>)> {
    (0..USERS).map(|user| {
        let groups = world.iter().enumerate();
        let groups = groups.filter(|(_, (_, members))| members.iter().any(|(member, _)| *member == user));
        let element = |(number, (name, _)): (usize, &Group)| Element {
            value: id(USERS + number).to_string(),
            kind: "direct",
            display: *name,
        };
        (user, groups.map(element).collect())
    })
}

#[test]
fn a_filter_by_memberships_finds_what_a_plain_evaluation_finds() {
    on_both(|store| async move {
        let mut runner = TestRunner::new(Config::default());
        for number in 0..CASES {
            let world = worlds().new_tree(&mut runner).expect("groups are made").current();
            let caller = tenant(&store, number, world.clone()).await;
            for _ in 0..8 {
                let expression = expressions().new_tree(&mut runner).expect("filters are made").current();
                let text = expression.text("members");
                let groups = found(&store, &caller, ResourceKind::Group, &text).await;
                assert_eq!(groups, expected(&expression, members_of(&world)), "{text} of {world:?}");
                let text = expression.text("groups");
                let users = found(&store, &caller, ResourceKind::User, &text).await;
                assert_eq!(users, expected(&expression, groups_of(&world)), "{text} of {world:?}");
            }
        }
    });
}
