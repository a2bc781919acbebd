//! What the owners of things see: organizations, keys, workflows, revisions, executions and journals.

use gristmill_core::access::{GlobalRole, OrganizationRole, Scopes, Standing, Tier};
use gristmill_core::{ApiKeyId, ExecutionId, ExecutionStatus, OrganizationId, Settings, UserId, WorkflowId};
use gristmill_store::{
    Actor, Append, DefinitionFacts, Error, Held, NewApiKey, NewChunk, NewOrganization, NewUser, NewWorkflow,
    Owner, Store, System, Tenant, WorkflowChange, WorkflowChanged,
};
use gristmill_testkit::TestDatabase;

use crate::raw;
use crate::world::World;

pub(crate) async fn a_bootstrapped_owner_is_found_by_the_keys_hash(db: &TestDatabase) {
    let store = db.store();
    assert_eq!(store.first_organization(System).await.unwrap(), None);
    let key = key("hash-1");
    let owner = bootstrap(store, "ada@example.com", key.clone()).await.unwrap();
    let found = store.api_key_by_hash(System, "hash-1").await.unwrap().unwrap();
    assert_eq!(found.id, key.id);
    assert_eq!(
        (&found.organization_id, &found.user_id),
        (&owner.organization_id, &owner.user_id)
    );
    assert_eq!(
        found.standing,
        Standing {
            global_role: GlobalRole::User,
            organization_role: Some(OrganizationRole::Owner),
            tier: Tier::Enterprise,
        }
    );
    assert_eq!(store.api_key_by_hash(System, "hash-2").await.unwrap(), None);

    bootstrap(store, "bob@example.com", self::key("hash-3"))
        .await
        .unwrap();
    assert_eq!(store.first_organization(System).await.unwrap(), Some(owner));
}

pub(crate) async fn a_bootstrap_that_fails_leaves_nothing(db: &TestDatabase) {
    let store = db.store();
    bootstrap(store, "ada@example.com", key("hash-1")).await.unwrap();
    let refused = bootstrap(store, "bob@example.com", key("hash-1")).await;
    assert!(matches!(refused, Err(Error::Statement(_))), "{refused:?}");
    let left = raw::texts(db, "SELECT email AS value FROM users").await;
    assert_eq!(left, [Some("ada@example.com".to_owned())]);
}

pub(crate) async fn a_revoked_key_has_no_owner(db: &TestDatabase) {
    let store = db.store();
    let owner = bootstrap(store, "ada@example.com", key("hash-1")).await.unwrap();
    let tenant = Tenant(owner.organization_id);
    store
        .add_api_key(&tenant, &Actor::OPERATOR, &owner.user_id, key("hash-2"))
        .await
        .unwrap();
    raw::execute(
        db,
        "UPDATE api_keys SET revoked_at = created_at WHERE hash = 'hash-1'",
    )
    .await;
    assert_eq!(store.api_key_by_hash(System, "hash-1").await.unwrap(), None);
    assert!(store.api_key_by_hash(System, "hash-2").await.unwrap().is_some());
}

pub(crate) async fn only_a_member_gets_a_key(db: &TestDatabase) {
    let owner = bootstrap(db.store(), "ada@example.com", key("hash-1"))
        .await
        .unwrap();
    let added = db
        .store()
        .add_api_key(
            &Tenant(owner.organization_id),
            &Actor::OPERATOR,
            &UserId::new(),
            key("hash-2"),
        )
        .await;
    assert_eq!(added.unwrap(), None);
}

/// Often enough that two looks at the clock would differ once.
pub(crate) async fn a_new_workflow_was_last_changed_when_it_was_made(db: &TestDatabase) {
    let (store, owner) = owned(db).await;
    let tenant = Tenant(owner.organization_id.clone());
    for _ in 0..200 {
        let new = new_workflow(&owner, "Grind", "{}");
        let stored = store
            .create_workflow(&tenant, &Actor::OPERATOR, new)
            .await
            .unwrap();
        assert_eq!(stored.created_at, stored.updated_at);
    }
}

