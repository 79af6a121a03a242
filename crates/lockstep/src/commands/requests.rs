//! `tenant requests`: the request log of a tenant.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use provider::TenantError;
use serde_json::Value;
use server::{LogQuery, search, tenant_folder};
use store::TokenId;

use crate::cli::RequestsArgs;
use crate::outcome::usage;
use crate::output::{Output, moment};
use crate::world::{World, now};

/// Carries out `tenant requests`.
pub async fn run(args: RequestsArgs, world: &World, output: Output) -> anyhow::Result<()> {
    const HEAD: [&str; 8] = ["TIME", "STATUS", "METHOD", "ADDRESS", "MS", "BYTES", "CALLER", "ID"];
    let name = args.name.clone();
    let read = move |tx: &mut store::ReadTx<'_>| -> Result<_, TenantError> {
        Ok((provider::tenant(tx, &name)?, provider::tokens(tx, &name)?, provider::oauth::clients(tx, &name)?))
    };
    let (tenant, tokens, clients) = world.store().read(read).await?;
    let tokens = tokens.into_iter().map(|token| (token.id.to_string(), token.name));
    let clients = clients.into_iter().map(|view| (view.client.id.to_string(), view.client.name));
    let names: HashMap<String, String> = tokens.chain(clients).collect();
    if let Some(caller) = args.caller.as_ref().filter(|caller| !is_known(caller, &names)) {
        return Err(anyhow::anyhow!(
            "the tenant {0:?} has no token and no client named {caller:?}; lockstep tenant show {0} names those there are",
            tenant.name
        ));
    }
    let query = query(args, &names)?;
    let folder = tenant_folder(&world.request_log().folder, &tenant.name, tenant.key.number());
    let found = search(&folder, &query)
        .map_err(|error| anyhow::anyhow!("the request log in {} cannot be read: {error}", folder.display()))?;
    if output.is_json() {
        return found.iter().try_for_each(|line| output.json(line));
    }
    let rows = found.iter().map(|line| row(line, &names)).collect();
    output.table(&HEAD, rows, "No requests; the log has those that the server of this data folder answered lately")
}

/// Whether a caller is the name of a credential, or may be the id of one that is gone.
fn is_known(caller: &str, names: &HashMap<String, String>) -> bool {
    caller.parse::<TokenId>().is_ok() || names.values().any(|name| name == caller)
}

fn row(line: &Value, names: &HashMap<String, String>) -> Vec<String> {
    let text = |name: &str| match &line[name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let at = text("at").parse().map_or_else(|_| text("at"), moment);
    let caller = text("caller");
    let caller = names.get(&caller).cloned().unwrap_or(caller);
    vec![at, text("status"), text("method"), text("path"), text("ms"), text("bytes"), caller, text("id")]
}

fn query(args: RequestsArgs, names: &HashMap<String, String>) -> anyhow::Result<LogQuery> {
    let since = args.since.map(|since| {
        moment_of(&since, now()).ok_or_else(|| {
            usage(format!("--since: {since:?} is no moment like 2026-01-31T09:00:00Z and no time like 90m, 6h or 2d"))
        })
    });
    let status = args.status.map(|status| {
        statuses(&status)
            .ok_or_else(|| usage(format!("--status: {status:?} is no status like 409, and no class of them like 4xx")))
    });
    // A token that was revoked may have the name of another, or a client; all are meant. What is no name may be the id of one that is gone.
    let callers = args.caller.map(|caller| {
        let ids = names.iter().filter(|(_, name)| **name == caller).map(|(id, _)| id.clone());
        ids.chain(std::iter::once(caller.clone())).collect()
    });
    Ok(LogQuery {
        since: since.transpose()?,
        status: status.transpose()?,
        method: args.method,
        path: args.path,
        callers,
        id: args.id,
        limit: args.limit,
    })
}

/// A moment, or so long ago.
fn moment_of(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let unit = text.chars().next_back()?;
    let count: i64 = text.strip_suffix(unit)?.parse().ok().filter(|count| *count >= 0)?;
    let seconds = count.checked_mul(match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return None,
    })?;
    Some(now.saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MIN))
}

/// First and last of the statuses that are meant.
fn statuses(text: &str) -> Option<(u16, u16)> {
    if let Some(class) = text.to_ascii_lowercase().strip_suffix("xx") {
        let class: u16 = class.parse().ok().filter(|class| (1..=5).contains(class))?;
        return Some((class * 100, class * 100 + 99));
    }
    let status = text.parse().ok().filter(|status| (100..=599).contains(status))?;
    Some((status, status))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_statuses() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        for (text, expected) in [
            ("1970-01-02T00:00:00Z", Some(86_400)),
            ("90s", Some(999_910)),
            ("1m", Some(999_940)),
            ("2h", Some(992_800)),
            ("1d", Some(913_600)),
            ("", None),
            ("d", None),
            ("-1d", None),
            ("1w", None),
            ("1é", None),
            ("99999999999999999d", None),
        ] {
            assert_eq!(moment_of(text, now).map(Timestamp::as_second), expected, "{text}");
        }
        for (text, expected) in [
            ("409", Some((409, 409))),
            ("4xx", Some((400, 499))),
            ("5XX", Some((500, 599))),
            ("9xx", None),
            ("40", None),
            ("", None),
        ] {
            assert_eq!(statuses(text), expected, "{text}");
        }
    }
}
