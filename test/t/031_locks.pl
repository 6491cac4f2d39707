# A role under row security cannot make everybody's decisions wait: not by LOCK TABLE, not by a
# statement that takes a strong lock before it checks privileges, and not by an advisory lock that
# the extension would take itself. In fresh sessions, with the library in session_preload_libraries.
use strict;
use warnings;
use SeemeTest;
use Test::More;

create_roles('locks_app NOLOGIN', 'locks_gateway LOGIN IN ROLE locks_app', 'locks_owner LOGIN',
    'locks_job LOGIN BYPASSRLS IN ROLE locks_app', 'locks_maker LOGIN IN ROLE locks_app');
create_database('locks', 'seeme_rbac');
my $dba = connect_to('locks');
make_world($dba, 'locks_app');
$dba->do($_) for split /\n/, <<'SQL';
ALTER DATABASE locks SET session_preload_libraries = seeme_rbac
GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO locks_gateway
GRANT CREATE ON DATABASE locks TO locks_maker
CREATE SCHEMA workshop AUTHORIZATION locks_maker
GRANT CREATE, USAGE ON SCHEMA workshop TO locks_owner
GRANT USAGE ON SCHEMA workshop TO locks_app
CREATE TABLE parts (id int, project_id uuid) PARTITION BY LIST (id)
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1) PARTITION BY LIST (id)
CREATE TABLE parts_1_1 PARTITION OF parts_1 DEFAULT
CREATE TABLE upper (id int)
CREATE TABLE middle (project_id uuid) INHERITS (upper)
CREATE TABLE lower () INHERITS (middle)
CREATE TABLE free (id int PRIMARY KEY, project_id uuid)
CREATE TABLE owned (id int PRIMARY KEY, project_id uuid)
CREATE TABLE twice (id int PRIMARY KEY, project_id uuid)
CREATE TABLE mirrored (id bigint PRIMARY KEY, organization bigint, title text)
SELECT seeme_mirror('mirrored', 'projects', '{"id": "id", "organization_id": "organization", "name": "title"}', protect => true)
SELECT seeme_protect('parts', 'runs', project_column => 'project_id')
SELECT seeme_protect('middle', 'jobs', project_column => 'project_id')
SELECT seeme_protect('owned', 'owned', project_column => 'project_id', listing_columns => '{id}')
CREATE VIEW over AS SELECT * FROM papers
CREATE VIEW over_over WITH (security_invoker) AS SELECT * FROM over
CREATE VIEW in_subquery AS SELECT * FROM free WHERE id IN (SELECT id FROM papers)
CREATE VIEW in_cte AS WITH w AS (SELECT 1 FROM seeme.memberships) SELECT id FROM free, w
CREATE VIEW in_from AS SELECT f.id FROM free f, LATERAL (SELECT FROM upper u WHERE u.id = f.id) AS s
CREATE VIEW over_free AS SELECT * FROM free
ALTER TABLE owned OWNER TO locks_owner
GRANT ALL ON ALL TABLES IN SCHEMA public TO locks_app
GRANT ALL ON ALL TABLES IN SCHEMA public TO locks_maker
REVOKE TRIGGER, REFERENCES, TRUNCATE ON ALL TABLES IN SCHEMA public FROM locks_app, locks_maker
GRANT ALL ON free TO locks_app
SQL
alarm 200;

sub session {
    my ($role) = @_;
    my $dbh = connect_to('locks', $role);
    $dbh->do(q{SET lock_timeout = '150ms'});
    return $dbh;
}

# The SQLSTATE of a statement, in a transaction that is rolled back.
sub try {
    my ($dbh, @statements) = @_;
    $dbh->begin_work;
    my ($state) = (grep { $_ } map { sqlstate_of($dbh, $_) } @statements)[0];
    $dbh->rollback;
    return $state // '';
}

my @strong = ('SHARE UPDATE EXCLUSIVE', 'SHARE', 'SHARE ROW EXCLUSIVE', 'EXCLUSIVE',
    'ACCESS EXCLUSIVE');
