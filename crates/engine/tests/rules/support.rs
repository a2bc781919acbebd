//! Support: a workflow in a few words, an effect that records how it was called, and a journal that shows its commits.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use gristmill_core::journal::{Entry, Usage};
use gristmill_core::{ExecutionId, Limits, Problem, WorkflowId};
use gristmill_engine::{
    Call, ChildRequest, Clock, Command, Compiled, Control, Effect, EffectOutput, Fields, InboxMessage,
    Journal, Kind, LeaseLost, ManualClock, NodeFailure, Options, Outcome, Plan, Registry, RetryPolicy, Run,
    Scope, Suspension, Template, builtin, compile_json,
};
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, watch};

/// A clock that moves on by a millisecond whenever somebody looks.
pub struct RestlessClock(AtomicI64);

impl RestlessClock {
    pub fn new(now: i64) -> Self {
        Self(AtomicI64::new(now))
    }
}

impl Clock for RestlessClock {
    fn now(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// What one attempt of a `call` node does.
#[derive(Clone)]
pub enum Act {
    Fail(NodeFailure),
    /// Replies, and says what a model used for it.
    Use(Usage),
    Panic,
    /// Never ends by itself.
    Hang,
    /// Ends when it is notified.
    Gate(Arc<Notify>),
    /// Fails when it is notified.
    GateThenFail(Arc<Notify>, NodeFailure),
    /// Moves the clock on, then never ends.
    Pass(i64),
}

/// What happened, in order: commits (`commit started:a`) and calls (`call a#1`).
#[derive(Clone, Default)]
pub struct World {
    pub events: Arc<Mutex<Vec<String>>>,
    pub calls: Arc<Mutex<Vec<Call>>>,
    script: Arc<Mutex<HashMap<String, VecDeque<Act>>>>,
    /// Everything that was ever sent to the execution.
    inbox: Arc<Mutex<Vec<InboxMessage>>>,
    /// Children that were asked for, each once, in order; the first has the id `wf_exec_child1`.
    pub children: Arc<Mutex<Vec<ChildRequest>>>,
    /// Every entry that was committed, whoever committed it.
    pub committed: Arc<Mutex<Vec<Entry>>>,
    changed: Arc<Notify>,
    pub clock: ManualClock,
}

impl World {
    pub fn new() -> Self {
        Self {
            clock: ManualClock::new(1_000_000),
            ..Self::default()
        }
    }

    /// The node's next attempts do these; after them it replies with what its `reply` renders to.
    pub fn script(self, node: &str, acts: impl IntoIterator<Item = Act>) -> Self {
        self.script
            .lock()
            .unwrap()
            .entry(node.to_owned())
            .or_default()
            .extend(acts);
        self
    }

    /// Sends a message and answers how many there are now.
    pub fn send(&self, name: &str, body: Value) -> i32 {
        let mut inbox = self.inbox.lock().unwrap();
        let seq = inbox.len() as i64 + 1;
        let name = name.to_owned();
        inbox.push(InboxMessage { seq, name, body });
        seq as i32
    }

    pub fn events(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }

    /// `node#attempt` of every call so far.
    pub fn calls(&self) -> Vec<String> {
        self.calls
            .lock()
            .unwrap()
            .iter()
            .map(|call| format!("{}#{}", call.node_id, call.attempt))
            .collect()
    }

    /// Waits until `done` says so of the events.
    pub async fn until(&self, done: impl Fn(&[String]) -> bool) {
        loop {
            let changed = self.changed.notified();
            if done(&self.events()) {
                return;
            }
            tokio::time::timeout(Duration::from_secs(60), changed)
                .await
                .expect("the event comes");
        }
    }

    fn note(&self, event: String) {
        self.events.lock().unwrap().push(event);
        self.changed.notify_waiters();
        self.changed.notify_one();
    }

    fn registry(&self) -> Registry {
        let mut kinds = builtin();
        kinds.push(Box::new(CallKind(self.clone())));
        let limits = Limits {
            max_nodes: 10_000,
            ..Limits::default()
        };
        Registry::new(kinds).unwrap().with_limits(limits)
    }

    /// Compiles, or says what is wrong.
    pub fn compile(&self, document: &Value) -> Result<Arc<Plan>, Vec<Problem>> {
        compile_json(document.as_object().unwrap(), &self.registry()).map(|(_, plan)| Arc::new(plan))
    }

    pub fn plan(&self, document: &Value) -> Arc<Plan> {
        self.compile(document)
            .unwrap_or_else(|problems| panic!("{problems:#?}"))
    }
}

/// Notes when an attempt that hung is gone.
struct Dropped(World);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.note("dropped".to_owned());
    }
}

/// `call`: an effect that does as the script says. `reply` is what it replies with otherwise.
struct CallKind(World);

struct CallNode(World, Vec<(String, Template)>);

