//! What a node kind is: it reads its configuration once, when a definition is compiled, and makes from it something
//! that runs.

use std::time::Duration;

use futures_util::future::BoxFuture;
use gristmill_core::journal::{Output, Usage, WaitsFor};
use gristmill_core::{ExecutionId, WorkflowId};
use serde_json::{Map, Value};

use crate::{Fields, InputSchema, NodeFailure, RetryPolicy, Scope, Template};

/// A node kind: one file that reads its part of `data`, says what is wrong with it, and runs it.
pub trait Kind: Send + Sync {
    /// The node's `type` in a definition.
    fn name(&self) -> &'static str;

    /// Reads the kind's own keys of `data`. `None` when `fields` collected a problem that leaves nothing to run. Unknown
    /// keys are the engine's to report: every key that was not asked for is one.
    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled>;
}

/// A node's configuration, ready to run any number of times.
pub struct Compiled {
    /// How it runs.
    pub behaviour: Behaviour,
    /// The handles that its edges may leave from, when it chooses one; `None` when all its edges are taken.
    pub handles: Option<Vec<String>>,
    /// Whether its output is merged into the scope of later nodes and into the result.
    pub merges: bool,
    /// Whether `disabled` may be set on it.
    pub may_be_disabled: bool,
    /// Whether it is a place where executions begin.
    pub is_trigger: bool,
    /// How often an attempt is repeated when the node's `retry` does not say.
    pub retry: RetryPolicy,
    /// How long one attempt may take when the node's `timeoutMs` does not say; `None` is for ever.
    pub timeout: Option<Duration>,
    /// What a trigger asks of the execution's input.
    pub input_schema: Option<Box<InputSchema>>,
}

/// How a node runs.
pub enum Behaviour {
    /// At once and without I/O; the same scope always gives the same outcome.
    Pure(Box<dyn Pure>),
    /// With effects on the world outside: journalled before and after, retried, timed, and run in parallel.
    Effect(Box<dyn Effect>),
    /// By waiting for a time or for a message, without a worker when it takes long.
    Pause(Box<dyn Pause>),
    /// By starting a child execution and waiting for its end.
    Child(Box<dyn Child>),
    /// By running its body for each of its items.
    Each(Box<Each>),
}

/// A node that only computes.
pub trait Pure: Send + Sync {
    /// The node's output, from what it can see.
    ///
    /// # Errors
    /// When an expression fails. Running it again would fail again, so a pure node is never retried.
    fn evaluate(&self, scope: &Scope) -> Result<PureOutcome, NodeFailure>;
}

/// A node that acts on the world outside.
pub trait Effect: Send + Sync {
    /// Renders what the attempt needs and returns the attempt itself. Nothing may happen outside before the future is
    /// polled. The future is dropped, at any await, when the attempt is aborted or times out.
    ///
    /// # Errors
    /// When the configuration cannot be rendered.
    fn start(
        &self,
        scope: &Scope,
        call: Call,
    ) -> Result<BoxFuture<'static, Result<EffectOutput, NodeFailure>>, NodeFailure>;
}

/// A node that waits.
pub trait Pause: Send + Sync {
    /// What the node waits for, from what it can see when its turn comes at `now` (database time in milliseconds).
    ///
    /// # Errors
    /// When the configuration cannot be rendered, or makes no sense.
    fn reach(&self, scope: &Scope, now: i64) -> Result<Wait, NodeFailure>;

    /// The node's output when what it waited for came: nothing for a time, the body for a message.
    fn arrived(&self, on: &WaitsFor, message: Option<&Value>) -> Map<String, Value>;

    /// What it means that `until` came before the message.
    ///
    /// # Errors
    /// When that is a failure of the node.
    fn gave_up(&self, on: &WaitsFor) -> Result<Map<String, Value>, NodeFailure>;
}

/// A wait that begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// When it is over, whatever else happens: database time in milliseconds.
    pub until: Option<i64>,
    /// What ends it.
    pub on: WaitsFor,
}

/// A node that runs another workflow.
pub trait Child: Send + Sync {
    /// The workflow to run, and its input.
    ///
    /// # Errors
    /// When the configuration cannot be rendered, or names no workflow.
    fn request(&self, scope: &Scope) -> Result<(WorkflowId, Map<String, Value>), NodeFailure>;
}

/// A node that runs its body for each of its items.
#[derive(Debug)]
pub struct Each {
    /// Comes to the items.
    pub items: Template,
    /// How many items are under way at the same time.
    pub concurrency: u32,
    /// What becomes of the others when an item fails: `false` fails the node, `true` keeps the error in the item's place.
    pub collect: bool,
}

/// What a pure node came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PureOutcome {
    /// Its output, before merging.
    pub output: Output,
    /// The handle that it chose, one of [`Compiled::handles`].
    pub handle: Option<String>,
}

/// What an effect came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EffectOutput {
    /// Its output, before merging.
    pub output: Map<String, Value>,
    /// What a model call used.
    pub usage: Option<Usage>,
}

/// One attempt of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// `<execution>:<path>`: equal for every automatic retry, so that the other side can recognize a repeated call.
    pub idempotency_key: String,
    /// The first is 1.
    pub attempt: u32,
    /// The execution that it belongs to.
    pub execution_id: ExecutionId,
    /// The node's id.
    pub node_id: String,
    /// How long the attempt may take; the engine ends it then.
    pub timeout: Duration,
}

impl Compiled {
    /// A node that only computes: merged, may be disabled, all its edges are taken.
    pub fn pure(node: impl Pure + 'static) -> Self {
        Self::new(Behaviour::Pure(Box::new(node)))
    }

    /// A node that waits: merged, may be disabled, all its edges are taken, for ever unless it says otherwise.
    pub fn pause(node: impl Pause + 'static) -> Self {
        Self::new(Behaviour::Pause(Box::new(node)))
    }

    /// A node that runs another workflow: as [`pause`](Self::pause), tried once.
    pub fn child(node: impl Child + 'static) -> Self {
        Self::new(Behaviour::Child(Box::new(node)))
    }

    /// A node that runs its body for each of its items.
    pub fn each(node: Each) -> Self {
        Self::new(Behaviour::Each(Box::new(node)))
    }

    /// A node that acts on the world outside: merged, may be disabled, all its edges are taken, tried once, for a
    /// minute at most.
    pub fn effect(node: impl Effect + 'static) -> Self {
        Self::new(Behaviour::Effect(Box::new(node))).with_timeout(Duration::from_secs(60))
    }

    /// With another default for `retry`.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.retry = retry;
        self
    }

    /// With another default for `timeoutMs`.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    fn new(behaviour: Behaviour) -> Self {
        Self {
            behaviour,
            handles: None,
            merges: true,
            may_be_disabled: true,
            is_trigger: false,
            retry: RetryPolicy::once(),
            timeout: None,
            input_schema: None,
        }
    }
}
