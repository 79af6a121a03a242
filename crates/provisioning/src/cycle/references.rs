//! The second pass: managers and members whose both ends exist at the target.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use store::{ObjectId, ObjectKind, references};
use tokio::task::JoinSet;

use super::context::{Cycle, Stop};

/// Holders of references that are fetched at a time.
const HOLDERS_PAGE: u32 = 500;

impl Cycle {
    /// Writes every reference that is ready. One that fails stays noted, and is not tried twice in one pass.
    pub(super) async fn write_references(self: &Arc<Self>) -> Result<(), Stop> {
        for kind in [ObjectKind::User, ObjectKind::Group] {
            let mut after: Option<ObjectId> = None;
            loop {
                let (app, from) = (self.app, after);
                let holders = self
                    .engine
                    .store()
                    .scan(move |tx| references::ready_holders(tx, app, kind, from, HOLDERS_PAGE))
                    .await?;
                let Some(last) = holders.last() else { break };
                after = Some(*last);
                self.each(holders, "references", move |cycle, holder| async move {
                    match kind {
                        ObjectKind::Group => cycle.write_members(holder).await,
                        ObjectKind::User | ObjectKind::Membership | ObjectKind::Assignment | ObjectKind::Custom(_) => {
                            cycle.write_managers(holder).await
                        }
                    }
                })
                .await?;
            }
        }
        Ok(())
    }

    /// Does something for each of many, a bounded number at a time.
    pub(super) async fn each<T, F, Fut>(
        self: &Arc<Self>,
        items: impl IntoIterator<Item = T>,
        phase: &'static str,
        work: F,
    ) -> Result<(), Stop>
    where
        T: Send + 'static,
        F: Fn(Arc<Self>, T) -> Fut,
        Fut: Future<Output = Result<(), Stop>> + Send + 'static,
    {
        let mut running: JoinSet<Result<(), Stop>> = JoinSet::new();
        for item in items {
            while running.len() >= self.settings.plain.concurrency {
                self.collect(running.join_next().await, phase);
            }
            if self.is_stopped() {
                break;
            }
            running.spawn(work(Arc::clone(self), item));
        }
        while let Some(ended) = running.join_next().await {
            self.collect(Some(ended), phase);
        }
        self.go_on()
    }

    fn collect(&self, ended: Option<Result<Result<(), Stop>, tokio::task::JoinError>>, phase: &'static str) {
        match ended {
            Some(Ok(Err(stop))) => self.halt(stop),
            Some(Err(error)) => {
                self.halt(Stop::Job(crate::job::JobError::Invalid(format!("a task of the cycle ended: {error}"))));
            }
            Some(Ok(Ok(()))) | None => {}
        }
        self.counts.done.fetch_add(1, Ordering::Relaxed);
        self.tell(phase);
    }
}
