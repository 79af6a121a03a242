//! Warnings before credentials end: 30, 7 and 1 days before, once each.

use jiff::Timestamp;
use store::{ReadTx, StoreError, TenantKey, WriteTx};

/// How many days before its end a credential is warned about, each once.
pub const WARNED_DAYS: [i64; 3] = [30, 7, 1];
const DAY_SECONDS: i64 = 86_400;

/// How soon something ends: the smallest of [`WARNED_DAYS`] that covers what is left; none for what has ended or has long to go. What
/// was made for no longer than that is no surprise.
pub fn ends_within((created, expires): (Timestamp, Timestamp), now: Timestamp) -> Option<i64> {
    let (left, whole) = (expires.as_second() - now.as_second(), expires.as_second() - created.as_second());
    let is_covered = |days: &i64| left <= days * DAY_SECONDS && whole > days * DAY_SECONDS;
    if expires <= now { None } else { WARNED_DAYS.into_iter().rev().find(is_covered) }
}

/// The warning that is due: not the one that was given last, nor an earlier one.
fn due(life: (Timestamp, Timestamp), warned: Option<i64>, now: Timestamp) -> Option<i64> {
    ends_within(life, now).filter(|days| warned.is_none_or(|given| *days < given))
}

/// A credential that ends soon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// What it is: `token "entra"`, or `secret lsc_abcdef… of client "entra"`.
    pub what: String,
    /// When it ends.
    pub expires: Timestamp,
    /// How soon: within so many days.
    pub within_days: i64,
    due: Option<i64>,
    key: Key,
}

impl Ending {
    /// Whether the warning is still to be given.
    pub const fn is_due(&self) -> bool {
        self.due.is_some()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Token(store::TokenId),
    Secret(store::ClientId, store::SecretId),
}

/// What of a tenant ends soon, tokens first.
pub fn ending(tx: &mut ReadTx<'_>, tenant: TenantKey, now: Timestamp) -> Result<Vec<Ending>, StoreError> {
    let mut found = Vec::new();
    for token in store::tokens::tokens(tx, tenant)?.into_iter().filter(|token| token.revoked.is_none()) {
        let what = format!("token {:?}", token.name);
        found.extend(soon(what, (token.created, token.expires), token.warned, Key::Token(token.id), now));
    }
    for client in store::clients::clients(tx, tenant)? {
        for secret in store::clients::secrets(tx, tenant, client.id)? {
            let what = format!("secret {}… of client {:?}", secret.hint, client.name);
            found.extend(soon(
                what,
                (secret.created, secret.expires),
                secret.warned,
                Key::Secret(client.id, secret.id),
                now,
            ));
        }
    }
    Ok(found)
}

fn soon(what: String, life: (Timestamp, Timestamp), warned: Option<i64>, key: Key, now: Timestamp) -> Option<Ending> {
    let within_days = ends_within(life, now)?;
    Some(Ending { what, expires: life.1, within_days, due: due(life, warned, now), key })
}

/// Notes that the warnings which are due have been given.
pub fn note_warned(tx: &mut WriteTx<'_>, tenant: TenantKey, given: &[Ending]) -> Result<(), StoreError> {
    for Ending { due, key, .. } in given {
        match (due, key) {
            (None, _) => {}
            (Some(days), Key::Token(id)) => store::tokens::note_warning(tx, tenant, *id, *days)?,
            (Some(days), Key::Secret(client, id)) => {
                store::clients::note_warning(tx, tenant, *client, *id, *days)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_warning_is_due_once() {
        let now = Timestamp::from_second(1_000_000_000).unwrap();
        for (days_left, warned, expected) in [
            (31.0, None, None),
            (30.0, None, Some(30)),
            (29.0, Some(30), None),
            (7.0, Some(30), Some(7)),
            (6.5, Some(7), None),
            (1.0, Some(7), Some(1)),
            (0.5, Some(1), None),
            // A server that was off for long gives the one that fits, not all that were missed.
            (0.5, None, Some(1)),
            (0.0, None, None),
            (-3.0, Some(30), None),
        ] {
            let left = jiff::SignedDuration::from_secs_f64(days_left * 86_400.0);
            let made = now - jiff::SignedDuration::from_hours(24 * 365);
            assert_eq!(due((made, now + left), warned, now), expected, "{days_left} {warned:?}");
        }
    }

    #[test]
    fn what_was_made_for_a_short_time_is_not_warned_about_early() {
        let day = |days: i64| Timestamp::from_second(days * DAY_SECONDS).unwrap();
        for (life_days, on_day, expected) in
            [(1, 0, None), (7, 0, None), (7, 6, Some(1)), (30, 1, None), (30, 23, Some(7)), (31, 1, Some(30))]
        {
            assert_eq!(ends_within((day(0), day(life_days)), day(on_day)), expected, "{life_days} {on_day}");
        }
    }
}
