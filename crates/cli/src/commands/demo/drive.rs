//! Drive: submitting every record, and following every execution to its end, as producer services would.

use futures_util::{StreamExt, TryStreamExt, stream};
use gristmill_client::{Client, Execution, ExecutionId, Submit, WorkflowId};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::examples::{EXAMPLES, Example};
use crate::error::Error;
use crate::progress::Progress;

/// How many submits are under way at the same time.
const SUBMITTING: usize = 64;

/// How many executions are followed at the same time, in the order in which they were accepted.
const FOLLOWING: usize = 16;

/// One example, run for all of its records.
pub struct Run {
    /// Which example.
    pub example: &'static Example,
    /// Its executions; all have ended.
    pub executions: Vec<Execution>,
}

/// Stores the examples, runs them for all of their records, and waits for all executions to end.
///
/// # Errors
/// When the API refuses something.
pub async fn drive(
    client: &Client,
    directory_url: &str,
    run_id: &str,
    progress: &Progress,
) -> Result<Vec<Run>, Error> {
    let mut requests = Vec::new();
    for (place, example) in EXAMPLES.iter().enumerate() {
        let definition = example.definition(directory_url).map_err(Error::BuiltIn)?;
        let workflow = client.create_workflow(&definition).await?.id;
        requests.extend(example.records().enumerate().map(|(number, record)| Request {
            place,
            workflow: workflow.clone(),
            record,
            key: format!("{run_id}-{}-{number}", example.name),
        }));
    }
    let (accepted, to_follow) = mpsc::unbounded_channel();
    let (submitted, runs) = tokio::join!(
        submit_all(client, requests, accepted),
        follow_all(client, to_follow, progress)
    );
    submitted?;
    runs
}

/// One execution that is asked for.
struct Request {
    /// Which of [`EXAMPLES`].
    place: usize,
    workflow: WorkflowId,
    record: &'static str,
    key: String,
}

type Accepted = (usize, ExecutionId);

async fn submit_all(
    client: &Client,
    requests: Vec<Request>,
    accepted: mpsc::UnboundedSender<Accepted>,
) -> Result<(), Error> {
    stream::iter(requests)
        .map(|request| async move {
            let record: &RawValue = serde_json::from_str(request.record).map_err(Error::BuiltIn)?;
            let submit = Submit::new(request.workflow, &record)?.key(request.key);
            Ok((request.place, client.submit(&submit).await?.id))
        })
        .buffered(SUBMITTING)
        .try_for_each(|submitted| {
            // Whoever follows stops early only with an error, which ends this as well.
            accepted.send(submitted).ok();
            std::future::ready(Ok(()))
        })
        .await
}

async fn follow_all(
    client: &Client,
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
    progress: &Progress,
) -> Result<Vec<Run>, Error> {
    let mut runs: Vec<_> = EXAMPLES
        .iter()
        .map(|example| Run {
            example,
            executions: Vec::new(),
        })
        .collect();
    let mut ended = stream::poll_fn(|context| accepted.poll_recv(context))
        .map(|(place, id)| async move { Ok::<_, Error>((place, client.wait(&id).await?)) })
        .buffer_unordered(FOLLOWING);
    while let Some((place, execution)) = ended.try_next().await? {
        progress.ended(execution.error.is_none());
        runs[place].executions.push(execution);
    }
    Ok(runs)
}
