//! Moments: when each execution changed its status, to the microsecond, noted by the database of the benchmark's own as
//! it happens.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use tokio_postgres::Client;

use crate::bench::Error;

/// A note for every change. Whoever makes the change need not know of it, nor be allowed to write notes.
const WATCH: &str = "
    CREATE UNLOGGED TABLE bench_moments (id text NOT NULL, status text NOT NULL, at timestamptz NOT NULL);
    CREATE FUNCTION bench_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $note$
    BEGIN
        INSERT INTO bench_moments VALUES (NEW.id, NEW.status, clock_timestamp());
        RETURN NULL;
    END $note$;
    CREATE TRIGGER bench_note AFTER UPDATE ON executions FOR EACH ROW
        WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION bench_note();";

/// The notes so far.
pub(super) struct Moments(Client);

/// How one execution went: each status that it came to, and when, in order.
pub(super) type Life = Vec<(String, DateTime<Utc>)>;

impl Moments {
    /// Has changes noted from now on.
    pub(super) async fn watch(database: Client) -> Result<Self, Error> {
        database.batch_execute(WATCH).await.map_err(failed)?;
        Ok(Self(database))
    }

    /// The database's time.
    pub(super) async fn now(&self) -> Result<DateTime<Utc>, Error> {
        let micros = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let row = self.0.query_one(micros, &[]).await.map_err(failed)?;
        Ok(time(row.get(0)))
    }

    /// How many executions have come to this status.
    pub(super) async fn count(&self, status: &str) -> Result<u64, Error> {
        let count = "SELECT count(DISTINCT id) FROM bench_moments WHERE status = $1";
        let row = self.0.query_one(count, &[&status]).await.map_err(failed)?;
        Ok(u64::try_from(row.get::<_, i64>(0)).unwrap_or_default())
    }

    /// All of them.
    pub(super) async fn lives(&self) -> Result<Vec<Life>, Error> {
        let all =
            "SELECT id, status, (extract(epoch FROM at) * 1000000)::bigint FROM bench_moments ORDER BY at";
        let mut lives: BTreeMap<String, Life> = BTreeMap::new();
        for row in self.0.query(all, &[]).await.map_err(failed)? {
            let life = lives.entry(row.get(0)).or_default();
            life.push((row.get(1), time(row.get(2))));
        }
        Ok(lives.into_values().collect())
    }
}

fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or_default()
}

fn failed(source: tokio_postgres::Error) -> Error {
    Error::Statement {
        doing: "noting when executions change their status",
        source,
    }
}
