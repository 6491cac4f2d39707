-- Mirrors: an application's own table of users, organizations, teams, projects or members stays the
-- one that is written, and seeme.* follows it. Here: what is remembered of them, and what may be
-- mirrored. How rows get from there to here: 43_mirror_rows.sql.

CREATE TABLE seeme.mirrors (
  table_name       regclass PRIMARY KEY,
  kind             text NOT NULL UNIQUE,
  columns          jsonb NOT NULL,
  roles            jsonb,
  condition        text,
  protect          boolean NOT NULL DEFAULT false,
  had_row_security boolean NOT NULL DEFAULT false,
  had_force        boolean NOT NULL DEFAULT false,
  mirrored_at      timestamptz NOT NULL DEFAULT now(),
  statements       jsonb NOT NULL
);
COMMENT ON TABLE seeme.mirrors IS 'What seeme_mirror was told of each mirrored table';
COMMENT ON COLUMN seeme.mirrors.table_name IS 'The application''s table';
COMMENT ON COLUMN seeme.mirrors.kind IS
  'What its rows are: users, organizations, teams, projects, or members of one of these';
COMMENT ON COLUMN seeme.mirrors.columns IS 'The column of the table for each column here';
COMMENT ON COLUMN seeme.mirrors.roles IS
  'The role, by id or name, for each value of the role''s column; null: no role';
COMMENT ON COLUMN seeme.mirrors.condition IS 'Which rows count; null: all';
COMMENT ON COLUMN seeme.mirrors.protect IS 'Whether the table''s own rows have policies';
COMMENT ON COLUMN seeme.mirrors.had_row_security IS 'Whether row security was enabled before';
COMMENT ON COLUMN seeme.mirrors.had_force IS 'Whether row security was forced before';
COMMENT ON COLUMN seeme.mirrors.mirrored_at IS 'Since when';
COMMENT ON COLUMN seeme.mirrors.statements IS
  'What seeme.mirror_statements makes of the rest: to put it together anew in each statement '
  'would take longer than to run it';

-- A mirror changes the rows that a mirror made, and no others.
CREATE TABLE seeme.mirrored_rows (
  kind text NOT NULL,
  id   uuid NOT NULL,
  PRIMARY KEY (kind, id)
);
COMMENT ON TABLE seeme.mirrored_rows IS
  'The users, organizations, teams, projects and memberships that mirrors made';
COMMENT ON COLUMN seeme.mirrored_rows.kind IS 'The kind of the mirror';
COMMENT ON COLUMN seeme.mirrored_rows.id IS 'The row''s id';

-- Without a policy: for database administrators alone.
ALTER TABLE seeme.mirrors ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE seeme.mirrored_rows ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT pg_extension_config_dump('seeme.mirrors', '');
SELECT pg_extension_config_dump('seeme.mirrored_rows', '');

CREATE FUNCTION seeme.forget_mirrored_rows() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM seeme.require_own_table(TG_TABLE_SCHEMA);
  IF NOT seeme.restoring() AND EXISTS (SELECT FROM seeme.mirrored_rows) THEN
    DELETE FROM seeme.mirrored_rows m USING removed r WHERE m.id = r.id;
  END IF;
  RETURN NULL;
END $$;
COMMENT ON FUNCTION seeme.forget_mirrored_rows() IS
  'Trigger: who takes the id of a row that is gone has made a row of their own';

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY '{users,organizations,teams,projects,memberships}'::text[] LOOP
    EXECUTE format('CREATE TRIGGER forget_mirrored_rows AFTER DELETE ON seeme.%I '
                   'REFERENCING OLD TABLE AS removed FOR EACH STATEMENT '
                   'EXECUTE FUNCTION seeme.forget_mirrored_rows()', name);
  END LOOP;
END $$;

CREATE FUNCTION seeme.check_new_id() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'seeme_check_new_id';
COMMENT ON FUNCTION seeme.check_new_id() IS
  'Trigger: no identified person takes an id of version 8, under which an application''s key is '
  'known (42501)';
CREATE TRIGGER a_check_new_id BEFORE INSERT ON seeme.organizations
  FOR EACH ROW EXECUTE FUNCTION seeme.check_new_id();
CREATE TRIGGER a_check_new_id BEFORE INSERT ON seeme.teams
  FOR EACH ROW EXECUTE FUNCTION seeme.check_new_id();
CREATE TRIGGER a_check_new_id BEFORE INSERT ON seeme.projects
  FOR EACH ROW EXECUTE FUNCTION seeme.check_new_id();

-- class: key (the key of a user, organization, team or project), text, time or role.
CREATE FUNCTION seeme.mirror_columns(kind text)
RETURNS TABLE (name text, class text, key_kind text, is_required boolean, n bigint)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT c.name, c.class, c.key_kind, c.is_required, row_number() OVER ()
    FROM (VALUES
      ('{users}', 'id', 'key', 'user', true),
      ('{organizations}', 'id', 'key', 'organization', true),
      ('{teams}', 'id', 'key', 'team', true),
      ('{projects}', 'id', 'key', 'project', true),
      ('{teams,projects,organization_members}', 'organization_id', 'key', 'organization', true),
      ('{team_members}', 'team_id', 'key', 'team', true),
      ('{projects}', 'team_id', 'key', 'team', false),
      ('{project_members}', 'project_id', 'key', 'project', true),
      ('{organizations}', 'owner_id', 'key', 'user', true),
      ('{organization_members,team_members,project_members}', 'user_id', 'key', 'user', true),
      ('{organization_members,team_members,project_members}', 'role_id', 'role', NULL, false),
      ('{organization_members,team_members,project_members}', 'valid_from', 'time', NULL, false),
      ('{organization_members,team_members,project_members}', 'valid_until', 'time', NULL, false),
      ('{users}', 'username', 'text', NULL, false),
      ('{users}', 'email', 'text', NULL, false),
      ('{users}', 'firstname', 'text', NULL, false),
      ('{users}', 'name', 'text', NULL, false),
      ('{users}', 'disabled_at', 'time', NULL, false),
      ('{users}', 'email_verified_at', 'time', NULL, false),
      ('{organizations,teams,projects}', 'name', 'text', NULL, true),
      ('{organizations,teams,projects}', 'description', 'text', NULL, false),
      ('{organizations,teams,projects}', 'slug', 'text', NULL, false),
      ('{organizations}', 'website', 'text', NULL, false)
    ) AS c (kinds, name, class, key_kind, is_required)
   WHERE mirror_columns.kind = ANY (c.kinds::text[])
