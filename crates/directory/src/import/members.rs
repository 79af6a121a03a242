//! Rows of members of groups.

use serde_json::Value;
use store::{ReadTx, WriteTx, folded};

use super::ImportOptions;
use super::columns::{Column, Role, missing};
use super::report::{ImportError, Problem};
use super::rows::{Kind, Seen, name_in};
use super::run::{Applied, Context, Done};
use crate::error::DirectoryError;
use crate::group::find_group;
use crate::member::add_member;
use crate::principal::{Principal, find_principal};

pub(super) struct Members {
    /// The group of rows that name none.
    group: Option<String>,
    seen: Seen,
}

/// A row of the file: a membership.
pub(super) struct MemberRow {
    group: String,
    id: Option<String>,
    name: Option<String>,
    /// Whether the file has said so before; in a dry run, that row may have been rolled back with its batch.
    again: bool,
}

impl Members {
    pub(super) fn new(options: &ImportOptions) -> Self {
        Self { group: options.group.clone(), seen: Seen::default() }
    }
}

impl Kind for Members {
    type Row = MemberRow;

    fn role(&self, name: &str, _: &str) -> Role {
        match name.to_ascii_lowercase().as_str() {
            "groupdisplayname" | "groupname" | "group" | "groupid" | "groupobjectid" => Role::Group,
            "id" | "objectid" | "memberid" | "memberobjectid" => Role::MemberId,
            "userprincipalname" | "memberobjectidorupn" | "member" | "upn" => Role::MemberName,
            _ => Role::Ignored,
        }
    }

    fn require(&self, columns: &[Column]) -> Result<(), ImportError> {
        let has = |roles: &[Role]| columns.iter().any(|column| roles.contains(&column.role));
        if self.group.is_none() && !has(&[Role::Group]) {
            return Err(missing("groupDisplayName", columns));
        }
        if has(&[Role::MemberId, Role::MemberName]) { Ok(()) } else { Err(missing("userPrincipalName", columns)) }
    }

    fn row(&mut self, line: u64, cells: Vec<(&Column, Value)>) -> Result<MemberRow, Problem> {
        let (mut group, mut id, mut name) = (None, None, None);
        for (column, value) in cells {
            let text = name_in(line, column, value)?;
            match &column.role {
                Role::Group => group = text,
                Role::MemberId => id = text,
                Role::MemberName => name = text,
                _ => {}
            }
        }
        let group = group.or_else(|| self.group.clone());
        let group = group.ok_or_else(|| Problem::of_column(line, "groupDisplayName", "is missing"))?;
        let Some(member) = id.as_ref().or(name.as_ref()) else {
            return Err(Problem::of_column(line, "userPrincipalName", "is missing"));
        };
        // No name holds a line break, so the two cannot run into each other.
        let again = !self.seen.is_new(line, format!("{}\n{}", folded(&group), folded(member)));
        Ok(MemberRow { group, id, name, again })
    }

    fn apply(tx: &mut WriteTx<'_>, row: &MemberRow, context: &mut Context) -> Result<Applied, DirectoryError> {
        let group = find_group(tx, &row.group)?;
        let member = member(tx, row)?;
        let added = add_member(tx, group.id, member.id, member.kind, context.now)?;
        let done = if added && !row.again { Done::Created } else { Done::Unchanged };
        Ok(Applied { done, later: None, names: Vec::new() })
    }
}

/// The member that the row means: by id first, then by name.
fn member(tx: &mut ReadTx<'_>, row: &MemberRow) -> Result<Principal, DirectoryError> {
    match (&row.id, &row.name) {
        (Some(id), Some(name)) => match find_principal(tx, id) {
            Err(DirectoryError::NotFound { .. }) => find_principal(tx, name),
            other => other,
        },
        (Some(one), None) | (None, Some(one)) => find_principal(tx, one),
        (None, None) => Err(DirectoryError::not_found("user or group", "")),
    }
}
