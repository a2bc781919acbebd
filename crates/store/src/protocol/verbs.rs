//! Verbs: how a database implements the protocol, by a function in a file for each.

/// Implements [`Protocol`](crate::Protocol) for the type that is called `Pool` where this is called, by the verb files of
/// that module: each verb is `<verb>::<verb>(pool, …)`. Whose behalf it is on is only passed on where it is a tenant's; the
/// system's statements see every organization.
macro_rules! implement_by_verbs {
    ($($(#[$doc:meta])* fn $verb:ident($scope:ident: $behalf:ty $(, $argument:ident: $type:ty)*) -> $answer:ty;)*) => {
        impl $crate::Protocol for Pool {
            $(fn $verb<'a>(&'a self, $scope: $behalf $(, $argument: $type)*) -> $crate::Answer<'a, $answer> {
                let answer = $crate::protocol::verbs::call!($scope, $scope, $verb, self $(, $argument)*);
                futures_util::FutureExt::boxed(answer)
            })*
        }
    };
}

/// One verb's function, called.
macro_rules! call {
    (tenant, $tenant:ident, $verb:ident, $pool:tt $(, $argument:ident)*) => {
        $verb::$verb($pool, $tenant $(, $argument)*)
    };
    (system, $system:ident, $verb:ident, $pool:tt $(, $argument:ident)*) => {{
        let System = $system;
        $verb::$verb($pool $(, $argument)*)
    }};
}

pub(super) use {call, implement_by_verbs};
