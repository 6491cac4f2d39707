# Attacks on rows of protected tables: reading around the policies, changing other people's rows,
# and learning from answers.
package Attacks::Rows;

use strict;
use warnings;

my @three = qw(rbac guc jwt role);
my $leak = 'CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE \'%\', $1; RETURN true; END $$';

sub vectors {
    return map { my ($name, $try, %more) = @$_;
        { name => $name, as => [qw(gateway mallory)], try => $try, %more } } (
        [ 'a cheap function in WHERE that says what it is given' =>
            [ $leak, 'SELECT id FROM {papers} WHERE pg_temp.leak(title)' ], on => \@three,
            together => 1 ],
        [ 'such a function behind a view of one\'s own without a barrier' =>
            [ $leak, 'CREATE TEMP VIEW v WITH (security_barrier = false) AS SELECT * FROM {papers}',
            'SELECT id FROM v WHERE pg_temp.leak(title)', 'DROP VIEW v' ], on => \@three,
            together => 1 ],
        [ 'such a function in a view with security_invoker' =>
            [ $leak, 'CREATE TEMP VIEW v WITH (security_invoker = true) AS SELECT * FROM {papers} WHERE pg_temp.leak(title)', 'SELECT id FROM v', 'DROP VIEW v' ], on => \@three, together => 1 ],
        [ 'an operator that says what it is given' =>
            [ 'CREATE FUNCTION pg_temp.leaks(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE NOTICE \'%\', $1; RETURN true; END $$',
            'CREATE OPERATOR pg_temp.<<< (FUNCTION = pg_temp.leaks, LEFTARG = text, RIGHTARG = text, RESTRICT = scalarltsel)', q(SELECT id FROM {papers} WHERE title OPERATOR(pg_temp.<<<) 'x') ], on => \@three, together => 1 ],
        [ 'a function that is declared leakproof' =>
            [ $leak, 'ALTER FUNCTION pg_temp.leak(text) LEAKPROOF' ], together => 1,
            refused => '42501' ],
        [ 'division by zero where a row is hidden' =>
            [ 'SELECT id FROM {papers} WHERE 1 / (id - 21) > 0'], on => \@three,
            oracle => [ [ 'SELECT id FROM {papers} WHERE id = 21 AND 1 / (id - 21) > 0',
            'SELECT id FROM {papers} WHERE id = 77 AND 1 / (id - 77) > 0' ] ] ],
        [ 'a cast that says what it fails on' => [ q(SELECT id FROM {papers} WHERE title::int = 1),
            q(SELECT id FROM {papers} WHERE id > 10 AND title::uuid IS NOT NULL) ], on => \@three ],
        [ 'ORDER BY and LIMIT over a leaking function' =>
            [ $leak, 'SELECT id FROM {papers} ORDER BY pg_temp.leak(title) DESC LIMIT 100' ],
            on => \@three, together => 1 ],
        [ 'an aggregate, a window and GROUP BY over a leaking function' =>
            [ $leak, 'SELECT pg_temp.leak(title), count(*) FROM {papers} GROUP BY 1',
            'SELECT max(title) OVER (PARTITION BY pg_temp.leak(title)) FROM {papers}' ],
            on => \@three, together => 1 ],
        [ 'a join that is pushed below the policy' =>
            [ $leak, 'SELECT p.id FROM {papers} p JOIN (VALUES (11), (21)) v (id) ON v.id = p.id AND pg_temp.leak(p.title)', 'SELECT count(*) FROM {papers} p LEFT JOIN {papers} q ON pg_temp.leak(q.title)' ], on => \@three, together => 1 ],
        [ 'TABLESAMPLE' => [ 'SELECT title FROM {papers} TABLESAMPLE SYSTEM (100)',
            'SELECT title FROM {papers} TABLESAMPLE BERNOULLI (100) REPEATABLE (1)' ],
            on => \@three ],
        [ 'scans by ctid, and system columns' =>
            [ q(SELECT title, xmin, xmax, tableoid FROM {papers} WHERE ctid IN ('(0,6)', '(0,7)', '(0,16)')), q(SELECT title FROM {papers} WHERE ctid > '(0,5)') ], on => \@three ],
        [ 'index scans only, bitmap scans, sequential scans' =>
            [ map { ("SET LOCAL $_", 'SELECT id, title FROM {papers} WHERE id > 10',
            'SELECT count(*) FROM {papers} WHERE id > 10 HAVING count(*) > 0') } 'enable_seqscan = off', 'enable_indexscan = off', 'enable_bitmapscan = off' ], on => \@three, together => 1 ],
        [ 'parallel workers' => [ 'SET LOCAL {parallel} = on', 'SET LOCAL parallel_setup_cost = 0',
            'SET LOCAL parallel_tuple_cost = 0', 'SET LOCAL min_parallel_table_scan_size = 0',
            'SELECT id, title FROM {papers}',
            'SELECT public.seeme_user_id(), count(*) FROM {papers} WHERE id > 10' ],
            together => 1 ],
        [ 'row_security = off' =>
            [ 'SET LOCAL row_security = off', 'SELECT id, title FROM {papers}' ], on => \@three,
            together => 1, refused => '42501' ],
        [ 'row_security = off, to be taken for a restore' =>
            [ 'SET LOCAL row_security = off',
            q(INSERT INTO seeme.memberships (organization_id, user_id) VALUES ('{globex}', '{mallory}')) ], together => 1, refused => '42501' ],
        [ 'session_replication_role' => [ 'SET LOCAL session_replication_role = replica',
            'SELECT id, title FROM {papers}' ], together => 1 ],
        [ 'COPY … TO STDOUT' => [ 'COPY {papers} TO STDOUT' ], on => \@three ],
        [ 'COPY (query) TO STDOUT' => [ 'COPY (SELECT * FROM {papers}) TO STDOUT' ],
            on => \@three ],
        [ 'COPY … FROM STDIN' =>
            [ 'COPY public.papers (id, project_id, title, kind) FROM STDIN' ] ],
        [ 'COPY to a file or a program' => [ q(COPY {papers} TO '/tmp/attack'),
            q(COPY {papers} TO PROGRAM 'cat') ], refused => '42501' ],
        [ 'table_to_xml, query_to_xml, cursor_to_xml' =>
            [ q(SELECT table_to_xml('{papers}', true, true, '')),
            q(SELECT query_to_xml('SELECT * FROM {papers}', true, true, '')),
            'DECLARE x CURSOR FOR SELECT * FROM {papers}',
            q(SELECT cursor_to_xml('x', 100, true, true, '')) ], on => \@three, together => 1 ],
        [ 'schema_to_xml, database_to_xml' => [ q(SELECT schema_to_xml('public', true, true, '')),
            q(SELECT schema_to_xml('seeme', true, true, '')),
            q(SELECT database_to_xml(true, true, '')) ] ],
        [ 'row_to_json, whole rows as text' => [ 'SELECT row_to_json(p) FROM {papers} p',
            'SELECT p::text FROM {papers} p', 'SELECT json_agg(p) FROM {papers} p' ],
            on => \@three ],
        [ 'SELECT … FOR UPDATE, FOR SHARE' =>
            [ map { "SELECT id, title FROM {papers} FOR $_" } 'UPDATE', 'NO KEY UPDATE', 'SHARE',
            'KEY SHARE' ], on => \@three ],
        [ 'UPDATE of hidden rows' => [ q(UPDATE {papers} SET title = 'mine' WHERE id > 10),
            q(UPDATE {papers} SET title = 'mine' WHERE id = 21 RETURNING *) ], on => \@three ],
        [ 'UPDATE … FROM a leaking join' =>
            [ $leak, 'UPDATE {papers} p SET title = p.title FROM {papers} q WHERE pg_temp.leak(q.title) AND q.id = p.id RETURNING q.*' ], on => \@three, together => 1 ],
        [ 'DELETE of hidden rows' => [ 'DELETE FROM {papers} WHERE id > 10 RETURNING *',
            'DELETE FROM {papers} USING (VALUES (21)) v (id) WHERE v.id = papers.id RETURNING *' ],
            on => \@three ],
        [ 'MERGE' => [ q(MERGE INTO {papers} p USING (VALUES (21)) v (id) ON p.id = v.id WHEN MATCHED THEN UPDATE SET title = 'mine'), q(MERGE INTO {papers} p USING (VALUES (21)) v (id) ON p.id = v.id WHEN MATCHED THEN DELETE) ], on => \@three ],
        [ 'INSERT … ON CONFLICT DO UPDATE of a hidden row' =>
            [ q(INSERT INTO public.papers VALUES (21, '{alpha}', 'mine', 'x') ON CONFLICT (id) DO UPDATE SET title = 'mine'), q(INSERT INTO public.papers VALUES (21, '{alpha}', 'mine', 'x') ON CONFLICT (id) DO UPDATE SET project_id = '{alpha}' RETURNING *) ], refused => '42501' ],
        [ 'INSERT into somebody else\'s project' =>
            [ q(INSERT INTO public.papers VALUES (901, '{delta}', 'planted', 'x')),
            q(INSERT INTO public.papers SELECT 902, '{beta}', 'planted', 'x') ],
            refused => '42501' ],
        [ 'moving a row of one\'s own to somebody else' =>
            [ q(UPDATE public.papers SET project_id = '{delta}' WHERE id = 1) ],
            refused => '42501' ],
        [ 'moving a hidden row to oneself' =>
            [ q(UPDATE public.papers SET project_id = '{alpha}' WHERE id = 21),
            q(UPDATE public.papers SET project_id = '{alpha}'),
            q(WITH x AS (UPDATE public.papers SET project_id = '{alpha}' RETURNING *) SELECT * FROM x) ] ],
        [ 'becoming the owner of a hidden row' =>
            [ q(UPDATE public.memos SET owner_id = '{mallory}' WHERE id = '{hidden_memo}'),
            q(INSERT INTO public.memos VALUES ('{hidden_memo}', '{mallory}', 'mine') ON CONFLICT (id) DO UPDATE SET owner_id = '{mallory}') ] ],
        [ 'giving a row to somebody else\'s name' =>
            [ q(INSERT INTO public.memos VALUES ('{fresh}', '{oscar}', 'planted')) ],
            refused => '42501' ],
        [ 'TRUNCATE' => [ 'TRUNCATE {papers}', 'TRUNCATE public.memos',
            'TRUNCATE seeme.memberships', 'TRUNCATE seeme.audit_log' ], on => \@three,
            refused => '42501' ],
        [ 'LOCK TABLE of the extension\'s own' =>
            [ 'LOCK TABLE seeme.audit_log, seeme.protected_tables IN ACCESS EXCLUSIVE MODE',
            'LOCK TABLE seeme.users IN ACCESS EXCLUSIVE MODE' ], together => 1,
            refused => '42501' ],
        [ 'constraint errors that show a hidden row' =>
            [ q(UPDATE {papers} SET title = repeat('x', 200) WHERE id > 10),
            q(UPDATE {papers} SET kind = NULL WHERE id > 10),
            q(UPDATE {papers} SET id = 21 WHERE id = 1),
            q(INSERT INTO public.papers VALUES (21, '{alpha}', 'x', 'x')) ] ],
        [ 'a check constraint\'s failing row, of a row of one\'s own' =>
            [ q(UPDATE public.papers SET title = (SELECT string_agg(title, ' ') FROM public.papers) || repeat('x', 100)) ] ],
        [ 'referencing a hidden row by a foreign key' =>
            [ 'CREATE TEMP TABLE r (id int REFERENCES public.papers)',
            'INSERT INTO r VALUES (21)' ], together => 1 ],
        [ 'referencing a hidden row by a foreign key, from outside pg_temp' =>
            [ 'CREATE TABLE workshop.r (id int REFERENCES public.papers (id))' ], as => 'maker',
            refused => '42501' ],
        [ 'statistics of protected columns' =>
            [ map { "SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE tablename = '$_'" } qw(papers memos users organizations) ] ],
        [ 'the catalogs of statistics' => [ 'SELECT stavalues1 FROM pg_statistic',
            'SELECT * FROM pg_statistic_ext_data', 'SELECT * FROM pg_stats_ext',
            'SELECT * FROM pg_stats_ext_exprs' ] ],
        [ 'EXPLAIN: the plan says no hidden value' =>
            [ 'EXPLAIN (ANALYZE, VERBOSE, BUFFERS) SELECT * FROM {papers} WHERE id > 10 ORDER BY title', 'EXPLAIN (VERBOSE, SETTINGS) UPDATE {papers} SET title = title' ], on => \@three ],
        [ 'EXPLAIN estimates of a hidden value' => [],
            oracle => [ [ q(EXPLAIN SELECT id FROM public.papers WHERE kind = 'blue'),
            q(EXPLAIN SELECT id FROM public.papers WHERE kind = 'none') ] ], known => 1 ],
        [ 'EXPLAIN ANALYZE counts rows that the policy removed' => [],
            oracle => [ [ q(EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT 1 FROM public.papers WHERE kind = 'blue'), q(EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT 1 FROM public.papers WHERE kind = 'none') ] ], known => 1 ],
        [ 'unique keys of a protected table, by INSERT' => [],
            oracle => [ [ q(INSERT INTO public.papers VALUES (21, '{alpha}', 'x', 'x')),
            q(INSERT INTO public.papers VALUES (-1, '{alpha}', 'x', 'x')) ] ], known => 1,
            after => [ 'DELETE FROM public.papers WHERE id = -1' ] ],
        [ 'unique keys of a protected table, in a project that is not one\'s own' => [],
            oracle => [ [ q(INSERT INTO public.papers VALUES (21, '{delta}', 'x', 'x')),
            q(INSERT INTO public.papers VALUES (-1, '{delta}', 'x', 'x')) ] ] ],
        [ 'ON CONFLICT DO NOTHING in a project that is not one\'s own' => [],
            oracle => [ [ q(INSERT INTO public.papers VALUES (21, '{delta}', 'x', 'x') ON CONFLICT DO NOTHING), q(INSERT INTO public.papers VALUES (-1, '{delta}', 'x', 'x') ON CONFLICT DO NOTHING) ] ] ],
        [ 'a hidden row or none: SELECT, UPDATE, DELETE' => [],
            oracle => [ map { [ sprintf($_, 21),
            sprintf($_, 77) ] } 'SELECT title FROM public.papers WHERE id = %d',
            'UPDATE public.papers SET title = title WHERE id = %d',
            'DELETE FROM public.papers WHERE id = %d',
            'SELECT FROM public.papers WHERE id = %d FOR UPDATE NOWAIT' ] ],
    );
}

1;
