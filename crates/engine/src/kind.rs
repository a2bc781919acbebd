//! What a node kind is: it reads its configuration once, when a definition is compiled, and makes from it something
//! that runs.

use std::time::Duration;

use futures_util::future::BoxFuture;
use gristmill_core::ExecutionId;
use gristmill_core::journal::Usage;
use serde_json::{Map, Value};

use crate::{Fields, NodeFailure, RetryPolicy, Scope};

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
    /// How long one attempt may take when the node's `timeoutMs` does not say.
    pub timeout: Duration,
}

/// How a node runs.
pub enum Behaviour {
    /// At once and without I/O; the same scope always gives the same outcome.
    Pure(Box<dyn Pure>),
    /// With effects on the world outside: journalled before and after, retried, timed, and run in parallel.
    Effect(Box<dyn Effect>),
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

/// What a pure node came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PureOutcome {
    /// Its output, before merging.
    pub output: Map<String, Value>,
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

    /// A node that acts on the world outside: merged, may be disabled, all its edges are taken, tried once, for a
    /// minute at most.
    pub fn effect(node: impl Effect + 'static) -> Self {
        Self::new(Behaviour::Effect(Box::new(node)))
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
        self.timeout = timeout;
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
            timeout: Duration::from_secs(60),
        }
    }
}
