//! Report: what is printed about executions that waited.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use gristmill_bench::{ByProcess, Latency, Machine, VERSION, round};
use serde::Serialize;

use super::Options;
use super::moments::Life;

/// How they left, and how they started.
#[derive(Debug, Serialize)]
pub struct Report {
    bench: &'static str,
    version: &'static str,
    machine: Machine,
    executions: u64,
    completed: u64,
    /// How many executions the worker runs at a time.
    slots: u64,
    /// Claims between the moment when all were waiting and the one that they waited for.
    claims_while_waiting: u64,
    /// Processor seconds, by process, of a minute in which all waited.
    processor_seconds_per_waiting_minute: ByProcess,
    /// From the moment that all waited for until each had left WAITING.
    left_ms: Spread,
    /// From there until it was claimed.
    started_ms: Spread,
    /// That part of it in which a slot was free, and all had started that had left WAITING before.
    started_in_turn_ms: Spread,
    /// From the moment that all waited for until the last had ended.
    seconds: f64,
    executions_per_second: f64,
    within_ms: u64,
    met: bool,
}

/// Percentiles and the longest, in milliseconds.
#[derive(Debug, Serialize)]
struct Spread {
    #[serde(flatten)]
    latency: Latency,
    max: f64,
}

/// What counts of one life.
struct Woken {
    left: DateTime<Utc>,
    started: DateTime<Utc>,
    ended: DateTime<Utc>,
}

impl Report {
    pub(super) fn new(options: &Options, due: DateTime<Utc>, lives: &[Life], spent: ByProcess) -> Self {
        let mut woken: Vec<_> = lives.iter().filter_map(read).collect();
        let ended = |life: &&Life| life.last().is_some_and(|(status, _)| status == "COMPLETED");
        let completed = lives.iter().filter(ended).count() as u64;
        let waiting = lives.iter().filter_map(|life| moment(life, "WAITING", 0));
        let all_waiting = waiting.max().unwrap_or(due);
        let claims = lives
            .iter()
            .flatten()
            .filter(|(status, at)| status == "RUNNING" && *at > all_waiting && *at < due);
        let left = Spread::of(woken.iter().map(|one| millis(one.left - due)));
        let started = Spread::of(woken.iter().map(|one| millis(one.started - one.left)));
        let in_turn = Spread::of(waits_at_head(&mut woken, options.slots).into_iter().map(millis));
        let within = millis_of(options.within);
        let all = woken.len() as u64 == options.executions && completed == options.executions;
        let last = woken.iter().map(|one| one.ended).max().unwrap_or(due);
        let seconds = millis(last - due) / 1_000.0;
        Self {
            bench: "waiting",
            version: VERSION,
            machine: Machine::this(),
            executions: options.executions,
            completed,
            slots: options.slots,
            claims_while_waiting: claims.count() as u64,
            processor_seconds_per_waiting_minute: spent,
            met: all && left.max <= within && in_turn.max <= within,
            left_ms: left,
            started_ms: started,
            started_in_turn_ms: in_turn,
            seconds: round(seconds),
            executions_per_second: round(completed as f64 / seconds),
            within_ms: within as u64,
        }
    }

    /// Why the run was not good enough, for people; `None` when it was.
    pub fn missed(&self) -> Option<String> {
        let Self {
            executions,
            completed,
            left_ms,
            started_in_turn_ms,
            within_ms,
            ..
        } = self;
        (!self.met).then(|| {
            format!(
                "of {executions} executions {completed} completed; the last left WAITING {} ms after its time, and the \
                 slowest start took {} ms with a slot free and nobody before it, where {within_ms} ms are allowed",
                left_ms.max, started_in_turn_ms.max
            )
        })
    }
}

impl Spread {
    fn of(times: impl Iterator<Item = f64>) -> Self {
        let times: Vec<_> = times.collect();
        let max = times.iter().copied().fold(0.0, f64::max);
        Self {
            latency: Latency::of(times),
            max: round(max),
        }
    }
}

/// The time of the `skip`th change to this status.
fn moment(life: &Life, status: &str, skip: usize) -> Option<DateTime<Utc>> {
    let mut times = life.iter().filter(|(name, _)| name == status);
    times.nth(skip).map(|(_, at)| *at)
}

