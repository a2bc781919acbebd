//! What most behaviours start from: an organization with a workflow, and short ways through the protocol.

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::{ExecutionId, ExecutionStatus, OrganizationId, Totals, UserId, WorkflowId};
use gristmill_store::{
    Actor, Append, Cancelled, ChildStarted, Claim, ClaimAnswer, Claimed, Due, Ending, Held, InboxMessage,
    NewChunk, Protocol, Repeat, Settle, Start, StartChild, Store, Submit, Submitted, Suspend, Sweep, System,
    Tenant, Wake, Watched,
};
use gristmill_testkit::TestDatabase;
use uuid::Uuid;

use crate::raw;

/// A lease that outlives every test, unless it is taken.
pub(crate) const LEASE: Duration = Duration::from_secs(15);
/// More than any test sends.
pub(crate) const MAX_MESSAGES: i32 = 100;
/// When the relay would look again.
pub(crate) const LATER: Duration = Duration::from_secs(30);

/// An organization with one active workflow at revision 1.
pub(crate) struct World<'a> {
    pub(crate) db: &'a TestDatabase,
    pub(crate) tenant: Tenant,
    pub(crate) workflow: WorkflowId,
    protocol: Arc<dyn Protocol>,
}

impl<'a> World<'a> {
    pub(crate) async fn new(db: &'a TestDatabase) -> Self {
        Self::through(db, db.store()).await
    }

    /// One whose calls go through connections of its own.
    pub(crate) async fn through(db: &'a TestDatabase, store: &Store) -> Self {
        let (organization, user) = (OrganizationId::new(), UserId::new());
        let sql = format!(
            "INSERT INTO organizations (id, name, tier) VALUES ('{organization}', 'Mill', 'ENTERPRISE');
             INSERT INTO users (id, name, email) VALUES ('{user}', 'Miller', '{user}@example.com');
             INSERT INTO memberships (organization_id, user_id, role) VALUES ('{organization}', '{user}', 'OWNER');"
        );
        raw::execute(db, &sql).await;
        let tenant = Tenant(organization);
        let workflow = add_workflow(db, &tenant, &user, "default").await;
        Self {
            db,
            tenant,
            workflow,
            protocol: store.protocol(),
        }
    }

    pub(crate) async fn add_workflow(&self, lane: &str) -> WorkflowId {
        let sql = format!(
            "SELECT created_by AS value FROM workflows WHERE id = '{}'",
            self.workflow
        );
        let user = raw::texts(self.db, &sql).await.remove(0).unwrap();
        add_workflow(self.db, &self.tenant, &user.parse().unwrap(), lane).await
    }

    pub(crate) fn protocol(&self) -> &dyn Protocol {
        &*self.protocol
    }

    /// A request for this world's workflow.
    pub(crate) fn request(&self) -> Submit {
        Submit {
            id: ExecutionId::new(),
            workflow_id: self.workflow.clone(),
            input: "{}".into(),
            idempotency_key: None,
            repeat: Repeat::SameContent,
            request_hash: "hash".to_owned(),
            start: Start::Now,
            checked: None,
            tags: None,
            metadata: None,
            monthly_limit: None,
        }
    }

    pub(crate) fn request_with_key(&self, key: &str) -> Submit {
        Submit {
            idempotency_key: Some(key.to_owned()),
            ..self.request()
        }
    }

    pub(crate) async fn submit(&self, members: &[Submit]) -> Vec<Submitted> {
        self.protocol()
            .submit(&self.tenant, members, LATER)
            .await
            .unwrap()
    }

