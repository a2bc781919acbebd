//! Mill: one organization, one workflow, and the way in.

use std::sync::Arc;
use std::time::Duration;

use gristmill_core::access::Scopes;
use gristmill_core::{ApiKeyId, ExecutionId, OrganizationId, Settings, UserId, WorkflowId};
use gristmill_dispatch::{
    Admission, Admitted, Content, Object, Plans, Publisher, Refusal, RelayWakeup, Request, Submitter,
};
use gristmill_engine::{Registry, builtin};
use gristmill_queue::{Broker, InProcess, InProcessOptions};
use gristmill_store::{
    Accepted, Actor, DefinitionFacts, NewApiKey, NewOrganization, NewUser, NewWorkflow, Repeat, System,
    Tenant, WorkflowChange, WorkflowChanged,
};
use gristmill_testkit::TestDatabase;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

pub struct Mill {
    pub db: TestDatabase,
    pub tenant: Tenant,
    pub workflow: WorkflowId,
    pub plans: Arc<Plans>,
    pub admission: Admission,
    _stop: tokio_util::sync::DropGuard,
}

/// A definition whose input must have a string of this name; `None` = any input.
pub fn wanting(name: Option<&str>) -> Value {
    let data = match name {
        Some(name) => json!({"inputSchema": {
            "type": "object", "required": [name], "properties": {name: {"type": "string"}}
        }}),
        None => json!({}),
    };
    json!({"nodes": [{"id": "start", "type": "trigger", "data": data}], "edges": []})
}

impl Mill {
    /// A mill whose workflow has this definition as revision 1.
    pub async fn new(db: TestDatabase, definition: &Value) -> Self {
        let options = InProcessOptions::new(vec!["default".into()]);
        let broker: Arc<dyn Broker> = Arc::new(InProcess::new(options));
        let stop = CancellationToken::new();
        let store = db.store().clone();
        let publisher = Publisher::start(broker, store.protocol(), stop.clone());
        let submitter = Submitter::new(store.protocol(), publisher, Duration::from_secs(60));
        let registry = Arc::new(Registry::new(builtin()).unwrap());
        let plans = Arc::new(Plans::new(store.clone(), registry));
        let (organization, user) = organization(&db, "miller").await;
        let tenant = Tenant(organization);
        let new = NewWorkflow {
            id: WorkflowId::new(),
            name: "Grind".to_owned(),
            description: None,
            version: "1.0.0".to_owned(),
            tags: "[]".to_owned(),
            is_active: true,
            facts: facts(definition),
            definition: definition.to_string(),
            template_id: None,
            created_by: user,
            limit: None,
        };
        let workflow = store
            .create_workflow(&tenant, &Actor::OPERATOR, new)
            .await
            .unwrap();
        Self {
            admission: Admission::new(submitter, store, plans.clone(), RelayWakeup::default()),
            db,
            tenant,
            workflow: workflow.id,
            plans,
            _stop: stop.drop_guard(),
        }
    }

    /// Another organization in the same database.
    pub async fn stranger(&self) -> Tenant {
        Tenant(organization(&self.db, "stranger").await.0)
    }

    /// Saves the workflow with another definition.
    pub async fn save(&self, definition: &Value) {
        self.change(|change| {
            change.facts = facts(definition);
            change.definition = definition.to_string();
        })
        .await;
    }

    pub async fn switch_off(&self) {
        self.change(|change| change.is_active = false).await;
    }

    async fn change(&self, edit: impl FnOnce(&mut WorkflowChange)) {
        let store = self.db.store();
        let found = store
            .workflow(&self.tenant, &self.workflow)
            .await
            .unwrap()
            .unwrap();
        let definition: Value = serde_json::from_str(&found.definition).unwrap();
        let mut change = WorkflowChange {
            name: found.name,
            description: found.description,
            version: found.version,
            tags: found.tags,
            is_active: found.is_active,
            template_id: None,
            facts: facts(&definition),
            definition: found.definition,
        };
        edit(&mut change);
        let changed = store
            .change_workflow(
                &self.tenant,
                &Actor::OPERATOR,
                &self.workflow,
                found.edition,
                change,
            )
            .await
            .unwrap();
        assert!(matches!(changed, WorkflowChanged::Yes(_)), "{changed:?}");
    }

    /// Asks for an execution with this input.
    pub async fn ask(&self, input: &Value) -> Admitted {
        self.ask_with(input, |_| {}).await
    }

    /// Asks for an execution under this key.
    pub async fn ask_under(&self, key: &str, repeat: Repeat, input: &Value) -> Admitted {
        self.ask_with(input, |request| {
            request.idempotency_key = Some(key.to_owned());
            request.repeat = repeat;
        })
        .await
    }

    pub async fn ask_with(&self, input: &Value, edit: impl FnOnce(&mut Request<'_>)) -> Admitted {
        let content = content(input);
        let mut request = self.request(&content);
        edit(&mut request);
        let request = self.admission.prepare(&self.tenant, request);
        self.admission.admit(&self.tenant, request).await.unwrap()
    }

    pub fn request<'a>(&'a self, content: &'a Content<'a>) -> Request<'a> {
        Request {
            workflow_id: &self.workflow,
            content,
            idempotency_key: None,
            repeat: Repeat::SameContent,
            monthly_limit: None,
        }
    }

    /// How many executions there are.
    pub async fn used(&self) -> u64 {
        let used = self.db.store().usage(&self.tenant).await.unwrap();
        u64::try_from(used.executions).unwrap()
    }
}

pub fn content(input: &Value) -> Content<'static> {
    Content {
        input: Object::parse(input.to_string()).unwrap(),
        ..Content::default()
    }
}

pub fn new(admitted: Admitted) -> Accepted {
    match admitted {
        Admitted::New(accepted) => accepted,
        other => panic!("{other:?}"),
    }
}

pub fn known(id: &ExecutionId) -> Admitted {
    Admitted::Known(id.clone())
}

/// Where the problems are for which an input is refused.
pub fn problems(admitted: &Admitted) -> Vec<&str> {
    match admitted {
        Admitted::Refused(Refusal::Invalid(problems)) => {
            problems.iter().map(|problem| problem.path.as_str()).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// What saving a definition notes of it.
fn facts(definition: &Value) -> DefinitionFacts {
    DefinitionFacts {
        checks_input: definition["nodes"][0]["data"].get("inputSchema").is_some(),
        ..DefinitionFacts::from(&Settings::default())
    }
}

async fn organization(db: &TestDatabase, name: &str) -> (OrganizationId, UserId) {
    let organization = NewOrganization {
        name: name.to_owned(),
        tier: "ENTERPRISE".to_owned(),
    };
    let user = NewUser {
        name: name.to_owned(),
        email: format!("{name}@example.com"),
        global_role: "USER".to_owned(),
    };
    let key = NewApiKey {
        id: ApiKeyId::new(),
        name: "first".to_owned(),
        prefix: "gm_0".to_owned(),
        hash: name.to_owned(),
        scopes: Scopes::ALL,
        expires_at: None,
    };
    let owner = db
        .store()
        .bootstrap(System, organization, user, key)
        .await
        .unwrap();
    (owner.organization_id, owner.user_id)
}
