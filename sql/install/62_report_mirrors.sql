-- The security report on mirrored tables.

CREATE FUNCTION seeme.findings_on_mirrors()
RETURNS TABLE (severity text, object text, finding text, remedy text)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'critical', m.table_name::text,
         format('mirror has lost a guard: %s is not as seeme_mirror made it, so that changes of '
                'the table are not made here or not asked about', g.guard),
         format('SELECT seeme.renew_mirror(%L);', m.table_name)
    FROM seeme.mirrors m, seeme.mirror_guards_down(m) g
   WHERE EXISTS (SELECT FROM pg_class c WHERE c.oid = m.table_name)
  UNION ALL
  SELECT 'high', m.table_name::text,
         format('mirrored table is open: it has no row security, and %s reads or writes all of '
                'its rows', string_agg(DISTINCT seeme.grantee_name(a.grantee), ', ')),
         format('SELECT @extschema@.seeme_unmirror(%1$L); SELECT @extschema@.seeme_mirror(%1$L, '
                '%2$L, %3$L%4$s%5$s, protect => true); -- or, where it is read before anybody is '
                'named, SELECT @extschema@.seeme_accept_finding(''mirrored table is open'', '
                '%1$L, ''why'')',
                m.table_name, m.kind, m.columns, ', roles => ' || quote_literal(m.roles),
                  ', condition => ' || quote_literal(m.condition))
    FROM seeme.mirrors m JOIN pg_class c ON c.oid = m.table_name, aclexplode(c.relacl) AS a
   WHERE NOT c.relrowsecurity AND a.grantee <> c.relowner
     AND a.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')
     AND a.grantee NOT IN (SELECT b.role FROM seeme.bypassing_roles() b)
   GROUP BY m.table_name, m.kind, m.columns, m.roles, m.condition
  UNION ALL
  SELECT 'critical', m.table_name::text,
         format('mirror has another policy: %I is not what seeme_mirror makes of this table, so '
                'that it may let through more than the row in seeme.* does', p.polname),
         format('SELECT seeme.renew_mirror(%L);', m.table_name)
    FROM seeme.mirrors m JOIN pg_policy p ON p.polrelid = m.table_name,
         LATERAL seeme.mirror_conditions(m) c,
         LATERAL (SELECT seeme.condition_in_words(m.table_name, CASE p.polname
           WHEN 'seeme_select' THEN c.sees WHEN 'seeme_insert' THEN c.adds
           WHEN 'seeme_update' THEN c.changes ELSE c.removes END) AS condition) AS w
   WHERE m.protect
     AND p.polname IN ('seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete')
     AND (pg_get_expr(p.polqual, p.polrelid)
            IS DISTINCT FROM CASE WHEN p.polname <> 'seeme_insert' THEN w.condition END
          OR pg_get_expr(p.polwithcheck, p.polrelid)
            IS DISTINCT FROM CASE WHEN p.polname = 'seeme_insert' THEN w.condition END)
  UNION ALL
  SELECT 'high', m.table_name::text,
         format('mirror has an additional permissive policy: %I lets through rows that the row in '
                'seeme.* does not; permissive policies are combined by OR', p.polname),
         format('DROP POLICY %I ON %s;', p.polname, m.table_name)
    FROM seeme.mirrors m JOIN pg_policy p ON p.polrelid = m.table_name
   WHERE m.protect AND p.polpermissive
     AND p.polname NOT IN ('seeme_select', 'seeme_insert', 'seeme_update', 'seeme_delete')
  UNION ALL
  SELECT 'medium', m.table_name::text,
         format('owner may not call the policies of a mirror: the new owner %s lacks EXECUTE; '
                'every change of the table is refused', c.relowner::regrole),
         format('SELECT seeme.grant_to_mirror_owner(%L);', m.table_name)
    FROM seeme.mirrors m JOIN pg_class c ON c.oid = m.table_name
   WHERE m.protect
     AND NOT has_function_privilege(c.relowner, 'seeme.sees_unused(uuid,uuid,uuid)', 'EXECUTE')
  UNION ALL
  SELECT 'high', t.tgrelid::regclass::text,
         'mirror without a record: the table has the triggers of seeme_mirror, as one that was '
         'restored without the rest, and every change of it is an error',
         format('SELECT @extschema@.seeme_unmirror(%L);', t.tgrelid::regclass)
    FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
   WHERE f.pronamespace = 'seeme'::regnamespace AND f.proname = 'mirror_statement'
     AND NOT EXISTS (SELECT FROM seeme.mirrors m WHERE m.table_name = t.tgrelid)
  UNION ALL
  SELECT 'high', 'seeme.' || k.kind,
         'mirror has ended: a mirror made rows here, and no table is mirrored as this kind now; '
         'what the application takes away in a table of its own is not taken away here',
         format('SELECT @extschema@.seeme_mirror(%1$L, %2$L, %3$L); -- or, where people are added '
                'and taken out here from now on, SELECT @extschema@.seeme_accept_finding('
                '''mirror has ended'', %4$L, ''why'')',
                'TABLE', k.kind, '{...}', 'seeme.' || k.kind)
    FROM unnest('{users,organizations,teams,projects,organization_members,team_members,'
                'project_members}'::text[]) AS k (kind)
   WHERE EXISTS (SELECT FROM seeme.mirrored_rows r WHERE r.kind = k.kind)
     AND NOT EXISTS (SELECT FROM seeme.mirrors m WHERE m.kind = k.kind)
$$;
COMMENT ON FUNCTION seeme.findings_on_mirrors() IS
  'Part of the security report: mirrored tables that are open, not guarded, or gone';
