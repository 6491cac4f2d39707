-- Findings of the security report that a superuser has looked at and accepts: seeme_accept_finding.

-- It is in no dump. An acceptance is about an object of this database, by its OID.
CREATE TABLE seeme.accepted_findings (
  id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  object      text NOT NULL,
  finding     text NOT NULL,
  severity    text NOT NULL,
  reason      text NOT NULL,
  digest      text NOT NULL,
  accepted_by name NOT NULL DEFAULT session_user,
  accepted_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE seeme.accepted_findings IS
  'Findings of seeme_security_report() that a superuser accepted. For database administrators: '
  'seeme_accept_finding adds one, DELETE takes it back';
COMMENT ON COLUMN seeme.accepted_findings.id IS 'Its id';
COMMENT ON COLUMN seeme.accepted_findings.object IS 'The object, as the report names it';
COMMENT ON COLUMN seeme.accepted_findings.finding IS 'The whole text of the finding';
COMMENT ON COLUMN seeme.accepted_findings.severity IS 'The severity that it had';
COMMENT ON COLUMN seeme.accepted_findings.reason IS 'Why it was accepted';
COMMENT ON COLUMN seeme.accepted_findings.digest IS
  'SHA-256 of the object''s definition. Once this is another one, the finding is accepted no more';
COMMENT ON COLUMN seeme.accepted_findings.accepted_by IS 'The database role that accepted it';
COMMENT ON COLUMN seeme.accepted_findings.accepted_at IS 'When';

-- There is no policy: only database administrators read and write it.
ALTER TABLE seeme.accepted_findings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

-- A policy is what its functions make of it.
CREATE FUNCTION seeme.objects_behind(class oid, object oid) RETURNS TABLE (class oid, object oid)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  WITH RECURSIVE behind (class, object) AS (
    SELECT objects_behind.class, objects_behind.object
    UNION
    SELECT r.refclassid, r.refobjid
      FROM behind b, LATERAL (
        SELECT d.refclassid, d.refobjid FROM pg_depend d
         WHERE d.classid = b.class AND d.objid = b.object
        UNION ALL
        SELECT d.refclassid, d.refobjid
          FROM (SELECT 'pg_policy'::regclass AS class, y.oid FROM pg_policy y
                 WHERE y.polrelid = b.object
                UNION ALL
                SELECT 'pg_rewrite'::regclass, r.oid FROM pg_rewrite r WHERE r.ev_class = b.object
                UNION ALL
                SELECT 'pg_trigger'::regclass, t.oid FROM pg_trigger t WHERE t.tgrelid = b.object
                UNION ALL
                SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint k
                 WHERE k.conrelid = b.object
                UNION ALL
                SELECT 'pg_attrdef'::regclass, a.oid FROM pg_attrdef a
                 WHERE a.adrelid = b.object) AS part
          JOIN pg_depend d ON d.classid = part.class AND d.objid = part.oid
         WHERE b.class = 'pg_class'::regclass) AS r
     WHERE (r.refclassid = 'pg_proc'::regclass
            OR r.refclassid = 'pg_class'::regclass
               AND (SELECT c.relkind IN ('v', 'm') FROM pg_class c WHERE c.oid = r.refobjid))
       AND NOT seeme.is_of_extension(r.refclassid, r.refobjid))
  SELECT b.class, b.object FROM behind b
$$;
COMMENT ON FUNCTION seeme.objects_behind(oid, oid) IS
  'An object, and the functions and views that its policies, triggers, rules and constraints use, '
  'directly or through each other. Not those of extensions';

CREATE FUNCTION seeme.definition_of_relation(relation oid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT jsonb_build_object(
    'relation', jsonb_build_array(
      c.oid, c.relname, c.relnamespace::regnamespace::text, c.relkind, c.relowner::regrole::text,
      c.relacl::text, c.reloptions::text, c.relrowsecurity, c.relforcerowsecurity,
      c.relispartition),
    'columns', (SELECT jsonb_agg(jsonb_build_array(
                         a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                         a.attgenerated, a.attacl::text, pg_get_expr(d.adbin, d.adrelid))
                       ORDER BY a.attnum)
                  FROM pg_attribute a
                  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    'policies', (SELECT jsonb_agg(jsonb_build_array(
                          p.polname, p.polcmd, p.polpermissive,
                          ARRAY(SELECT seeme.grantee_name(r) FROM unnest(p.polroles) AS r
                                 ORDER BY r),
                          pg_get_expr(p.polqual, p.polrelid),
                          pg_get_expr(p.polwithcheck, p.polrelid)) ORDER BY p.polname)
                   FROM pg_policy p WHERE p.polrelid = c.oid),
    'triggers', (SELECT jsonb_agg(jsonb_build_array(pg_get_triggerdef(t.oid), t.tgenabled)
                                  ORDER BY t.tgname)
                   FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal),
    'rules', (SELECT jsonb_agg(jsonb_build_array(pg_get_ruledef(r.oid), r.ev_enabled)
                               ORDER BY r.rulename)
                FROM pg_rewrite r WHERE r.ev_class = c.oid),
    'constraints', (SELECT jsonb_agg(jsonb_build_array(k.conname, pg_get_constraintdef(k.oid))
                                     ORDER BY k.conname)
                      FROM pg_constraint k WHERE k.conrelid = c.oid),
    'parents', (SELECT jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhparent)
                  FROM pg_inherits i WHERE i.inhrelid = c.oid))
    FROM pg_class c WHERE c.oid = relation);
COMMENT ON FUNCTION seeme.definition_of_relation(oid) IS
  'What a table or view is: owner, privileges, columns, policies, triggers, rules, constraints';

CREATE FUNCTION seeme.definition_of_role(role oid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
  SELECT jsonb_build_array(
           to_jsonb(r),
           (SELECT jsonb_agg(to_jsonb(m) - 'oid' ORDER BY m.roleid, m.member, m.grantor)
              FROM pg_auth_members m WHERE role IN (m.roleid, m.member)),
           (SELECT jsonb_agg(to_jsonb(s) ORDER BY s.setdatabase)
              FROM pg_db_role_setting s WHERE s.setrole = role))
    FROM pg_roles r WHERE r.oid = role);
COMMENT ON FUNCTION seeme.definition_of_role(oid) IS
  'What a database role is: its attributes, settings and memberships';

CREATE FUNCTION seeme.definition_of(class oid, object oid) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN CASE class
  WHEN 'pg_class'::regclass THEN seeme.definition_of_relation(object)
  WHEN 'pg_authid'::regclass THEN seeme.definition_of_role(object)
  WHEN 'pg_proc'::regclass THEN
    (SELECT to_jsonb(p) - 'prosqlbody'
            || jsonb_build_object('body', pg_get_function_sqlbody(p.oid))
       FROM pg_proc p WHERE p.oid = object)
  WHEN 'pg_event_trigger'::regclass THEN
    (SELECT to_jsonb(e) FROM pg_event_trigger e WHERE e.oid = object)
  WHEN 'pg_namespace'::regclass THEN
    (SELECT to_jsonb(n) FROM pg_namespace n WHERE n.oid = object)
  WHEN 'pg_database'::regclass THEN
    (SELECT jsonb_build_array(d.oid, d.datdba, d.datacl::text) FROM pg_database d
      WHERE d.oid = object)
  WHEN 'pg_publication'::regclass THEN
    (SELECT jsonb_build_array(to_jsonb(p),
              (SELECT jsonb_agg(to_jsonb(r) ORDER BY r.oid) FROM pg_publication_rel r
                WHERE r.prpubid = p.oid))
       FROM pg_publication p WHERE p.oid = object) END;
COMMENT ON FUNCTION seeme.definition_of(oid, oid) IS
  'What the catalogs say about an object that the security report names';

CREATE FUNCTION seeme.objects_named(name text) RETURNS TABLE (class oid, object oid)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found oid;
  word  text := split_part(name, ' ', 1);
  rest  text := substring(name FROM ' (.+)$');
  kind  text;
BEGIN
  FOREACH kind IN ARRAY ARRAY['regclass', 'regprocedure', 'regrole'] LOOP
    -- A text that is no name at all is an error in some versions of PostgreSQL.
    BEGIN
      EXECUTE format('SELECT to_%s($1)', kind) INTO found
        USING CASE kind WHEN 'regclass' THEN coalesce(substring(name FROM ' on (.+)$'), name)
                        ELSE name END;
    EXCEPTION WHEN OTHERS THEN
      found := NULL;
    END;
    IF found IS NOT NULL THEN
      RETURN QUERY SELECT CASE kind WHEN 'regclass' THEN 'pg_class'::regclass
                                    WHEN 'regrole' THEN 'pg_authid'::regclass
                                    ELSE 'pg_proc'::regclass END::oid, found;
    END IF;
  END LOOP;
  RETURN QUERY
  SELECT 'pg_event_trigger'::regclass::oid, e.oid FROM pg_event_trigger e
   WHERE quote_ident(e.evtname) = name
  UNION ALL
  SELECT 'pg_namespace'::regclass, n.oid FROM pg_namespace n
   WHERE word = 'schema' AND quote_ident(n.nspname) = rest
  UNION ALL
  SELECT 'pg_database'::regclass, d.oid FROM pg_database d
   WHERE lower(word) = 'database' AND quote_ident(d.datname) = rest
  UNION ALL
  -- Where a setting is: ROLE name, ROLE name IN DATABASE name, DATABASE name (seeme.settings()).
  SELECT 'pg_authid'::regclass, r.oid FROM pg_roles r
   WHERE word = 'ROLE'
     AND (rest = r.oid::regrole::text
          OR starts_with(rest, r.oid::regrole::text || ' IN DATABASE '))
  UNION ALL
  SELECT 'pg_publication'::regclass, p.oid FROM pg_publication p
   WHERE word = 'publication' AND quote_ident(p.pubname) = rest;
END $$;
COMMENT ON FUNCTION seeme.objects_named(text) IS
  'The objects that a name in the security report may stand for';

-- A finding about a row of the extension's tables names the table and the id of the row.
CREATE FUNCTION seeme.row_named(name text) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parts text[] := regexp_match(name, '^seeme\.([a-z_]+) ([0-9a-f-]{36})$');
  found jsonb;
BEGIN
  IF parts IS NOT NULL THEN
    EXECUTE format('SELECT to_jsonb(t) FROM seeme.%I t WHERE t.id = %L::uuid', parts[1], parts[2])
      INTO found;
  END IF;
  RETURN found;
END $$;
COMMENT ON FUNCTION seeme.row_named(text) IS
  'The row of the extension''s tables that a name in the security report stands for';

CREATE FUNCTION seeme.digest_of_finding(object text, remedy text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  definition text;
BEGIN
  SELECT concat_ws(E'\n', digest_of_finding.remedy, seeme.row_named(digest_of_finding.object),
                   string_agg(d.definition, E'\n' ORDER BY d.definition COLLATE "C"))
    INTO definition
    FROM (SELECT DISTINCT seeme.definition_of(b.class, b.object)::text AS definition
            FROM seeme.objects_named(digest_of_finding.object) n,
                 LATERAL seeme.objects_behind(n.class, n.object) b) AS d;
  RETURN encode(sha256(convert_to(definition, 'UTF8')), 'hex');
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;  -- what cannot be looked at is not accepted
END $$;
COMMENT ON FUNCTION seeme.digest_of_finding(text, text) IS
  'SHA-256 of the remedy of a finding and of the definition of its object: a table with its '
  'policies and the functions that they call, a function, a role, a row. Null if it cannot be made';
