-- Rows that a table has already when it is protected, and that nobody will see.

CREATE FUNCTION seeme.rows_of_nobody(p seeme.protected_tables) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET row_security = off AS $$
DECLARE
  names  name[] := array_remove(
    ARRAY[p.project_column, p.team_column, p.organization_column, seeme.assigned_by(p),
          p.parent_column, CASE WHEN p.owner_alone THEN p.owner_column END], NULL);
  filter text;
  n      bigint;
BEGIN
  IF EXISTS (SELECT FROM pg_attribute a
              WHERE a.attrelid = p.table_name AND a.attname = ANY (names) AND a.attnotnull)
     -- Another server is not asked.
     OR EXISTS (WITH RECURSIVE below (oid) AS (
                  SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = p.table_name
                  UNION SELECT i.inhrelid FROM pg_inherits i JOIN below b ON i.inhparent = b.oid)
                SELECT FROM below JOIN pg_class c USING (oid) WHERE c.relkind = 'f') THEN
    RETURN 0;
  END IF;
  SELECT string_agg(format('%I IS NULL', c), ' AND ') INTO filter FROM unnest(names) AS c;
  IF p.public_column IS NOT NULL THEN
    filter := filter || format(' AND %I IS NOT TRUE', p.public_column);
  END IF;
  -- Where no index finds them, only the beginning of a large table is read: nobody else can use the
  -- table meanwhile.
  PERFORM FROM pg_index i JOIN pg_attribute a
            ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = p.table_name AND a.attname = ANY (names) AND i.indisvalid
      AND i.indpred IS NULL;
  IF NOT FOUND THEN
    filter := filter || ' AND ctid < ''(10000,0)''';
  END IF;
  -- With the rights of the owner, whose code an index expression may be.
  SELECT r::text::bigint INTO n FROM seeme.read_as_owner(p.table_name, format(
    'SELECT pg_catalog.to_jsonb(pg_catalog.count(*)) FROM (SELECT FROM %s WHERE %s LIMIT 1000) f',
    p.table_name, filter)) AS r;
  RETURN n;
EXCEPTION WHEN others THEN
  -- It only tells.
  RETURN 0;
END $$;
COMMENT ON FUNCTION seeme.rows_of_nobody(seeme.protected_tables) IS
  'The number of rows, 1,000 at most, in which every column that tells a scope is null. Of a large '
  'table without an index on one of these columns it reads the first 10,000 pages';

CREATE FUNCTION seeme.note_rows_of_nobody(p seeme.protected_tables) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  n bigint := seeme.rows_of_nobody(p);
BEGIN
  IF n > 0 THEN
    RAISE NOTICE '% of % % nobody''s: % null there',
                 CASE WHEN n >= 1000 THEN 'at least 1,000 rows'
                      WHEN n = 1 THEN '1 row' ELSE format('%s rows', n) END,
                 p.table_name,
                 CASE n WHEN 1 THEN 'names no scope, and is' ELSE 'name no scope, and are' END,
                 (SELECT string_agg(quote_ident(c), ', ')
                         || CASE count(*) WHEN 1 THEN ' is' ELSE ' are' END
                    FROM unnest(ARRAY[p.project_column, p.team_column, p.organization_column,
                                      seeme.assigned_by(p), p.parent_column,
                                      CASE WHEN p.owner_alone THEN p.owner_column END]) AS c
                   WHERE c IS NOT NULL)
      USING HINT = 'The policies show such rows to nobody. Fill one of these columns, or protect '
                   'the table by another one. A system role sees all rows.';
  END IF;
END $$;
COMMENT ON FUNCTION seeme.note_rows_of_nobody(seeme.protected_tables) IS
  'A NOTICE when a table that is being protected has rows that name no scope';
