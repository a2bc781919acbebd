//! On whose behalf a function of the store acts: the first argument of every one of them.

use gristmill_core::OrganizationId;

/// One organization: the function sees and changes that organization's rows only. PostgreSQL sees to it as well: such a
/// function runs as the role `gristmill_api`, in a transaction that names the organization.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tenant(pub OrganizationId);

/// Gristmill itself, across organizations: claiming, journalling, settling, relaying. In PostgreSQL, the role
/// `gristmill_worker`.
#[derive(Debug, Clone, Copy)]
pub struct System;

/// Whoever sets up organizations, users and members: `gristmill admin` and `gristmill dev`. No service's role may do that,
/// so that in PostgreSQL the URL's user must be allowed to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Administration;

/// Any of them.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// One organization.
    Tenant(Tenant),
    /// All of them.
    System,
    /// All of them, and what is about them.
    Administration,
}

impl From<&Tenant> for Scope {
    fn from(tenant: &Tenant) -> Self {
        Self::Tenant(tenant.clone())
    }
}

impl From<System> for Scope {
    fn from(_: System) -> Self {
        Self::System
    }
}

impl From<Administration> for Scope {
    fn from(_: Administration) -> Self {
        Self::Administration
    }
}
