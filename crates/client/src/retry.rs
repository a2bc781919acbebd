//! Retry: whether, and when, a call is made again.

use std::time::Duration;

use gristmill_core::jittered_pause;

use crate::error::Error;
use crate::problem::Problem;

/// How calls are repeated.
#[derive(Debug, Clone)]
pub struct Retry {
    /// The pause after the first attempt; it doubles with each.
    pub initial: Duration,
    /// The longest pause, and the longest `Retry-After` that is followed.
    pub max: Duration,
    /// No attempt begins later than this after the first one. Zero: none is repeated.
    pub give_up_after: Duration,
    /// The same for an API that has never answered and takes no connection: it may not be where it is looked for.
    pub give_up_unreachable_after: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            max: Duration::from_secs(10),
            give_up_after: Duration::from_secs(120),
            give_up_unreachable_after: Duration::from_secs(120),
        }
    }
}

/// What an error means for a repeat.
enum Repeat {
    /// It does not help.
    Useless,
    /// Nothing was done.
    Safe,
    /// Whether anything was done is unknown.
    InDoubt,
}

impl Retry {
    /// How long to wait before the next attempt; `None` when there is to be none. `answered` = the API has answered before.
    pub(crate) fn pause(
        &self,
        error: &Error,
        repeatable: bool,
        answered: bool,
        attempt: u32,
        elapsed: Duration,
    ) -> Option<Duration> {
        let worth_it = match repeat(error) {
            Repeat::Useless => false,
            Repeat::Safe => true,
            Repeat::InDoubt => repeatable,
        };
        if !worth_it {
            return None;
        }
        let asked = error.problem().and_then(|problem| problem.retry_after);
        if asked.is_some_and(|asked| asked > self.max) {
            return None;
        }
        // Everybody was told the same: spread them, but none comes early.
        let pause = asked.unwrap_or_default() + self.growing_pause(attempt);
        (elapsed + pause < self.give_up_after(error, answered)).then_some(pause)
    }

    /// After which time from the first attempt on there is no other.
    pub(crate) fn give_up_after(&self, error: &Error, answered: bool) -> Duration {
        if error.is_unreachable() && !answered {
            self.give_up_after.min(self.give_up_unreachable_after)
        } else {
            self.give_up_after
        }
    }

    /// The pause after this attempt, or this look.
    pub(crate) fn growing_pause(&self, attempt: u32) -> Duration {
        jittered_pause(self.initial, 2.0, self.max, attempt)
    }
}

fn repeat(error: &Error) -> Repeat {
    match error {
        error if error.is_unreachable() => Repeat::Safe,
        Error::NoAnswer(source) if source.is_builder() || source.is_redirect() => Repeat::Useless,
        Error::NoAnswer(_) | Error::Silent(_) => Repeat::InDoubt,
        Error::Refused(problem) => repeat_of(problem),
        Error::Url(_) | Error::Key | Error::Setup(_) | Error::Body(_) | Error::Unreadable { .. } => {
            Repeat::Useless
        }
    }
}

fn repeat_of(problem: &Problem) -> Repeat {
    match (problem.status, problem.kind()) {
        // Until the month is over, or something is given up.
        (429, "limit") => Repeat::Useless,
        (429, _) | (503, "unavailable" | "overtaken" | "too-many-batches") => Repeat::Safe,
        // Of proxies, too.
        (502..=504, _) => Repeat::InDoubt,
        _ => Repeat::Useless,
    }
}