    /// So many PENDING executions, in id order.
    pub(crate) async fn pending_group(&self, count: usize) -> Vec<ExecutionId> {
        let members: Vec<_> = (0..count).map(|_| self.request()).collect();
        let answers = self.submit(&members).await;
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Submitted::Accepted(_)))
        );
        members.into_iter().map(|member| member.id).collect()
    }

    pub(crate) async fn pending(&self) -> ExecutionId {
        self.pending_group(1).await.remove(0)
    }

    pub(crate) async fn claim(&self, jobs: &[(ExecutionId, i32)]) -> Vec<Claimed> {
        self.claim_for(jobs, LEASE).await
    }

    pub(crate) async fn claim_for(&self, jobs: &[(ExecutionId, i32)], lease: Duration) -> Vec<Claimed> {
        let answers = self.claim_by(&claim(lease), jobs).await;
        answers.into_iter().filter_map(ClaimAnswer::claimed).collect()
    }

    pub(crate) async fn claim_by(&self, claim: &Claim, jobs: &[(ExecutionId, i32)]) -> Vec<ClaimAnswer> {
        let answers = self.protocol().claim(System, jobs, claim).await.unwrap();
        assert_eq!(answers.len(), jobs.len());
        answers
    }

    /// An execution that is RUNNING at attempt 1.
    pub(crate) async fn running(&self) -> ExecutionId {
        let id = self.pending().await;
        assert_eq!(self.claim(&[(id.clone(), 0)]).await.len(), 1);
        id
    }

    /// An execution whose first holder, at attempt 1, lost it to a second one at attempt 2.
    pub(crate) async fn taken_over(&self) -> ExecutionId {
        let id = self.pending().await;
        self.claim_for(&[(id.clone(), 0)], Duration::ZERO).await;
        self.reap(&id).await;
        assert_eq!(self.claim(&[(id.clone(), 1)]).await.len(), 1);
        id
    }

    /// An execution that is COMPLETED at attempt 1.
    pub(crate) async fn completed(&self) -> ExecutionId {
        let id = self.running().await;
        self.protocol()
            .settle(System, &[completion(&id, 1)])
            .await
            .unwrap();
        id
    }

    /// An execution that is WAITING at attempt 1, for a message alone.
    pub(crate) async fn waiting(&self) -> ExecutionId {
        let id = self.running().await;
        self.protocol()
            .suspend(System, &[suspension(&id, 1)])
            .await
            .unwrap();
        id
    }

    /// An execution that is FAILED at attempt 1.
    pub(crate) async fn failed(&self) -> ExecutionId {
        let id = self.running().await;
        self.settle(&[failing(&id, 1)]).await;
        id
    }

    /// A child of a RUNNING execution at attempt 1.
    pub(crate) async fn child_of(&self, parent: &ExecutionId, path: &str) -> ExecutionId {
        match self.start_child(&self.child_request(parent, path)).await {
            ChildStarted::Yes(id) => id,
            other => panic!("{other:?}"),
        }
    }

    /// A request for a child of an execution at attempt 1, on this world's workflow.
    pub(crate) fn child_request(&self, parent: &ExecutionId, path: &str) -> StartChild {
        StartChild {
            parent: parent.clone(),
            attempt: 1,
            path: path.to_owned(),
            id: ExecutionId::new(),
            workflow_id: self.workflow.clone(),
            input: r#"{"n":1}"#.into(),
            checked: None,
            max_depth: 3,
        }
    }

    pub(crate) async fn start_child(&self, child: &StartChild) -> ChildStarted {
        self.protocol().start_child(System, child).await.unwrap()
    }

    pub(crate) async fn settle(&self, members: &[Settle]) -> Vec<Held> {
        self.protocol().settle(System, members).await.unwrap()
    }

    pub(crate) async fn cancel(&self, id: &ExecutionId) -> Cancelled {
        self.protocol()
            .cancel(&self.tenant, &Actor::OPERATOR, id)
            .await
            .unwrap()
    }

    /// Names and bodies of an execution's messages.
    pub(crate) async fn messages_of(&self, id: &ExecutionId) -> Vec<(String, String)> {
        let inbox = self.protocol().inbox(System, id, 0).await.unwrap();
        inbox
            .into_iter()
            .map(|message| (message.name, message.body))
            .collect()
    }

    /// A column of one execution, as text.
    pub(crate) async fn column(&self, id: &ExecutionId, name: &str) -> Option<String> {
        raw::column(self.db, id, name).await
    }

    /// Changes this world's workflow past the store.
    pub(crate) async fn change_workflow(&self, change: &str) {
        let sql = format!("UPDATE workflows SET {change} WHERE id = '{}'", self.workflow);
        raw::execute(self.db, &sql).await;
    }

    /// Takes the lease of a RUNNING execution: its loss is counted and it is PENDING again.
    pub(crate) async fn reap(&self, id: &ExecutionId) {
        raw::make_due(self.db, id, 1).await;
        let acted = self.relay_one(id, Wake::Reap { again_in: LATER }).await;
        assert_eq!(acted.map(|due| due.status), Some(ExecutionStatus::Running));
    }

    /// One round of the relay that does `wake` with this execution and leaves all others.
    pub(crate) async fn relay_one(&self, id: &ExecutionId, wake: Wake) -> Option<Due> {
        let decide = |due: &Due| {
            if due.job.execution_id == *id {
                wake.clone()
            } else {
                Wake::Leave
            }
        };
        let acted = self
            .protocol()
            .relay(System, Sweep::all(100, true), &decide)
            .await
            .unwrap();
        acted
            .into_iter()
            .find(|(_, done)| *done == wake)
            .map(|(due, _)| due)
    }

    pub(crate) async fn watch(&self, id: &ExecutionId) -> Watched {
        self.protocol()
            .watch(System, std::slice::from_ref(id))
            .await
            .unwrap()
            .remove(0)
    }

    /// Status and attempt.
    pub(crate) async fn stands(&self, id: &ExecutionId) -> (ExecutionStatus, i32) {
        let watched = self.watch(id).await;
        (watched.status, watched.attempt)
    }

    /// The bodies of the execution's journal chunks.
    pub(crate) async fn bodies(&self, id: &ExecutionId) -> Vec<String> {
        let journals = self
            .protocol()
            .journal(System, std::slice::from_ref(id))
            .await
            .unwrap();
        journals
            .into_iter()
            .flat_map(|(_, chunks)| chunks)
            .map(|chunk| chunk.body)
            .collect()
    }

    pub(crate) async fn losses(&self, id: &ExecutionId) -> i32 {
        raw::column(self.db, id, "losses").await.unwrap().parse().unwrap()
    }

    pub(crate) async fn is_published(&self, id: &ExecutionId) -> bool {
        raw::column(self.db, id, "published_at").await.is_some()
    }

    pub(crate) async fn wakes_in(&self, id: &ExecutionId) -> Option<f64> {
        raw::wakes_in(self.db, id).await
    }
}

