-- Clients whose access tokens change what a tenant defines itself, and open nothing else.

ALTER TABLE clients ADD COLUMN may_define BIGINT NOT NULL DEFAULT 0;
