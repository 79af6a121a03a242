//! Stories of the provisioning service: each tells what happens at an application when something happens in the directory,
//! or goes wrong on the way. Every story is told on each database there is.

mod configuring;
mod declaring;
mod departing;
mod failing;
mod fake_target;
mod flowing;
mod foretelling;
mod grouping;
mod hostile;
mod joining;
mod leaving;
mod losing;
mod matching;
mod parting;
mod reading;
mod rehiring;
mod retrying;
mod scoping;
mod simulation;
mod staying;
mod targeting;
mod telling;
mod versioning;
mod world;
