//! Gristmill: the binary as a child process.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// How long anything may take before the test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A command with nothing of ours in its environment.
pub fn gristmill() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gristmill"));
    for (name, _) in std::env::vars() {
        if name.starts_with("GRISTMILL") || name == "DATABASE_URL" || name == "AMQP_URL" {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub async fn output(command: &mut Command) -> Output {
    tokio::time::timeout(PATIENCE, command.output())
        .await
        .expect("the command ends")
        .unwrap()
}

/// Runs a command to its end, with `input` on its standard input.
pub async fn output_of(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).await.unwrap();
    drop(stdin);
    tokio::time::timeout(PATIENCE, child.wait_with_output())
        .await
        .expect("the command ends")
        .unwrap()
}

pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A file of the checkout's `examples`.
pub fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name)
}

/// A running `gristmill dev`.
pub struct Dev {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub url: String,
    /// As printed.
    pub key: String,
}

impl Dev {
    /// Starts it on a free port and waits until it says that it runs.
    pub async fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &mut gristmill()).await
    }

    pub async fn start_with(data_dir: &Path, command: &mut Command) -> Self {
        let command = command.args(["dev", "--port", "0", "--data-dir"]).arg(data_dir);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut url, mut key) = (None, None);
        while url.is_none() || key.is_none() {
            let line = tokio::time::timeout(PATIENCE, lines.next_line())
                .await
                .expect("dev starts")
                .unwrap();
            let line = line.expect("dev says where it listens before it ends");
            let words: Vec<_> = line.split_whitespace().collect();
            match words[..] {
                ["URL", base] => url = base.strip_suffix("/api/v1/ai-hub").map(str::to_owned),
                ["API", "key", text] => key = Some(text.to_owned()),
                _ => {}
            }
        }
        // The rest is read to its end, so that the process never meets a closed pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            child,
            url: url.unwrap(),
            key: key.unwrap(),
        }
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.send(self.http().get(format!("{}{path}", self.url))).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(self.http().post(format!("{}{path}", self.url)).json(body))
            .await
    }

    /// Stores a workflow and answers with its id.
    pub async fn store(&self, definition: &Value) -> String {
        let (status, body) = self.post("/api/v1/ai-hub/workflows", definition).await;
        assert_eq!(status, 201, "{body}");
        body["workflow"]["id"].as_str().unwrap().to_owned()
    }

    /// Submits an execution and answers with its id.
    pub async fn execute(&self, workflow: &str, input: Value) -> String {
        let path = format!("/api/v1/ai-hub/workflows/{workflow}/execute");
        let (status, body) = self.post(&path, &serde_json::json!({"input": input})).await;
        assert_eq!(status, 202, "{body}");
        body["execution"]["id"].as_str().unwrap().to_owned()
    }

    /// Waits until an execution has ended.
    pub async fn ended(&self, id: &str) -> Value {
        let looks = async {
            loop {
                let (status, body) = self.get(&format!("/api/v1/ai-hub/executions/{id}")).await;
                assert_eq!(status, 200, "{body}");
                if !body["execution"]["completedAt"].is_null() {
                    return body["execution"].clone();
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, looks)
            .await
            .expect("the execution ends")
    }

    /// Sends a signal by its name, and waits for the end.
    pub async fn signal(mut self, name: &str) -> ExitStatus {
        let pid = self.child.id().unwrap().to_string();
        let kill = Command::new("kill")
            .args([&format!("-{name}"), &pid])
            .status()
            .await
            .unwrap();
        assert!(kill.success());
        tokio::time::timeout(PATIENCE, self.child.wait())
            .await
            .expect("the process ends")
            .unwrap()
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let response = request
            .bearer_auth(&self.key)
            .timeout(PATIENCE)
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    fn http(&self) -> reqwest::Client {
        // Err: another test of this process was first.
        drop(rustls::crypto::ring::default_provider().install_default());
        reqwest::Client::new()
    }
}
