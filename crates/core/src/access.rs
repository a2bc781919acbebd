//! Who may do what: pure functions of a caller's standing. The API asks them once a request; nothing else decides.

mod limits;
mod roles;
mod scopes;

pub use limits::TierLimits;
pub use roles::{GlobalRole, OrganizationRole, ParseRoleError, Tier};
pub use scopes::Scopes;

use std::fmt;
use std::str::FromStr;

/// Something that a caller may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// To be here at all.
    Access,
    /// To read workflows, executions, templates and figures.
    WorkflowsView,
    /// To store new workflows.
    WorkflowsCreate,
    /// To change workflows and publish them as templates.
    WorkflowsEdit,
    /// To delete workflows and executions, and to switch workflows on and off.
    WorkflowsDelete,
    /// To run workflows, and to cancel, retry, replay and signal executions.
    WorkflowsExecute,
    /// To see the organization's audit log and everybody's API keys, and to revoke them.
    OrganizationAdminister,
}

/// A text that names no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown permission `{0}`")]
pub struct ParsePermissionError(String);

/// What decides on a caller's permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The user's role everywhere.
    pub global_role: GlobalRole,
    /// The user's role in the organization; `None` for a role that gives no access.
    pub organization_role: Option<OrganizationRole>,
    /// What the organization has subscribed to.
    pub tier: Tier,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Self; 7] = [
        Self::Access,
        Self::WorkflowsView,
        Self::WorkflowsCreate,
        Self::WorkflowsEdit,
        Self::WorkflowsDelete,
        Self::WorkflowsExecute,
        Self::OrganizationAdminister,
    ];

    /// The permission as keys and tokens name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "ai-hub:access",
            Self::WorkflowsView => "ai-hub:workflows:view",
            Self::WorkflowsCreate => "ai-hub:workflows:create",
            Self::WorkflowsEdit => "ai-hub:workflows:edit",
            Self::WorkflowsDelete => "ai-hub:workflows:delete",
            Self::WorkflowsExecute => "ai-hub:workflows:execute",
            Self::OrganizationAdminister => "ai-hub:organization:administer",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = ParsePermissionError;

    fn from_str(text: &str) -> Result<Self, ParsePermissionError> {
        Self::ALL
            .into_iter()
            .find(|permission| permission.as_str() == text)
            .ok_or_else(|| ParsePermissionError(text.to_owned()))
    }
}

impl Standing {
    /// Whether this standing gives the permission: SUPER_ADMIN has all of them; anybody else needs a tier of GROWTH or
    /// above and a role in the organization, to delete or to switch also the global role ADMIN, and to administer the
    /// organization its role OWNER or ADMIN.
    pub fn gives(&self, permission: Permission) -> bool {
        if self.global_role == GlobalRole::SuperAdmin {
            return true;
        }
        let access = self.tier >= Tier::Growth && self.organization_role.is_some();
        match permission {
            Permission::WorkflowsDelete => access && self.global_role == GlobalRole::Admin,
            Permission::OrganizationAdminister => {
                access && self.organization_role.is_some_and(OrganizationRole::administers)
            }
            Permission::Access
            | Permission::WorkflowsView
            | Permission::WorkflowsCreate
            | Permission::WorkflowsEdit
            | Permission::WorkflowsExecute => access,
        }
    }

    /// How much the organization may have while this caller acts for it. SUPER_ADMIN is not limited.
    pub fn limits(&self) -> TierLimits {
        if self.global_role == GlobalRole::SuperAdmin {
            TierLimits::NONE
        } else {
            self.tier.limits()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_reads_back_as_written() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(permission));
        }
        assert!("ai-hub".parse::<Permission>().is_err());
    }

    /// Every standing there is, against the rules as the description of the module words them.
    #[test]
    fn the_rules_hold_for_every_role_and_tier() {
        for global_role in GlobalRole::ALL {
            for organization_role in OrganizationRole::ALL.map(Some).into_iter().chain([None]) {
                for tier in Tier::ALL {
                    let standing = Standing {
                        global_role,
                        organization_role,
                        tier,
                    };
                    let paid = matches!(tier, Tier::Growth | Tier::Elite | Tier::Enterprise);
                    let may_access =
                        global_role == GlobalRole::SuperAdmin || (paid && organization_role.is_some());
                    let may_manage =
                        may_access && matches!(global_role, GlobalRole::SuperAdmin | GlobalRole::Admin);
                    for permission in Permission::ALL {
                        let expected = match permission {
                            Permission::WorkflowsDelete => may_manage,
                            Permission::OrganizationAdminister => {
                                may_access
                                    && (global_role == GlobalRole::SuperAdmin
                                        || matches!(
                                            organization_role,
                                            Some(OrganizationRole::Owner | OrganizationRole::Admin)
                                        ))
                            }
                            _ => may_access,
                        };
                        assert_eq!(standing.gives(permission), expected, "{standing:?} {permission}");
                    }
                }
            }
        }
    }
}
