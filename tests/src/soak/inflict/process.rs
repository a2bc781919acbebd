//! Process: faults of Gristmill's processes.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::{Missed, Tormentor, pause};
use crate::invariants::{Invariant, Violation};
use crate::process::{Process, Signal};
use crate::soak::fault::{MEMBERS, ProcessFault};

/// How long a process may take to end when it is told to: its grace period, its last writes, and statements that the
/// database does not answer.
pub(in crate::soak) const ENDS_WITHIN: Duration = Duration::from_secs(30);

const SIGTERM: i32 = 15;

impl Tormentor {
    pub(super) async fn torment_process(
        &self,
        member: usize,
        how: ProcessFault,
        lasts: Duration,
    ) -> Result<(), Missed> {
        let mut slot = self.fleet.process(member).await;
        let process = slot.as_mut().ok_or(Missed)?;
        if process.has_ended().is_some() {
            return Err(Missed);
        }
        match how {
            ProcessFault::Kill => process.kill(),
            ProcessFault::Term => self.stop(member, process).await,
            ProcessFault::Freeze => {
                process.signal(Signal::Stop);
                pause(lasts).await;
                self.report.thawed(now());
                process.signal(Signal::Cont);
                return Ok(());
            }
        }
        pause(lasts).await;
        self.fleet.launch(member, &mut slot);
        Ok(())
    }

    /// Tells it to end, and sees to it that it does, and well.
    pub(in crate::soak) async fn stop(&self, member: usize, process: &mut Process) {
        process.signal(Signal::Term);
        let deadline = Instant::now() + ENDS_WITHIN;
        let name = MEMBERS[member];
        let complain = |what| self.report.violation(Violation::new(Invariant::Recovers, what));
        loop {
            match process.has_ended() {
                Some(status) if status.success() => return,
                // It was told before it could listen to that, and holds nothing yet.
                Some(status) if status.signal() == Some(SIGTERM) && !is_up(process) => return,
                Some(status) => return complain(format!("{name} was told to end, and failed: {status}")),
                None if Instant::now() < deadline => pause(Duration::from_millis(50)).await,
                None => {
                    complain(format!(
                        "{name} was told to end, and did not within {ENDS_WITHIN:?}"
                    ));
                    return process.kill();
                }
            }
        }
    }
}

/// Whether it has taken up its work.
fn is_up(process: &Process) -> bool {
    let log = process.log();
    ["working", "listening"]
        .iter()
        .any(|line| log.find(line).is_some())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}
