# The attacker is there before the extension: objects are planted for CREATE EXTENSION, ALTER
# EXTENSION … UPDATE and seeme_protect to find. The attacker owns the database and may create
# anything in it, also in the schema public.
package Attacks::Planted;

use strict;
use warnings;
use SeemeTest ();
use Test::More;

my $database = 'attacks_planted';
# Whatever of the planter's is run says with whose rights, and takes what it can.
my $spy = q(LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.witness VALUES (current_user); EXECUTE 'ALTER ROLE attack_planter SUPERUSER'; RETURN %s; EXCEPTION WHEN insufficient_privilege OR read_only_sql_transaction THEN RETURN %s; END $$);
sub spy { my ($answer) = @_; return sprintf $spy, $answer, $answer }

# [ name, what is planted, the SQLSTATE that CREATE EXTENSION must end with ('' if it must go
# well), what takes it away ]
sub plants {
    return (
        [ 'a schema seeme of the planter\'s',
            [ 'CREATE SCHEMA seeme', 'CREATE TABLE seeme.users (id uuid)',
            "CREATE FUNCTION seeme.is_unidentified() RETURNS boolean @{[ spy('true') ]}" ], '42P06',
            [ 'DROP SCHEMA seeme CASCADE' ] ],
        [ 'a function seeme_user_id of the planter\'s',
            [ "CREATE FUNCTION public.seeme_user_id() RETURNS uuid @{[ spy('NULL') ]}" ], '42723',
            [ 'DROP FUNCTION public.seeme_user_id()' ] ],
        [ 'a function seeme_has_permission that fits better',
            [ "CREATE FUNCTION public.seeme_has_permission(permission text, organization uuid) RETURNS boolean @{[ spy('true') ]}" ], '42725', [ 'DROP FUNCTION public.seeme_has_permission(text, uuid)' ] ],
        [ 'functions seeme_has_permission of other types',
            [ map { "CREATE FUNCTION public.seeme_has_permission(permission $_, organization uuid) RETURNS boolean @{[ spy('true') ]}" } qw(varchar name "char" anyelement) ], '' ],
        [ 'operators for uuid and text',
            [ "CREATE FUNCTION public.same(uuid, uuid) RETURNS boolean @{[ spy('true') ]}",
            'CREATE OPERATOR public.= (FUNCTION = public.same, LEFTARG = uuid, RIGHTARG = uuid)',
            "CREATE FUNCTION public.same(text, text) RETURNS boolean @{[ spy('true') ]}",
            'CREATE OPERATOR public.= (FUNCTION = public.same, LEFTARG = text, RIGHTARG = text)',
            'CREATE OPERATOR public.~ (FUNCTION = public.same, LEFTARG = text, RIGHTARG = text)' ],
            '' ],
        [ 'functions with names that install scripts use',
            [ map { my ($signature, $answer) = @$_;
            "CREATE FUNCTION public.$signature @{[ spy($answer) ]}" } [ 'lower(text) RETURNS text',
            '$1' ], [ 'gen_random_uuid() RETURNS uuid', 'NULL' ],
            [ 'now() RETURNS timestamptz', 'NULL' ],
            [ 'array_agg(text) RETURNS text[]', 'NULL' ],
                [ 'current_setting(text) RETURNS text', q('on') ],
                [ 'format(text, text) RETURNS text', '$1' ],
                [ 'pg_extension_config_dump(regclass, text) RETURNS void', '' ],
                [ 'set_config(text, text, boolean) RETURNS text', '$2' ] ], '' ],
        [ 'types with names that install scripts use',
            [ 'CREATE DOMAIN public.uuid AS pg_catalog.text',
            'CREATE DOMAIN public.text AS pg_catalog.varchar',
            'CREATE TYPE public.timestamptz AS (a int)',
            'CREATE TYPE public.invitation AS (a int)' ], '' ],
        [ 'a search_path of the database that leads to the planter',
            [ 'CREATE SCHEMA trap',
            "CREATE FUNCTION trap.lower(text) RETURNS text @{[ spy('$1') ]}",
            'CREATE TABLE trap.pg_class (oid oid)',
            "ALTER DATABASE $database SET search_path = trap, pg_catalog, public" ], '' ],
        [ 'a function that claims to be the library',
            [ q(CREATE FUNCTION public.seeme_login_by_key(uuid, uuid, boolean) RETURNS void LANGUAGE sql AS 'SELECT NULL::void') ], '' ],
    );
}

