//! World: an organization with one workflow, and short ways through the store.

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::access::Scopes;
use gristmill_core::{ApiKeyId, ExecutionId, ExecutionStatus, Settings, UserId, WorkflowId};
use gristmill_dispatch::{Failure, Next, Task};
use gristmill_store::{
    Actor, DefinitionFacts, NewApiKey, NewOrganization, NewUser, NewWorkflow, Protocol, Start, Store, Submit,
    Submitted, System, Tenant, WorkflowChanged, WorkflowSwitch,
};
use gristmill_testkit::TestDatabase;
use tokio_util::sync::CancellationToken;

pub(crate) struct World {
    pub(crate) tenant: Tenant,
    pub(crate) workflow: WorkflowId,
    user: UserId,
    pub(crate) db: TestDatabase,
}

impl World {
    pub(crate) async fn on(db: TestDatabase) -> Self {
        let organization = NewOrganization {
            name: "Mill".to_owned(),
            tier: "ENTERPRISE".to_owned(),
        };
        let user = NewUser {
            name: "Miller".to_owned(),
            email: "miller@example.com".to_owned(),
            global_role: "USER".to_owned(),
        };
        let key = NewApiKey {
            id: ApiKeyId::new(),
            name: "first".to_owned(),
            prefix: "gm_0".to_owned(),
            hash: "0".to_owned(),
            scopes: Scopes::ALL,
            expires_at: None,
        };
        let made = db.store().bootstrap(System, organization, user, key).await;
        let owner = made.unwrap();
        let mut world = Self {
            tenant: Tenant(owner.organization_id),
            workflow: WorkflowId::new(),
            user: owner.user_id,
            db,
        };
        world.workflow = world.add_workflow().await;
        world
    }

    pub(crate) fn store(&self) -> &Store {
        self.db.store()
    }

    pub(crate) fn protocol(&self) -> Arc<dyn Protocol> {
        self.store().protocol()
    }

    pub(crate) async fn add_workflow(&self) -> WorkflowId {
        let workflow = NewWorkflow {
            id: WorkflowId::new(),
            name: "Grind".to_owned(),
            description: None,
            version: "1.0.0".to_owned(),
            tags: "[]".to_owned(),
            is_active: true,
            facts: DefinitionFacts::from(&Settings::default()),
            definition: r#"{"nodes":[{"id":"start","type":"trigger"}],"edges":[]}"#.to_owned(),
            template_id: None,
            created_by: self.user.clone(),
            limit: None,
        };
        let stored = self
            .store()
            .create_workflow(&self.tenant, &Actor::OPERATOR, workflow);
        stored.await.unwrap().id
    }

    pub(crate) async fn submit(&self, workflow: &WorkflowId) -> ExecutionId {
        let submit = Submit {
            id: ExecutionId::new(),
            workflow_id: workflow.clone(),
            input: "{}".into(),
            repeat: gristmill_store::Repeat::SameContent,
            idempotency_key: None,
            request_hash: String::new(),
            start: Start::Now,
            checked: None,
            tags: None,
            metadata: None,
            monthly_limit: None,
        };
        let id = submit.id.clone();
        let submitted = self
            .protocol()
            .submit(&self.tenant, &[submit], Duration::from_secs(30))
            .await;
        assert!(matches!(submitted.unwrap()[..], [Submitted::Accepted(_)]));
        id
    }

    /// Executions of the workflow that have ended.
    pub(crate) async fn ended(&self, count: usize) -> Vec<ExecutionId> {
        let mut ids = Vec::new();
        for _ in 0..count {
            let id = self.submit(&self.workflow).await;
            self.protocol()
                .cancel(&self.tenant, &Actor::OPERATOR, &id)
                .await
                .unwrap();
            ids.push(id);
        }
        ids
    }

    pub(crate) async fn switch(&self, workflow: &WorkflowId, switch: WorkflowSwitch) {
        let switched = self
            .store()
            .switch_workflow(&self.tenant, &Actor::OPERATOR, workflow, None, switch);
        assert!(matches!(switched.await.unwrap(), WorkflowChanged::Yes(_)));
    }

    pub(crate) async fn status(&self, id: &ExecutionId) -> Option<ExecutionStatus> {
        let found = self.store().execution(&self.tenant, id).await.unwrap();
        found.map(|execution| execution.status)
    }
}

/// One run of a task that nobody stops.
pub(crate) async fn run(task: &mut dyn Task) -> Result<Next, Failure> {
    task.run(&CancellationToken::new()).await
}
