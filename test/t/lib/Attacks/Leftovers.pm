# Attacks by what is left in a connection that others use later. An application's pool is one
# connection for everybody here.
package Attacks::Leftovers;

use strict;
use warnings;

my $read = 'SELECT id, title FROM public.papers';

sub vectors {
    return map { my ($name, %is) = @$_; { name => $name, as => 'gateway', try => [$read], %is } } (
        # The victim was there first
        [ 'the victim\'s WITH HOLD cursor',
            turn => [ 'DECLARE held CURSOR WITH HOLD FOR SELECT id, title FROM public.papers' ],
            try => [ 'FETCH ALL FROM held' ] ],
        [ 'the victim\'s WITH HOLD cursor, scrolled back',
            turn => [ 'DECLARE held SCROLL CURSOR WITH HOLD FOR SELECT id, title FROM public.papers', 'FETCH ALL FROM held' ], try => [ 'FETCH BACKWARD ALL FROM held', 'MOVE ABSOLUTE 0 FROM held', 'FETCH ALL FROM held' ] ],
        [ 'the victim\'s temporary table',
            turn => [ 'CREATE TEMP TABLE held AS SELECT id, title FROM public.papers' ],
            try => [ 'SELECT * FROM held', 'SELECT * FROM pg_temp.held' ] ],
        [ 'the victim\'s temporary view',
            turn => [ 'CREATE TEMP VIEW held AS SELECT id, title FROM public.papers' ],
            try => [ 'SELECT * FROM pg_temp.held' ] ],
        [ 'the victim\'s prepared statement',
            turn => [ 'PREPARE held AS SELECT id, title FROM public.papers', 'EXECUTE held' ],
            try => [ 'EXECUTE held' ] ],
        [ 'a generic plan that was made for the victim',
            turn => [ 'SET plan_cache_mode = force_generic_plan',
            'PREPARE held (int) AS SELECT id, title FROM public.papers WHERE id > $1',
            ('EXECUTE held (0)') x 6 ],
            try => [ 'EXECUTE held (0)', 'EXPLAIN (VERBOSE) EXECUTE held (0)' ] ],
        [ 'a function whose plans were made for the victim',
            turn => [ 'CREATE FUNCTION pg_temp.held() RETURNS SETOF public.papers LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT * FROM public.papers; END $$', ('SELECT * FROM pg_temp.held()') x 6 ], try => [ 'SELECT * FROM pg_temp.held()' ] ],
        [ 'what a sequence and lastval gave the victim',
            turn => [ 'SELECT count(*) FROM public.papers',
            q{SELECT set_config('app.note', 'x', false)} ],
            try => [ 'SELECT lastval()', q{SELECT currval('seeme.audit_log_id_seq')} ] ],
        [ 'what the victim is notified of',
            turn => [ 'LISTEN held', q(UPDATE public.papers SET title = title) ],
            try => [ 'SELECT pg_listening_channels()', $read ] ],
        [ 'the victim\'s savepoint and cursor after a rollback',
            turn => [ 'SAVEPOINT s', 'DECLARE held CURSOR FOR SELECT id, title FROM public.papers',
            'FETCH 1 FROM held' ], try => [ 'FETCH ALL FROM held' ] ],
        [ 'the victim\'s large object', turn => [ q(SELECT lo_from_bytea(0, 'note')) ],
            try => [ q(SELECT convert_from(lo_get(oid), 'UTF8') FROM pg_largeobject_metadata),
            $read ], before => [],
            after => [ 'SELECT lo_unlink(oid) FROM pg_largeobject_metadata' ] ],

        # The attacker was, and comes back after the victim
        [ 'a temporary table for the victim to fill',
            try => [ 'CREATE TEMP TABLE papers (id int, project_id uuid, title text, kind text)' ],
            collect => [ 'SELECT * FROM pg_temp.papers' ] ],
        [ 'a temporary view in front of a table',
            try => [ 'CREATE TEMP VIEW papers AS SELECT * FROM public.papers' ],
            collect => [ 'SELECT * FROM pg_temp.papers' ] ],
        [ 'a cursor WITH HOLD of one\'s own',
            try => [ 'DECLARE mine CURSOR WITH HOLD FOR SELECT id, title FROM public.papers' ],
            collect => [ 'FETCH ALL FROM mine' ] ],
        [ 'a statement prepared beforehand',
            try => [ 'PREPARE mine AS SELECT id, title FROM public.papers' ],
            collect => [ 'EXECUTE mine' ] ],
        [ 'a search_path left for the victim',
            try => [ 'SET search_path = pg_temp, workshop, public',
            'CREATE FUNCTION pg_temp.seeme_user_id() RETURNS uuid LANGUAGE sql AS $$ SELECT \'{oscar}\'::uuid $$' ], collect => [ $read ] ],
        [ 'a search_path and a view left for the victim, by an application role that may create objects', try => [ 'CREATE TABLE workshop.loot (t text)', 'CREATE FUNCTION workshop.take(text) RETURNS text LANGUAGE sql AS $$ INSERT INTO workshop.loot VALUES ($1) RETURNING t $$',
            'CREATE VIEW workshop.papers WITH (security_invoker = true) AS SELECT id, project_id, workshop.take(title) AS title, kind FROM public.papers', 'SET search_path = workshop, public' ], collect => [ 'SELECT * FROM workshop.loot' ], known => 'direct transaction statement', known_if_tracked => 'direct',
            before => [ 'GRANT CREATE ON SCHEMA workshop TO attack_gateway' ],
            after => [ 'DROP TABLE workshop.loot', 'DROP VIEW workshop.papers',
            'DROP FUNCTION workshop.take(text)',
            'REVOKE CREATE ON SCHEMA workshop FROM attack_gateway' ] ],
        [ 'a role left for the victim', try => [ 'SET ROLE attack_app' ], collect => [ $read ] ],
        [ 'row_security and replication settings left for the victim',
            try => [ 'SET row_security = off', 'SET session_replication_role = replica',
            q{SELECT set_config('default_transaction_read_only', 'on', false)} ],
            collect => [ $read ], denial => 1 ],
        [ 'logging what the victim asks',
            try => [ q(SET log_statement = 'all'), q(SET client_min_messages = debug5),
            q(SET log_min_messages = debug5), q(SET debug_print_plan = on),
            q(SET auto_explain.log_min_duration = 0) ],
            collect => [ 'SELECT pg_current_logfile()', q(SELECT pg_read_file('server.log')) ] ],
        [ 'isolation levels',
            try => [ 'SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ',
            $read ], collect => [ $read ] ],
        [ 'an advisory lock and a notification across people',
            try => [ 'SELECT pg_advisory_lock(1)', q(NOTIFY held, 'x'), 'LISTEN held' ],
            collect => [ 'SELECT pg_listening_channels()' ] ],
        [ 'DISCARD, DEALLOCATE, CLOSE, UNLISTEN',
            try => [ 'DEALLOCATE ALL', 'CLOSE ALL', 'UNLISTEN *', 'DISCARD PLANS',
            'DISCARD SEQUENCES', 'DISCARD TEMP', $read ] ],
    );
}

1;
