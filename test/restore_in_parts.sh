#!/usr/bin/env bash
# restore_in_parts.sh DIRECTORY: pg_restore --transaction-size, which came with PostgreSQL 17, on
# the server of PGHOST, PGPORT and PGUSER. Restored in transactions of any size, and by several
# jobs in any order, every decision is the same. TAP on standard output. (test/t/011_restore.pl has
# the other ways.)
set -uo pipefail
directory=$1
number=0
ok() { # STATUS WHAT
  number=$((number + 1))
  if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}
ask() { psql -XqAt -v ON_ERROR_STOP=1 -d "$1"; }
decisions() {
  ask "$1" <<-'SQL'
	SELECT u.username, s.id, p.name, seeme_user_has_permission(u.id, p.name, s.organization, NULL, s.project)
	  FROM seeme.users u, seeme.permissions p,
	       (SELECT id, id AS organization, NULL::uuid AS project FROM seeme.organizations UNION ALL SELECT id, NULL, id FROM seeme.projects) AS s
	 ORDER BY 1, 2, 3
	SQL
}

createdb parts_source
ask parts_source >/dev/null <<-'SQL'
	SET client_min_messages = error;
	CREATE EXTENSION seeme_rbac;
	INSERT INTO seeme.users (id, username) SELECT format('a0000000-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid, format('person %s', n) FROM generate_series(1, 8) AS n;
	INSERT INTO seeme.organizations (id, name, owner_id) VALUES ('b0000000-0000-4000-8000-000000000001', 'Organization', 'a0000000-0000-4000-8000-000000000001');
	INSERT INTO seeme.projects (organization_id, name) SELECT 'b0000000-0000-4000-8000-000000000001', format('Project %s', n) FROM generate_series(1, 3) AS n;
	INSERT INTO seeme.memberships (organization_id, user_id, role_id)
	SELECT 'b0000000-0000-4000-8000-000000000001', format('a0000000-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid, format('00000000-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid
	  FROM generate_series(2, 6) AS n;
	CREATE TABLE notes (id int PRIMARY KEY, project_id uuid);
	CREATE INDEX ON notes (project_id);
	SELECT seeme_protect('notes', 'notes', project_column => 'project_id');
	INSERT INTO seeme.permissions (name, grouped_by_projects) VALUES ('notes:share', true);
SQL
ok $? 'a database with codes of its own'
pg_dump -Fc -f "$directory/parts" parts_source
ok $? 'is dumped'
decisions parts_source >"$directory/before"
[ "$(grep -c '|t$' "$directory/before")" -gt 100 ] && grep -q 'person 3|.*|notes:share|t$' "$directory/before"
ok $? 'in which people hold something'
for option in --transaction-size=1 --transaction-size=7 --transaction-size=1000 --jobs=2 --jobs=8; do
  createdb parts_restored && pg_restore "$option" -d parts_restored "$directory/parts"
  ok $? "pg_restore $option"
  decisions parts_restored | cmp -s - "$directory/before"
  ok $? "pg_restore $option: every decision is the same"
  dropdb parts_restored
done
# What is left out for the statement that restores is left out for no other.
membership="INSERT INTO seeme.memberships (organization_id, user_id) VALUES ('b0000000-0000-4000-8000-000000000009', 'a0000000-0000-4000-8000-000000000001')"
createdb parts_keys && ask parts_keys >"$directory/keys" 2>&1 <<-SQL
	CREATE EXTENSION seeme_rbac;
	SET row_security = off;
	$membership;
	SELECT count(*) FROM seeme.memberships;
	SET row_security = on;
	\\set ON_ERROR_STOP off
	\\set VERBOSITY sqlstate
	INSERT INTO seeme.external_identities (issuer, subject, user_id) VALUES ('i', 's', 'a0000000-0000-4000-8000-000000000009');
SQL
[ "$(xargs <"$directory/keys")" = '1 ERROR: 23503' ]
ok $? 'the keys of a statement that restores are not checked, those of the next one are'
dropdb parts_keys
dropdb parts_source
rm -f "$directory"/{parts,before,keys}
echo "1..$number"
