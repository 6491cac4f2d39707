#!/usr/bin/env bash
# suite.sh MAJOR STEP...: builds and tests one copy of the source tree, the current directory, on
# one PostgreSQL, as an ordinary user, in this Debian or in a root. Everything it makes lies beside
# the copy. Each step that counts something leaves a line `passed failed` in ../tally;
# scripts/check adds them up. Not meant to be started by hand: that is scripts/check.
# shellcheck disable=SC2016,SC2317,SC2329
set -uo pipefail
. scripts/lib/common.sh
. scripts/lib/server.sh

major=$1
shift
work=$(cd .. && pwd)
log=$work/step.log
step_limit=900 # seconds: something hangs

# tally PASSED FAILED WHAT
tally() {
  echo "$1 $2" >>"$work/tally"
  printf '   %d passed, %d failed  (%d s)\n' "$1" "$2" "$((SECONDS - started))"
}

show() { sed 's/^/   | /' "$@"; }
matches() { cat "${@:2}" 2>/dev/null | grep -cE "$1"; }

# A test that was skipped did not pass.
tap_passed() { cat "$@" 2>/dev/null | grep -E '^ok ' | grep -vcE '# *SKIP'; }
tap_failed() { matches '^not ok |^ok .*# *SKIP' "$@"; }

run() { timeout --kill-after=10 "$step_limit" "$@" >"$log" 2>&1 </dev/null; }
make_with() { run make --no-print-directory PG_CONFIG="$pg_config" "$@"; }

# must COMMAND...: counts only when it fails.
must() {
  "$@" && { printf '   ok  (%d s)\n' "$((SECONDS - started))"; return; }
  show "$log"
  tally 0 1
  return 1
}

build() {
  make_with clean && make_with --silent -j2 all && make_with install
}

# Every name that the library shows to the rest of the server bears the project's prefix.
exported_symbols() {
  nm --dynamic --defined-only --format=posix seeme_rbac.so | cut -d' ' -f1 >"$work/symbols" 2>"$log" || return
  grep -q '^seeme_' "$work/symbols" || { echo 'no symbol at all begins with seeme_' >"$log"; return 1; }
  ! grep -vE '^(seeme_|pg_finfo_seeme_)|^(Pg_magic_func|_PG_init)$' "$work/symbols" >"$log"
}

# What pg_regress has to say, without what went well.
regress_log() {
  grep -vE '\.\.\. ok|^ok |^(# )?(=+ |\+\+\+ )|^echo |^(SET|(CREATE|ALTER|DROP) (DATABASE|EXTENSION))$' "$log" | show
}

