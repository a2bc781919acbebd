//! Unreachable: commands that call an API which is not there, or says nothing.

use std::process::Stdio;

use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::time::timeout;

use crate::gristmill::{PATIENCE, gristmill, output, text};

const COMMANDS: [&[&str]; 3] = [
    &["workflow", "list"],
    &["execution", "list"],
    &["template", "list"],
];

fn against(url: &str, command: &[&str]) -> Command {
    let mut gristmill = gristmill();
    gristmill.args(command).args(["--url", url, "--api-key", "gm_x"]);
    gristmill
}

#[tokio::test]
async fn where_no_api_is_the_command_says_so_and_ends() {
    // Nobody listens on it any more.
    let address = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let url = format!("http://{address}");
    for command in COMMANDS {
        let ended = output(&mut against(&url, command)).await;
        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        let message = text(&ended.stderr);
        for part in ["trying again for up to", "gristmill dev", "--url"] {
            assert!(message.contains(part), "{part}: {message}");
        }
    }
}

#[tokio::test]
async fn a_signal_ends_a_command_whose_api_is_silent() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    for (command, signal) in COMMANDS.into_iter().zip(["INT", "TERM", "INT"]) {
        let mut child = against(&url, command).stderr(Stdio::null()).spawn().unwrap();
        // Held open, and never answered.
        let (_connection, _) = timeout(PATIENCE, silent.accept()).await.unwrap().unwrap();
        let pid = child.id().unwrap().to_string();
        let kill = Command::new("kill").args([&format!("-{signal}"), &pid]).status();
        assert!(kill.await.unwrap().success());
        let ended = timeout(PATIENCE, child.wait()).await.expect("the signal ends it");
        assert_eq!(ended.unwrap().code(), Some(130));
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_one_is_the_callers_mistake() {
    let mut command = gristmill();
    command.args([
        "workflow",
        "list",
        "--url",
        "http://127.0.0.1:1",
        "--api-key",
        "gm_x\ny",
    ]);
    let refused = output(&mut command).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("API key"), "{refused:?}");
}
