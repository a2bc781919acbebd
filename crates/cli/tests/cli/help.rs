//! Help: what people read first.

use crate::gristmill::{gristmill, output, text};

#[tokio::test]
async fn help_says_what_to_do_first_and_what_exit_codes_mean() {
    let help = output(gristmill().arg("--help")).await;
    assert!(help.status.success());
    let help = text(&help.stdout);
    for part in [
        "gristmill demo",
        "gristmill dev",
        "DATABASE_URL",
        "Exit codes",
        "130",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
}

#[tokio::test]
async fn every_command_has_help_with_an_example() {
    for command in [
        "demo",
        "dev",
        "run",
        "api",
        "worker",
        "migrate",
        "config",
        "workflow",
        "execution",
        "template",
        "completions",
        "admin bootstrap",
        "admin organization",
        "admin user",
        "admin member",
        "admin key",
        "bench",
    ] {
        let help = output(gristmill().args(command.split(' ')).arg("--help")).await;
        assert!(help.status.success(), "{command}");
        let help = text(&help.stdout);
        assert!(help.contains("Example"), "{command}: {help}");
    }
}

#[tokio::test]
async fn the_version_is_the_packages() {
    let version = output(gristmill().arg("--version")).await;
    assert_eq!(
        text(&version.stdout).trim(),
        concat!("gristmill ", env!("CARGO_PKG_VERSION"))
    );
}
