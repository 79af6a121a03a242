//! Warns by the log before credentials of tenants end.

use provider::{Ending, TenantError};
use store::TenantKey;

use crate::output::moment;
use crate::world::{World, now};

/// What is told about a credential of a tenant that ends soon, with the cure.
pub fn sentence(tenant: &str, ending: &Ending) -> String {
    let Ending { what, expires, within_days, .. } = ending;
    let when = if *within_days == 1 { "a day".to_owned() } else { format!("{within_days} days") };
    format!(
        "the {what} of the tenant {tenant:?} ends within {when}, at {}; give its client a new one",
        moment(*expires)
    )
}

/// Gives the warnings that are due for every tenant, each once, also across restarts; says how many.
pub async fn warn(world: &World) -> Result<usize, TenantError> {
    let mut given = 0;
    for tenant in world.store().read(provider::tenants).await? {
        for ending in due(world, tenant.key).await? {
            tracing::warn!("Soon nobody gets in: {}", sentence(&tenant.name, &ending));
            given += 1;
        }
    }
    Ok(given)
}

/// The warnings of a tenant that are due, noted as given: of several machines one gives each.
async fn due(world: &World, tenant: TenantKey) -> Result<Vec<Ending>, TenantError> {
    let now = now();
    let is_any = world.store().read(move |tx| provider::ending(tx, tenant, now)).await?.iter().any(Ending::is_due);
    if !is_any {
        return Ok(Vec::new());
    }
    let noted = world.store().write(move |tx| {
        let mut due = provider::ending(tx, tenant, now)?;
        due.retain(Ending::is_due);
        provider::note_warned(tx, tenant, &due)?;
        Ok::<_, TenantError>(due)
    });
    noted.await
}
