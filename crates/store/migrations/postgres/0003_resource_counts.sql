-- How many resources of a kind a tenant has. Several rows of one kind add up: each connection counts in a row of its own, so that
-- writers do not wait for each other.
CREATE TABLE resource_counts (
  tenant BIGINT NOT NULL,
  kind   BIGINT NOT NULL,
  slot   BIGINT NOT NULL,
  held   BIGINT NOT NULL,
  PRIMARY KEY (tenant, kind, slot)
);
INSERT INTO resource_counts (tenant, kind, slot, held) SELECT tenant, kind, 0, COUNT(*) FROM resources GROUP BY tenant, kind;
