//! A node kind for tests: its attempts announce themselves, then wait until they are let go.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use gristmill_engine::{Call, Compiled, Effect, EffectOutput, Fields, Kind, NodeFailure, Scope};
use tokio::sync::{Semaphore, watch};

/// Counts the attempts that began, and holds them.
#[derive(Clone)]
pub struct Hold {
    begun: Arc<watch::Sender<Vec<String>>>,
    gate: Arc<Semaphore>,
}

impl Hold {
    pub fn new() -> Self {
        Self {
            begun: Arc::new(watch::channel(Vec::new()).0),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    /// Waits until so many attempts have begun.
    pub async fn begun(&self, count: usize) {
        self.begun
            .subscribe()
            .wait_for(|calls| calls.len() >= count)
            .await
            .unwrap();
    }

    /// The idempotency keys of all attempts so far.
    pub fn calls(&self) -> Vec<String> {
        self.begun.borrow().clone()
    }

    /// Lets so many attempts end.
    pub fn let_go(&self, count: usize) {
        self.gate.add_permits(count);
    }
}

impl Kind for Hold {
    fn name(&self) -> &'static str {
        "hold"
    }

    fn compile(&self, _fields: &mut Fields<'_>) -> Option<Compiled> {
        Some(Compiled::effect(self.clone()))
    }
}

impl Effect for Hold {
    fn start(
        &self,
        _scope: &Scope,
        call: Call,
    ) -> Result<BoxFuture<'static, Result<EffectOutput, NodeFailure>>, NodeFailure> {
        let hold = self.clone();
        Ok(async move {
            hold.begun.send_modify(|calls| calls.push(call.idempotency_key));
            hold.gate.acquire().await.unwrap().forget();
            Ok(EffectOutput::default())
        }
        .boxed())
    }
}
