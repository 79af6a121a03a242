//! The audit log: who changed which configuration, in Entra's words.

use jiff::Timestamp;
use serde_json::Value;
use store::audit::{AuditRecord, insert_audit};
use store::{LogId, WriteTx};

use crate::error::DirectoryError;

/// What was done; the names are those of Entra's audit log where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// A user was made.
    AddUser,
    /// Attributes of a user changed.
    UpdateUser,
    /// A user was soft-deleted.
    DeleteUser,
    /// A user was restored.
    RestoreUser,
    /// A user was purged.
    HardDeleteUser,
    /// A group was made.
    AddGroup,
    /// Attributes of a group changed.
    UpdateGroup,
    /// A group was soft-deleted.
    DeleteGroup,
    /// A group was restored.
    RestoreGroup,
    /// A group was purged.
    HardDeleteGroup,
    /// A member was added to a group.
    AddMember,
    /// A member was removed from a group.
    RemoveMember,
    /// An application was added.
    AddApplication,
    /// An application was renamed.
    UpdateApplication,
    /// An application was removed.
    DeleteApplication,
    /// A user or group was assigned to an application.
    AddAssignment,
    /// An assignment ended.
    RemoveAssignment,
    /// A user was given an admin role.
    AddAdmin,
    /// An admin role was taken from a user.
    RemoveAdmin,
    /// Users, groups or members were imported.
    Import,
}

impl Activity {
    /// The name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddUser => "Add user",
            Self::UpdateUser => "Update user",
            Self::DeleteUser => "Delete user",
            Self::RestoreUser => "Restore user",
            Self::HardDeleteUser => "Hard Delete user",
            Self::AddGroup => "Add group",
            Self::UpdateGroup => "Update group",
            Self::DeleteGroup => "Delete group",
            Self::RestoreGroup => "Restore group",
            Self::HardDeleteGroup => "Hard Delete group",
            Self::AddMember => "Add member to group",
            Self::RemoveMember => "Remove member from group",
            Self::AddApplication => "Add service principal",
            Self::UpdateApplication => "Update service principal",
            Self::DeleteApplication => "Remove service principal",
            Self::AddAssignment => "Add app role assignment to service principal",
            Self::RemoveAssignment => "Remove app role assignment from service principal",
            Self::AddAdmin => "Add member to role",
            Self::RemoveAdmin => "Remove member from role",
            Self::Import => "Import",
        }
    }
}

/// Adds a record to the audit log, in the transaction of the change it tells of. `detail` never holds a secret.
pub fn record(
    tx: &mut WriteTx<'_>,
    id: LogId,
    now: Timestamp,
    actor: &str,
    activity: Activity,
    target: &str,
    detail: &Value,
) -> Result<(), DirectoryError> {
    let entry = AuditRecord {
        id,
        at: now,
        actor: actor.to_owned(),
        activity: activity.name().to_owned(),
        target: target.to_owned(),
        detail: detail.to_string(),
    };
    Ok(insert_audit(tx, &entry)?)
}

#[cfg(test)]
mod tests {
    use store::audit::audit_before;
    use store::testing::on_both;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_record_stands_in_the_log() {
        on_both(|store| async move {
            let now = Timestamp::from_second(1_700_000_000).unwrap();
            let latest = store
                .write(move |tx| {
                    let id = LogId::new(Uuid::from_u128(1));
                    let detail = serde_json::json!({"created": 3});
                    record(tx, id, now, "ann@c.com", Activity::Import, "users.csv", &detail)?;
                    Ok::<_, DirectoryError>(audit_before(tx, None, 10)?)
                })
                .await
                .unwrap();
            assert_eq!((latest.len(), latest[0].activity.as_str()), (1, "Import"));
            assert_eq!((latest[0].at, latest[0].detail.as_str()), (now, r#"{"created":3}"#));
        });
    }
}
