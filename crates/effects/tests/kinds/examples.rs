//! Examples: the workflows in `examples/`, every record of their data files through the engine, against the directory
//! service that `examples/README.md` describes.

use std::path::Path;
use std::sync::Arc;

use gristmill_core::{ExecutionId, WorkflowId};
use gristmill_effects::kinds;
use gristmill_engine::{
    Command, ManualClock, MemoryJournal, Options, Outcome, Plan, Registry, Run, builtin, compile_json,
};
use gristmill_testkit::{RecordedCall, RecordingEndpoint, Reply};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use crate::support::private;

#[tokio::test]
async fn the_hello_example_greets() {
    let plan = plan("hello.json", "http://127.0.0.1:0");
    let ada = execute(&plan, object(json!({"name": "Ada"}))).await;
    assert_eq!(
        Value::Object(ada),
        json!({"name": "Ada", "greeting": "Hello, Ada!"})
    );
    let nobody = execute(&plan, Map::new()).await;
    assert_eq!(Value::Object(nobody), json!({"greeting": "Hello, world!"}));
}

#[tokio::test]
async fn every_airport_gets_its_card() {
    let directory = RecordingEndpoint::answering(directory).await;
    let plan = plan("airports.json", &directory.url());
    let mut cards = Map::new();
    for airport in records("airports.jsonl") {
        let mut output = execute(&plan, airport).await;
        let code = output["iata"].as_str().unwrap().to_owned();
        cards.insert(code, output.remove("card").unwrap());
    }
    assert_eq!(cards.len(), 3_376);
    assert_eq!(
        cards["DBN"],
        json!({
            "title": "W. H. \"Bud\" Barron (DBN)",
            "place": "Dublin, GA",
            "position": {"latitude": 32.564, "longitude": -82.985},
            "region": "mainland",
            "hemisphere": "west",
            "registered": false,
            "reference": null,
        })
    );
    assert_eq!(
        cards["ROR"],
        json!({
            "title": "Babelthoup/Koror (ROR)",
            "place": "Palau",
            "position": {"latitude": 7.367, "longitude": 134.544},
            "region": "abroad",
            "hemisphere": "east",
            "registered": true,
            "reference": "abroad-ROR",
        })
    );
    assert_eq!(cards["HHH"]["reference"], "unplaced-HHH");
    let calls = directory.calls();
    let registered = cards.values().filter(|card| card["registered"] == true).count();
    assert_eq!(
        (calls.len(), registered),
        (315, 315),
        "each remote airport is registered once"
    );
    let koror = calls.iter().find(|call| call.json()["code"] == "ROR").unwrap();
    assert_eq!(koror.query, "region=abroad");
    assert_eq!(koror.json()["position"], json!([7.367_222, 134.544_167]));
}

#[tokio::test]
async fn every_car_gets_its_sheet() {
    let directory = RecordingEndpoint::answering(directory).await;
    let plan = plan("cars.json", &directory.url());
    let mut sheets = Vec::new();
    for car in records("cars.jsonl") {
        sheets.push(execute(&plan, car).await.remove("sheet").unwrap());
    }
    assert_eq!(sheets.len(), 406);
    assert_eq!(
        sheets[0],
        json!({
            "title": "Chevrolet Chevelle Malibu (1970)",
            "continent": "North America",
            "weightKg": 1589.0,
            "litresPer100Km": 13.1,
            "kilowatts": 96.9,
            "kgPerKilowatt": 16.4,
            "rating": "thirsty",
        })
    );
    let count = |key: &str, value: Value| sheets.iter().filter(|sheet| sheet[key] == value).count();
    assert_eq!(count("litresPer100Km", Value::Null), 8);
    assert_eq!(count("rating", Value::Null), 8);
    assert_eq!(count("kilowatts", Value::Null), 6);
    assert_eq!(count("continent", json!("Asia")), 79);
    assert_eq!(count("continent", json!("Europe")), 73);
    assert_eq!(directory.calls().len(), 79 + 73);
}

#[tokio::test]
async fn a_car_completes_without_a_directory() {
    let directory = RecordingEndpoint::answering(|_| Reply::text(404, "unknown")).await;
    let plan = plan("cars.json", &directory.url());
    let car = records("cars.jsonl")
        .into_iter()
        .find(|car| car["Origin"] == "Japan")
        .unwrap();
    let output = execute(&plan, car).await;
    assert_eq!(output["sheet"]["continent"], Value::Null);
    assert_eq!(directory.calls().len(), 1, "a 404 is not tried again");
}

fn directory(call: &RecordedCall) -> Reply {
    match (call.method.as_str(), call.path.as_str()) {
        ("POST", "/airports") => {
            let code = &call.json()["code"];
            let region = call.query.strip_prefix("region=").unwrap_or_default();
            let reference = format!("{region}-{}", code.as_str().unwrap_or_default());
            Reply::json(201, json!({"reference": reference, "code": code}))
        }
        ("GET", "/origins/USA") => origin("USA", "North America"),
        ("GET", "/origins/Japan") => origin("Japan", "Asia"),
        ("GET", "/origins/Europe") => origin("Europe", "Europe"),
        _ => Reply::json(404, json!({})),
    }
}

fn origin(origin: &str, continent: &str) -> Reply {
    Reply::json(200, json!({"origin": origin, "continent": continent}))
}

fn plan(file: &str, directory_url: &str) -> Arc<Plan> {
    let mut document = object(serde_json::from_str(&read(file)).unwrap());
    if let Some(variables) = document.get_mut("variables") {
        variables["directoryUrl"] = json!(directory_url);
    }
    let registry = Registry::new(
        builtin()
            .into_iter()
            .chain(kinds(gristmill_effects::Options { http: private() }).unwrap())
            .collect(),
    )
    .unwrap();
    let (_, plan) = compile_json(&document, &registry).unwrap();
    Arc::new(plan)
}

/// The output of an execution that has to complete.
async fn execute(plan: &Arc<Plan>, input: Map<String, Value>) -> Map<String, Value> {
    let run = Run {
        execution_id: ExecutionId::new(),
        workflow_id: WorkflowId::new(),
        revision: 1,
        started_at: 0,
        input,
    };
    let (_keep, commands) = watch::channel(Command::Run.into());
    let mut journal = MemoryJournal::default();
    let clock = ManualClock::new(0);
    let options = Options::default();
    let outcome = gristmill_engine::run(
        Arc::clone(plan),
        run,
        Vec::new(),
        &mut journal,
        &clock,
        commands,
        &options,
    )
    .await;
    match outcome {
        Outcome::Completed { output, .. } => output,
        other => panic!("not completed: {other:#?}"),
    }
}

fn records(file: &str) -> Vec<Map<String, Value>> {
    let text = read(&format!("data/{file}"));
    text.lines()
        .map(|line| object(serde_json::from_str(line).unwrap()))
        .collect()
}

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}
