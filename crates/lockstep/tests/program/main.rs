//! Stories of the whole program: the real binary in processes of its own, over real HTTP, on both databases where
//! `LOCKSTEP_TEST_POSTGRES` names a PostgreSQL server.

mod demo;
mod directory;
mod installation;
mod provisioning;
mod refusals;
mod serving;
mod targets;
