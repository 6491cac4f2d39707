{walk}
BEGIN;
SELECT {identify};
INSERT INTO {table} (id, project_id, created_at, value, name)
VALUES (gen_random_uuid(), md5('project' || :project::text)::uuid, now(), 0, 'new model');
COMMIT;
