//! Ours beside public SCIM servers, in one run: the same load on each, in turn, and the ratios. How the peers are started is in
//! `servers`, what is asked in `phases`.

mod phases;
mod servers;

use crate::database::Kind;
use crate::figures::{Figure, Required, Unit};
use crate::load::Report;
use crate::product::Product;
use crate::run::Run;
use phases::{Outcome, Phase};
pub use servers::Packages;
use servers::Peer;

/// How many times as fast as the fastest durable peer ours has to be in making users.
const POST_RATIO: f64 = 8.0;

/// What a server came to.
#[derive(Debug)]
struct Measured {
    peer: Peer,
    outcomes: Vec<(Phase, Outcome)>,
    members: usize,
}

/// Measures ours and all peers.
pub fn measure(run: &Run, packages: &Packages) -> anyhow::Result<Vec<Figure>> {
    let mut peers = Vec::new();
    for peer in servers::ALL {
        let running = peer.start(packages, &run.folder)?;
        let (outcomes, members) = phases::measure(run, peer.name(), &running.endpoint)?;
        peers.push(Measured { peer, outcomes, members });
    }
    let product = Product::new(run, run.database(Kind::Sqlite)?)?;
    let _server = product.serve()?;
    let (ours, _) = phases::measure(run, "Lockstep (SQLite)", &product.tenant()?)?;
    Ok(ours.iter().flat_map(|(phase, outcome)| figures(*phase, outcome, &peers)).collect())
}

/// Ours against each peer, then against the fastest durable one.
fn figures(phase: Phase, ours: &Outcome, peers: &[Measured]) -> Vec<Figure> {
    let ours = match ours {
        Ok(report) => report,
        Err(trouble) => {
            let none = Figure::new(format!("peers: {}", phase.name()), Some(Kind::Sqlite), 0.0, Unit::PerSecond);
            return vec![none.requiring(Required::ValueAtLeast(1.0)).noted(trouble.clone())];
        }
    };
    let mut figures = Vec::new();
    let mut fastest: Option<(Peer, &Report)> = None;
    for Measured { peer, outcomes, members } in peers {
        let name = format!("peers: {} against {}", phase.name(), peer.name());
        let figure = Figure::of_load(name, Some(Kind::Sqlite), ours);
        let outcome = outcomes.iter().find(|(of, _)| *of == phase).map(|(_, outcome)| outcome);
        figures.push(match outcome {
            Some(Ok(report)) => {
                if peer.is_durable() && fastest.is_none_or(|(_, before)| before.per_second < report.per_second) {
                    fastest = Some((*peer, report));
                }
                let (p50, p99) = (f64::from(report.p50_micros) / 1e3, f64::from(report.p99_micros) / 1e3);
                let figure = figure.against(peer.name(), report.per_second);
                let size = if phase == Phase::AddMember { format!(", group of {members}") } else { String::new() };
                figure.noted(format!("the peer's p50 / p99: {p50:.1} / {p99:.1} ms{size}"))
            }
            Some(Err(trouble)) => figure.noted(format!("the peer cannot: {trouble}")),
            None => figure,
        });
    }
    if let Some((peer, report)) = fastest {
        let name = format!("peers: {} against the fastest durable", phase.name());
        let figure = Figure::of_load(name, Some(Kind::Sqlite), ours).against(peer.name(), report.per_second);
        let judged = phase == Phase::Post;
        figures.push(if judged { figure.requiring(Required::RatioAtLeast(POST_RATIO)) } else { figure });
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::{Measured, Peer, Phase, figures};
    use crate::figures::Verdict;
    use crate::load::Report;

    fn rate(per_second: f64) -> Report {
        Report { per_second, ..Report::default() }
    }

    #[test]
    fn ours_is_held_against_each_peer_and_judged_by_the_durable_one() {
        let peer = |peer, outcome| Measured { peer, outcomes: vec![(Phase::Post, outcome)], members: 9 };
        let peers = [
            peer(Peer::Scimmy, Ok(rate(4_000.0))),
            peer(Peer::Scim2Server, Err("it has no group".to_owned())),
            peer(Peer::DjangoScim2, Ok(rate(1_000.0))),
        ];
        let all = figures(Phase::Post, &Ok(rate(8_000.0)), &peers);
        let ratios: Vec<_> = all.iter().map(|figure| figure.ratio.map(|ratio| ratio.round().to_string())).collect();
        assert_eq!(ratios, [Some("2".to_owned()), None, Some("8".to_owned()), Some("8".to_owned())]);
        assert_eq!(all.iter().filter(|figure| figure.verdict == Verdict::Ok).count(), 1);
        assert!(all[1].note.as_deref().unwrap().contains("it has no group"));
        let slow = figures(Phase::Post, &Ok(rate(7_000.0)), &peers);
        assert_eq!(slow[3].verdict, Verdict::Short);
        let broken = figures(Phase::Post, &Err("500".to_owned()), &peers);
        assert_eq!((broken.len(), broken[0].verdict), (1, Verdict::Short));
    }
}
