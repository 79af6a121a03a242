-- The paths that most keys have are numbers from here on: the path is in every row of the table and of its index.
-- The column has another name than before, so that a program of the former version, where one still runs, fails and loses no key.
UPDATE resource_keys SET path = CASE path
         WHEN 'externalId' THEN '1'
         WHEN 'emails.value' THEN '2'
         WHEN 'displayName' THEN '3'
         WHEN 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber' THEN '4'
         ELSE path END
WHERE path IN ('externalId', 'emails.value', 'displayName', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber');
ALTER TABLE resource_keys RENAME COLUMN path TO place;
