//! Access: what a caller may do depends on roles, tier and the key's scopes.

use gristmill_api::routes;
use gristmill_core::UserId;
use gristmill_core::access::{GlobalRole, OrganizationRole, Permission, Scopes, Standing, Tier};
use gristmill_store::{Actor, NewApiKey, NewOrganization, NewUser, Store, System, Tenant};
use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::json;

use crate::world::{Answer, BASE, World, add_member, execute_path, failed, new_key, send, workflow};

/// Every route, below [`BASE`] unless marked `!`, and the permission that it asks for; `None` = anybody may call it.
const ROUTES: &[(&str, &str, Option<Permission>)] = &[
    ("POST", "/workflows", Some(Permission::WorkflowsCreate)),
    ("GET", "/workflows/{id}", Some(Permission::WorkflowsView)),
    (
        "POST",
        "/workflows/{id}/execute",
        Some(Permission::WorkflowsExecute),
    ),
    (
        "POST",
        "/workflows/{id}/executions:batch",
        Some(Permission::WorkflowsExecute),
    ),
    ("GET", "/executions/{id}", Some(Permission::WorkflowsView)),
    ("DELETE", "/executions/{id}", Some(Permission::WorkflowsDelete)),
    (
        "POST",
        "/executions/{id}/cancel",
        Some(Permission::WorkflowsExecute),
    ),
    (
        "POST",
        "/executions/{id}/retry",
        Some(Permission::WorkflowsExecute),
    ),
    (
        "POST",
        "/executions/{id}/replay",
        Some(Permission::WorkflowsExecute),
    ),
    (
        "POST",
        "/executions/{id}/signals/{name}",
        Some(Permission::WorkflowsExecute),
    ),
    ("GET", "/executions/{id}/journal", Some(Permission::WorkflowsView)),
    ("GET", "/workflows", Some(Permission::WorkflowsView)),
    ("GET", "/workflows/stats", Some(Permission::WorkflowsView)),
    ("POST", "/workflows/validate", Some(Permission::WorkflowsView)),
    ("PATCH", "/workflows/{id}", Some(Permission::WorkflowsEdit)),
    ("DELETE", "/workflows/{id}", Some(Permission::WorkflowsDelete)),
    (
        "POST",
        "/workflows/{id}/toggle",
        Some(Permission::WorkflowsDelete),
    ),
    ("POST", "/workflows/{id}/pause", Some(Permission::WorkflowsDelete)),
    (
        "POST",
        "/workflows/{id}/resume",
        Some(Permission::WorkflowsDelete),
    ),
    (
        "GET",
        "/workflows/{id}/revisions",
        Some(Permission::WorkflowsView),
    ),
    ("POST", "/workflows/{id}/publish", Some(Permission::WorkflowsEdit)),
    ("GET", "/templates", Some(Permission::WorkflowsView)),
    ("GET", "/templates/{id}", Some(Permission::WorkflowsView)),
    ("DELETE", "/templates/{id}", Some(Permission::WorkflowsEdit)),
    (
        "POST",
        "/templates/{id}/instantiate",
        Some(Permission::WorkflowsCreate),
    ),
    ("GET", "/executions", Some(Permission::WorkflowsView)),
    ("POST", "/executions:cancel", Some(Permission::WorkflowsExecute)),
    ("POST", "/executions:retry", Some(Permission::WorkflowsExecute)),
    ("GET", "/executions/{id}/events", Some(Permission::WorkflowsView)),
    ("GET", "/keys", Some(Permission::Access)),
    ("POST", "/keys", Some(Permission::Access)),
    ("DELETE", "/keys/{id}", Some(Permission::Access)),
    ("GET", "/audit", Some(Permission::OrganizationAdminister)),
    ("GET", "/usage", Some(Permission::Access)),
    ("GET", "!/healthz", None),
    ("GET", "!/readyz", None),
    ("GET", "!/metrics", None),
    ("GET", "!/openapi.json", None),
    ("GET", "!/docs", None),
];

pub(crate) async fn a_tier_below_growth_has_no_access(database: TestDatabase) {
    let mut world = World::on(database).await;
    let id = world.workflow().await;
    world.key = add_member(&world.store, "STARTER", "ADMIN").await.1;
    let problem = world
        .post(&format!("{BASE}/workflows"), &workflow())
        .await
        .problem(403, "forbidden");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("`ai-hub:workflows:create`"), "{detail}");
    // Without access, whether something exists is not told either.
    world
        .get(&format!("{BASE}/workflows/{id}"))
        .await
        .problem(403, "forbidden");
}

