//! Admin roles: who may administer.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use store::{ReadTx, UserId, WriteTx, applications as stored};

use crate::error::DirectoryError;
use crate::user::find_user;

/// A role that allows administration, by its name in Entra.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AdminRole {
    /// May do everything.
    GlobalAdministrator,
    /// May administer all applications.
    ApplicationAdministrator,
    /// May administer all applications that are not application proxies; here the same as the former.
    CloudApplicationAdministrator,
}

impl AdminRole {
    /// All roles.
    pub const ALL: [Self; 3] =
        [Self::GlobalAdministrator, Self::ApplicationAdministrator, Self::CloudApplicationAdministrator];

    /// The name that people see, and that is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GlobalAdministrator => "Global Administrator",
            Self::ApplicationAdministrator => "Application Administrator",
            Self::CloudApplicationAdministrator => "Cloud Application Administrator",
        }
    }
}

impl fmt::Display for AdminRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for AdminRole {
    type Err = DirectoryError;

    /// Takes the name without case, with or without its blanks.
    fn from_str(text: &str) -> Result<Self, DirectoryError> {
        let bare = |name: &str| name.replace(' ', "").to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|role| bare(role.name()) == bare(text))
            .ok_or_else(|| DirectoryError::not_found("admin role", text))
    }
}

/// Gives a user an admin role; says whether that is new.
pub fn grant_admin_role(
    tx: &mut WriteTx<'_>,
    user: UserId,
    role: AdminRole,
    now: Timestamp,
) -> Result<bool, DirectoryError> {
    find_user(tx, &user.to_string())?;
    Ok(stored::grant_admin_role(tx, user, role.name(), now)?)
}

/// Takes an admin role from a user; says whether the user had it.
pub fn revoke_admin_role(tx: &mut WriteTx<'_>, user: UserId, role: AdminRole) -> Result<bool, DirectoryError> {
    Ok(stored::revoke_admin_role(tx, user, role.name())?)
}

/// The admin roles of a user, soft-deleted or not.
pub fn roles_of(tx: &mut ReadTx<'_>, user: UserId) -> Result<Vec<AdminRole>, DirectoryError> {
    stored::admin_roles(tx, user)?.iter().map(|name| name.parse()).collect()
}

/// Who has which admin role, by role, `limit` at the most.
pub fn admins(tx: &mut ReadTx<'_>, limit: u32) -> Result<Vec<(UserId, AdminRole)>, DirectoryError> {
    stored::admins(tx, limit)?.into_iter().map(|(user, role)| Ok((user, role.parse()?))).collect()
}

#[cfg(test)]
mod tests {
    use store::testing::on_both;
    use uuid::Uuid;

    use super::*;
    use crate::{UserDraft, create_user, delete_user};

    #[test]
    fn roles_are_granted_listed_and_revoked() {
        on_both(|store| async move {
            let now = Timestamp::from_second(1_700_000_000).unwrap();
            let ann = UserId::new(Uuid::from_u128(1));
            store
                .write(move |tx| {
                    let (global, cloud) = (AdminRole::GlobalAdministrator, AdminRole::CloudApplicationAdministrator);
                    assert!(grant_admin_role(tx, ann, global, now).is_err());
                    create_user(tx, ann, &UserDraft::new("ann@c.com", "Ann"), now)?;
                    assert!(grant_admin_role(tx, ann, global, now)?);
                    assert!(!grant_admin_role(tx, ann, global, now)?);
                    assert!(grant_admin_role(tx, ann, cloud, now)?);
                    assert_eq!(admins(tx, 10)?, [(ann, cloud), (ann, global)]);
                    assert_eq!(admins(tx, 1)?.len(), 1);
                    assert!(revoke_admin_role(tx, ann, cloud)?);
                    assert!(!revoke_admin_role(tx, ann, cloud)?);
                    assert_eq!(roles_of(tx, ann)?, [global]);
                    delete_user(tx, ann, now)?;
                    assert!(grant_admin_role(tx, ann, cloud, now).is_err());
                    Ok::<_, DirectoryError>(())
                })
                .await
                .unwrap();
        });
    }

    #[test]
    fn names_are_taken_without_case_and_blanks() {
        for role in AdminRole::ALL {
            assert_eq!(role.to_string().parse::<AdminRole>().unwrap(), role);
            assert_eq!(format!("{role:?}").to_ascii_uppercase().parse::<AdminRole>().unwrap(), role);
        }
        assert_eq!("Reader".parse::<AdminRole>().unwrap_err().to_string(), r#"no admin role is named "Reader""#);
    }
}
