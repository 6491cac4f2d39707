\i test/include/prelude.psql
-- The other forms of the question never disagree with seeme_has_permission: what I may do here,
-- where I may do it, what another person may do, and who I am.
BEGIN;
\i test/include/people.psql
\i test/include/asking.psql
\i test/include/oracle.psql
SELECT plan(126);

-- More for the lists to get wrong: roles of several levels, resources in several projects and of
-- several types
INSERT INTO seeme.memberships (organization_id, team_id, user_id, role_id)
  VALUES (:acme, :sales, :mike, pg_temp.id('Contributor'));
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:acme, :gamma, :paul, pg_temp.id('Editor'));
INSERT INTO seeme.memberships (organization_id, user_id, role_id) VALUES (:globex, :tess, :analyst);
INSERT INTO seeme.project_resources (project_id, resource_type, resource_id)
  SELECT p.id, t.type, ('99000000-0000-4000-8000-00000000000' || n)::uuid
    FROM (VALUES ('alpha', 'model', 1), ('beta', 'model', 1), ('delta', 'model', 1),
    ('alpha', 'dataset', 1), ('gamma', 'model', 2), ('beta', 'dataset', 2),
                 ('delta', 'dataset', 3), ('alpha', 'workflow', 4), ('gamma', 'workflow', 4),
                 ('beta', 'graph', 5), ('alpha', 'dataset', 6)) AS t (project, type, n)
    JOIN thing p ON p.name = t.project;
CREATE TEMP TABLE cast_member AS SELECT * FROM
  unnest(ARRAY['adam','ann','cora','dora','edith','ghost','gina','mike','nora','olga','oscar',
  'paul','stan','tess','vera']) AS c (person);
CREATE TEMP TABLE resource_asked AS
  SELECT DISTINCT r.resource_id, r.resource_type, c.code FROM seeme.project_resources r,
    (VALUES ('models:read', 'model'), ('models:delete', 'model'), ('models:*', 'model'),
    ('datasets:read', 'dataset'), ('datasets:share', 'dataset'),
            ('workflows:execute', 'workflow'), ('graphs:read', 'graph'),
            ('dataset_items:read', 'dataset'), ('annotations:create', 'dataset'),
            ('annotations:*', 'dataset')) AS c (code, type)
   WHERE r.resource_type = c.type;
GRANT SELECT ON resource_asked TO PUBLIC;

CREATE FUNCTION pg_temp.sorted(ids uuid[]) RETURNS uuid[]
  LANGUAGE sql IMMUTABLE AS $$ SELECT coalesce(array_agg(i ORDER BY i), '{}')
    FROM unnest(ids) AS i $$;

-- Where a person may do it, as listed, against where the same person may do it when asked one by
-- one
CREATE FUNCTION pg_temp.disagreements(person text)
  RETURNS TABLE (what text, code text, listed uuid[], asked uuid[]) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.become(person);
  CREATE TEMP TABLE found AS
    SELECT 'organizations' AS what, q.code, pg_temp.sorted(seeme_permitted_organizations(q.code))
      AS listed,
           pg_temp.sorted(array_agg(q.id) FILTER
           (WHERE q.level = 'organization' AND
           seeme_has_permission(
           q.code, organization => CASE q.level WHEN 'organization' THEN q.id END))) AS asked
      FROM pg_temp.question q GROUP BY q.code
    UNION ALL
    SELECT 'teams', q.code, pg_temp.sorted(seeme_permitted_teams(q.code)),
           pg_temp.sorted(array_agg(q.id) FILTER
           (WHERE q.level = 'team' AND seeme_has_permission(
           q.code, team => CASE q.level WHEN 'team' THEN q.id END)))
      FROM pg_temp.question q GROUP BY q.code
    UNION ALL
    SELECT 'projects', q.code, pg_temp.sorted(seeme_permitted_projects(q.code)),
           pg_temp.sorted(array_agg(q.id) FILTER
           (WHERE q.level = 'project' AND seeme_has_permission(
           q.code, project => CASE q.level WHEN 'project' THEN q.id END)))
      FROM pg_temp.question q GROUP BY q.code
    UNION ALL
    SELECT 'resources', r.code, pg_temp.sorted(seeme_permitted_resources(r.code, r.resource_type)),
           pg_temp.sorted(array_agg(r.resource_id) FILTER
           (WHERE seeme_has_permission(
           r.code, resource => r.resource_id, resource_type => r.resource_type)))
      FROM pg_temp.resource_asked r GROUP BY r.code, r.resource_type;
  PERFORM pg_temp.become(NULL);
  RETURN QUERY EXECUTE 'SELECT * FROM pg_temp.found f WHERE f.listed <> f.asked';
  DROP TABLE pg_temp.found;
