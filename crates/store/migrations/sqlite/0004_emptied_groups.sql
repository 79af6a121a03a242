-- Groups that were deleted while they had very many members: the rows in `members` are removed a few at a time.
CREATE TABLE emptied_groups (
  tenant   INTEGER NOT NULL,
  group_id BLOB NOT NULL,
  PRIMARY KEY (tenant, group_id)
) WITHOUT ROWID;
