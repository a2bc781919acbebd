use gristmill_store::{Append, Held, NewChunk, Suspended, System, Wake};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{LATER, World, append, chunk, suspension};

/// An execution that kills its worker each time must reach the limit, however it is claimed, drained and put to sleep
/// in between; one that gets on must not.
pub(crate) async fn losses_are_zeroed_by_progress_and_by_nothing_else(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    world.reap(&id).await;
    assert_eq!(world.losses(&id).await, 1);
    world.claim(&[(id.clone(), 1)]).await;
    assert_eq!(world.losses(&id).await, 1, "after a claim");
    world.reap(&id).await;
    world.claim(&[(id.clone(), 2)]).await;
    assert_eq!(world.losses(&id).await, 2);

    let drained = Append {
        id: id.clone(),
        attempt: 3,
        journal_len: 0,
        chunk: None,
    };
    world.protocol().release(System, &[drained]).await.unwrap();
    assert_eq!(world.losses(&id).await, 2, "after a release");
    world.claim(&[(id.clone(), 3)]).await;
    world
        .protocol()
        .release(System, &[append(&id, 4, "[1]")])
        .await
        .unwrap();
    assert_eq!(world.losses(&id).await, 2, "after a release with a chunk");

    world.claim(&[(id.clone(), 4)]).await;
    let asleep = world
        .protocol()
        .suspend(System, &[suspension(&id, 5)])
        .await
        .unwrap();
    assert_eq!(asleep, [Suspended::Yes]);
    raw::make_due(db, &id, 1).await;
    world
        .relay_one(&id, Wake::Start { again_in: LATER })
        .await
        .unwrap();
    assert_eq!(world.losses(&id).await, 2, "after a wait");

    world.claim(&[(id.clone(), 5)]).await;
    world
        .protocol()
        .append(System, &[append(&id, 1, "[2]")])
        .await
        .unwrap();
    assert_eq!(world.losses(&id).await, 2, "after a stale holder's append");
    let begun = NewChunk {
        progress: false,
        ..chunk("[2]").unwrap()
    };
    let begun = Append {
        journal_len: 1,
        chunk: Some(begun),
        ..append(&id, 6, "")
    };
    let answer = world.protocol().append(System, &[begun]).await.unwrap();
    assert_eq!(answer, [Held::Yes]);
    assert_eq!(world.losses(&id).await, 2, "after the beginning of an effect");
    let got_on = Append {
        journal_len: 2,
        ..append(&id, 6, "[3]")
    };
    let answer = world.protocol().append(System, &[got_on]).await.unwrap();
    assert_eq!(answer, [Held::Yes]);
    assert_eq!(world.losses(&id).await, 0, "after progress");
}
