use futures_util::future::join_all;
use gristmill_core::{ExecutionId, ExecutionStatus, Settings, TemplateId, WorkflowId};
use gristmill_store::{
    Actor, ChildStarted, DefinitionFacts, NewTemplate, Replay, Replayed, Retried, Submitted, System, Tenant,
    Workflow, WorkflowChange, WorkflowChanged, WorkflowSwitch,
};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::World;

pub(crate) async fn of_eight_changes_from_one_edition_one_is_made(db: &TestDatabase) {
    let world = World::new(db).await;
    let changes = (0..8).map(|number| {
        let change = change(&format!("Grind {number}"), &format!("[{number}]"));
        db.store()
            .change_workflow(&world.tenant, &Actor::OPERATOR, &world.workflow, 1, change)
    });
    let changed: Vec<_> = join_all(changes).await.into_iter().map(Result::unwrap).collect();
    let made: Vec<_> = changed
        .iter()
        .filter_map(|changed| match changed {
            WorkflowChanged::Yes(workflow) => Some(workflow),
            _ => None,
        })
        .collect();
    assert_eq!(made.len(), 1, "{changed:?}");
    assert_eq!((made[0].edition, made[0].revision), (2, 2));
    assert!(changed.contains(&WorkflowChanged::Stale));
    assert_eq!(stored(&world).await, Some(*made[0].clone()));
    // Its facts are those of the definition that was saved.
    assert_eq!(made[0].lane, "bulk");
    let stranger = World::new(db).await;
    let strange = db.store().change_workflow(
        &stranger.tenant,
        &Actor::OPERATOR,
        &world.workflow,
        2,
        change("Mine", "{}"),
    );
    assert_eq!(strange.await.unwrap(), WorkflowChanged::Unknown);
}

pub(crate) async fn a_change_of_names_alone_is_no_revision(db: &TestDatabase) {
    let world = World::new(db).await;
    let renamed = change("Renamed", "{}");
    let changed = db
        .store()
        .change_workflow(&world.tenant, &Actor::OPERATOR, &world.workflow, 1, renamed)
        .await
        .unwrap();
    let WorkflowChanged::Yes(workflow) = changed else {
        panic!("{changed:?}")
    };
    assert_eq!(
        (workflow.name.as_str(), workflow.edition, workflow.revision),
        ("Renamed", 2, 1)
    );
    let saved = change("Renamed", "{\"nodes\":[]}");
    let changed = db
        .store()
        .change_workflow(&world.tenant, &Actor::OPERATOR, &world.workflow, 2, saved);
    assert!(matches!(changed.await.unwrap(), WorkflowChanged::Yes(workflow) if workflow.revision == 2));
    let revisions = db
        .store()
        .revisions(&world.tenant, &world.workflow, i32::MAX, 10)
        .await
        .unwrap()
        .unwrap();
    let texts: Vec<_> = revisions
        .iter()
        .map(|revision| (revision.revision, revision.definition.as_str()))
        .collect();
    assert_eq!(texts, [(2, "{\"nodes\":[]}"), (1, "{}")]);
}

