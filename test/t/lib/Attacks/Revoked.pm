# People whose permissions are revoked while their connection stays open, with what they had
# prepared, opened and cached. Before `mid` they may see the rows of project Alpha; after it,
# nothing.
package Attacks::Revoked;

use strict;
use warnings;

my $read = 'SELECT id, title FROM public.papers';
my $member = q(DELETE FROM seeme.memberships WHERE user_id = '{rita}');
my @again = (q(INSERT INTO seeme.memberships (organization_id, user_id) VALUES ('{acme}', '{rita}')), q(INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id) VALUES ('{acme}', '{alpha}', '{rita}', '{editor_role}')));

sub vectors {
    return map { my ($name, %is) = @$_;
        { name => $name, as => 'rita', try => [$read], then => [$read], own => '',
        forbidden => qr/open \d/,
            mid => [$member], after => \@again,
            allows => [ 'seeme.memberships', 'seeme.users', 'seeme.api_keys' ], %is } } (
        [ 'reading on after one was taken out' ],
        [ 'reading on after one was taken out, in one transaction', together => 1 ],
        [ 'reading on in REPEATABLE READ', together => 1,
            try => [ 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ', $read ], raw => 1,
            then => [ $read ] ],
        [ 'reading on in SERIALIZABLE', together => 1,
            try => [ 'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY', $read ], raw => 1 ],
        [ 'a prepared statement', try => [ 'PREPARE p AS SELECT id, title FROM public.papers',
            'EXECUTE p' ], then => [ 'EXECUTE p' ] ],
        [ 'a generic plan', try => [ 'SET plan_cache_mode = force_generic_plan',
            'PREPARE p (int) AS SELECT id, title FROM public.papers WHERE id > $1',
            ('EXECUTE p (0)') x 2 ], then => [ 'EXECUTE p (0)' ] ],
        [ 'a cursor that was open', together => 1,
            try => [ 'DECLARE c CURSOR FOR SELECT id, title FROM public.papers', 'FETCH 1 FROM c' ],
            then => [ 'FETCH ALL FROM c' ] ],
        [ 'a function with cached plans',
            try => [ 'CREATE FUNCTION pg_temp.f() RETURNS SETOF public.papers LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY SELECT * FROM public.papers; END $$', ('SELECT * FROM pg_temp.f()') x 6 ], then => [ 'SELECT * FROM pg_temp.f()' ] ],
        [ 'changing rows afterwards',
            then => [ q(UPDATE public.papers SET title = 'open 0' RETURNING title),
            'DELETE FROM public.papers RETURNING title',
            q(INSERT INTO public.papers VALUES (904, '{alpha}', 'x', 'x')) ] ],
        [ 'changing rows afterwards, with the row locked beforehand', together => 1,
            try => [ 'SELECT id, title FROM public.papers WHERE id = 1 FOR UPDATE' ],
            then => [ q(UPDATE public.papers SET title = 'open 0' WHERE id = 1 RETURNING title) ] ],
        [ 'a permission kept in a setting, a table, a function',
            try => [ $read, q{SELECT set_config('my.may', seeme_has_permission('datasets:read', project => '{alpha}')::text, false)} ], then => [ q(SELECT 'open 0' WHERE seeme_has_permission('datasets:read', project => '{alpha}')), $read ] ],
        [ 'a person who is disabled',
            mid => [ q(UPDATE seeme.users SET disabled_at = clock_timestamp() WHERE id = '{rita}') ], after => [ q(UPDATE seeme.users SET disabled_at = NULL WHERE id = '{rita}') ] ],
        [ 'a membership whose end passes', together => 1,
            mid => [ q(UPDATE seeme.memberships SET valid_until = clock_timestamp() WHERE user_id = '{rita}' AND project_id IS NULL) ], after => [ q(UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = '{rita}') ] ],
        [ 'a role that is taken away',
            mid => [ q(UPDATE seeme.memberships SET role_id = NULL WHERE user_id = '{rita}') ],
            after => [ q(UPDATE seeme.memberships SET role_id = '{editor_role}' WHERE user_id = '{rita}' AND project_id IS NOT NULL) ] ],
        [ 'a database role that is taken away',
            mid => [ q(UPDATE seeme.users SET database_role = NULL WHERE id = '{rita}') ],
            after => [ q(UPDATE seeme.users SET database_role = 'attack_rita' WHERE id = '{rita}') ] ],
        [ 'parallel workers afterwards', together => 1,
            try => [ 'SET LOCAL {parallel} = on', $read ] ],
        [ 'inviting and keys for later',
            try => [ $read, q(SELECT seeme_invite('rita@example.com', organization => '{acme}')),
            q(SELECT id FROM seeme_create_api_key('later', '{*}', organization => '{acme}')) ],
            then => [ q(SELECT seeme_create_api_key('later', '{*}', organization => '{acme}')) ,
            q(SELECT name FROM seeme.api_keys WHERE organization_id = '{acme}')],
            after => [ @again, q(DELETE FROM seeme.api_keys WHERE user_id = '{rita}') ] ],
        [ 'an API key that is deleted during the transaction', as => 'tina',
            mid => [ q(DELETE FROM seeme.api_keys WHERE user_id = '{tina}') ], after => [],
            renew => 'tina' ],
        [ 'an API key that ends during the transaction', as => 'tina',
            mid => [ q(UPDATE seeme.api_keys SET expires_at = clock_timestamp() WHERE user_id = '{tina}') ], after => [], renew => 'tina' ],
    );
}

1;
