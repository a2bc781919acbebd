//! Scopes: what an API key is narrowed to.

use super::Permission;

/// The permissions that a key may use of those that its owner has. A key's scopes never give anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(Option<u16>);

impl Scopes {
    /// Not narrowed: whatever the owner may do.
    pub const ALL: Self = Self(None);

    /// Narrowed to these permissions.
    pub fn only(permissions: impl IntoIterator<Item = Permission>) -> Self {
        Self(Some(
            permissions
                .into_iter()
                .fold(0, |bits, permission| bits | bit(permission)),
        ))
    }

    /// Reads scopes as they are stored: none at all is [`Scopes::ALL`]. A scope that this version does not know gives
    /// nothing, and a key with no other scope may do nothing, rather than everything.
    pub fn from_stored<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Self {
        let mut scopes = scopes.into_iter().peekable();
        if scopes.peek().is_none() {
            return Self::ALL;
        }
        Self::only(scopes.filter_map(|scope| scope.parse().ok()))
    }

    /// Whether the key may use the permission, if its owner has it.
    pub fn include(self, permission: Permission) -> bool {
        self.0.is_none_or(|bits| bits & bit(permission) != 0)
    }

    /// Whether everything that `other` includes is included here, too.
    pub fn cover(self, other: Self) -> bool {
        match (self.0, other.0) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(mine), Some(others)) => others & !mine == 0,
        }
    }

    /// The permissions by name; empty for [`Scopes::ALL`].
    pub fn names(self) -> Vec<&'static str> {
        match self.0 {
            None => Vec::new(),
            Some(_) => {
                let included = Permission::ALL
                    .into_iter()
                    .filter(|permission| self.include(*permission));
                included.map(Permission::as_str).collect()
            }
        }
    }
}

fn bit(permission: Permission) -> u16 {
    1 << permission as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_narrow_and_none_do_not() {
        let some = Scopes::only([Permission::WorkflowsView, Permission::WorkflowsExecute]);
        for permission in Permission::ALL {
            assert!(Scopes::ALL.include(permission));
            let named = some.names().contains(&permission.as_str());
            assert_eq!(some.include(permission), named, "{permission}");
        }
        assert_eq!(Scopes::from_stored(some.names()), some);
        assert_eq!(Scopes::from_stored([]), Scopes::ALL);
    }

    #[test]
    fn a_scope_that_nobody_knows_gives_nothing() {
        let unknown = Scopes::from_stored(["ai-hub:tea:brew"]);
        assert!(
            Permission::ALL
                .into_iter()
                .all(|permission| !unknown.include(permission))
        );
    }

    #[test]
    fn all_cover_some_and_some_cover_fewer() {
        let (one, two) = (
            Scopes::only([Permission::WorkflowsView]),
            Scopes::only([Permission::WorkflowsView, Permission::WorkflowsExecute]),
        );
        assert!(Scopes::ALL.cover(two) && two.cover(one) && one.cover(one));
        assert!(!two.cover(Scopes::ALL) && !one.cover(two));
    }
}
