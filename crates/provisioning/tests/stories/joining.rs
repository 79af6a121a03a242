//! Joiners, movers and leavers.

use crate::fake_target::Nature;
use crate::world::{lines, on_both};

#[test]
fn a_joiner_gets_an_account_and_a_quiet_cycle_sends_nothing() {
    on_both(|world| async move {
        let job = world.job("scim", Nature::default()).await;
        world.joins_for(job.app, "Ann").await;
        let report = job.settle().await;
        assert_eq!((report.created, report.cycle), (1, "initial"));
        insta::assert_snapshot!(lines(&job.target.take_writes()), @"");
        assert_eq!(job.cycle().await.requests, 0);
    });
}
