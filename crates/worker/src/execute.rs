//! Execute: one execution under one claim, from its journal to its end.

use std::sync::Arc;

use chrono::TimeDelta;
use gristmill_core::journal::{Entry, ReadError, read_chunk};
use gristmill_core::{ExecutionError, Problem, Totals};
use gristmill_dispatch::{Plans, Reader, problems_of};
use gristmill_engine::{LeaseLost, Outcome, Plan, Run};
use gristmill_store::{Claimed, Ending, Protocol, System};
use metrics::histogram;
use serde_json::{Map, Value};
use tracing::{debug, error, info, warn};

use crate::clock::DatabaseClock;
use crate::holder::Holder;
use crate::input::misfit;

/// What every execution of a worker shares.
pub(crate) struct Shared {
    pub(crate) plans: Arc<Plans>,
    pub(crate) store: Arc<dyn Protocol>,
    pub(crate) engine: gristmill_engine::Options,
}

/// How long an execution is left alone when this worker cannot read what it needs to run it.
const UNREADABLE_PAUSE: TimeDelta = TimeDelta::seconds(30);

/// Runs a claimed execution and writes down how it ended. When the lease is lost nothing more is written: whoever holds
/// it now goes on from the journal.
pub(crate) async fn execute(shared: &Shared, claimed: Claimed, mut holder: Holder) {
    debug!(execution.id = %claimed.id, organization.id = %claimed.organization_id, attempt = claimed.attempt, "claimed");
    let clock = DatabaseClock::starting_at(claimed.now);
    let (plan, run, history) = match prepare(shared, &claimed).await {
        Ok(prepared) => prepared,
        Err(Unprepared::Invalid(error)) => {
            let ended = settle_failed(&mut holder, &[], error, Totals::default(), &claimed).await;
            return note_lost(&claimed, ended);
        }
        Err(Unprepared::Unreadable(cause)) => {
            error!(execution.id = %claimed.id, error = &*cause, "cannot be run by this worker for now; suspended");
            let suspended = holder.put_off(claimed.now + UNREADABLE_PAUSE).await;
            return note_lost(&claimed, suspended);
        }
    };
    let commands = holder.lease().commands();
    let outcome =
        gristmill_engine::run(plan, run, history, &mut holder, &clock, commands, &shared.engine).await;
    let ended = write_outcome(&mut holder, outcome, &claimed).await;
    note_lost(&claimed, ended);
}

/// Why an execution could not even begin.
enum Unprepared {
    /// It never will.
    Invalid(ExecutionError),
    /// Another worker may, or this one later.
    Unreadable(Box<dyn std::error::Error + Send + Sync>),
}

async fn prepare(shared: &Shared, claimed: &Claimed) -> Result<(Arc<Plan>, Run, Vec<Entry>), Unprepared> {
    let compiled = shared
        .plans
        .get(
            Reader::Holder(&claimed.organization_id),
            &claimed.workflow_id,
            claimed.revision,
        )
        .await
        .map_err(|cause| Unprepared::Unreadable(Box::new(cause)))?;
    let plan = compiled
        .unwrap_or_else(|| Err(Arc::new(vec![unknown_revision(claimed)])))
        .map_err(|problems| refused(&problems))?;
    let input: Map<String, Value> =
        serde_json::from_str(&claimed.input).map_err(|cause| unreadable("input", &cause))?;
    let history = if claimed.journal_len > 0 {
        read_history(shared, claimed).await?
    } else {
        Vec::new()
    };
    check_input(&plan, &input, &history, claimed)?;
    let run = Run {
        execution_id: claimed.id.clone(),
        workflow_id: claimed.workflow_id.clone(),
        revision: claimed.revision,
        started_at: claimed.started_at.timestamp_millis(),
        input,
    };
    Ok((plan, run, history))
}

/// Nothing begins with an input that its revision's schema refuses, whoever inserted the execution: what handles a failure is
/// inserted within the statement that fails the other, which reads no definition. Once it has begun it goes on.
fn check_input(
    plan: &Plan,
    input: &Map<String, Value>,
    history: &[Entry],
    claimed: &Claimed,
) -> Result<(), Unprepared> {
    if !history
        .iter()
        .all(|entry| matches!(entry, Entry::Reopened { .. }))
    {
        return Ok(());
    }
    let problems = problems_of(plan, input);
    if problems.is_empty() {
        return Ok(());
    }
    let error = ExecutionError::new("invalid_input", misfit(&claimed.workflow_id, &problems));
    Err(Unprepared::Invalid(error))
}

