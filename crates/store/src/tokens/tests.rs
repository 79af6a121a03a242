//! Tokens open their tenant and no other; access tokens of a client are bounded.

use super::*;
use crate::clients::tests::a_client;
use crate::tenants::{insert_tenant, set_suspended, tenant_by_name, tenants};
use crate::testing::{numbered, on_both, second};

pub(crate) fn named(name: &str, number: u128) -> TokenRecord {
    TokenRecord {
        id: numbered(number),
        name: name.to_owned(),
        hint: "lk_1".to_owned(),
        may_write: true,
        may_define: false,
        created: second(0),
        expires: second(9),
        revoked: None,
        last_used: None,
        warned: None,
    }
}

fn issued(number: u128, client: ClientId, second_issued: i64) -> AccessTokenRecord {
    AccessTokenRecord {
        id: numbered(number),
        client,
        secret: None,
        name: "entra".to_owned(),
        hint: "lsa_1".to_owned(),
        may_write: false,
        may_define: false,
        created: second(second_issued),
        expires: second(second_issued + 10),
    }
}

#[test]
fn a_token_opens_its_tenant_until_it_is_revoked() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let one = insert_tenant(tx, "one", "generic", "{}", second(0))?;
            insert_token(tx, one, &named("sync", 1), b"one")?;
            let two = insert_tenant(tx, "two", "generic", "{}", second(0))?;
            insert_token(tx, two, &named("sync", 2), b"two")?;
            let owner = token_owner(tx, b"one")?.unwrap();
            assert_eq!((owner.tenant, owner.tenant_name.as_str(), owner.suspended), (one, "one", None));
            assert_eq!((owner.profile.as_str(), owner.settings.as_str(), owner.expires), ("generic", "{}", second(9)));
            for other in [&b""[..], b"on", b"onee", b"ONE"] {
                assert_eq!(token_owner(tx, other)?, None);
            }
            set_suspended(tx, one, Some(second(5)))?;
            assert_eq!(token_owner(tx, b"one")?.unwrap().suspended, Some(second(5)));
            set_suspended(tx, one, None)?;
            assert_eq!(tenant_by_name(tx, "one")?.unwrap().suspended, None);
            assert!(revoke_token(tx, one, "sync", second(6))?);
            assert!(!revoke_token(tx, one, "sync", second(7))?);
            assert_eq!(token_owner(tx, b"one")?, None);
            assert!(token_owner(tx, b"two")?.is_some());
            assert_eq!(tokens(tx, one)?[0].revoked, Some(second(6)));
            assert_eq!(tenant_by_name(tx, "ONE")?, None);
            Ok::<_, StoreError>(tenants(tx)?.into_iter().map(|tenant| tenant.name).collect::<Vec<_>>())
        });
        assert_eq!(story.await.unwrap(), ["one", "two"]);
    });
}

#[test]
fn a_token_for_schemas_is_told_apart_and_each_has_a_name_in_its_tenant_only() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let one = insert_tenant(tx, "one", "generic", "{}", second(0))?;
            let two = insert_tenant(tx, "two", "generic", "{}", second(0))?;
            let schemas = TokenRecord { may_write: false, may_define: true, ..named("schemas", 1) };
            insert_token(tx, one, &schemas, b"one")?;
            insert_token(tx, two, &named("sync", 2), b"two")?;
            assert_eq!(tokens(tx, one)?, std::slice::from_ref(&schemas));
            let found = [token_owner(tx, b"one")?, token_owner(tx, b"two")?].map(|owner| owner.unwrap().may_define);
            assert_eq!(found, [true, false]);
            assert_eq!(token_name(tx, one, schemas.id)?.as_deref(), Some("schemas"));
            assert_eq!(token_name(tx, two, schemas.id)?, None);
            Ok::<_, StoreError>(())
        });
        story.await.unwrap();
    });
}

#[test]
fn the_latest_use_and_the_latest_warning_are_kept() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let one = insert_tenant(tx, "one", "generic", "{}", second(0))?;
            let two = insert_tenant(tx, "two", "generic", "{}", second(0))?;
            let token = TokenRecord { may_write: false, ..named("sync", 1) };
            insert_token(tx, one, &token, b"one")?;
            assert_eq!(tokens(tx, one)?, std::slice::from_ref(&token));
            assert!(!token_owner(tx, b"one")?.unwrap().may_write);
            for at in [5, 7, 6] {
                note_use(tx, one, token.id, second(at))?;
            }
            note_warning(tx, one, token.id, 30)?;
            // Another tenant's key reaches nothing.
            note_use(tx, two, token.id, second(8))?;
            note_warning(tx, two, token.id, 1)?;
            let kept = token_by_name(tx, one, "sync")?.unwrap();
            assert_eq!((kept.last_used, kept.warned), (Some(second(7)), Some(30)));
            retire_token(tx, one, token.id, "sync (until rotated)", second(8))?;
            insert_token(tx, one, &named("sync", 2), b"another")?;
            Ok::<_, StoreError>(
                tokens(tx, one)?.into_iter().map(|token| (token.name, token.expires)).collect::<Vec<_>>(),
            )
        });
        let expected = [("sync (until rotated)".to_owned(), second(8)), ("sync".to_owned(), second(9))];
        assert_eq!(story.await.unwrap(), expected);
    });
}

#[test]
fn a_client_has_a_bounded_number_of_access_tokens_and_the_newest_stay() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let one = insert_tenant(tx, "one", "generic", "{}", second(0))?;
            let (client, other) = (a_client(tx, one, "a", 1)?, a_client(tx, one, "b", 2)?);
            insert_access_token(tx, one, &issued(99, other, 0), b"other", 3)?;
            let of = |number: u8| [b't', number];
            for number in 1..=5_u8 {
                insert_access_token(tx, one, &issued(number.into(), client, i64::from(number)), &of(number), 3)?;
            }
            let mut live = Vec::new();
            for number in 1..=5 {
                live.push(token_owner(tx, &of(number))?.is_some());
            }
            assert_eq!(live, [false, false, true, true, true]);
            assert!(tokens(tx, one)?.is_empty(), "access tokens are not listed with the secret ones");
            assert!(!token_owner(tx, &of(5))?.unwrap().may_write);
            // The expired ones of the client go when the next is issued, those of the others with housekeeping.
            insert_access_token(tx, one, &issued(6, client, 14), &of(6), 3)?;
            assert!(token_owner(tx, &of(4))?.is_none() && token_owner(tx, &of(5))?.is_some());
            assert!(token_owner(tx, b"other")?.is_some());
            assert_eq!(delete_expired_access_tokens(tx, one, second(10))?, 1);
            assert!(token_owner(tx, b"other")?.is_none());
            // A secret token may be called like a client.
            insert_token(tx, one, &named("entra", 50), b"secret")?;
            delete_expired_access_tokens(tx, one, second(99))
        });
        assert_eq!(story.await.unwrap(), 2);
    });
}
