//! Executions: what can be done with executions.

use std::time::{Duration, Instant};

use gristmill_core::ExecutionId;
use reqwest::Method;
use serde::Serialize;
use serde_json::json;

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::events::Events;
use crate::execution::{Answer, Execution};
use crate::journal::{JournalEntry, JournalPage};
use crate::submit::Submit;

/// Which revision of its workflow a replay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Revision {
    /// The one that the execution ran.
    Same,
    /// The newest.
    Newest,
}

/// How long one answer is asked to wait. The API may grant less.
const WAIT: Duration = Duration::from_secs(30);

/// How many entries one page of a journal is asked to hold: the most that the API gives.
const PAGE: u16 = 1_000;

impl Client {
    /// Has an execution recorded, and answers with how it stands. Repeated under the same key until the API has answered.
    ///
    /// # Errors
    /// The API refuses it, or did not answer for as long as the client repeats.
    pub async fn submit(&self, submit: &Submit) -> Result<Execution, Error> {
        self.execution_of(submit.call()?).await
    }

    /// Has an execution recorded, and answers with how it ended.
    ///
    /// # Errors
    /// As [`Client::submit`] and [`Client::wait`]. An execution that failed is no error.
    pub async fn submit_and_wait(&self, submit: &Submit) -> Result<Execution, Error> {
        let first = self.execution_of(submit.call()?.wait(WAIT)).await?;
        if first.status.is_terminal() {
            return Ok(first);
        }
        self.wait(&first.id).await
    }

    /// How an execution stands.
    ///
    /// # Errors
    /// There is none of this id, for one.
    pub async fn execution(&self, id: &ExecutionId) -> Result<Execution, Error> {
        self.execution_of(Call::new(Method::GET, ["executions", id.as_str()]))
            .await
    }

    /// How an execution ended, once it has, however long that takes.
    ///
    /// # Errors
    /// There is none of this id, or the API did not answer for as long as the client repeats.
    pub async fn wait(&self, id: &ExecutionId) -> Result<Execution, Error> {
        let look = Call::new(Method::GET, ["executions", id.as_str()]).wait(WAIT);
        let mut looks = 0;
        loop {
            let began = Instant::now();
            let execution = self.execution_of(look.clone()).await?;
            if execution.status.is_terminal() {
                return Ok(execution);
            }
            // An API that is being stopped, or grants no wait, answers at once: it must not be asked without a pause.
            looks = if began.elapsed() < WAIT / 2 { looks + 1 } else { 0 };
            if looks > 0 {
                tokio::time::sleep(self.retry_policy().growing_pause(looks)).await;
            }
        }
    }

    /// Ends an execution, and everything below it, as CANCELLED.
    ///
    /// # Errors
    /// `execution-ended`, for one.
    pub async fn cancel(&self, id: &ExecutionId) -> Result<Execution, Error> {
        // What is CANCELLED already is answered like what was cancelled now.
        self.execution_of(order(id, "cancel").repeatable()).await
    }

    /// Takes a FAILED execution up again.
    ///
    /// # Errors
    /// `not-failed`, for one.
    pub async fn retry(&self, id: &ExecutionId) -> Result<Execution, Error> {
        self.execution_of(order(id, "retry")).await
    }

    /// Runs the same input again as a new execution, once for each key.
    ///
    /// # Errors
    /// `inactive-workflow`, for one.
    pub async fn replay(&self, id: &ExecutionId, revision: Revision, key: &str) -> Result<Execution, Error> {
        let call = order(id, "replay").idempotency_key(key);
        self.execution_of(call.body(&json!({"revision": revision}))?)
            .await
    }

    /// Puts a signal into an execution's inbox, once for each key. The payload has to be a JSON object.
    ///
    /// # Errors
    /// `execution-ended`, for one.
    pub async fn signal(
        &self,
        id: &ExecutionId,
        name: &str,
        payload: &impl Serialize,
        key: &str,
    ) -> Result<(), Error> {
        let path = ["executions", id.as_str(), "signals", name];
        let call = Call::new(Method::POST, path).idempotency_key(key).body(payload)?;
        let _: serde_json::Value = self.call(&call).await?;
        Ok(())
    }

    /// Deletes an ended execution, with its journal.
    ///
    /// # Errors
    /// `execution-unfinished`, for one.
    pub async fn delete_execution(&self, id: &ExecutionId) -> Result<(), Error> {
        self.call(&Call::new(Method::DELETE, ["executions", id.as_str()]))
            .await
    }

    /// A page of an execution's journal: what comes after entry number `after`, or its beginning.
    ///
    /// # Errors
    /// There is none of this id, for one.
    pub async fn journal_page(&self, id: &ExecutionId, after: Option<u32>) -> Result<JournalPage, Error> {
        let mut call = Call::new(Method::GET, ["executions", id.as_str(), "journal"]).query("limit", PAGE);
        if let Some(after) = after {
            call = call.query("after", after);
        }
        self.call(&call).await
    }

    /// All of an execution's journal, as far as it has got.
    ///
    /// # Errors
    /// There is none of this id, for one.
    pub async fn journal(&self, id: &ExecutionId) -> Result<Vec<JournalEntry>, Error> {
        let mut page = self.journal_page(id, None).await?;
        let mut entries = page.entries;
        while let Some(next) = page.next {
            page = self.journal_page(id, Some(next)).await?;
            entries.append(&mut page.entries);
        }
        Ok(entries)
    }

    /// What happens in an execution, from its beginning, as it happens.
    pub fn follow(&self, id: &ExecutionId) -> Events {
        Events::of(self.clone(), id.clone())
    }

    async fn execution_of(&self, call: Call) -> Result<Execution, Error> {
        Ok(self.call::<Answer>(&call).await?.execution)
    }
}

fn order(id: &ExecutionId, order: &str) -> Call {
    Call::new(Method::POST, ["executions", id.as_str(), order])
}
