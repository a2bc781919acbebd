//! Window: how far back a relay looks for what is due.

use std::time::Duration;

use tokio::time::Instant;

/// A look that took longer than this has read through much that is gone.
const DEAR: Duration = Duration::from_millis(50);

/// How many times as long as a dear look took nothing older is looked at, and how long at the most.
const RESTS: u32 = 20;
const AT_MOST: Duration = Duration::from_secs(60);

/// After a pause of this between two looks, the next looks at everything.
const GAP: Duration = Duration::from_secs(5);

/// Everything that is due is looked at each time, as long as that is cheap. It is not when somebody holds a transaction
/// open: PostgreSQL must then keep each `wake_at` that ever was, and every look reads through all that have passed. From
/// then on most looks go no further back than what may have become due since, and one in a while goes back all the way: for
/// rows that were locked, or not to be judged, when their time came.
pub(super) struct Window {
    lease: Duration,
    /// Until when nothing older needs to be looked at.
    rests_until: Option<Instant>,
    looked: Option<Instant>,
    reaped: bool,
}

/// A look under way.
pub(super) struct Attempt {
    began: Instant,
    reap: bool,
    /// How far back it goes; `None` = all the way.
    pub(super) back: Option<Duration>,
}

impl Window {
    pub(super) fn new(lease: Duration) -> Self {
        Self {
            lease,
            rests_until: None,
            looked: None,
            reaped: false,
        }
    }

    /// The look that begins `now`. Once leases may be judged that were not to be before, it is at all of them.
    pub(super) fn look(&self, now: Instant, reap: bool) -> Attempt {
        let rests = self.rests_until.is_some_and(|until| now < until);
        let unbroken = self.looked.is_some_and(|looked| now - looked <= GAP);
        let back = (rests && unbroken && reap == self.reaped).then_some(self.lease + 2 * GAP);
        Attempt {
            began: now,
            reap,
            back,
        }
    }

    /// A look has succeeded by `now`, with or without more to come.
    pub(super) fn looked(&mut self, look: &Attempt, now: Instant, more: bool) {
        self.looked = Some(now);
        self.reaped = look.reap;
        if more {
            self.rests_until = None;
        } else if look.back.is_none() {
            let took = now - look.began;
            self.rests_until = (took > DEAR).then(|| now + (took * RESTS).min(AT_MOST));
        }
    }

    /// A look has failed.
    pub(super) fn broken(&mut self) {
        self.rests_until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(15);
    const SHORT: Option<Duration> = Some(Duration::from_secs(25));
    const CHEAP: Duration = Duration::from_millis(5);
    const DEAR: Duration = Duration::from_millis(200);

    /// How far back a look goes that takes so long.
    fn look(window: &mut Window, now: Instant, took: Duration) -> Option<Duration> {
        let look = window.look(now, true);
        window.looked(&look, now + took, false);
        look.back
    }

    #[test]
    fn looks_go_all_the_way_back_while_that_is_cheap() {
        let (mut window, start) = (Window::new(LEASE), Instant::now());
        for second in 0..10 {
            let now = start + Duration::from_secs(second);
            assert_eq!(look(&mut window, now, CHEAP), None);
        }
    }

    #[test]
    fn after_a_dear_look_most_go_back_a_little() {
        let (mut window, start) = (Window::new(LEASE), Instant::now());
        let looks: Vec<_> = (0..10)
            .map(|second| {
                let now = start + Duration::from_secs(second);
                let took = if second % 5 == 0 { DEAR } else { CHEAP };
                look(&mut window, now, took)
            })
            .collect();
        // Twenty times what the dear look took are over after four seconds and a bit.
        let five = [None, SHORT, SHORT, SHORT, SHORT];
        assert_eq!(looks, [five, five].concat());
    }

    #[test]
    fn whatever_may_have_left_something_behind_is_followed_by_a_look_at_everything() {
        let start = Instant::now();
        for what in ["nothing", "judging leases", "a gap", "a failure", "more to come"] {
            let mut window = Window::new(LEASE);
            let first = window.look(start, false);
            let mut now = start + Duration::from_secs(1);
            window.looked(&first, now, what == "more to come");
            if what == "a failure" {
                window.broken();
            }
            if what == "a gap" {
                now += Duration::from_secs(6);
            }
            let next = window.look(now, what == "judging leases");
            assert_eq!(next.back.is_some(), what == "nothing", "after {what}");
        }
    }
}
