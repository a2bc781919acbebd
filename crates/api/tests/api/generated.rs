//! Requests made from the document: valid ones, and ones that are wrong in every way that chance comes upon.

mod bodies;
mod requests;

use gristmill_testkit::TestDatabase;
use serde_json::{Value, json};

use crate::described::{self, operations};
use crate::raw::RawRequest;
use crate::world::{BASE, World, add_organization, completed, failed, options};
use requests::Requests;

/// How many requests each operation gets.
const ROUNDS: usize = 40;

/// Repeats a run: the seed that it printed.
const SEED: &str = "GRISTMILL_REQUESTS_SEED";

pub(crate) async fn no_request_however_malformed_gets_a_5xx_or_a_reset(database: TestDatabase) {
    let limits = gristmill_api::Options {
        max_wait: std::time::Duration::from_millis(20),
        ..options()
    };
    let world = World::with(database, limits).await;
    let seed = std::env::var(SEED).map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("{SEED}={seed}");
    let mut requests = Requests {
        random: fastrand::Rng::with_seed(seed),
        key: world.key.clone(),
        ids: ids(&world).await,
        max_body: options().max_body_bytes,
    };
    for round in 0..ROUNDS {
        for operation in operations() {
            let request = requests.make(&operation);
            check(&world, &request)
                .await
                .unwrap_or_else(|fault| panic!("{SEED}={seed}, round {round}: {fault}\n{request:?}"));
        }
    }
}

/// One of each: what ended, what did not, and what is somebody else's.
async fn ids(world: &World) -> Vec<String> {
    let [pending, done, broken] = [
        world.execution().await,
        world.execution().await,
        world.execution().await,
    ];
    world.finish(&done, &[], completed()).await;
    world.finish(&broken, &[], failed()).await;
    let (other, _) = add_organization(&world.store).await;
    let mut ids = vec![world.workflow().await, other.to_string()];
    ids.extend([pending, done, broken].map(|id| id.to_string()));
    let templates = world.get(&format!("{BASE}/templates")).await.json();
    let key = world
        .post(&format!("{BASE}/keys"), &json!({"name": "spare"}))
        .await
        .json();
    let text = |id: &Value| id.as_str().unwrap().to_owned();
    ids.extend([text(&templates["templates"][0]["id"]), text(&key["key"]["id"])]);
    ids
}

async fn check(world: &World, request: &RawRequest) -> Result<(), String> {
    let answer = request.send(&world.address).await?;
    let told = format!("{answer:?}");
    if answer.status >= 500 {
        return Err(format!("a 5xx: {told}"));
    }
    // What is no HTTP never gets as far as a route.
    let is_http = !answer.headers.is_empty() && answer.header("x-request-id").is_some();
    if !is_http {
        return if answer.status == 400 || answer.status == 431 || answer.status == 414 {
            Ok(())
        } else {
            Err(format!("not answered by the API: {told}"))
        };
    }
    if answer.status >= 400 && request.method != "HEAD" {
        let body: Value = serde_json::from_str(&answer.text).unwrap_or_default();
        let is_problem = answer.header("content-type") == Some("application/problem+json");
        if !is_problem || body["status"] != answer.status {
            return Err(format!("no problem document: {told}"));
        }
    }
    let path = request
        .target
        .split(|byte| *byte == b'?')
        .next()
        .unwrap_or_default();
    let path = String::from_utf8_lossy(path);
    // A path that the generator made longer or shorter is no route, and has no description.
    if answer.text.contains("urn:gristmill:problem:unknown-route") {
        return Ok(());
    }
    described::fault(&request.method, &path, &answer).map_or(Ok(()), |fault| Err(format!("{fault}: {told}")))
}

/// A client that is still sending when the answer comes must get the answer, not a reset of its connection.
pub(crate) async fn a_body_that_nobody_reads_does_not_cost_the_answer(database: TestDatabase) {
    let world = World::on(database).await;
    let key = format!("Bearer {}", world.key).into_bytes();
    for (method, path, key, status) in [
        ("POST", "/nowhere", None, 404),
        ("POST", "/api/v1/ai-hub/workflows", None, 401),
        ("POST", "/api/v1/ai-hub/workflows", Some(&key), 413),
        ("PUT", "/api/v1/ai-hub/workflows", Some(&key), 405),
        ("GET", "/healthz", None, 200),
    ] {
        let json = ("content-type".to_owned(), b"application/json".to_vec());
        let key = key.map(|key| ("authorization".to_owned(), key.clone()));
        let request = RawRequest {
            method: method.to_owned(),
            target: path.as_bytes().to_vec(),
            headers: key.into_iter().chain([json]).collect(),
            body: vec![b'x'; 24 * 1024 * 1024],
        };
        let answer = request.send(&world.address).await;
        let answer = answer.unwrap_or_else(|fault| panic!("{method} {path}: {fault}"));
        assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
    }
}
