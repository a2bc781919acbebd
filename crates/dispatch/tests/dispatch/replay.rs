use gristmill_core::ExecutionId;
use gristmill_dispatch::{Admitted, Refusal, ReplayRequest, ReplayedRevision};
use gristmill_store::Actor;
use gristmill_testkit::TestDatabase;
use serde_json::json;

use crate::mill::{Mill, known, new, problems, wanting};

async fn replay(
    mill: &Mill,
    original: &ExecutionId,
    revision: ReplayedRevision,
    key: Option<&str>,
) -> Admitted {
    let request = ReplayRequest {
        original: original.clone(),
        revision,
        idempotency_key: key.map(str::to_owned),
        monthly_limit: None,
    };
    let admission = &mill.admission;
    admission
        .replay(&mill.tenant, &Actor::OPERATOR, &request)
        .await
        .unwrap()
}

pub async fn a_replay_on_the_newest_revision_meets_its_schema(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(None)).await;
    let original = new(mill.ask(&json!({"a": "x"})).await).id;
    mill.save(&wanting(Some("a"))).await;
    let replayed = replay(&mill, &original, ReplayedRevision::Newest, None).await;
    assert_eq!(new(replayed).revision, 2);
    mill.save(&wanting(Some("b"))).await;
    let refused = replay(&mill, &original, ReplayedRevision::Newest, None).await;
    assert_eq!(problems(&refused), ["$.input"]);
    // Its own revision is good enough for what it was accepted by.
    let replayed = replay(&mill, &original, ReplayedRevision::Same, None).await;
    assert_eq!(new(replayed).revision, 1);
}

pub async fn a_replay_under_a_known_key_is_the_same_one_only_if_it_asks_the_same(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(None)).await;
    let original = new(mill.ask(&json!({"a": "x"})).await).id;
    let first = new(replay(&mill, &original, ReplayedRevision::Newest, Some("k")).await).id;
    // A schema that it would not meet any more changes nothing about what was accepted.
    mill.save(&wanting(Some("b"))).await;
    let again = replay(&mill, &original, ReplayedRevision::Newest, Some("k")).await;
    assert_eq!(again, known(&first));
    let other = replay(&mill, &original, ReplayedRevision::Same, Some("k")).await;
    assert_eq!(other, Admitted::Refused(Refusal::KeyReused(first)));
    let nothing = replay(&mill, &ExecutionId::new(), ReplayedRevision::Same, None).await;
    assert_eq!(nothing, Admitted::Refused(Refusal::UnknownExecution));
}
