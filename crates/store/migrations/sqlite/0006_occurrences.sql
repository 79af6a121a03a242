-- What happened to a tenant's resource, for those who follow its feed. Empty in the feed of the directory.
ALTER TABLE changes ADD COLUMN action INTEGER;
ALTER TABLE changes ADD COLUMN switched INTEGER;
ALTER TABLE changes ADD COLUMN version INTEGER;
ALTER TABLE changes ADD COLUMN attributes TEXT;
ALTER TABLE changes ADD COLUMN external_id TEXT;
