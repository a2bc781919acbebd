//! A subscription: a task that keeps consumers running, and the handle that its user holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::consume::{Consumer, Consuming, Session};
use crate::backoff::Backoff;
use crate::{Delivery, RabbitMqOptions, Subscription};

enum Command {
    /// Answered when nothing more will be delivered.
    Pause(oneshot::Sender<()>),
    Resume,
}

pub(super) struct RabbitMqSubscription {
    /// Unbounded, and yet not longer than the prefetch, for what is in here is not settled; what was delivered over a
    /// connection that has broken is in here as well until it is read.
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    /// How many are in there.
    unread: Arc<AtomicUsize>,
    commands: mpsc::Sender<Command>,
    closed: CancellationToken,
}

impl RabbitMqSubscription {
    pub(super) fn start(consumer: Consumer, options: &RabbitMqOptions, closed: CancellationToken) -> Self {
        let (deliver, deliveries) = mpsc::unbounded_channel();
        let unread = Arc::new(AtomicUsize::new(0));
        let (commands, inbox) = mpsc::channel(1);
        let backoff = Backoff::new(options.max_backoff);
        let task = Task {
            consumer,
            consumers_last: options.consumers_last,
            backoff,
            reader: Reader {
                deliver,
                unread: unread.clone(),
            },
            inbox,
            session: None,
            retired: None,
        };
        let end = closed.clone();
        tokio::spawn(async move { end.run_until_cancelled_owned(task.run()).await });
        Self {
            deliveries,
            unread,
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
                self.unread.fetch_sub(1, Ordering::Relaxed);
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
                self.unread.fetch_sub(1, Ordering::Relaxed);
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

/// Where deliveries go.
struct Reader {
    deliver: mpsc::UnboundedSender<Delivery>,
    unread: Arc<AtomicUsize>,
}

impl Reader {
    fn hand(&self, delivery: Delivery) {
        self.unread.fetch_add(1, Ordering::Relaxed);
        // The handle outlives the task, unless all is being dropped.
        drop(self.deliver.send(delivery));
    }

    fn is_behind(&self) -> bool {
        self.unread.load(Ordering::Relaxed) > 0
    }
}

struct Task {
    consumer: Consumer,
    consumers_last: Duration,
    backoff: Backoff,
    reader: Reader,
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
                command = self.inbox.recv() => {
                    // A consumer that has been started already may have been sent what nobody would ever read.
                    if let Some(session) = self.session.take() {
                        self.consumer.close(session).await;
                    }
                    return command;
                }
            };
            let renew = tokio::time::sleep(self.consumers_last);
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
                        if self.reader.is_behind() {
                            renew.as_mut().reset(Instant::now() + self.consumers_last);
                            continue;
                        }
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
                        Ok(Some(delivery)) => self.reader.hand(delivery),
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
            .cancel(session, consuming, |delivery| self.reader.hand(delivery));
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