my $app = session('locks_gateway');
for my $table (qw(seeme.memberships seeme.users seeme.organizations seeme.changes_of_rights seeme.protected_tables seeme.organization_members
    papers parts parts_1 parts_1_1 upper middle lower owned mirrored owned_listing over over_over in_subquery in_cte in_from)) {
    is(join(' ', map { try($app, "LOCK TABLE $table IN $_ MODE") } @strong),
        join(' ', ('42501') x @strong), "threat: LOCK TABLE $table");
    is(join(' ', map { try($app, "LOCK TABLE $table IN $_ MODE NOWAIT") } 'ROW SHARE',
        'ROW EXCLUSIVE'), ' ', "$table: the locks that statements take may be taken")
        if $table =~ /^(papers|parts.*|upper|lower|over|in_subquery)$/;
}
is(try($app, 'LOCK TABLE ONLY upper'), '', 'ONLY leaves out the children');
is(try($app, 'LOCK TABLE free, papers'), '42501', 'threat: one of several');
is(try($app, q{DO $$ BEGIN LOCK TABLE papers; END $$}), '42501', 'threat: inside a function');
is(try($app, q{DO $$ BEGIN EXECUTE 'LOCK TABLE seeme.roles'; END $$}), '42501',
    'threat: inside EXECUTE');
is(try($app, 'SET search_path = seeme', 'LOCK TABLE memberships'), '42501',
    'threat: by search_path');
is(try($app, 'CREATE TEMP VIEW v AS SELECT * FROM papers', 'LOCK TABLE v'), '42501',
    'threat: by a view of one\'s own');
is(try($app, 'CREATE TEMP VIEW v AS SELECT * FROM free',
    'LOCK TABLE v, free, over_free IN ACCESS EXCLUSIVE MODE'), '',
    'tables that are nobody\'s concern may be locked, and views over them');
is(try($app, 'LOCK TABLE nowhere'), '42P01', 'a table that is not there is not there');
is(try($app, 'SELECT seeme_assume(' . $dba->quote(id_of('olga')) . ')', 'LOCK TABLE papers'),
    '42501', 'whoever is asking');
eval { $app->do('LOCK TABLE in_subquery') };
like($@, qr/permission denied to lock "in_subquery" in this way.*HINT/s,
    'the error names what the statement named, and says what to do');
unlike($@, qr/papers/, 'and not what lies behind it');
{
    my $job = session('locks_job');
    my $owner = session('locks_owner');
    is(try($dba, 'LOCK TABLE seeme.memberships, papers, over'), '', 'a superuser may');
    is(try($job, 'LOCK TABLE papers, parts, over_over'), '',
        'a role that bypasses row security may');
    is(try($owner, 'LOCK TABLE owned'), '', 'so may the owner of a protected table');
    is(try($owner, 'LOCK TABLE papers'), '42501', 'who may not lock another one');
    $_->disconnect for $job, $owner;
}

# ------------------------------------------------- what takes a lock and looks at privileges
# afterwards Everything is held as by a revocation and by a decision. A statement that wanted a
# strong lock would wait, and everybody behind it.
my $holder = connect_to('locks');
$holder->begin_work;
$holder->do($_)
    for 'LOCK TABLE seeme.memberships, seeme.users, papers, parts, parts_1, parts_1_1, upper, owned IN ROW EXCLUSIVE MODE', 'SELECT count(*) FROM papers WHERE id = 1';
