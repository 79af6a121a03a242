//! A tenant's own schemas as its callers meet them: read once, and never changed under a request.

use jiff::Timestamp;
use provider::{AuthError, CustomSchemas, TenantError, TenantSettings, TokenHash, TokenKey, TokenRequest};
use store::testing::on_both;
use store::{Store, StoreError};

/// What a use case of this story ends with; the tests look at the first.
#[derive(Debug)]
enum Ended {
    Auth(AuthError),
    Other,
}

impl From<AuthError> for Ended {
    fn from(error: AuthError) -> Self {
        Self::Auth(error)
    }
}

impl From<StoreError> for Ended {
    fn from(_: StoreError) -> Self {
        Self::Other
    }
}

/// A tenant with a token.
async fn tenant(store: &Store) -> TokenHash {
    let now = Timestamp::UNIX_EPOCH;
    let made = store.write(move |tx| {
        let key = TokenKey::new([3; 32]);
        provider::create_tenant(tx, "acme", "generic", &TenantSettings::default(), now)?;
        let id = store::version_7(now, [0; 10]).into();
        let request =
            TokenRequest { tenant: "acme", name: "first", id, secret: [5; 32], days: 1, scope: provider::Scope::Write };
        let token = provider::create_token(tx, &key, &request, now)?.text;
        Ok::<_, TenantError>(key.hash(&token).expect("a new token is well-formed"))
    });
    made.await.expect("a tenant is made")
}

/// Defines one extension of users, of which `name` is the attribute.
async fn define(store: &Store, name: &str) {
    let text = format!("{{\"id\": \"urn:example:story:1.0:User\", \"attributes\": [{{\"name\": \"{name}\"}}]}}");
    let definition = CustomSchemas::read(&text).expect("the schema is sound");
    let set = store.write(move |tx| provider::set_schemas(tx, "acme", &definition, Timestamp::UNIX_EPOCH));
    set.await.expect("no resource is in the way");
}

#[test]
fn a_request_that_was_prepared_by_other_schemas_writes_nothing() {
    on_both(|store| async move {
        let (token, now) = (tenant(&store).await, Timestamp::UNIX_EPOCH);
        let admit = || {
            let token = token.clone();
            store.read(move |tx| token.authenticate(tx, now))
        };
        let check = |caller: std::sync::Arc<provider::Caller>| {
            let token = token.clone();
            store.write(move |tx| Ok::<_, Ended>(token.check(tx, &caller, now)?))
        };
        let before = admit().await.expect("the token is valid");
        assert!(check(before.clone()).await.is_ok());
        define(&store, "first").await;
        assert!(matches!(check(before).await, Err(Ended::Auth(AuthError::SchemasChanged))));
        let first = admit().await.expect("the token is valid");
        assert!(check(first.clone()).await.is_ok());
        define(&store, "second").await;
        assert!(matches!(check(first).await, Err(Ended::Auth(AuthError::SchemasChanged))));
        assert!(check(admit().await.expect("the token is valid")).await.is_ok());
    });
}

#[test]
fn a_look_up_of_one_statement_asks_for_another_where_schemas_are_not_at_hand() {
    on_both(|store| async move {
        let (token, now) = (tenant(&store).await, Timestamp::UNIX_EPOCH);
        // On each database another document, so that neither finds what was compiled for the other.
        define(&store, if store.writes_in_turn() { "embedded" } else { "server" }).await;
        let look_up = || {
            let token = token.clone();
            store.look_up(move |tx| token.authenticate(tx, now))
        };
        assert!(matches!(look_up().await, Err(AuthError::SchemasNotAtHand)));
        let read = token.clone();
        let caller = store.read(move |tx| read.authenticate(tx, now)).await.expect("the token is valid");
        assert_eq!(caller.profile().resource_types().next().map(|users| users.extensions.len()), Some(2));
        assert!(look_up().await.is_ok(), "from then on one statement is enough");
    });
}