END $$;
SELECT is_empty(format('SELECT * FROM pg_temp.disagreements(%L)', person),
  'the lists and the single answers agree for ' || person) FROM cast_member ORDER BY person;

-- What a person may do in a scope
CREATE FUNCTION pg_temp.listed(person text) RETURNS TABLE (scope text, codes text[])
  LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_temp.become(person);
  RETURN QUERY
    SELECT DISTINCT q.name, CASE q.level
             WHEN 'organization' THEN seeme_permissions(organization => q.id)
             WHEN 'team' THEN seeme_permissions(team => q.id)
             ELSE seeme_permissions(project => q.id)
           END
      FROM pg_temp.question q WHERE q.code = '*';
  PERFORM pg_temp.become(NULL);
END $$;
SELECT results_eq(
  format('SELECT scope, coalesce(codes, ''{}'') FROM pg_temp.listed(%L) ORDER BY scope', person),
    format($$SELECT s.name, ARRAY(
      SELECT h.code FROM pg_temp.held(%L) h WHERE h.scope_id = s.id ORDER BY h.code COLLATE "C")
        FROM pg_temp.scope s ORDER BY s.name$$, person),
    'what may be done in each scope, in order, for ' || person)
  FROM cast_member ORDER BY person;
SELECT is(pg_temp.rows('gina', 'SELECT seeme_permissions(organization => {globex})'),
  ARRAY['["organizations:list","organizations:read","permissions:list","projects:list",'
        '"projects:read","roles:list","teams:list","teams:read"]'],
  'what a Member may do, in order');
SELECT is(
  pg_temp.rows('olga',
  'SELECT cardinality(seeme_permissions(organization => {acme})), '
  'cardinality(seeme_permissions(project => {alpha}))'), '{80|80}',
  'an owner holds the 80 concrete codes, and no wildcard is listed');
SELECT is(
  pg_temp.rows('olga',
  'SELECT coalesce(cardinality(seeme_permissions()), 0), '
  'coalesce(cardinality(seeme_permissions(project => NULL)), 0), '
  'coalesce(cardinality(seeme_permissions(project => {delta})), 0)'), '{0|0|0}',
  'nothing where there is no scope, and nothing in one out of reach');
SELECT is(
  pg_temp.try('olga', 'SELECT seeme_permissions(organization => {acme}, project => {alpha})'),
  '22023', 'two scopes are an error there too');
INSERT INTO thing VALUES ('one', '99000000-0000-4000-8000-000000000001'),
  ('two', '99000000-0000-4000-8000-000000000002');
SELECT is(
  pg_temp.rows('paul',
  $$SELECT seeme_permissions(resource => {one}) @> '{models:read,datasets:read}',
    seeme_permissions(resource => {one}) && '{models:create}',
    seeme_permissions(resource => {two}, resource_type => 'model') @> '{models:create}'$$),
  '{true|false|true}', 'what may be done with a resource is what may be done in its projects');
SELECT is(
  pg_temp.rows('mike', $$SELECT 'datasets:read' = ANY (seeme_permissions(resource => {two})),
    'datasets:read' = ANY (seeme_permissions(resource => {two}, resource_type => 'dataset'))$$),
  '{true|true}', 'without a type every type under that id counts');
SELECT is(
  pg_temp.rows('mike', $$SELECT 'datasets:create'
    = ANY (seeme_permissions(resource => {two}, resource_type => 'model'))$$), '{false}',
    'with a type only that one');
SELECT is(
  pg_temp.rows('ghost',
  $$SELECT coalesce(cardinality(seeme_permitted_projects('projects:read')), 0),
    coalesce(cardinality(seeme_permitted_organizations('*')), 0),
    coalesce(cardinality(seeme_permissions(organization => {acme})), 0)$$),
  '{0|0|0}', 'nobody may do anything anywhere');
