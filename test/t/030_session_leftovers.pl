# What one person leaves in a pooled connection must not affect the next person: temporary objects
# of every class, cursors, prepared statements, a role. They may be made by the person, or while
# nobody is identified after a person was. A pool's own set-up stays usable for everybody.
use strict;
use warnings;
use SeemeTest;
use Test::More;

create_roles('left_app NOLOGIN', 'left_gateway LOGIN IN ROLE left_app', 'left_other NOLOGIN',
    'left_set LOGIN IN ROLE left_app');
create_database('leftovers', 'seeme_rbac');
my $dba = connect_to('leftovers');
make_world($dba, 'left_app');
$dba->do($_) for 'GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO left_gateway, left_set',
    'GRANT left_other, left_app TO left_gateway, left_set',
    'GRANT EXECUTE ON FUNCTION seeme_assume(uuid), seeme_user_id() TO left_other, left_app',
    'CREATE FOREIGN DATA WRAPPER wrapper', 'CREATE SERVER server FOREIGN DATA WRAPPER wrapper',
    'GRANT USAGE ON FOREIGN SERVER server TO left_gateway',
    'ALTER DATABASE leftovers SET session_preload_libraries = seeme_rbac',
    'ALTER ROLE left_set SET role = left_app';
alarm 280;

# A connection after its set-up.
sub session {
    my ($role, @set_up) = @_;
    my $dbh = connect_to('leftovers', $role);
    $dbh->do($_) for @set_up;
    return $dbh;
}

# A transaction of a person, or of nobody. Answers with the SQLSTATE that naming them is refused
# with.
sub turn {
    my ($dbh, $person, @statements) = @_;
    $dbh->begin_work;
    my $state = $person ? sqlstate_of($dbh, 'SELECT seeme_assume(?)', id_of($person)) : '';
    if ($state) { $dbh->rollback; return $state; }
    my $ok = eval { $dbh->do($_) for @statements; 1 };
    my $error = $@;
    $ok ? $dbh->commit : do { $dbh->rollback; die $error };
    return '';
}

