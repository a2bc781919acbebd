//! A subscription: a task that keeps consumers running, and the handle that its user holds.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::consume::{Consumer, Consuming, Session};
use crate::backoff::Backoff;
use crate::{Delivery, Subscription};

/// How long consumers run before they are started anew. A queue that is deleted and declared again within milliseconds
/// leaves its consumers behind without a word (seen on RabbitMQ 3.10.8: no `basic.cancel` comes): they would wait for ever
/// on a queue that is gone while the new one fills. Nor do consumers on the same channel get what the new queue holds: the
/// channel keeps what it knew of the old one. So it is a new channel each time, and the queues are looked for first.
/// Shorter than a lease, so that nothing is stuck for longer than after a crash.
const CONSUMERS_LAST: Duration = Duration::from_secs(10);

enum Command {
    /// Answered when nothing more will be delivered.
    Pause(oneshot::Sender<()>),
    Resume,
}

pub(super) struct RabbitMqSubscription {
    /// Unbounded, and yet never longer than the prefetch: what is in here is not settled.
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    commands: mpsc::Sender<Command>,
    closed: CancellationToken,
}

impl RabbitMqSubscription {
    pub(super) fn start(consumer: Consumer, max_backoff: Duration, closed: CancellationToken) -> Self {
        let (deliver, deliveries) = mpsc::unbounded_channel();
        let (commands, inbox) = mpsc::channel(1);
        let backoff = Backoff::new(max_backoff);
        let task = Task {
            consumer,
            backoff,
            deliver,
            inbox,
            session: None,
            retired: None,
        };
        let end = closed.clone();
        tokio::spawn(async move { end.run_until_cancelled_owned(task.run()).await });
        Self {
            deliveries,
            commands,
            closed,
        }
    }
}

impl Subscription for RabbitMqSubscription {
    fn next(&mut self) -> BoxFuture<'_, Option<Delivery>> {
        async {
            loop {
                let delivery = self.deliveries.recv().await?;
                if delivery.is_live() {
                    return Some(delivery);
                }
            }
        }
        .boxed()
    }

    fn pause(&mut self) -> BoxFuture<'_, Vec<Delivery>> {
        async {
            let (done, paused) = oneshot::channel();
            // Both fail only when the task has ended, and then nothing is delivered any more either.
            if self.commands.send(Command::Pause(done)).await.is_ok() {
                paused.await.unwrap_or_default();
            }
            let mut prefetched = Vec::new();
            while let Ok(delivery) = self.deliveries.try_recv() {
                prefetched.extend(Some(delivery).filter(Delivery::is_live));
            }
            prefetched
        }
        .boxed()
    }

    fn resume(&mut self) -> BoxFuture<'_, ()> {
        // It fails only when the task has ended, which `next` tells.
        async { self.commands.send(Command::Resume).await.unwrap_or_default() }.boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, ()> {
        async {
            self.closed.cancel();
            self.commands.closed().await;
        }
        .boxed()
    }
}

impl Drop for RabbitMqSubscription {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

struct Task {
    consumer: Consumer,
    backoff: Backoff,
    deliver: mpsc::UnboundedSender<Delivery>,
    inbox: mpsc::Receiver<Command>,
    /// Kept through a pause, so that what was delivered can still be settled.
    session: Option<Session>,
    /// The one before.
    retired: Option<Session>,
}

impl Task {
    async fn run(mut self) {
        loop {
            match self.consume_until_command().await {
                Some(Command::Resume) => continue,
                Some(Command::Pause(done)) => tell(done),
                None => return,
            }
            loop {
                match self.inbox.recv().await {
                    Some(Command::Resume) => break,
                    Some(Command::Pause(done)) => tell(done),
                    None => return,
                }
            }
        }
    }

    /// Delivers, over as many connections as it takes, until told otherwise.
    async fn consume_until_command(&mut self) -> Option<Command> {
        let mut pause = Duration::ZERO;
        'sessions: loop {
            let mut consuming = tokio::select! {
                consuming = establish(&self.consumer, &mut self.session, &mut self.backoff, pause) => consuming,
                command = self.inbox.recv() => return command,
            };
            let renew = tokio::time::sleep(CONSUMERS_LAST);
            tokio::pin!(renew);
            let lost = loop {
                tokio::select! {
                    // Commands first: under load deliveries never let up.
                    biased;
                    command = self.inbox.recv() => {
                        self.stop(consuming).await;
                        return command;
                    }
                    () = &mut renew => {
                        self.stop(consuming).await;
                        // Open until the next time, so that what it delivered can be settled.
                        self.retired = self.session.take().filter(Session::works);
                        if self.retired.is_some() {
                            pause = Duration::ZERO;
                            continue 'sessions;
                        }
                        break None;
                    }
                    item = consuming.next() => match item {
                        // The handle outlives the task, unless all is being dropped.
                        Ok(Some(delivery)) => drop(self.deliver.send(delivery)),
                        Ok(None) => break None,
                        Err(error) => break Some(error),
                    },
                }
            };
            tracing::warn!(
                queues = ?self.consumer.queues,
                error = lost.as_ref().map(ToString::to_string),
                "the broker ended the consumers; consuming again"
            );
            // What has been delivered but not settled comes again, to whoever is there.
            let session = self.session.take();
            if let Some(session) = session.filter(|_| lost.is_some()) {
                self.consumer.link.forget(session.connection()).await;
            }
            pause = self.backoff.pause();
        }
    }

    /// Stops the consumers. A channel that does not answer is dropped, and its connection with it.
    async fn stop(&mut self, consuming: Consuming) {
        let Some(session) = &self.session else { return };
        let stopped = self
            .consumer
            .cancel(session, consuming, |delivery| drop(self.deliver.send(delivery)));
        if let Err(error) = stopped.await {
            tracing::warn!(%error, "the consumers were not cancelled cleanly; their channel is dropped");
            self.consumer.link.forget(session.connection()).await;
            self.session = None;
        }
    }
}

/// A pause whose caller has gone is a pause nevertheless.
fn tell(done: oneshot::Sender<()>) {
    done.send(()).unwrap_or_default();
}

/// Tries until there are consumers.
async fn establish(
    consumer: &Consumer,
    session: &mut Option<Session>,
    backoff: &mut Backoff,
    mut pause: Duration,
) -> Consuming {
    loop {
        tokio::time::sleep(pause).await;
        match consumer.start(session).await {
            Ok(consuming) => {
                backoff.connected();
                return consuming;
            }
            Err(error) => {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                tracing::warn!(queues = ?consumer.queues, %error, cause, "consuming failed; trying again");
                pause = backoff.pause();
            }
        }
    }
}
