-- A key names the row of its resource beside its id, so that a look-up by a key goes to the row and not through the index of ids, which
-- with a million users is one more page that no cache holds. The number of a row without a column of its own is not lasting: VACUUM may
-- give it anew.
CREATE TABLE resources_in_rows (
  row_id     INTEGER PRIMARY KEY,
  tenant     INTEGER NOT NULL REFERENCES tenants (tenant),
  kind       INTEGER NOT NULL,
  id         BLOB NOT NULL,
  unique_key TEXT,
  doc        TEXT NOT NULL,
  version    INTEGER NOT NULL,
  created    INTEGER NOT NULL,
  modified   INTEGER NOT NULL
);
INSERT INTO resources_in_rows SELECT rowid, tenant, kind, id, unique_key, doc, version, created, modified FROM resources ORDER BY rowid;
DROP TABLE resources;
ALTER TABLE resources_in_rows RENAME TO resources;
CREATE UNIQUE INDEX resources_id ON resources (tenant, kind, id);
CREATE UNIQUE INDEX resources_unique_key ON resources (tenant, kind, unique_key) WHERE unique_key IS NOT NULL;

CREATE TABLE keys_with_rows (
  tenant INTEGER NOT NULL,
  kind   INTEGER NOT NULL,
  path   TEXT NOT NULL,
  key    TEXT NOT NULL,
  id     BLOB NOT NULL,
  row_id INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind, path, key, id)
) WITHOUT ROWID;
INSERT INTO keys_with_rows
SELECT k.tenant, k.kind, k.path, k.key, k.id, r.row_id
FROM resource_keys k JOIN resources r ON r.tenant = k.tenant AND r.kind = k.kind AND r.id = k.id
ORDER BY k.tenant, k.kind, k.path, k.key, k.id;
DROP TABLE resource_keys;
ALTER TABLE keys_with_rows RENAME TO resource_keys;