# -------------------------------------------------------------------------------------------
# objects of every class
my $super = $ENV{PGUSER};
my @classes = (
    [ 'a table' => 'CREATE TEMP TABLE left_it (a int)' ],
    [ 'a table with a key, toast and statistics' =>
        'CREATE TEMP TABLE left_it (a int PRIMARY KEY, b text)',
        'CREATE STATISTICS pg_temp.s ON a, b FROM pg_temp.left_it' ],
    [ 'a partitioned table' => 'CREATE TEMP TABLE left_it (a int) PARTITION BY LIST (a)' ],
    [ 'a table that inherits' => 'CREATE TEMP TABLE left_it () INHERITS (public.others)' ],
    [ 'a table by SELECT INTO' => 'SELECT 1 AS a INTO TEMP left_it' ],
    [ 'a table by another name of the schema' =>
        q{DO $$ BEGIN CREATE TEMP TABLE first (a int); EXECUTE format('CREATE TABLE %s.left_it (a int)', pg_my_temp_schema()::regnamespace); DROP TABLE first; END $$} ],
    [ 'a foreign table' => 'CREATE FOREIGN TABLE pg_temp.left_it (a int) SERVER server' ],
    [ 'a view' => 'CREATE TEMP VIEW papers AS SELECT 1 AS id' ],
    [ 'a view that is temporary by what it reads' => 'CREATE TEMP TABLE below (a int)',
        'CREATE VIEW above AS SELECT * FROM below' ],
    [ 'a sequence' => 'CREATE TEMP SEQUENCE left_it' ],
    [ 'a composite type' => 'CREATE TYPE pg_temp.left_it AS (a int)' ],
    [ 'an enum' => q{CREATE TYPE pg_temp.left_it AS ENUM ('a')} ],
    [ 'a range type' => 'CREATE TYPE pg_temp.left_it AS RANGE (subtype = int4)' ],
    [ 'a shell type' => 'CREATE TYPE pg_temp.left_it' ],
    [ 'a base type' => 'CREATE TYPE pg_temp.left_it',
        q{CREATE FUNCTION pg_temp.i(cstring) RETURNS pg_temp.left_it LANGUAGE internal IMMUTABLE STRICT AS 'textin'},
        q{CREATE FUNCTION pg_temp.o(pg_temp.left_it) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout'}, 'CREATE TYPE pg_temp.left_it (INPUT = pg_temp.i, OUTPUT = pg_temp.o, LIKE = text)' ],
    [ 'a domain' => 'CREATE DOMAIN pg_temp.uuid AS pg_catalog.uuid' ],
    [ 'a function' => 'CREATE FUNCTION pg_temp.left_it() RETURNS int LANGUAGE sql RETURN 1' ],
    [ 'a function by another name of the schema' =>
        q{DO $$ BEGIN CREATE TEMP TABLE first (a int); EXECUTE format('CREATE FUNCTION %s.left_it() RETURNS int LANGUAGE sql RETURN 1', pg_my_temp_schema()::regnamespace); DROP TABLE first; END $$} ],
    [ 'a procedure' => 'CREATE PROCEDURE pg_temp.left_it() LANGUAGE sql BEGIN ATOMIC END' ],
    [ 'an aggregate' => 'CREATE AGGREGATE pg_temp.left_it (int) (SFUNC = int4pl, STYPE = int)' ],
    [ 'an operator' => 'CREATE OPERATOR pg_temp.=== (FUNCTION = texteq, LEFTARG = text, RIGHTARG = text)' ],
    [ 'an operator family' => 'CREATE OPERATOR FAMILY pg_temp.left_it USING btree' ],
    [ 'an operator class' =>
        'CREATE OPERATOR CLASS pg_temp.left_it FOR TYPE int4 USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int4, int4)' ],
    [ 'a cast' => 'CREATE TYPE pg_temp.left_it AS (a int)',
        'CREATE CAST (pg_temp.left_it AS text) WITH INOUT AS IMPLICIT' ],
    [ 'a collation' => 'CREATE COLLATION pg_temp.left_it FROM "C"' ],
    [ 'a conversion' => q{CREATE CONVERSION pg_temp.left_it FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8} ],
    [ 'a text search configuration' =>
        'CREATE TEXT SEARCH CONFIGURATION pg_temp.left_it (COPY = pg_catalog.simple)' ],
    [ 'a text search dictionary' =>
        'CREATE TEXT SEARCH DICTIONARY pg_temp.left_it (TEMPLATE = pg_catalog.simple)' ],
    [ 'a text search parser' =>
        'CREATE TEXT SEARCH PARSER pg_temp.left_it (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)' ],
    [ 'a text search template' =>
        'CREATE TEXT SEARCH TEMPLATE pg_temp.left_it (LEXIZE = dsimple_lexize, INIT = dsimple_init)' ],
    [ 'statistics of another table' =>
        'CREATE STATISTICS pg_temp.left_it ON id, title FROM public.papers' ],
);
$dba->do('CREATE TABLE others (a int)');
my $temporary = q{SELECT count(*) FROM pg_depend WHERE refclassid = 'pg_namespace'::regclass AND refobjid = pg_my_temp_schema()};

for my $class (@classes) {
    my ($name, @create) = @$class;
    my $one = session($super);
    turn($one, 'tess', @create);
    my $two = session($super);
    turn($two, 'tess');
    turn($two, undef, @create);
    is(join(' ', turn($one, 'gina'), turn($one, 'tess'), turn($one, 'gina'), '/',
        turn($two, 'gina'), turn($two, 'tess')), '55006  55006 / 55006 ',
        "threat: $name of the person before, or of nobody after somebody had spoken; the same person goes on");
    $_->do('DISCARD TEMP') for $one, $two;
    is(turn($one, 'gina') . turn($two, 'gina'), '', "$name: discarded, the next person may come");
    my $three = session($super, @create);
    my $four = session($super);
    turn($four, 'tess', 'SAVEPOINT s', @create, 'ROLLBACK TO s');
    eval { turn($four, 'tess', @create, 'SELECT 1 / 0') };
    is(join(' ', map { turn($three, $_) } qw(tess gina tess)) . turn($four, 'gina'), '  ',
        "$name: a pool's set-up is in nobody's way, nor is what was rolled back");
    my $left = session($super, 'SET seeme_rbac.leftovers = discard');
    turn($left, 'tess', @create);
    my $kept = value($left, $temporary);
    is(turn($left, 'gina') . ' ' . value($left, $temporary), ' 0',
        "$name: discarded by seeme_rbac.leftovers ($kept)");
    $_->disconnect for $one, $two, $three, $four, $left;
}

# ------------------------------------------------------------------------- a set-up that is
# changed is a leftover
my $trigger = 'CREATE FUNCTION pg_temp.g() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$';
my @changes = (
    [ 'a view is replaced', ['CREATE TEMP VIEW v AS SELECT 1 AS a'],
        'CREATE OR REPLACE TEMP VIEW v AS SELECT 2 AS a' ],
    [ 'a view is renamed', ['CREATE TEMP VIEW v AS SELECT 1 AS a'],
        'ALTER VIEW v RENAME TO papers' ],
    [ 'a view gets an option', ['CREATE TEMP VIEW v AS SELECT 1 AS a'],
        'ALTER VIEW v SET (security_barrier)' ],
    [ 'a function is replaced', ['CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql RETURN 1'],
        'CREATE OR REPLACE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql RETURN 2' ],
    [ 'a function is altered', ['CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql RETURN 1'],
        'ALTER FUNCTION pg_temp.f() SECURITY DEFINER' ],
    [ 'a function gets a setting',
        ['CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql RETURN 1'],
        'ALTER FUNCTION pg_temp.f() SET search_path = x' ],
    [ 'a table is renamed', ['CREATE TEMP TABLE t (a int)'], 'ALTER TABLE t RENAME TO papers' ],
    [ 'a column is added', ['CREATE TEMP TABLE t (a int)'], 'ALTER TABLE t ADD COLUMN b int' ],
    [ 'a column is renamed', ['CREATE TEMP TABLE t (a int)'], 'ALTER TABLE t RENAME a TO b' ],
    [ 'a column is dropped', ['CREATE TEMP TABLE t (a int, b int)'],
        'ALTER TABLE t DROP COLUMN b' ],
    [ 'a column gets another type', ['CREATE TEMP TABLE t (a int)'],
        'ALTER TABLE t ALTER COLUMN a TYPE bigint' ],
    [ 'a column gets a default', ['CREATE TEMP TABLE t (a int)'],
        'ALTER TABLE t ALTER COLUMN a SET DEFAULT 1' ],
    [ 'a table gets a check', ['CREATE TEMP TABLE t (a int)'], 'ALTER TABLE t ADD CHECK (a > 0)' ],
    [ 'a table gets a trigger', [ 'CREATE TEMP TABLE t (a int)', $trigger ],
        'CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.g()' ],
    [ 'a trigger is replaced',
        [ 'CREATE TEMP TABLE t (a int)', $trigger,
        'CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.g()' ],
        'CREATE OR REPLACE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.g()' ],
    [ 'a trigger is disabled',
        [ 'CREATE TEMP TABLE t (a int)', $trigger,
        'CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.g()' ],
        'ALTER TABLE t DISABLE TRIGGER g' ],
    [ 'a trigger is renamed',
        [ 'CREATE TEMP TABLE t (a int)', $trigger,
        'CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION pg_temp.g()' ],
        'ALTER TRIGGER g ON t RENAME TO h' ],
    [ 'a rule is disabled',
        [ 'CREATE TEMP TABLE t (a int)', 'CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING' ],
        'ALTER TABLE t DISABLE RULE r' ],
    [ 'a type gets a cast', ['CREATE TYPE pg_temp.c AS (a int)'],
        'CREATE CAST (pg_temp.c AS text) WITH INOUT AS IMPLICIT' ],
    [ 'a domain\'s constraint is renamed',
        ['CREATE DOMAIN pg_temp.d AS int CONSTRAINT one CHECK (VALUE > 0)'],
        'ALTER DOMAIN pg_temp.d RENAME CONSTRAINT one TO two' ],
    [ 'a table gets a rule', ['CREATE TEMP TABLE t (a int)'],
        'CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING' ],
    [ 'a table gets a policy', ['CREATE TEMP TABLE t (a int)'],
        'CREATE POLICY p ON t USING (false)' ],
    [ 'a table gets row security', ['CREATE TEMP TABLE t (a int)'],
        'ALTER TABLE t ENABLE ROW LEVEL SECURITY' ],
    [ 'a table gets an index', ['CREATE TEMP TABLE t (a int)'], 'CREATE INDEX ON t (a)' ],
    [ 'a table gets a partition', ['CREATE TEMP TABLE t (a int) PARTITION BY LIST (a)'],
        'CREATE TEMP TABLE u PARTITION OF t DEFAULT' ],
    [ 'a table is granted to somebody', ['CREATE TEMP TABLE t (a int)'],
        'GRANT SELECT ON t TO PUBLIC' ],
    [ 'a table gets another owner', ['CREATE TEMP TABLE t (a int)'],
        'ALTER TABLE t OWNER TO left_app' ],
    [ 'a sequence is altered', ['CREATE TEMP SEQUENCE q'], 'ALTER SEQUENCE q INCREMENT 2' ],
    [ 'a domain gets a constraint', ['CREATE DOMAIN pg_temp.d AS int'],
        'ALTER DOMAIN pg_temp.d ADD CHECK (VALUE > 0)' ],
    [ 'a domain gets a default', ['CREATE DOMAIN pg_temp.d AS int'],
        'ALTER DOMAIN pg_temp.d SET DEFAULT 1' ],
    [ 'an enum gets a value', [q{CREATE TYPE pg_temp.e AS ENUM ('a')}],
        q{ALTER TYPE pg_temp.e ADD VALUE 'b'} ],
    [ 'a type gets an attribute', ['CREATE TYPE pg_temp.c AS (a int)'],
        'ALTER TYPE pg_temp.c ADD ATTRIBUTE b int' ],
    [ 'a type is renamed', ['CREATE TYPE pg_temp.c AS (a int)'],
        'ALTER TYPE pg_temp.c RENAME TO uuid' ],
    [ 'a text search configuration maps otherwise',
        ['CREATE TEXT SEARCH CONFIGURATION pg_temp.c (COPY = pg_catalog.simple)'],
        'ALTER TEXT SEARCH CONFIGURATION pg_temp.c DROP MAPPING FOR word' ],
    [ 'an operator family gets a member', ['CREATE OPERATOR FAMILY pg_temp.f USING btree'],
        'ALTER OPERATOR FAMILY pg_temp.f USING btree ADD OPERATOR 1 < (int4, int4)' ],
);
for my $change (@changes) {
    my ($name, $set_up, $statement) = @$change;
    my $one = session($super, @$set_up);
    turn($one, 'tess', $statement);
    my $two = session($super, @$set_up);
    turn($two, 'tess');
    turn($two, 'gina');
    $two->do($statement);
    is(join(' ', turn($one, 'gina'), turn($one, 'tess'), turn($two, 'tess'), turn($two, 'gina')),
        '55006  55006 ', "threat: $name in a pool's set-up");
    my $left = session($super, @$set_up, 'SET seeme_rbac.leftovers = discard');
    turn($left, 'tess', $statement);
    is(join(' ', turn($left, 'gina'), turn($left, 'tess')), ' ',
        "$name: and goes where leftovers are discarded");
    $_->disconnect for $one, $two, $left;
}
{
    my $pool = session($super, 'CREATE TEMP TABLE t (a int, b text)', 'CREATE INDEX ON t (a)',
        'CREATE TEMP TABLE brief (a int) ON COMMIT DELETE ROWS', 'CREATE TEMP SEQUENCE q',
        'CREATE TEMP VIEW v AS SELECT * FROM t',
        'CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql RETURN 1');
    my @used = map { turn($pool, $_, q{INSERT INTO t SELECT 1, 'x' FROM generate_series(1, 1000)},
        'INSERT INTO brief VALUES (1)', 'ANALYZE t', q{SELECT nextval('q')}, 'TRUNCATE t',
        'UPDATE t SET a = 2', 'DELETE FROM t', 'SELECT pg_temp.f() FROM v',
        q{COMMENT ON TABLE t IS 'x'}) } qw(tess gina tess vera);
    $pool->do('VACUUM t');
    $dba->do('VACUUM FREEZE pg_catalog.pg_depend, pg_catalog.pg_class, pg_catalog.pg_attribute, pg_catalog.pg_proc');
    $dba->do('VACUUM FULL pg_catalog.pg_depend, pg_catalog.pg_proc');
    is(join('', @used, turn($pool, 'gina')), '',
        'using a set-up is no change of it, nor is what VACUUM does to the catalogs');
    $pool->do('SET seeme_rbac.leftovers = discard');
    turn($pool, 'tess', 'CREATE TEMP TABLE mine AS SELECT * FROM papers',
        'CREATE TEMP VIEW over_set_up AS SELECT * FROM t');
    is(turn($pool, 'gina')
        . value($pool, q{SELECT concat_ws(' ', to_regclass('t'), to_regclass('v'), to_regclass('q'), to_regclass('mine'), to_regclass('over_set_up'))}), 't v q', 'discarding keeps the set-up, with a leftover view over it or not');
    $pool->disconnect;
}

# --------------------------------------------------------------------------- statements, roles,
# cursors, by an ordinary role
sub left_by {
    my ($name, $set_up, $statements, $expected) = @_;
    my $one = session('left_gateway', @$set_up);
    turn($one, 'tess', @$statements);
    my $two = session('left_gateway', @$set_up);
    turn($two, 'tess');
    $two->do($_) for @$statements;
    is(join(' ', turn($one, 'gina'), turn($one, 'tess'), turn($two, 'gina'), turn($two, 'tess')),
        $expected ? '55006  55006 ' : '   ', $name);
    $_->do('DISCARD ALL') for $one, $two;
    is(turn($one, 'gina') . turn($two, 'gina'), '', "$name: not after DISCARD ALL");
    $_->disconnect for $one, $two;
}
left_by('threat: a statement that the person before has prepared', [],
    ['PREPARE papers AS SELECT 1'], 1);
left_by('threat: one that was prepared inside a function', [],
    [q{DO $$ BEGIN EXECUTE 'PREPARE papers AS SELECT 1'; END $$}], 1);
left_by('threat: a set-up\'s statement, prepared anew', ['PREPARE papers AS SELECT 1'],
    [ 'DEALLOCATE papers', 'PREPARE papers AS SELECT 2' ], 1);
left_by('a set-up\'s statement is in nobody\'s way', ['PREPARE papers AS SELECT 1'],
    ['EXECUTE papers'], 0);
{
    my $one = session('left_gateway');
    $one->begin_work;
    $one->do('PREPARE papers AS SELECT 1');
    $one->selectrow_array('SELECT seeme_assume(?)', undef, id_of('tess'));
    $one->commit;
    is(join(' ', turn($one, 'gina'), turn($one, 'tess')), '55006 ',
        'threat: one that was prepared in the transaction that names the first person, before it does');
    my $two = session('left_gateway', 'PREPARE own AS SELECT 1');
    $two->begin_work;
    $two->do('PREPARE papers AS SELECT 1');
    $two->rollback;
    is(join(' ', turn($two, 'tess'), turn($two, 'gina')), ' ',
        'one of an earlier transaction is of the set-up');
    $_->disconnect for $one, $two;
}
left_by('nor is one that is deallocated', [], [ 'PREPARE papers AS SELECT 1', 'DEALLOCATE papers' ],
    0);
left_by('threat: SET ROLE', [], ['SET ROLE left_other'], 1);
left_by('threat: a role by set_config', [], [q{SELECT set_config('role', 'left_other', false)}], 1);
left_by('threat: another role than the set-up\'s', ['SET ROLE left_app'], ['SET ROLE left_other'],
    1);
left_by('a set-up\'s role is in nobody\'s way', ['SET ROLE left_other'], ['SELECT 1'], 0);
left_by('nor is SET LOCAL ROLE', [], ['SET LOCAL ROLE left_other'], 0);
left_by('nor is a role that is reset', [], [ 'SET ROLE left_other', 'RESET ROLE' ], 0);
left_by('threat: a cursor', [], ['DECLARE c CURSOR WITH HOLD FOR SELECT id FROM papers'], 1);
left_by('a set-up\'s cursor is in nobody\'s way', ['DECLARE c CURSOR WITH HOLD FOR SELECT 1'],
    ['FETCH 1 FROM c'], 0);
left_by('threat: one of the same name, opened anew', ['DECLARE c CURSOR WITH HOLD FOR SELECT 1'],
    [ 'CLOSE c', 'DECLARE c CURSOR WITH HOLD FOR SELECT id FROM papers' ], 1);
{
    my $pool = session('left_gateway');
    for my $person (qw(tess gina tess)) {
        $pool->begin_work;
        $pool->do($person eq 'gina' ? q{SELECT set_config('role', 'left_other', true)}
            : 'SET LOCAL ROLE left_other');
        is(sqlstate_of($pool, 'SELECT seeme_assume(?)', id_of($person)), '',
            'SET LOCAL ROLE before a person is named, as PostgREST does');
        $pool->commit;
    }
    $pool->do('SET ROLE left_other');
    $pool->begin_work;
    $pool->do('RESET ROLE');
    is(sqlstate_of($pool, 'SELECT seeme_assume(?)', id_of('gina')), '',
        'a role may be reset in the transaction that names the next');
    $pool->rollback;
    is(join(' ', turn($pool, 'gina'), turn($pool, 'tess')), '55006 55006',
        'threat: and the RESET ROLE be rolled back');
    $pool->disconnect;
    my $set = session('left_set');
    is(join(' ', value($set, 'SELECT current_user'), map { turn($set, $_) } qw(tess gina)),
        'left_app  ', 'ALTER ROLE ... SET role is set-up');
    $set->disconnect;
    # A driver's own prepared statements
    $pool = session('left_gateway');
    my $seen = $pool->prepare('SELECT count(*) FROM papers WHERE id > ?');
    my @counts;
    for my $person (qw(tess gina tess gina)) {
        $pool->begin_work;
        $pool->selectrow_array('SELECT seeme_assume(?)', undef, id_of($person));
        $seen->execute(0);
        push @counts, $seen->fetchrow_array;
        $seen->finish;
        $pool->commit;
    }
    is("@counts", '25 25 25 25',
        'statements that a driver prepares by the protocol are in nobody\'s way');
    $pool->disconnect;
    # Names cost nothing for long
    $pool = session($super);
    turn($pool, 'tess', q{DO $$ BEGIN FOR i IN 1 .. 5000 LOOP EXECUTE format('PREPARE p%s AS SELECT 1', i); EXECUTE format('DEALLOCATE p%s', i); END LOOP; END $$}, 'PREPARE left_it AS SELECT 1');
    is(turn($pool, 'gina'), '55006', 'threat: one statement after thousands that are gone');
    cmp_ok(value($pool, q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts WHERE name = 'seeme_rbac prepared statements'}), '<', 100_000, 'whose names are forgotten');
    $pool->do('DEALLOCATE left_it');
    is(turn($pool, 'gina'), '', 'deallocated, the next person may come');
    $pool->disconnect;
}

# ----------------------------------------------------------------------------------------------------------
# discard
{
    my $pool = session($super, 'PREPARE mine AS SELECT 1',
        'DECLARE own CURSOR WITH HOLD FOR SELECT 1', 'SET ROLE left_app',
        'SET SESSION AUTHORIZATION DEFAULT', 'SET seeme_rbac.leftovers = discard');
    turn($pool, 'tess', 'PREPARE papers AS SELECT 1',
        'DECLARE c CURSOR WITH HOLD FOR SELECT id FROM papers',
        'CREATE TEMP TABLE papers AS SELECT * FROM public.papers', 'SET ROLE left_other');
    is(turn($pool, 'gina'), '', 'where leftovers are discarded the next person may come');
    $pool->do('RESET ROLE');
    is(join(' ', rows($pool,
        q{SELECT name FROM pg_prepared_statements WHERE from_sql UNION ALL SELECT name FROM pg_cursors WHERE is_holdable UNION ALL SELECT to_regclass('pg_temp.papers')::text ORDER BY 1})), 'mine own null', 'and finds the set-up alone');
    turn($pool, 'tess', 'SET ROLE left_other');
    turn($pool, 'gina');
    is(value($pool, 'SELECT current_user'), $super, 'a role that is left is reset');
    # What is discarded comes back with a rollback
    turn($pool, 'tess', 'CREATE TEMP TABLE back AS SELECT * FROM public.papers');
    $pool->begin_work;
    $pool->selectrow_array('SELECT seeme_assume(?)', undef, id_of('gina'));
    is(value($pool, q{SELECT to_regclass('pg_temp.back')}), undef, 'a table is discarded');
    $pool->rollback;
    is(value($pool, q{SELECT to_regclass('pg_temp.back')}), 'back', 'and back with the rollback');
    $pool->begin_work;
    $pool->pg_savepoint('s');
    $pool->selectrow_array('SELECT seeme_assume(?)', undef, id_of('gina'));
    $pool->pg_rollback_to('s');
    $pool->selectrow_array('SELECT seeme_assume(?)', undef, id_of('gina'));
    is(value($pool, q{SELECT to_regclass('pg_temp.back')}), undef,
        'threat: somebody meets it who has been named in the transaction that was rolled back');
    $pool->commit;
    is(sqlstate_of(session('left_gateway'), 'SET seeme_rbac.leftovers = discard'), '42501',
        'only superusers say so');
    is(sqlstate_of($pool, q{SET seeme_rbac.leftovers = 'keep'}), '22023', 'and nothing else');
    $dba->do('ALTER ROLE left_gateway SET seeme_rbac.leftovers = discard');
    my $app = session('left_gateway');
    turn($app, 'tess', 'CREATE DOMAIN pg_temp.uuid AS pg_catalog.uuid',
        'CREATE TEMP TABLE t (a pg_temp.uuid)', 'CREATE TEMP VIEW papers AS SELECT 1 AS id');
    $app->begin_work;
    $app->do('SET TRANSACTION READ ONLY');
    is(sqlstate_of($app, 'SELECT seeme_assume(?)', id_of('gina')), '',
        'they are in a transaction that only reads, too');
    is(value($app, 'SELECT count(*) FROM papers'), 25,
        'and the next person reads the table and not the view');
    $app->commit;
    turn($app, 'tess', 'CREATE TEMP TABLE used AS SELECT 1 AS a');
    $app->begin_work;
    is(sqlstate_of($app, 'SELECT seeme_assume(?) FROM pg_temp.used', id_of('gina')), '55006',
        'what the naming statement itself reads cannot be discarded');
    $app->rollback;
    is(turn($app, 'gina'), '', 'which refuses it once');
    $_->disconnect for $pool, $app;
    $dba->do('ALTER ROLE left_gateway RESET seeme_rbac.leftovers');
}

# ------------------------------------------------------------------------------------- rollbacks,
# and drops undone
{
    my $pool = session('left_gateway');
    turn($pool, 'tess', 'CREATE TEMP TABLE kept AS SELECT * FROM papers');
    $pool->begin_work;
    $pool->do('DROP TABLE kept');
    is(sqlstate_of($pool, 'SELECT seeme_assume(?)', id_of('gina')), '',
        'dropped in the transaction that names the next');
    $pool->rollback;
    is(join(' ', turn($pool, 'gina'), turn($pool, 'vera')), '55006 55006',
        'threat: whose rollback brings it back');
    $pool->do('DROP TABLE kept');
    is(join(' ', map { turn($pool, $_) } qw(gina tess)), ' ', 'dropped for good');
    # Somebody who was named and rolled back has spoken.
    my $other = session('left_gateway');
    turn($other, 'tess');
    eval { turn($other, 'gina', 'SELECT 1 / 0') };
    $other->do('CREATE DOMAIN pg_temp.uuid AS pg_catalog.uuid');
    is(join(' ', turn($other, 'tess'), turn($other, 'gina')), '55006 ',
        'threat: a person rolls back, leaves something as nobody, and waits for the one before');
    my $first = session('left_gateway');
    eval { turn($first, 'gina', 'SELECT 1 / 0') };
    $first->do('CREATE DOMAIN pg_temp.uuid AS pg_catalog.uuid');
    is(join(' ', turn($first, 'tess'), turn($first, 'gina')), '55006 ',
        'threat: the same by the first one');
    my $all = session('left_gateway');
    turn($all, 'gina');
    $all->do('DISCARD ALL');
    $all->do('CREATE DOMAIN pg_temp.uuid AS pg_catalog.uuid');
    is(turn($all, 'tess'), '55006',
        'threat: DISCARD ALL, and what comes after it passes for a set-up');
    $_->disconnect for $pool, $other, $first, $all;
}

# ---------------------------------------------------------------------------------------------------
# the takeover
{
    my $pool = session('left_gateway');
    turn($pool, 'paul', 'CREATE TEMP TABLE seen (who pg_catalog.uuid, id int)',
        q{CREATE FUNCTION pg_temp.spy(pg_catalog.uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN IF public.seeme_user_id() <> 'a0000000-0000-4000-8000-000000000006' THEN INSERT INTO pg_temp.seen SELECT public.seeme_user_id(), id FROM public.papers; END IF; RETURN true; END $$},
        'CREATE DOMAIN pg_temp.uuid AS pg_catalog.uuid CHECK (pg_temp.spy(VALUE))');
    $pool->begin_work;
    my $state = sqlstate_of($pool, 'SELECT seeme_assume($1)', id_of('olga'));
    $pool->do(sprintf q{SELECT title FROM public.papers WHERE project_id = '%s'::uuid},
        id_of('gamma')) unless $state;
    $pool->rollback;
    is($state, '55006', 'threat: a domain by the name of a type runs the last person\'s function while the next one is asking');
    is(value($pool, 'SELECT count(*) FROM pg_temp.seen'), 0, 'and shows nothing of theirs');
    $pool->disconnect;
    my $complaint = session('left_gateway');
    turn($complaint, 'tess', 'CREATE TEMP TABLE "secret of tess" (a int)',
        'PREPARE "secret of tess" AS SELECT 1');
    for my $then ('DEALLOCATE "secret of tess"', 'DISCARD TEMP') {
        eval { turn($complaint, 'gina'); $complaint->begin_work;
            $complaint->do(q{SELECT seeme_assume('a0000000-0000-4000-8000-000000000009')}) };
        unlike($@, qr/secret/, 'no error tells the name that another one gave');
        like($@, qr/HINT:/, 'each says what helps');
        $complaint->rollback;
        $complaint->do($then);
    }
    is(turn($complaint, 'gina'), '', 'which does');
    $complaint->disconnect;
}

$dba->disconnect;
done_testing();