async fn add_workflow(db: &TestDatabase, tenant: &Tenant, user: &UserId, lane: &str) -> WorkflowId {
    let Tenant(organization) = tenant;
    let workflow = WorkflowId::new();
    let sql = format!(
        "INSERT INTO workflows (id, organization_id, name, revision, lane, created_by)
         VALUES ('{workflow}', '{organization}', 'Grind', 1, '{lane}', '{user}');
         INSERT INTO workflow_revisions (organization_id, workflow_id, revision, definition)
         VALUES ('{organization}', '{workflow}', 1, '{{}}');"
    );
    raw::execute(db, &sql).await;
    workflow
}

pub(crate) fn claim(lease: Duration) -> Claim {
    Claim {
        token: Uuid::new_v4(),
        worker: "worker-1".to_owned(),
        lease,
    }
}

pub(crate) fn chunk(body: &str) -> Option<NewChunk> {
    Some(NewChunk {
        body: body.to_owned(),
        entries: 1,
        progress: true,
    })
}

pub(crate) fn append(id: &ExecutionId, attempt: i32, body: &str) -> Append {
    Append {
        id: id.clone(),
        attempt,
        journal_len: 0,
        chunk: chunk(body),
    }
}

pub(crate) fn suspension(id: &ExecutionId, attempt: i32) -> Suspend {
    Suspend {
        id: id.clone(),
        attempt,
        chunk: None,
        inbox: 0,
        wake_at: None,
    }
}

pub(crate) fn completion(id: &ExecutionId, attempt: i32) -> Settle {
    let ending = Ending::Completed {
        output: r#"{"done":true}"#.to_owned(),
    };
    Settle {
        id: id.clone(),
        attempt,
        chunk: None,
        ending,
        totals: Totals::default(),
        is_child: false,
    }
}

/// FAILED instead.
pub(crate) fn failing(id: &ExecutionId, attempt: i32) -> Settle {
    Settle {
        ending: Ending::Failed {
            error: r#"{"code":"broken","message":"no"}"#.to_owned(),
        },
        ..completion(id, attempt)
    }
}

pub(crate) fn message(id: &ExecutionId, key: &str) -> InboxMessage {
    InboxMessage {
        execution_id: id.clone(),
        key: key.to_owned(),
        name: "go".to_owned(),
        body: "{}".to_owned(),
    }
}

/// What became of each job.
pub(crate) fn said(answers: &[ClaimAnswer]) -> Vec<&'static str> {
    let words = answers.iter().map(|answer| match answer {
        ClaimAnswer::Claimed(_) => "claimed",
        ClaimAnswer::Locked => "locked",
        ClaimAnswer::Stale => "stale",
        ClaimAnswer::OverLimit => "over limit",
    });
    words.collect()
}

/// The accepted ones' ids.
pub(crate) fn accepted(answers: &[Submitted]) -> Vec<ExecutionId> {
    let ids = answers.iter().filter_map(|answer| match answer {
        Submitted::Accepted(accepted) => Some(accepted.id.clone()),
        _ => None,
    });
    ids.collect()
}