pub(crate) async fn a_workflow_is_read_back_as_it_was_stored(db: &TestDatabase) {
    let (store, owner) = owned(db).await;
    let tenant = Tenant(owner.organization_id.clone());
    let new = new_workflow(&owner, "Grind", "{\"nodes\":[\"\\u0000 é\"], \"b\": 1.0}");
    let stored = store
        .create_workflow(&tenant, &Actor::OPERATOR, new.clone())
        .await
        .unwrap();
    assert_eq!(
        (&stored.id, &stored.name, &stored.description),
        (&new.id, &new.name, &new.description)
    );
    assert_eq!(
        (&stored.version, &stored.tags, &stored.lane),
        (&new.version, &new.tags, &new.facts.lane)
    );
    assert_eq!(
        (stored.revision, stored.is_active, &stored.created_by),
        (1, true, &owner.user_id)
    );
    assert_eq!(stored.definition, new.definition);
    assert!(
        (store.now().await.unwrap() - stored.created_at)
            .num_seconds()
            .abs()
            < 30
    );
    assert_eq!(store.workflow(&tenant, &new.id).await.unwrap(), Some(stored));
}

pub(crate) async fn a_saved_definition_is_a_new_revision_and_the_old_one_stays(db: &TestDatabase) {
    let (store, owner) = owned(db).await;
    let tenant = Tenant(owner.organization_id.clone());
    let id = store
        .create_workflow(
            &tenant,
            &Actor::OPERATOR,
            new_workflow(&owner, "Grind", "{\"v\":1}"),
        )
        .await
        .unwrap()
        .id;
    let save = async |edition, text: &str| {
        let change = saved(text, "bulk");
        let changed = store.change_workflow(&tenant, &Actor::OPERATOR, &id, edition, change);
        let WorkflowChanged::Yes(workflow) = changed.await.unwrap() else {
            panic!("not the newest edition")
        };
        *workflow
    };

    let same = save(1, "{\"v\":1}").await;
    assert_eq!((same.revision, same.lane.as_str()), (1, "bulk"));
    let changed = save(2, "{\"v\":2}").await;
    assert_eq!((changed.revision, changed.definition.as_str()), (2, "{\"v\":2}"));
    assert_eq!(store.workflow(&tenant, &id).await.unwrap(), Some(changed));
    for (revision, text) in [(1, Some("{\"v\":1}")), (2, Some("{\"v\":2}")), (3, None)] {
        assert_eq!(
            store.definition(&tenant, &id, revision).await.unwrap().as_deref(),
            text
        );
        assert_eq!(
            store
                .revision(System, &tenant.0, &id, revision)
                .await
                .unwrap()
                .as_deref(),
            text
        );
    }
    let (nobodys, change) = (WorkflowId::new(), saved("{}", "default"));
    let unknown = store.change_workflow(&tenant, &Actor::OPERATOR, &nobodys, 1, change);
    assert_eq!(unknown.await.unwrap(), WorkflowChanged::Unknown);
}

pub(crate) async fn savers_at_once_number_their_revisions_without_gaps(db: &TestDatabase) {
    let (store, owner) = owned(db).await;
    let tenant = Tenant(owner.organization_id.clone());
    let id = store
        .create_workflow(&tenant, &Actor::OPERATOR, new_workflow(&owner, "Grind", "{}"))
        .await
        .unwrap()
        .id;
    let saves = (0..8).map(async |number| {
        loop {
            let edition = store.workflow(&tenant, &id).await.unwrap().unwrap().edition;
            let change = saved(&format!("[{number}]"), "default");
            let changed = store.change_workflow(&tenant, &Actor::OPERATOR, &id, edition, change);
            if let WorkflowChanged::Yes(workflow) = changed.await.unwrap() {
                return workflow.revision;
            }
        }
    });
    let mut revisions = futures_util::future::join_all(saves).await;
    revisions.sort_unstable();
    assert_eq!(revisions, Vec::from_iter(2..10));
}

