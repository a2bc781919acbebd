//! Database: faults of its server, and of sessions there.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::{Missed, Tormentor, blocking, pause};
use crate::process::Signal;
use crate::services::send_if_alive;
use crate::soak::fault::DatabaseFault;
use crate::soak::world::World;

/// The pause between two sessions that are terminated.
const TERMINATE_EVERY: Duration = Duration::from_millis(200);

/// A session of Gristmill's at random.
const ANY_SESSION: &str = "
    SELECT pid::bigint FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'gristmill%' ORDER BY random() LIMIT 1";

const TERMINATE: &str = "
    SELECT count(pg_terminate_backend(pid)) FROM (
        SELECT pid FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'gristmill%' ORDER BY random() LIMIT 1
    ) AS session";

const LOCK: &str = "
    SELECT id FROM executions WHERE completed_at IS NULL ORDER BY random() LIMIT 5 FOR UPDATE SKIP LOCKED";

impl Tormentor {
    pub(super) async fn torment_postgres(&self, how: DatabaseFault, lasts: Duration) -> Result<(), Missed> {
        let _alone = self.postgres.lock().await;
        let world = &self.world;
        match how {
            DatabaseFault::Restart => {
                blocking(world, |world| world.postgres.restart_immediately()).await;
            }
            DatabaseFault::KillSession => {
                let session = world.database.number(ANY_SESSION, &[]).await.ok_or(Missed)?;
                send_if_alive(Signal::Kill, session as u32);
            }
            DatabaseFault::Freeze => {
                blocking(world, |world| world.postgres.freeze()).await;
                pause(lasts).await;
                blocking(world, |world| world.postgres.thaw()).await;
            }
            DatabaseFault::LockRows | DatabaseFault::TerminateSessions => {}
        }
        Ok(())
    }
}

pub(super) async fn terminate_sessions(world: &Arc<World>, lasts: Duration) -> Result<(), Missed> {
    let until = Instant::now() + lasts;
    let mut terminated = 0;
    while Instant::now() < until {
        terminated += world.database.number(TERMINATE, &[]).await.unwrap_or_default();
        pause(TERMINATE_EVERY).await;
    }
    if terminated > 0 { Ok(()) } else { Err(Missed) }
}

/// Somebody looks at a few executions, and goes to lunch.
pub(super) async fn lock_rows(world: &Arc<World>, lasts: Duration) -> Result<(), Missed> {
    let session = world.database.session().await.ok_or(Missed)?;
    let locked = async {
        session.batch_execute("BEGIN").await?;
        session.query(LOCK, &[]).await
    };
    let rows = tokio::time::timeout(Duration::from_secs(5), locked).await;
    let locked = matches!(rows, Ok(Ok(rows)) if !rows.is_empty());
    if locked {
        pause(lasts).await;
    }
    // The end of the session is the end of its transaction.
    drop(session);
    if locked { Ok(()) } else { Err(Missed) }
}
