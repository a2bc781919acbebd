use futures_util::future::join_all;
use gristmill_core::{ExecutionId, ExecutionStatus};
use gristmill_store::{Append, ClaimAnswer, Submit, System};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::{LEASE, World, claim, said};

pub(crate) async fn a_job_claims_its_execution_once(db: &TestDatabase) {
    let world = World::new(db).await;
    let request = Submit {
        input: r#"{"n":1}"#.into(),
        ..world.request()
    };
    world.submit(std::slice::from_ref(&request)).await;
    let claimed = world.claim(&[(request.id.clone(), 0)]).await.remove(0);
    assert_eq!(claimed.id, request.id);
    assert_eq!(
        (&claimed.organization_id, &claimed.workflow_id),
        (&world.tenant.0, &world.workflow)
    );
    assert_eq!(
        (claimed.revision, claimed.attempt, claimed.input.as_str()),
        (1, 1, r#"{"n":1}"#)
    );
    assert_eq!((claimed.journal_len, claimed.inbox), (0, 0));
    assert!(claimed.created_at <= claimed.started_at && claimed.started_at <= claimed.now);
    assert_eq!(world.stands(&request.id).await, (ExecutionStatus::Running, 1));
    assert!(raw::about(world.wakes_in(&request.id).await, 15.0));

    // The doubled job, and a guess at the next attempt: the execution is taken.
    assert_eq!(world.claim(&[(request.id.clone(), 0)]).await.len(), 0);
    assert_eq!(world.claim(&[(request.id.clone(), 1)]).await.len(), 0);
    assert_eq!(world.stands(&request.id).await, (ExecutionStatus::Running, 1));
}

pub(crate) async fn a_job_of_an_older_attempt_claims_nothing(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    world.reap(&id).await;
    assert_eq!(world.claim(&[(id.clone(), 0)]).await.len(), 0);
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Pending, 1));
    assert_eq!(world.claim(&[(id.clone(), 1)]).await[0].attempt, 2);
}

pub(crate) async fn of_eight_claims_at_once_one_wins(db: &TestDatabase) {
    let world = World::new(db).await;
    for _ in 0..5 {
        let job = [(world.pending().await, 0)];
        let claims: Vec<_> = (0..8).map(|_| claim(LEASE)).collect();
        let answers = join_all(claims.iter().map(|claim| world.claim_by(claim, &job))).await;
        let winners: Vec<_> = answers
            .into_iter()
            .zip(&claims)
            .filter(|(answer, _)| said(answer) == ["claimed"])
            .map(|(_, claim)| claim.token)
            .collect();
        assert_eq!(winners.len(), 1);
        for claim in claims.iter().filter(|claim| claim.token != winners[0]) {
            assert_eq!(said(&world.claim_by(claim, &job).await), ["stale"]);
        }
        let watched = world.watch(&job[0].0).await;
        assert_eq!((watched.claim_token, watched.attempt), (Some(winners[0]), 1));
    }
}

pub(crate) async fn a_job_twice_in_one_group_claims_once(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.pending().await;
    let jobs = [(id.clone(), 0), (id.clone(), 0), (id.clone(), 1)];
    let mut answers = world.claim_by(&claim(LEASE), &jobs).await;
    answers.sort_by_key(|answer| said(std::slice::from_ref(answer))[0]);
    assert_eq!(said(&answers), ["claimed", "stale", "stale"]);
    assert_eq!(answers.remove(0).claimed().unwrap().attempt, 1);
    assert_eq!(world.stands(&id).await, (ExecutionStatus::Running, 1));
}

pub(crate) async fn a_claim_answers_each_job_for_itself(db: &TestDatabase) {
    let world = World::new(db).await;
    let jobs = [
        (world.pending().await, 0),
        (world.running().await, 0),
        (world.completed().await, 1),
        (world.waiting().await, 1),
        (ExecutionId::new(), 0),
        (world.pending().await, 1),
        (world.pending().await, 0),
    ];
    let mine = claim(LEASE);
    let expected = ["claimed", "stale", "stale", "stale", "stale", "stale", "claimed"];
    // The answer is lost, and nothing is to be told otherwise the second time.
    for _ in 0..2 {
        let answers = world.claim_by(&mine, &jobs).await;
        assert_eq!(said(&answers), expected);
        for ((id, attempt), answer) in jobs.iter().zip(answers) {
            if let Some(claimed) = answer.claimed() {
                assert_eq!((&claimed.id, claimed.attempt), (id, attempt + 1));
            }
        }
    }
    assert_eq!(said(&world.claim_by(&claim(LEASE), &jobs).await), ["stale"; 7]);
}

pub(crate) async fn a_second_claim_keeps_the_first_start(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.pending().await;
    let first = world.claim(&[(id.clone(), 0)]).await.remove(0);
    let release = Append {
        id: id.clone(),
        attempt: 1,
        journal_len: 0,
        chunk: None,
    };
    world.protocol().release(System, &[release]).await.unwrap();
    let second = world.claim(&[(id, 1)]).await.remove(0);
    assert_eq!(second.started_at, first.started_at);
    assert!(second.now >= first.now);
}

pub(crate) async fn a_claim_repeated_under_its_token_claims_the_same_again(db: &TestDatabase) {
    let world = World::new(db).await;
    let jobs = [(world.pending().await, 0), (world.pending().await, 0)];
    let mine = claim(LEASE);
    // The first answer is lost on the way, and one job was still locked then.
    drop(world.claim_by(&mine, &jobs[..1]).await);
    let again = world.claim_by(&mine, &jobs).await.into_iter();
    let again: Vec<_> = again
        .filter_map(ClaimAnswer::claimed)
        .map(|claimed| (claimed.id, claimed.attempt))
        .collect();
    assert_eq!(again, [(jobs[0].0.clone(), 1), (jobs[1].0.clone(), 1)]);
    // Under another token nothing is there to claim.
    assert_eq!(world.claim(&jobs).await.len(), 0);
}
