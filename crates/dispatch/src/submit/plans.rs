//! Plans: what definitions compile to, one for each revision, for whoever checks an input or runs an execution.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gristmill_core::{OrganizationId, Problem, WorkflowId};
use gristmill_engine::{Plan, Registry, compile_json};
use gristmill_store::{Error, Store, System, Tenant};
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

/// How many plans are kept; the one that was not used for longest makes room.
const MAX_PLANS: usize = 1_000;

/// How many bytes their definitions may have in all: a plan takes several times what its definition does.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// What compiling a revision came to. Problems are kept as well: a revision never changes.
pub type Compiled = Result<Arc<Plan>, Arc<Vec<Problem>>>;

/// On whose behalf a definition is read.
#[derive(Debug, Clone, Copy)]
pub enum Reader<'a> {
    /// The tenant's own: what is another's does not exist for it.
    Tenant(&'a Tenant),
    /// A worker's, which holds an execution of this organization: the database is asked as the system.
    Holder(&'a OrganizationId),
}

impl Reader<'_> {
    fn organization(&self) -> &OrganizationId {
        match self {
            Self::Tenant(tenant) => &tenant.0,
            Self::Holder(organization_id) => organization_id,
        }
    }
}

/// What a check of an input by a revision came to.
#[derive(Debug)]
pub enum Check {
    /// It meets the input schema, if there is one.
    Passed,
    /// It does not.
    Failed(Vec<Problem>),
    /// There is nothing to check it by: this version refuses the definition.
    InvalidDefinition(Arc<Vec<Problem>>),
    /// The reader has no such revision.
    UnknownRevision,
}

/// The plans of the revisions that this process has to do with, in one cache for all of its parts.
///
/// Whose a plan is stands in its key: what was read on behalf of one organization is never shown to another.
pub struct Plans {
    store: Store,
    registry: Arc<Registry>,
    cache: Mutex<Cache>,
}

impl Plans {
    /// No plans yet; definitions come from `store`.
    pub fn new(store: Store, registry: Arc<Registry>) -> Self {
        Self {
            store,
            registry,
            cache: Mutex::default(),
        }
    }

    /// The plan of one revision; `None` when the reader has no such revision. Many who ask at once wait for one read and one
    /// compilation.
    ///
    /// # Errors
    /// When the definition cannot be read; the next call tries again.
    pub async fn get(
        &self,
        reader: Reader<'_>,
        workflow_id: &WorkflowId,
        revision: i32,
    ) -> Result<Option<Compiled>, Error> {
        let key = (reader.organization().clone(), workflow_id.clone(), revision);
        let cell = self.lock().cell(&key);
        let load = || async {
            let text = match reader {
                Reader::Tenant(tenant) => self.store.definition(tenant, workflow_id, revision).await,
                Reader::Holder(organization_id) => {
                    self.store
                        .revision(System, organization_id, workflow_id, revision)
                        .await
                }
            };
            let text = text.map_err(Unread::Failed)?.ok_or(Unread::Unknown)?;
            let compiled = self.compile(&text).map_err(Unread::Failed)?;
            self.lock().weigh(&key, &cell, text.len());
            Ok(compiled)
        };
        match cell.get_or_try_init(load).await {
            Ok(compiled) => Ok(Some(compiled.clone())),
            Err(Unread::Unknown) => {
                self.lock().forget(&key, &cell);
                Ok(None)
            }
            Err(Unread::Failed(error)) => Err(error),
        }
    }

    /// What is wrong with an input by a revision.
    ///
    /// # Errors
    /// When the definition, or the input, cannot be read.
    pub async fn check(
        &self,
        reader: Reader<'_>,
        workflow_id: &WorkflowId,
        revision: i32,
        input: &str,
    ) -> Result<Check, Error> {
        let plan = match self.get(reader, workflow_id, revision).await? {
            None => return Ok(Check::UnknownRevision),
            Some(Err(problems)) => return Ok(Check::InvalidDefinition(problems)),
            Some(Ok(plan)) => plan,
        };
        let values = serde_json::from_str(input).map_err(|source| corrupt("input", source))?;
        let problems = problems_of(&plan, &values);
        Ok(if problems.is_empty() {
            Check::Passed
        } else {
            Check::Failed(problems)
        })
    }

