//! Rows of users.

use serde_json::Value;
use store::{ReadTx, UserId, WriteTx, users as stored};

use super::ImportOptions;
use super::columns::{Column, Role, missing};
use super::report::{ImportError, Problem};
use super::rows::{Kind, Seen, id_in, name_in};
use super::run::{Applied, Context, Done, Later};
use crate::attribute::{self, Named, flag};
use crate::error::DirectoryError;
use crate::roles::refuse_last_administrator;
use crate::user::{self, User, name_key};

pub(super) struct Users {
    empty_clears: bool,
    seen: Seen,
}

/// A row of the file: a user as it is to be.
pub(super) struct UserRow {
    id: Option<UserId>,
    /// The folded `userPrincipalName`.
    key: String,
    changes: Vec<(Named, Option<Value>)>,
    manager: Manager,
}

/// What the file says of a user's manager.
enum Manager {
    Unsaid,
    Nobody,
    Named(String),
}

impl Users {
    pub(super) fn new(options: &ImportOptions) -> Self {
        Self { empty_clears: options.empty_clears, seen: Seen::default() }
    }
}

/// Attributes that every user has: an empty cell leaves them alone.
const ALWAYS: [&str; 2] = ["accountEnabled", "mailNickname"];

impl Kind for Users {
    type Row = UserRow;

    fn role(&self, name: &str, label: &str) -> Role {
        match attribute::of_user(name) {
            Some(named) if named.name == "objectId" => Role::Id,
            Some(named) if named.name == "manager" => Role::Manager,
            Some(named) if named.name == "accountEnabled" && blocks_sign_in(label) => Role::BlockSignIn,
            Some(named) if !named.rules.read_only => Role::Attribute(named),
            _ => Role::Ignored,
        }
    }

    fn require(&self, columns: &[Column]) -> Result<(), ImportError> {
        let is_name = |column: &Column| matches!(&column.role, Role::Attribute(a) if a.name == "userPrincipalName");
        if columns.iter().any(is_name) { Ok(()) } else { Err(missing("userPrincipalName", columns)) }
    }

    fn row(&mut self, line: u64, cells: Vec<(&Column, Value)>) -> Result<UserRow, Problem> {
        let mut row = UserRow {
            id: None,
            key: String::new(),
            changes: Vec::with_capacity(cells.len()),
            manager: Manager::Unsaid,
        };
        for (column, value) in cells {
            match &column.role {
                Role::Id => row.id = id_in(line, column, value)?,
                Role::Manager => {
                    row.manager = match name_in(line, column, value)? {
                        Some(name) => Manager::Named(name),
                        None if self.empty_clears => Manager::Nobody,
                        None => Manager::Unsaid,
                    };
                }
                Role::BlockSignIn => row.changes.extend(turned_round(line, column, value)?),
                Role::Attribute(named) => self.attribute(line, column, named, value, &mut row)?,
                _ => {}
            }
        }
        if row.key.is_empty() {
            return Err(Problem::of_column(line, "userPrincipalName", "is missing"));
        }
        if matches!(&row.manager, Manager::Named(who) if name_key(who).is_ok_and(|key| key == row.key)) {
            return Err(Problem::of_column(line, "manager", "cannot be the user's own"));
        }
        self.seen.note(line, "userPrincipalName", row.key.clone())?;
        if let Some(id) = row.id {
            self.seen.note(line, "id", id.to_string())?;
        }
        Ok(row)
    }

    fn apply(tx: &mut WriteTx<'_>, row: &UserRow, context: &mut Context) -> Result<Applied, DirectoryError> {
        let before = existing(tx, row)?;
        let id = before.as_ref().map_or_else(|| row.id.unwrap_or_else(|| UserId::new((context.ids)())), |user| user.id);
        let mut after = before.clone().unwrap_or_else(|| User::blank(id, context.now));
        for (named, value) in &row.changes {
            after.set(named, value.clone())?;
        }
        let mut later = None;
        match &row.manager {
            Manager::Unsaid => {}
            Manager::Nobody => after.manager = None,
            Manager::Named(who) => match found_manager(tx, who, context)? {
                Some(manager) => after.manager = Some(manager),
                None => later = Some(Later { user: id, manager: who.clone() }),
            },
        }
        if before.as_ref().is_some_and(|before| before.user_principal_name != after.user_principal_name) {
            context.managers.clear();
        }
        if before.as_ref().is_some_and(|before| before.account_enabled) && !after.account_enabled {
            refuse_last_administrator(tx, id)?;
        }
        let done = match before {
            None => user::insert_free(tx, after, context.now).map(|_| Done::Created)?,
            Some(before) if user::update(tx, &before, after, context.now)?.1 => Done::Updated,
            Some(_) => Done::Unchanged,
        };
        Ok(Applied { done, later, names: vec![row.key.clone(), id.to_string()] })
    }
}

impl Users {
    fn attribute(
        &self,
        line: u64,
        column: &Column,
        named: &Named,
        value: Value,
        row: &mut UserRow,
    ) -> Result<(), Problem> {
        let bad = |reason: String| Problem::of_column(line, &column.header, &reason);
        let value = named.rules.normalised(value).map_err(bad)?;
        match (named.name.as_ref(), &value) {
            ("userPrincipalName" | "displayName", None) => return Err(bad("is empty".to_owned())),
            ("userPrincipalName", Some(Value::String(name))) => {
                row.key = name_key(name).map_err(|error| Problem {
                    column: Some(column.header.clone()),
                    ..Problem::of_error(line, &error)
                })?;
            }
            (_, None) if !self.empty_clears => return Ok(()),
            (name, None) if ALWAYS.contains(&name) => return Ok(()),
            _ => {}
        }
        row.changes.push((named.clone(), value));
        Ok(())
    }
}

/// Entra's bulk template asks `Block sign in (Yes/No) [accountEnabled]`.
fn blocks_sign_in(label: &str) -> bool {
    label.to_ascii_lowercase().starts_with("block sign in")
}

fn turned_round(line: u64, column: &Column, value: Value) -> Result<Option<(Named, Option<Value>)>, Problem> {
    let Some(text) = name_in(line, column, value)? else { return Ok(None) };
    let blocked = flag(&text).map_err(|reason| Problem::of_column(line, &column.header, &reason))?;
    Ok(attribute::of_user("accountEnabled").map(|named| (named, Some(Value::Bool(!blocked)))))
}

/// The user whom the row means: by id first, then by name.
fn existing(tx: &mut ReadTx<'_>, row: &UserRow) -> Result<Option<User>, DirectoryError> {
    if let Some(id) = row.id
        && let Some(found) = user::user(tx, id)?
    {
        return match found.deleted {
            None => Ok(Some(found)),
            Some(_) => Err(DirectoryError::NotAllowed(format!("user {id} is soft-deleted; restore it first"))),
        };
    }
    stored::user_by_key(tx, &row.key)?.map(User::from_record).transpose()
}

/// The manager of that name or id, if that user is there already.
fn found_manager(tx: &mut ReadTx<'_>, who: &str, context: &mut Context) -> Result<Option<UserId>, DirectoryError> {
    if let Some(known) = context.managers.get(who) {
        return Ok(Some(*known));
    }
    match user::find_user(tx, who) {
        Ok(manager) => {
            context.managers.insert(who.to_owned(), manager.id);
            Ok(Some(manager.id))
        }
        Err(DirectoryError::NotFound { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}