SELECT is(
  pg_temp.rows(NULL,
  $$SELECT coalesce(cardinality(seeme_permitted_projects('projects:read')), 0)$$), '{0}',
  'nor may a superuser with nobody identified');
SELECT is(
  pg_temp.rows('tess', $$SELECT seeme_permitted_projects('models:create') = ARRAY[{alpha}]$$),
  '{true}', 'a team''s Editor may create models in the team''s project');
SELECT is(
  pg_temp.rows('tess', $$SELECT seeme_permitted_resources('models:read') @> ARRAY[{one}],
    {two} = ANY (seeme_permitted_resources('models:read'))$$), '{true|false}',
    'and reads the models there');
SELECT matches(pg_temp.complaint('edith', format('SELECT seeme_permitted_%s(''models:raed'')', f)),
  '^22023: .*models:read', 'an unknown code is an error that names the nearest, in seeme_permitted_'
  || f || ' too')
  FROM unnest(ARRAY['organizations','teams','projects','resources']) AS f;
SELECT matches(pg_temp.complaint(
  'edith', $$SELECT seeme_permitted_resources('dataset_items:read')$$), 'resource_type',
  'seeme_permitted_resources needs a type for a code tied to none');
UPDATE seeme.memberships SET valid_until = clock_timestamp() - interval '1 second'
  WHERE user_id IN (:tess, :mike) AND team_id IS NOT NULL;
UPDATE seeme.memberships SET valid_until = clock_timestamp() - interval '1 second'
  WHERE user_id = :paul AND team_id IS NULL AND project_id IS NULL;
SELECT is_empty(format('SELECT * FROM pg_temp.disagreements(%L)', person),
  'the lists and the single answers agree once memberships of ' || person || ' have ended')
  FROM unnest(ARRAY['mike','paul','tess']) AS person;
SELECT is(
  pg_temp.rows('paul', $$SELECT coalesce(cardinality(seeme_permitted_projects('models:read')), 0),
    coalesce(cardinality(seeme_permitted_resources('models:read')), 0)$$), '{0|0}',
    'and nothing is listed any more');
UPDATE seeme.memberships SET valid_until = NULL WHERE user_id IN (:tess, :mike, :paul);

-- About another person
CREATE FUNCTION pg_temp.told(asker text, person text)
  RETURNS TABLE (scope text, code text, answer boolean) LANGUAGE plpgsql AS $$
DECLARE
  about uuid := pg_temp.id(person);
BEGIN
  PERFORM pg_temp.become(asker);
  RETURN QUERY
    SELECT q.name, q.code, CASE q.level
             WHEN 'organization' THEN seeme_user_has_permission(about, q.code, organization => q.id)
             WHEN 'team' THEN seeme_user_has_permission(about, q.code, team => q.id)
             ELSE seeme_user_has_permission(about, q.code, project => q.id)
           END
      FROM pg_temp.question q;
  PERFORM pg_temp.become(NULL);
END $$;
CREATE FUNCTION pg_temp.mistold(asker text, person text, told_in text[])
  RETURNS TABLE (scope text, code text, should_be boolean, told boolean) LANGUAGE plpgsql AS $$
BEGIN
  CREATE TEMP TABLE really AS SELECT * FROM pg_temp.expected(person);
  CREATE TEMP TABLE claimed AS SELECT * FROM pg_temp.told(asker, person);
  RETURN QUERY EXECUTE
    'SELECT r.scope, r.code, r.answer AND r.scope = ANY ($1), c.answer FROM pg_temp.really r
      JOIN pg_temp.claimed c USING (scope, code)
      WHERE (r.answer AND r.scope = ANY ($1)) IS DISTINCT FROM c.answer' USING told_in;
  DROP TABLE pg_temp.really, pg_temp.claimed;
END $$;
SELECT is_empty(format('SELECT * FROM pg_temp.mistold(%1$L, %1$L, %2$L)', person,
  '{acme,globex,research,sales,labs,alpha,beta,gamma,delta}'),
  'everybody may ask about themselves: ' || person)
  FROM unnest(ARRAY['olga','edith','tess','paul','nora','stan','dora','gina']) AS person;