my $maker = session('locks_maker');
my @statements = (
    [ 'LOCK TABLE' => 'LOCK TABLE {}' ],
    [ 'CREATE RULE' => 'CREATE RULE r AS ON UPDATE TO {} DO INSTEAD NOTHING' ],
    [ 'CREATE TRIGGER' =>
        'CREATE TRIGGER t BEFORE UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()' ],
    [ 'CREATE TEMP TABLE ... PARTITION OF' => 'CREATE TEMP TABLE p PARTITION OF {} DEFAULT' ],
    [ 'CREATE FOREIGN TABLE ... PARTITION OF' =>
        'CREATE FOREIGN TABLE pg_temp.p PARTITION OF {} DEFAULT SERVER nowhere' ],
    [ 'ATTACH PARTITION' => 'CREATE TEMP TABLE p (id int) PARTITION BY LIST (id)',
        'ALTER TABLE p ATTACH PARTITION {} DEFAULT' ],
    [ 'DETACH PARTITION' => 'CREATE TEMP TABLE p (id int) PARTITION BY LIST (id)',
        'ALTER TABLE p DETACH PARTITION {}' ],
    [ 'ADD COLUMN ... REFERENCES, one of several' => 'CREATE TEMP TABLE p (id int)',
        'ALTER TABLE p ADD COLUMN x int, ADD COLUMN y int REFERENCES {}' ],
    [ 'a foreign key of a new table' => 'CREATE TABLE workshop.p (id int REFERENCES {})' ],
    [ 'a foreign key of a new temporary table' =>
        'CREATE TEMP TABLE p (id int, FOREIGN KEY (id) REFERENCES {})' ],
    [ 'a foreign key of a new schema' => 'CREATE SCHEMA w2 CREATE TABLE p (id int REFERENCES {})' ],
    [ 'ADD FOREIGN KEY' => 'CREATE TEMP TABLE p (id int)',
        'ALTER TABLE p ADD FOREIGN KEY (id) REFERENCES {}' ],
    [ 'ADD COLUMN ... REFERENCES' => 'CREATE TEMP TABLE p (id int)',
        'ALTER TABLE p ADD COLUMN x int REFERENCES {}' ],
    [ 'ALTER INDEX ... DEPENDS ON EXTENSION' => 'ALTER INDEX {} DEPENDS ON EXTENSION plpgsql' ],
    [ 'ALTER MATERIALIZED VIEW ... DEPENDS ON EXTENSION' =>
        'ALTER MATERIALIZED VIEW {} DEPENDS ON EXTENSION plpgsql' ],
    [ 'ALTER TABLE' => 'ALTER TABLE {} ADD COLUMN x int' ],
    [ 'ALTER TABLE ... ENABLE ROW LEVEL SECURITY' => 'ALTER TABLE {} ENABLE ROW LEVEL SECURITY' ],
    [ 'ALTER TABLE ... SET SCHEMA' => 'ALTER TABLE {} SET SCHEMA workshop' ],
    [ 'ALTER TABLE ... RENAME' => 'ALTER TABLE {} RENAME TO x' ],
    [ 'ALTER TABLE ... RENAME COLUMN' => 'ALTER TABLE {} RENAME id TO x' ],
    [ 'ALTER TABLE ... OWNER' => 'ALTER TABLE {} OWNER TO CURRENT_USER' ],
    [ 'DROP TABLE' => 'DROP TABLE {}' ],
    [ 'TRUNCATE' => 'TRUNCATE {}' ],
    [ 'CREATE INDEX' => 'CREATE INDEX ON {} (id)' ],
    [ 'CREATE POLICY' => 'CREATE POLICY p ON {}' ],
    [ 'DROP POLICY' => 'DROP POLICY seeme_select ON {}' ],
    [ 'DROP TRIGGER' => 'DROP TRIGGER IF EXISTS seeme_after_wait ON {}' ],
    [ 'DROP RULE' => 'DROP RULE IF EXISTS r ON {}' ],
    [ 'REINDEX TABLE' => 'REINDEX TABLE {}' ],
    [ 'CLUSTER' => 'CLUSTER {}' ],
    [ 'REFRESH MATERIALIZED VIEW' => 'REFRESH MATERIALIZED VIEW {}' ],
    [ 'COMMENT ON COLUMN' => q{COMMENT ON COLUMN {}.id IS 'x'} ],
    [ 'CREATE VIEW' => 'CREATE OR REPLACE VIEW {} AS SELECT 1 AS id' ],
    [ 'CREATE STATISTICS' => 'CREATE STATISTICS workshop.s ON id, project_id FROM {}' ],
    [ 'CREATE TABLE ... INHERITS' => 'CREATE TEMP TABLE p () INHERITS ({})' ],
    [ 'ALTER TABLE ... INHERIT' => 'CREATE TEMP TABLE p (id int)', 'ALTER TABLE p INHERIT {}' ],
    [ 'CREATE TABLE ... LIKE' => 'CREATE TEMP TABLE p (LIKE {} INCLUDING ALL)' ],
    [ 'CREATE TABLE ... OF' => 'CREATE TEMP TABLE p OF {}' ],
    [ 'OWNED BY' => 'CREATE SEQUENCE workshop.q OWNED BY {}.id' ],
    [ 'DROP INDEX' => 'DROP INDEX {}' ],
    [ 'DROP MATERIALIZED VIEW' => 'DROP MATERIALIZED VIEW {}' ],
    [ 'ALTER SEQUENCE' => 'ALTER SEQUENCE {} RESTART' ],
    [ 'ALTER VIEW' => 'ALTER VIEW {} ALTER COLUMN id SET DEFAULT NULL' ],
    [ 'ALTER FOREIGN TABLE' => 'ALTER FOREIGN TABLE {} ADD COLUMN x int' ],
    [ 'ALTER TYPE' => 'ALTER TYPE {} ADD ATTRIBUTE x int' ],
    [ 'ALTER POLICY' => 'ALTER POLICY seeme_select ON {} RENAME TO p' ],
    [ 'ALTER TRIGGER' => 'ALTER TRIGGER a_note_change ON {} RENAME TO p' ],
    [ 'ALTER TRIGGER ... DEPENDS ON EXTENSION' =>
        'ALTER TRIGGER a_note_change ON {} DEPENDS ON EXTENSION plpgsql' ],
    [ 'ALTER RULE' => 'ALTER RULE r ON {} RENAME TO p' ],
    [ 'COMMENT ON TRIGGER' => q{COMMENT ON TRIGGER a_note_change ON {} IS 'x'} ],
    [ 'COMMENT ON TABLE' => q{COMMENT ON TABLE {} IS 'x'} ],
    [ 'REINDEX INDEX' => 'REINDEX INDEX {}' ],
    [ 'GRANT' => 'GRANT SELECT ON {} TO PUBLIC' ],
    [ 'ANALYZE' => 'ANALYZE {}' ],
    [ 'CREATE PUBLICATION' => 'CREATE PUBLICATION p FOR TABLE {}' ],
);
for my $target (qw(seeme.memberships seeme.users papers parts parts_1 parts_1_1 owned)) {
    my @waits;
    for my $case (@statements) {
        my ($name, @sql) = @$case;
        s/\{\}/$target/g for @sql;
        my $state = try($maker, @sql);
        push @waits, "$name: $state" if $state eq '55P03';
    }
    is(join(', ', @waits), '',
        "threat: a statement waits for a lock on $target, and everybody behind it");
}
for my $index (qw(seeme.memberships_pkey papers_pkey papers_project_id_idx)) {
    is(try($maker, "ALTER INDEX $index DEPENDS ON EXTENSION plpgsql"), '42501',
        "threat: a strong lock on the index $index");
}
is(try($maker, "CREATE RULE r AS ON UPDATE TO pg_catalog.$_ DO INSTEAD NOTHING"), '42501',
    "threat: a strong lock on $_") for qw(pg_class pg_authid);
