{walk}
BEGIN;
SELECT {identify};
SELECT id, project_id, name, value FROM {table} WHERE id = md5('row' || :row::text)::uuid;
COMMIT;
