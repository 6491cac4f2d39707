{walk}
BEGIN;
SELECT {identify};
UPDATE {table} SET value = value + 1 WHERE id = md5('row' || :row::text)::uuid;
COMMIT;