SELECT is_empty(format('SELECT * FROM pg_temp.mistold(''adam'', %L, %L)', person,
  '{acme,research,sales,alpha,beta,gamma}'),
  'who manages the organization''s members is told about ' || person || ', there and only there')
  FROM unnest(ARRAY['olga','edith','tess','paul','ann','dora','gina','oscar','stan']) AS person;
SELECT is_empty(format('SELECT * FROM pg_temp.mistold(%L, ''edith'', ''{}'')', asker),
  'nothing is told about another to ' || asker)
  FROM unnest(ARRAY['vera','mike','nora','tess','paul','gina','oscar','stan','dora','ghost'])
  AS asker;
SELECT is_empty(format('SELECT * FROM pg_temp.mistold(NULL, %L, %L)', person,
  '{acme,globex,research,sales,labs,alpha,beta,gamma,delta}'),
  'a superuser with nobody identified may ask about anybody: ' || person)
  FROM unnest(ARRAY['olga','tess','dora','oscar']) AS person;
SELECT pg_temp.hold_in('alpha', '{projects:update}') \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.mistold('nora', 'edith', '{alpha}')$$,
  'who may update a project may ask who may do what in it, and nowhere else');
SELECT pg_temp.hold_in('alpha', '{}'), pg_temp.hold_in('research', '{teams:update}') \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.mistold('nora', 'edith', '{research}')$$,
  'who may update a team may ask about the team');
SELECT pg_temp.hold_in('research', '{}') \g /dev/null
SELECT pg_temp.hold('{organizations:manage_members}') \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.mistold(
    'nora', 'edith', '{acme,research,sales,alpha,beta,gamma}')$$,
    'who may manage the organization''s members may ask about everything in it');
SELECT pg_temp.hold('{}') \g /dev/null
SELECT is_empty($$SELECT * FROM pg_temp.mistold('nora', 'edith', '{}')$$,
  'and no longer once that is taken away');

INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
  VALUES (:globex, :delta, :gina, pg_temp.id('Viewer'));
SELECT is(pg_temp.rows(asker, format(
  $$SELECT seeme_user_has_permission({%s}, 'models:read', resource => {one})$$, person)),
  ARRAY[told], format('of a resource of both organizations %s is told about %s: %s', asker, person,
  told))
  FROM (VALUES ('oscar', 'gina', 'true'), ('adam', 'gina', 'false'), ('adam', 'edith', 'true'),
  ('oscar', 'edith', 'false'), ('gina', 'gina', 'true'), ('edith', 'edith', 'true'),
               ('oscar', 'oscar', 'true'), ('adam', 'oscar', 'false')) AS v (asker, person, told);
SELECT is(
  pg_temp.rows('adam',
  $$SELECT seeme_user_has_permission({nobody_known}, 'models:read', organization => {acme}),
    seeme_user_has_permission({edith}, 'models:read'),
    seeme_user_has_permission({edith}, 'models:read', project => {nobody_known})$$),
  '{false|false|false}', 'somebody or something unknown is false there too');
SELECT is(
  pg_temp.try('adam',
  $$SELECT seeme_user_has_permission(
    {edith}, 'models:read', organization => {acme}, project => {alpha})$$), '22023',
    'two scopes are an error about others too');
SELECT matches(pg_temp.complaint(
  'vera', $$SELECT seeme_user_has_permission({edith}, 'models:raed', organization => {acme})$$),
  '^22023: .*models:read', 'and an unknown code is one even for somebody who may not ask');

-- The user context
CREATE FUNCTION pg_temp.context(person text, current text DEFAULT '') RETURNS jsonb
  LANGUAGE plpgsql AS $$
DECLARE c jsonb;
BEGIN
  PERFORM pg_temp.become(person);
  PERFORM set_config('seeme_rbac.current_organization', current, true);
  c := seeme_current_user_context();
  PERFORM set_config('seeme_rbac.current_organization', '', true);
  PERFORM pg_temp.become(NULL);
  RETURN c;
END $$;
CREATE FUNCTION pg_temp.names(list jsonb) RETURNS text
  LANGUAGE sql IMMUTABLE AS $$ SELECT string_agg(e ->> 'name', ' ' ORDER BY e ->> 'name')
    FROM jsonb_array_elements(list) AS e $$;
