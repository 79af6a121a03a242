//! What a change of members costs: those it names, whatever the group; and where that ends.

use jiff::Timestamp;
use serde_json::{Value, json};
use store::Store;
use store::testing::on_both;

use super::*;
use crate::{NewResource, Patch, Precondition, TenantError, TenantSettings, TokenKey, TokenRequest};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn member(name: usize) -> MemberRecord {
    let id = "01a1fcff-9d56-7a9e-8292-becdc33d4463".parse().unwrap();
    MemberRecord { id, kind: ResourceKind::User, display: (name > 0).then(|| "n".repeat(name)) }
}

#[test]
fn a_plain_filter_may_be_tried_on_as_many_members_as_may_be_replaced() {
    for (name, comparisons, fits) in [(0, 1, true), (63, 1, true), (63, 2, false), (64, 1, false)] {
        let effort = u64::from(MEMBERS_REWRITTEN_MAX) * removal_effort(&member(name), comparisons);
        assert_eq!(effort <= PATCH_EFFORT_MAX as u64, fits, "{name} {comparisons}");
    }
}

/// A name is folded once, whatever the filter.
#[test]
fn a_member_whose_name_is_not_ascii_costs_what_folding_it_costs() {
    let named = |name: &str| MemberRecord { display: Some(name.to_owned()), ..member(0) };
    let more = |comparisons| {
        removal_effort(&named(&"é".repeat(320)), comparisons) - removal_effort(&named(&"n".repeat(640)), comparisons)
    };
    assert_eq!((more(1), more(200)), (320, 320));
}

#[test]
fn filters_that_name_members() {
    for (filter, expected) in [
        ("value eq \"a\"", Some(vec!["a"])),
        ("VALUE Eq \"a\" and display pr", Some(vec!["a"])),
        ("display pr and value eq \"a\"", Some(vec!["a"])),
        ("value eq \"a\" or (value eq \"b\" and type eq \"User\")", Some(vec!["a", "b"])),
        ("value eq \"a\" or type eq \"User\"", None),
        ("not (value eq \"a\")", None),
        ("value ne \"a\"", None),
        ("value eq null", None),
        ("type eq \"User\"", None),
    ] {
        let filter: Filter = filter.parse().unwrap();
        assert_eq!(named_ids(&filter), expected, "{filter:?}");
    }
}

async fn caller(store: &Store) -> Caller {
    let made = store.write(|tx| -> Result<Caller, TenantError> {
        let key = TokenKey::new([3; 32]);
        crate::create_tenant(tx, "t", "generic", &TenantSettings::default(), NOW)?;
        let id = numbered(1).uuid().into();
        let request =
            TokenRequest { tenant: "t", name: "members", id, secret: [1; 32], days: 1, scope: crate::Scope::Write };
        let token = crate::create_token(tx, &key, &request, NOW)?.text;
        Ok(Caller::clone(&*crate::authenticate(tx, &key, &token, NOW).expect("a new token is valid")))
    });
    made.await.expect("a tenant is made")
}

fn numbered(number: u32) -> ResourceId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    ResourceId::from_bytes(bytes)
}

async fn create(store: &Store, caller: &Caller, kind: ResourceKind, body: Value, id: ResourceId) {
    let (new, caller) = (NewResource::prepare(caller, kind, body, id, NOW).unwrap(), caller.clone());
    store.write(move |tx| crate::create(tx, caller.may_write()?, &new)).await.unwrap();
}

/// A group of so many members, of whom only their rows are there; its id is `id`.
async fn group(store: &Store, caller: &Caller, id: ResourceId, members: u32) {
    let body = json!({ "schemas": [scim::GROUP_URN], "displayName": "G" });
    create(store, caller, ResourceKind::Group, body, id).await;
    let tenant = caller.tenant();
    let fill = store.write(move |tx| {
        for from in (0..members).step_by(CHUNK as usize) {
            let chunk: Vec<MemberRecord> = (from..members.min(from + CHUNK))
                .map(|number| MemberRecord { id: numbered(1_000 + number), kind: ResourceKind::User, display: None })
                .collect();
            members::add_all(tx, tenant, id, &chunk)?;
        }
        Ok::<_, ProviderError>(())
    });
    fill.await.unwrap();
}

/// Sends one operation to a group; gives what it cost, or the keyword of the refusal.
async fn cost(store: &Store, caller: &Caller, id: ResourceId, operation: &Value) -> Result<u64, scim::ScimType> {
    let body = json!({ "schemas": [scim::PATCH_OP_URN], "Operations": [operation] });
    let (patch, caller) = (Patch::prepare(caller, ResourceKind::Group, body, NO_BASE).unwrap(), caller.clone());
    let done = store.write(move |tx| {
        let before = tx.spent();
        crate::patch(tx, caller.may_write()?, id, &patch, &Precondition::None, NOW)?;
        Ok(tx.spent() - before)
    });
    done.await.map_err(|error: ProviderError| match error {
        ProviderError::Scim(error) => error.scim_type,
        other => panic!("{other}"),
    })
}

#[test]
fn a_change_costs_the_members_it_names_and_a_large_group_is_not_replaced_as_a_whole() {
    on_both(|store| async move {
        let caller = caller(&store).await;
        let ann = numbered(500);
        let user = json!({ "schemas": [scim::USER_URN], "userName": "ann" });
        create(&store, &caller, ResourceKind::User, user, ann).await;
        let (small, large, larger) = (numbered(10), numbered(11), numbered(12));
        group(&store, &caller, small, 10).await;
        group(&store, &caller, large, MEMBERS_REWRITTEN_MAX).await;
        group(&store, &caller, larger, MEMBERS_REWRITTEN_MAX + 10).await;
        let of = |operation: &str, path: &str, value: Value| json!({ "op": operation, "path": path, "value": value });
        let some: Vec<String> = (0..9).map(|number| numbered(1_000 + number).to_string()).collect();
        // Capitalised, so that no members are read for an answer.
        for operation in [
            of("Add", "members", json!([ann])),
            of("Add", "members", json!([ann])),
            of("Remove", &format!("members[value eq \"{ann}\"]"), Value::Null),
            of("Remove", &format!("members[display pr and value eq \"{ann}\"]"), Value::Null),
            of("Remove", "members", json!(some)),
        ] {
            let expected = cost(&store, &caller, small, &operation).await.unwrap();
            assert!(expected < 30, "{expected} for {operation}");
            for id in [large, larger] {
                assert_eq!(cost(&store, &caller, id, &operation).await, Ok(expected), "{operation}");
            }
        }
        for operation in [
            of("remove", "members[type eq \"Group\"]", Value::Null),
            of("replace", "members", json!([ann])),
            of("remove", "members", Value::Null),
        ] {
            assert_eq!(cost(&store, &caller, larger, &operation).await, Err(scim::ScimType::TooMany), "{operation}");
        }
        let empty = of("remove", "members", Value::Null);
        assert!(cost(&store, &caller, large, &empty).await.is_ok());
    });
}
