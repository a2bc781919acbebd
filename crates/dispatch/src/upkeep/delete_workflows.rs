//! What resuming and deleting workflows leaves to be done: the background task that starts what was held, cancels the
//! executions of deleted workflows, and removes those workflows when nothing is left of them. Every process runs one; all
//! that it does may be done twice.

use std::collections::HashSet;
use std::time::Duration;

use gristmill_core::WorkflowId;
use gristmill_store::{Actor, Cancelled, Deletion, Error, Store, System};
use metrics::counter;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::Bell;

/// Carries resumes and deletions to their ends.
pub struct Tidier {
    store: Store,
    bell: Bell,
    /// Deleted workflows that were emptied once, and are looked at once more when no submit can come any more.
    emptied: HashSet<WorkflowId>,
}

/// How often to look.
const INTERVAL: Duration = Duration::from_secs(2);

/// How often to look for deleted workflows that no execution is left of.
const REMOVE_EVERY: Duration = Duration::from_secs(60);

/// How many held executions one statement starts; when there were that many, the next follows at once.
const HELD: i64 = 500;

/// For how long one look removes: then what was resumed or deleted meanwhile has its turn.
const REMOVING: Duration = Duration::from_secs(2);

/// How many executions of a deleted workflow one statement finds.
const PAGE: usize = 500;

/// How many deleted workflows are looked at, or removed, at a time.
const WORKFLOWS: i64 = 100;

impl Tidier {
    /// A tidier that has not begun, and rings `bell` for what it made due.
    pub fn new(store: Store, bell: Bell) -> Self {
        Self {
            store,
            bell,
            emptied: HashSet::new(),
        }
    }

