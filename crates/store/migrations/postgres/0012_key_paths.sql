-- The paths that most keys have are numbers from here on: the path is in every row of the table and of its index.
UPDATE resource_keys SET path = CASE path
         WHEN 'externalId' THEN '1'
         WHEN 'emails.value' THEN '2'
         WHEN 'displayName' THEN '3'
         WHEN 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber' THEN '4'
         ELSE path END
WHERE path IN ('externalId', 'emails.value', 'displayName', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber');
