-- The demo's story, told by psql. scripts/demo makes the server, runs this file in an empty
-- database as its superuser, and lays out the output. \echo '# …' is the narrator, '== …' a
-- heading. Two things run silently (ECHO none): filling the tables, and noting what each person
-- saw, for verify.sql.

\set ON_ERROR_STOP on
-- Tags (UPDATE 0) are shown only where they tell something.
\set QUIET on
\set VERBOSITY default
\set SHOW_CONTEXT never
\pset pager off
\pset footer off
\pset null '-'

\ir people.sql
\ir tables.sql
\ir rows.sql
\ir protect.sql
\ir queries.sql
\ir changes.sql
\ir returns.sql
\ir adopt.sql
\ir verify.sql
