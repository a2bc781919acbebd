//! RabbitMQ: faults of the broker.

use std::time::Duration;

use fastrand::Rng;

use super::{Missed, Tormentor, blocking, pause};
use crate::invariants::{Invariant, Violation};
use crate::settings::LANES;
use crate::soak::fault::BrokerFault;

/// How often an undo is tried.
const UNDO_TRIES: u32 = 10;

impl Tormentor {
    pub(super) async fn torment_rabbitmq(
        &self,
        how: BrokerFault,
        lasts: Duration,
        rng: &mut Rng,
    ) -> Result<(), Missed> {
        if how == BrokerFault::DeleteQueue {
            let queue = self.world.queues.lane(LANES[rng.usize(..LANES.len())]);
            return self.world.queues.delete(&queue).await.map(drop).ok_or(Missed);
        }
        let _alone = self.rabbitmq.lock().await;
        let world = &self.world;
        match how {
            BrokerFault::Kill => {
                blocking(world, |world| world.rabbitmq.kill()).await;
                pause(lasts).await;
                blocking(world, |world| world.rabbitmq.start_again()).await;
            }
            BrokerFault::StopApp => {
                self.ctl(&["stop_app"]).await?;
                pause(lasts).await;
                self.ctl_at_last(&["start_app"]).await;
            }
            BrokerFault::CloseConnections => self.ctl(&["close_all_connections", "soak"]).await?,
            BrokerFault::Freeze => {
                blocking(world, |world| world.rabbitmq.freeze()).await;
                pause(lasts).await;
                blocking(world, |world| world.rabbitmq.thaw()).await;
            }
            BrokerFault::MemoryAlarm => {
                self.ctl(&["set_vm_memory_high_watermark", "0.00001"]).await?;
                pause(lasts).await;
                self.ctl_at_last(&["set_vm_memory_high_watermark", "0.4"]).await;
            }
            BrokerFault::DeleteQueue => {}
        }
        Ok(())
    }

    /// For what has to be undone.
    async fn ctl_at_last(&self, arguments: &'static [&'static str]) {
        for _ in 0..UNDO_TRIES {
            if self.ctl(arguments).await.is_ok() {
                return;
            }
            pause(Duration::from_secs(1)).await;
        }
        let what = format!("rabbitmqctl {arguments:?} failed {UNDO_TRIES} times; see the broker's log");
        self.report.violation(Violation::new(Invariant::Recovers, what));
    }

    async fn ctl(&self, arguments: &'static [&'static str]) -> Result<(), Missed> {
        let world = self.world.clone();
        let ran = tokio::task::spawn_blocking(move || world.rabbitmq.ctl(arguments)).await;
        if ran.expect("rabbitmqctl cannot be run") {
            Ok(())
        } else {
            Err(Missed)
        }
    }
}
