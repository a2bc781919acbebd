//! Registry: the node kinds that a definition may use.

use std::collections::HashMap;

use gristmill_core::Limits;

use crate::Kind;

/// Every kind by its name.
pub struct Registry {
    kinds: HashMap<&'static str, Box<dyn Kind>>,
    limits: Limits,
}

/// Two kinds of one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there are two node kinds called `{0}`")]
pub struct DuplicateKind(&'static str);

impl Registry {
    /// A registry of `kinds`.
    ///
    /// # Errors
    /// When two have the same name.
    pub fn new(kinds: Vec<Box<dyn Kind>>) -> Result<Self, DuplicateKind> {
        let mut by_name = HashMap::with_capacity(kinds.len());
        for kind in kinds {
            let name = kind.name();
            if by_name.insert(name, kind).is_some() {
                return Err(DuplicateKind(name));
            }
        }
        Ok(Self {
            kinds: by_name,
            limits: Limits::default(),
        })
    }

    /// The same kinds for definitions within other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What definitions may take.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The kind called `name`.
    pub(crate) fn get(&self, name: &str) -> Option<&dyn Kind> {
        self.kinds.get(name).map(Box::as_ref)
    }

    /// Every name, in alphabetical order.
    pub fn names(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.kinds.keys().copied().collect();
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builtin;

    #[test]
    fn two_kinds_of_one_name_are_refused() {
        let kinds = builtin().into_iter().chain(builtin()).collect();
        assert_eq!(Registry::new(kinds).err(), Some(DuplicateKind("trigger")));
        let names = Registry::new(builtin()).map(|registry| registry.names());
        let mut listed: Vec<_> = builtin().iter().map(|kind| kind.name()).collect();
        listed.sort_unstable();
        assert_eq!(names, Ok(listed));
    }
}
