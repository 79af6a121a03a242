-- Credentials of tenants: what a token may do, OAuth 2.0 clients with their secrets, and identity providers that clients are trusted by.

ALTER TABLE tokens ADD COLUMN may_write INTEGER NOT NULL DEFAULT 1;
-- The warning about the end that was given last: so many days before it.
ALTER TABLE tokens ADD COLUMN warned INTEGER;
-- An access token: the client that it was issued to, and the secret that client had shown.
ALTER TABLE tokens ADD COLUMN client BLOB;
ALTER TABLE tokens ADD COLUMN client_secret BLOB;
DROP INDEX tokens_name;
CREATE UNIQUE INDEX tokens_name ON tokens (tenant, name) WHERE revoked IS NULL AND client IS NULL;
CREATE INDEX tokens_client ON tokens (tenant, client, id) WHERE client IS NOT NULL;

CREATE TABLE clients (
  tenant        INTEGER NOT NULL REFERENCES tenants (tenant),
  id            BLOB NOT NULL,
  name          TEXT NOT NULL,
  may_write     INTEGER NOT NULL,
  token_minutes INTEGER NOT NULL,
  created       INTEGER NOT NULL,
  PRIMARY KEY (tenant, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX clients_name ON clients (tenant, name);

CREATE TABLE client_secrets (
  tenant    INTEGER NOT NULL,
  client    BLOB NOT NULL,
  id        BLOB NOT NULL,
  hash      BLOB NOT NULL,
  hint      TEXT NOT NULL,
  created   INTEGER NOT NULL,
  expires   INTEGER NOT NULL,
  last_used INTEGER,
  warned    INTEGER,
  PRIMARY KEY (tenant, client, id),
  FOREIGN KEY (tenant, client) REFERENCES clients (tenant, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX client_secrets_hash ON client_secrets (hash);

-- The identity provider whose word counts as the client's: one for a client.
CREATE TABLE federations (
  tenant        INTEGER NOT NULL,
  client        BLOB NOT NULL,
  issuer        TEXT NOT NULL,
  audience      TEXT NOT NULL,
  subject       TEXT,
  jwks_url      TEXT,
  jwks          TEXT,
  accept_bearer INTEGER NOT NULL,
  created       INTEGER NOT NULL,
  PRIMARY KEY (tenant, client),
  FOREIGN KEY (tenant, client) REFERENCES clients (tenant, id)
) WITHOUT ROWID;

-- Assertions that were taken, by a hash of their jti, until they expire: none is taken twice.
CREATE TABLE assertions (
  tenant  INTEGER NOT NULL,
  client  BLOB NOT NULL,
  digest  BLOB NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (tenant, client, digest),
  FOREIGN KEY (tenant, client) REFERENCES clients (tenant, id)
) WITHOUT ROWID;
