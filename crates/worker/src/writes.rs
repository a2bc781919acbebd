//! Writes: what holders write, grouped across all executions of the worker.

use std::sync::Arc;

use gristmill_store::{Append, Group, Held, Protocol, Settle, Suspend, Suspended, System, one_by_one};

/// One group per verb.
pub(crate) struct Writes {
    /// Journal commits.
    pub(crate) append: Group<Append, Held>,
    /// Ends.
    pub(crate) settle: Group<Settle, Held>,
    /// Suspensions.
    pub(crate) suspend: Group<Suspend, Suspended>,
    /// Work given back.
    pub(crate) release: Group<Append, Held>,
}

impl Writes {
    /// Starts the tasks behind the groups; they end with the last handle.
    pub(crate) fn new(store: Arc<dyn Protocol>) -> Self {
        macro_rules! group {
            ($verb:ident) => {{
                let store = store.clone();
                let (group, _task) = Group::spawn(stringify!($verb), move |members| {
                    let store = store.clone();
                    async move { one_by_one(&members, |part| store.$verb(System, part)).await }
                });
                group
            }};
        }
        Self {
            append: group!(append),
            settle: group!(settle),
            suspend: group!(suspend),
            release: group!(release),
        }
    }
}
