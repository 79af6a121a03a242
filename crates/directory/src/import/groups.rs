//! Rows of groups.

use serde_json::Value;
use store::{GroupId, ReadTx, WriteTx, folded};

use super::ImportOptions;
use super::columns::{Column, Role, missing, name_and_label};
use super::report::{ImportError, Problem};
use super::rows::{Kind, Seen, id_in};
use super::run::{Applied, Context, Done};
use crate::attribute::{self, Named};
use crate::error::DirectoryError;
use crate::group::{self, Group};

pub(super) struct Groups {
    empty_clears: bool,
    seen: Seen,
}

/// A row of the file: a group as it is to be.
pub(super) struct GroupRow {
    id: Option<GroupId>,
    display_name: String,
    changes: Vec<(Named, Option<Value>)>,
}

impl Groups {
    pub(super) fn new(options: &ImportOptions) -> Self {
        Self { empty_clears: options.empty_clears, seen: Seen::default() }
    }
}

impl Kind for Groups {
    type Row = GroupRow;

    fn role(&self, name: &str, _: &str) -> Role {
        match attribute::of_group(name) {
            Some(named) if named.name == "objectId" => Role::Id,
            Some(named) if !named.rules.read_only => Role::Attribute(named),
            _ => Role::Ignored,
        }
    }

    fn require(&self, columns: &[Column]) -> Result<(), ImportError> {
        if let Some(of_users) =
            columns.iter().find(|column| name_and_label(&column.header).0.eq_ignore_ascii_case("userPrincipalName"))
        {
            return Err(ImportError::FileOfUsers(of_users.header.clone()));
        }
        let is_name = |column: &Column| matches!(&column.role, Role::Attribute(a) if a.name == "displayName");
        if columns.iter().any(is_name) { Ok(()) } else { Err(missing("displayName", columns)) }
    }

    fn row(&mut self, line: u64, cells: Vec<(&Column, Value)>) -> Result<GroupRow, Problem> {
        let mut row = GroupRow { id: None, display_name: String::new(), changes: Vec::with_capacity(cells.len()) };
        for (column, value) in cells {
            let named = match &column.role {
                Role::Id => {
                    row.id = id_in(line, column, value)?;
                    continue;
                }
                Role::Attribute(named) => named,
                _ => continue,
            };
            let bad = |reason: String| Problem::of_column(line, &column.header, &reason);
            let value = named.rules.normalised(value).map_err(bad)?;
            match (named.name.as_ref(), &value) {
                ("displayName", Some(Value::String(name))) => row.display_name.clone_from(name),
                ("displayName", _) => return Err(bad("is empty".to_owned())),
                ("securityEnabled", None) => continue,
                (_, None) if !self.empty_clears => continue,
                _ => {}
            }
            row.changes.push((named.clone(), value));
        }
        if row.display_name.is_empty() {
            return Err(Problem::of_column(line, "displayName", "is missing"));
        }
        // Names of groups are not unique: with an id beside it, a name may stand in the file twice.
        match row.id {
            Some(id) => self.seen.note(line, "id", id.to_string())?,
            None => self.seen.note(line, "displayName", folded(&row.display_name))?,
        }
        Ok(row)
    }

    fn apply(tx: &mut WriteTx<'_>, row: &GroupRow, context: &mut Context) -> Result<Applied, DirectoryError> {
        let before = existing(tx, row)?;
        let new = || Group::blank(row.id.unwrap_or_else(|| GroupId::new((context.ids)())), context.now);
        let mut after = before.clone().unwrap_or_else(new);
        for (named, value) in &row.changes {
            after.set(named, value.clone())?;
        }
        let done = match before {
            None => group::insert(tx, after, context.now).map(|_| Done::Created)?,
            Some(before) if group::update(tx, &before, after, context.now)?.1 => Done::Updated,
            Some(_) => Done::Unchanged,
        };
        Ok(Applied { done, later: None, names: Vec::new() })
    }
}

/// The group that the row means.
fn existing(tx: &mut ReadTx<'_>, row: &GroupRow) -> Result<Option<Group>, DirectoryError> {
    let found = match row.id {
        Some(id) => group::live_group(tx, id),
        None => group::find_named(tx, &row.display_name),
    };
    match found {
        Ok(group) => Ok(Some(group)),
        Err(DirectoryError::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}