pub(crate) async fn a_user_who_is_no_admin_deletes_nothing(database: TestDatabase) {
    let mut world = World::on(database).await;
    world.key = add_member(&world.store, "GROWTH", "USER").await.1;
    let execution = world.execution().await;
    let path = format!("{BASE}/executions/{execution}");
    send(world.request(Method::DELETE, &path))
        .await
        .problem(403, "forbidden");
    assert_eq!(world.get(&path).await.status, 200);
}

/// Role × tier × route. What the permission is given by is tested in `core`, against the rules in words.
pub(crate) async fn every_route_asks_for_its_permission(database: TestDatabase) {
    let mut world = World::on(database).await;
    let known: Vec<_> = ROUTES
        .iter()
        .map(|(method, path, _)| route(method, path))
        .collect();
    for route in routes() {
        let named = (route.method.to_string(), route.path.to_owned());
        assert!(
            known.contains(&named),
            "{route:?} is not in the table: say there what permission it asks for"
        );
    }
    assert_eq!(known.len(), routes().len(), "the table has routes that are gone");

    let nobody = String::new();
    let owner = std::mem::replace(&mut world.key, nobody);
    for (method, path, permission) in ROUTES {
        let answer = call(&world, method, path, None).await;
        match permission {
            Some(_) => drop(answer.problem(401, "unauthenticated")),
            None => assert_eq!(answer.status, 200, "{path}"),
        }
    }
    drop(owner);
    for tier in Tier::ALL {
        let tenant = add_tenant(&world.store, tier).await;
        for global_role in GlobalRole::ALL {
            for organization_role in OrganizationRole::ALL {
                let standing = Standing {
                    global_role,
                    organization_role: Some(organization_role),
                    tier,
                };
                let key = add_key(&world.store, &tenant, standing, Scopes::ALL).await;
                for (method, path, permission) in ROUTES {
                    let Some(permission) = permission else { continue };
                    let answer = call(&world, method, path, Some(&key)).await;
                    let may = standing.gives(*permission);
                    assert_permission(&answer, may, &format!("{standing:?} {method} {path}"));
                }
            }
        }
    }
}

pub(crate) async fn a_keys_scopes_narrow_what_its_owner_may_do(database: TestDatabase) {
    let world = World::on(database).await;
    let tenant = add_tenant(&world.store, Tier::Growth).await;
    for (global_role, organization_role) in [
        (GlobalRole::Admin, OrganizationRole::Owner),
        (GlobalRole::User, OrganizationRole::Member),
    ] {
        let standing = Standing {
            global_role,
            organization_role: Some(organization_role),
            tier: Tier::Growth,
        };
        for scope in Permission::ALL {
            let key = add_key(&world.store, &tenant, standing, Scopes::only([scope])).await;
            for (method, path, permission) in ROUTES {
                let Some(permission) = permission else { continue };
                let answer = call(&world, method, path, Some(&key)).await;
                // Never more than the owner may.
                let may = *permission == scope && standing.gives(scope);
                assert_permission(&answer, may, &format!("{scope} {standing:?} {method} {path}"));
            }
        }
    }
}

/// What somebody else has submitted is not shown to who only executes, whatever they do to it.
pub(crate) async fn who_may_not_look_is_not_shown_what_others_submitted(database: TestDatabase) {
    let mut world = World::on(database).await;
    let execute = execute_path(&world.workflow().await);
    let secret = json!({"input": {"secret": "of others"}, "metadata": {"secret": 1}});
    let mut ids = Vec::new();
    for _ in 0..2 {
        let submitted = world.post(&execute, &secret).await;
        assert_eq!(submitted.status, 202, "{submitted:?}");
        ids.push(submitted.execution_id());
    }
    world.finish(&ids[0], &[], failed()).await;
    let viewer = world.key.clone();
    let tenant = Tenant(world.organization().await);
    let standing = Standing {
        global_role: GlobalRole::User,
        organization_role: Some(OrganizationRole::Member),
        tier: Tier::Growth,
    };
    let only = Scopes::only([Permission::WorkflowsExecute]);
    let producer = add_key(&world.store, &tenant, standing, only).await;
    let orders = [(0, "replay", 202), (0, "retry", 202), (1, "cancel", 200)];
    for (key, shows) in [(producer, false), (viewer, true)] {
        world.key = key;
        for (index, order, status) in orders {
            // A second retry has nothing to take up.
            if shows && order == "retry" {
                continue;
            }
            let path = format!("{BASE}/executions/{}/{order}", ids[index]);
            let answer = world.post(&path, &json!({})).await;
            assert_eq!(answer.status, status, "{answer:?}");
            assert_eq!(answer.text.contains("secret"), shows, "{answer:?}");
        }
    }
}

