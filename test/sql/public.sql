\i test/include/prelude.psql
-- What belongs to the extension is nobody's until somebody grants it: neither PUBLIC's, nor that of
-- a role that was granted nothing. An access list that is NULL stands for the default, which gives
-- PUBLIC every function and type.
BEGIN;

CREATE TEMP VIEW own AS
  SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON d.refclassid
    = 'pg_extension'::regclass AND d.refobjid = e.oid
   WHERE e.extname = 'seeme_rbac' AND d.deptype = 'e';

-- Each thing that has an access list; kind is what acldefault() calls it.
CREATE TEMP VIEW own_thing AS
  SELECT 'schema' AS what, n.nspname::text AS name, 'n'::"char" AS kind, n.nspacl AS acl,
    n.nspowner AS owner
    FROM pg_namespace n JOIN own o ON o.classid = 'pg_namespace'::regclass AND o.objid = n.oid
  UNION ALL
  SELECT 'function', p.oid::regprocedure::text, 'f', p.proacl, p.proowner
    FROM pg_proc p JOIN own o ON o.classid = 'pg_proc'::regclass AND o.objid = p.oid
  UNION ALL
  SELECT CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' ELSE 'table' END,
    c.oid::regclass::text,
         CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relacl, c.relowner
    FROM pg_class c
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND
         (c.oid IN (SELECT objid FROM own WHERE classid = 'pg_class'::regclass)
          -- the sequence of an identity column
          OR c.oid IN (SELECT d.objid FROM pg_depend d
          JOIN own o ON o.classid = 'pg_class'::regclass AND o.objid = d.refobjid
                        WHERE d.classid = 'pg_class'::regclass
                        AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
  UNION ALL
  SELECT 'column', a.attrelid::regclass || '.' || a.attname, 'c', a.attacl, c.relowner
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN own o ON o.classid = 'pg_class'::regclass AND o.objid = c.oid
  UNION ALL
  -- Those of the rows of tables, too. Arrays go by their elements.
  SELECT 'type', t.oid::regtype::text, 'T', t.typacl, t.typowner
    FROM pg_type t
   WHERE t.typcategory <> 'A'
     AND (t.oid IN (SELECT objid FROM own WHERE classid = 'pg_type'::regclass)
          OR t.typrelid IN (SELECT objid FROM own WHERE classid = 'pg_class'::regclass));

CREATE TEMP VIEW open_to_public AS
  SELECT t.what, t.name, a.privilege_type
    FROM own_thing t, aclexplode(coalesce(t.acl, acldefault(t.kind, t.owner))) AS a
    WHERE a.grantee = 0;

-- Everything that PUBLIC may do with anything of the extension: name the type of a table's rows,
-- which is PostgreSQL's default, for whoever may use the schema. (pg_dump complains of each where
-- that was revoked.) Nothing is meant to be added here.
CREATE TEMP VIEW allowed AS SELECT 'type' AS what, name,
  'USAGE' AS privilege_type FROM own_thing WHERE what IN ('table', 'view');
CREATE TEMP VIEW open_otherwise AS SELECT * FROM open_to_public EXCEPT SELECT * FROM allowed;

SELECT plan(16 + (SELECT count(*) FROM own_thing
  WHERE what IN ('function', 'table', 'view', 'sequence'))::integer);

SELECT set_eq('SELECT DISTINCT classid::regclass::text FROM own',
  ARRAY['pg_namespace', 'pg_class', 'pg_type', 'pg_proc', 'pg_event_trigger'],
  'the extension is made of the kinds of things that are looked at here, and of event triggers, '
  'which nobody is granted');
SELECT set_eq('SELECT DISTINCT what FROM own_thing',
  ARRAY['schema', 'function', 'table', 'view', 'sequence', 'column', 'type'],
  'there is something to look at of each kind');
SELECT is_empty($$SELECT oid::regclass FROM pg_class WHERE relnamespace = 'seeme'::regnamespace
    AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    AND oid::regclass::text NOT IN (SELECT name FROM own_thing)$$,
    'none in the schema seeme is left out');
SELECT is_empty('SELECT * FROM open_otherwise',
  'PUBLIC may do nothing with anything of the extension but name the types of its tables'' rows');

-- That this would be seen
SAVEPOINT before;
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO PUBLIC;
GRANT SELECT (email) ON seeme.users TO PUBLIC;
GRANT USAGE ON TYPE seeme.invitation TO PUBLIC;
GRANT USAGE ON SCHEMA seeme TO PUBLIC;
GRANT DELETE ON seeme.audit_log TO PUBLIC;
GRANT USAGE ON SEQUENCE seeme.audit_log_id_seq TO PUBLIC;
SELECT set_eq('SELECT * FROM open_otherwise',
  $$VALUES ('function', 'seeme_assume(uuid)', 'EXECUTE'), ('column', 'seeme.users.email', 'SELECT'),
    ('type', 'seeme.invitation', 'USAGE'), ('schema', 'seeme', 'USAGE'),
    ('table', 'seeme.audit_log', 'DELETE'),
    ('sequence', 'seeme.audit_log_id_seq', 'USAGE')$$,
    'what an administrator gives PUBLIC would be seen here');
ROLLBACK TO before;

-- A role that was granted nothing
CREATE ROLE t_stranger LOGIN;
CREATE FUNCTION pg_temp.refusal(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  SET LOCAL ROLE t_stranger;
  EXECUTE statement;
  RESET ROLE;
  RETURN 'it is done';
EXCEPTION WHEN OTHERS THEN
  RETURN SQLSTATE;
END $$;
SELECT is(pg_temp.refusal('SELECT 1'), 'it is done',
  'a stranger may ask for what PostgreSQL gives everybody');
SELECT is(pg_temp.refusal('SELECT FROM seeme.organizations'), '42501',
  'a stranger does not get into the schema seeme');
SELECT is(pg_temp.refusal('CREATE TABLE seeme.mine ()'), '42501', 'nor makes anything in it');

-- Whatever the schema says, each thing says the same.
GRANT USAGE, CREATE ON SCHEMA seeme TO t_stranger;
SELECT is(pg_temp.refusal('CREATE TABLE seeme.mine ()'), 'it is done', 'with the schema opened');
SELECT is(pg_temp.refusal('SELECT FROM ' || name), '42501',
  what || ' ' || name || ' refuses a stranger')
  FROM own_thing WHERE what IN ('table', 'view', 'sequence') ORDER BY name COLLATE "C";
SELECT is_empty($$SELECT name, privilege FROM own_thing,
    unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'])
    AS privilege
    WHERE CASE WHEN what IN ('table', 'view')
    THEN has_table_privilege('t_stranger', name, privilege) END$$,
    'a stranger may do nothing with any table or view');
SELECT is_empty($$SELECT name FROM own_thing
    WHERE CASE WHEN what IN ('table', 'view')
    THEN has_any_column_privilege('t_stranger', name, 'SELECT, INSERT, UPDATE, REFERENCES') END$$,
    'nor with a column of any');
SELECT is_empty($$SELECT name FROM own_thing WHERE CASE WHEN what = 'sequence'
    THEN has_sequence_privilege('t_stranger', name, 'USAGE, SELECT, UPDATE') END$$,
  'nor with a sequence');
SELECT is_empty($$SELECT name FROM own_thing WHERE CASE WHEN what = 'type'
    THEN has_type_privilege('t_stranger', name, 'USAGE') END
    AND name NOT IN (SELECT name FROM allowed)$$,
    'nor with a type that is not that of a table''s rows');
SELECT is(pg_temp.refusal('CREATE TABLE seeme.theirs (x seeme.invitation)'), '42501',
  'so that no column of a stranger''s stands in the way of a change to what a function answers '
  'with');

-- Functions: called, with nothing but nulls, which come from a table: a strict one of a constant
-- null would not be called at all. What takes internal is not for anybody to call in SQL.
CREATE TEMP VIEW call AS
  SELECT t.name, p.oid, 'internal'::regtype = ANY (p.proargtypes::oid[]) AS is_internal,
         format('SELECT %s(%s) FROM (SELECT %s OFFSET 0) AS nothing', p.oid::regproc,
         string_agg('a' || n, ', ' ORDER BY n),
                string_agg(format('NULL::%s AS a%s', a::regtype, n), ', ' ORDER BY n) FILTER
                (WHERE n > 0)) AS statement
    FROM pg_proc p JOIN own o ON o.classid = 'pg_proc'::regclass AND o.objid = p.oid
    JOIN own_thing t ON t.what = 'function' AND t.name = p.oid::regprocedure::text
    LEFT JOIN unnest(p.proargtypes::oid[]) WITH ORDINALITY AS arguments (a, n) ON true
   GROUP BY t.name, p.oid;
SELECT is(CASE WHEN is_internal THEN CASE WHEN has_function_privilege('t_stranger', oid, 'EXECUTE')
  THEN 'it may be called' ELSE '42501' END
               ELSE pg_temp.refusal(statement) END, '42501',
               'function ' || name || ' refuses a stranger')
  FROM call ORDER BY name COLLATE "C";

-- A careless administrator's default privileges were there first.
DROP EXTENSION seeme_rbac CASCADE;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TYPES TO PUBLIC;
CREATE EXTENSION seeme_rbac;
SELECT cmp_ok((SELECT count(*) FROM own_thing), '>', 100::bigint,
  'the extension is installed again, where default privileges give PUBLIC everything');
SELECT is_empty('SELECT * FROM open_otherwise',
  'PUBLIC may do nothing more with anything of it even so');

SELECT * FROM finish();
ROLLBACK;
