//! `tenant events`: what changed in a tenant, as its feed tells it.

use std::time::Duration;

use provider::{Caller, Detail, EVENTS_MAX, Event, ProviderError, TenantError};
use serde_json::json;
use store::{Action, StoreError};

use super::pages::tell_more;
use super::tenant_show::scim_url;
use crate::cli::EventsArgs;
use crate::output::{Output, moment, note};
use crate::stop::StopRequests;
use crate::world::World;

/// How often it is looked for more.
const LOOKED_EVERY: Duration = Duration::from_secs(1);
const HEAD: [&str; 6] = ["NUMBER", "TIME", "WHAT", "RESOURCE", "NAME", "ATTRIBUTES"];

/// Carries out `tenant events`.
pub async fn run(args: EventsArgs, world: &World, output: Output) -> anyhow::Result<()> {
    let issuer = scim_url(world, &args.name).await?;
    let mut stop = StopRequests::listen();
    let reader = Reader { world, name: args.name, issuer, detail: detail(args.full) };
    let mut after = match args.after {
        Some(after) => after,
        None => reader.start(args.limit).await?,
    };
    let head = reader.head().await?;
    // To a program too, for which no line is what an end looks like: who asks behind the end asks for ever.
    if after > head && (args.follow || output.is_json()) {
        note(&beyond(after, head));
    }
    let mut left = if args.limit == 0 || args.follow { u64::MAX } else { args.limit.into() };
    let mut shown = false;
    loop {
        let (mut events, read_to) = reader.page(after).await?;
        let more = events.len() as u64 > left;
        events.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        left -= events.len() as u64;
        reader.show(output, &events, !shown)?;
        shown |= !events.is_empty();
        if more || (left == 0 && reader.head().await? > read_to) {
            tell_more(true);
            return Ok(());
        }
        let at_end = read_to == after;
        after = read_to;
        if left == 0 || (at_end && !args.follow) {
            break;
        }
        if at_end {
            tokio::select! {
                () = stop.next() => return Ok(()),
                () = tokio::time::sleep(LOOKED_EVERY) => {}
            }
        }
    }
    if !shown && !output.is_json() {
        output.line(&if after > head { beyond(after, head) } else { "No events".to_owned() })?;
    }
    Ok(())
}

/// What is said of a place that the feed has not reached.
fn beyond(after: i64, head: i64) -> String {
    match head {
        0 => format!("No events after number {after}: there was none yet"),
        head => format!("No events after number {after}: the last is number {head}"),
    }
}

/// How much events tell.
pub const fn detail(is_full: bool) -> Detail {
    if is_full { Detail::Full } else { Detail::Notice }
}

/// Whoever reads the feed of a tenant.
struct Reader<'w> {
    world: &'w World,
    name: String,
    issuer: String,
    detail: Detail,
}

impl Reader<'_> {
    async fn caller(&self) -> Result<Caller, TenantError> {
        let name = self.name.clone();
        let caller = self.world.store().read(move |tx| provider::administrator(tx, &name)).await?;
        let feed = caller.tenant().into();
        self.world.store().write(move |tx| store::number_changes(tx, feed)).await?;
        Ok(caller)
    }

    /// After which number the latest `limit` changes come; as far back as they are kept.
    async fn start(&self, limit: u32) -> anyhow::Result<i64> {
        let feed = self.caller().await?.tenant().into();
        let found = self.world.store().read(move |tx| {
            let head = store::feed_head(tx, feed)?;
            let wanted = if limit == 0 { 0 } else { (head - i64::from(limit)).max(0) };
            match store::changes_after(tx, feed, wanted, 1) {
                Err(StoreError::FeedTrimmed { first, .. }) => Ok(first - 1),
                other => other.map(|_| wanted),
            }
        });
        Ok(found.await?)
    }

    async fn page(&self, after: i64) -> anyhow::Result<(Vec<Event>, i64)> {
        let (caller, base, detail) = (self.caller().await?, self.issuer.clone(), self.detail);
        let read =
            self.world.store().read(move |tx| provider::events_after(tx, &caller, &base, after, detail, EVENTS_MAX));
        match read.await {
            Err(ProviderError::Store(StoreError::FeedTrimmed { first, .. })) => anyhow::bail!(
                "what changed after number {after} is no longer kept; the oldest event is number {first}: read everything anew, then go on with --after {}",
                first - 1
            ),
            other => Ok(other?),
        }
    }

    /// The number of the last event.
    async fn head(&self) -> anyhow::Result<i64> {
        let feed = self.caller().await?.tenant().into();
        Ok(self.world.store().read(move |tx| store::feed_head(tx, feed)).await?)
    }

    fn show(&self, output: Output, events: &[Event], with_head: bool) -> anyhow::Result<()> {
        if output.is_json() {
            let line = |event: &Event| json!({ "number": event.number, "event": event.claims(&self.issuer, None) });
            return events.iter().try_for_each(|event| output.json(&line(event)));
        }
        if events.is_empty() {
            return Ok(());
        }
        let rows = events.iter().map(row).collect();
        // One who follows reads on below the same heading.
        if with_head { output.table(&HEAD, rows, "") } else { output.more_rows(rows) }
    }
}

/// What happened, in a word or two.
fn what(event: &Event) -> String {
    let action = match event.action {
        Action::Created => "created",
        Action::Patched => "changed",
        Action::Replaced => "replaced",
        Action::Deleted => "deleted",
    };
    match event.switched {
        None => action.to_owned(),
        Some(true) => format!("{action}, activated"),
        Some(false) => format!("{action}, deactivated"),
    }
}

fn row(event: &Event) -> Vec<String> {
    let name = event.name.clone().or_else(|| event.external_id.clone()).unwrap_or_default();
    let resource = event.uri.trim_start_matches('/').to_owned();
    vec![event.number.to_string(), moment(event.at), what(event), resource, name, event.attributes.join(" ")]
}
