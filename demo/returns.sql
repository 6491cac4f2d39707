-- An invitation, and an API key.

\echo '== Sam is invited back'
\echo '# He may read, in one team. Adam sees the token this once; the database keeps its hash.'
\set ECHO queries
BEGIN;
SELECT seeme_assume(:'adam') \g /dev/null
SELECT i.email, i.expires_at::date - current_date AS days, left(i.token, 14) || '…' AS token,
  i.token AS whole_token
  FROM seeme.teams t, seeme.roles r, seeme_invite('Sam@Consult.example', team => t.id,
    role_id => r.id) AS i
 WHERE t.slug = 'planning' AND r.name = 'Viewer' \gset invitation_
COMMIT;
\set ECHO none
SELECT :'invitation_email' AS invited, :'invitation_days' AS days, :'invitation_token' AS token;
\echo '# Ann finds the mail and tries the token. Then Sam does.'
\set ECHO queries
BEGIN;
SELECT seeme_assume(:'ann') \g /dev/null
\set ECHO none
\set ON_ERROR_STOP off
\echo 'SELECT seeme_accept_invitation($1);'
SELECT seeme_accept_invitation(:'invitation_whole_token');
\set ON_ERROR_STOP on
\set ann_accepted :SQLSTATE
ROLLBACK;
\set ECHO queries
BEGIN;
SELECT seeme_assume(:'sam') \g /dev/null
\set ECHO none
\echo 'SELECT seeme_accept_invitation($1) IS NOT NULL AS accepted;'
SELECT seeme_accept_invitation(:'invitation_whole_token') IS NOT NULL AS accepted;
\set ECHO queries
EXECUTE models_by_project;
\set ECHO none
SELECT count(*) AS models FROM models \gset sam_back_
\set ECHO queries
COMMIT;
\set ECHO none

\echo '== A key for a nightly report'
\echo '# Tess makes a key that may read models and nothing else. A session with the key acts as'
\echo '# Tess, within these limits.'
\set ECHO queries
BEGIN;
SELECT seeme_assume(:'tess') \g /dev/null
SELECT key FROM seeme_create_api_key('nightly report', '{models:read}') \gset nightly_
COMMIT;
BEGIN;
\set ECHO none
\echo 'SELECT seeme_login($1);'
SELECT seeme_login(:'nightly_key') \g /dev/null
SELECT count(*) AS models FROM models \gset key_
SELECT count(*) AS datasets FROM datasets WHERE owner_id IS DISTINCT FROM seeme_user_id() \gset key_
\set ECHO queries
SELECT (SELECT count(*) FROM models) AS models, (SELECT count(*) FROM datasets) AS datasets,
       (SELECT count(*) FROM graphs) AS graphs;
\set QUIET off
UPDATE models SET name = 'changed by night';
\set key_updated :ROW_COUNT
\set QUIET on
COMMIT;
\echo '# Deleting the key revokes it. Sessions that are logged in with it see no rows from the'
\echo '# next statement on.'
BEGIN;
SELECT seeme_assume(:'tess') \g /dev/null
\set QUIET off
DELETE FROM seeme.api_keys WHERE name = 'nightly report';
\set QUIET on
COMMIT;
\set ECHO none
