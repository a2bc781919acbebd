//! What can be done that the log tells of: one list. To tell of one more, add a line.

use std::fmt;
use std::str::FromStr;

/// A text that names no action or no kind of object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown `{text}`; one of {known}")]
pub struct ParseActionError {
    text: String,
    known: String,
}

/// Spells an enum: `as_str`, `ALL`, `Display` and `FromStr`.
macro_rules! spelled {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant),+
        }

        impl $name {
            /// Each of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As the log spells it.
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
            type Err = ParseActionError;

            fn from_str(text: &str) -> Result<Self, ParseActionError> {
                Self::ALL.iter().copied().find(|known| known.as_str() == text).ok_or_else(|| ParseActionError {
                    text: text.to_owned(),
                    known: Self::ALL.iter().map(|known| known.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

spelled!(
    /// Something that was done, as `<kind of object>.<verb>`.
    Action {
        /// A workflow was stored.
        WorkflowCreate => "workflow.create",
        /// A workflow was changed.
        WorkflowUpdate => "workflow.update",
        /// A workflow was switched on or off.
        WorkflowToggle => "workflow.toggle",
        /// A workflow's executions wait from now on.
        WorkflowPause => "workflow.pause",
        /// A workflow's executions are started again.
        WorkflowResume => "workflow.resume",
        /// A workflow was deleted.
        WorkflowDelete => "workflow.delete",
        /// A workflow was published as a template; the object is the template.
        TemplatePublish => "template.publish",
        /// A template was taken back.
        TemplateDelete => "template.delete",
        /// An execution was ended, with everything below it.
        ExecutionCancel => "execution.cancel",
        /// A failed execution was taken up again.
        ExecutionRetry => "execution.retry",
        /// An earlier execution's input was submitted again; the object is the new execution.
        ExecutionReplay => "execution.replay",
        /// A signal was sent to an execution.
        ExecutionSignal => "execution.signal",
        /// An ended execution was deleted.
        ExecutionDelete => "execution.delete",
        /// An API key was made.
        ApiKeyCreate => "api_key.create",
        /// An API key was revoked.
        ApiKeyRevoke => "api_key.revoke",
        /// The organization was made.
        OrganizationCreate => "organization.create",
        /// The organization's tier was changed.
        OrganizationSetTier => "organization.set_tier",
        /// A user became a member; members are named by their user's id.
        MemberAdd => "member.add",
        /// A member's role was changed.
        MemberSetRole => "member.set_role",
        /// A member was removed, with all of its keys.
        MemberRemove => "member.remove",
        /// A member's role everywhere was changed; told in each of the user's organizations.
        UserSetRole => "user.set_role",
    }
);

spelled!(
    /// What something was done to.
    ObjectKind {
        /// A workflow.
        Workflow => "workflow",
        /// A template.
        Template => "template",
        /// An execution.
        Execution => "execution",
        /// An API key.
        ApiKey => "api_key",
        /// The organization itself.
        Organization => "organization",
        /// A user as a member of the organization.
        Member => "member",
        /// A user.
        User => "user",
    }
);

impl Action {
    /// What it is done to.
    pub const fn object_kind(self) -> ObjectKind {
        match self {
            Self::WorkflowCreate
            | Self::WorkflowUpdate
            | Self::WorkflowToggle
            | Self::WorkflowPause
            | Self::WorkflowResume
            | Self::WorkflowDelete => ObjectKind::Workflow,
            Self::TemplatePublish | Self::TemplateDelete => ObjectKind::Template,
            Self::ExecutionCancel
            | Self::ExecutionRetry
            | Self::ExecutionReplay
            | Self::ExecutionSignal
            | Self::ExecutionDelete => ObjectKind::Execution,
            Self::ApiKeyCreate | Self::ApiKeyRevoke => ObjectKind::ApiKey,
            Self::OrganizationCreate | Self::OrganizationSetTier => ObjectKind::Organization,
            Self::MemberAdd | Self::MemberSetRole | Self::MemberRemove => ObjectKind::Member,
            Self::UserSetRole => ObjectKind::User,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_names_the_kind_of_its_object() {
        for action in Action::ALL.iter().copied() {
            assert_eq!(action.as_str().parse(), Ok(action));
            let (kind, _) = action.as_str().split_once('.').unwrap();
            assert_eq!(kind.parse(), Ok(action.object_kind()), "{action}");
        }
        assert!("workflow".parse::<Action>().is_err());
    }
}