/// A change that switches a workflow asks for more than a change: `PATCH` is no way around `…/toggle`.
pub(crate) async fn a_patch_switches_for_those_who_may_switch(database: TestDatabase) {
    let mut world = World::on(database).await;
    let path = world.workflow_path().await;
    let owner = world.key.clone();
    let tenant = Tenant(world.organization().await);
    let member = Standing {
        global_role: GlobalRole::User,
        organization_role: Some(OrganizationRole::Member),
        tier: Tier::Growth,
    };
    let admin = Standing {
        global_role: GlobalRole::Admin,
        ..member
    };
    let edit = Permission::WorkflowsEdit;
    let renamers = [
        ("By a member", member, Scopes::ALL),
        ("By a scope", admin, Scopes::only([edit])),
    ];
    for (name, standing, scopes) in renamers {
        world.key = add_key(&world.store, &tenant, standing, scopes).await;
        let off = world.patch(&path, &json!({"isActive": false})).await;
        let problem = off.problem(403, "forbidden");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("`ai-hub:workflows:delete`"), "{detail}");
        let same = world.patch(&path, &json!({"isActive": true, "name": name})).await;
        assert_eq!(same.status, 200, "{same:?}");
    }
    let both = Scopes::only([edit, Permission::WorkflowsDelete]);
    world.key = add_key(&world.store, &tenant, admin, both).await;
    let off = world.patch(&path, &json!({"isActive": false})).await;
    assert_eq!(
        (off.status, &off.json()["workflow"]["isActive"]),
        (200, &json!(false))
    );
    world.key = add_key(&world.store, &tenant, member, Scopes::ALL).await;
    // Null is what a new workflow has.
    for on in [json!({"isActive": true}), json!({"isActive": null})] {
        world.patch(&path, &on).await.problem(403, "forbidden");
    }
    world.key = owner;
    let told = world.get(&format!("{BASE}/audit?action=workflow.update")).await;
    let told: Vec<_> = told.json()["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["detail"]["isActive"].clone())
        .collect();
    assert_eq!(told, [false, true, true].map(|active| json!(active)));
}

#[track_caller]
fn assert_permission(answer: &Answer, may: bool, who: &str) {
    if may {
        assert!(
            ![401, 403].contains(&answer.status) && answer.status < 500,
            "{who}: {answer:?}"
        );
    } else {
        assert_eq!(answer.status, 403, "{who}: {answer:?}");
        answer.problem(403, "forbidden");
    }
}

/// A call with ids that name nothing and a body that asks for nothing.
async fn call(world: &World, method: &str, path: &str, key: Option<&str>) -> Answer {
    let (method, path) = route(method, path);
    let kind = if path.contains("/executions/") {
        "wf_exec_none"
    } else if path.contains("/templates/") {
        "tpl_none"
    } else if path.contains("/keys/") {
        "key_none"
    } else {
        "wf_none"
    };
    let path = path.replace("{id}", kind).replace("{name}", "go");
    let mut request = world.bare_request(method.parse().unwrap(), &path);
    if let Some(key) = key {
        request = request.bearer_auth(key);
    }
    if matches!(method.as_str(), "POST" | "PATCH") {
        request = request.json(&json!({}));
    }
    send(request).await
}

fn route(method: &str, path: &str) -> (String, String) {
    let path = path
        .strip_prefix('!')
        .map_or_else(|| format!("{BASE}{path}"), str::to_owned);
    (method.to_owned(), path)
}

async fn add_tenant(store: &Store, tier: Tier) -> Tenant {
    let new = NewOrganization {
        name: "Mill".to_owned(),
        tier: tier.to_string(),
    };
    let made = store.create_organization(System, &Actor::OPERATOR, new).await;
    Tenant(made.unwrap().id)
}

/// The key of a new member with this standing.
async fn add_key(store: &Store, tenant: &Tenant, standing: Standing, scopes: Scopes) -> String {
    let new = NewUser {
        name: "Miller".to_owned(),
        email: format!("{}@example.com", UserId::new()),
        global_role: standing.global_role.to_string(),
    };
    let user = store.create_user(System, new).await.unwrap().unwrap().id;
    let role = standing.organization_role.unwrap();
    store
        .add_member(tenant, &Actor::OPERATOR, &user, role)
        .await
        .unwrap();
    let (new, secret) = new_key("test");
    let new = NewApiKey { scopes, ..new };
    let added = store.add_api_key(tenant, &Actor::OPERATOR, &user, new).await;
    assert!(added.unwrap().is_some());
    secret
}
