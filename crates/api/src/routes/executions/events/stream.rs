//! Stream: the stream of one client's events (SSE). It is pulled: a client that reads slowly holds up nobody, and costs
//! no memory.

use std::collections::VecDeque;
use std::convert::Infallible;

use axum::response::sse::Event;
use futures_util::Stream;
use futures_util::stream::unfold;
use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_dispatch::{Following, Look, Progress};
use gristmill_store::{Store, Tenant};
use serde::Serialize;
use tracing::warn;

use super::super::entries::read_entries;
use super::admission::Admission;
use super::cursor::Cursor;
use crate::http::error::Error;

/// How many journal entries are read at a time.
const STRETCH: i32 = 100;

pub(super) struct EventStream {
    store: Store,
    tenant: Tenant,
    id: ExecutionId,
    following: Following,
    admission: Admission,
    /// What the client has been told, or is in `ready`.
    seen: Cursor,
    /// Where all that is told comes from: looks never go back in time.
    look: Look,
    ready: VecDeque<Event>,
    ended: bool,
}

#[derive(Serialize)]
struct Status {
    status: ExecutionStatus,
    attempt: i32,
}

#[derive(Serialize)]
struct End {
    reason: &'static str,
    status: Option<ExecutionStatus>,
}

impl EventStream {
    pub(super) fn new(
        store: Store,
        tenant: Tenant,
        id: ExecutionId,
        following: Following,
        seen: Cursor,
        admission: Admission,
    ) -> Self {
        Self {
            store,
            tenant,
            id,
            following,
            admission,
            seen,
            look: Look::NotYet,
            ready: VecDeque::new(),
            ended: false,
        }
    }

    pub(super) fn into_stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        unfold(self, |mut stream| async move {
            let event = stream.next().await?;
            Some((Ok(event), stream))
        })
    }

    /// The next event; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if self.ended || !self.admission.holds().await {
                return None;
            }
            let done = match self.look {
                Look::NotYet => Ok(false),
                Look::There(progress) => self.tell(progress).await,
                Look::Gone => self.tell_end("deleted", None).map(|()| true),
            };
            match done {
                Ok(true) => {}
                Ok(false) => self.wait().await?,
                Err(error) => {
                    // The client comes again, and goes on where this stream has ended.
                    let error: &dyn std::error::Error = &error;
                    warn!(execution.id = %self.id, error, "a stream of events was cut short");
                    return None;
                }
            }
        }
    }

    /// Gets ready what the client does not know yet; `false` when it knows everything. The entries that a status has come
    /// with are told before it.
    async fn tell(&mut self, progress: Progress) -> Result<bool, Error> {
        if self.seen.entries < progress.journal_len {
            return self.tell_entries(progress.journal_len).await;
        }
        let told = (progress.status, progress.attempt);
        if self.seen.told != Some(told) {
            self.seen.told = Some(told);
            let (status, attempt) = told;
            self.push("status", &Status { status, attempt })?;
        } else if !progress.status.is_terminal() {
            return Ok(false);
        }
        if progress.status.is_terminal() {
            self.tell_end("ended", Some(progress.status))?;
        }
        Ok(true)
    }

    async fn tell_entries(&mut self, journal_len: i32) -> Result<bool, Error> {
        let first = self.seen.entries;
        let count = STRETCH.min(journal_len - first);
        for numbered in read_entries(&self.store, &self.tenant, &self.id, first, count).await? {
            self.seen.entries = numbered.seq + 1;
            self.push("journal", &numbered)?;
        }
        // Entries that were there and are no more went with their execution: the next look finds it gone.
        Ok(self.seen.entries > first)
    }

    fn tell_end(&mut self, reason: &'static str, status: Option<ExecutionStatus>) -> Result<(), Error> {
        self.ended = true;
        self.push("end", &End { reason, status })
    }

    fn push(&mut self, name: &str, data: &impl Serialize) -> Result<(), Error> {
        let event = Event::default().event(name).id(self.seen.to_string());
        // JSON escapes line breaks, which would end the event's data.
        let data = serde_json::to_string(data).map_err(Error::internal)?;
        self.ready.push_back(event.data(data));
        Ok(())
    }

    /// Waits until something has changed, or the admission has to be asked again. `None` when nobody looks any more.
    async fn wait(&mut self) -> Option<()> {
        tokio::select! {
            look = self.following.other_than(self.look) => self.look = look?,
            () = self.admission.run_out() => {}
        }
        Some(())
    }
}