pub(crate) async fn a_switch_needs_the_edition_that_it_names(db: &TestDatabase) {
    let world = World::new(db).await;
    let switch = async |edition, switch| {
        db.store()
            .switch_workflow(&world.tenant, &Actor::OPERATOR, &world.workflow, edition, switch)
            .await
            .unwrap()
    };
    assert_eq!(
        switch(Some(7), WorkflowSwitch::Toggle).await,
        WorkflowChanged::Stale
    );
    assert_eq!(
        switch(Some(7), WorkflowSwitch::Delete).await,
        WorkflowChanged::Stale
    );
    let WorkflowChanged::Yes(off) = switch(Some(1), WorkflowSwitch::Toggle).await else {
        panic!()
    };
    assert_eq!((off.is_active, off.edition), (false, 2));
    let WorkflowChanged::Yes(on) = switch(None, WorkflowSwitch::Toggle).await else {
        panic!()
    };
    assert_eq!((on.is_active, on.edition), (true, 3));
    // Pausing what is paused leaves the time at which it began.
    let WorkflowChanged::Yes(first) = switch(None, WorkflowSwitch::Pause).await else {
        panic!()
    };
    let WorkflowChanged::Yes(second) = switch(None, WorkflowSwitch::Pause).await else {
        panic!()
    };
    assert!(first.paused_at.is_some() && first.edition == 4);
    // And everything else as well.
    assert_eq!(second, first);
    let WorkflowChanged::Yes(resumed) = switch(Some(4), WorkflowSwitch::Resume).await else {
        panic!()
    };
    assert_eq!((resumed.paused_at, resumed.edition), (None, 5));
    assert_eq!(
        switch(None, WorkflowSwitch::Resume).await,
        WorkflowChanged::Yes(resumed.clone())
    );
    assert_eq!(
        switch(Some(4), WorkflowSwitch::Resume).await,
        WorkflowChanged::Stale
    );
    assert_eq!(stored(&world).await, Some(*resumed));
}

pub(crate) async fn a_change_to_what_is_there_already_is_none(db: &TestDatabase) {
    let world = World::new(db).await;
    let make = async |edition, change| {
        let store = db.store();
        store
            .change_workflow(&world.tenant, &Actor::OPERATOR, &world.workflow, edition, change)
            .await
            .unwrap()
    };
    let renamed = || change("Renamed", "[1]");
    let WorkflowChanged::Yes(first) = make(1, renamed()).await else {
        panic!()
    };
    assert_eq!((first.edition, first.revision), (2, 2));
    assert_eq!(make(2, renamed()).await, WorkflowChanged::Yes(first.clone()));
    assert_eq!(stored(&world).await, Some(*first));
    assert_eq!(make(1, renamed()).await, WorkflowChanged::Stale);
    // Whatever differs is a change.
    let no_lane = DefinitionFacts::from(&Settings::default());
    for (edition, other) in (2..).zip([
        WorkflowChange {
            description: Some("Coarse".to_owned()),
            ..renamed()
        },
        WorkflowChange {
            is_active: false,
            ..renamed()
        },
        WorkflowChange {
            facts: no_lane,
            ..renamed()
        },
        change("Renamed", "[2]"),
    ]) {
        let WorkflowChanged::Yes(changed) = make(edition, other).await else {
            panic!()
        };
        assert_eq!(changed.edition, edition + 1);
    }
}

pub(crate) async fn a_deleted_workflow_takes_no_work_and_keeps_its_executions(db: &TestDatabase) {
    let world = World::new(db).await;
    let (parent, failed, completed) = (
        world.running().await,
        world.failed().await,
        world.completed().await,
    );
    delete(db, &world.tenant, &world.workflow).await;
    assert_eq!(stored(&world).await, None);
    assert_eq!(
        world.submit(&[world.request()]).await,
        [Submitted::UnknownWorkflow]
    );
    assert_eq!(
        world.start_child(&world.child_request(&parent, "sub")).await,
        ChildStarted::UnknownWorkflow
    );
    let retried = world
        .protocol()
        .retry(&world.tenant, &Actor::OPERATOR, &failed)
        .await;
    assert_eq!(retried.unwrap(), Retried::DeletedWorkflow);
    let replay = Replay {
        id: ExecutionId::new(),
        original: completed.clone(),
        newest: None,
        idempotency_key: None,
        request_hash: "hash".to_owned(),
        monthly_limit: None,
    };
    let replayed = world
        .protocol()
        .replay(&world.tenant, &Actor::OPERATOR, &replay)
        .await;
    assert_eq!(replayed.unwrap(), Replayed::DeletedWorkflow);
    assert_eq!(world.stands(&failed).await, (ExecutionStatus::Failed, 1));
    let shown = db.store().execution(&world.tenant, &completed).await.unwrap();
    assert_eq!(shown.unwrap().workflow_id, world.workflow);
    // Deleting it again finds nothing.
    let again = db.store().switch_workflow(
        &world.tenant,
        &Actor::OPERATOR,
        &world.workflow,
        None,
        WorkflowSwitch::Delete,
    );
    assert_eq!(again.await.unwrap(), WorkflowChanged::Unknown);
}

