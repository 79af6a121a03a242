-- One row per fact about this installation, such as its public address.
CREATE TABLE settings (name TEXT COLLATE "C" PRIMARY KEY, value TEXT NOT NULL);

-- The application side -------------------------------------------------------------------------

CREATE TABLE tenants (
  tenant    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name      TEXT COLLATE "C" NOT NULL,
  profile   TEXT NOT NULL,
  settings  TEXT NOT NULL,
  created   BIGINT NOT NULL,
  suspended BIGINT
);
CREATE UNIQUE INDEX tenants_name ON tenants (name);

CREATE TABLE tokens (
  tenant    BIGINT NOT NULL REFERENCES tenants (tenant),
  id        UUID NOT NULL,
  name      TEXT COLLATE "C" NOT NULL,
  hash      BYTEA NOT NULL,
  hint      TEXT NOT NULL,
  created   BIGINT NOT NULL,
  expires   BIGINT NOT NULL,
  revoked   BIGINT,
  last_used BIGINT,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX tokens_hash ON tokens (hash);
CREATE UNIQUE INDEX tokens_name ON tokens (tenant, name) WHERE revoked IS NULL;

-- Users and groups of a tenant.
CREATE TABLE resources (
  tenant     BIGINT NOT NULL REFERENCES tenants (tenant),
  kind       BIGINT NOT NULL,
  id         UUID NOT NULL,
  unique_key TEXT COLLATE "C",
  doc        TEXT NOT NULL,
  version    BIGINT NOT NULL,
  created    BIGINT NOT NULL,
  modified   BIGINT NOT NULL
);
CREATE UNIQUE INDEX resources_id ON resources (tenant, kind, id);
CREATE UNIQUE INDEX resources_unique_key ON resources (tenant, kind, unique_key) WHERE unique_key IS NOT NULL;

-- The folded values of the attributes a profile can filter by.
CREATE TABLE resource_keys (
  tenant BIGINT NOT NULL,
  kind   BIGINT NOT NULL,
  path   TEXT COLLATE "C" NOT NULL,
  key    TEXT COLLATE "C" NOT NULL,
  id     UUID NOT NULL,
  PRIMARY KEY (tenant, kind, path, key, id)
);

CREATE TABLE members (
  tenant    BIGINT NOT NULL,
  group_id  UUID NOT NULL,
  member_id UUID NOT NULL,
  kind      BIGINT NOT NULL,
  display   TEXT,
  PRIMARY KEY (tenant, group_id, member_id)
);
CREATE UNIQUE INDEX members_member ON members (tenant, member_id, group_id);

-- What changed, in commit order without gaps, without what was trimmed at the start. Feed 0 is the directory, feed n the tenant n.
CREATE TABLE changes (
  feed    BIGINT NOT NULL,
  seq     BIGINT NOT NULL,
  object  BIGINT NOT NULL,
  id      UUID NOT NULL,
  related UUID,
  at      BIGINT NOT NULL,
  PRIMARY KEY (feed, seq)
);

-- Changes whose place in the order is not decided yet. Writers append here without waiting for each other;
-- a reader moves committed rows into `changes` and numbers them, so that none is ever missed.
CREATE TABLE changes_unnumbered (
  id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  feed    BIGINT NOT NULL,
  object  BIGINT NOT NULL,
  object_id UUID NOT NULL,
  related UUID,
  at      BIGINT NOT NULL
);
CREATE INDEX changes_unnumbered_feed ON changes_unnumbered (feed, id);
CREATE TABLE feeds (feed BIGINT PRIMARY KEY, last BIGINT NOT NULL);

-- The directory --------------------------------------------------------------------------------

CREATE TABLE directory_users (
  id           UUID PRIMARY KEY,
  upn          TEXT NOT NULL,
  upn_key      TEXT COLLATE "C",
  display_name TEXT COLLATE "C" NOT NULL,
  manager      UUID,
  enabled      BIGINT NOT NULL,
  deleted      BIGINT,
  doc          TEXT NOT NULL,
  version      BIGINT NOT NULL,
  created      BIGINT NOT NULL,
  modified     BIGINT NOT NULL
);
CREATE UNIQUE INDEX directory_users_upn ON directory_users (upn_key) WHERE upn_key IS NOT NULL;
CREATE INDEX directory_users_manager ON directory_users (manager, id) WHERE manager IS NOT NULL;
CREATE INDEX directory_users_deleted ON directory_users (deleted) WHERE deleted IS NOT NULL;

CREATE TABLE directory_groups (
  id               UUID PRIMARY KEY,
  display_name     TEXT COLLATE "C" NOT NULL,
  name_key         TEXT COLLATE "C" NOT NULL,
  security_enabled BIGINT NOT NULL,
  deleted          BIGINT,
  doc              TEXT NOT NULL,
  version          BIGINT NOT NULL,
  created          BIGINT NOT NULL,
  modified         BIGINT NOT NULL
);
CREATE INDEX directory_groups_name ON directory_groups (name_key, id);
CREATE INDEX directory_groups_deleted ON directory_groups (deleted) WHERE deleted IS NOT NULL;

CREATE TABLE directory_members (
  group_id  UUID NOT NULL,
  member_id UUID NOT NULL,
  kind      BIGINT NOT NULL,
  PRIMARY KEY (group_id, member_id)
);
CREATE UNIQUE INDEX directory_members_member ON directory_members (member_id, group_id);

CREATE TABLE applications (
  id       UUID PRIMARY KEY,
  name     TEXT COLLATE "C" NOT NULL,
  name_key TEXT COLLATE "C" NOT NULL,
  template TEXT NOT NULL,
  created  BIGINT NOT NULL,
  modified BIGINT NOT NULL
);
CREATE UNIQUE INDEX applications_name ON applications (name_key);

CREATE TABLE app_roles (
  app          UUID NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
  id           UUID NOT NULL,
  value        TEXT COLLATE "C" NOT NULL,
  display_name TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (app, id)
);
CREATE UNIQUE INDEX app_roles_value ON app_roles (app, value);

CREATE TABLE assignments (
  app       UUID NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
  principal UUID NOT NULL,
  kind      BIGINT NOT NULL,
  role      UUID NOT NULL,
  created   BIGINT NOT NULL,
  PRIMARY KEY (app, principal, role)
);
CREATE INDEX assignments_principal ON assignments (principal, app);

CREATE TABLE admin_roles (
  user_id UUID NOT NULL,
  role    TEXT COLLATE "C" NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (user_id, role)
);

CREATE TABLE audit (
  id       UUID PRIMARY KEY,
  at       BIGINT NOT NULL,
  actor    TEXT NOT NULL,
  activity TEXT NOT NULL,
  target   TEXT NOT NULL,
  detail   TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);

-- The provisioning service ---------------------------------------------------------------------

CREATE TABLE jobs (
  app            UUID PRIMARY KEY REFERENCES applications (id) ON DELETE CASCADE,
  status         TEXT COLLATE "C" NOT NULL,
  settings       TEXT NOT NULL,
  secret         BYTEA NOT NULL,
  watermark      BIGINT,
  initial_from   BIGINT,
  initial_cursor TEXT,
  next_run       BIGINT NOT NULL,
  fence          BIGINT NOT NULL,
  lease_owner    TEXT,
  lease_until    BIGINT,
  version        BIGINT NOT NULL,
  quarantine_reason TEXT,
  quarantine_since BIGINT
);
CREATE INDEX jobs_due ON jobs (status, next_run);

CREATE TABLE links (
  app        UUID NOT NULL,
  kind       BIGINT NOT NULL,
  source_id  UUID NOT NULL,
  target_id  TEXT COLLATE "C",
  state      BIGINT NOT NULL,
  attempt    BIGINT NOT NULL,
  at         BIGINT NOT NULL,
  fence      BIGINT NOT NULL,
  match_key  TEXT COLLATE "C" NOT NULL,
  label      TEXT NOT NULL,
  exported   BIGINT,
  PRIMARY KEY (app, kind, source_id)
);
CREATE UNIQUE INDEX links_target ON links (app, kind, target_id) WHERE target_id IS NOT NULL;
CREATE INDEX links_open ON links (app, kind, source_id) WHERE state IN (1, 3, 4);

CREATE TABLE member_links (
  app    UUID NOT NULL,
  holder UUID NOT NULL,
  member UUID NOT NULL,
  PRIMARY KEY (app, holder, member)
);
CREATE UNIQUE INDEX member_links_member ON member_links (app, member, holder);

CREATE TABLE pending_references (
  app       UUID NOT NULL,
  kind      BIGINT NOT NULL,
  holder    UUID NOT NULL,
  attribute TEXT COLLATE "C" NOT NULL,
  wanted    UUID NOT NULL,
  fresh     BIGINT NOT NULL,
  ready     BIGINT NOT NULL,
  PRIMARY KEY (app, kind, holder, attribute, wanted)
);
CREATE INDEX pending_references_wanted ON pending_references (app, wanted);
CREATE INDEX pending_references_ready ON pending_references (app, kind, holder, attribute, wanted) WHERE ready = 1;

CREATE TABLE escrows (
  app          UUID NOT NULL,
  kind         BIGINT NOT NULL,
  source_id    UUID NOT NULL,
  code         TEXT NOT NULL,
  reason       TEXT NOT NULL,
  first_failed BIGINT NOT NULL,
  attempts     BIGINT NOT NULL,
  next_attempt BIGINT NOT NULL,
  PRIMARY KEY (app, kind, source_id)
);
CREATE INDEX escrows_due ON escrows (app, next_attempt);

CREATE TABLE cycles (
  app     UUID NOT NULL,
  id      UUID NOT NULL,
  kind    TEXT NOT NULL,
  state   TEXT NOT NULL,
  started BIGINT NOT NULL,
  ended   BIGINT,
  counts  TEXT NOT NULL,
  PRIMARY KEY (app, id)
);

CREATE TABLE provisioning_logs (
  app       UUID NOT NULL,
  id        UUID NOT NULL,
  at        BIGINT NOT NULL,
  cycle     UUID NOT NULL,
  action    TEXT NOT NULL,
  status    TEXT NOT NULL,
  kind      BIGINT NOT NULL,
  source_id UUID NOT NULL,
  label     TEXT NOT NULL,
  doc       TEXT NOT NULL
);
CREATE UNIQUE INDEX provisioning_logs_id ON provisioning_logs (app, id);
CREATE INDEX provisioning_logs_source ON provisioning_logs (app, source_id, id);
