//! Clients, their secrets and identity providers: each tenant's own, and what goes with what.

use super::*;
use crate::tenants::insert_tenant;
use crate::testing::{numbered, on_both, second};
use crate::tokens::{self, AccessTokenRecord, TokenRecord};

pub(crate) fn a_client(
    tx: &mut WriteTx<'_>,
    tenant: TenantKey,
    name: &str,
    number: u128,
) -> Result<ClientId, StoreError> {
    let id = numbered(number);
    let client = ClientRecord {
        id,
        name: name.to_owned(),
        may_write: true,
        may_define: false,
        token_minutes: 60,
        created: second(0),
    };
    insert_client(tx, tenant, &client).map(|()| id)
}

fn a_secret(number: u128, expires: i64) -> SecretRecord {
    let (id, hint) = (numbered(number), "lsc_1".to_owned());
    SecretRecord { id, hint, created: second(0), expires: second(expires), last_used: None, warned: None }
}

fn an_issuer(client: ClientId, issuer: &str) -> FederationRecord {
    FederationRecord {
        client,
        issuer: issuer.to_owned(),
        audience: "api://lockstep".to_owned(),
        subject: None,
        jwks_url: Some("https://keys.example".to_owned()),
        jwks: None,
        accept_bearer: false,
        created: second(0),
    }
}

fn issued(number: u128, client: ClientId, secret: Option<u128>) -> AccessTokenRecord {
    AccessTokenRecord {
        id: numbered(number),
        client,
        secret: secret.map(numbered),
        name: "entra".to_owned(),
        hint: "lsa_1".to_owned(),
        may_write: true,
        may_define: false,
        created: second(1),
        expires: second(9),
    }
}

/// Gives a tenant one credential of each kind.
pub(crate) fn furnish(tx: &mut WriteTx<'_>, tenant: TenantKey, number: u128, hash: &str) -> Result<(), StoreError> {
    let token = TokenRecord {
        id: numbered(number),
        name: "sync".to_owned(),
        hint: "lk_1".to_owned(),
        may_write: true,
        may_define: false,
        created: second(0),
        expires: second(9),
        revoked: None,
        last_used: None,
        warned: None,
    };
    tokens::insert_token(tx, tenant, &token, hash.as_bytes())?;
    let client = a_client(tx, tenant, "entra", number)?;
    insert_secret(tx, tenant, client, &a_secret(number, 9), hash.as_bytes())?;
    take_assertion(tx, tenant, client, (b"jti", second(9)), (1, second(0)))?;
    set_federation(tx, tenant, client, Some(&an_issuer(client, "https://idp.example")))
}

#[test]
fn a_secret_tells_its_client_and_goes_with_its_access_tokens() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let one = insert_tenant(tx, "one", "generic", "{}", second(0))?;
            let client = a_client(tx, one, "entra", 1)?;
            insert_secret(tx, one, client, &a_secret(1, 5), b"first")?;
            insert_secret(tx, one, client, &a_secret(2, 9), b"second")?;
            let owner = secret_owner(tx, b"second")?.unwrap();
            assert_eq!((owner.tenant, owner.client.id, owner.secret), (one, client, numbered(2)));
            assert_eq!((owner.expires, owner.suspended, owner.tenant_name.as_str()), (second(9), None, "one"));
            assert_eq!(secret_owner(tx, b"secon")?, None);
            for (number, secret) in [(11, Some(1)), (12, Some(2)), (13, None)] {
                let hash = number.to_string();
                tokens::insert_access_token(tx, one, &issued(number, client, secret), hash.as_bytes(), 9)?;
            }
            note_use(tx, one, client, numbered(1), second(3))?;
            note_warning(tx, one, client, numbered(1), 7)?;
            let kept = secrets(tx, one, client)?;
            assert_eq!((kept[0].last_used, kept[0].warned, kept[1].last_used), (Some(second(3)), Some(7), None));
            delete_secret(tx, one, client, numbered(2))?;
            let live = |tx: &mut WriteTx<'_>| -> Result<Vec<bool>, StoreError> {
                [b"11", b"12", b"13"].iter().map(|hash| Ok(tokens::token_owner(tx, *hash)?.is_some())).collect()
            };
            assert_eq!(live(tx)?, [true, false, true]);
            assert_eq!(secret_owner(tx, b"second")?, None);
            set_federation(tx, one, client, None)?;
            assert_eq!(live(tx)?, [true, false, false]);
            let mut later = a_secret(3, 9);
            later.created = second(6);
            insert_secret(tx, one, client, &later, b"third")?;
            assert_eq!(secrets(tx, one, client)?.len(), 1, "the expired one is gone");
            delete_client(tx, one, client)?;
            assert_eq!(live(tx)?, [false; 3]);
            Ok::<_, StoreError>(clients(tx, one)?.len())
        });
        assert_eq!(story.await.unwrap(), 0);
    });
}

#[test]
fn clients_are_their_tenants_own() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let one = insert_tenant(tx, "one", "generic", "{}", second(0))?;
            let two = insert_tenant(tx, "two", "generic", "{}", second(0))?;
            // The same id in both: an id alone must never be enough.
            let client = a_client(tx, one, "entra", 1)?;
            a_client(tx, two, "entra", 1)?;
            set_federation(tx, one, client, Some(&an_issuer(client, "https://one.example")))?;
            set_federation(tx, two, client, Some(&an_issuer(client, "https://two.example")))?;
            insert_secret(tx, one, client, &a_secret(1, 9), b"one")?;
            insert_secret(tx, two, client, &a_secret(1, 9), b"two")?;
            delete_client(tx, two, client)?;
            assert_eq!(client_locked(tx, two, client)?, None);
            assert_eq!(client_by_name_locked(tx, two, "entra")?, None);
            assert_eq!((federations(tx, two)?, secret_owner(tx, b"two")?), (vec![], None));
            assert_eq!(client_by_name_locked(tx, one, "entra")?, client_locked(tx, one, client)?);
            assert_eq!(federation_of(tx, one, client)?, federations(tx, one)?.pop());
            Ok::<_, StoreError>(secret_owner(tx, b"one")?.is_some())
        });
        assert!(story.await.unwrap());
    });
}

#[test]
fn an_assertion_is_taken_once_and_no_more_are_kept_than_the_limit() {
    on_both(|store| async move {
        let story = store.write(|tx| {
            let one = insert_tenant(tx, "one", "generic", "{}", second(0))?;
            let (client, other) = (a_client(tx, one, "a", 1)?, a_client(tx, one, "b", 2)?);
            let mut told = Vec::new();
            for (client, digest, expires, now) in [
                (client, b"1", 5, 0),
                (client, b"1", 5, 4),
                (other, b"1", 5, 4),
                (client, b"2", 9, 4),
                (client, b"3", 9, 4),
                (client, b"3", 9, 5),
            ] {
                told.push(take_assertion(tx, one, client, (digest, second(expires)), (2, second(now)))?);
            }
            assert_eq!(
                (delete_ended_assertions(tx, one, second(8))?, delete_ended_assertions(tx, one, second(9))?),
                (1, 2)
            );
            Ok::<_, StoreError>(told)
        });
        let expected = [Taken::New, Taken::Before, Taken::New, Taken::New, Taken::TooMany, Taken::New];
        assert_eq!(story.await.unwrap(), expected);
    });
}