/// `None` for one that did not wait, leave, start and end.
fn read(life: &Life) -> Option<Woken> {
    let waited = moment(life, "WAITING", 0)?;
    let after = |status: &[&str], then: DateTime<Utc>| {
        let mut later = life.iter().filter(|(_, at)| *at >= then);
        later
            .find(|(name, _)| status.contains(&name.as_str()))
            .map(|(_, at)| *at)
    };
    let left = after(&["PENDING"], waited)?;
    let started = after(&["RUNNING"], left)?;
    let ended = after(&["COMPLETED", "FAILED", "CANCELLED"], started)?;
    Some(Woken { left, started, ended })
}

/// How long each stood at the head of the queue with a slot free: all that had left WAITING before it had started, and
/// fewer were running than there are slots. The rest of its wait is that of a queue which has its turn.
fn waits_at_head(woken: &mut [Woken], slots: u64) -> Vec<TimeDelta> {
    woken.sort_unstable_by_key(|one| one.left);
    let free = FreeTime::new(woken, slots);
    let mut earlier_started = DateTime::<Utc>::UNIX_EPOCH;
    let waits = woken.iter().map(|one| {
        let head_since = one.left.max(earlier_started);
        earlier_started = earlier_started.max(one.started);
        (free.until(one.started) - free.until(head_since)).max(TimeDelta::zero())
    });
    waits.collect()
}

/// For how long, up to any moment, fewer executions were running than there are slots.
struct FreeTime {
    /// Moments at which a slot became free or the last one was taken; the free time up to each; whether it is free after.
    turns: Vec<(DateTime<Utc>, TimeDelta, bool)>,
}

impl FreeTime {
    fn new(woken: &[Woken], slots: u64) -> Self {
        let mut changes: Vec<_> = woken
            .iter()
            .flat_map(|one| [(one.started, 1_i64), (one.ended, -1)])
            .collect();
        changes.sort_unstable();
        let slots = i64::try_from(slots).unwrap_or(i64::MAX);
        let (mut running, mut free, mut turns) = (0, TimeDelta::zero(), Vec::new());
        let mut last = DateTime::<Utc>::UNIX_EPOCH;
        for (at, change) in changes {
            if running < slots {
                free += at - last;
            }
            (last, running) = (at, running + change);
            turns.push((at, free, running < slots));
        }
        Self { turns }
    }

    fn until(&self, moment: DateTime<Utc>) -> TimeDelta {
        let before = self.turns.partition_point(|(at, ..)| *at <= moment);
        match before.checked_sub(1).map(|place| self.turns[place]) {
            None => moment - DateTime::<Utc>::UNIX_EPOCH,
            Some((_, free, false)) => free,
            Some((at, free, true)) => free + (moment - at),
        }
    }
}

fn millis(time: TimeDelta) -> f64 {
    round(time.as_seconds_f64() * 1_000.0)
}

fn millis_of(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(millis).unwrap()
    }

    fn woken(left: i64, started: i64, ended: i64) -> Woken {
        Woken {
            left: at(left),
            started: at(started),
            ended: at(ended),
        }
    }

    #[test]
    fn only_time_at_the_head_with_a_free_slot_counts() {
        // Two slots: both are taken from 20 to 50.
        let mut all = [
            woken(0, 10, 50),
            woken(1, 20, 70),
            woken(2, 60, 90),
            woken(65, 90, 95),
        ];
        let waits: Vec<_> = waits_at_head(&mut all, 2).into_iter().map(millis).collect();
        assert_eq!(waits, [10.0, 10.0, 10.0, 20.0]);
        // The second is passed over: all that time counts for it, and none for whoever started before it.
        let mut all = [woken(0, 10, 15), woken(1, 900, 901), woken(2, 20, 25)];
        let waits: Vec<_> = waits_at_head(&mut all, 2).into_iter().map(millis).collect();
        assert_eq!(waits, [10.0, 890.0, 0.0]);
    }

    #[test]
    fn a_life_is_read_from_its_wait_on() {
        let life = |names: &[&str]| -> Life {
            let named = names.iter().zip(1..);
            named
                .map(|(name, place)| ((*name).to_owned(), at(place)))
                .collect()
        };
        let one = read(&life(&["RUNNING", "WAITING", "PENDING", "RUNNING", "COMPLETED"])).unwrap();
        assert_eq!((one.left, one.started, one.ended), (at(3), at(4), at(5)));
        assert!(read(&life(&["RUNNING", "COMPLETED"])).is_none());
        assert!(read(&life(&["RUNNING", "WAITING", "PENDING"])).is_none());
    }
}
