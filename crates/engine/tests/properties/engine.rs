//! Engine: runs a recipe in the engine. Effects take random numbers of turns, which the seed decides.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use gristmill_core::journal::Entry;
use gristmill_core::{ExecutionId, WorkflowId};
use gristmill_engine::{
    Call, Command, Compiled, Effect, EffectOutput, Fields, Kind, ManualClock, MemoryJournal, NodeFailure,
    Options, Outcome, Plan, Registry, RetryPolicy, Run, Scope, Template, builtin, compile_json,
};
use serde_json::{Map, Value};
use tokio::sync::watch;

/// How a run ended, and what happened in it.
pub struct Ended {
    pub outcome: Outcome,
    pub journal: Vec<Entry>,
    /// The idempotency keys of the calls that were made.
    pub calls: Vec<String>,
}

#[derive(Clone)]
struct Act {
    seed: u64,
    calls: Arc<Mutex<Vec<String>>>,
}

struct ActNode {
    act: Act,
    reply: Vec<(String, Template)>,
    retries: u64,
    fatal: bool,
}

impl Kind for Act {
    fn name(&self) -> &'static str {
        "act"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        let node = ActNode {
            act: self.clone(),
            reply: fields.templates("reply")?,
            retries: fields.u64("retries", 0..=10)?,
            fatal: fields.bool("fatal")?,
        };
        Some(Compiled::effect(node).with_retry(RetryPolicy::times(20)))
    }
}

impl Effect for ActNode {
    fn start(
        &self,
        scope: &Scope,
        call: Call,
    ) -> Result<BoxFuture<'static, Result<EffectOutput, NodeFailure>>, NodeFailure> {
        let mut output = Map::new();
        for (key, template) in &self.reply {
            output.insert(key.clone(), template.render(scope)?);
        }
        let mut hasher = DefaultHasher::new();
        (self.act.seed, &call.idempotency_key, call.attempt).hash(&mut hasher);
        let turns = hasher.finish() % 5;
        self.act.calls.lock().unwrap().push(call.idempotency_key);
        let fails = u64::from(call.attempt) <= self.retries;
        let fatal = self.fatal;
        Ok(Box::pin(async move {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            match (fails, fatal) {
                (true, _) => Err(NodeFailure::retry("again", "not yet").after(Some(Duration::ZERO))),
                (_, true) => Err(NodeFailure::last("fatal", "never")),
                _ => Ok(EffectOutput { output, usage: None }),
            }
        }))
    }
}

/// Runs `document` from where `history` ends.
pub fn run(document: &Value, input: &Map<String, Value>, seed: u64, history: &[Entry]) -> Ended {
    let act = Act {
        seed,
        calls: Arc::default(),
    };
    let mut kinds = builtin();
    kinds.push(Box::new(act.clone()));
    let registry = Registry::new(kinds).unwrap();
    let plan: Arc<Plan> = match compile_json(document.as_object().unwrap(), &registry) {
        Ok((_, plan)) => Arc::new(plan),
        Err(problems) => panic!("{problems:#?}"),
    };
    let run = Run {
        execution_id: "wf_exec_1".parse::<ExecutionId>().unwrap(),
        workflow_id: "wf_1".parse::<WorkflowId>().unwrap(),
        revision: 1,
        started_at: 0,
        input: input.clone(),
    };
    let mut journal = MemoryJournal {
        entries: history.to_vec(),
        commits: 0,
    };
    let (_keep, control) = watch::channel(Command::Run.into());
    let (clock, options) = (ManualClock::new(0), Options::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let outcome = runtime.block_on(async {
        let run = gristmill_engine::run(
            plan,
            run,
            history.to_vec(),
            &mut journal,
            &clock,
            control,
            &options,
        );
        tokio::time::timeout(Duration::from_secs(60), run)
            .await
            .expect("the run ends")
    });
    match &outcome {
        Outcome::Completed { entries, .. } | Outcome::Failed { entries, .. } => {
            journal.entries.extend_from_slice(entries);
        }
        other => panic!("neither completed nor failed: {other:?}"),
    }
    let calls = act.calls.lock().unwrap().clone();
    Ended {
        outcome,
        journal: journal.entries,
        calls,
    }
}
