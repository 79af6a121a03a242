-- What the mappings of a job were, version by version, and the schema documents that were imported.
CREATE TABLE mapping_versions (
  app      UUID NOT NULL,
  number   BIGINT NOT NULL,
  at       BIGINT NOT NULL,
  actor    TEXT NOT NULL,
  reason   TEXT NOT NULL,
  document BIGINT,
  objects  TEXT NOT NULL,
  PRIMARY KEY (app, number)
);

-- Beside the versions: a document is large, and stands behind many of them.
CREATE TABLE schema_documents (
  app    UUID NOT NULL,
  number BIGINT NOT NULL,
  text   TEXT NOT NULL,
  PRIMARY KEY (app, number)
);
