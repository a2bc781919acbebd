//! Compiled plans, one per revision, shared by all executions of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use gristmill_core::{Definition, Problem, WorkflowId};
use gristmill_engine::{Plan, Registry, compile};
use gristmill_store::{Error, Store, System};
use tokio::sync::OnceCell;

/// How many plans are kept; the least recently used one makes room.
const CAPACITY: usize = 256;

/// What compiling a revision came to. Problems are kept as well: a revision never changes.
pub(crate) type Compiled = Result<Arc<Plan>, Arc<Vec<Problem>>>;

/// The plans of the revisions that this worker runs.
pub(crate) struct Plans {
    store: Store,
    registry: Arc<Registry>,
    cache: Mutex<Cache>,
}

type Key = (WorkflowId, i32);

#[derive(Default)]
struct Cache {
    slots: HashMap<Key, Slot>,
    uses: u64,
}

struct Slot {
    plan: Arc<OnceCell<Compiled>>,
    last_used: u64,
}

impl Plans {
    /// No plans yet; definitions come from `store`.
    pub(crate) fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self {
            store,
            registry,
            cache: Mutex::default(),
        }
    }

    /// The plan of one revision. Many who ask at once wait for one read and one compilation.
    ///
    /// # Errors
    /// When the definition cannot be read; the next call tries again.
    pub(crate) async fn get(&self, workflow_id: &WorkflowId, revision: i32) -> Result<Compiled, Error> {
        let slot = self.slot((workflow_id.clone(), revision));
        slot.get_or_try_init(|| self.load(workflow_id, revision))
            .await
            .cloned()
    }

    fn slot(&self, key: Key) -> Arc<OnceCell<Compiled>> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.uses += 1;
        let now = cache.uses;
        if cache.slots.len() >= CAPACITY && !cache.slots.contains_key(&key) {
            let oldest = cache
                .slots
                .iter()
                .min_by_key(|(_, slot)| slot.last_used)
                .map(|(key, _)| key.clone());
            oldest.and_then(|oldest| cache.slots.remove(&oldest));
        }
        let slot = cache.slots.entry(key).or_insert_with(|| Slot {
            plan: Arc::default(),
            last_used: now,
        });
        slot.last_used = now;
        slot.plan.clone()
    }

    async fn load(&self, workflow_id: &WorkflowId, revision: i32) -> Result<Compiled, Error> {
        let Some(text) = self.store.revision(System, workflow_id, revision).await? else {
            let message = format!("revision {revision} of {workflow_id} does not exist");
            return Ok(Err(Arc::new(vec![Problem::new(
                "$",
                "unknown_revision",
                message,
            )])));
        };
        let document = serde_json::from_str(&text).map_err(|source| Error::Corrupt {
            what: "definition",
            source: Box::new(source),
        })?;
        let mut problems = Vec::new();
        let definition = Definition::from_json(&document, &mut problems);
        if !problems.is_empty() {
            return Ok(Err(Arc::new(problems)));
        }
        Ok(compile(&definition, &self.registry)
            .map(Arc::new)
            .map_err(Arc::new))
    }
}