    /// Works until `shutdown`. A step under way is carried to its end.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut remove_at = Instant::now();
        while !shutdown.is_cancelled() {
            note(
                self.release().await,
                "what paused workflows held could not be started",
            );
            note(
                self.cancel(&shutdown).await,
                "the executions of deleted workflows could not be cancelled",
            );
            if Instant::now() >= remove_at {
                remove_at = Instant::now() + REMOVE_EVERY;
                match self.remove(&shutdown).await {
                    Ok(Removed::All) => {}
                    Ok(Removed::Some) => remove_at = Instant::now(),
                    Err(error) => note(Err(error), "deleted workflows could not be removed"),
                }
            }
            // Processes that were started together need not look together.
            let pause = INTERVAL.mul_f64(0.75 + fastrand::f64() / 2.0);
            shutdown.run_until_cancelled(tokio::time::sleep(pause)).await;
        }
    }

    async fn release(&self) -> Result<(), Error> {
        loop {
            let released = self.store.protocol().release_held(System, HELD).await?;
            if released > 0 {
                debug!(
                    executions = released,
                    "started what was held for paused workflows"
                );
                self.bell.ring();
            }
            if released < HELD.unsigned_abs() {
                return Ok(());
            }
        }
    }

    async fn cancel(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        for deletion in self.store.deletions(System, WORKFLOWS).await? {
            if !deletion.is_quiet && self.emptied.contains(&deletion.id) {
                continue;
            }
            match self.carry_on(&deletion, shutdown).await {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                // It is among the oldest each time: the others would never have their turn.
                Err(error) if !is_away(&error) => warn!(
                    workflow.id = %deletion.id,
                    error = &error as &dyn std::error::Error,
                    "the executions of a deleted workflow could not be cancelled"
                ),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Carries a deletion on, as far as that is possible now. Answers whether there is time for another one.
    async fn carry_on(&mut self, deletion: &Deletion, shutdown: &CancellationToken) -> Result<bool, Error> {
        if !self.empty(deletion, shutdown).await? {
            return Ok(false);
        }
        if deletion.is_quiet {
            self.store.note_emptied(&deletion.tenant, &deletion.id).await?;
            self.emptied.remove(&deletion.id);
        } else {
            self.emptied.insert(deletion.id.clone());
        }
        Ok(true)
    }

    /// Cancels every unfinished execution of a deleted workflow, newest first, each in a transaction of its own. Answers
    /// whether it came to the end.
    async fn empty(&self, deletion: &Deletion, shutdown: &CancellationToken) -> Result<bool, Error> {
        let (protocol, mut after, mut executions) = (self.store.protocol(), None, 0);
        loop {
            let (unfinished, next) = self
                .store
                .unfinished_executions(&deletion.tenant, &deletion.id, after.as_ref(), PAGE)
                .await?;
            for execution in unfinished {
                if shutdown.is_cancelled() {
                    return Ok(false);
                }
                if let Cancelled::Yes(cancelled) = protocol
                    .cancel(&deletion.tenant, &Actor::OPERATOR, &execution)
                    .await?
                {
                    executions += cancelled;
                    self.bell.ring();
                }
            }
            if next.is_none() {
                if executions > 0 {
                    info!(workflow.id = %deletion.id, executions, "cancelled what a deleted workflow left");
                }
                return Ok(true);
            }
            after = next;
        }
    }

    /// Removes deleted workflows that no execution is left of, a part at a time.
    async fn remove(&self, shutdown: &CancellationToken) -> Result<Removed, Error> {
        let began = Instant::now();
        let mut bare = self.store.bare_workflows(System, WORKFLOWS).await?;
        // One that fails, or takes all of the time, is not the first one each time.
        fastrand::shuffle(&mut bare);
        let mut failed = false;
        for id in bare {
            loop {
                if shutdown.is_cancelled() || began.elapsed() > REMOVING {
                    // What fails is not tried again at once.
                    return Ok(if failed { Removed::All } else { Removed::Some });
                }
                match self.store.remove_part_of_deleted_workflow(System, &id).await {
                    Ok(false) => {}
                    Ok(true) => {
                        counter!("gristmill_workflows_removed_total").increment(1);
                        break;
                    }
                    Err(error) if !is_away(&error) => {
                        failed = true;
                        warn!(
                            workflow.id = %id,
                            error = &error as &dyn std::error::Error,
                            "a deleted workflow could not be removed"
                        );
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(Removed::All)
    }
}

/// How far removing deleted workflows has come.
#[derive(Debug, PartialEq, Eq)]
enum Removed {
    /// As far as it will for now.
    All,
    /// There was no time for more.
    Some,
}

/// Whether the next statement would fail, too.
const fn is_away(error: &Error) -> bool {
    matches!(error, Error::Connect(_) | Error::Lost(_))
}

fn note(result: Result<(), Error>, failed: &str) {
    if let Err(error) = result {
        warn!(error = &error as &dyn std::error::Error, "{failed}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gristmill_core::{ExecutionId, OrganizationId, UserId};
    use gristmill_store::{Options, Start, Submit, Switch, Tenant, connect_postgres};
    use gristmill_testkit::TestDatabase;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_deletion_that_fails_does_not_keep_others_from_their_turn() {
        let db = TestDatabase::postgres().await;
        let store = db.store();
        let raw = connect_postgres(&Options::new(db.url())).await.unwrap();
        let (tenant, user) = (Tenant(OrganizationId::new()), UserId::new());
        let workflows = [WorkflowId::new(), WorkflowId::new(), WorkflowId::new()];
        let organization = format!(
            "INSERT INTO organizations (id, name, tier) VALUES ('{0}', 'Mill', 'ENTERPRISE');
             INSERT INTO users (id, name, email) VALUES ('{user}', 'Miller', 'miller@example.com');
             INSERT INTO memberships (organization_id, user_id, role) VALUES ('{0}', '{user}', 'OWNER')",
            tenant.0
        );
        raw.batch_execute(&organization).await.unwrap();
        let mut executions = Vec::new();
        for workflow in &workflows {
            let sql = format!(
                "INSERT INTO workflows (id, organization_id, name, revision, lane, created_by)
                     VALUES ('{workflow}', '{0}', 'Grind', 2, 'default', '{user}');
                 INSERT INTO workflow_revisions (organization_id, workflow_id, revision, definition)
                     VALUES ('{0}', '{workflow}', 1, '{{}}'), ('{0}', '{workflow}', 2, '{{}}')",
                tenant.0
            );
            raw.batch_execute(&sql).await.unwrap();
            executions.push(submit(store, &tenant, workflow).await);
            let deleted = store.switch_workflow(&tenant, &Actor::OPERATOR, workflow, None, Switch::Delete);
            deleted.await.unwrap();
        }
        // What is the oldest deletion's can be neither changed nor removed.
        let refuse = format!(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$;
             CREATE TRIGGER refuse BEFORE UPDATE ON executions FOR EACH ROW WHEN (OLD.workflow_id = '{0}')
                 EXECUTE FUNCTION refuse();
             CREATE TRIGGER refuse BEFORE DELETE ON workflow_revisions FOR EACH ROW WHEN (OLD.workflow_id = '{0}')
                 EXECUTE FUNCTION refuse();",
            workflows[0]
        );
        raw.batch_execute(&refuse).await.unwrap();
        let mut tidier = Tidier::new(store.clone(), Bell::default());
        let shutdown = CancellationToken::new();
        tidier.cancel(&shutdown).await.unwrap();
        let mut statuses = Vec::new();
        for id in &executions {
            let found = store.execution(&tenant, id).await.unwrap().unwrap();
            statuses.push(found.status.as_str());
        }
        assert_eq!(statuses, ["PENDING", "CANCELLED", "CANCELLED"]);

        let gone = "DELETE FROM executions; UPDATE workflows SET emptied_at = deleted_at";
        raw.batch_execute(gone).await.unwrap();
        assert_eq!(tidier.remove(&shutdown).await.unwrap(), Removed::All);
        assert_eq!(store.bare_workflows(System, 10).await.unwrap(), workflows[..1]);
    }

    async fn submit(store: &Store, tenant: &Tenant, workflow: &WorkflowId) -> ExecutionId {
        let submit = Submit {
            id: ExecutionId::new(),
            workflow_id: workflow.clone(),
            input: "{}".to_owned(),
            idempotency_key: None,
            request_hash: String::new(),
            start: Start::Now,
            checked: None,
            tags: None,
            metadata: None,
            monthly_limit: None,
        };
        let id = submit.id.clone();
        let protocol = store.protocol();
        protocol
            .submit(tenant, &[submit], Duration::from_secs(30))
            .await
            .unwrap();
        id
    }
}
