//! A worker on a real database and the in-process broker: what becomes of executions when answers are lost, leases are
//! taken away and workers are told to stop.

#![allow(clippy::unwrap_used, reason = "a broken promise ends the test")]

mod drain;
mod faulty;
mod hold;
mod in_doubt;
mod inputs;
mod jobs;
mod leases;
mod prefetching;
mod recovers;
mod runs;
mod shop;
mod unknown;
