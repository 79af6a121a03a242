-- Where events of a tenant are sent, how far each webhook has come, and who sends now.
CREATE TABLE webhooks (
  tenant        BIGINT NOT NULL REFERENCES tenants (tenant),
  id            UUID NOT NULL,
  name          TEXT COLLATE "C" NOT NULL,
  url           TEXT NOT NULL,
  is_full       BIGINT NOT NULL,
  actions       TEXT NOT NULL,
  types         TEXT NOT NULL,
  created       BIGINT NOT NULL,
  read_to       BIGINT NOT NULL,
  failures      BIGINT NOT NULL DEFAULT 0,
  failing_since BIGINT,
  next_attempt  BIGINT NOT NULL DEFAULT 0,
  last_success  BIGINT,
  last_failed   BIGINT,
  last_failure  TEXT,
  missed        BIGINT NOT NULL DEFAULT 0,
  paused        TEXT,
  lease_until   BIGINT NOT NULL DEFAULT 0,
  fence         BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX webhooks_name ON webhooks (tenant, name);
