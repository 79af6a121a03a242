-- What a tenant defined itself: schemas and resource types as one document, with a version. The digest in `tenants` tells which document
-- is in force without reading it; without one the tenant has none.
ALTER TABLE tenants ADD COLUMN schema_digest BLOB;

CREATE TABLE tenant_schemas (
  tenant  INTEGER PRIMARY KEY REFERENCES tenants (tenant),
  version INTEGER NOT NULL,
  doc     TEXT NOT NULL,
  changed INTEGER NOT NULL
);

-- Values that no two resources of a kind may share.
CREATE TABLE unique_values (
  tenant INTEGER NOT NULL,
  kind   INTEGER NOT NULL,
  path   TEXT NOT NULL,
  key    TEXT NOT NULL,
  id     BLOB NOT NULL,
  PRIMARY KEY (tenant, kind, path, key)
) WITHOUT ROWID;