pub(crate) async fn a_deleted_workflow_goes_with_its_last_execution(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.completed().await;
    let store = db.store();
    assert_eq!(store.deletions(System, 10).await.unwrap(), []);
    delete(db, &world.tenant, &world.workflow).await;
    let deletions = store.deletions(System, 10).await.unwrap();
    assert_eq!(deletions.len(), 1);
    assert!(!deletions[0].is_quiet, "a submit may still be under way");
    make_quiet(db, &world.workflow).await;
    assert!(store.deletions(System, 10).await.unwrap()[0].is_quiet);
    store.note_emptied(&world.tenant, &world.workflow).await.unwrap();
    assert_eq!(store.deletions(System, 10).await.unwrap(), []);
    assert_eq!(store.bare_workflows(System, 10).await.unwrap(), []);
    assert!(
        store
            .revision(System, &world.tenant.0, &world.workflow, 1)
            .await
            .unwrap()
            .is_some()
    );
    world
        .protocol()
        .delete(&world.tenant, &Actor::OPERATOR, &id)
        .await
        .unwrap();
    let bare = store.bare_workflows(System, 10).await.unwrap();
    assert_eq!(bare, std::slice::from_ref(&world.workflow));
    let is_gone = store
        .remove_part_of_deleted_workflow(System, &world.workflow)
        .await;
    assert!(is_gone.unwrap());
    assert_eq!(
        store
            .revision(System, &world.tenant.0, &world.workflow, 1)
            .await
            .unwrap(),
        None
    );
    assert_eq!(store.bare_workflows(System, 10).await.unwrap(), []);
}

pub(crate) async fn a_deleted_workflow_goes_one_revision_at_a_time(db: &TestDatabase) {
    let (world, store) = (World::new(db).await, db.store());
    for edition in 1..4 {
        let change = change("Grind", &format!("[{edition}]"));
        let changed =
            store.change_workflow(&world.tenant, &Actor::OPERATOR, &world.workflow, edition, change);
        assert!(matches!(changed.await.unwrap(), WorkflowChanged::Yes(_)));
    }
    let remove = async || {
        let part = store.remove_part_of_deleted_workflow(System, &world.workflow);
        part.await.unwrap()
    };
    let left = async || {
        let sql = "SELECT CAST(revision AS text) AS value FROM workflow_revisions ORDER BY revision";
        let left: Vec<_> = raw::texts(db, sql).await.into_iter().flatten().collect();
        left.join(" ")
    };
    assert!(
        remove().await,
        "of what is not deleted there is nothing to remove"
    );
    assert_eq!(left().await, "1 2 3 4");
    delete(db, &world.tenant, &world.workflow).await;
    assert!(remove().await, "it may have unfinished executions");
    store.note_emptied(&world.tenant, &world.workflow).await.unwrap();
    for expected in ["2 3 4", "3 4", "4"] {
        assert!(!remove().await);
        assert_eq!(left().await, expected);
        assert_eq!(store.bare_workflows(System, 10).await.unwrap().len(), 1);
    }
    assert!(remove().await);
    assert_eq!(left().await, "");
    assert_eq!(raw::texts(db, "SELECT id AS value FROM workflows").await, []);
}