$holder->rollback;

# What a privilege allows stays allowed.
$dba->do($_) for 'GRANT REFERENCES (id) ON seeme.organizations TO locks_maker',
    'GRANT REFERENCES ON papers TO locks_maker', 'GRANT TRIGGER ON papers TO locks_maker';
is(try($maker,
    'CREATE TABLE workshop.p (id int REFERENCES papers, o uuid REFERENCES seeme.organizations (id))', 'ALTER TABLE workshop.p ADD COLUMN q int REFERENCES papers'), '', 'who was granted REFERENCES makes foreign keys');
is(try($maker,
    'CREATE TRIGGER t BEFORE UPDATE ON papers FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()'), '', 'who was granted TRIGGER makes triggers');
is(try($maker, 'CREATE TABLE workshop.p (id int) PARTITION BY LIST (id)',
    'CREATE TABLE workshop.q (id int)',
    'ALTER TABLE workshop.p ATTACH PARTITION workshop.q DEFAULT',
    'ALTER TABLE workshop.p DETACH PARTITION workshop.q',
    'CREATE TABLE workshop.r PARTITION OF workshop.p DEFAULT',
    'CREATE RULE r AS ON UPDATE TO workshop.q DO INSTEAD NOTHING', 'LOCK TABLE workshop.p'), '',
    'one\'s own tables are one\'s own affair');
