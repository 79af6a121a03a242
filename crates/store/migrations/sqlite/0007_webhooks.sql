-- Where events of a tenant are sent, how far each webhook has come, and who sends now.
CREATE TABLE webhooks (
  tenant        INTEGER NOT NULL REFERENCES tenants (tenant),
  id            BLOB NOT NULL,
  name          TEXT NOT NULL,
  url           TEXT NOT NULL,
  is_full       INTEGER NOT NULL,
  actions       TEXT NOT NULL,
  types         TEXT NOT NULL,
  created       INTEGER NOT NULL,
  read_to       INTEGER NOT NULL,
  failures      INTEGER NOT NULL DEFAULT 0,
  failing_since INTEGER,
  next_attempt  INTEGER NOT NULL DEFAULT 0,
  last_success  INTEGER,
  last_failed   INTEGER,
  last_failure  TEXT,
  missed        INTEGER NOT NULL DEFAULT 0,
  paused        TEXT,
  lease_until   INTEGER NOT NULL DEFAULT 0,
  fence         INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX webhooks_name ON webhooks (tenant, name);