pub(crate) async fn unfinished_executions_are_found_page_by_page(db: &TestDatabase) {
    let world = World::new(db).await;
    let mut unfinished = Vec::new();
    for _ in 0..3 {
        world.completed().await;
        unfinished.push(world.running().await);
        unfinished.push(world.waiting().await);
    }
    // Of another workflow, and of another organization.
    let other = gristmill_store::Submit {
        workflow_id: world.add_workflow("default").await,
        ..world.request()
    };
    world.submit(&[other]).await;
    let stranger = World::new(db).await;
    stranger.pending().await;
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = db
            .store()
            .unfinished_executions(&world.tenant, &world.workflow, after.as_ref(), 2)
            .await
            .unwrap();
        found.extend(page.0);
        after = page.1;
        if after.is_none() {
            break;
        }
    }
    unfinished.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(found, unfinished);
}

pub(crate) async fn a_template_is_seen_by_those_that_it_is_for(db: &TestDatabase) {
    let (world, stranger) = (World::new(db).await, World::new(db).await);
    let sql = format!(
        "SELECT created_by AS value FROM workflows WHERE id = '{}'",
        world.workflow
    );
    let user = raw::texts(db, &sql).await.remove(0).unwrap();
    let store = db.store();
    for is_shared in [false, true] {
        let new = NewTemplate {
            id: TemplateId::new(),
            name: "Grind".to_owned(),
            description: None,
            category: "milling".to_owned(),
            tags: "[]".to_owned(),
            is_shared,
            definition: "{}".to_owned(),
            created_by: user.parse().unwrap(),
        };
        let made = store
            .create_template(&world.tenant, &Actor::OPERATOR, new)
            .await
            .unwrap();
        assert!(made.summary.is_own);
        let id = &made.summary.id;
        assert_eq!(
            store.template(&world.tenant, id).await.unwrap(),
            Some(made.clone())
        );
        let seen = store.template(&stranger.tenant, id).await.unwrap();
        assert_eq!(seen.map(|seen| seen.summary.is_own), is_shared.then_some(false));
        assert!(
            !store
                .delete_template(&stranger.tenant, &Actor::OPERATOR, id)
                .await
                .unwrap()
        );
        assert!(
            store
                .delete_template(&world.tenant, &Actor::OPERATOR, id)
                .await
                .unwrap()
        );
        assert_eq!(store.template(&world.tenant, id).await.unwrap(), None);
    }
    let catalogue: TemplateId = "tpl_approvalflow".parse().unwrap();
    assert!(
        store
            .template(&stranger.tenant, &catalogue)
            .await
            .unwrap()
            .is_some()
    );
    assert!(
        !store
            .delete_template(&stranger.tenant, &Actor::OPERATOR, &catalogue)
            .await
            .unwrap()
    );
}

pub(crate) fn change(name: &str, definition: &str) -> WorkflowChange {
    let settings = Settings {
        lane: Some("bulk".to_owned()),
        ..Settings::default()
    };
    WorkflowChange {
        name: name.to_owned(),
        description: None,
        version: "2.0".to_owned(),
        tags: "[]".to_owned(),
        is_active: true,
        template_id: None,
        definition: definition.to_owned(),
        facts: DefinitionFacts::from(&settings),
    }
}

async fn stored(world: &World<'_>) -> Option<Workflow> {
    let store = world.db.store();
    store.workflow(&world.tenant, &world.workflow).await.unwrap()
}

pub(crate) async fn delete(db: &TestDatabase, tenant: &Tenant, id: &WorkflowId) {
    let store = db.store();
    let deleted = store.switch_workflow(tenant, &Actor::OPERATOR, id, None, WorkflowSwitch::Delete);
    assert!(matches!(deleted.await.unwrap(), WorkflowChanged::Yes(_)));
}

/// Makes a deletion so old that no submit which began before it can still be under way.
pub(crate) async fn make_quiet(db: &TestDatabase, id: &WorkflowId) {
    let long_ago = format!(
        "UPDATE workflows SET deleted_at = {} WHERE id = '{id}'",
        match raw::sqlite_path(db) {
            Some(_) => "deleted_at - 61000000",
            None => "deleted_at - interval '61 seconds'",
        },
    );
    raw::execute(db, &long_ago).await;
}
