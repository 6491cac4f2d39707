-- The second connection, while Sam's transaction is open (changes.sql).
\set ECHO queries
BEGIN;
SELECT seeme_assume(:'adam') \g /dev/null
\set QUIET off
DELETE FROM seeme.organization_members
 WHERE username = 'sam' AND organization_id = (SELECT id FROM seeme.organizations
   WHERE slug = 'aurora-robotics');
\set QUIET on
COMMIT;
