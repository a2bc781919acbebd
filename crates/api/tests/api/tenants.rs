//! Tenants: every route, called by one organization with another one's ids: there is no such thing, and nothing has
//! changed.

use std::collections::BTreeSet;

use gristmill_api::routes;
use gristmill_testkit::TestDatabase;
use serde_json::{Value, json};

use crate::world::{BASE, World, add_organization, failed, send, workflow};

/// What is answered to somebody who asks with another organization's ids.
#[derive(Debug, Clone, Copy)]
enum Answers {
    /// There is no such thing.
    NotFound,
    /// What the body refers to is none: 422.
    Refused,
    /// Something of the caller's own, and nothing of anybody else's.
    Own,
    /// Nothing that belongs to anybody.
    Nobodys,
}

use Answers::{Nobodys, NotFound, Own, Refused};

/// Every route at least once: method, path below [`BASE`] unless marked `!`, what follows the path, body, answer. `{id}` is
/// one of the other organization's, of the path's kind; wherever an id may be named otherwise, `{workflow}`, `{execution}`,
/// `{template}`, `{key}` and `{user}` are.
fn walk() -> Vec<(&'static str, &'static str, &'static str, Value, Answers)> {
    let nothing = Value::Null;
    let from_template = {
        let mut workflow = workflow();
        workflow["templateId"] = json!("{template}");
        workflow
    };
    let of_workflow = json!({"filter": {"workflowId": "{workflow}"}});
    vec![
        ("GET", "/workflows", "", nothing.clone(), Own),
        (
            "GET",
            "/workflows",
            "?templateId={template}",
            nothing.clone(),
            Own,
        ),
        ("POST", "/workflows", "", workflow(), Own),
        ("POST", "/workflows", "", from_template, Refused),
        ("GET", "/workflows/stats", "", nothing.clone(), Own),
        ("POST", "/workflows/validate", "", workflow(), Own),
        ("GET", "/workflows/{id}", "", nothing.clone(), NotFound),
        ("PATCH", "/workflows/{id}", "", json!({"name": "Taken"}), NotFound),
        ("DELETE", "/workflows/{id}", "", nothing.clone(), NotFound),
        ("POST", "/workflows/{id}/toggle", "", nothing.clone(), NotFound),
        ("POST", "/workflows/{id}/pause", "", nothing.clone(), NotFound),
        ("POST", "/workflows/{id}/resume", "", nothing.clone(), NotFound),
        ("GET", "/workflows/{id}/revisions", "", nothing.clone(), NotFound),
        ("POST", "/workflows/{id}/publish", "", json!({}), NotFound),
        (
            "POST",
            "/workflows/{id}/execute",
            "",
            json!({"input": {}}),
            NotFound,
        ),
        (
            "POST",
            "/workflows/{id}/executions:batch",
            "",
            json!({"inputs": [{}]}),
            NotFound,
        ),
        ("GET", "/usage", "", nothing.clone(), Own),
        ("GET", "/templates", "", nothing.clone(), Own),
        ("GET", "/templates/{id}", "", nothing.clone(), NotFound),
        ("DELETE", "/templates/{id}", "", nothing.clone(), NotFound),
        ("POST", "/templates/{id}/instantiate", "", json!({}), NotFound),
        ("GET", "/executions", "", nothing.clone(), Own),
        ("GET", "/executions", "?workflow={workflow}", nothing.clone(), Own),
        ("POST", "/executions:cancel", "", json!({"all": true}), Own),
        ("POST", "/executions:cancel", "", of_workflow.clone(), Own),
        ("POST", "/executions:retry", "", json!({"all": true}), Own),
        ("POST", "/executions:retry", "", of_workflow, Own),
        ("GET", "/executions/{id}", "", nothing.clone(), NotFound),
        ("DELETE", "/executions/{id}", "", nothing.clone(), NotFound),
        ("POST", "/executions/{id}/cancel", "", nothing.clone(), NotFound),
        ("POST", "/executions/{id}/retry", "", nothing.clone(), NotFound),
        (
            "POST",
            "/executions/{id}/replay",
            "",
            json!({"revision": "newest"}),
            NotFound,
        ),
        ("POST", "/executions/{id}/replay", "", nothing.clone(), NotFound),
        (
            "POST",
            "/executions/{id}/signals/{name}",
            "",
            json!({"n": 1}),
            NotFound,
        ),
        ("GET", "/executions/{id}/journal", "", nothing.clone(), NotFound),
        ("GET", "/executions/{id}/events", "", nothing.clone(), NotFound),
        ("GET", "/keys", "", nothing.clone(), Own),
        ("GET", "/keys", "?cursor={key}", nothing.clone(), Own),
        ("POST", "/keys", "", json!({"name": "mine"}), Own),
        ("DELETE", "/keys/{id}", "", nothing.clone(), NotFound),
        ("GET", "/audit", "", nothing.clone(), Own),
        ("GET", "/audit", "?objectId={execution}", nothing.clone(), Own),
        ("GET", "/audit", "?userId={user}", nothing.clone(), Own),
        ("GET", "/audit", "?keyId={key}", nothing.clone(), Own),
        ("GET", "!/healthz", "", nothing.clone(), Nobodys),
        ("GET", "!/readyz", "", nothing.clone(), Nobodys),
        ("GET", "!/openapi.json", "", nothing.clone(), Nobodys),
        ("GET", "!/docs", "", nothing.clone(), Nobodys),
        ("GET", "!/metrics", "", nothing, Nobodys),
    ]
}

