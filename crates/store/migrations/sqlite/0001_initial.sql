-- One row per fact about this installation, such as its public address.
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- The application side -------------------------------------------------------------------------

-- AUTOINCREMENT: the key of a deleted tenant is never used again.
CREATE TABLE tenants (
  tenant    INTEGER PRIMARY KEY AUTOINCREMENT,
  name      TEXT NOT NULL,
  profile   TEXT NOT NULL,
  settings  TEXT NOT NULL,
  created   INTEGER NOT NULL,
  suspended INTEGER
);
CREATE UNIQUE INDEX tenants_name ON tenants (name);

CREATE TABLE tokens (
  tenant    INTEGER NOT NULL REFERENCES tenants (tenant),
  id        BLOB NOT NULL,
  name      TEXT NOT NULL,
  hash      BLOB NOT NULL,
  hint      TEXT NOT NULL,
  created   INTEGER NOT NULL,
  expires   INTEGER NOT NULL,
  revoked   INTEGER,
  last_used INTEGER,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX tokens_hash ON tokens (hash);
CREATE UNIQUE INDEX tokens_name ON tokens (tenant, name) WHERE revoked IS NULL;

-- Users and groups of a tenant. A rowid table: documents above 1 KB would overflow in a WITHOUT ROWID tree.
CREATE TABLE resources (
  tenant     INTEGER NOT NULL REFERENCES tenants (tenant),
  kind       INTEGER NOT NULL,
  id         BLOB NOT NULL,
  unique_key TEXT,
  doc        TEXT NOT NULL,
  version    INTEGER NOT NULL,
  created    INTEGER NOT NULL,
  modified   INTEGER NOT NULL
);
CREATE UNIQUE INDEX resources_id ON resources (tenant, kind, id);
CREATE UNIQUE INDEX resources_unique_key ON resources (tenant, kind, unique_key) WHERE unique_key IS NOT NULL;

-- The folded values of the attributes a profile can filter by.
CREATE TABLE resource_keys (
  tenant INTEGER NOT NULL,
  kind   INTEGER NOT NULL,
  path   TEXT NOT NULL,
  key    TEXT NOT NULL,
  id     BLOB NOT NULL,
  PRIMARY KEY (tenant, kind, path, key, id)
) WITHOUT ROWID;

CREATE TABLE members (
  tenant    INTEGER NOT NULL,
  group_id  BLOB NOT NULL,
  member_id BLOB NOT NULL,
  kind      INTEGER NOT NULL,
  display   TEXT,
  PRIMARY KEY (tenant, group_id, member_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX members_member ON members (tenant, member_id, group_id);

-- What changed, in commit order without gaps, without what was trimmed at the start. Feed 0 is the directory, feed n the tenant n.
CREATE TABLE changes (
  feed    INTEGER NOT NULL,
  seq     INTEGER NOT NULL,
  object  INTEGER NOT NULL,
  id      BLOB NOT NULL,
  related BLOB,
  at      INTEGER NOT NULL,
  PRIMARY KEY (feed, seq)
) WITHOUT ROWID;

-- The directory --------------------------------------------------------------------------------

CREATE TABLE directory_users (
  id           BLOB PRIMARY KEY,
  upn          TEXT NOT NULL,
  upn_key      TEXT,
  display_name TEXT NOT NULL,
  manager      BLOB,
  enabled      INTEGER NOT NULL,
  deleted      INTEGER,
  doc          TEXT NOT NULL,
  version      INTEGER NOT NULL,
  created      INTEGER NOT NULL,
  modified     INTEGER NOT NULL
);
CREATE UNIQUE INDEX directory_users_upn ON directory_users (upn_key) WHERE upn_key IS NOT NULL;
CREATE INDEX directory_users_manager ON directory_users (manager, id) WHERE manager IS NOT NULL;
CREATE INDEX directory_users_deleted ON directory_users (deleted) WHERE deleted IS NOT NULL;

CREATE TABLE directory_groups (
  id               BLOB PRIMARY KEY,
  display_name     TEXT NOT NULL,
  name_key         TEXT NOT NULL,
  security_enabled INTEGER NOT NULL,
  deleted          INTEGER,
  doc              TEXT NOT NULL,
  version          INTEGER NOT NULL,
  created          INTEGER NOT NULL,
  modified         INTEGER NOT NULL
);
CREATE INDEX directory_groups_name ON directory_groups (name_key, id);
CREATE INDEX directory_groups_deleted ON directory_groups (deleted) WHERE deleted IS NOT NULL;

CREATE TABLE directory_members (
  group_id  BLOB NOT NULL,
  member_id BLOB NOT NULL,
  kind      INTEGER NOT NULL,
  PRIMARY KEY (group_id, member_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX directory_members_member ON directory_members (member_id, group_id);

CREATE TABLE applications (
  id       BLOB PRIMARY KEY,
  name     TEXT NOT NULL,
  name_key TEXT NOT NULL,
  template TEXT NOT NULL,
  created  INTEGER NOT NULL,
  modified INTEGER NOT NULL
);
CREATE UNIQUE INDEX applications_name ON applications (name_key);

CREATE TABLE app_roles (
  app          BLOB NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
  id           BLOB NOT NULL,
  value        TEXT NOT NULL,
  display_name TEXT NOT NULL,
  PRIMARY KEY (app, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX app_roles_value ON app_roles (app, value);

CREATE TABLE assignments (
  app       BLOB NOT NULL REFERENCES applications (id) ON DELETE CASCADE,
  principal BLOB NOT NULL,
  kind      INTEGER NOT NULL,
  role      BLOB NOT NULL,
  created   INTEGER NOT NULL,
  PRIMARY KEY (app, principal, role)
) WITHOUT ROWID;
CREATE INDEX assignments_principal ON assignments (principal, app);

CREATE TABLE admin_roles (
  user_id BLOB NOT NULL,
  role    TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (user_id, role)
) WITHOUT ROWID;

CREATE TABLE audit (
  id       BLOB PRIMARY KEY,
  at       INTEGER NOT NULL,
  actor    TEXT NOT NULL,
  activity TEXT NOT NULL,
  target   TEXT NOT NULL,
  detail   TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);

-- The provisioning service ---------------------------------------------------------------------

CREATE TABLE jobs (
  app            BLOB PRIMARY KEY REFERENCES applications (id) ON DELETE CASCADE,
  status         TEXT NOT NULL,
  settings       TEXT NOT NULL,
  secret         BLOB NOT NULL,
  watermark      INTEGER,
  initial_from   INTEGER,
  initial_cursor TEXT,
  next_run       INTEGER NOT NULL,
  fence          INTEGER NOT NULL,
  lease_owner    TEXT,
  lease_until    INTEGER,
  version        INTEGER NOT NULL,
  quarantine_reason TEXT,
  quarantine_since INTEGER
);
CREATE INDEX jobs_due ON jobs (status, next_run);

CREATE TABLE links (
  app        BLOB NOT NULL,
  kind       INTEGER NOT NULL,
  source_id  BLOB NOT NULL,
  target_id  TEXT,
  state      INTEGER NOT NULL,
  attempt    INTEGER NOT NULL,
  at         INTEGER NOT NULL,
  fence      INTEGER NOT NULL,
  match_key  TEXT NOT NULL,
  label      TEXT NOT NULL,
  exported   INTEGER,
  PRIMARY KEY (app, kind, source_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX links_target ON links (app, kind, target_id) WHERE target_id IS NOT NULL;
CREATE INDEX links_open ON links (app, kind, source_id) WHERE state IN (1, 3, 4);

CREATE TABLE member_links (
  app    BLOB NOT NULL,
  holder BLOB NOT NULL,
  member BLOB NOT NULL,
  PRIMARY KEY (app, holder, member)
) WITHOUT ROWID;
CREATE UNIQUE INDEX member_links_member ON member_links (app, member, holder);

CREATE TABLE pending_references (
  app       BLOB NOT NULL,
  kind      INTEGER NOT NULL,
  holder    BLOB NOT NULL,
  attribute TEXT NOT NULL,
  wanted    BLOB NOT NULL,
  fresh     INTEGER NOT NULL,
  ready     INTEGER NOT NULL,
  PRIMARY KEY (app, kind, holder, attribute, wanted)
) WITHOUT ROWID;
CREATE INDEX pending_references_wanted ON pending_references (app, wanted);
CREATE INDEX pending_references_ready ON pending_references (app, kind, holder, attribute, wanted) WHERE ready = 1;

CREATE TABLE escrows (
  app          BLOB NOT NULL,
  kind         INTEGER NOT NULL,
  source_id    BLOB NOT NULL,
  code         TEXT NOT NULL,
  reason       TEXT NOT NULL,
  first_failed INTEGER NOT NULL,
  attempts     INTEGER NOT NULL,
  next_attempt INTEGER NOT NULL,
  PRIMARY KEY (app, kind, source_id)
) WITHOUT ROWID;
CREATE INDEX escrows_due ON escrows (app, next_attempt);

CREATE TABLE cycles (
  app     BLOB NOT NULL,
  id      BLOB NOT NULL,
  kind    TEXT NOT NULL,
  state   TEXT NOT NULL,
  started INTEGER NOT NULL,
  ended   INTEGER,
  counts  TEXT NOT NULL,
  PRIMARY KEY (app, id)
) WITHOUT ROWID;

CREATE TABLE provisioning_logs (
  app       BLOB NOT NULL,
  id        BLOB NOT NULL,
  at        INTEGER NOT NULL,
  cycle     BLOB NOT NULL,
  action    TEXT NOT NULL,
  status    TEXT NOT NULL,
  kind      INTEGER NOT NULL,
  source_id BLOB NOT NULL,
  label     TEXT NOT NULL,
  doc       TEXT NOT NULL
);
CREATE UNIQUE INDEX provisioning_logs_id ON provisioning_logs (app, id);
CREATE INDEX provisioning_logs_source ON provisioning_logs (app, source_id, id);

-- What the planner should expect. Without it SQLite takes every index for equally selective, and looks through all rows of
-- an application where an index on two columns would find one. The figures are shapes (rows in all, rows per value of
-- the first column, of the first two, …), not measurements, and stay as they are.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
  ('pending_references', 'pending_references',        '1000000 500000 500000 2 2 1'),
  ('pending_references', 'pending_references_wanted', '1000000 500000 10'),
  ('pending_references', 'pending_references_ready',  '1000 500 500 2 2 1'),
  ('member_links',       'member_links',              '1000000 500000 1000 1'),
  ('member_links',       'member_links_member',       '1000000 500000 10 1'),
  ('links',              'links',                     '1000000 500000 500000 1'),
  ('links',              'links_target',              '1000000 500000 500000 1'),
  ('links',              'links_open',                '1000 500 500 1'),
  ('directory_members',  'directory_members',         '1000000 1000 1'),
  ('directory_members',  'directory_members_member',  '1000000 10 1'),
  ('assignments',        'assignments',               '10000 1000 2 1'),
  ('assignments',        'assignments_principal',     '10000 2 2'),
  ('members',            'members',                   '1000000 100000 1000 1'),
  ('members',            'members_member',            '1000000 100000 10 1');
-- Once more, so that the connection that made the tables goes by the figures too.
ANALYZE sqlite_schema;
