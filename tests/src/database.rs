//! Database: the test's own look into the database, past everything that is tested.

use std::collections::BTreeMap;
use std::time::Duration;

use gristmill_core::journal::{Entry, read_chunk};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, NoTls};

use crate::invariants::Sample;

/// A database that processes under test use, too.
pub struct Database {
    url: String,
}

/// An execution as it is stored, with its journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub organization: String,
    /// Which workflow it runs.
    pub workflow: String,
    /// The producer's key against doubles.
    pub key: Option<String>,
    /// `PENDING`, `RUNNING`, ….
    pub status: String,
    /// How often it was claimed.
    pub attempt: i32,
    /// How many workers were lost since the last journal commit.
    pub losses: i32,
    /// Whether the broker's confirm of a job for this PENDING was written down.
    pub published: bool,
    /// When it is due, in microseconds since 1970.
    pub wake_at: Option<i64>,
    /// How many journal entries there should be.
    pub journal_len: i32,
    /// Node runs that ended COMPLETED.
    pub nodes_executed: i32,
    /// The output, as serialized.
    pub output: Option<String>,
    /// The error, as serialized.
    pub error: Option<String>,
    /// The journal.
    pub journal: Vec<Entry>,
    /// How the journal was written: one chunk for each commit.
    pub chunks: Vec<Chunk>,
}

/// A part of a journal, without its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The number of its first entry.
    pub seq: i32,
    /// How many entries it has.
    pub entries: i32,
    /// When it was written, in microseconds since 1970.
    pub written_at: i64,
    /// Whose it is.
    pub organization: String,
}

/// How long a statement of the test may take: with a database that is frozen or away it fails, and is tried again.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

const EXECUTIONS: &str = "
    SELECT id, organization_id, workflow_id, idempotency_key, status, attempt, losses, published_at IS NOT NULL AS published,
        (extract(epoch FROM wake_at) * 1000000)::bigint AS wake_at, journal_len, nodes_executed, output, error
    FROM executions ORDER BY id";

const JOURNALS: &str = "
    SELECT execution_id, organization_id, seq, format, body,
        (extract(epoch FROM created_at) * 1000000)::bigint AS written_at
    FROM execution_journal ORDER BY execution_id, seq";

/// Sessions of this database that sit in a transaction, and have done so for longer than between two statements.
const IDLE_IN_TRANSACTION: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%'
        AND state_change < clock_timestamp() - interval '1 second'";

const SAMPLES: &str = "
    SELECT id, status, attempt, journal_len FROM executions
    WHERE completed_at IS NULL OR completed_at > clock_timestamp() - interval '5 seconds'";

impl Database {
    pub(crate) fn new(url: &str) -> Self {
        Self { url: url.to_owned() }
    }

    /// Every execution there is, in the order of ids, which is the order of time.
    ///
    /// # Panics
    /// When the database does not answer.
    pub async fn executions(&self) -> Vec<Row> {
        // The rows last: a journal that is read first is never longer than its row says.
        let mut journals = self.journals().await;
        let rows = self
            .query(EXECUTIONS, &[])
            .await
            .expect("the executions cannot be read");
        let read = |row: &tokio_postgres::Row| {
            let (chunks, journal) = journals.remove(row.get::<_, &str>("id")).unwrap_or_default();
            Row {
                id: row.get("id"),
                organization: row.get("organization_id"),
                workflow: row.get("workflow_id"),
                key: row.get("idempotency_key"),
                status: row.get("status"),
                attempt: row.get("attempt"),
                losses: row.get("losses"),
                published: row.get("published"),
                wake_at: row.get("wake_at"),
                journal_len: row.get("journal_len"),
                nodes_executed: row.get("nodes_executed"),
                output: row.get("output"),
                error: row.get("error"),
                journal,
                chunks,
            }
        };
        rows.iter().map(read).collect()
    }

    /// One of them.
    ///
    /// # Panics
    /// When there is none of that id.
    pub async fn execution(&self, id: &str) -> Row {
        let found = self.executions().await.into_iter().find(|row| row.id == id);
        found.unwrap_or_else(|| panic!("there is no execution {id}"))
    }

    async fn journals(&self) -> BTreeMap<String, (Vec<Chunk>, Vec<Entry>)> {
        let mut journals = BTreeMap::<_, (Vec<Chunk>, Vec<Entry>)>::new();
        let stored = self.query(JOURNALS, &[]).await;
        for chunk in stored.expect("the journals cannot be read") {
            let (chunks, journal) = journals.entry(chunk.get("execution_id")).or_default();
            let body: String = chunk.get("body");
            let entries = read_chunk(chunk.get("format"), &body).expect("a chunk cannot be read");
            chunks.push(Chunk {
                seq: chunk.get("seq"),
                entries: entries.len() as i32,
                written_at: chunk.get("written_at"),
                organization: chunk.get("organization_id"),
            });
            journal.extend(entries);
        }
        journals
    }

    /// How many executions have this status; `None` when the database does not answer.
    pub async fn count(&self, status: &str) -> Option<i64> {
        self.number("SELECT count(*) FROM executions WHERE status = $1", &[&status])
            .await
    }

    /// How many executions have not ended; `None` when the database does not answer.
    pub async fn unfinished(&self) -> Option<i64> {
        self.number("SELECT count(*) FROM executions WHERE completed_at IS NULL", &[])
            .await
    }

    /// How many executions wait with a confirmed job; `None` when the database does not answer.
    pub async fn published(&self) -> Option<i64> {
        let published =
            "SELECT count(*) FROM executions WHERE status = 'PENDING' AND published_at IS NOT NULL";
        self.number(published, &[]).await
    }

    /// How many sessions hold a transaction open and do nothing; `None` when the database does not answer.
    pub(crate) async fn idle_in_transaction(&self) -> Option<i64> {
        self.number(IDLE_IN_TRANSACTION, &[]).await
    }

    /// How every execution stands that has not ended, or not long ago; `None` when the database does not answer.
    pub async fn samples(&self) -> Option<Vec<Sample>> {
        let rows = self.ask(SAMPLES, &[]).await?;
        Some(rows.iter().map(Sample::from).collect())
    }

    /// A number; `None` when the database does not answer.
    pub async fn number(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> Option<i64> {
        Some(self.ask(sql, parameters).await?.first()?.get(0))
    }

    /// Rows; `None` when the database does not answer.
    pub(crate) async fn ask(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Option<Vec<tokio_postgres::Row>> {
        let asked = tokio::time::timeout(ANSWER_WITHIN, self.query(sql, parameters)).await;
        asked.ok()?.ok()
    }

    /// A session that ends when it is dropped; `None` when the database does not answer.
    pub async fn session(&self) -> Option<tokio_postgres::Client> {
        let connecting = tokio_postgres::connect(&self.url, NoTls);
        let (client, connection) = tokio::time::timeout(ANSWER_WITHIN, connecting).await.ok()?.ok()?;
        tokio::spawn(connection);
        Some(client)
    }

    /// On a connection of its own, for the last one may not have survived what the test has done since.
    async fn query(
        &self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<tokio_postgres::Row>, Error> {
        let (client, connection) = tokio_postgres::connect(&self.url, NoTls).await?;
        let driver = tokio::spawn(connection);
        let rows = client.query(sql, parameters).await;
        drop(client);
        driver.abort();
        rows
    }
}
