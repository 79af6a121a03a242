-- Resources that are being deleted while they leave very many groups, a few at a time; the resource itself goes last.
CREATE TABLE deletions (
  tenant     INTEGER NOT NULL,
  kind       INTEGER NOT NULL,
  id         BLOB NOT NULL,
  if_version INTEGER,
  PRIMARY KEY (tenant, kind, id)
) WITHOUT ROWID;
