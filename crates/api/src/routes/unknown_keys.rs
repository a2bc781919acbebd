//! Unknown keys: unknown keys of a body, and the problems that they are.

use gristmill_core::{Path, Problem, shortened};

/// How many are told one by one: a body may have hundreds of thousands.
const TOLD: usize = 100;

/// The first unknown keys of an object, and how many more there are.
#[derive(Default)]
pub(crate) struct UnknownKeys {
    first: Vec<String>,
    more: usize,
}

impl UnknownKeys {
    pub(crate) fn add(&mut self, key: &str) {
        if self.first.len() < TOLD {
            self.first.push(shortened(key).into_owned());
        } else {
            self.more += 1;
        }
    }

    /// What to say of them, in an object at `path`, beside the keys that there are.
    pub(crate) fn problems(self, path: &Path, known: &[&str]) -> Vec<Problem> {
        let known = known.join(", ");
        let told = self.first.iter().map(|key| {
            let message = format!("unknown key `{key}`; the keys are {known}");
            Problem::new(path.key(key), "unknown_key", message)
        });
        let more = (self.more > 0).then(|| {
            let message = format!("and {} more unknown keys", self.more);
            Problem::new(path, "unknown_key", message)
        });
        told.chain(more).collect()
    }
}
