-- How many resources of a kind a tenant has. Several rows of one kind add up: each connection of PostgreSQL counts in a row of its own,
-- so that writers do not wait for each other. SQLite has one writer and one row.
CREATE TABLE resource_counts (
  tenant INTEGER NOT NULL,
  kind   INTEGER NOT NULL,
  slot   INTEGER NOT NULL,
  held   INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind, slot)
) WITHOUT ROWID;
INSERT INTO resource_counts (tenant, kind, slot, held) SELECT tenant, kind, 0, COUNT(*) FROM resources GROUP BY tenant, kind;