/// Reads the journal, after the claim: an earlier holder may have committed up to that moment.
async fn read_history(shared: &Shared, claimed: &Claimed) -> Result<Vec<Entry>, Unprepared> {
    let journals = shared
        .store
        .journal(System, std::slice::from_ref(&claimed.id))
        .await
        .map_err(|cause| Unprepared::Unreadable(Box::new(cause)))?;
    let mut history = Vec::new();
    for chunk in journals.into_iter().flat_map(|(_, chunks)| chunks) {
        let entries = read_chunk(chunk.format, &chunk.body).map_err(|cause| match cause {
            // Perhaps a newer version can: its workers may run beside this one.
            ReadError::Format(_) | ReadError::Unknown(_) => Unprepared::Unreadable(Box::new(cause)),
            ReadError::Malformed(cause) => unreadable("journal", &cause),
        })?;
        history.extend(entries);
    }
    Ok(history)
}

/// What no worker can read ends the execution: it would be taken up and put off for ever.
fn unreadable(what: &str, cause: &serde_json::Error) -> Unprepared {
    let message = format!("the {what} of the execution cannot be read: {cause}");
    Unprepared::Invalid(ExecutionError::new(&format!("unreadable_{what}"), message))
}

fn unknown_revision(claimed: &Claimed) -> Problem {
    let message = format!(
        "revision {} of {} does not exist",
        claimed.revision, claimed.workflow_id
    );
    Problem::new("$", "unknown_revision", message)
}

/// A definition was checked when it was saved. One with words that this worker does not know (a node kind, a key, a value)
/// was saved by a newer version, or for workers with other kinds, which may run beside this one. Any other is one that no
/// worker runs any more.
fn refused(problems: &[Problem]) -> Unprepared {
    let list: Vec<_> = problems.iter().map(Problem::to_string).collect();
    let message = format!(
        "this version of Gristmill refuses the definition: {}",
        list.join("; ")
    );
    if problems.iter().any(Problem::is_unknown_word) {
        Unprepared::Unreadable(message.into())
    } else {
        Unprepared::Invalid(ExecutionError::new("invalid_definition", message))
    }
}

async fn write_outcome(holder: &mut Holder, outcome: Outcome, claimed: &Claimed) -> Result<(), LeaseLost> {
    match outcome {
        Outcome::Completed {
            output,
            totals,
            entries,
        } => {
            let ending = Ending::Completed {
                output: Value::Object(output).to_string(),
            };
            holder.settle(&entries, ending, totals).await?;
            note_end(claimed, "COMPLETED");
            Ok(())
        }
        Outcome::Failed {
            error,
            totals,
            entries,
        } => settle_failed(holder, &entries, error, totals, claimed).await,
        // Recorded already.
        Outcome::Suspended { .. } => Ok(()),
        Outcome::Released { entries } => {
            info!(execution.id = %claimed.id, attempt = claimed.attempt, "given back");
            holder.release(&entries).await
        }
        Outcome::Lost => Err(LeaseLost),
    }
}

async fn settle_failed(
    holder: &mut Holder,
    entries: &[Entry],
    error: ExecutionError,
    totals: Totals,
    claimed: &Claimed,
) -> Result<(), LeaseLost> {
    info!(
        execution.id = %claimed.id,
        organization.id = %claimed.organization_id,
        node.id = error.node_id.as_deref(),
        error.code = error.code,
        "failed"
    );
    let text = serde_json::to_string(&error).unwrap_or_default();
    holder
        .settle(entries, Ending::Failed { error: text }, totals)
        .await?;
    note_end(claimed, "FAILED");
    Ok(())
}

fn note_end(claimed: &Claimed, status: &'static str) {
    let waited = (claimed.started_at - claimed.created_at)
        .to_std()
        .unwrap_or_default();
    histogram!("gristmill_queue_wait_seconds").record(waited.as_secs_f64());
    debug!(execution.id = %claimed.id, attempt = claimed.attempt, status, "ended");
}

fn note_lost(claimed: &Claimed, written: Result<(), LeaseLost>) {
    if written.is_err() {
        warn!(execution.id = %claimed.id, attempt = claimed.attempt, "stopped: the execution is no longer held here");
    }
}
