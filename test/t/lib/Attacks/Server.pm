# Attacks on the server around the tables: files, other sessions, other connections, replication,
# programs.
package Attacks::Server;

use strict;
use warnings;
use IPC::Run ();

my $leak_dump = sub {
    my @options = @_;
    return sub {
        my ($self, $dbh, $mode, $role) = @_;
        # The pool has one connection.
        $dbh->disconnect if $mode ne 'direct';
        my %place = $self->place($mode);
        my ($out, $err) = ('', '');
        my $ok = IPC::Run::run([ 'pg_dump', '-h', $place{host}, '-p', $place{port}, '-U', $role,
            '-d', $place{dbname}, '--data-only', '--inserts', '--lock-wait-timeout=1000',
            @options ], '<', \undef, '>', \$out, '2>', \$err);
        return { sql => "pg_dump @options", state => $ok ? '' : 'XX000', out => "$out\n$err" };
    };
};

sub vectors {
    return map { my ($name, $try, %more) = @$_;
        { name => $name, as => [qw(mallory gateway)], try => $try, %more } } (
        [ 'pg_dump' => [ $leak_dump->(),
            $leak_dump->('--table=public.papers', '--table=public.memos') ] ],
        [ 'pg_dump with --enable-row-security' =>
            [ $leak_dump->('--enable-row-security', '--table=public.papers', '--table=public.memos',
            '--table=seeme.users') ] ],
        [ 'files of the server' => [ map { "SELECT $_" } q(pg_read_file('postgresql.conf')),
            q(pg_read_binary_file('PG_VERSION')), q(pg_ls_dir('.')), q(pg_stat_file('base')),
            q(pg_current_logfile()), q(pg_ls_logdir()), q(lo_import('/etc/passwd')),
            q(lo_export(1, '/tmp/attack')), q(pg_hba_file_rules()) ], refused => '42501',
            each => 1 ],
        [ 'a table filled from a file or program' =>
            [ q(CREATE TEMP TABLE f (t text)), q(COPY f FROM '/etc/passwd'),
            q(COPY f FROM PROGRAM 'id') ], refused => '42501', together => 1 ],
        [ 'large objects of others' => [ q(SELECT convert_from(lo_get(4711), 'UTF8')),
            q(SELECT data FROM pg_largeobject) ], refused => '42501', each => 1,
            before => [ q(SELECT lo_from_bytea(4711, convert_to('canary', 'UTF8'))) ],
            after => [ 'SELECT lo_unlink(4711)' ] ],
        [ 'what others are running' => [ 'SELECT query FROM pg_stat_activity',
            'SELECT * FROM pg_stat_get_activity(NULL)',
            'SELECT query FROM pg_stat_activity WHERE usename = \'attack_oscar\'' ],
            before => [ sub_other() ], as => 'mallory' ],
        [ 'the locks of others' =>
            [ 'SELECT * FROM pg_locks', 'SELECT pg_blocking_pids(pg_backend_pid())',
            'SELECT * FROM pgrowlocks(\'public.papers\')', 'SELECT * FROM pg_prepared_xacts' ] ],
        [ 'ending other people\'s sessions' =>
            [ 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = \'postgres\'',
            'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = \'postgres\'' ],
            refused => '42501' ],
        [ 'logical decoding' =>
            [ q(SELECT pg_create_logical_replication_slot('attack', 'test_decoding')),
            q(SELECT * FROM pg_logical_slot_peek_changes('attack', NULL, NULL)),
            q(CREATE SUBSCRIPTION attack CONNECTION 'dbname=attacks' PUBLICATION attack),
            q(CREATE PUBLICATION attack FOR ALL TABLES) ], refused => '42501' ],
        [ 'physical replication and backups' =>
            [ q(SELECT pg_create_physical_replication_slot('attack')),
            q(SELECT pg_backup_start('attack')), q(SELECT pg_switch_wal()) ], refused => '42501',
            each => 1 ],
        [ 'contrib that shows pages' =>
            [ map { "CREATE EXTENSION $_" } qw(pageinspect pg_surgery pg_visibility file_fdw) ],
            refused => '42501', each => 1 ],
        [ 'an extension of one\'s own with C code' =>
            [ q(CREATE EXTENSION seeme_rbac), q(CREATE LANGUAGE plpython3u),
            q(CREATE FUNCTION pg_temp.c() RETURNS int LANGUAGE c AS '/tmp/attack.so') ],
            refused => '42501' ],
        [ 'dblink back to the server' =>
            [ q(SELECT * FROM dblink('host={host} port={port} dbname=attacks user=attack_oscar', 'SELECT id, title FROM public.papers') AS t (id int, title text)), q(SELECT dblink_connect('c', 'host={host} port={port} dbname=attacks user=attack_gateway')), q(SELECT dblink_exec('c', 'BEGIN')),
            q(SELECT * FROM dblink('host={host} port={port} dbname=attacks user=attack_gateway', 'SELECT public.seeme_assume(''{oscar}''), title FROM public.papers') AS t (id uuid, title text)), q(SELECT dblink_connect_u('c', 'host={host} port={port} dbname=attacks user=postgres')) ], refused => '42501' ],
        [ 'dblink back, with a password to try' =>
            [ q(SELECT * FROM dblink('host={host} port={port} dbname=attacks user=attack_oscar password=x', 'SELECT id, title FROM public.papers') AS t (id int, title text)) ], refused => '2F003' ],
        [ 'postgres_fdw back to the server' =>
            [ q(CREATE SERVER back FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host}', port '{port}', dbname 'attacks')), q(CREATE USER MAPPING FOR CURRENT_USER SERVER back_to OPTIONS (user 'attack_oscar', password 'x')), q(ALTER USER MAPPING FOR CURRENT_USER SERVER back_to OPTIONS (SET user 'attack_gateway')),
            q(CREATE FOREIGN TABLE pg_temp.far (id int, title text) SERVER back_to OPTIONS (schema_name 'public', table_name 'papers')), 'SELECT * FROM pg_temp.far', q(IMPORT FOREIGN SCHEMA public LIMIT TO (papers) FROM SERVER back_to INTO workshop), 'SELECT * FROM workshop.far' ], as => 'maker',
            before => [ q(CREATE SERVER back_to FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host}', port '{port}', dbname 'attacks')), 'GRANT USAGE ON FOREIGN SERVER back_to TO attack_maker', q(CREATE FOREIGN TABLE workshop.far (id int, title text) SERVER back_to OPTIONS (schema_name 'public', table_name 'papers')), 'GRANT SELECT ON workshop.far TO attack_maker' ],
            after => [ 'DROP SERVER back_to CASCADE' ] ],
        [ 'a foreign table that maps the attacker to the gateway' =>
            [ 'SELECT * FROM workshop.far' ], as => [qw(mallory)],
            before => [ q(CREATE SERVER back_to FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host}', port '{port}', dbname 'attacks')), q(CREATE USER MAPPING FOR PUBLIC SERVER back_to OPTIONS (user 'attack_gateway', password 'x')), q(CREATE FOREIGN TABLE workshop.far (id int, title text) SERVER back_to OPTIONS (schema_name 'public', table_name 'papers')), 'GRANT SELECT ON workshop.far TO attack_app' ],
            after => [ 'DROP SERVER back_to CASCADE' ] ],
        [ 'background work' => [ q(SELECT cron.schedule('x')), q(SELECT pg_sleep(0)),
            q(CREATE ROLE attack_made SUPERUSER), q(CREATE DATABASE attack_made TEMPLATE attacks),
            q(ALTER ROLE CURRENT_USER BYPASSRLS) ], refused => '42501', together => 0 ],
        [ 'error texts of timeouts' => [ q(SET LOCAL statement_timeout = '1ms'),
            'SELECT title, pg_sleep(1) FROM public.papers', q(SET LOCAL lock_timeout = '1ms'),
            'SELECT title FROM public.papers FOR UPDATE' ], together => 1, after => [] ],
        [ 'debugging output' => [ 'SET LOCAL client_min_messages = debug5',
            'SET LOCAL debug_print_plan = on', 'SET LOCAL debug_print_rewritten = on',
            'SET LOCAL debug_print_parse = on', 'SET LOCAL track_activities = on',
            'SELECT title FROM public.papers WHERE id > 10', 'SELECT username FROM seeme.users',
            'SET LOCAL log_statement_stats = on' ], together => 1 ],
        [ 'BEGIN through a pool of statements' => [ 'BEGIN', 'SELECT id, title FROM public.papers',
            q(SELECT public.seeme_assume('{oscar}')), 'COMMIT' ], as => [qw(mallory stranger)],
            raw => 1 ],
        [ 'pgbouncer\'s console' => [ 'SHOW CLIENTS', 'SHOW SERVERS', 'SHOW CONFIG' ],
            as => 'stranger' ],
    );
}

# Somebody else's query that says something: the administrator's own, which stays to be seen while
# it is idle.
sub sub_other { return q(SELECT 'canary of another session') }

1;
