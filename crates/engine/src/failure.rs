//! Failure: how a node run, or one attempt of it, fails. What to do about it is in the type, not in the text.

use std::time::Duration;

use gristmill_core::journal::{NodeError, NotKept, Usage};
use serde_json::{Map, Value};

/// A failure of a node run or of one attempt of an effect.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeFailure {
    /// Why, as the journal and the logs show it. Boxed: results that may be failures stay small.
    pub error: Box<NodeError>,
    /// What to do about it.
    pub class: FailureClass,
    /// What a model call of the attempt used all the same: it is paid for.
    pub usage: Option<Box<Usage>>,
}

/// Whether another attempt may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureClass {
    /// Another attempt may help.
    Retry {
        /// When the other side said so, how long to wait; it replaces the computed interval.
        after: Option<Duration>,
    },
    /// The same would happen again.
    Final,
}

impl NodeFailure {
    /// A failure that another attempt would only repeat. `code` is stable, for programs; `message` is for people.
    pub fn last(code: &str, message: impl Into<String>) -> Self {
        Self {
            error: Box::new(NodeError::new(code, message)),
            class: FailureClass::Final,
            usage: None,
        }
    }

    /// A failure that another attempt may not meet.
    pub fn retry(code: &str, message: impl Into<String>) -> Self {
        Self {
            error: Box::new(NodeError::new(code, message)),
            class: FailureClass::Retry { after: None },
            usage: None,
        }
    }

    /// The failure of a node run because the journal cannot hold `what` came of it.
    pub(crate) fn not_kept(what: &str, cause: NotKept) -> Self {
        let code = match cause {
            NotKept::TooDeep => "output_depth",
            NotKept::ReservedKey => "reserved_key",
        };
        Self::last(code, format!("{what} {cause}"))
    }

    /// The same failure with the delay that the other side asked for. Changes nothing about a final failure.
    #[must_use]
    pub fn after(mut self, delay: Option<Duration>) -> Self {
        if let FailureClass::Retry { after } = &mut self.class {
            *after = delay;
        }
        self
    }

    /// The same failure with what else programs may want to know.
    #[must_use]
    pub fn with_details(mut self, details: Map<String, Value>) -> Self {
        self.error.details = details;
        self
    }

    /// The same failure of an attempt that used this.
    #[must_use]
    pub fn with_usage(mut self, usage: Option<Usage>) -> Self {
        self.usage = usage.map(Box::new);
        self
    }
}
