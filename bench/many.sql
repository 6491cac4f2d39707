-- One person in many projects, for the case "many": one resource in each project, or rather three,
-- in 100, 1,000 and 10,000 projects. Ids are id(KIND, n).

-- The triggers are not measured here.
SET session_replication_role = replica;

CREATE FUNCTION id(kind text, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT (kind || '000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;

INSERT INTO seeme.users (id, username) VALUES (id('aa', 1), 'owner'), (id('aa', 2), 'person');

-- Projects 01: in one organization, a role each. 03: in an organization each, all by one role.
INSERT INTO seeme.organizations (id, name, slug, owner_id)
SELECT id('02', n), 'O' || n, 'o' || n, id('aa', 1) FROM generate_series(0, 10000) AS n;
INSERT INTO seeme.roles (id, organization_id, name, permissions)
SELECT id('0c', n), id('02', 0), 'R' || n,
       ARRAY(SELECT name
               FROM (SELECT name, row_number() OVER (ORDER BY name COLLATE "C")::int AS bit
                       FROM seeme.permissions WHERE NOT is_wildcard AND name !~ '^models:') AS c
              WHERE bit <= 14 AND n >> (bit - 1) & 1 = 1)
  FROM generate_series(1, 10000) AS n;
CREATE VIEW place AS
SELECT kind, n, id('02', CASE kind WHEN '01' THEN 0 ELSE n END) AS organization_id,
       id(kind, n) AS project_id
  FROM generate_series(1, 10000) AS n, unnest(ARRAY['01', '03']) AS kind;
INSERT INTO seeme.projects (id, organization_id, name, slug)
SELECT project_id, organization_id, 'P' || n, 'p' || n FROM place;
INSERT INTO seeme.memberships (organization_id, user_id)
SELECT id('02', n), id('aa', 2) FROM generate_series(0, 10000) AS n;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
SELECT organization_id, project_id, id('aa', 2),
       CASE kind WHEN '01' THEN id('0c', n) ELSE '00000000-0000-4000-8000-000000000006' END
  FROM place;
INSERT INTO seeme.project_resources
       (organization_id, project_id, resource_type, resource_id, resource_name)
SELECT organization_id, project_id, 'model', id('d' || right(kind, 1), size), 'm'
  FROM unnest(ARRAY[100, 1000, 10000]) AS size, place WHERE n <= size;
RESET session_replication_role;