regression() {
  local status=0 passed failed files
  make_with installcheck ISOLATION= || status=$?
  passed=$(tap_passed results/*.out)
  failed=$(tap_failed results/*.out)
  # A script whose output differs without any `not ok` counts as one failure.
  files=$(matches '\.\.\. (FAILED|failed)|^not ok' "$log")
  [ "$failed" -ge "$files" ] || failed=$files
  [ "$failed" = 0 ] && [ "$status" != 0 ] && failed=1
  [ "$passed" -gt 0 ] || [ "$failed" -gt 0 ] || { failed=1; echo 'no assertion was run' >>"$log"; }
  if [ "$failed" -gt 0 ]; then
    regress_log
    [ ! -e regression.diffs ] || show regression.diffs
  fi
  tally "$passed" "$failed"
}

isolation() {
  local status=0 passed failed
  make_with installcheck REGRESS= || status=$?
  passed=$(matches '\.\.\. ok|^ok ' "$log")
  failed=$(matches '\.\.\. (FAILED|failed)|^not ok' "$log")
  [ "$failed" = 0 ] && [ "$status" != 0 ] && failed=1
  [ "$passed" -gt 0 ] || [ "$failed" -gt 0 ] || { failed=1; echo 'no spec was run' >>"$log"; }
  if [ "$failed" -gt 0 ]; then
    regress_log
    find . -name regression.diffs -path '*iso*' -exec cat {} + | show
  fi
  tally "$passed" "$failed"
}

# tap COMMAND...: a TAP harness, told to be verbose.
tap() {
  local status=0 passed failed
  run "$@" || status=$?
  passed=$(tap_passed "$log")
  failed=$(tap_failed "$log")
  [ "$failed" = 0 ] && [ "$status" != 0 ] && failed=1
  [ "$passed" -gt 0 ] || [ "$failed" -gt 0 ] || { failed=1; echo 'no assertion was run' >>"$log"; }
  [ "$failed" = 0 ] || grep -vE '^ok [^#]*$' "$log" | show
  tally "$passed" "$failed"
}

prove_sql() {
  if ! run createdb tap ||
    ! run psql -XqAt -d tap -v ON_ERROR_STOP=1 -c 'CREATE EXTENSION pgtap' -c 'CREATE EXTENSION seeme_rbac'; then
    must false
    return
  fi
  tap pg_prove --verbose --dbname tap test/sql/*.sql
}

# Two at a time, those that take longest first; then all others that are there.
prove_clients() {
  local program programs=(
    test/clients/{postgraphile,prisma,sqlalchemy,psycopg,node_postgres,postgrest}.pl
    test/clients/{sequelize,typeorm,drizzle,knex,django}.pl
  )
  for program in test/clients/*.pl; do
    [[ " ${programs[*]} " = *" $program "* ]] || programs+=("$program")
  done
  if [ -e test/clients/postgraphile5/node_modules ]; then
    programs+=(test/clients/postgraphile5/postgraphile5.pl)
  else
    say "PostGraphile 5 is not tested: it needs Node 22, and this is $(node --version)"
  fi
  tap prove --verbose -j 2 -I test/t/lib -I test/clients "${programs[@]}"
}

prove_perl() { tap prove --verbose -I test/t/lib test/t/*.pl; }

restore_in_parts() { tap bash test/restore_in_parts.sh "$work"; }

# A server of its own, on which the operating system's user is let in as any role: SYSTEM_USER is
# peer:postgres.
system_user() (
  place=$work/system_user
  mkdir "$place"
  start_server "$pg_config" "$place" >"$log" 2>&1 || { must false; return; }
  echo 'local all all peer map=anybody' >"$place/data/pg_hba.conf"
  echo 'anybody /^ all' >"$place/data/pg_ident.conf"
  if ! run pg_ctl --pgdata="$place/data" reload || ! run createdb connections; then
    must false
    return
  fi
  PGDATABASE=connections tap psql -XqAt -v ON_ERROR_STOP=1 -f test/system_user.sql
)

# Trigger functions are looked at for every table that they serve. What is wrong with one for some
# of its tables but not for others is the part of it that is for others. Not counted: that PL/pgSQL
# converts a text to the type of the variable it goes to, and SQL put together in the functions
# named below: their fragments quote what they name (seeme.row_condition(),
# seeme.insert_condition(), the output of regclass, or %I). Nor that plpgsql_check 2.8 takes the
# variable of FOREACH for the whole of a constant array, and so reads SQL that has the array's
# brace in it. Nor what 2.10 says of volatility: a function that is to be stable reads the clock,
# and raises an error whose hint is put together by format().
check_plpgsql() {
  run createdb plpgsql || return
  psql -XqAt -F ': ' -d plpgsql -v ON_ERROR_STOP=1 >"$log" 2>&1 <<-'SQL' || return
	SET client_min_messages = error;
	CREATE EXTENSION plpgsql_check;
	CREATE EXTENSION seeme_rbac;
	CREATE TABLE thing (id uuid PRIMARY KEY, name text, project_id uuid, team_id uuid, organization_id uuid, owner_id uuid);
	\o /dev/null
	SELECT seeme_protect('thing', 'things', project_column => 'project_id', team_column => 'team_id',
	                     organization_column => 'organization_id', resource_id_column => 'id', owner_column => 'owner_id',
	                     listing_columns => '{id}');
	-- a function of triggers that another one calls
	CREATE TRIGGER called AFTER DELETE ON thing FOR EACH ROW EXECUTE FUNCTION seeme.follow_assigned_resource('thing');
	CREATE TABLE person (id bigint PRIMARY KEY, name text);
	SELECT seeme_mirror('person', 'users', '{"id": "id", "name": "name"}', protect => true);
	\o
	WITH function AS (
	  SELECT p.oid, p.prorettype
	    FROM pg_proc p
	    JOIN pg_language l ON l.oid = p.prolang AND l.lanname = 'plpgsql'
	    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
	    JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
	   WHERE e.extname = 'seeme_rbac'
	), served AS (
	  SELECT f.oid, f.prorettype, t.tgrelid, t.tgoldtable, t.tgnewtable, count(*) OVER (PARTITION BY f.oid) AS tables
	    FROM function f
	    LEFT JOIN (SELECT tgfoid, tgrelid, max(tgoldtable::text)::name AS tgoldtable, max(tgnewtable::text)::name AS tgnewtable
	                 FROM pg_trigger GROUP BY tgfoid, tgrelid) t ON t.tgfoid = f.oid
	), finding AS (
	  SELECT s.oid, s.tables, s.tgrelid,
	         concat_ws(', ', 'line ' || c.lineno, c.statement, c.level, c.sqlstate, c.message, c.detail, c.hint, c.query) AS found
	    FROM served s,
	         plpgsql_check_function_tb(funcoid => s.oid, relid => coalesce(s.tgrelid, 0), fatal_errors => false,
	                                   performance_warnings => false, security_warnings => true,
	                                   oldtable => s.tgoldtable, newtable => s.tgnewtable) c
	   WHERE (s.prorettype <> 'trigger'::regtype OR s.tgrelid IS NOT NULL)
	     AND NOT (c.level = 'warning' AND c.sqlstate = '42804')
	     AND NOT (c.statement = 'EXECUTE' AND c.message = 'syntax error at or near "{"')
	     AND c.message NOT LIKE 'routine is marked as %, but expression is %'
	     AND NOT (c.level = 'security' AND s.oid::regproc::text IN (
	          'seeme_protect', 'seeme.create_policies', 'seeme.create_resource_triggers', 'seeme.renew_protection', 'seeme.create_write_policy', 'seeme.create_row_triggers', 'seeme.follow_assigned_resource', 'seeme.may_assign',
	          'seeme.rename_column_of', 'seeme.keep_triggers_always', 'seeme.create_mirror_guards', 'seeme.check_moved_row',
	          'seeme.leaves_children'))
	)
	SELECT 'none', 'the extension has no function in PL/pgSQL' WHERE NOT EXISTS (SELECT FROM function)
	UNION ALL
	SELECT oid::regprocedure::text, 'a trigger function without a trigger'
	  FROM served WHERE prorettype = 'trigger'::regtype AND tgrelid IS NULL
	UNION ALL
	SELECT oid::regprocedure::text, found FROM finding GROUP BY oid, tables, found HAVING count(DISTINCT tgrelid) IN (0, tables);
	SQL
  [ ! -s "$log" ]
}

# Nothing crashed, and nothing that C code opened was left to PostgreSQL to clean up.
server_log() {
  ! grep -E 'PANIC|TRAP:|terminated by signal|WARNING: .*(leak|not closed|still referenced)' "$work/server.log" >"$log"
}

heading() {
  started=$SECONDS
  step "PostgreSQL $major: $1"
}

heading "build with -Werror, install into a private copy"
at_exit 'stop_servers "$work"'
pg_config=$(private_postgres "$major" "$work/prefix") || die "PostgreSQL $major could not be copied"
must build || exit 0
# Tests leave dead rows behind, so estimates grow from script to script, until everything would be
# compiled. What tests JIT switches it on.
start_server "$pg_config" "$work" 'jit = off' >"$log" 2>&1 || { must false; exit 0; }
PATH=$(dirname "$pg_config"):$PATH

for wanted; do
  case $wanted in
    symbols) heading "exported symbols bear the prefix" && must exported_symbols ;;
    regression) heading "test/sql under pg_regress" && regression ;;
    system_user) heading "SYSTEM_USER names the person" && system_user ;;
    restore_in_parts) heading "pg_restore --transaction-size" && restore_in_parts ;;
    isolation) heading "isolation specs" && isolation ;;
    prove) heading "test/sql under pg_prove" && prove_sql ;;
    perl) heading "test/t under prove" && prove_perl ;;
    clients) heading "real clients and poolers: people interleaved over one connection" && prove_clients ;;
    plpgsql) heading "plpgsql_check over every PL/pgSQL function" && must check_plpgsql ;;
    instructions) heading "instructions per warm check" && must run bash bench/instructions/count "$pg_config" "$work/instructions" "$major" && show "$log" ;;
    server_log) heading "no crash and no leak in the server's log" && must server_log ;;
    *) die "no step $wanted" ;;
  esac
done
exit 0
