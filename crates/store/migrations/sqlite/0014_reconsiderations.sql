-- When time alone may next change whether an object is in the scope of a job.
CREATE TABLE reconsiderations (
  app       BLOB NOT NULL,
  kind      INTEGER NOT NULL,
  source_id BLOB NOT NULL,
  due       INTEGER NOT NULL,
  PRIMARY KEY (app, kind, source_id)
) WITHOUT ROWID;
CREATE INDEX reconsiderations_due ON reconsiderations (app, due);
