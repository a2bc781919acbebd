//! What can be done with workflows.

use gristmill_core::WorkflowId;
use reqwest::Method;
use serde::Serialize;

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::workflow::{Answer, Workflow};

impl Client {
    /// Stores a workflow: `name`, `nodes`, `edges` and what else there is.
    ///
    /// # Errors
    /// `invalid`, with everything that is wrong with it, for one.
    pub async fn create_workflow(&self, workflow: &impl Serialize) -> Result<Workflow, Error> {
        self.workflow_of(Call::new(Method::POST, ["workflows"]).body(workflow)?)
            .await
    }

    /// A workflow with its newest definition.
    ///
    /// # Errors
    /// There is none of this id, for one.
    pub async fn workflow(&self, id: &WorkflowId) -> Result<Workflow, Error> {
        self.workflow_of(Call::new(Method::GET, ["workflows", id.as_str()]))
            .await
    }

    async fn workflow_of(&self, call: Call) -> Result<Workflow, Error> {
        Ok(self.call::<Answer>(&call).await?.workflow)
    }
}
