-- What a tenant defined itself: schemas and resource types as one document, with a version. The digest in `tenants` tells which document
-- is in force without reading it; without one the tenant has none.
ALTER TABLE tenants ADD COLUMN schema_digest BYTEA;

CREATE TABLE tenant_schemas (
  tenant  BIGINT PRIMARY KEY REFERENCES tenants (tenant),
  version BIGINT NOT NULL,
  doc     TEXT NOT NULL,
  changed BIGINT NOT NULL
);

-- Values that no two resources of a kind may share.
CREATE TABLE unique_values (
  tenant BIGINT NOT NULL,
  kind   BIGINT NOT NULL,
  path   TEXT COLLATE "C" NOT NULL,
  key    TEXT COLLATE "C" NOT NULL,
  id     UUID NOT NULL,
  PRIMARY KEY (tenant, kind, path, key)
);
