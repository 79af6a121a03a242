//! The organisation's directory, the source of authority: users, groups, applications, assignments, admin roles, audit,
//! and the imports that fill it.
//!
//! Use cases are plain functions over a transaction of [`store`]; time and ids are arguments. Every change appends its
//! rows to the directory's change feed in the same transaction, and a call that changes nothing appends none. What is
//! done with the changes, and what a target is, lives elsewhere.

mod application;
mod attribute;
mod audit;
mod error;
mod group;
pub mod import;
mod member;
mod page;
mod principal;
mod roles;
mod user;

pub use application::{
    AppRole, Application, Assignment, DEFAULT_ACCESS, Entitlement, NAME_MAX, ROLES_MAX, add_app_role, add_application,
    app_roles, application, applications, assign, assignments, default_access_role, entitlements, find_application,
    remove_app_role, remove_application, rename_application, role_named, unassign,
};
pub use attribute::{
    AttributeType, SOURCE_ATTRIBUTES, STRING_MAX, SourceAttribute, VALUES_MAX, attribute_name, attribute_named,
    attribute_names, source_attribute,
};
pub use audit::{Activity, record};
pub use error::DirectoryError;
pub use group::{
    Group, GroupDraft, GroupSearch, change_group, create_group, delete_group, find_deleted_group, find_group, group,
    list_groups, purge_group, restore_group,
};
pub use member::{NESTING_MAX, add_member, members, remove_member};
pub use page::Page;
pub use principal::{Principal, find_principal};
pub use roles::{
    ADMINS_MAX, AdminRole, admins, grant_admin_role, refuse_last_administrator, revoke_admin_role, roles_of,
};
pub use user::{
    Changes, EXTENSIONS_MAX, Purged, SOFT_DELETE_DAYS, USER_PRINCIPAL_NAME_MAX, User, UserDraft, UserPlace, UserSearch,
    change_user, create_user, delete_user, find_deleted_user, find_user, list_users, purge_expired, purge_user,
    restore_user, user, users_between,
};