SELECT ok(
  pg_temp.context('edith') ?&
  ARRAY['user_id','organizations','current_organization','roles','permissions'],
  'the context has the documented members');
SELECT is(pg_temp.context('edith') ->> 'user_id', :edith, 'user_id is the asking person');
SELECT is(pg_temp.names(pg_temp.context('edith') -> 'organizations'), 'Acme',
  'organizations are those that the person is a member of');
SELECT is(pg_temp.context('edith') -> 'organizations' -> 0 ->> 'id', :acme, 'with their ids');
SELECT is(pg_temp.context('edith') -> 'current_organization' ->> 'name', 'Acme',
  'the only organization is the current one');
SELECT is(pg_temp.names(pg_temp.context('edith') -> 'roles'), 'Editor',
  'roles are those held in it');
SELECT is(pg_temp.names(pg_temp.context('olga') -> 'roles'), 'Owner', 'the owner''s role is Owner');
SELECT is(pg_temp.context(person) -> 'permissions',
  to_jsonb(ARRAY(SELECT h.code FROM pg_temp.held(person) h WHERE h.scope_id = :acme
  ORDER BY h.code COLLATE "C")),
    'the context''s permissions are those held in the organization as a whole: ' || person)
  FROM unnest(ARRAY['olga','adam','edith','vera','mike','nora','paul']) AS person;
SELECT is(pg_temp.names(pg_temp.context('paul') -> 'roles'), 'Editor Viewer',
  'roles held in single projects are among the roles');
SELECT is_empty($$SELECT r FROM jsonb_array_elements(pg_temp.context('paul') -> 'roles') AS r
    WHERE r::text NOT LIKE '%project%'$$, 'each with its level');
SELECT is(pg_temp.names(pg_temp.context('tess') -> 'organizations'), 'Acme Globex',
  'a person may be a member of several');
SELECT is(pg_temp.context('tess') -> 'current_organization', 'null'::jsonb,
  'of which none is current unless said so');
SELECT is(pg_temp.context('tess', :globex) -> 'current_organization' ->> 'name', 'Globex',
  'the client says which');
SELECT is(pg_temp.names(pg_temp.context('tess', :globex) -> 'roles'), 'Analyst',
  'and gets the roles of that one');
SELECT is(pg_temp.context('tess', :globex) -> 'permissions',
  '["models:list", "models:read"]'::jsonb, 'and its permissions');
SELECT is(pg_temp.names(pg_temp.context('tess', :acme) -> 'roles'), 'Editor',
  'the other one''s when it says the other');
SELECT is(pg_temp.context('tess', :acme) -> 'permissions', '[]'::jsonb,
  'at the organization''s level alone');
SELECT isnt(pg_temp.context('edith', :globex) -> 'current_organization' ->> 'name', 'Globex',
  'an organization that one is no member of does not become current');
SELECT isnt(pg_temp.context('tess', :nobody_known) -> 'current_organization' ->> 'id',
  :nobody_known, 'nor does one that does not exist');
SELECT is(
  pg_temp.rows('tess',
  $$SELECT set_config('seeme_rbac.current_organization', 'b0000000-0000-4000-8000-000000000002',
    true)$$,
    $$SELECT seeme_has_permission('models:create', project => {alpha}),
      seeme_has_permission('models:read', organization => {globex}),
      seeme_has_permission('models:create', organization => {globex})$$), '{true|true|false}',
  'the current organization decides nothing');
SELECT is(
  pg_temp.rows('edith',
  $$SELECT set_config('seeme_rbac.current_organization', 'b0000000-0000-4000-8000-000000000002',
    true)$$,
    $$SELECT count(*) FROM seeme.organizations$$), '{1}', 'and widens nothing');
SELECT is(pg_temp.context('ghost') ->> 'user_id', NULL, 'nobody''s context names nobody');
SELECT ok(coalesce(jsonb_array_length(nullif(pg_temp.context('ghost') -> 'organizations', 'null')),
  0) = 0, 'and no organization');
SELECT ok(coalesce(jsonb_array_length(nullif(pg_temp.context('dora') -> 'permissions', 'null')), 0)
  = 0, 'a disabled person''s context holds no permissions');

SELECT * FROM finish();
ROLLBACK;
