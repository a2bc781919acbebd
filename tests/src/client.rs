//! A producer: whoever calls the API.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

/// Calls an API process on behalf of an organization. Clones share their connections, and the process.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    address: Arc<Mutex<String>>,
    key: String,
}

/// A request to run a workflow.
#[derive(Debug, Clone)]
pub struct Submit<'a> {
    /// Which.
    pub workflow: &'a str,
    /// The idempotency key.
    pub key: Option<&'a str>,
    /// The input object.
    pub input: Value,
    /// For how many seconds the answer may wait for the end of the execution: `Prefer: wait`.
    pub wait: Option<u64>,
    /// How long to wait for the answer before hanging up.
    pub patience: Duration,
}

/// What the API answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; null when it is no JSON.
    pub body: Value,
    /// The header `Retry-After`.
    pub retry_after: Option<String>,
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
            address: Arc::new(Mutex::new(address.to_owned())),
            key: key.to_owned(),
        }
    }

    /// The same process on behalf of whoever has this key.
    pub fn with_key(&self, key: &str) -> Self {
        Self::new(&self.address(), key)
    }

    /// From now on this client and its clones call the other one's process, as behind a load balancer.
    pub fn moves_to(&self, other: &Self) {
        *self.lock_address() = other.address();
    }

    /// The host and port that it calls.
    pub fn address(&self) -> String {
        self.lock_address().clone()
    }

    /// The API key that it calls with.
    pub fn key(&self) -> &str {
        &self.key
    }

    fn lock_address(&self) -> MutexGuard<'_, String> {
        self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a workflow and answers with its id.
    ///
    /// # Panics
    /// When it is refused.
    pub async fn create_workflow(&self, definition: &Value) -> String {
        let request = self
            .request(Method::POST, &format!("{BASE}/workflows"))
            .json(definition);
        let answer = answer(request).await.expect("the API cannot be reached");
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
        self.submit(Submit {
            workflow,
            key,
            input,
            wait: None,
            patience: ANSWER_WITHIN,
        })
        .await
    }

    /// Submits an execution in every way there is.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn submit(&self, submit: Submit<'_>) -> Result<Answer, reqwest::Error> {
        let path = format!("{BASE}/workflows/{}/execute", submit.workflow);
        let mut request = self
            .request(Method::POST, &path)
            .json(&json!({"input": submit.input}))
            .timeout(submit.patience);
        if let Some(key) = submit.key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(seconds) = submit.wait {
            request = request.header("Prefer", format!("wait={seconds}"));
        }
        answer(request).await
    }

    /// Submits an execution with more than an input, and answers with its id.
    ///
    /// # Panics
    /// When it is not accepted.
    pub async fn execute_with(&self, workflow: &str, body: &Value) -> String {
        let path = format!("{BASE}/workflows/{workflow}/execute");
        let request = self.request(Method::POST, &path).json(body);
        let answer = answer(request).await.expect("the API cannot be reached");
        assert_eq!(answer.status, 202, "{answer:?}");
        answer.execution_id()
    }

    /// Has something done to an execution: `cancel`, `retry`, `replay`, `signals/<name>`.
    ///
    /// # Panics
    /// When the API cannot be reached.
    pub async fn order(&self, id: &str, order: &str) -> Answer {
        let path = format!("{BASE}/executions/{id}/{order}");
        let answer = answer(self.request(Method::POST, &path)).await;
        answer.expect("the API cannot be reached")
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// When the API cannot be reached.
    pub async fn signal(&self, id: &str, name: &str, payload: &Value) -> Answer {
        let path = format!("{BASE}/executions/{id}/signals/{name}");
        let answer = answer(self.request(Method::POST, &path).json(payload)).await;
        answer.expect("the API cannot be reached")
    }

    /// Deletes an execution.
    ///
    /// # Panics
    /// When the API cannot be reached.
    pub async fn delete(&self, id: &str) -> Answer {
        let path = format!("{BASE}/executions/{id}");
        let answer = answer(self.request(Method::DELETE, &path)).await;
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
        let answer = answer(self.request(Method::GET, "/readyz")).await;
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// What a GET on a path of the API's own, such as `/executions/ID`, is answered with.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn look_at(&self, path: &str) -> Answer {
        let answer = answer(self.request(Method::GET, &format!("{BASE}{path}"))).await;
        answer.expect("the API cannot be reached")
    }

    /// The value of a line of `/metrics` that begins so, labels included; 0 when there is none yet.
    ///
    /// # Panics
    /// When there is no answer.
    pub async fn metric(&self, name: &str) -> f64 {
        let url = format!("http://{}/metrics", self.address());
        let response = self
            .http
            .get(url)
            .send()
            .await
            .expect("the API cannot be reached");
        let text = response.text().await.expect("the metrics are no text");
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map_or(0.0, |value| {
            value.trim().parse().expect("the metric is no number")
        })
    }

    async fn get(&self, path: &str) -> Value {
        let answer = answer(self.request(Method::GET, path))
            .await
            .expect("the API cannot be reached");
        assert_eq!(answer.status, 200, "GET {path}: {answer:?}");
        answer.body
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address());
        self.http.request(method, url).bearer_auth(&self.key)
    }
}

async fn answer(request: RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.and_then(|value| Some(value.to_str().ok()?.to_owned()));
    let text = response.text().await?;
    Ok(Answer {
        status,
        body: serde_json::from_str(&text).unwrap_or_default(),
        retry_after,
    })
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
