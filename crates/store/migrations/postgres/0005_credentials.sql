-- Credentials of tenants: what a token may do, OAuth 2.0 clients with their secrets, and identity providers that clients are trusted by.

ALTER TABLE tokens ADD COLUMN may_write BIGINT NOT NULL DEFAULT 1;
-- The warning about the end that was given last: so many days before it.
ALTER TABLE tokens ADD COLUMN warned BIGINT;
-- An access token: the client that it was issued to, and the secret that client had shown.
ALTER TABLE tokens ADD COLUMN client UUID;
ALTER TABLE tokens ADD COLUMN client_secret UUID;
DROP INDEX tokens_name;
CREATE UNIQUE INDEX tokens_name ON tokens (tenant, name) WHERE revoked IS NULL AND client IS NULL;
CREATE INDEX tokens_client ON tokens (tenant, client, id) WHERE client IS NOT NULL;

CREATE TABLE clients (
  tenant        BIGINT NOT NULL REFERENCES tenants (tenant),
  id            UUID NOT NULL,
  name          TEXT COLLATE "C" NOT NULL,
  may_write     BIGINT NOT NULL,
  token_minutes BIGINT NOT NULL,
  created       BIGINT NOT NULL,
  PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX clients_name ON clients (tenant, name);

CREATE TABLE client_secrets (
  tenant    BIGINT NOT NULL,
  client    UUID NOT NULL,
  id        UUID NOT NULL,
  hash      BYTEA NOT NULL,
  hint      TEXT NOT NULL,
  created   BIGINT NOT NULL,
  expires   BIGINT NOT NULL,
  last_used BIGINT,
  warned    BIGINT,
  PRIMARY KEY (tenant, client, id),
  FOREIGN KEY (tenant, client) REFERENCES clients (tenant, id)
);
CREATE UNIQUE INDEX client_secrets_hash ON client_secrets (hash);

-- The identity provider whose word counts as the client's: one for a client.
CREATE TABLE federations (
  tenant        BIGINT NOT NULL,
  client        UUID NOT NULL,
  issuer        TEXT NOT NULL,
  audience      TEXT NOT NULL,
  subject       TEXT,
  jwks_url      TEXT,
  jwks          TEXT,
  accept_bearer BIGINT NOT NULL,
  created       BIGINT NOT NULL,
  PRIMARY KEY (tenant, client),
  FOREIGN KEY (tenant, client) REFERENCES clients (tenant, id)
);

-- Assertions that were taken, by a hash of their jti, until they expire: none is taken twice.
CREATE TABLE assertions (
  tenant  BIGINT NOT NULL,
  client  UUID NOT NULL,
  digest  BYTEA NOT NULL,
  expires BIGINT NOT NULL,
  PRIMARY KEY (tenant, client, digest),
  FOREIGN KEY (tenant, client) REFERENCES clients (tenant, id)
);
