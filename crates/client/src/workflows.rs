//! Workflows: what can be done with workflows.

use gristmill_core::WorkflowId;
use reqwest::Method;
use serde::Serialize;

use crate::call::Call;
use crate::client::Client;
use crate::error::Error;
use crate::workflow::{Answer, Workflow, WorkflowPage};

/// How many workflows one page of a list is asked to hold: the most that the API gives.
const PAGE: usize = 100;

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

    /// The same, with its tag for [`Client::update_workflow`].
    ///
    /// # Errors
    /// There is none of this id, for one.
    pub async fn workflow_tagged(&self, id: &WorkflowId) -> Result<(Workflow, String), Error> {
        let call = Call::new(Method::GET, ["workflows", id.as_str()]);
        let (answer, tag) = self.call_tagged::<Answer>(&call).await?;
        // Any edition, should something in between have taken the tag away.
        Ok((answer.workflow, tag.unwrap_or_else(|| "*".to_owned())))
    }

    /// Changes what `patch` names, if the workflow still has this tag; a definition that is another one by then becomes a
    /// new revision.
    ///
    /// # Errors
    /// `stale`: it has changed since; `invalid`, with everything that is wrong with the whole, for another.
    pub async fn update_workflow(
        &self,
        id: &WorkflowId,
        tag: &str,
        patch: &impl Serialize,
    ) -> Result<Workflow, Error> {
        let call = Call::new(Method::PATCH, ["workflows", id.as_str()]).if_match(tag);
        self.workflow_of(call.body(patch)?).await
    }

    /// Deletes a workflow. Its executions stay readable; unfinished ones are cancelled.
    ///
    /// # Errors
    /// There is none of this id, for one.
    pub async fn delete_workflow(&self, id: &WorkflowId) -> Result<(), Error> {
        self.call(&Call::new(Method::DELETE, ["workflows", id.as_str()]))
            .await
    }

    /// The ids of all workflows of exactly this name.
    ///
    /// # Errors
    /// The key does not allow it, for one.
    pub async fn workflows_named(&self, name: &str) -> Result<Vec<WorkflowId>, Error> {
        let mut named = Vec::new();
        let mut seen = 0;
        loop {
            let call = Call::new(Method::GET, ["workflows"])
                .query("search", name)
                .query("sortBy", "created_at")
                .query("sortOrder", "asc")
                .query("limit", PAGE)
                .query("offset", seen);
            let page: WorkflowPage = self.call(&call).await?;
            seen += page.workflows.len();
            let last = page.workflows.len() < PAGE;
            let same = page.workflows.into_iter().filter(|found| found.name == name);
            named.extend(same.map(|found| found.id));
            if last {
                return Ok(named);
            }
        }
    }

    async fn workflow_of(&self, call: Call) -> Result<Workflow, Error> {
        Ok(self.call::<Answer>(&call).await?.workflow)
    }
}
