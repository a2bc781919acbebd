//! On whose behalf a function of the store acts: the first argument of every one of them.

use gristmill_core::OrganizationId;

/// One organization: the function sees and changes that organization's rows only.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tenant(pub OrganizationId);

/// Gristmill itself, across organizations: claiming, journalling, settling, relaying.
#[derive(Debug, Clone, Copy)]
pub struct System;