/// The other organization's objects.
struct Objects {
    workflow: String,
    template: String,
    /// Who has no business with it may see it, too, and no more.
    shared: String,
    executions: Vec<String>,
    key: String,
    user: String,
}

impl Objects {
    async fn make(world: &World) -> Self {
        let (pending, broken) = (world.execution().await, world.execution().await);
        world.finish(&broken, &[], failed()).await;
        let workflow = world.workflow().await;
        let key = world
            .post(&format!("{BASE}/keys"), &json!({"name": "theirs"}))
            .await;
        assert_eq!(key.status, 201, "{key:?}");
        let user = world.store.first_organization(gristmill_store::System).await;
        Self {
            template: publish(world, &workflow, false).await,
            shared: publish(world, &workflow, true).await,
            workflow,
            executions: vec![pending.to_string(), broken.to_string()],
            key: key.json()["key"]["id"].as_str().unwrap().to_owned(),
            user: user.unwrap().unwrap().user_id.to_string(),
        }
    }

    /// The paths that `path` stands for, with each of the ids that may stand in it.
    fn paths(&self, method: &str, path: &str) -> Vec<String> {
        let path = full(path);
        if !path.contains("{id}") {
            return vec![path];
        }
        let ids = match path.trim_start_matches(BASE).split('/').nth(1) {
            Some("workflows") => vec![&self.workflow],
            Some("templates") if method == "DELETE" => vec![&self.template, &self.shared],
            Some("templates") => vec![&self.template],
            Some("executions") => self.executions.iter().collect(),
            Some("keys") => vec![&self.key],
            other => panic!("whose ids belong into {other:?}?"),
        };
        ids.into_iter()
            .map(|id| path.replace("{id}", id).replace("{name}", "approved"))
            .collect()
    }

    /// What follows a path, or a body, with the ids that it names.
    fn fill(&self, text: &str) -> String {
        text.replace("{workflow}", &self.workflow)
            .replace("{execution}", &self.executions[0])
            .replace("{template}", &self.template)
            .replace("{key}", &self.key)
            .replace("{user}", &self.user)
    }

    /// How everything stands, as its owner sees it.
    async fn stand(&self, world: &World) -> Vec<Value> {
        let mut paths = vec![
            format!("/workflows/{}", self.workflow),
            format!("/workflows/{}/revisions", self.workflow),
            format!("/templates/{}", self.template),
            format!("/templates/{}", self.shared),
        ];
        for id in &self.executions {
            paths.extend([format!("/executions/{id}"), format!("/executions/{id}/journal")]);
        }
        let lists = [
            "workflows",
            "workflows/stats",
            "templates",
            "executions",
            "keys",
            "audit",
            "usage",
        ];
        paths.extend(lists.map(|list| format!("/{list}")));
        let mut answers = Vec::new();
        for path in paths {
            let answer = world.get(&format!("{BASE}{path}")).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answers.push(without_uses(answer.json()));
        }
        answers
    }

    /// Of what is shared the others may know; that it was published is among what is told of it.
    fn is_named_in(&self, text: &str) -> bool {
        let ids = [&self.workflow, &self.template, &self.key, &self.user];
        let mut ids = ids.into_iter().chain(&self.executions);
        ids.any(|id| text.contains(id.as_str()))
    }
}

/// A key's use is noted later than the request that uses it.
fn without_uses(mut answer: Value) -> Value {
    if let Some(keys) = answer.get_mut("keys").and_then(Value::as_array_mut) {
        for key in keys {
            key["lastUsedAt"].take();
        }
    }
    answer
}

async fn publish(world: &World, workflow: &str, shared: bool) -> String {
    let path = format!("{BASE}/workflows/{workflow}/publish");
    let published = world.post(&path, &json!({"isShared": shared})).await;
    assert_eq!(published.status, 201, "{published:?}");
    published.json()["template"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_route_has_a_line_in_the_walk() {
    let known: BTreeSet<_> = walk()
        .into_iter()
        .map(|(method, path, ..)| (method.to_owned(), full(path)))
        .collect();
    let routes = routes().into_iter();
    let routes: BTreeSet<_> = routes
        .map(|route| (route.method.to_string(), route.path.to_owned()))
        .collect();
    assert_eq!(known, routes);
}

pub(crate) async fn no_route_tells_or_changes_what_is_another_organizations(database: TestDatabase) {
    let mut world = World::on(database).await;
    let theirs = Objects::make(&world).await;
    let before = theirs.stand(&world).await;
    let mine = add_organization(&world.store).await.1;
    let owner = std::mem::replace(&mut world.key, mine);

    for (method, path, more, body, answers) in walk() {
        for path in theirs.paths(method, path) {
            let path = path + &theirs.fill(more);
            let mut request = world.request(method.parse().unwrap(), &path);
            if !body.is_null() {
                request = request
                    .header("content-type", "application/json")
                    .body(theirs.fill(&body.to_string()));
            }
            let answer = send(request).await;
            match answers {
                NotFound => drop(answer.problem(404, "not-found")),
                Refused => drop(answer.problem(422, "invalid")),
                Own | Nobodys => {
                    assert!(
                        (200..300).contains(&answer.status) && !theirs.is_named_in(&answer.text),
                        "{method} {path}: {answer:?}"
                    );
                }
            }
        }
    }

    world.key = owner;
    assert_eq!(theirs.stand(&world).await, before);
}

fn full(path: &str) -> String {
    path.strip_prefix('!')
        .map_or_else(|| format!("{BASE}{path}"), str::to_owned)
}
