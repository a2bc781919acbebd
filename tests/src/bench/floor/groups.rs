//! Many executions a statement: whatever piled up while the last one was under way.

use tokio::sync::{mpsc, oneshot};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::statements::failed;
use super::tables::{INPUT, JOURNAL, OUTPUT};
use super::{Options, Tables};
use crate::bench::Error;

/// One group for each statement, each with a connection of its own.
pub(super) struct Groups {
    pub(super) insert: Group,
    pub(super) start: Group,
    pub(super) complete: Group,
}

/// A queue in front of a statement.
pub(super) struct Group {
    members: mpsc::Sender<Member>,
}

struct Member {
    id: String,
    committed: oneshot::Sender<()>,
}

/// The largest group.
const MAX_MEMBERS: usize = 1_000;

const INSERT: &str = "
    INSERT INTO executions (id, input)
    SELECT id, input FROM unnest($1::text[], $2::text[]) AS member (id, input)";

const START: &str = "
    UPDATE executions SET status = 'RUNNING', started_at = clock_timestamp()
    WHERE id = ANY ($1::text[]) AND status = 'PENDING'";

const COMPLETE: &str = "
    WITH changed AS (
        UPDATE executions e SET status = 'COMPLETED', output = member.output, completed_at = clock_timestamp()
        FROM unnest($1::text[], $2::text[], $3::text[]) AS member (id, output, body)
        WHERE e.id = member.id AND e.status = 'RUNNING' RETURNING e.id, member.body
    )
    INSERT INTO journal (execution_id, seq, body) SELECT id, 0, body FROM changed";

impl Groups {
    pub(super) async fn prepare(options: &Options, tables: &Tables) -> Result<Self, Error> {
        Ok(Self {
            insert: Group::start(options, tables, INSERT, &[INPUT]).await?,
            start: Group::start(options, tables, START, &[]).await?,
            complete: Group::start(options, tables, COMPLETE, &[OUTPUT, JOURNAL]).await?,
        })
    }
}

impl Group {
    /// A statement of ids and, beside them, of these documents for each id.
    async fn start(
        options: &Options,
        tables: &Tables,
        sql: &'static str,
        documents: &'static [&'static str],
    ) -> Result<Self, Error> {
        let client = tables.connect(&options.database_url).await?;
        let statement = client.prepare(sql).await.map_err(failed)?;
        let (members, mut inbox) = mpsc::channel::<Member>(4 * MAX_MEMBERS);
        tokio::spawn(async move {
            let mut group = Vec::new();
            while inbox.recv_many(&mut group, MAX_MEMBERS).await > 0 {
                if let Err(error) = execute(&client, &statement, &group, documents).await {
                    eprintln!("a statement of a group failed: {error}");
                    // Whoever is in the group, or comes later, hears of it.
                    return;
                }
                for member in group.drain(..) {
                    // Whoever has gone away needs no answer.
                    member.committed.send(()).ok();
                }
            }
        });
        Ok(Self { members })
    }

    /// Hands one in and waits for its commit.
    pub(super) async fn call(&self, id: &str) -> Result<(), Error> {
        let (committed, answer) = oneshot::channel();
        let id = id.to_owned();
        self.members
            .send(Member { id, committed })
            .await
            .map_err(|_| Error::Group)?;
        answer.await.map_err(|_| Error::Group)
    }
}

async fn execute(
    client: &Client,
    statement: &Statement,
    group: &[Member],
    documents: &[&'static str],
) -> Result<(), tokio_postgres::Error> {
    let ids: Vec<_> = group.iter().map(|member| member.id.as_str()).collect();
    let columns: Vec<_> = documents
        .iter()
        .map(|document| vec![*document; group.len()])
        .collect();
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&ids];
    parameters.extend(columns.iter().map(|column| column as &(dyn ToSql + Sync)));
    client.execute(statement, &parameters).await.map(drop)
}
