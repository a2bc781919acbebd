//! Support: runs one node outside of any graph.

use std::time::Duration;

use gristmill_core::{ExecutionId, Path, Problem};
use gristmill_effects::{HttpOptions, Options, kinds};
use gristmill_engine::{Behaviour, Call, Compiled, Fields, NodeFailure, Scope};
use serde_json::{Map, Value, json};

/// Options that let the tests' endpoints be called.
pub fn private() -> HttpOptions {
    HttpOptions {
        allow_private_addresses: true,
        ..HttpOptions::default()
    }
}

/// Options that let these hosts, and no other private ones, be called.
pub fn allowing<const N: usize>(hosts: [String; N]) -> HttpOptions {
    HttpOptions {
        allow_hosts: hosts.into(),
        ..HttpOptions::default()
    }
}

/// Compiles an `integration` node from its `data`.
pub fn compile(options: HttpOptions, data: &Value) -> Result<Compiled, Vec<Problem>> {
    let kinds = kinds(Options { http: options }).unwrap();
    let kind = kinds.iter().find(|kind| kind.name() == "integration").unwrap();
    let mut problems = Vec::new();
    let mut fields = Fields::new(Path::root(), data.as_object().unwrap(), &mut problems);
    let compiled = kind.compile(&mut fields);
    fields.finish();
    if problems.is_empty() {
        Ok(compiled.expect("compiles without a problem"))
    } else {
        Err(problems)
    }
}

/// Runs an `integration` node once, in `scope`.
pub async fn run_in(
    scope: Value,
    options: HttpOptions,
    data: Value,
) -> Result<Map<String, Value>, Box<NodeFailure>> {
    let compiled = compile(options, &data).unwrap();
    let Behaviour::Effect(effect) = compiled.behaviour else {
        panic!("integration is an effect")
    };
    let call = Call {
        idempotency_key: "wf_exec_1:node".to_owned(),
        attempt: 1,
        execution_id: ExecutionId::new(),
        node_id: "node".to_owned(),
        timeout: Duration::from_secs(30),
    };
    let attempt = effect.start(&Scope::from_json(scope.as_object().unwrap().clone()), call)?;
    Ok(attempt.await?.output)
}

/// Runs an `integration` node once.
pub async fn run(options: HttpOptions, data: Value) -> Result<Map<String, Value>, Box<NodeFailure>> {
    run_in(json!({}), options, data).await
}
