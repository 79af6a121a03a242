-- The paths that most keys have are numbers from here on: the path is in every row of this tree, and smaller rows are fewer pages.
-- The column has another name than before, so that a program of the former version, where one still runs, fails and loses no key.
CREATE TABLE keys_with_numbers (
  tenant INTEGER NOT NULL,
  kind   INTEGER NOT NULL,
  place  TEXT NOT NULL,
  key    TEXT NOT NULL,
  id     BLOB NOT NULL,
  row_id INTEGER NOT NULL,
  PRIMARY KEY (tenant, kind, place, key, id)
) WITHOUT ROWID;
INSERT INTO keys_with_numbers
SELECT tenant, kind, CASE path
         WHEN 'externalId' THEN '1'
         WHEN 'emails.value' THEN '2'
         WHEN 'displayName' THEN '3'
         WHEN 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber' THEN '4'
         ELSE path END AS number, key, id, row_id
FROM resource_keys ORDER BY tenant, kind, number, key, id;
DROP TABLE resource_keys;
ALTER TABLE keys_with_numbers RENAME TO resource_keys;
