-- What happened to a tenant's resource, for those who follow its feed. Empty in the feed of the directory.
ALTER TABLE changes ADD COLUMN action BIGINT;
ALTER TABLE changes ADD COLUMN switched BIGINT;
ALTER TABLE changes ADD COLUMN version BIGINT;
ALTER TABLE changes ADD COLUMN attributes TEXT;
ALTER TABLE changes ADD COLUMN external_id TEXT;
ALTER TABLE changes_unnumbered ADD COLUMN action BIGINT;
ALTER TABLE changes_unnumbered ADD COLUMN switched BIGINT;
ALTER TABLE changes_unnumbered ADD COLUMN version BIGINT;
ALTER TABLE changes_unnumbered ADD COLUMN attributes TEXT;
ALTER TABLE changes_unnumbered ADD COLUMN external_id TEXT;
