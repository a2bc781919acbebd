//! Configuration: what it does, seen from the outside.

use std::io::Write;

use crate::gristmill::{gristmill, output, text};

#[tokio::test]
async fn config_shows_what_is_in_force_and_no_password() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "[worker]\nconcurrency = 7").unwrap();
    let shown = output(
        gristmill()
            .env("DATABASE_URL", "postgres://mill:grain@db/mill")
            .env("GRISTMILL__BROKER__URL", "amqps://mill:flour@queue/%2f")
            .env("GRISTMILL_PROFILE", "production")
            .arg("--config")
            .arg(file.path())
            .arg("config"),
    )
    .await;
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let shown = text(&shown.stdout);
    assert!(!shown.contains("grain") && !shown.contains("flour"), "{shown}");
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).unwrap();
    assert!(
        line("database.url").contains("postgres://mill:***@db/mill"),
        "{shown}"
    );
    assert!(line("database.url").ends_with("# DATABASE_URL"), "{shown}");
    assert!(
        line("broker.url").ends_with("# GRISTMILL__BROKER__URL"),
        "{shown}"
    );
    assert!(
        line("worker.concurrency").starts_with("worker.concurrency = 7 "),
        "{shown}"
    );
    assert!(
        line("log.format").ends_with("# config/production.toml"),
        "{shown}"
    );
}

#[tokio::test]
async fn an_unknown_key_stops_the_start_and_is_named() {
    let refused = output(
        gristmill()
            .env("GRISTMILL__WORKER__CONCURENCY", "7")
            .arg("worker"),
    )
    .await;
    assert_eq!(refused.status.code(), Some(2));
    let message = text(&refused.stderr);
    assert!(
        message.contains("unknown key `worker.concurency` (GRISTMILL__WORKER__CONCURENCY)"),
        "{message}"
    );
}

#[tokio::test]
async fn separate_processes_refuse_to_start_embedded_and_say_what_to_do() {
    for command in [
        "api",
        "worker",
        "migrate",
        "admin bootstrap --organization Acme",
        "admin user list",
    ] {
        let refused = output(gristmill().args(command.split(' '))).await;
        assert_eq!(refused.status.code(), Some(2), "{command}");
        let message = text(&refused.stderr);
        assert!(
            message.contains("DATABASE_URL") && message.contains("gristmill dev"),
            "{message}"
        );
    }
}