my $owner = session('locks_owner');
is(try($owner, 'CREATE TABLE workshop.p (id int REFERENCES owned)',
    'CREATE RULE r AS ON INSERT TO workshop.p DO ALSO NOTHING'), '',
    'so are a protected table\'s for its owner');
$_->disconnect for $owner, $maker;

# ------------------------------------------------------------------------------------------- the
# extension's own locks
{
    # Every advisory lock that a statement might be waiting for, held by somebody else.
    is(value($dba,
        q{SELECT string_agg(p.oid::regprocedure::text, ', ') FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
        JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'seeme_rbac' WHERE p.prosrc ~ 'pg_(try_)?advisory'}), undef, 'no function of the extension takes an advisory lock');
    my %statement = (
        'inviting' => q{SELECT seeme_invite('new@example.com', organization => '%acme%')},
        'first assignment' =>
            q{INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES ('%alpha%', 'model', 'e0000000-0000-4000-8000-0000000000aa')},
    );
    my $other = session('locks_gateway');
    my $own_locks = q{SELECT locktype FROM pg_locks WHERE pid = pg_backend_pid() AND locktype IN ('advisory', 'object') AND mode = 'ExclusiveLock' AND classid >= 16384};
    for my $name (sort keys %statement) {
        my $sql = $statement{$name} =~ s/%(\w+)%/id_of($1)/ger;
        $other->begin_work;
        $other->selectrow_array('SELECT seeme_assume(?)', undef, id_of('olga'));
        $other->do($sql);
        is_deeply([ rows($other, $own_locks) ], [],
            "$name leaves no lock behind but those of rows");
        $app->begin_work;
        $app->selectrow_array('SELECT seeme_assume(?)', undef, id_of('olga'));
        is(sqlstate_of($app, $sql), '55P03', "$name: another session waits for it");
        $app->rollback;
        $other->commit;
    }
    # A slug is made without waiting for another transaction.
    my $make = q{INSERT INTO seeme.projects (organization_id, name) VALUES ('%acme%', 'New one')} =~ s/%acme%/id_of('acme')/er;
    for my $session ($other, $app) {
        $session->begin_work;
        $session->selectrow_array('SELECT seeme_assume(?)', undef, id_of('olga'));
    }
    $other->do($make);
    is_deeply([ rows($other, $own_locks) ], [], 'making a slug leaves no lock behind');
    is(($app->selectrow_array("$make RETURNING slug"))[0], 'new-one-2',
        'threat: whoever makes a slug, and stays, keeps others from making the same');
    $_->rollback for $other, $app;
    is(sqlstate_of($app, q{SELECT seeme.lock('seeme.invitations', 'x')}), '42501',
        'threat: the function that takes them is the extension\'s own');
    $other->disconnect;
}

$_->disconnect for $app, $holder, $dba;
done_testing();
