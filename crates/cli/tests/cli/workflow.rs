//! `gristmill workflow`, and shell completions.

use tempfile::TempDir;

use crate::gristmill::{Dev, example, gristmill, output, text};

#[tokio::test]
async fn a_workflow_is_applied_from_a_file_and_shown() {
    let directory = TempDir::new().unwrap();
    let dev = Dev::start(directory.path()).await;
    let workflow = |arguments: &[&str]| {
        let mut command = gristmill();
        command.arg("workflow").args(arguments);
        command.args(["--url", &dev.url, "--api-key", &dev.key]);
        command
    };
    let file = example("airports.json");
    let applied = output(&mut workflow(&["apply", file.to_str().unwrap(), "--json"])).await;
    assert!(applied.status.success(), "{}", text(&applied.stderr));
    let applied: serde_json::Value = serde_json::from_slice(&applied.stdout).unwrap();
    let id = applied["workflow"]["id"].as_str().unwrap();

    let shown = output(&mut workflow(&["show", id])).await;
    let page = text(&shown.stdout);
    for part in [id, "revision  1, version", "trigger", "→"] {
        assert!(page.contains(part), "{part}: {page}");
    }

    let broken = directory.path().join("broken.json");
    std::fs::write(&broken, r#"{"name": "No", "nodes": []}"#).unwrap();
    let refused = output(&mut workflow(&["apply", broken.to_str().unwrap()])).await;
    assert_eq!(refused.status.code(), Some(1));
    let message = text(&refused.stderr);
    for part in ["422", "$.name: ", "$.nodes: "] {
        assert!(message.contains(part), "{part}: {message}");
    }
    std::fs::write(&broken, "[]").unwrap();
    let refused = output(&mut workflow(&["apply", broken.to_str().unwrap()])).await;
    assert_eq!(refused.status.code(), Some(2));
}

#[tokio::test]
async fn a_url_that_is_none_is_the_callers_mistake() {
    let mut command = gristmill();
    command.args([
        "workflow",
        "show",
        "wf_1",
        "--url",
        "mill.example",
        "--api-key",
        "gm_x",
    ]);
    let refused = output(&mut command).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("expected http://HOST:PORT"),
        "{}",
        text(&refused.stderr)
    );
}

#[tokio::test]
async fn every_shell_gets_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = output(gristmill().args(["completions", shell])).await;
        assert!(script.status.success(), "{shell}");
        let script = text(&script.stdout);
        assert!(
            script.contains("gristmill") && script.contains("execution"),
            "{shell}"
        );
    }
}