pub(crate) async fn what_is_another_organizations_is_not_found(db: &TestDatabase) {
    let (store, owner) = owned(db).await;
    let tenant = Tenant(owner.organization_id.clone());
    let stranger = Tenant(OrganizationId::new());
    let id = store
        .create_workflow(&tenant, &Actor::OPERATOR, new_workflow(&owner, "Grind", "{}"))
        .await
        .unwrap()
        .id;
    assert_eq!(store.workflow(&stranger, &id).await.unwrap(), None);
    assert_eq!(store.definition(&stranger, &id, 1).await.unwrap(), None);
    let change = saved("[]", "default");
    let changed = store.change_workflow(&stranger, &Actor::OPERATOR, &id, 1, change);
    assert_eq!(changed.await.unwrap(), WorkflowChanged::Unknown);
    assert_eq!(store.workflow(&tenant, &id).await.unwrap().unwrap().revision, 1);

    let world = World::new(db).await;
    let execution = world.running().await;
    world
        .protocol()
        .append(System, &[entries(&execution, "[1]", 1)])
        .await
        .unwrap();
    assert_eq!(store.execution(&stranger, &execution).await.unwrap(), None);
    assert_eq!(
        store.journal_chunks(&stranger, &execution, 0, 10).await.unwrap(),
        []
    );
}

pub(crate) async fn an_execution_is_shown_as_it_stands(db: &TestDatabase) {
    let world = World::new(db).await;
    let show = async |id: &ExecutionId| db.store().execution(&world.tenant, id).await.unwrap().unwrap();
    assert_eq!(
        db.store()
            .execution(&world.tenant, &ExecutionId::new())
            .await
            .unwrap(),
        None
    );

    let id = world.pending().await;
    let pending = show(&id).await;
    assert_eq!(
        (pending.status, pending.attempt, pending.revision),
        (ExecutionStatus::Pending, 0, 1)
    );
    assert_eq!(
        (pending.workflow_id, pending.input.as_str()),
        (world.workflow.clone(), "{}")
    );
    assert_eq!(
        (pending.started_at, pending.completed_at, pending.output),
        (None, None, None)
    );
    assert!(pending.wake_at > Some(pending.created_at));

    world.claim(&[(id.clone(), 0)]).await;
    let running = show(&id).await;
    assert_eq!((running.status, running.attempt), (ExecutionStatus::Running, 1));
    assert_eq!(running.claimed_by.as_deref(), Some("worker-1"));

    world
        .protocol()
        .settle(System, &[crate::world::completion(&id, 1)])
        .await
        .unwrap();
    let completed = show(&id).await;
    assert_eq!(
        (completed.status, completed.wake_at),
        (ExecutionStatus::Completed, None)
    );
    assert!(completed.output.is_some() && completed.error.is_none());
    assert!(completed.created_at <= completed.started_at.unwrap());
    assert!(completed.started_at <= completed.completed_at);
}

pub(crate) async fn a_stretch_of_a_journal_comes_in_the_chunks_that_hold_it(db: &TestDatabase) {
    let world = World::new(db).await;
    let id = world.running().await;
    for (journal_len, body, count) in [(0, "[0,1,2]", 3), (3, "[3]", 1), (4, "[4,5]", 2)] {
        let member = Append {
            journal_len,
            ..entries(&id, body, count)
        };
        assert_eq!(
            world.protocol().append(System, &[member]).await.unwrap(),
            [Held::Yes]
        );
    }
    for (first, end, seqs) in [
        (0, 6, vec![0, 3, 4]),
        (2, 3, vec![0]),
        (2, 4, vec![0, 3]),
        (5, 100, vec![4]),
        (0, 0, vec![]),
    ] {
        let chunks = db
            .store()
            .journal_chunks(&world.tenant, &id, first, end)
            .await
            .unwrap();
        assert_eq!(
            chunks.iter().map(|chunk| chunk.seq).collect::<Vec<_>>(),
            seqs,
            "{first}..{end}"
        );
    }
}

