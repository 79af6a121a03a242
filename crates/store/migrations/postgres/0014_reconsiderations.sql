-- When time alone may next change whether an object is in the scope of a job.
CREATE TABLE reconsiderations (
  app       UUID NOT NULL,
  kind      BIGINT NOT NULL,
  source_id UUID NOT NULL,
  due       BIGINT NOT NULL,
  PRIMARY KEY (app, kind, source_id)
);
CREATE INDEX reconsiderations_due ON reconsiderations (app, due);
