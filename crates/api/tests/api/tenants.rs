//! Every route, called by one organization with another one's ids: there is no such thing, and nothing has changed.

use std::collections::BTreeSet;

use gristmill_testkit::TestDatabase;
use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{BASE, World, add_organization, failed, send};

/// The table of contents, as it is written.
const ROUTER: &str = include_str!("../../src/router.rs");

/// What a route answers to somebody who calls it with another organization's ids.
enum Answers {
    /// There is no such thing.
    NotFound,
    /// It takes no id: something of the caller's own, and nothing of anybody else's.
    Own,
    /// Nothing that belongs to anybody.
    Nobodys,
}

use Answers::{Nobodys, NotFound, Own};

/// Every route: method, path below [`BASE`] (or from the root, where it is nobody's), body, answer. `{id}` and `{name}` are
/// filled in by [`Objects::fill`].
fn table() -> Vec<(&'static str, &'static str, Value, Answers)> {
    vec![
        ("GET", "/workflows", Value::Null, Own),
        ("POST", "/workflows", crate::world::workflow(), Own),
        ("GET", "/workflows/stats", Value::Null, Own),
        ("POST", "/workflows/validate", crate::world::workflow(), Own),
        ("GET", "/workflows/{id}", Value::Null, NotFound),
        ("PATCH", "/workflows/{id}", json!({"name": "Taken"}), NotFound),
        ("DELETE", "/workflows/{id}", Value::Null, NotFound),
        ("POST", "/workflows/{id}/toggle", Value::Null, NotFound),
        ("POST", "/workflows/{id}/pause", Value::Null, NotFound),
        ("POST", "/workflows/{id}/resume", Value::Null, NotFound),
        ("GET", "/workflows/{id}/revisions", Value::Null, NotFound),
        ("POST", "/workflows/{id}/publish", json!({"isShared": true}), NotFound),
        ("POST", "/workflows/{id}/execute", json!({"input": {}}), NotFound),
        ("GET", "/templates", Value::Null, Own),
        ("GET", "/templates/{id}", Value::Null, NotFound),
        ("DELETE", "/templates/{id}", Value::Null, NotFound),
        ("POST", "/templates/{id}/instantiate", json!({}), NotFound),
        ("GET", "/executions", Value::Null, Own),
        ("POST", "/executions:cancel", json!({"all": true}), Own),
        ("POST", "/executions:retry", json!({"all": true}), Own),
        ("GET", "/executions/{id}", Value::Null, NotFound),
        ("DELETE", "/executions/{id}", Value::Null, NotFound),
        ("POST", "/executions/{id}/cancel", Value::Null, NotFound),
        ("POST", "/executions/{id}/retry", Value::Null, NotFound),
        ("POST", "/executions/{id}/replay", json!({"revision": "newest"}), NotFound),
        ("POST", "/executions/{id}/signals/{name}", json!({"n": 1}), NotFound),
        ("GET", "/executions/{id}/journal", Value::Null, NotFound),
        ("GET", "/executions/{id}/events", Value::Null, NotFound),
        ("GET", "/healthz", Value::Null, Nobodys),
        ("GET", "/readyz", Value::Null, Nobodys),
        ("GET", "/metrics", Value::Null, Nobodys),
    ]
}

/// The other organization's objects.
struct Objects {
    workflow: String,
    template: String,
    executions: Vec<String>,
}

impl Objects {
    async fn make(world: &World) -> Self {
        let (pending, broken) = (world.execution().await, world.execution().await);
        world.finish(&broken, &[], failed()).await;
        let workflow = world.workflow().await;
        let published = world
            .post(&format!("{BASE}/workflows/{workflow}/publish"), &json!({}))
            .await;
        assert_eq!(published.status, 201, "{published:?}");
        Self {
            workflow,
            template: published.json()["template"]["id"].as_str().unwrap().to_owned(),
            executions: vec![pending.to_string(), broken.to_string()],
        }
    }

