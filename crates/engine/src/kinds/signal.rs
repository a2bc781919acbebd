//! `signal`: waits until somebody sends the execution a signal called `name`; its payload becomes the output
//! `{<name>: payload}`. A signal that came before the node was reached is kept for it. With `timeoutMs` the wait is over by
//! then: `onTimeout: "fail"` (the default) fails the node, `"continue"` goes on with `{<name>: null}`.

use gristmill_core::journal::WaitsFor;
use serde_json::{Map, Value};

use crate::{Compiled, Fields, Kind, NodeFailure, Pause, Scope, Text, Wait};

/// The longest name, in bytes.
const MAX_NAME_LEN: usize = 100;

pub(crate) struct Signal;

struct Listen {
    name: Text,
    fails: bool,
}

impl Kind for Signal {
    fn name(&self) -> &'static str {
        "signal"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        let name = fields.required_text("name");
        if let Some(Err(message)) = name.as_ref().and_then(Text::fixed).map(|name| check(&name)) {
            fields.problem("name", "invalid_name", message);
        }
        let fails = fields
            .one_of("onTimeout", &[("fail", true), ("continue", false)])
            .unwrap_or(true);
        Some(Compiled::pause(Listen { name: name?, fails }))
    }
}

fn check(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > MAX_NAME_LEN || name.contains('/') || name.contains(char::is_control) {
        return Err(format!(
            "the name of a signal has 1 to {MAX_NAME_LEN} bytes and no slash or control character"
        ));
    }
    Ok(())
}

impl Pause for Listen {
    fn reach(&self, scope: &Scope, _now: i64) -> Result<Wait, NodeFailure> {
        let name = self.name.render(scope)?;
        check(&name).map_err(|message| NodeFailure::last("invalid_name", message))?;
        Ok(Wait {
            until: None,
            on: WaitsFor::Signal { name },
        })
    }

    fn arrived(&self, on: &WaitsFor, message: Option<&Value>) -> Map<String, Value> {
        output(
            on,
            message
                .filter(|body| !body.is_null())
                .cloned()
                .unwrap_or_else(|| Value::Object(Map::new())),
        )
    }

    fn gave_up(&self, on: &WaitsFor) -> Result<Map<String, Value>, NodeFailure> {
        if self.fails {
            let message = match on {
                WaitsFor::Signal { name } => format!("the signal `{name}` did not come within timeoutMs"),
                WaitsFor::Timer | WaitsFor::Child { .. } => "nothing came within timeoutMs".to_owned(),
            };
            return Err(NodeFailure::last("signal_timeout", message));
        }
        Ok(output(on, Value::Null))
    }
}

fn output(on: &WaitsFor, payload: Value) -> Map<String, Value> {
    match on {
        WaitsFor::Signal { name } => Map::from_iter([(name.clone(), payload)]),
        WaitsFor::Timer | WaitsFor::Child { .. } => Map::new(),
    }
}
