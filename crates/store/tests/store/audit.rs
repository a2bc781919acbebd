//! Who did what: in the same transaction, and neither twice nor for nothing.

use gristmill_core::access::{GlobalRole, OrganizationRole, Scopes, Tier};
use gristmill_core::{ApiKeyId, ExecutionId, Settings, TemplateId, UserId, WorkflowId};
use gristmill_store::{
    Action, Actor, AuditEntry, AuditFilter, Cancelled, DefinitionFacts, Deleted, Delivered, InboxMessage,
    NewApiKey, NewOrganization, NewTemplate, NewUser, NewWorkflow, ObjectKind, Replay, Replayed, Retried,
    System, WorkflowChange, WorkflowChanged, WorkflowSwitch,
};
use gristmill_testkit::TestDatabase;
use serde_json::{Value, json};

use crate::raw;
use crate::world::{MAX_MESSAGES, World, message};

pub(crate) async fn whatever_a_person_changes_is_told_once(db: &TestDatabase) {
    let world = World::new(db).await;
    let (tenant, protocol, actor) = (&world.tenant, world.protocol(), &actor());
    let (cancelled, failed, signalled) = (world.running().await, world.failed().await, world.waiting().await);
    world.child_of(&cancelled, "sub").await;
    let cancel = protocol.cancel(tenant, actor, &cancelled).await.unwrap();
    assert_eq!(cancel, Cancelled::Yes(2));
    assert_eq!(
        protocol.retry(tenant, actor, &failed).await.unwrap(),
        Retried::Yes
    );
    let again = replay(&cancelled);
    let replayed = protocol.replay(tenant, actor, &again).await.unwrap();
    assert!(matches!(replayed, Replayed::Accepted(_)), "{replayed:?}");
    let letter = InboxMessage {
        name: "signal:go".to_owned(),
        ..message(&signalled, "k")
    };
    let delivered = protocol
        .deliver(tenant, actor, &letter, MAX_MESSAGES)
        .await
        .unwrap();
    assert_eq!(delivered, Delivered::Yes);
    assert_eq!(
        protocol.delete(tenant, actor, &cancelled).await.unwrap(),
        Deleted::Yes
    );
    let new = new_workflow(&owner(&world).await);
    let workflow = new.id.clone();
    db.store().create_workflow(tenant, actor, new).await.unwrap();

    let told: Vec<_> = log(&world).await.into_iter().rev().collect();
    let expected = [
        ("execution.cancel", cancelled.as_str(), json!({"executions": 2})),
        ("execution.retry", failed.as_str(), json!({})),
        (
            "execution.replay",
            again.id.as_str(),
            json!({"original": cancelled}),
        ),
        ("execution.signal", signalled.as_str(), json!({"name": "go"})),
        ("execution.delete", cancelled.as_str(), json!({})),
        (
            "workflow.create",
            workflow.as_str(),
            json!({"name": "Grind", "revision": 1}),
        ),
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    let now = db.store().now().await.unwrap();
    for (entry, (action, object, detail)) in told.iter().zip(expected) {
        assert_eq!(
            (entry.action.as_str(), entry.object_id.as_str()),
            (action, object)
        );
        assert_eq!(entry.object_kind, action.split('.').next().unwrap());
        assert_eq!(serde_json::from_str::<Value>(&entry.detail).unwrap(), detail);
        assert_eq!(
            (&entry.user, &entry.key, &entry.request),
            (&actor.user, &actor.key, &actor.request)
        );
        assert!((now - entry.created_at).num_seconds().abs() < 30);
    }
}

pub(crate) async fn every_change_of_workflows_and_templates_is_told_once(db: &TestDatabase) {
    let (world, strangers) = (World::new(db).await, World::new(db).await);
    let (store, tenant, actor) = (db.store(), &world.tenant, &actor());
    let template = new_template(&owner(&world).await);
    let (workflow, published) = (&world.workflow, template.id.clone());
    store.create_template(tenant, actor, template).await.unwrap();
    let change = store.change_workflow(tenant, actor, workflow, 1, new_name("Renamed"));
    assert!(matches!(change.await.unwrap(), WorkflowChanged::Yes(_)));
    let again = store.change_workflow(tenant, actor, workflow, 2, new_name("Renamed"));
    assert!(matches!(again.await.unwrap(), WorkflowChanged::Yes(same) if same.edition == 2));
    // Neither what is stale, nor what is repeated, nor what belongs to others is told.
    let stale = store.change_workflow(tenant, actor, workflow, 1, new_name("Late"));
    assert_eq!(stale.await.unwrap(), WorkflowChanged::Stale);
    let switches = [
        WorkflowSwitch::Pause,
        WorkflowSwitch::Resume,
        WorkflowSwitch::Toggle,
        WorkflowSwitch::Delete,
    ];
    for switch in switches {
        let stale = store.switch_workflow(tenant, actor, workflow, Some(1), switch);
        assert_eq!(stale.await.unwrap(), WorkflowChanged::Stale);
        let strange = store.switch_workflow(&strangers.tenant, actor, workflow, None, switch);
        assert_eq!(strange.await.unwrap(), WorkflowChanged::Unknown);
        let done = store.switch_workflow(tenant, actor, workflow, None, switch).await;
        assert!(matches!(done.unwrap(), WorkflowChanged::Yes(_)));
        if matches!(switch, WorkflowSwitch::Pause | WorkflowSwitch::Resume) {
            let again = store.switch_workflow(tenant, actor, workflow, None, switch).await;
            assert!(matches!(again.unwrap(), WorkflowChanged::Yes(_)));
        }
    }
    for (tenant, deleted) in [(&strangers.tenant, false), (tenant, true), (tenant, false)] {
        let delete = store.delete_template(tenant, actor, &published).await;
        assert_eq!(delete.unwrap(), deleted);
    }

    let told: Vec<_> = log(&world).await.into_iter().rev().collect();
    let renamed = |is_active: bool| json!({"name": "Renamed", "isActive": is_active});
    let expected = [
        (
            "template.publish",
            published.as_str(),
            json!({"name": "Mill", "isShared": true}),
        ),
        (
            "workflow.update",
            workflow.as_str(),
            json!({"name": "Renamed", "revision": 2, "isActive": true}),
        ),
        ("workflow.pause", workflow.as_str(), renamed(true)),
        ("workflow.resume", workflow.as_str(), renamed(true)),
        ("workflow.toggle", workflow.as_str(), renamed(false)),
        ("workflow.delete", workflow.as_str(), renamed(false)),
        ("template.delete", published.as_str(), json!({})),
    ];
    let told: Vec<_> = told
        .iter()
        .map(|entry| {
            let detail = serde_json::from_str::<Value>(&entry.detail).unwrap();
            (entry.action.as_str(), entry.object_id.as_str(), detail)
        })
        .collect();
    assert_eq!(told, expected);
    assert_eq!(log(&strangers).await, []);
}

pub(crate) async fn what_changes_nothing_is_not_told(db: &TestDatabase) {
    let (world, strangers) = (World::new(db).await, World::new(db).await);
    let protocol = world.protocol();
    let (completed, waiting, failed) = (
        world.completed().await,
        world.waiting().await,
        world.failed().await,
    );
    let keyed = Replay {
        idempotency_key: Some("once".to_owned()),
        ..replay(&completed)
    };
    for _ in 0..2 {
        protocol.replay(&world.tenant, &actor(), &keyed).await.unwrap();
        let letter = message(&waiting, "once");
        protocol
            .deliver(&world.tenant, &actor(), &letter, MAX_MESSAGES)
            .await
            .unwrap();
    }
    assert_eq!(log(&world).await.len(), 2);
    for tenant in [&world.tenant, &strangers.tenant] {
        protocol.cancel(tenant, &actor(), &completed).await.unwrap();
        protocol.retry(tenant, &actor(), &completed).await.unwrap();
        protocol.delete(tenant, &actor(), &waiting).await.unwrap();
        protocol
            .deliver(tenant, &actor(), &message(&completed, "late"), MAX_MESSAGES)
            .await
            .unwrap();
    }
    for verb in ["retry", "delete", "replay"] {
        let tenant = &strangers.tenant;
        match verb {
            "retry" => drop(protocol.retry(tenant, &actor(), &failed).await.unwrap()),
            "delete" => drop(protocol.delete(tenant, &actor(), &failed).await.unwrap()),
            _ => drop(protocol.replay(tenant, &actor(), &replay(&failed)).await.unwrap()),
        }
    }
    assert_eq!(log(&world).await.len(), 2);
    assert_eq!(log(&strangers).await, []);
}

/// Without the log nothing is changed: entry and change are one transaction.
pub(crate) async fn a_change_that_cannot_be_told_is_not_made(db: &TestDatabase) {
    let world = World::new(db).await;
    let (store, tenant, protocol) = (db.store(), &world.tenant, world.protocol());
    let user = owner(&world).await;
    let (running, failed, completed, waiting) = (
        world.running().await,
        world.failed().await,
        world.completed().await,
        world.waiting().await,
    );
    let kept = key("kept");
    store
        .add_api_key(tenant, &actor(), &user, kept.clone())
        .await
        .unwrap();
    let newcomer = new_user(db).await;
    let template = new_template(&user);
    let published = template.id.clone();
    store.create_template(tenant, &actor(), template).await.unwrap();
    let before = everything(db).await;
    raw::execute(db, "ALTER TABLE audit_log RENAME TO gone").await;

    assert!(protocol.cancel(tenant, &actor(), &running).await.is_err());
    assert!(protocol.retry(tenant, &actor(), &failed).await.is_err());
    assert!(protocol.delete(tenant, &actor(), &completed).await.is_err());
    assert!(
        protocol
            .replay(tenant, &actor(), &replay(&completed))
            .await
            .is_err()
    );
    let letter = message(&waiting, "k");
    assert!(
        protocol
            .deliver(tenant, &actor(), &letter, MAX_MESSAGES)
            .await
            .is_err()
    );
    let new = new_workflow(&user);
    assert!(store.create_workflow(tenant, &actor(), new).await.is_err());
    let (somebody, change) = (actor(), new_name("Renamed"));
    let changed = store.change_workflow(tenant, &somebody, &world.workflow, 1, change);
    assert!(changed.await.is_err());
    for switch in [
        WorkflowSwitch::Toggle,
        WorkflowSwitch::Pause,
        WorkflowSwitch::Delete,
    ] {
        let switched = store.switch_workflow(tenant, &somebody, &world.workflow, None, switch);
        assert!(switched.await.is_err());
    }
    let template = new_template(&user);
    assert!(store.create_template(tenant, &somebody, template).await.is_err());
    assert!(
        store
            .delete_template(tenant, &somebody, &published)
            .await
            .is_err()
    );
    let added = store.add_api_key(tenant, &actor(), &user, key("new")).await;
    assert!(added.is_err());
    let revoked = store.revoke_api_key(tenant, &actor(), &kept.id, None).await;
    assert!(revoked.is_err());
    assert!(store.set_tier(tenant, &actor(), Tier::Elite).await.is_err());
    let role = OrganizationRole::Admin;
    assert!(store.add_member(tenant, &actor(), &newcomer, role).await.is_err());
    assert!(
        store
            .set_member_role(tenant, &actor(), &user, role)
            .await
            .is_err()
    );
    assert!(store.remove_member(tenant, &actor(), &user).await.is_err());
    let promoted = store
        .set_global_role(System, &actor(), &user, GlobalRole::Admin)
        .await;
    assert!(promoted.is_err());
    let organization = NewOrganization {
        name: "Other".to_owned(),
        tier: "FREE".to_owned(),
    };
    let made = store.create_organization(System, &actor(), organization).await;
    assert!(made.is_err());

    raw::execute(db, "ALTER TABLE gone RENAME TO audit_log").await;
    assert_eq!(everything(db).await, before);
}

pub(crate) async fn the_log_is_read_newest_first_page_by_page(db: &TestDatabase) {
    let world = World::new(db).await;
    World::new(db).await;
    let mut tiers = Vec::new();
    for round in 0..7 {
        let tier = Tier::ALL[round % Tier::ALL.len()];
        db.store().set_tier(&world.tenant, &actor(), tier).await.unwrap();
        tiers.push(tier);
    }
    // Three of them in one moment: ids tell them apart.
    let same = "UPDATE audit_log SET created_at = (SELECT min(created_at) FROM audit_log)
        WHERE id IN (SELECT id FROM audit_log ORDER BY id LIMIT 3)";
    raw::execute(db, same).await;
    let whole = log(&world).await;
    let seen: Vec<_> = whole
        .iter()
        .rev()
        .map(|entry| serde_json::from_str::<Value>(&entry.detail).unwrap()["tier"].clone())
        .collect();
    assert_eq!(seen, tiers.iter().map(|tier| tier.as_str()).collect::<Vec<_>>());
    let (mut pages, mut before) = (Vec::new(), None);
    loop {
        let filter = AuditFilter {
            before: before.clone(),
            ..AuditFilter::default()
        };
        let page = db.store().audit_log(&world.tenant, filter, 2).await.unwrap();
        assert!(page.entries.len() <= 2);
        pages.extend(page.entries);
        before = page.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(pages, whole);
}

pub(crate) async fn the_log_is_narrowed_by_what_who_and_when(db: &TestDatabase) {
    let world = World::new(db).await;
    let (one, other) = (world.running().await, world.running().await);
    let (ada, bob) = (actor(), actor());
    world.protocol().cancel(&world.tenant, &ada, &one).await.unwrap();
    world
        .protocol()
        .cancel(&world.tenant, &bob, &other)
        .await
        .unwrap();
    db.store()
        .set_tier(&world.tenant, &ada, Tier::Elite)
        .await
        .unwrap();
    let whole = log(&world).await;
    let middle = whole[1].created_at;
    let none = AuditFilter::default;
    for (filter, expected) in [
        (none(), vec![0, 1, 2]),
        (
            AuditFilter {
                action: Some(Action::ExecutionCancel),
                ..none()
            },
            vec![1, 2],
        ),
        (
            AuditFilter {
                object_kind: Some(ObjectKind::Organization),
                ..none()
            },
            vec![0],
        ),
        (
            AuditFilter {
                object: Some(one.to_string()),
                ..none()
            },
            vec![2],
        ),
        (
            AuditFilter {
                user: ada.user.clone(),
                ..none()
            },
            vec![0, 2],
        ),
        (
            AuditFilter {
                key: bob.key.clone(),
                ..none()
            },
            vec![1],
        ),
        (
            AuditFilter {
                from: Some(middle),
                ..none()
            },
            whole
                .iter()
                .enumerate()
                .filter(|(_, entry)| entry.created_at >= middle)
                .map(|(n, _)| n)
                .collect(),
        ),
        (
            AuditFilter {
                to: Some(middle),
                ..none()
            },
            whole
                .iter()
                .enumerate()
                .filter(|(_, entry)| entry.created_at < middle)
                .map(|(n, _)| n)
                .collect(),
        ),
        (
            AuditFilter {
                action: Some(Action::ExecutionCancel),
                user: ada.user.clone(),
                ..none()
            },
            vec![2],
        ),
    ] {
        let found = db
            .store()
            .audit_log(&world.tenant, filter.clone(), 10)
            .await
            .unwrap();
        let expected: Vec<_> = expected.into_iter().map(|n| whole[n].clone()).collect();
        assert_eq!((found.entries, found.next), (expected, None), "{filter:?}");
    }
}

/// Every combination of filters, page by page, against what a reader of the whole log would answer.
pub(crate) async fn what_is_rare_in_the_log_is_found_page_by_page(db: &TestDatabase) {
    let world = World::new(db).await;
    let (ada, bob) = (actor(), actor());
    let mut sql = String::new();
    for number in 0..900 {
        let by = if number % 300 == 7 { &ada } else { &bob };
        let action = match number {
            5 | 299 | 300 => Action::ApiKeyCreate,
            _ => Action::WorkflowUpdate,
        };
        sql += &format!(
            "INSERT INTO audit_log (id, organization_id, actor_user_id, api_key_id, action, object_kind, object_id)
             VALUES ('{}', '{}', '{}', '{}', '{}', '{}', 'object_{}');",
            gristmill_core::AuditEntryId::new(),
            world.tenant.0,
            by.user.as_ref().unwrap(),
            ada.key.as_ref().unwrap(),
            action.as_str(),
            action.object_kind().as_str(),
            number % 2,
        );
    }
    raw::execute(db, &format!("BEGIN; {sql} COMMIT")).await;
    let traverse = async |filter: &AuditFilter| {
        let (mut found, mut filter) = (Vec::new(), filter.clone());
        loop {
            let page = db.store().audit_log(&world.tenant, filter.clone(), 100);
            let page = page.await.unwrap();
            assert!(page.entries.len() <= 100);
            found.extend(page.entries);
            filter.before = page.next;
            if filter.before.is_none() {
                return found;
            }
        }
    };
    let whole = traverse(&AuditFilter::default()).await;
    assert_eq!(whole.len(), 900);
    for action in [None, Some(Action::ApiKeyCreate)] {
        for object_kind in [None, Some(ObjectKind::Workflow)] {
            for object in [None, Some("object_1".to_owned())] {
                for user in [None, ada.user.clone()] {
                    for key in [None, ada.key.clone(), bob.key.clone()] {
                        let filter = AuditFilter {
                            action,
                            object_kind,
                            object: object.clone(),
                            user: user.clone(),
                            key,
                            ..AuditFilter::default()
                        };
                        let wanted = whole.iter().filter(|entry| {
                            filter.action.is_none_or(|action| action.as_str() == entry.action)
                                && filter
                                    .object_kind
                                    .is_none_or(|kind| kind.as_str() == entry.object_kind)
                                && filter.object.as_ref().is_none_or(|id| *id == entry.object_id)
                                && filter
                                    .user
                                    .as_ref()
                                    .is_none_or(|id| Some(id) == entry.user.as_ref())
                                && filter
                                    .key
                                    .as_ref()
                                    .is_none_or(|id| Some(id) == entry.key.as_ref())
                        });
                        let wanted: Vec<_> = wanted.cloned().collect();
                        assert_eq!(traverse(&filter).await, wanted, "{filter:?}");
                    }
                }
            }
        }
    }
}

fn actor() -> Actor {
    Actor {
        user: Some(UserId::new()),
        key: Some(ApiKeyId::new()),
        request: Some("req_1".to_owned()),
    }
}

async fn log(world: &World<'_>) -> Vec<AuditEntry> {
    let store = world.db.store();
    let page = store.audit_log(&world.tenant, AuditFilter::default(), 100);
    page.await.unwrap().entries
}

async fn owner(world: &World<'_>) -> UserId {
    let members = world.db.store().members(&world.tenant).await.unwrap();
    members[0].user_id.clone()
}

async fn new_user(db: &TestDatabase) -> UserId {
    let new = NewUser {
        name: "New".to_owned(),
        email: "new@example.com".to_owned(),
        global_role: "USER".to_owned(),
    };
    db.store().create_user(System, new).await.unwrap().unwrap().id
}

/// Whatever the refused changes could have touched.
async fn everything(db: &TestDatabase) -> Vec<Vec<Option<String>>> {
    let mut all = Vec::new();
    for sql in [
        "SELECT id || status || inbox || journal_len AS value FROM executions ORDER BY id",
        "SELECT execution_id || key AS value FROM execution_inbox ORDER BY 1",
        "SELECT id || name || edition || revision || CAST(is_active AS text) || coalesce(CAST(paused_at AS text), '')
            || coalesce(CAST(deleted_at AS text), '') AS value FROM workflows ORDER BY id",
        "SELECT id AS value FROM workflow_templates ORDER BY id",
        "SELECT id || coalesce(CAST(revoked_at AS text), '') AS value FROM api_keys ORDER BY id",
        "SELECT organization_id || user_id || role AS value FROM memberships ORDER BY 1",
        "SELECT id || global_role AS value FROM users ORDER BY id",
        "SELECT id || tier AS value FROM organizations ORDER BY id",
    ] {
        all.push(raw::texts(db, sql).await);
    }
    all
}

fn key(hash: &str) -> NewApiKey {
    NewApiKey {
        id: ApiKeyId::new(),
        name: hash.to_owned(),
        prefix: "gm_0".to_owned(),
        hash: hash.to_owned(),
        scopes: Scopes::ALL,
        expires_at: None,
    }
}

fn new_workflow(user: &UserId) -> NewWorkflow {
    NewWorkflow {
        id: WorkflowId::new(),
        name: "Grind".to_owned(),
        description: None,
        version: "1.0.0".to_owned(),
        tags: "[]".to_owned(),
        is_active: true,
        definition: "{}".to_owned(),
        facts: DefinitionFacts::from(&Settings::default()),
        template_id: None,
        created_by: user.clone(),
        limit: None,
    }
}

fn new_name(name: &str) -> WorkflowChange {
    WorkflowChange {
        name: name.to_owned(),
        description: None,
        version: "1.0.0".to_owned(),
        tags: "[]".to_owned(),
        is_active: true,
        template_id: None,
        definition: format!("{{\"name\":\"{name}\"}}"),
        facts: DefinitionFacts::from(&Settings::default()),
    }
}

fn new_template(user: &UserId) -> NewTemplate {
    NewTemplate {
        id: TemplateId::new(),
        name: "Mill".to_owned(),
        description: None,
        category: "tests".to_owned(),
        tags: "[]".to_owned(),
        is_shared: true,
        definition: "{}".to_owned(),
        created_by: user.clone(),
    }
}

fn replay(original: &ExecutionId) -> Replay {
    Replay {
        id: ExecutionId::new(),
        original: original.clone(),
        newest: None,
        idempotency_key: None,
        request_hash: "replay".to_owned(),
        monthly_limit: None,
    }
}
