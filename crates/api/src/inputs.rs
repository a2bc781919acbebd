//! Whether inputs meet the schemas of the workflows that they are for.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gristmill_core::{Definition, Problem, WorkflowId};
use gristmill_engine::{Plan, Registry, compile};
use gristmill_store::{Store, Tenant};
use serde_json::{Map, Value};

use crate::http::error::Error;
use crate::http::shortened::shortened;

/// How many workflows' plans are kept; when there is one more, all are forgotten.
const CAPACITY: usize = 1_000;

/// The plans of workflows that have an input schema, each of the newest revision that this process has heard of. A
/// workflow without one never gets here: the store says of each submit whether it needs a check.
pub(crate) struct Inputs {
    store: Store,
    registry: Arc<Registry>,
    plans: Mutex<HashMap<WorkflowId, (i32, Arc<Plan>)>>,
}

impl Inputs {
    /// Nothing is known yet; definitions come from `store`.
    pub(crate) fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self {
            store,
            registry,
            plans: Mutex::default(),
        }
    }

    /// What is wrong with an input by the revision that was checked against last, and which that is; `None` for a
    /// workflow that is not known to have a schema.
    pub(crate) fn known_problems(
        &self,
        workflow_id: &WorkflowId,
        input: &Map<String, Value>,
    ) -> Option<(i32, Vec<Problem>)> {
        let (revision, plan) = self.lock().get(workflow_id).cloned()?;
        Some((revision, check(&plan, input)))
    }

    /// What is wrong with an input by a revision of a workflow of the tenant's.
    ///
    /// # Errors
    /// The database's failure; 404 when there is no such revision.
    pub(crate) async fn problems(
        &self,
        tenant: &Tenant,
        workflow_id: &WorkflowId,
        revision: i32,
        input: &Map<String, Value>,
    ) -> Result<Vec<Problem>, Error> {
        let known = self.lock().get(workflow_id).cloned();
        let plan = match known {
            Some((known, plan)) if known == revision => plan,
            _ => self.load(tenant, workflow_id, revision).await?,
        };
        Ok(check(&plan, input))
    }

    async fn load(
        &self,
        tenant: &Tenant,
        workflow_id: &WorkflowId,
        revision: i32,
    ) -> Result<Arc<Plan>, Error> {
        let text = self
            .store
            .definition(tenant, workflow_id, revision)
            .await?
            .ok_or(Error::NotFound("workflow"))?;
        let document = serde_json::from_str(&text).map_err(Error::internal)?;
        let mut problems = Vec::new();
        let definition = Definition::from_json(&document, &mut problems);
        if !problems.is_empty() {
            return Err(Error::Invalid(problems));
        }
        let plan = Arc::new(compile(&definition, &self.registry).map_err(Error::Invalid)?);
        let mut plans = self.lock();
        if plans.len() >= CAPACITY {
            plans.clear();
        }
        // Of two requests that load at once, the newer revision stays.
        let slot = plans
            .entry(workflow_id.clone())
            .or_insert_with(|| (revision, plan.clone()));
        if slot.0 < revision {
            *slot = (revision, plan.clone());
        }
        Ok(plan)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<WorkflowId, (i32, Arc<Plan>)>> {
        // Nothing that holds this lock can panic half way through a change.
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wrong with an input. The schema's words repeat what they are about, which may be all of it.
fn check(plan: &Plan, input: &Map<String, Value>) -> Vec<Problem> {
    let mut problems = plan.check_input(input);
    for problem in &mut problems {
        for text in [&mut problem.path, &mut problem.message] {
            if let Cow::Owned(short) = shortened(text) {
                *text = short;
            }
        }
    }
    problems
}
