-- Resources that are being deleted while they leave very many groups, a few at a time; the resource itself goes last.
CREATE TABLE deletions (
  tenant     BIGINT NOT NULL,
  kind       BIGINT NOT NULL,
  id         UUID NOT NULL,
  if_version BIGINT,
  PRIMARY KEY (tenant, kind, id)
);
