SELECT set_config('search_path', 'public', true); -- lint: script-search-path
SET LOCAL search_path = pg_catalog, pg_temp;
