use std::sync::Arc;

use futures_util::future::join_all;
use gristmill_dispatch::Reader;
use gristmill_testkit::TestDatabase;

use crate::mill::{Mill, wanting};

pub async fn many_who_ask_at_once_share_one_plan(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(Some("a"))).await;
    let readers = [Reader::Tenant(&mill.tenant), Reader::Holder(&mill.tenant.0)];
    let asked = (0..32).map(|n| mill.plans.get(readers[n % 2], &mill.workflow, 1));
    let plans: Vec<_> = join_all(asked)
        .await
        .into_iter()
        .map(|plan| plan.unwrap().unwrap().unwrap())
        .collect();
    assert!(plans.iter().all(|plan| Arc::ptr_eq(plan, &plans[0])));
    mill.save(&wanting(None)).await;
    let newer = mill.plans.get(readers[0], &mill.workflow, 2).await;
    assert!(!newer.unwrap().unwrap().unwrap().checks_input());
}

pub async fn a_tenant_is_not_shown_what_is_anothers(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(None)).await;
    let stranger = mill.stranger().await;
    // Whether or not it is known here already.
    for _ in 0..2 {
        let found = mill.plans.get(Reader::Tenant(&stranger), &mill.workflow, 1).await;
        assert!(found.unwrap().is_none());
        let found = mill
            .plans
            .get(Reader::Holder(&stranger.0), &mill.workflow, 1)
            .await;
        assert!(found.unwrap().is_none());
        let found = mill
            .plans
            .get(Reader::Holder(&mill.tenant.0), &mill.workflow, 1)
            .await;
        assert!(found.unwrap().is_some());
    }
}

pub async fn what_is_not_there_yet_is_looked_for_again(db: TestDatabase) {
    let mill = Mill::new(db, &wanting(None)).await;
    let second = async || {
        mill.plans
            .get(Reader::Tenant(&mill.tenant), &mill.workflow, 2)
            .await
    };
    assert!(second().await.unwrap().is_none());
    mill.save(&wanting(Some("a"))).await;
    assert!(second().await.unwrap().is_some());
}
