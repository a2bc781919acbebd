//! Link: faults of networks.

use std::time::Duration;

use fastrand::Rng;
use gristmill_testkit::Proxy;

use super::pause;
use crate::soak::fault::LinkFault;

/// The longest that everything is late, jitter aside.
const LATE: Duration = Duration::from_millis(500);

/// The most that a connection carries before it is torn.
const TORN_AFTER: usize = 20_000;

pub(super) async fn torment(proxy: &Proxy, how: LinkFault, lasts: Duration, rng: &mut Rng) {
    match how {
        LinkFault::Cut => proxy.cut(),
        LinkFault::Reset => proxy.reset(),
        LinkFault::Refuse => proxy.refuse(),
        LinkFault::Freeze => proxy.freeze(),
        LinkFault::Delay => proxy.delay(LATE.mul_f64(rng.f64()), LATE.mul_f64(rng.f64())),
        LinkFault::Withhold(direction) => proxy.withhold(direction),
        LinkFault::Discard(direction) => proxy.discard(direction),
        LinkFault::Limit => proxy.limit(rng.usize(100..TORN_AFTER)),
        LinkFault::HalfClose(direction) => proxy.half_close(direction),
    }
    pause(lasts).await;
    // A connection that lost something stays as it is: whoever has it must find out.
    proxy.heal();
}
