//! Publisher: where callers hand over their jobs, and get each its own outcomes back.

mod session;
mod task;

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::group::MessageIds;
use super::link::Link;
use super::state::State;
use super::topology::Topology;
use crate::backoff::Backoff;
use crate::{Error, Outgoing, Published, RabbitMqOptions};
use session::Opener;
use task::Task;

/// Callers that wait to hand over their jobs; past this they wait in `publish`.
const WAITING_CALLERS: usize = 256;

type Answer = Result<Vec<Published>, Error>;

struct Request {
    jobs: Vec<Outgoing>,
    answer: oneshot::Sender<Answer>,
}

pub(super) struct Publisher {
    requests: mpsc::Sender<Request>,
}

impl Publisher {
    /// Tries to connect once, then goes on in a task of its own.
    pub(super) async fn start(
        link: Link,
        topology: Arc<Topology>,
        state: State,
        options: &RabbitMqOptions,
        closed: CancellationToken,
    ) -> Result<Self, Error> {
        let (requests, inbox) = mpsc::channel(WAITING_CALLERS);
        let opener = Opener {
            link,
            topology,
            state,
            timeout: options.answer_timeout,
        };
        let mut backoff = Backoff::new(options.max_backoff);
        let session = match opener.open().await {
            Ok(session) => {
                backoff.connected();
                Some(session)
            }
            Err(error) if error.needs_operator() => return Err(error),
            Err(error) => {
                log(&error, "RabbitMQ cannot be reached yet; going on without");
                None
            }
        };
        let confirm_timeout = options.confirm_timeout;
        let task = Task {
            opener,
            inbox,
            backoff,
            closed,
            confirm_timeout,
            ids: MessageIds::new(),
        };
        tokio::spawn(task.run(session));
        Ok(Self { requests })
    }

    pub(super) async fn publish(&self, jobs: Vec<Outgoing>) -> Answer {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let (answer, answered) = oneshot::channel();
        self.requests
            .send(Request { jobs, answer })
            .await
            .map_err(|_| Error::Closed)?;
        answered.await.unwrap_or(Err(Error::Closed))
    }

    /// Waits for the task's end.
    pub(super) async fn closed(&self) {
        self.requests.closed().await;
    }
}

/// Hands each caller its part of a group's outcomes.
fn answer(requests: Vec<Request>, outcome: Answer) {
    let mut outcomes = outcome.map(Vec::into_iter);
    for Request { jobs, answer } in requests {
        let part = match &mut outcomes {
            Ok(outcomes) => Ok(outcomes.by_ref().take(jobs.len()).collect()),
            Err(error) => Err(error.clone()),
        };
        // A caller that stopped waiting has left its jobs to the relay.
        drop(answer.send(part));
    }
}

fn log(error: &Error, message: &'static str) {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::warn!(%error, cause, "{message}");
}
