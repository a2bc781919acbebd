//! When what happens, from a seed: storms of faults that overlap, with a quiet moment after each.

use std::collections::HashMap;
use std::time::Duration;

use fastrand::Rng;
use gristmill_testkit::Direction;

use super::fault::{
    BrokerFault, DatabaseFault, Fault, LinkFault, MEMBERS, MessageFault, ProcessFault, Server, Target,
};

/// How long faults begin and end, before all is quiet.
pub const STORM: Duration = Duration::from_secs(40);

/// How long it is quiet at least.
pub const QUIET: Duration = Duration::from_secs(8);

/// A fault at its time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// When, since the beginning of its storm.
    pub at: Duration,
    /// What.
    pub fault: Fault,
    /// How long.
    pub lasts: Duration,
    /// For whatever else about it is random.
    pub seed: u64,
}

/// All storms of a soak; the same for the same arguments. The last one is cut short where the time is up.
pub fn plan(seed: u64, length: Duration, faults_per_minute: u32) -> Vec<Vec<Step>> {
    let mut rng = Rng::with_seed(seed);
    let cycle = STORM + QUIET;
    let faults = f64::from(faults_per_minute) * cycle.as_secs_f64() / 60.0;
    let mut storms = Vec::new();
    let mut left = length;
    while !left.is_zero() {
        let storm = STORM.min(left);
        let share = storm.as_secs_f64() / STORM.as_secs_f64();
        storms.push(plan_storm(&mut rng, storm, (faults * share).round() as usize));
        left = left.saturating_sub(cycle);
    }
    storms
}

fn plan_storm(rng: &mut Rng, length: Duration, faults: usize) -> Vec<Step> {
    let mut times: Vec<_> = (0..faults).map(|_| length.mul_f64(rng.f64())).collect();
    times.sort();
    let mut busy_until = HashMap::<Target, Duration>::new();
    let mut steps = Vec::with_capacity(faults);
    for at in times {
        let fault = free_fault(rng, at, &busy_until);
        let (least, most) = fault.seconds();
        let lasts = Duration::from_secs_f64(least + (most - least) * rng.f64()).min(length - at);
        if let Some(target) = fault.target() {
            busy_until.insert(target, at + lasts + recovery(&fault));
        }
        let seed = rng.u64(..);
        steps.push(Step {
            at,
            fault,
            lasts,
            seed,
        });
    }
    steps
}

/// One whose target is free at that time. There are always some that need none.
fn free_fault(rng: &mut Rng, at: Duration, busy_until: &HashMap<Target, Duration>) -> Fault {
    loop {
        let fault = any_fault(rng);
        let busy = fault.target().and_then(|target| busy_until.get(&target));
        if busy.is_none_or(|until| *until <= at) {
            return fault;
        }
    }
}

/// How long a target takes to be itself again once the fault is over, about.
fn recovery(fault: &Fault) -> Duration {
    let seconds = match fault {
        Fault::Process(..) => 2,
        Fault::Broker(BrokerFault::Kill | BrokerFault::StopApp) => 12,
        Fault::Broker(_) => 5,
        Fault::Database(_) => 3,
        Fault::Link(..) | Fault::Messages(_) => 0,
    };
    Duration::from_secs(seconds)
}

fn any_fault(rng: &mut Rng) -> Fault {
    let member = rng.usize(..MEMBERS.len());
    match rng.u32(..100) {
        0..45 => {
            let server = pick(rng, &[Server::Database, Server::Broker]);
            Fault::Link(member, server, any_link_fault(rng))
        }
        45..65 => {
            let faults = [ProcessFault::Kill, ProcessFault::Term, ProcessFault::Freeze];
            Fault::Process(member, pick(rng, &faults))
        }
        65..80 => Fault::Database(pick(
            rng,
            &[
                DatabaseFault::Restart,
                DatabaseFault::KillSession,
                DatabaseFault::TerminateSessions,
                DatabaseFault::Freeze,
                DatabaseFault::LockRows,
            ],
        )),
        80..88 => Fault::Broker(pick(
            rng,
            &[
                BrokerFault::Kill,
                BrokerFault::StopApp,
                BrokerFault::CloseConnections,
                BrokerFault::Freeze,
                BrokerFault::DeleteQueue,
                BrokerFault::MemoryAlarm,
            ],
        )),
        _ => Fault::Messages(pick(
            rng,
            &[MessageFault::Duplicate, MessageFault::Old, MessageFault::Poison],
        )),
    }
}

fn any_link_fault(rng: &mut Rng) -> LinkFault {
    let direction = pick(rng, &[Direction::Requests, Direction::Answers]);
    pick(
        rng,
        &[
            LinkFault::Cut,
            LinkFault::Reset,
            LinkFault::Refuse,
            LinkFault::Freeze,
            LinkFault::Delay,
            LinkFault::Withhold(direction),
            LinkFault::Discard(direction),
            LinkFault::Limit,
            LinkFault::HalfClose(direction),
        ],
    )
}

fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.usize(..from.len())]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

    #[test]
    fn a_seed_is_a_plan_and_another_seed_is_another() {
        let storms = plan(7, HALF_AN_HOUR, 40);
        assert_eq!(storms, plan(7, HALF_AN_HOUR, 40));
        assert_ne!(storms, plan(8, HALF_AN_HOUR, 40));
    }

    #[test]
    fn half_an_hour_holds_as_many_faults_as_told_and_every_kind() {
        let storms = plan(7, HALF_AN_HOUR, 40);
        let steps: Vec<_> = storms.iter().flatten().collect();
        assert!((1_180..=1_220).contains(&steps.len()), "{}", steps.len());
        let kinds: BTreeSet<_> = steps.iter().map(|step| step.fault.kind()).collect();
        // Processes: three faults for two roles. Links: nine faults, three of them in two directions, for two servers.
        assert_eq!(kinds.len(), 3 * 2 + 12 * 2 + 6 + 5 + 3, "{kinds:#?}");
    }

    #[test]
    fn faults_of_one_target_do_not_overlap_and_all_end_with_their_storm() {
        for storm in plan(7, HALF_AN_HOUR, 60) {
            let mut busy = HashMap::new();
            for step in storm {
                assert!(step.at + step.lasts <= STORM, "{step:?}");
                let Some(target) = step.fault.target() else {
                    continue;
                };
                let until = busy.insert(target, step.at + step.lasts);
                assert!(until.is_none_or(|until| until <= step.at), "{step:?}");
            }
        }
    }
}
