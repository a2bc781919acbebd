use gristmill_dispatch::{Admitted, Refusal};
use gristmill_store::Repeat::{SameContent, SameKey};
use gristmill_testkit::TestDatabase;
use serde_json::json;

use crate::mill::{Mill, content, known, new, problems, wanting};

pub async fn the_same_content_under_a_known_key_is_the_same_request(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(None)).await;
    let first = new(mill.ask_under("order-1", SameContent, &json!({"n": 1})).await);
    let again = mill.ask_under("order-1", SameContent, &json!({"n": 1})).await;
    assert_eq!(again, known(&first.id));
    assert_eq!(mill.used().await, 1);
    // Without a key each is a request of its own.
    let (one, two) = (mill.ask(&json!({"n": 1})).await, mill.ask(&json!({"n": 1})).await);
    assert_ne!(new(one).id, new(two).id);
}

pub async fn other_content_under_a_known_key_is_told_so(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(None)).await;
    let first = new(mill.ask_under("order-1", SameContent, &json!({"n": 1})).await);
    let reused = Admitted::Refused(Refusal::KeyReused(first.id));
    assert_eq!(
        mill.ask_under("order-1", SameContent, &json!({"n": 2})).await,
        reused
    );
    assert_eq!(mill.used().await, 1);
}

pub async fn a_key_that_names_an_event_is_known_whatever_the_content(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(Some("a"))).await;
    let first = new(mill
        .ask_under("tick-1", SameKey, &json!({"a": "x", "at": 1}))
        .await);
    // Nor does it matter whether the repeat would be valid, or that there is a limit by now.
    for input in [json!({"a": "x", "at": 2}), json!({})] {
        assert_eq!(mill.ask_under("tick-1", SameKey, &input).await, known(&first.id));
        let limited = mill.ask_with(&input, |request| {
            request.idempotency_key = Some("tick-1".to_owned());
            request.repeat = SameKey;
            request.monthly_limit = Some(1);
        });
        assert_eq!(limited.await, known(&first.id));
    }
    new(mill
        .ask_under("tick-2", SameKey, &json!({"a": "x", "at": 2}))
        .await);
    assert_eq!(mill.used().await, 2);
}

pub async fn an_input_meets_the_schema_or_is_refused_with_every_problem(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(Some("a"))).await;
    // The first of all finds out that there is a schema, and the others know.
    for _ in 0..2 {
        assert_eq!(problems(&mill.ask(&json!({"a": 1})).await), ["$.input.a"]);
        new(mill.ask(&json!({"a": "x"})).await);
    }
    let contents = [json!({"a": "y"}), json!({"b": 1}), json!({"a": "z"})].map(|input| content(&input));
    let requests = contents
        .iter()
        .map(|content| mill.admission.prepare(&mill.tenant, mill.request(content)))
        .collect();
    let answers = mill.admission.admit_all(&mill.tenant, requests).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(problems(&answers[1]), ["$.input"]);
    assert!(matches!(answers[0], Admitted::New(_)) && matches!(answers[2], Admitted::New(_)));
    assert_eq!(mill.used().await, 4);
}

pub async fn a_schema_that_changed_since_the_check_is_the_one_that_counts(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(Some("a"))).await;
    new(mill.ask(&json!({"a": "x"})).await);
    let (old, both) = (content(&json!({"a": "x"})), content(&json!({"a": "x", "b": "y"})));
    let prepared = [&old, &both].map(|content| mill.admission.prepare(&mill.tenant, mill.request(content)));
    // Both were found valid by revision 1; between the check and the insert there is another one.
    mill.save(&wanting(Some("b"))).await;
    let answers = mill.admission.admit_all(&mill.tenant, prepared.into()).await;
    let [refused, admitted]: [_; 2] = answers.try_into().unwrap();
    assert_eq!(problems(&refused.unwrap()), ["$.input"]);
    assert_eq!(new(admitted.unwrap()).revision, 2);
    // And the other way round: what revision 2 would refuse is fine by the newest, which has no schema.
    let prepared = mill.admission.prepare(&mill.tenant, mill.request(&old));
    mill.save(&wanting(None)).await;
    let admitted = mill.admission.admit(&mill.tenant, prepared).await.unwrap();
    assert_eq!(new(admitted).revision, 3);
}

pub async fn a_known_key_is_answered_whatever_the_schema_says_by_now(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(None)).await;
    let first = new(mill.ask_under("order-1", SameContent, &json!({"n": 1})).await);
    mill.save(&wanting(Some("a"))).await;
    let again = mill.ask_under("order-1", SameContent, &json!({"n": 1})).await;
    assert_eq!(again, known(&first.id));
    mill.switch_off().await;
    let again = mill.ask_under("order-1", SameContent, &json!({"n": 1})).await;
    assert_eq!(again, known(&first.id));
}

pub async fn of_requests_that_have_a_limit_as_many_are_admitted_as_fit(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(Some("a"))).await;
    let contents =
        [json!({"a": "1"}), json!({}), json!({"a": "2"}), json!({"a": "3"})].map(|input| content(&input));
    let requests = contents.iter().map(|content| {
        let mut request = mill.request(content);
        request.monthly_limit = Some(2);
        mill.admission.prepare(&mill.tenant, request)
    });
    let answers = mill.admission.admit_all(&mill.tenant, requests.collect()).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert!(
        matches!(
            &answers[..],
            [
                Admitted::New(_),
                Admitted::Refused(Refusal::Invalid(_)),
                Admitted::New(_),
                Admitted::Refused(Refusal::LimitReached(reached)),
            ] if (reached.used, reached.limit) == (2, 2)
        ),
        "{answers:?}"
    );
    assert_eq!(mill.used().await, 2);
}

pub async fn what_cannot_be_run_is_refused(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(Some("a"))).await;
    let input = content(&json!({"a": "x"}));
    // Known here or not, it is not a stranger's.
    new(mill.ask(&json!({"a": "x"})).await);
    let stranger = mill.stranger().await;
    let request = mill.admission.prepare(&stranger, mill.request(&input));
    let answer = mill.admission.admit(&stranger, request).await.unwrap();
    assert_eq!(answer, Admitted::Refused(Refusal::UnknownWorkflow));
    mill.switch_off().await;
    for input in [json!({"a": "x"}), json!({})] {
        let answer = mill.ask(&input).await;
        assert_eq!(answer, Admitted::Refused(Refusal::InactiveWorkflow));
    }
}

pub async fn a_definition_that_this_version_refuses_is_told_apart_from_a_wrong_input(db: TestDatabase) {
    let mut definition = wanting(Some("a"));
    definition["nodes"][0]["type"] = json!("oracle");
    let mill = Mill::new(db, &definition).await;
    let answer = mill.ask(&json!({"a": "x"})).await;
    assert!(
        matches!(&answer, Admitted::Refused(Refusal::InvalidDefinition(problems)) if !problems.is_empty()),
        "{answer:?}"
    );
    assert_eq!(mill.used().await, 0);
}
