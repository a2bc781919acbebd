//! Roles: roles and tiers, as the database and tokens spell them.

use std::fmt;
use std::str::FromStr;

/// A text that names no role or tier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{text}`; one of {known}")]
pub struct ParseRoleError {
    what: &'static str,
    text: String,
    known: String,
}

/// Spells an enum: `as_str`, `ALL`, `Display` and `FromStr`.
macro_rules! spelled {
    ($what:literal, $name:ident { $($variant:ident => $text:literal),+ $(,)? }) => {
        impl $name {
            /// Each of them.
            pub const ALL: [Self; [$(Self::$variant),+].len()] = [$(Self::$variant),+];

            /// As the database and tokens spell it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text),+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = ParseRoleError;

            fn from_str(text: &str) -> Result<Self, ParseRoleError> {
                Self::ALL
                    .into_iter()
                    .find(|known| known.as_str() == text)
                    .ok_or_else(|| ParseRoleError {
                        what: $what,
                        text: text.to_owned(),
                        known: Self::ALL.map(Self::as_str).join(", "),
                    })
            }
        }
    };
}

/// A user's role everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GlobalRole {
    /// May do everything, without limits.
    SuperAdmin,
    /// May also delete and switch, where the organization's rules let a member in.
    Admin,
    /// An ordinary user here.
    Moderator,
    /// An ordinary user.
    User,
}

spelled!("global role", GlobalRole {
    SuperAdmin => "SUPER_ADMIN",
    Admin => "ADMIN",
    Moderator => "MODERATOR",
    User => "USER",
});

/// A user's role in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrganizationRole {
    /// Sees the audit log and manages members and keys.
    Owner,
    /// The same.
    Admin,
    /// Works with workflows.
    Member,
}

spelled!("organization role", OrganizationRole {
    Owner => "OWNER",
    Admin => "ADMIN",
    Member => "MEMBER",
});

impl OrganizationRole {
    /// Whether the role is one of those that run the organization.
    pub const fn administers(self) -> bool {
        match self {
            Self::Owner | Self::Admin => true,
            Self::Member => false,
        }
    }
}

/// What an organization has subscribed to, from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tier {
    /// No workflows.
    Free,
    /// No workflows.
    Starter,
    /// Some.
    Growth,
    /// As many as wanted.
    Elite,
    /// As many as wanted.
    Enterprise,
}

spelled!("tier", Tier {
    Free => "FREE",
    Starter => "STARTER",
    Growth => "GROWTH",
    Elite => "ELITE",
    Enterprise => "ENTERPRISE",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_tiers_read_back_as_written() {
        for role in GlobalRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        for role in OrganizationRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        for tier in Tier::ALL {
            assert_eq!(tier.as_str().parse(), Ok(tier));
        }
    }

    #[test]
    fn an_unknown_one_is_named_with_those_that_there_are() {
        let error = "GOLD".parse::<Tier>().unwrap_err().to_string();
        assert_eq!(
            error,
            "unknown tier `GOLD`; one of FREE, STARTER, GROWTH, ELITE, ENTERPRISE"
        );
    }
}
