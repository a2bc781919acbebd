//! Tables: two tables in a schema of the benchmark's own, and every statement on them.

use tokio_postgres::Client;
use uuid::Uuid;

use crate::bench::{Error, database};

/// A schema with `executions` and `journal`.
pub(super) struct Tables {
    pub(super) schema: String,
}

/// A database connection whose statements find the tables, and are planned for tables that will grow: what they are at
/// the first use, when they are empty, would have them scanned for ever.
const SETTINGS: &str = "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;";

/// An execution as small as it can be, with room for its updates on the same page.
const TABLES: &str = "
    CREATE TABLE executions (
        id text COLLATE \"C\" PRIMARY KEY,
        status text NOT NULL DEFAULT 'PENDING',
        input text NOT NULL,
        output text,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        started_at timestamptz,
        completed_at timestamptz
    ) WITH (fillfactor = 70);
    CREATE TABLE journal (
        execution_id text COLLATE \"C\" NOT NULL,
        seq integer NOT NULL,
        body text NOT NULL,
        PRIMARY KEY (execution_id, seq)
    );";

/// What every execution is started with.
pub(super) const INPUT: &str = r#"{"number":4711}"#;

/// What it ends with.
pub(super) const OUTPUT: &str = r#"{"number":4711,"a":4712,"b":9424,"c":14136,"d":23560}"#;

/// What Gristmill writes down about the reference workflow, byte for byte as long.
pub(super) const JOURNAL: &str = r#"[{"type":"completed","path":"start","at":1790000000000,"durationMs":0,"output":{}},{"type":"completed","path":"a","at":1790000000000,"durationMs":0,"output":{"a":4712}},{"type":"completed","path":"b","at":1790000000000,"durationMs":0,"output":{"b":9424}},{"type":"completed","path":"c","at":1790000000000,"durationMs":0,"output":{"c":14136}},{"type":"completed","path":"d","at":1790000000000,"durationMs":0,"output":{"d":23560}}]"#;

impl Tables {
    pub(super) async fn create(admin: &Client) -> Result<Self, Error> {
        let schema = format!("gristmill_floor_{}", Uuid::new_v4().simple());
        admin
            .batch_execute(&format!(
                "CREATE SCHEMA {schema}; SET search_path = {schema}; {TABLES}"
            ))
            .await
            .map_err(|source| Error::Statement {
                doing: "making the tables",
                source,
            })?;
        Ok(Self { schema })
    }

    /// A connection that finds the tables.
    pub(super) async fn connect(&self, url: &str) -> Result<Client, Error> {
        let client = database::connect(url).await?;
        client
            .batch_execute(&format!("SET search_path = {}; {SETTINGS}", self.schema))
            .await
            .map_err(|source| Error::Statement {
                doing: "setting up a connection",
                source,
            })?;
        Ok(client)
    }

    pub(super) async fn drop(self, admin: &Client) -> Result<(), Error> {
        admin
            .batch_execute(&format!("DROP SCHEMA {} CASCADE", self.schema))
            .await
            .map_err(|source| Error::Statement {
                doing: "dropping the tables",
                source,
            })
    }
}