    /// The newest revision of a workflow that is known here, and what is wrong with an input by it. `None` when none is
    /// known, or that one asks nothing of its input: most workflows have no schema, and then nobody needs to know them.
    pub(super) fn check_by_newest(
        &self,
        tenant: &Tenant,
        workflow_id: &WorkflowId,
        input: &Map<String, Value>,
    ) -> Option<(i32, Vec<Problem>)> {
        let (revision, plan) = self.lock().newest(&tenant.0, workflow_id)?;
        plan.checks_input().then(|| (revision, problems_of(&plan, input)))
    }

    fn compile(&self, text: &str) -> Result<Compiled, Error> {
        let document = serde_json::from_str(text).map_err(|source| corrupt("definition", source))?;
        Ok(match compile_json(&document, &self.registry) {
            Ok((_, plan)) => Ok(Arc::new(plan)),
            Err(problems) => Err(Arc::new(problems)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        // Nothing that holds this lock can panic half way through a change.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is wrong with an input by a plan, in words short enough to be told.
pub fn problems_of(plan: &Plan, input: &Map<String, Value>) -> Vec<Problem> {
    let problems = plan.check_input(input);
    problems.into_iter().map(Problem::shortened).collect()
}

fn corrupt(what: &'static str, source: serde_json::Error) -> Error {
    Error::Corrupt {
        what,
        source: Box::new(source),
    }
}

enum Unread {
    Unknown,
    Failed(Error),
}

type Key = (OrganizationId, WorkflowId, i32);

type Cell = Arc<OnceCell<Compiled>>;

#[derive(Default)]
struct Cache {
    slots: BTreeMap<Key, Slot>,
    bytes: usize,
    uses: u64,
}

#[derive(Default)]
struct Slot {
    cell: Cell,
    /// How long the definition is, once it was read.
    bytes: usize,
    last_used: u64,
}

impl Cache {
    /// The place of a revision's plan; whoever fills it, all who ask for it wait for that.
    fn cell(&mut self, key: &Key) -> Cell {
        self.uses += 1;
        let slot = self.slots.entry(key.clone()).or_default();
        slot.last_used = self.uses;
        let cell = slot.cell.clone();
        self.make_room();
        cell
    }

    /// Notes how large the definition is that has just been read.
    fn weigh(&mut self, key: &Key, cell: &Cell, bytes: usize) {
        // While it was read, its place may have made room for others.
        if let Some(slot) = self.slots.get_mut(key)
            && Arc::ptr_eq(&slot.cell, cell)
        {
            slot.bytes = bytes;
            self.bytes += bytes;
            self.make_room();
        }
    }

    /// Keeps no place for what is not there.
    fn forget(&mut self, key: &Key, cell: &Cell) {
        if let Some(slot) = self.slots.get(key)
            && Arc::ptr_eq(&slot.cell, cell)
            && !slot.cell.initialized()
        {
            self.slots.remove(key);
        }
    }

    /// The newest revision of a workflow whose plan is here.
    fn newest(
        &mut self,
        organization_id: &OrganizationId,
        workflow_id: &WorkflowId,
    ) -> Option<(i32, Arc<Plan>)> {
        let key = |revision| (organization_id.clone(), workflow_id.clone(), revision);
        let all: RangeInclusive<Key> = key(i32::MIN)..=key(i32::MAX);
        let ((_, _, revision), slot) = self.slots.range_mut(all).next_back()?;
        let plan = slot.cell.get()?.as_ref().ok()?;
        self.uses += 1;
        slot.last_used = self.uses;
        Some((*revision, plan.clone()))
    }

    /// Lets go of what was not used for longest; never of what was used just now.
    fn make_room(&mut self) {
        while self.slots.len() > 1 && (self.slots.len() > MAX_PLANS || self.bytes > MAX_BYTES) {
            let oldest = self.slots.iter().min_by_key(|(_, slot)| slot.last_used);
            let Some(oldest) = oldest.map(|(key, _)| key.clone()) else {
                return;
            };
            if let Some(slot) = self.slots.remove(&oldest) {
                self.bytes -= slot.bytes;
            }
        }
    }
}