    /// The paths that `path` stands for, with each of the ids that may stand in it.
    fn fill(&self, path: &str) -> Vec<String> {
        if !path.contains("{id}") {
            return vec![path.to_owned()];
        }
        let ids = match path.trim_start_matches(BASE).split('/').nth(1) {
            Some("workflows") => std::slice::from_ref(&self.workflow),
            Some("templates") => std::slice::from_ref(&self.template),
            Some("executions") => &self.executions,
            other => panic!("whose ids belong into {other:?}?"),
        };
        ids.iter()
            .map(|id| path.replace("{id}", id).replace("{name}", "approved"))
            .collect()
    }

    /// How everything stands, as its owner sees it.
    async fn stand(&self, world: &World) -> Vec<String> {
        let mut paths = vec![
            format!("{BASE}/workflows/{}", self.workflow),
            format!("{BASE}/workflows/{}/revisions", self.workflow),
            format!("{BASE}/templates/{}", self.template),
        ];
        for id in &self.executions {
            paths.extend([
                format!("{BASE}/executions/{id}"),
                format!("{BASE}/executions/{id}/journal"),
            ]);
        }
        let mut answers = Vec::new();
        for path in paths {
            let answer = world.get(&path).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            answers.push(answer.text);
        }
        answers
    }

    fn is_named_in(&self, text: &str) -> bool {
        let ids = self.executions.iter().chain([&self.workflow, &self.template]);
        ids.into_iter().any(|id| text.contains(id.as_str()))
    }
}

pub(crate) async fn no_route_tells_or_changes_what_is_another_organizations(database: TestDatabase) {
    let mut world = World::on(database).await;
    let theirs = Objects::make(&world).await;
    let before = theirs.stand(&world).await;
    let mine = add_organization(&world.store).await.1;
    let owner = std::mem::replace(&mut world.key, mine);

    for (method, path, body, answers) in table() {
        for path in theirs.fill(&full(path, &answers)) {
            let name = format!("{method} {path}");
            let mut request = world.request(method.parse().unwrap(), &path);
            if !body.is_null() {
                request = request.json(&body);
            }
            let answer = send(request).await;
            match answers {
                NotFound => {
                    answer.problem(404, "not-found");
                }
                Own | Nobodys => {
                    assert!((200..300).contains(&answer.status), "{name}: {answer:?}");
                    assert!(!theirs.is_named_in(&answer.text), "{name}: {answer:?}");
                }
            }
        }
    }

    world.key = owner;
    assert_eq!(theirs.stand(&world).await, before);
}

/// The paths are those of the table of contents; which methods each one knows is what the API itself says.
pub(crate) async fn the_walk_through_the_routes_leaves_none_out(database: TestDatabase) {
    let world = World::on(database).await;
    let mut routes = BTreeSet::new();
    let literals = ROUTER.split('"').skip(1).step_by(2);
    for path in literals.filter(|literal| literal.starts_with('/')) {
        let answer = send(world.bare_request(Method::from_bytes(b"UNKNOWN").unwrap(), path)).await;
        // What other routes begin with is none itself.
        if answer.status == 404 {
            continue;
        }
        answer.problem(405, "method-not-allowed");
        let methods = answer.header("allow").unwrap().split(',');
        routes.extend(
            methods
                .filter(|method| *method != "HEAD")
                .map(|method| format!("{method} {path}")),
        );
    }
    let walked = table()
        .into_iter()
        .map(|(method, path, _, answers)| format!("{method} {}", full(path, &answers)));
    assert!(routes.len() > 10, "{routes:?}");
    assert_eq!(walked.collect::<BTreeSet<_>>(), routes);
}

fn full(path: &str, answers: &Answers) -> String {
    match answers {
        Nobodys => path.to_owned(),
        NotFound | Own => format!("{BASE}{path}"),
    }
}
