//! A SCIM endpoint with one tenant and one token: `cargo run --example one_tenant -- 127.0.0.1:8080 /tmp/lockstep.db generic`.
//!
//! It prints the address and the token, and serves until it is interrupted.

use std::error::Error;

use jiff::Timestamp;
use provider::{Scope, TOKEN_DAYS_DEFAULT, TenantError, TenantSettings, TokenKey, TokenRequest};
use server::{App, AppParts, Limits};
use store::{Database, Store};
use tokio::net::TcpListener;

#[expect(clippy::disallowed_methods, reason = "a program is the edge where the clock is read")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let file = arguments.next().unwrap_or_else(|| "lockstep.db".to_owned());
    let profile = arguments.next().unwrap_or_else(|| "generic".to_owned());

    let token_key = TokenKey::new(random());
    let store = Store::open(&Database::Sqlite(file.into()))?;
    let (key, id, secret) = (token_key.clone(), store::version_7(now(), random()).into(), random());
    let token = store
        .write(move |tx| -> Result<_, TenantError> {
            let (days, scope) = (TOKEN_DAYS_DEFAULT, Scope::Write);
            let request = TokenRequest { tenant: "contoso", name: "example", id, secret, days, scope };
            provider::create_tenant(tx, "contoso", &profile, &TenantSettings::default(), now())?;
            provider::create_token(tx, &key, &request, now())
        })
        .await?;

    let public_url = format!("http://{address}");
    println!("{public_url}/t/contoso/scim/v2\n{}", token.text);
    let parts = AppParts {
        store,
        token_key,
        clock: Box::new(now),
        ids: Box::new(|at| store::version_7(at, random()).into()),
        random: Box::new(|bytes| getrandom::fill(bytes).expect("the operating system has randomness")),
        fetch: Box::new(|_| Box::pin(std::future::ready(Err("this example fetches nothing".to_owned())))),
        public_url,
    };
    let listener = TcpListener::bind(address).await?;
    let interrupted = async { drop(tokio::signal::ctrl_c().await) };
    server::serve(listener, server::service(App::new(parts)), Limits::default(), interrupted).await?;
    Ok(())
}
