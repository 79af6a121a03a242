-- Tokens that change what a tenant defines itself, and open nothing else.

ALTER TABLE tokens ADD COLUMN may_define INTEGER NOT NULL DEFAULT 0;
