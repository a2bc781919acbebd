//! What only SQLite's side has: a file that one process owns.

use gristmill_store::{Error, Options, Store};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_in_use_is_refused_by_name() {
    let db = TestDatabase::sqlite().await;
    let Err(Error::Options(message)) = Store::open(Options::new(db.url())) else {
        panic!("opened twice")
    };
    assert!(
        message.ends_with("is in use by another gristmill process"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_opened_again_finds_everything() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!(
        "sqlite:{}",
        directory.path().join("odd #?% name").join("mill.db").display()
    );
    for _ in 0..2 {
        let store = Store::open(Options::new(&url)).unwrap();
        store.migrate().await.unwrap();
        store.check_schema().await.unwrap();
        store.ping().await.unwrap();
    }
    assert!(directory.path().join("odd #?% name").join("mill.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let opened = Store::open(Options::new(format!("sqlite:{}", file.join("mill.db").display())));
    let Err(Error::Options(message)) = opened else {
        panic!("opened below a file")
    };
    assert!(message.contains(&file.display().to_string()), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_its_caller_gave_up_leaves_no_transaction_open() {
    let db = TestDatabase::sqlite().await;
    let world = World::new(&db).await;
    let members: Vec<_> = (0..200).map(|_| world.request()).collect();
    for _ in 0..20 {
        let given_up = world
            .protocol()
            .submit(&world.tenant, &members, crate::world::LATER);
        // Polled once, so that it is under way, and dropped.
        assert!(futures_util::FutureExt::now_or_never(given_up).is_none_or(|answer| answer.is_err()));
        let id = world.pending().await;
        assert_eq!(raw::column(&db, &id, "status").await.as_deref(), Some("PENDING"));
    }
}