impl Kind for CallKind {
    fn name(&self) -> &'static str {
        "call"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        let reply = fields.templates("reply").unwrap_or_default();
        let retry = RetryPolicy {
            initial_interval: Duration::from_millis(1),
            ..RetryPolicy::times(3)
        };
        Some(Compiled::effect(CallNode(self.0.clone(), reply)).with_retry(retry))
    }
}

impl Effect for CallNode {
    fn start(
        &self,
        scope: &Scope,
        call: Call,
    ) -> Result<BoxFuture<'static, Result<EffectOutput, NodeFailure>>, NodeFailure> {
        let mut output = Map::new();
        for (key, template) in &self.1 {
            output.insert(key.clone(), template.render(scope)?);
        }
        let world = self.0.clone();
        Ok(Box::pin(async move {
            let event = format!("call {}#{}", call.node_id, call.attempt);
            let act = world
                .script
                .lock()
                .unwrap()
                .get_mut(&call.node_id)
                .and_then(VecDeque::pop_front);
            world.calls.lock().unwrap().push(call);
            world.note(event);
            match act {
                None => Ok(EffectOutput { output, usage: None }),
                Some(Act::Fail(failure)) => Err(failure),
                Some(Act::Use(usage)) => Ok(EffectOutput {
                    output,
                    usage: Some(usage),
                }),
                Some(Act::Panic) => panic!("as the script says"),
                Some(Act::Hang) => {
                    let _dropped = Dropped(world);
                    std::future::pending().await
                }
                Some(Act::Gate(gate)) => {
                    gate.notified().await;
                    Ok(EffectOutput { output, usage: None })
                }
                Some(Act::GateThenFail(gate, failure)) => {
                    gate.notified().await;
                    Err(failure)
                }
                Some(Act::Pass(millis)) => {
                    world.clock.advance(millis);
                    std::future::pending().await
                }
            }
        }))
    }
}

/// Keeps the entries, notes every commit in the world's events, and loses its lease when told.
pub struct Notebook {
    world: World,
    pub entries: Vec<Entry>,
    /// How many more commits succeed.
    pub lease: usize,
}

impl Journal for Notebook {
    async fn append(&mut self, entries: Vec<Entry>) -> Result<(), LeaseLost> {
        let Some(left) = self.lease.checked_sub(1) else {
            return Err(LeaseLost);
        };
        self.lease = left;
        self.world.committed.lock().unwrap().extend(entries.clone());
        self.world.note(format!("commit {}", names(&entries).join(" ")));
        self.entries.extend(entries);
        Ok(())
    }

    async fn inbox(&mut self, after: i64) -> Result<Vec<InboxMessage>, LeaseLost> {
        let inbox = self.world.inbox.lock().unwrap();
        Ok(inbox
            .iter()
            .filter(|message| message.seq > after)
            .cloned()
            .collect())
    }

    async fn start_children(
        &mut self,
        children: Vec<ChildRequest>,
    ) -> Result<Vec<Result<ExecutionId, NodeFailure>>, LeaseLost> {
        if self.lease == 0 {
            return Err(LeaseLost);
        }
        let mut known = self.world.children.lock().unwrap();
        let answers = children.into_iter().map(|child| {
            if child.workflow_id.as_str() == "wf_nowhere" {
                return Err(NodeFailure::last("unknown_workflow", "there is no such workflow"));
            }
            let place = known.iter().position(|other| other.key == child.key);
            let place = place.unwrap_or_else(|| {
                known.push(child);
                known.len() - 1
            });
            Ok(format!("wf_exec_child{}", place + 1).parse().unwrap())
        });
        Ok(answers.collect())
    }

    async fn suspend(
        &mut self,
        entries: &[Entry],
        _wake_at: Option<i64>,
        inbox: i32,
    ) -> Result<Suspension, LeaseLost> {
        let now = self.world.inbox.lock().unwrap().len() as i32;
        if now != inbox {
            return Ok(Suspension::MessageArrived { inbox: now });
        }
        self.append(entries.to_vec()).await.map(|()| Suspension::Done)
    }
}

/// `completed:a`, one for each entry.
pub fn names(entries: &[Entry]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| {
            let json = serde_json::to_value(entry).unwrap();
            format!(
                "{}:{}",
                json["type"].as_str().unwrap(),
                entry.path().unwrap_or_default()
            )
        })
        .collect()
}

/// One run of one plan.
pub struct Harness {
    pub world: World,
    pub plan: Arc<Plan>,
    pub run: Run,
    pub options: Options,
    pub history: Vec<Entry>,
    pub lease: usize,
    pub commands: watch::Sender<Control>,
}

/// How a run ended, and its whole journal.
#[derive(Debug)]
pub struct Ended {
    pub outcome: Outcome,
    pub journal: Vec<Entry>,
    /// How many of them the outcome carried.
    pub carried: usize,
}

