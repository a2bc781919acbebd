use futures_util::future::join_all;
use gristmill_core::journal::FORMAT;
use gristmill_store::{Append, Chunk, Held, NewChunk, System};
use gristmill_testkit::TestDatabase;

use crate::world::{World, append};

pub(crate) async fn a_journal_is_read_back_in_order_and_byte_for_byte(db: &TestDatabase) {
    let world = World::new(db).await;
    let (id, empty) = (world.running().await, world.running().await);
    let bodies = [
        "[{\"b\":\"\\u0000\\ud83d\\ude00\", \"a\" : 1.0},1]",
        "[\"é é \u{202e} 😀 \u{10ffff} \\\\ ' $1 ?\"]",
        "[1e400,-0.0,12345678901234567890123]",
    ];
    let entries = [2, 1, 3];
    let mut journal_len = 0;
    for (body, entries) in bodies.into_iter().zip(entries) {
        let chunk = NewChunk {
            body: body.to_owned(),
            entries,
            progress: true,
        };
        let member = Append {
            id: id.clone(),
            attempt: 1,
            journal_len,
            chunk: Some(chunk),
        };
        journal_len += entries;
        assert_eq!(
            world.protocol().append(System, &[member]).await.unwrap(),
            [Held::Yes]
        );
    }
    let chunk = |seq, body: &str| Chunk {
        seq,
        format: FORMAT,
        body: body.to_owned(),
    };
    let chunks = vec![chunk(0, bodies[0]), chunk(2, bodies[1]), chunk(3, bodies[2])];
    let journals = world
        .protocol()
        .journal(System, &[empty.clone(), id.clone()])
        .await
        .unwrap();
    assert_eq!(journals, [(empty, vec![]), (id.clone(), chunks)]);
    assert_eq!(world.watch(&id).await.journal_len, 6);
}

pub(crate) async fn a_worker_that_lost_its_lease_appends_nothing(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.taken_over().await;
    let reaped = world.running().await;
    world.reap(&reaped).await;
    let members = [append(&id, 1, "[1]"), append(&reaped, 1, "[1]")];
    assert_eq!(
        world.protocol().append(System, &members).await.unwrap(),
        [Held::No, Held::No]
    );
    assert_eq!(world.watch(&id).await.journal_len, 0);
    assert!(world.bodies(&id).await.is_empty());
    let holder = [append(&id, 2, "[2]")];
    assert_eq!(
        world.protocol().append(System, &holder).await.unwrap(),
        [Held::Yes]
    );
    assert_eq!(world.bodies(&id).await, ["[2]"]);
}

pub(crate) async fn nothing_is_appended_to_what_has_ended(db: &TestDatabase) {
    let world = World::new(db).await;
    let (ended, waiting) = (world.completed().await, world.waiting().await);
    let members = [append(&ended, 1, "[1]"), append(&waiting, 1, "[1]")];
    assert_eq!(
        world.protocol().append(System, &members).await.unwrap(),
        [Held::No, Held::No]
    );
    assert!(world.bodies(&ended).await.is_empty());
}

pub(crate) async fn an_append_without_a_chunk_only_says_who_holds(db: &TestDatabase) {
    let world = World::new(db).await;
    let (held, lost) = (world.running().await, world.taken_over().await);
    let members = [
        Append {
            id: held.clone(),
            attempt: 1,
            journal_len: 0,
            chunk: None,
        },
        Append {
            id: lost,
            attempt: 1,
            journal_len: 0,
            chunk: None,
        },
    ];
    assert_eq!(
        world.protocol().append(System, &members).await.unwrap(),
        [Held::Yes, Held::No]
    );
    assert_eq!(world.watch(&held).await.journal_len, 0);
    assert!(world.bodies(&held).await.is_empty());
}

/// The connection is cut while the server works on an append, and the holder sends it again: on another connection at
/// the same moment, in one group with its twin, or later.
pub(crate) async fn an_append_sent_again_while_the_first_is_under_way_is_stored_once(db: &TestDatabase) {
    let world = World::new(db).await;
    let (id, neighbour) = (world.running().await, world.running().await);
    let protocol = world.protocol();
    let twins = [append(&id, 1, "[1]"), append(&id, 1, "[1]")];
    let answers = join_all(
        twins
            .iter()
            .map(|twin| protocol.append(System, std::slice::from_ref(twin))),
    )
    .await;
    let kept = answers
        .into_iter()
        .flat_map(Result::unwrap)
        .filter(|held| *held == Held::Yes);
    assert_eq!(kept.count(), 1);
    assert_eq!(protocol.append(System, &twins[..1]).await.unwrap(), [Held::No]);

    let next = |body| Append {
        journal_len: 1,
        ..append(&id, 1, body)
    };
    let group = [next("[2]"), append(&neighbour, 1, "[0]"), next("[2]")];
    assert_eq!(
        protocol.append(System, &group).await.unwrap(),
        [Held::Yes, Held::Yes, Held::No]
    );
    assert_eq!(world.bodies(&id).await, ["[1]", "[2]"]);
    assert_eq!(world.watch(&id).await.journal_len, 2);
    assert_eq!(world.bodies(&neighbour).await, ["[0]"]);
}
