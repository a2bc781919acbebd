//! `forEach`: runs its body, the nodes whose `parentId` names it, for each of its `items`, and comes to `{items: […]}`:
//! what each run of the body has written, in the order of the items.
//!
//! `items` is an expression (`"orders"` or `"{{ orders }}"`) or an array with templates in it. `concurrency` items are under
//! way at the same time (1). `mode` says what a failed item means: `fail` (the default) fails the node and aborts the other
//! items, `collect` leaves `{error}` in its place.

use crate::{Compiled, Each, Fields, Kind};

/// The most items that may be under way at the same time.
const MAX_CONCURRENCY: u64 = 1_000;

pub(crate) struct ForEach;

impl Kind for ForEach {
    fn name(&self) -> &'static str {
        "forEach"
    }

    fn compile(&self, fields: &mut Fields<'_>) -> Option<Compiled> {
        let items = fields.list("items");
        let concurrency = fields.u64("concurrency", 1..=MAX_CONCURRENCY).unwrap_or(1);
        let collect = fields
            .one_of("mode", &[("fail", false), ("collect", true)])
            .unwrap_or_default();
        Some(Compiled::each(Each {
            items: items?,
            concurrency: u32::try_from(concurrency).unwrap_or(1),
            collect,
        }))
    }
}
