//! Admin roles: who may administer.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use store::{ReadTx, UserId, WriteTx, applications as stored, users};

use crate::error::DirectoryError;
use crate::user::find_user;

/// The most grants of admin roles that are looked at together.
pub const ADMINS_MAX: u32 = 10_000;

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

    /// Takes the name without case, with or without its blanks, also with hyphens in their place.
    fn from_str(text: &str) -> Result<Self, DirectoryError> {
        let bare = |name: &str| name.replace([' ', '-'], "").to_ascii_lowercase();
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

/// Takes an admin role from a user; says whether the user had it. The last Global Administrator who may sign in keeps
/// the role, unless `even_the_last`.
pub fn revoke_admin_role(
    tx: &mut WriteTx<'_>,
    user: UserId,
    role: AdminRole,
    even_the_last: bool,
) -> Result<bool, DirectoryError> {
    if role == AdminRole::GlobalAdministrator && !even_the_last {
        refuse_last_administrator(tx, user)?;
    }
    Ok(stored::revoke_admin_role(tx, user, role.name())?)
}

/// Refuses where the user is a Global Administrator and no other one may sign in. Asked before a user loses the role, is
/// switched off, deleted or purged; whoever insists does not ask.
pub fn refuse_last_administrator(tx: &mut WriteTx<'_>, user: UserId) -> Result<(), DirectoryError> {
    if !roles_of(tx, user)?.contains(&AdminRole::GlobalAdministrator) {
        return Ok(());
    }
    // Two who revoke each other at the same moment wait here for one another.
    for other in global_administrators(tx)? {
        users::lock_user(tx, other)?;
    }
    let all = global_administrators(tx)?;
    if !all.contains(&user) {
        return Ok(());
    }
    for other in all {
        let found = users::user_by_id(tx, other)?;
        if other != user && found.is_some_and(|found| found.enabled && found.deleted.is_none()) {
            return Ok(());
        }
    }
    Err(DirectoryError::LastAdministrator)
}

/// The Global Administrators, in the order of their ids.
fn global_administrators(tx: &mut ReadTx<'_>) -> Result<Vec<UserId>, DirectoryError> {
    let all = admins(tx, ADMINS_MAX)?;
    Ok(all.into_iter().filter(|(_, role)| *role == AdminRole::GlobalAdministrator).map(|(user, _)| user).collect())
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
    use crate::{UserDraft, change_user, create_user, delete_user};

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
                    assert!(revoke_admin_role(tx, ann, cloud, false)?);
                    assert!(!revoke_admin_role(tx, ann, cloud, false)?);
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
    fn the_last_global_administrator_stays_one() {
        on_both(|store| async move {
            let now = Timestamp::from_second(1_700_000_000).unwrap();
            let [ann, ben, cy] = [1, 2, 3].map(|number| UserId::new(Uuid::from_u128(number)));
            store
                .write(move |tx| {
                    let global = AdminRole::GlobalAdministrator;
                    for (id, name) in [(ann, "ann@c.com"), (ben, "ben@c.com"), (cy, "cy@c.com")] {
                        create_user(tx, id, &UserDraft::new(name, "Name"), now)?;
                    }
                    for id in [ann, ben, cy] {
                        grant_admin_role(tx, id, global, now)?;
                    }
                    assert!(revoke_admin_role(tx, cy, global, false)?);
                    assert!(!revoke_admin_role(tx, cy, global, false)?, "who has no such role loses none");
                    change_user(tx, ben, &[("accountEnabled".to_owned(), Some(false.into()))], now)?;
                    let refused = revoke_admin_role(tx, ann, global, false).unwrap_err().to_string();
                    assert!(refused.starts_with("no other Global Administrator may sign in"), "{refused}");
                    assert!(revoke_admin_role(tx, ben, global, false)?, "ann is left");
                    assert!(revoke_admin_role(tx, ann, global, false).is_err());
                    assert!(revoke_admin_role(tx, ann, global, true)?);
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
            assert_eq!(role.to_string().to_lowercase().replace(' ', "-").parse::<AdminRole>().unwrap(), role);
            assert_eq!(format!("{role:?}").to_ascii_uppercase().parse::<AdminRole>().unwrap(), role);
        }
        assert_eq!("Reader".parse::<AdminRole>().unwrap_err().to_string(), r#"no admin role is named "Reader""#);
    }
}
