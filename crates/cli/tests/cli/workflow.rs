//! `gristmill workflow`, and shell completions.

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::gristmill::{Dev, example, gristmill, output, text};

fn workflow(dev: &Dev, arguments: &[&str]) -> Command {
    let mut command = gristmill();
    command.arg("workflow").args(arguments);
    command.args(["--url", &dev.url, "--api-key", &dev.key]);
    command
}

#[tokio::test]
async fn a_workflow_is_applied_from_a_file_and_shown() {
    let directory = TempDir::new().unwrap();
    let dev = Dev::start(directory.path()).await;
    let workflow = |arguments: &[&str]| workflow(&dev, arguments);
    let file = example("airports.json");
    let applied = output(&mut workflow(&["apply", file.to_str().unwrap(), "--json"])).await;
    assert!(applied.status.success(), "{}", text(&applied.stderr));
    let applied: Value = serde_json::from_slice(&applied.stdout).unwrap();
    let id = applied["workflow"]["id"].as_str().unwrap();

    let shown = output(&mut workflow(&["show", id])).await;
    let page = text(&shown.stdout);
    for part in [id, "revision  1, version", "trigger", "→"] {
        assert!(page.contains(part), "{part}: {page}");
    }

    let again = output(&mut workflow(&["apply", file.to_str().unwrap()])).await;
    assert!(text(&again.stdout).starts_with(id), "{}", text(&again.stdout));

    let broken = directory.path().join("broken.json");
    std::fs::write(&broken, r#"{"name": "No", "nodes": []}"#).unwrap();
    let refused = output(&mut workflow(&["apply", broken.to_str().unwrap()])).await;
    assert_eq!(refused.status.code(), Some(2));
    let message = text(&refused.stderr);
    for part in ["422", "$.name: ", "$.nodes: "] {
        assert!(message.contains(part), "{part}: {message}");
    }
    std::fs::write(&broken, "[]").unwrap();
    let missing = directory.path().join("missing.json");
    for file in [&broken, &missing] {
        let refused = output(&mut workflow(&["apply", file.to_str().unwrap()])).await;
        assert_eq!(refused.status.code(), Some(2));
    }
}

#[tokio::test]
async fn a_workflow_is_changed_by_its_name_listed_paused_and_deleted() {
    let directory = TempDir::new().unwrap();
    let dev = Dev::start(directory.path()).await;
    let workflow = |arguments: &[&str]| workflow(&dev, arguments);
    let file = directory.path().join("flow.json");
    let path = file.to_str().unwrap();
    let apply = async |more: Value, arguments: &[&str]| {
        let mut document = json!({"name": "Hello %", "nodes": [{"id": "start", "type": "trigger"}]});
        document
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        std::fs::write(&file, document.to_string()).unwrap();
        let done = output(workflow(&["apply", path, "--json"]).args(arguments)).await;
        serde_json::from_slice::<Value>(&done.stdout).map_err(|_| text(&done.stderr).to_owned())
    };
    let made = apply(json!({"variables": {"a": 1}, "tags": ["t"]}), &[])
        .await
        .unwrap();
    let id = made["workflow"]["id"].as_str().unwrap();
    let changed = apply(json!({}), &[]).await.unwrap();
    let changed = &changed["workflow"];
    assert_eq!(
        (
            &changed["id"],
            &changed["revision"],
            &changed["variables"],
            &changed["tags"]
        ),
        (&json!(id), &json!(2), &json!({}), &json!(["t"]))
    );
    // A name that only contains this one is another workflow's.
    let other = apply(json!({"name": "Hello % again"}), &[]).await.unwrap();
    let other = other["workflow"]["id"].as_str().unwrap();
    assert_ne!(other, id);
    let renamed = apply(json!({}), &["--id", other]).await.unwrap();
    assert_eq!(renamed["workflow"]["name"], "Hello %");
    let refused = apply(json!({}), &[]).await.unwrap_err();
    assert!(refused.contains(id) && refused.contains(other), "{refused}");

    let paused = output(&mut workflow(&["pause", id])).await;
    assert!(paused.status.success(), "{}", text(&paused.stderr));
    let listed = output(&mut workflow(&["list", "--search", "HELLO %"])).await;
    let listed = text(&listed.stdout);
    let line = listed.lines().find(|line| line.starts_with(id)).unwrap();
    assert!(line.contains("paused"), "{listed}");
    let one = output(&mut workflow(&["list", "--limit", "1"])).await;
    let one = text(&one.stdout);
    assert!(one.ends_with("1 of 2\n"), "{one}");

    let deleted = output(&mut workflow(&["delete", id])).await;
    assert_eq!(text(&deleted.stdout), format!("{id} is deleted\n"));
    let gone = output(&mut workflow(&["show", id])).await;
    assert!(text(&gone.stderr).contains("404"), "{}", text(&gone.stderr));
}

#[tokio::test]
async fn a_workflow_is_made_from_a_template() {
    let directory = TempDir::new().unwrap();
    let dev = Dev::start(directory.path()).await;
    let template = |arguments: &[&str]| {
        let mut command = gristmill();
        command.arg("template").args(arguments);
        command.args(["--url", &dev.url, "--api-key", &dev.key]);
        command
    };
    let listed = output(&mut template(&["list", "--json"])).await;
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert!(listed["total"].as_u64().unwrap() >= 6, "{listed}");
    let id = listed["templates"][0]["id"].as_str().unwrap();
    let page = output(&mut template(&["list"])).await;
    assert!(text(&page.stdout).contains(id), "{}", text(&page.stdout));
    let shown = output(&mut template(&["show", id])).await;
    assert!(
        text(&shown.stdout).contains(r#""nodes""#),
        "{}",
        text(&shown.stdout)
    );

    let variables = ["--variables", r#"{"extra": 1}"#, "--json"];
    let mut made = template(&["instantiate", id, "--name", "From a template"]);
    let made = output(made.args(variables)).await;
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let made = &made["workflow"];
    assert_eq!(
        (&made["name"], &made["templateId"]),
        (&json!("From a template"), &json!(id))
    );
    assert_eq!(made["variables"]["extra"], 1, "{made}");
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
