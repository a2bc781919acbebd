//! The one task that publishes: two on a channel would get each other's confirms.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::session::{Opener, Session};
use super::{Answer, Request, answer, log};
use crate::backoff::Backoff;
use crate::rabbitmq::group::{MessageIds, publish_group};
use crate::rabbitmq::link::within;
use crate::{Error, Outgoing, Published, PublisherLink};

/// The most jobs of one group, the last caller's own lot aside: so that a group's confirms stay well within their timeout.
const GROUP: usize = 1_000;

pub(super) struct Task {
    pub(super) opener: Opener,
    pub(super) inbox: mpsc::Receiver<Request>,
    pub(super) backoff: Backoff,
    pub(super) closed: CancellationToken,
    pub(super) confirm_timeout: Duration,
    pub(super) ids: MessageIds,
}

impl Task {
    pub(super) async fn run(mut self, mut session: Option<Session>) {
        loop {
            let current = match session.take() {
                Some(session) => session,
                None => match self.connect().await {
                    Some(session) => session,
                    None => break,
                },
            };
            let connection = current.connection.clone();
            let end = self.serve(current).await;
            self.opener.state.set_link(PublisherLink::Disconnected);
            match end {
                Ok(()) => break,
                Err(error) => log(&error, "lost the publishing connection to RabbitMQ"),
            }
            self.opener.link.forget(&connection).await;
        }
        self.opener.link.close().await;
    }

    /// The next session; `None` when it is time to end.
    async fn connect(&mut self) -> Option<Session> {
        loop {
            let at = Instant::now() + self.backoff.pause();
            let attempt = async {
                tokio::time::sleep_until(at).await;
                self.opener.open().await
            };
            tokio::pin!(attempt);
            let outcome = loop {
                tokio::select! {
                    () = self.closed.cancelled() => return None,
                    outcome = &mut attempt => break outcome,
                    request = self.inbox.recv() => answer(vec![request?], Err(Error::Disconnected)),
                }
            };
            match outcome {
                Ok(session) => {
                    tracing::info!("the publishing connection to RabbitMQ is up");
                    self.backoff.connected();
                    return Some(session);
                }
                Err(error) => log(&error, "connecting to RabbitMQ failed; trying again"),
            }
        }
    }

    /// Publishes until the connection is in doubt (an error) or the broker is closed.
    async fn serve(&mut self, mut session: Session) -> Result<(), Error> {
        let mut doubt = None;
        loop {
            // A blocked connection times out again and again; a new one would be blocked at its first message. So it is
            // kept until the broker takes messages, and only then replaced.
            if let Some(error) = doubt.take_if(|_| !self.opener.state.is_blocked()) {
                return Err(error);
            }
            tokio::select! {
                () = self.closed.cancelled() => return Ok(()),
                event = session.events.next() => session.note(event, &self.opener.state)?,
                request = self.inbox.recv() => {
                    let Some(request) = request else { return Ok(()) };
                    if self.opener.state.is_blocked() {
                        answer(vec![request], Err(Error::Blocked));
                    } else if let Err(error) = self.publish(&mut session, request).await {
                        doubt = Some(error);
                    }
                }
            }
        }
    }

    /// Publishes what has piled up, answers, and repairs what the answers show to be broken.
    async fn publish(&mut self, session: &mut Session, first: Request) -> Result<(), Error> {
        let mut requests = vec![first];
        let mut count = requests[0].jobs.len();
        while count < GROUP
            && let Ok(request) = self.inbox.try_recv()
        {
            count += request.jobs.len();
            requests.push(request);
        }
        let jobs: Vec<Outgoing> = requests
            .iter()
            .flat_map(|request| request.jobs.iter().cloned())
            .collect();
        let started = Instant::now();
        let outcome = self.confirmed(session, &jobs).await;
        metrics::histogram!("gristmill_publish_group_size").record(count as f64);
        metrics::histogram!("gristmill_publish_seconds").record(started.elapsed().as_secs_f64());
        answer(requests, outcome.clone());
        let outcomes = outcome?;
        let lost = |(job, outcome): (&Outgoing, &Published)| {
            *outcome == Published::Unroutable && self.opener.topology.has(&job.lane)
        };
        if jobs.iter().zip(&outcomes).any(lost) {
            // Somebody deleted a queue under us; nothing but a returned message tells.
            self.opener.declare(&session.connection).await?;
        }
        if outcomes.contains(&Published::Refused) {
            self.opener.renew(session).await?;
        }
        Ok(())
    }

    async fn confirmed(&mut self, session: &mut Session, jobs: &[Outgoing]) -> Answer {
        let exchange = self.opener.topology.jobs_exchange();
        let state = self.opener.state.clone();
        let publishing = async {
            publish_group(&session.channel, exchange, jobs, &mut self.ids)
                .await
                .map_err(Error::Publish)
        };
        let publishing = within(self.confirm_timeout, "confirming a group of jobs", publishing);
        tokio::pin!(publishing);
        loop {
            tokio::select! {
                outcome = &mut publishing => return outcome,
                // Blocked in mid-group: the relay is to stop, while this group waits for the alarm's end or its timeout.
                event = session.events.next() => session.note(event, &state)?,
            }
        }
    }
}