impl Harness {
    pub fn new(world: &World, document: &Value, input: Value) -> Self {
        let run = Run {
            execution_id: "wf_exec_1".parse::<ExecutionId>().unwrap(),
            workflow_id: "wf_1".parse::<WorkflowId>().unwrap(),
            revision: 3,
            started_at: 1_000_000,
            input: input.as_object().unwrap().clone(),
        };
        Self {
            world: world.clone(),
            plan: world.plan(document),
            run,
            options: Options::default(),
            history: Vec::new(),
            lease: usize::MAX,
            commands: watch::Sender::new(Control {
                command: Command::Run,
                inbox: world.inbox.lock().unwrap().len() as i32,
            }),
        }
    }

    /// Sends a message and tells the driver.
    pub fn send(&self, name: &str, body: Value) {
        let inbox = self.world.send(name, body);
        self.commands.send_modify(|control| control.inbox = inbox);
    }

    /// Takes the execution up again where `ended` left it, with the messages that are there now.
    pub fn after(mut self, ended: &Ended) -> Self {
        self.history = ended.journal.clone();
        self
    }

    /// Runs while the clock runs, so that short backoffs end.
    pub async fn go_on(&self) -> Ended {
        let tick = async {
            loop {
                tokio::time::sleep(Duration::from_millis(1)).await;
                self.world.clock.advance(1);
            }
        };
        tokio::select! { ended = self.go() => ended, () = tick => unreachable!() }
    }

    /// Runs while the clock stands still, unless the script moves it.
    pub async fn go(&self) -> Ended {
        self.go_by(&self.world.clock).await
    }

    /// Runs by another clock.
    pub async fn go_by(&self, clock: &dyn Clock) -> Ended {
        let mut journal = Notebook {
            world: self.world.clone(),
            entries: self.history.clone(),
            lease: self.lease,
        };
        let outcome = gristmill_engine::run(
            Arc::clone(&self.plan),
            self.run.clone(),
            self.history.clone(),
            &mut journal,
            clock,
            self.commands.subscribe(),
            &self.options,
        );
        let outcome = tokio::time::timeout(Duration::from_secs(120), outcome)
            .await
            .expect("the run ends");
        let entries = match &outcome {
            Outcome::Completed { entries, .. }
            | Outcome::Failed { entries, .. }
            | Outcome::Released { entries } => entries.clone(),
            Outcome::Suspended { .. } | Outcome::Lost => Vec::new(),
        };
        let carried = entries.len();
        Ended {
            outcome,
            journal: [journal.entries, entries].concat(),
            carried,
        }
    }
}

impl Ended {
    /// The result of a completed execution.
    pub fn output(&self) -> Value {
        match &self.outcome {
            Outcome::Completed { output, .. } => Value::Object(output.clone()),
            other => panic!("not completed: {other:?}"),
        }
    }

    /// The outcome of a failed execution, as it is when it is asked for again.
    pub fn outcome_without_entries(&self) -> Outcome {
        match &self.outcome {
            Outcome::Failed { error, totals, .. } => Outcome::Failed {
                error: error.clone(),
                totals: *totals,
                entries: Vec::new(),
            },
            other => panic!("not failed: {other:?}"),
        }
    }

    /// `code at path` of a failed execution.
    pub fn failure(&self) -> String {
        match &self.outcome {
            Outcome::Failed { error, .. } => {
                format!("{} at {}", error.code, error.path.as_deref().unwrap_or("-"))
            }
            other => panic!("not failed: {other:?}"),
        }
    }

    pub fn names(&self) -> Vec<String> {
        names(&self.journal)
    }

    /// The status in which a node ended: the type of its last entry.
    pub fn status(&self, node: &str) -> String {
        let suffix = format!(":{node}");
        let names = self.names();
        let last = names.iter().rev().find_map(|name| name.strip_suffix(&suffix));
        last.unwrap_or("none").to_owned()
    }
}

/// Runs `document` with `input` to its end, without a script.
pub async fn run(document: &Value, input: Value) -> Ended {
    Harness::new(&World::new(), document, input).go().await
}

/// A definition: nodes as `(id, type, data)`, edges as `a>b` or `a:handle>b`.
pub fn workflow(nodes: &[(&str, &str, Value)], edges: &[&str]) -> Value {
    let nodes: Vec<_> = nodes
        .iter()
        .map(|(id, kind, data)| json!({"id": id, "type": kind, "data": data}))
        .collect();
    let edges: Vec<_> = edges
        .iter()
        .map(|edge| {
            let (source, target) = edge.split_once('>').unwrap();
            match source.split_once(':') {
                Some((source, handle)) => {
                    json!({"source": source, "sourceHandle": handle, "target": target})
                }
                None => json!({"source": source, "target": target}),
            }
        })
        .collect();
    json!({"nodes": nodes, "edges": edges})
}

/// A `trigger` called `t`, then these nodes.
pub fn after_trigger(nodes: &[(&str, &str, Value)], edges: &[&str]) -> Value {
    let mut all = vec![("t", "trigger", json!({}))];
    all.extend(nodes.iter().cloned());
    workflow(&all, edges)
}

/// The data of a `transform` that sets one key.
pub fn set(key: &str, value: impl Into<Value>) -> Value {
    let value: Value = value.into();
    json!({"set": {key: value}})
}