$$;
COMMENT ON FUNCTION seeme.mirror_columns(text) IS
  'The columns that a mirror of a kind can have; no row: there is no such kind';

-- Only what cannot run anybody's code when it is read.
CREATE FUNCTION seeme.mirror_column_type(relation regclass, column_name name) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  -- A virtual generated column (18 and later) is null in a trigger's rows.
  SELECT CASE WHEN a.attgenerated = 'v' THEN 'virtual'
              WHEN t.typtype = 'e' THEN 'enum'
              WHEN t.typtype = 'b' AND t.typnamespace = 'pg_catalog'::regnamespace THEN t.typname
              WHEN t.typtype = 'b' AND t.typname = 'citext' AND EXISTS (
                     SELECT FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                      WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
                        AND d.refclassid = 'pg_extension'::regclass AND e.extname = 'citext')
                          THEN 'citext'
              ELSE 'other' END
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
   WHERE a.attrelid = relation AND a.attname = column_name AND a.attnum > 0 AND NOT a.attisdropped
$$;
COMMENT ON FUNCTION seeme.mirror_column_type(regclass, name) IS
  'The type of a column, as mirrors look at it: its name, enum, virtual, or other; null: there is '
  'no such column';

CREATE FUNCTION seeme.mirror_types(class text) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
RETURN CASE class
  WHEN 'key' THEN '{uuid,int2,int4,int8,text,varchar,citext}'::text[]
  WHEN 'time' THEN '{timestamptz,timestamp,date}'::text[]
  WHEN 'text' THEN '{text,varchar,bpchar,name,citext,enum}'::text[]
  WHEN 'role' THEN '{text,varchar,bpchar,name,citext,enum,uuid,int2,int4,int8}'::text[] END;
COMMENT ON FUNCTION seeme.mirror_types(text) IS
  'The types of columns that a mirror reads for a class of its columns';

CREATE FUNCTION seeme.depends_on_row_alone(relation regclass, condition pg_node_tree)
  RETURNS boolean
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'seeme_depends_on_row_alone';
COMMENT ON FUNCTION seeme.depends_on_row_alone(regclass, pg_node_tree) IS
  'Whether a stored condition calls immutable functions only, and has no subquery, system column '
  'or virtual generated column';

CREATE FUNCTION seeme.check_mirror(m seeme.mirrors) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  c          record;
  type       text;
  unexpected text;
BEGIN
  SELECT string_agg(quote_ident(k), ', ' ORDER BY k) INTO unexpected
    FROM jsonb_object_keys(m.columns) AS k
   WHERE k NOT IN (SELECT o.name FROM seeme.mirror_columns(m.kind) o);
  IF unexpected IS NOT NULL THEN
    RAISE EXCEPTION 'a mirror of kind % has no column %', m.kind, unexpected
      USING ERRCODE = 'invalid_parameter_value',
            HINT = format('It has: %s.', (SELECT string_agg(o.name, ', ' ORDER BY o.n)
                                            FROM seeme.mirror_columns(m.kind) o));
  END IF;
  FOR c IN SELECT * FROM seeme.mirror_columns(m.kind) o ORDER BY o.n LOOP
    IF NOT m.columns ? c.name THEN
      CONTINUE WHEN NOT c.is_required;
      RAISE EXCEPTION 'a mirror of kind % needs the column %', m.kind, c.name
        USING ERRCODE = 'invalid_parameter_value',
              HINT = format('columns => ''{"%s": "the table''''s column", ...}''', c.name);
    END IF;
    type := seeme.mirror_column_type(m.table_name, (m.columns ->> c.name)::name);
    IF type IS NULL THEN
      RAISE EXCEPTION 'table % has no column "%"', m.table_name, m.columns ->> c.name
        USING ERRCODE = 'undefined_column', HINT = format('columns says that it is %s.', c.name);
    ELSIF type <> ALL (seeme.mirror_types(c.class)) THEN
      RAISE EXCEPTION 'column "%" of table % cannot be mirrored as %', m.columns ->> c.name,
        m.table_name, c.name
        USING ERRCODE = 'datatype_mismatch',
              HINT = format('Its type is one of: %s.', array_to_string(seeme.mirror_types(c.class),
                ', '));
    END IF;
  END LOOP;
  -- Otherwise a row would stop to count without a statement that says so. A DELETE of it would then
  -- find nothing to remove here.
  IF NOT seeme.depends_on_row_alone(m.table_name,
    seeme.parsed_condition(m.table_name, m.condition)) THEN
    RAISE EXCEPTION 'the condition does not depend on the row alone'
      USING ERRCODE = 'invalid_parameter_value',
            HINT = 'Compare columns with constants, and call immutable functions only. For dates '
                   'there are the columns valid_from, valid_until and disabled_at.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.check_mirror(seeme.mirrors) IS
  'Raises unless the table has the columns that are mirrored, of types that can be, and the '
  'condition makes sense there';
