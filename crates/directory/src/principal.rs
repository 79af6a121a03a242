//! Principals: what may be a member of a group or be assigned to an application.

use store::{ObjectId, ObjectKind, ReadTx};

use crate::error::DirectoryError;
use crate::group::find_group;
use crate::user::find_user;

/// A user or a group, where either may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// Its object id.
    pub id: ObjectId,
    /// [`ObjectKind::User`] or [`ObjectKind::Group`].
    pub kind: ObjectKind,
    /// Its `displayName`.
    pub display_name: String,
}

/// The user with that `userPrincipalName` or object id, else the group with that `displayName` or object id; never one
/// that is soft-deleted.
pub fn find_principal(tx: &mut ReadTx<'_>, name: &str) -> Result<Principal, DirectoryError> {
    match find_user(tx, name) {
        Ok(user) => Ok(Principal { id: user.id.into(), kind: ObjectKind::User, display_name: user.display_name }),
        Err(DirectoryError::NotFound { .. }) => match find_group(tx, name) {
            Ok(group) => {
                Ok(Principal { id: group.id.into(), kind: ObjectKind::Group, display_name: group.display_name })
            }
            Err(DirectoryError::NotFound { .. }) => Err(DirectoryError::not_found("user or group", name)),
            Err(other) => Err(other),
        },
        Err(other) => Err(other),
    }
}

/// Refuses a principal that is not there, or is soft-deleted, or is of another kind than the caller takes it for.
pub(crate) fn refuse_absent(tx: &mut ReadTx<'_>, id: ObjectId, kind: ObjectKind) -> Result<(), DirectoryError> {
    match kind {
        ObjectKind::User => find_user(tx, &id.to_string()).map(drop),
        ObjectKind::Group => crate::group::live_group(tx, id.group()).map(drop),
        ObjectKind::Membership | ObjectKind::Assignment | ObjectKind::Custom(_) => {
            Err(DirectoryError::NotAllowed("only users and groups can be members or be assigned".to_owned()))
        }
    }
}
