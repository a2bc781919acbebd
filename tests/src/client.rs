//! A producer: whoever calls the API.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

/// Calls one API process on behalf of the test's organization. Clones share their connections.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    address: String,
    key: String,
}

/// What the API answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null when it is no JSON.
    pub body: Value,
}

/// How long a call may take. Longer than the API's own limit, so that its answer is seen.
const ANSWER_WITHIN: Duration = Duration::from_secs(40);

const BASE: &str = "/api/v1/ai-hub";

impl Client {
    pub(crate) fn new(address: &str, key: &str) -> Self {
        // The first test of a process to come here installs it for all.
        rustls::crypto::ring::default_provider().install_default().ok();
        let http = reqwest::Client::builder().timeout(ANSWER_WITHIN).build();
        Self {
            http: http.expect("no HTTP client"),
            address: address.to_owned(),
            key: key.to_owned(),
        }
    }

    /// Stores a workflow and answers with its id.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn create_workflow(&self, definition: &Value) -> String {
        let answer = self
            .call(Method::POST, &format!("{BASE}/workflows"), None, Some(definition))
            .await;
        let answer = answer.expect("the API cannot be reached");
        assert_eq!(answer.status, 201, "{answer:?}");
        text(&answer.body["workflow"]["id"])
    }

    /// Submits an execution and answers with its id.
    ///
    /// # Panics
    /// When it is not accepted.
    pub async fn execute(&self, workflow: &str, input: Value) -> String {
        let answer = self
            .try_execute(workflow, None, input)
            .await
            .expect("the API cannot be reached");
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.execution_id()
    }

    /// Submits an execution, under an idempotency key if there is one.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn try_execute(
        &self,
        workflow: &str,
        key: Option<&str>,
        input: Value,
    ) -> Result<Answer, reqwest::Error> {
        let path = format!("{BASE}/workflows/{workflow}/execute");
        self.call(Method::POST, &path, key, Some(&json!({"input": input})))
            .await
    }

    /// Submits an execution with more than an input, and answers with its id.
    ///
    /// # Panics
    /// When it is not accepted.
    pub async fn execute_with(&self, workflow: &str, body: &Value) -> String {
        let path = format!("{BASE}/workflows/{workflow}/execute");
        let answer = self.call(Method::POST, &path, None, Some(body)).await;
        let answer = answer.expect("the API cannot be reached");
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.execution_id()
    }

    /// Has something done to an execution: `cancel`, `retry`, `replay`, `signals/<name>`.
    ///
    /// # Panics
    /// When the API cannot be reached.
    pub async fn order(&self, id: &str, order: &str) -> Answer {
        let path = format!("{BASE}/executions/{id}/{order}");
        let answer = self.call(Method::POST, &path, None, None).await;
        answer.expect("the API cannot be reached")
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the API cannot be reached.
    pub async fn signal(&self, id: &str, name: &str, payload: &Value) -> Answer {
        let path = format!("{BASE}/executions/{id}/signals/{name}");
        let answer = self.call(Method::POST, &path, None, Some(payload)).await;
        answer.expect("the API cannot be reached")
    }

    /// Deletes an execution.
    ///
    /// # Panics
    /// When the API cannot be reached.
    pub async fn delete(&self, id: &str) -> Answer {
        let path = format!("{BASE}/executions/{id}");
        let answer = self.call(Method::DELETE, &path, None, None).await;
        answer.expect("the API cannot be reached")
    }

    /// An execution as the API shows it.
    ///
    /// # Panics
    /// When there is none of that id.
    pub async fn execution(&self, id: &str) -> Value {
        self.get(&format!("{BASE}/executions/{id}")).await["execution"].take()
    }

    /// An execution's journal as the API shows it: all of it, page by page.
    ///
    /// # Panics
    /// When there is none.
    pub async fn journal(&self, id: &str) -> Vec<Value> {
        let mut entries = Vec::new();
        let mut path = format!("{BASE}/executions/{id}/journal?limit=3");
        loop {
            let mut page = self.get(&path).await;
            if let Value::Array(found) = page["entries"].take() {
                entries.extend(found);
            }
            let Some(next) = page["next"].as_i64() else {
                return entries;
            };
            path = format!("{BASE}/executions/{id}/journal?limit=3&after={next}");
        }
    }

    /// Whether `/readyz` says so.
    pub async fn is_ready(&self) -> bool {
        let answer = self.call(Method::GET, "/readyz", None, None).await;
        answer.is_ok_and(|answer| answer.status == 200)
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self
            .call(Method::GET, path, None, None)
            .await
            .expect("the API cannot be reached");
        assert_eq!(answer.status, 200, "GET {path}: {answer:?}");
        answer.body
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        idempotency_key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, reqwest::Error> {
        let url = format!("http://{}{path}", self.address);
        let mut request = self.http.request(method, url).bearer_auth(&self.key);
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let text = response.text().await?;
        Ok(Answer {
            status,
            body: serde_json::from_str(&text).unwrap_or_default(),
        })
    }
}

impl Answer {
    /// The id of the execution that the answer is about.
    ///
    /// # Panics
    /// When it is about none.
    pub fn execution_id(&self) -> String {
        text(&self.body["execution"]["id"])
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("expected text, found {value}"))
        .to_owned()
}