# run(harness, modes) → { name => whether it succeeded in any mode }
sub run {
    my ($harness, $modes, $bouncer) = @_;
    my %succeeded;
    SeemeTest::create_roles('attack_planter LOGIN');
    for my $mode (@$modes) {
        SeemeTest::create_database($database);
        my $postgres = SeemeTest::connect_to('postgres');
        $postgres->do("ALTER DATABASE $database OWNER TO attack_planter");
        my $dba = SeemeTest::connect_to($database);
        $dba->do('CREATE TABLE public.witness (who text); GRANT INSERT ON public.witness TO PUBLIC; ALTER TABLE public.witness OWNER TO postgres');
        $dba->do('GRANT ALL ON SCHEMA public TO attack_planter');
        my ($host, $port) = $mode eq 'direct' ? @ENV{qw(PGHOST PGPORT)}
            : @{ $bouncer->{$mode} }{qw(host port)};
        my $planter = DBI->connect("dbi:Pg:dbname=$database;host=$host;port=$port",
            'attack_planter', '',
            { RaiseError => 1, PrintError => 0, PrintWarn => 0, AutoCommit => 1,
            pg_server_prepare => 0 });
        my @names;
        # What refuses CREATE EXTENSION comes first, and is taken away again.
        for my $plant (sort { ($b->[2] ne '') <=> ($a->[2] ne '') } plants()) {
            my ($name, $statements, $state, $undo) = @$plant;
            push @names, $name;
            # A planter who cannot plant has not been tried. What it is planted for may be named
            # without pg_catalog here.
            for (@$statements) {
                my $planted = Attacks::Harness::run_sql($planter, $_);
                fail "$name, $mode: is planted" and diag $planted->{out} if $planted->{state};
            }
            next unless $state;
            is SeemeTest::sqlstate_of($dba, 'CREATE EXTENSION seeme_rbac'), $state,
                "$name before CREATE EXTENSION, $mode: refused with $state";
            $succeeded{$name} ||= SeemeTest::value($dba,
                q{SELECT count(*) FROM pg_extension WHERE extname = 'seeme_rbac'});
            $planter->do($_) for @$undo;
        }
        # The setting of the database counts for connections that begin now.
        $dba->disconnect;
        $dba = SeemeTest::connect_to($database);
        # The oldest version that can be installed, updated to this one.
        my ($oldest) = SeemeTest::rows($dba,
        q{SELECT v.version FROM pg_catalog.pg_available_extension_versions v WHERE v.name OPERATOR(pg_catalog.=) 'seeme_rbac' ORDER BY pg_catalog.string_to_array(v.version, '.')::int[] LIMIT 1});
        my $made = eval { $dba->do("CREATE EXTENSION seeme_rbac SCHEMA public VERSION '$oldest'");
            $dba->do('ALTER EXTENSION seeme_rbac UPDATE'); 1 };
        ok $made, "CREATE EXTENSION and UPDATE go well amid what was planted, $mode" or diag $@;
        # It is used, by an administrator whose search_path is still the trap.
        my $used = eval {
            $dba->do($_) for q{INSERT INTO seeme.users (id, email) VALUES ('a0000000-0000-4000-8000-000000000001', 'Owner@example.com')},
                q{INSERT INTO seeme.organizations (id, name, owner_id) VALUES ('b0000000-0000-4000-8000-000000000001', 'Acme', 'a0000000-0000-4000-8000-000000000001')},
                q{INSERT INTO seeme.projects (id, organization_id, name) VALUES ('d0000000-0000-4000-8000-000000000001', 'b0000000-0000-4000-8000-000000000001', 'Alpha')},
                q{CREATE TABLE public.things (id pg_catalog.uuid PRIMARY KEY, project_id pg_catalog.uuid, owner_id pg_catalog.uuid, name pg_catalog.text)},
                q{SELECT public.seeme_protect('public.things', 'models', project_column => 'project_id', resource_id_column => 'id', owner_column => 'owner_id', listing_columns => '{id,name}')},
                q{INSERT INTO public.things VALUES ('99000000-0000-4000-8000-000000000001', 'd0000000-0000-4000-8000-000000000001', NULL, 'hidden')},
                q{INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES ('d0000000-0000-4000-8000-000000000001', 'model', '99000000-0000-4000-8000-000000000001')},
                q{SELECT public.seeme_invite('guest@example.com', organization => 'b0000000-0000-4000-8000-000000000001')}, q{SELECT public.seeme_create_api_key('k', '{*}', user_id => 'a0000000-0000-4000-8000-000000000001')},
                q{SELECT public.seeme_grant_usage('attack_planter')},
                q{GRANT SELECT ON public.things TO attack_planter},
                q{UPDATE public.things SET name = 'still hidden'}, 'ANALYZE public.things';
            1;
        };
        ok $used, "and it works, $mode" or diag $@;
        my @gained;
        push @gained, "ran as $_" for grep { $_ ne 'attack_planter' } SeemeTest::rows($dba,
            'SELECT DISTINCT who FROM public.witness');
        push @gained, 'is a superuser'
            if SeemeTest::value($dba,
            q{SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname::pg_catalog.text OPERATOR(pg_catalog.=) 'attack_planter'});
        push @gained, map { "the extension uses $_" } SeemeTest::rows($dba, q{
            SELECT DISTINCT pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid) || ' depends on ' || pg_catalog.pg_describe_object(d.refclassid, d.refobjid, 0) FROM pg_catalog.pg_depend d
             WHERE (d.refclassid = 'pg_proc'::regclass AND d.refobjid IN (SELECT oid FROM pg_catalog.pg_proc WHERE proowner = 'attack_planter'::regrole)
                    OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (SELECT oid FROM pg_catalog.pg_type WHERE typowner = 'attack_planter'::regrole)
                    OR d.refclassid = 'pg_operator'::regclass AND d.refobjid IN (SELECT oid FROM pg_catalog.pg_operator WHERE oprowner = 'attack_planter'::regrole))
               AND (d.classid = 'pg_policy'::regclass OR d.classid = 'pg_attrdef'::regclass OR d.classid = 'pg_rewrite'::regclass OR d.classid = 'pg_trigger'::regclass
                    OR d.classid = 'pg_proc'::regclass AND d.objid IN (SELECT oid FROM pg_catalog.pg_proc WHERE proowner = 10))});
        my $sees = Attacks::Harness::run_sql($planter, 'SELECT name FROM public.things');
        push @gained, "sees $sees->{rows}" if $sees->{rows} =~ /hidden/ || $sees->{out} =~ /hidden/;
        my $is = Attacks::Harness::run_sql($planter, 'SELECT public.seeme_user_id()');
        push @gained, "is $is->{rows}" if $is->{rows} =~ /\d/;
        for my $name (@names) {
            ok !@gained, "$name, planted before the extension, $mode" or diag join "\n", @gained;
            $succeeded{$name} ||= scalar @gained;
        }
        $_->disconnect for $planter, $dba;
        $postgres->do("DROP DATABASE $database WITH (FORCE)");
        $postgres->disconnect;
    }
    return \%succeeded;
}

1;
