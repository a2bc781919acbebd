//! Lines: one execution a statement, over as many connections as Gristmill has.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::{Client, Statement};

use super::statements::failed;
use super::tables::{INPUT, JOURNAL, OUTPUT};
use super::{Options, Tables};
use crate::bench::Error;

/// The connections of those who submit, and of those who run.
pub(super) struct Lines {
    submitting: Side,
    running: Side,
}

/// Connections that take turns. Statements are pipelined: none waits for the answer to the one before it.
struct Side {
    lines: Vec<Line>,
    turn: AtomicUsize,
}

struct Line {
    client: Client,
    insert: Statement,
    start: Statement,
    complete: Statement,
}

const INSERT: &str = "INSERT INTO executions (id, input) VALUES ($1, $2)";

const START: &str = "
    UPDATE executions SET status = 'RUNNING', started_at = clock_timestamp() WHERE id = $1 AND status = 'PENDING'";

const COMPLETE: &str = "
    WITH changed AS (
        UPDATE executions SET status = 'COMPLETED', output = $2, completed_at = clock_timestamp()
        WHERE id = $1 AND status = 'RUNNING' RETURNING id
    )
    INSERT INTO journal (execution_id, seq, body) SELECT id, 0, $3 FROM changed";

impl Lines {
    pub(super) async fn prepare(options: &Options, tables: &Tables) -> Result<Self, Error> {
        Ok(Self {
            submitting: Side::prepare(options, tables).await?,
            running: Side::prepare(options, tables).await?,
        })
    }

    pub(super) async fn insert(&self, id: &str) -> Result<(), Error> {
        let Line { client, insert, .. } = self.submitting.next();
        let inserted = client.execute(insert, &[&id, &INPUT]).await;
        inserted.map(drop).map_err(failed)
    }

    pub(super) async fn start(&self, id: &str) -> Result<(), Error> {
        let Line { client, start, .. } = self.running.next();
        client.execute(start, &[&id]).await.map(drop).map_err(failed)
    }

    pub(super) async fn complete(&self, id: &str) -> Result<(), Error> {
        let Line { client, complete, .. } = self.running.next();
        let completed = client.execute(complete, &[&id, &OUTPUT, &JOURNAL]).await;
        completed.map(drop).map_err(failed)
    }
}

impl Side {
    async fn prepare(options: &Options, tables: &Tables) -> Result<Self, Error> {
        let mut lines = Vec::new();
        for _ in 0..options.pool_size {
            let client = tables.connect(&options.database_url).await?;
            lines.push(Line {
                insert: client.prepare(INSERT).await.map_err(failed)?,
                start: client.prepare(START).await.map_err(failed)?,
                complete: client.prepare(COMPLETE).await.map_err(failed)?,
                client,
            });
        }
        Ok(Self {
            lines,
            turn: AtomicUsize::new(0),
        })
    }

    fn next(&self) -> &Line {
        &self.lines[self.turn.fetch_add(1, Ordering::Relaxed) % self.lines.len()]
    }
}