pub(crate) async fn a_migrated_database_passes_the_check(db: &TestDatabase) {
    assert_eq!(
        db.store().pending_migrations().await.unwrap(),
        Vec::<String>::new()
    );
    db.store().check_schema().await.unwrap();
    db.store().ping().await.unwrap();
    // Migrating what is migrated changes nothing, however many do so at once.
    let again = futures_util::future::join_all((0..3).map(|_| db.store().migrate())).await;
    assert!(again.into_iter().all(|migrated| migrated.is_ok()));
    let applied = raw::texts(db, "SELECT version AS value FROM __diesel_schema_migrations").await;
    raw::execute(db, "DELETE FROM __diesel_schema_migrations").await;
    let refused = db.store().check_schema().await.unwrap_err();
    assert!(refused.to_string().contains("gristmill migrate"), "{refused}");
    raw::execute(db, "DROP TABLE __diesel_schema_migrations").await;
    assert_eq!(
        db.store().pending_migrations().await.unwrap().len(),
        applied.len()
    );
}

async fn owned(db: &TestDatabase) -> (&Store, Owner) {
    let owner = bootstrap(db.store(), "ada@example.com", key("hash-1"))
        .await
        .unwrap();
    (db.store(), owner)
}

pub(crate) async fn bootstrap_as_ada(store: &Store) -> Result<Owner, Error> {
    bootstrap(store, "ada@example.com", key("hash-1")).await
}

async fn bootstrap(store: &Store, email: &str, key: NewApiKey) -> Result<Owner, Error> {
    let organization = NewOrganization {
        name: "Mill".to_owned(),
        tier: "ENTERPRISE".to_owned(),
    };
    let user = NewUser {
        name: "Ada".to_owned(),
        email: email.to_owned(),
        global_role: "USER".to_owned(),
    };
    store.bootstrap(System, organization, user, key).await
}

fn key(hash: &str) -> NewApiKey {
    NewApiKey {
        id: ApiKeyId::new(),
        name: "first".to_owned(),
        prefix: "gm_abc".to_owned(),
        hash: hash.to_owned(),
        scopes: Scopes::ALL,
        expires_at: None,
    }
}

fn facts(lane: &str) -> DefinitionFacts {
    let settings = Settings {
        lane: Some(lane.to_owned()),
        ..Settings::default()
    };
    DefinitionFacts::from(&settings)
}

/// A change of the definition, and of what follows from it.
fn saved(definition: &str, lane: &str) -> WorkflowChange {
    WorkflowChange {
        name: "Grind".to_owned(),
        description: None,
        version: "1.0.0".to_owned(),
        tags: "[]".to_owned(),
        is_active: true,
        template_id: None,
        definition: definition.to_owned(),
        facts: facts(lane),
    }
}

fn new_workflow(owner: &Owner, name: &str, definition: &str) -> NewWorkflow {
    NewWorkflow {
        id: WorkflowId::new(),
        name: name.to_owned(),
        description: Some("Grinds é".to_owned()),
        version: "2.0".to_owned(),
        tags: "[\"corn\"]".to_owned(),
        is_active: true,
        facts: facts("default"),
        definition: definition.to_owned(),
        template_id: None,
        created_by: owner.user_id.clone(),
        limit: None,
    }
}

fn entries(id: &ExecutionId, body: &str, entries: i32) -> Append {
    let chunk = NewChunk {
        body: body.to_owned(),
        entries,
        progress: true,
    };
    Append {
        id: id.clone(),
        attempt: 1,
        journal_len: 0,
        chunk: Some(chunk),
    }
}
