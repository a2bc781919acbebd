//! Armed: the points of a process that is under test.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

use super::{POINTS, VARIABLE};

static ARMED: OnceLock<Vec<Failpoint>> = OnceLock::new();

#[derive(Debug)]
struct Failpoint {
    point: String,
    action: Action,
    /// Only this time, the first being 1.
    hit: Option<u32>,
    hits: AtomicU32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Kill,
    Stop,
    Pause(Duration),
}

/// Reads [`VARIABLE`], once and before any point is reached. Answers with what it says.
///
/// # Errors
/// What is wrong with it.
pub fn arm() -> Result<String, String> {
    let text = std::env::var(VARIABLE).unwrap_or_default();
    let failpoints = parse(&text).map_err(|problem| format!("{VARIABLE}: {problem}"))?;
    // It stays what it was when this is called again.
    ARMED.get_or_init(|| failpoints);
    Ok(text)
}

/// Says that the process is at this point, which is one of [`POINTS`].
///
/// # Panics
/// In a debug build, when it is none of them.
pub fn reach(point: &'static str) {
    debug_assert!(POINTS.contains(&point), "{point} is not in the list");
    for failpoint in ARMED.get().into_iter().flatten() {
        if failpoint.point == point {
            failpoint.hit();
        }
    }
}

impl Failpoint {
    fn hit(&self) {
        let number = self.hits.fetch_add(1, Ordering::SeqCst) + 1;
        if self.hit.is_some_and(|wanted| wanted != number) {
            return;
        }
        match self.action {
            Action::Kill => send(Signal::KILL),
            Action::Stop => {
                send(Signal::STOP);
                // The kernel stops the threads one by one, and this one may go on for a moment: not past this point.
                std::thread::sleep(STOPPED_WITHIN);
            }
            Action::Pause(pause) => std::thread::sleep(pause),
        }
    }
}

/// How long the kernel may take to stop this thread.
const STOPPED_WITHIN: Duration = Duration::from_millis(100);

/// To the whole process, from within.
fn send(signal: Signal) {
    // A process may always signal itself; were it not so, the test would wait in vain, and say for what.
    kill_process(getpid(), signal).ok();
}

fn parse(text: &str) -> Result<Vec<Failpoint>, String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(parse_one).collect()
}

fn parse_one(text: &str) -> Result<Failpoint, String> {
    let wanted = || format!("`{text}` is not POINT=ACTION or POINT=ACTION@HIT");
    let (point, action) = text.split_once('=').ok_or_else(wanted)?;
    let (action, hit) = match action.split_once('@') {
        Some((action, hit)) => (action, Some(hit.parse().map_err(|_| wanted())?)),
        None => (action, None),
    };
    if !POINTS.contains(&point) {
        return Err(format!(
            "there is no point `{point}`; there are: {}",
            POINTS.join(", ")
        ));
    }
    let action = match action {
        "kill" => Action::Kill,
        "stop" => Action::Stop,
        pause => {
            let ms = pause.strip_suffix("ms").and_then(|ms| ms.parse().ok());
            Action::Pause(Duration::from_millis(ms.ok_or_else(wanted)?))
        }
    };
    Ok(Failpoint {
        point: point.to_owned(),
        action,
        hit,
        hits: AtomicU32::new(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_where_is_read_from_one_line() {
        let read = parse("relay.claimed=stop, job.claimed=kill@3,settle.begun=250ms").unwrap();
        let told: Vec<_> = read
            .iter()
            .map(|one| (one.point.as_str(), one.action, one.hit))
            .collect();
        assert_eq!(
            told,
            [
                ("relay.claimed", Action::Stop, None),
                ("job.claimed", Action::Kill, Some(3)),
                ("settle.begun", Action::Pause(Duration::from_millis(250)), None),
            ]
        );
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn a_slip_is_told_and_not_ignored() {
        for (text, complaint) in [
            ("job.claimd=kill", "no point `job.claimd`"),
            ("job.claimed", "is not POINT=ACTION"),
            ("job.claimed=die", "is not POINT=ACTION"),
            ("job.claimed=kill@often", "is not POINT=ACTION"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }

    #[test]
    fn a_point_acts_at_its_hit_and_at_no_other() {
        let pause = |hit| Failpoint {
            point: "job.claimed".to_owned(),
            action: Action::Pause(Duration::ZERO),
            hit,
            hits: AtomicU32::new(0),
        };
        let third = pause(Some(3));
        for _ in 0..4 {
            third.hit();
        }
        assert_eq!(third.hits.load(Ordering::SeqCst), 4);
        // Not armed in this process: reaching it is nothing.
        reach("job.claimed");
    }
}
