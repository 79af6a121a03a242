//! Records, ids, every SQL statement and migration, for SQLite and PostgreSQL behind one API.
