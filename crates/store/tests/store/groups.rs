use futures_util::future::join_all;
use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{Append, Held, Settle, Suspend, Suspended, System, Wake};
use gristmill_testkit::TestDatabase;

use crate::world::{LEASE, World, append, chunk, completion, suspension};

pub(crate) async fn one_bad_member_never_hurts_its_neighbours(db: &TestDatabase) {
    let world = World::new(db).await;
    let (first, last) = (world.running().await, world.running().await);
    let (stale, unknown) = (world.taken_over().await, ExecutionId::new());
    let group = [&first, &stale, &unknown, &last];
    let held = [Held::Yes, Held::No, Held::No, Held::Yes];

    let appends = group.map(|id| append(id, 1, "[1]"));
    assert_eq!(world.protocol().append(System, &appends).await.unwrap(), held);
    let suspends = group.map(|id| Suspend {
        chunk: chunk("[2]"),
        ..suspension(id, 1)
    });
    let answers = world.protocol().suspend(System, &suspends).await.unwrap();
    assert_eq!(
        answers,
        [Suspended::Yes, Suspended::No, Suspended::No, Suspended::Yes]
    );

    wake(&world, &[&first, &last]).await;
    world.claim(&[(first.clone(), 1), (last.clone(), 1)]).await;
    let releases = group.map(|id| Append {
        attempt: if *id == stale { 1 } else { 2 },
        ..append(id, 2, "[3]")
    });
    assert_eq!(world.protocol().release(System, &releases).await.unwrap(), held);

    world.claim(&[(first.clone(), 2), (last.clone(), 2)]).await;
    let settles = group.map(|id| Settle {
        chunk: chunk("[4]"),
        ..completion(id, if *id == stale { 1 } else { 3 })
    });
    assert_eq!(world.protocol().settle(System, &settles).await.unwrap(), held);
    for id in [&first, &last] {
        assert_eq!(world.stands(id).await, (ExecutionStatus::Completed, 3));
        assert_eq!(world.bodies(id).await, ["[1]", "[2]", "[3]", "[4]"]);
    }
    assert_eq!(world.stands(&stale).await, (ExecutionStatus::Running, 2));
    assert!(world.bodies(&stale).await.is_empty());
}

async fn wake(world: &World<'_>, ids: &[&ExecutionId]) {
    for id in ids {
        crate::raw::make_due(world.db, id, 1).await;
        world
            .relay_one(id, Wake::Start { again_in: LEASE })
            .await
            .unwrap();
    }
}

pub(crate) async fn groups_in_opposite_orders_never_deadlock(db: &TestDatabase) {
    let world = World::new(db).await;
    let forwards: Vec<_> = world
        .pending_group(200)
        .await
        .into_iter()
        .map(|id| (id, 0))
        .collect();
    let backwards: Vec<_> = forwards.iter().rev().cloned().collect();
    let orders = [
        &forwards, &backwards, &forwards, &backwards, &forwards, &backwards,
    ];

    let claims = join_all(orders.map(|jobs| world.claim(jobs))).await;
    assert_eq!(claims.concat().len(), 200);

    let held =
        |jobs: &[(ExecutionId, i32)]| -> Vec<_> { jobs.iter().map(|(id, _)| (id.clone(), 1)).collect() };
    join_all(orders.map(|jobs| async {
        let (holdings, protocol) = (held(jobs), world.protocol());
        let appends: Vec<_> = holdings
            .iter()
            .map(|(id, attempt)| append(id, *attempt, "[1]"))
            .collect();
        for _ in 0..3 {
            protocol.append(System, &appends).await.unwrap();
            protocol.renew(System, &holdings, LEASE).await.unwrap();
            protocol.confirm(System, &holdings).await.unwrap();
        }
    }))
    .await;

    let settled = join_all(orders.map(|jobs| async {
        let members: Vec<_> = jobs.iter().map(|(id, _)| completion(id, 1)).collect();
        world.protocol().settle(System, &members).await.unwrap()
    }))
    .await;
    assert_eq!(
        settled
            .concat()
            .into_iter()
            .filter(|answer| *answer == Held::Yes)
            .count(),
        200
    );
}

pub(crate) async fn groups_of_five_thousand_go_all_the_way(db: &TestDatabase) {
    const COUNT: usize = 5_000;
    let world = World::new(db).await;
    let protocol = world.protocol();
    let jobs: Vec<_> = world
        .pending_group(COUNT)
        .await
        .into_iter()
        .map(|id| (id, 0))
        .collect();
    protocol.confirm(System, &jobs).await.unwrap();
    assert_eq!(world.claim(&jobs).await.len(), COUNT);
    let appends: Vec<_> = jobs.iter().map(|(id, _)| append(id, 1, "[1]")).collect();
    assert_eq!(
        protocol.append(System, &appends).await.unwrap(),
        vec![Held::Yes; COUNT]
    );
    let holdings: Vec<_> = jobs.iter().map(|(id, _)| (id.clone(), 1)).collect();
    assert_eq!(
        protocol.renew(System, &holdings, LEASE).await.unwrap().len(),
        COUNT
    );
    let ids: Vec<_> = jobs.into_iter().map(|(id, _)| id).collect();
    assert_eq!(protocol.watch(System, &ids).await.unwrap().len(), COUNT);
    let journals = protocol.journal(System, &ids).await.unwrap();
    assert!(journals.iter().map(|(id, _)| id).eq(&ids));
    assert!(journals.iter().all(|(_, chunks)| chunks.len() == 1));
    let settles: Vec<_> = ids.iter().map(|id| completion(id, 1)).collect();
    assert_eq!(
        protocol.settle(System, &settles).await.unwrap(),
        vec![Held::Yes; COUNT]
    );
}

pub(crate) async fn an_empty_group_is_no_error(db: &TestDatabase) {
    let world = World::new(db).await;
    let protocol = world.protocol();
    assert!(world.submit(&[]).await.is_empty());
    assert!(world.claim(&[]).await.is_empty());
    assert!(protocol.journal(System, &[]).await.unwrap().is_empty());
    assert!(protocol.append(System, &[]).await.unwrap().is_empty());
    assert!(protocol.settle(System, &[]).await.unwrap().is_empty());
    assert!(protocol.suspend(System, &[]).await.unwrap().is_empty());
    assert!(protocol.release(System, &[]).await.unwrap().is_empty());
    assert!(protocol.renew(System, &[], LEASE).await.unwrap().is_empty());
    assert!(protocol.watch(System, &[]).await.unwrap().is_empty());
    assert!(
        protocol
            .count_dead_letters(System, &[], 5, "{}")
            .await
            .unwrap()
            .is_empty()
    );
    protocol.confirm(System, &[]).await.unwrap();
    protocol.return_jobs(System, &[]).await.unwrap();
}
