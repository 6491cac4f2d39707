# Being somebody by the extension's own doors: seeme_assume, seeme_login, and what lies behind them.
package Attacks::Assume;

use strict;
use warnings;

my @regrant = ('REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA seeme FROM attack_app', q{SELECT public.seeme_grant_usage('attack_app')});
my $read = 'SELECT id, title FROM public.papers';
my $assume = q(SELECT public.seeme_assume('{oscar}'));
my $login = q(SELECT public.seeme_login('{key_oscar}'));

sub vectors {
    return map { my ($name, $as, $try, %more) = @$_; { name => $name, as => $as, try => $try, %more } } (
        # Injected SQL in a transaction that speaks for somebody already
        [ 'seeme_assume a second time' => 'gateway', [$assume], refused => '28000' ],
        [ 'seeme_assume in a CTE' => 'gateway', [ q(WITH x AS MATERIALIZED (SELECT public.seeme_assume('{oscar}') AS s) SELECT p.id, p.title FROM x, public.papers p) ], refused => '28000' ],
        [ 'seeme_assume after a savepoint is rolled back' => 'gateway', [ 'SAVEPOINT s', $assume, 'ROLLBACK TO s', $assume ], raw => 1, refused => '28000 25P01 25P02 3B001' ],
        [ 'seeme_assume in a DO block that handles the error' => 'gateway', [ "DO \$\$ BEGIN PERFORM public.seeme_assume('{oscar}'); EXCEPTION WHEN OTHERS THEN NULL; END \$\$", $read ] ],
        [ 'seeme_assume after RESET of the setting' => 'gateway', [ 'RESET seeme_rbac.user_id', $assume ], refused => '28000' ],
        [ 'seeme_assume after RESET ALL' => 'gateway', [ 'RESET ALL', $assume ], refused => '28000' ],
        [ 'seeme_assume after SET TO DEFAULT' => 'gateway', [ 'SET LOCAL seeme_rbac.user_id TO DEFAULT', $assume ], refused => '28000' ],
        [ 'seeme_assume after set_config to nothing' => 'gateway', [ q{SELECT set_config('seeme_rbac.user_id', NULL, true)}, q{SELECT set_config('seeme_rbac.user_id', '', true)}, $assume ], refused => '28000' ],
        [ 'seeme_assume after the person\'s identity is undone with a savepoint' => 'gateway', [ $assume ],
            first => [ 'BEGIN', 'SAVEPOINT s', q(SELECT public.seeme_assume('{mallory}')), 'ROLLBACK TO s' ], refused => '28000', raw => 1 ],
        [ 'seeme_assume in a prepared statement' => 'gateway', [ 'PREPARE a (uuid) AS SELECT public.seeme_assume($1)', q(EXECUTE a ('{oscar}')) ], refused => '28000 26000' ],
        [ 'seeme_assume in a cursor' => 'gateway', [ q(DECLARE a CURSOR FOR SELECT public.seeme_assume('{oscar}'), title FROM public.papers), 'FETCH ALL FROM a' ], refused => '28000 34000' ],
        [ 'seeme_assume of null' => 'gateway', [ 'SELECT public.seeme_assume(NULL)' ], refused => '22004' ],
        [ 'seeme_assume of text, of an array' => 'gateway', [ q(SELECT public.seeme_assume(ARRAY['{oscar}']::uuid[])), q(SELECT public.seeme_assume('{oscar}'::text)) ], refused => '42883' ],
        [ 'seeme_assume in parallel workers' => 'gateway', [ 'SET LOCAL {parallel} = on', q(SELECT public.seeme_assume('{oscar}'), title FROM public.papers) ], refused => '28000' ],
        [ 'seeme_login over an assumed person' => 'gateway', [$login], refused => '28000' ],
        [ 'seeme_assume by query_to_xml' => 'gateway', [ q{SELECT query_to_xml('SELECT public.seeme_assume(''{oscar}''), title FROM public.papers', true, true, '')} ], refused => '28000' ],
        [ 'SET ROLE, then seeme_assume' => 'gateway', [ 'SET ROLE attack_app', 'RESET ROLE', $assume ], refused => '28000' ],
        [ 'seeme_assume by a SECURITY DEFINER function' => 'gateway', [ q(SELECT workshop.assume('{oscar}')) ], refused => '28000 42501',
            before => [ 'CREATE FUNCTION workshop.assume(uuid) RETURNS uuid LANGUAGE sql SECURITY DEFINER AS $$ SELECT public.seeme_assume($1) $$' ], after => [ 'DROP FUNCTION workshop.assume(uuid)' ] ],
        [ 'seeme_assume by a SECURITY DEFINER function before anybody is identified' => 'gateway', [ q(SELECT workshop.assume('{oscar}')) ], refused => '42501', first => [ q(SELECT workshop.assume('{oscar}')) ],
            before => [ 'CREATE FUNCTION workshop.assume(uuid) RETURNS uuid LANGUAGE sql SECURITY DEFINER AS $$ SELECT public.seeme_assume($1) $$' ], after => [ 'DROP FUNCTION workshop.assume(uuid)' ] ],
        [ "PREPARE TRANSACTION" => "gateway", [ $read, q{PREPARE TRANSACTION 'attack'} ], raw => 1 ],

        # Roles that may assume nobody, in as many transactions as they like
        [ 'seeme_assume without being granted it' => [qw(token mallory stranger maker)], [$assume], refused => '42501' ],
        [ 'seeme_assume granted to PUBLIC by mistake' => [qw(token mallory stranger)], [$assume], refused => '42501',
            before => [ 'GRANT EXECUTE ON FUNCTION public.seeme_assume(uuid) TO PUBLIC' ], after => [ 'REVOKE EXECUTE ON FUNCTION public.seeme_assume(uuid) FROM PUBLIC' ] ],
        [ 'seeme_assume granted to a role that one is a member of' => [qw(token mallory stranger)], [$assume], refused => '42501',
            before => [ 'GRANT EXECUTE ON FUNCTION public.seeme_assume(uuid) TO attack_app' ], after => [ 'REVOKE EXECUTE ON FUNCTION public.seeme_assume(uuid) FROM attack_app' ] ],
        [ 'seeme_assume by the gateway\'s SECURITY DEFINER function' => [qw(token mallory stranger)], [ q(SELECT workshop.assume('{oscar}')) ], refused => '42501',
            before => [ 'CREATE FUNCTION workshop.assume(uuid) RETURNS uuid LANGUAGE sql SECURITY DEFINER AS $$ SELECT public.seeme_assume($1) $$', 'ALTER FUNCTION workshop.assume(uuid) OWNER TO attack_gateway' ],
            after => [ 'DROP FUNCTION workshop.assume(uuid)' ] ],
        [ 'logging in again after the transaction' => 'token', [ 'COMMIT', 'BEGIN', $read, q(SELECT public.seeme_user_id()), $assume ], raw => 1 ],
        [ 'COMMIT AND CHAIN' => 'token', [ 'COMMIT AND CHAIN', $read, $assume ], raw => 1 ],
        [ 'ROLLBACK AND CHAIN' => 'token', [ 'ROLLBACK AND CHAIN', $read, $assume ], raw => 1 ],
        [ 'a second key in one transaction' => 'token', [ q(SELECT public.seeme_login('{key_mona}')) ], refused => '28000' ],
        [ 'a wider key after a narrow one' => 'narrow', [ $read, q(SELECT public.seeme_login('{key_mallory}')) ], refused => '28000' ],
        [ 'what a narrow key does not reach' => 'narrow', [ $read, q(SELECT seeme_has_permission('datasets:read', project => '{alpha}') AS t), q(SELECT key FROM seeme_create_api_key('wide', '{*}')),
            q(UPDATE public.papers SET title = 'changed'), q(INSERT INTO public.papers VALUES (-2, '{alpha}', 'x', 'x')) ], refused => '42501' ],
        [ 'guessing keys' => [qw(stranger mallory)], [ (map { "SELECT public.seeme_login('$_')" } '', 'seeme_key_', 'seeme_key_%', 'seeme_key_' . '0' x 64, '{key_id_oscar}', '{oscar}'), q{SELECT public.seeme_login(NULL)} ], refused => '28000' ],
        [ 'a key with something around it' => 'stranger', [ map { "SELECT public.seeme_login($_)" } q(' {key_oscar}'), q('{key_oscar} '), q(upper('{key_oscar}')), q('{key_oscar}' || chr(10)), q(left('{key_oscar}', -1)) ], refused => '28000' ],
        [ 'telling an unknown key from one that is expired or revoked' => 'stranger', [],
            before => [ q(UPDATE seeme.api_keys SET expires_at = '2020-01-01' WHERE id = '{key_id_oscar}') ], after => [ q(UPDATE seeme.api_keys SET expires_at = NULL WHERE id = '{key_id_oscar}') ],
            oracle => [ [ $login, q(SELECT public.seeme_login('seeme_key_0000')) ] ] ],
        [ 'a forged token' => [qw(stranger mallory maker)], [ map { "SELECT public.seeme_login('{jwt_$_}')" } qw(none none_kid guessed own_key swapped) ], refused => '28000', each => 1 ],
        [ 'the victim\'s token, after its time or for another audience' => [qw(stranger mallory)], [ map { "SELECT public.seeme_login('{jwt_$_}')" } qw(expired elsewhere) ], refused => '28000', each => 1 ],
        [ 'somebody else\'s token after one\'s own key' => 'token', [ q(SELECT public.seeme_login('{jwt_mona}')) ], refused => '28000' ],
        [ 'a whole token after a key that reaches less' => 'narrow', [ $read, q(SELECT public.seeme_login('{jwt_mallory}')) ], refused => '28000' ],
        [ 'a login for the whole session' => [qw(token stranger)], [ q(SET seeme_rbac.session_login = on), q(SELECT set_config('seeme_rbac.session_login', 'on', false)), q(SELECT public.seeme_login('{jwt_mona}', true)) ], refused => '42501' ],
        [ 'seeme.login_by_token' => [qw(gateway stranger maker)], [ q(SELECT seeme.login_by_token('{jwt_mona}', false)) ], refused => '42501' ],
        [ 'adding a key of one\'s own' => [qw(gateway stranger maker)], [ q(INSERT INTO seeme.token_keys (issuer, audience, algorithm, jwk) VALUES ('x', 'x', 'HS256', '{"kty":"oct","k":"eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg"}')),
            q{SELECT public.seeme_import_jwks('{"keys":[]}', 'x', 'x')}, q(SELECT jwk FROM seeme.token_keys), q(INSERT INTO seeme.external_identities VALUES ('x', 'x', '{oscar}')) ], refused => '42501', each => 1 ],
        [ 'claims that were not asked for' => [qw(gateway stranger)], [ q(SELECT set_config('request.jwt.claims', '{"sub":"{oscar}"}', true)), q(SET seeme_rbac.trust_request_claims = on), $read ] ],
        [ 'telling an unknown subject from a bad signature' => 'stranger', [], oracle => [ [ q(SELECT public.seeme_login('{jwt_guessed}')), q(SELECT public.seeme_login('a.b.c')) ] ] ],
        [ 'telling who may be assumed' => [qw(token mallory stranger)], [], oracle => [ [ $assume, q(SELECT public.seeme_assume('{fresh}')) ] ] ],
        [ 'telling who may be assumed, as the gateway of somebody else' => 'gateway', [], oracle => [ [ $assume, q(SELECT public.seeme_assume('{fresh}')) ] ] ],
        [ 'seeme.login_by_key' => [qw(gateway token mallory stranger maker)], [ q(SELECT seeme.login_by_key('{oscar}', '{key_id_oscar}', false)) ], refused => '42501' ],
        [ 'seeme.login_by_key, granted by mistake' => [qw(gateway stranger maker)], [ q(SELECT seeme.login_by_key('{oscar}', '{key_id_oscar}', false)) ], refused => '42501',
            before => [ 'GRANT EXECUTE ON FUNCTION seeme.login_by_key(uuid, uuid, boolean) TO attack_app' ], after => [ 'REVOKE EXECUTE ON FUNCTION seeme.login_by_key(uuid, uuid, boolean) FROM attack_app' ] ],
        [ 'seeme.every_row and seeme.text_of_row' => [qw(gateway mallory maker)], [ q(SELECT seeme.every_row('public.memos', 'id', '{hidden_memo}', 'true')), q(SELECT seeme.text_of_row('public.memos', 'id', '{hidden_memo}', 'body')) ], refused => '42501' ],
        [ 'seeme.every_row and seeme.text_of_row, granted by mistake' => [qw(mallory maker)], [ q(SELECT seeme.every_row('public.memos', 'id', '{hidden_memo}', 'true')), q(SELECT seeme.text_of_row('public.memos', 'id', '{hidden_memo}', 'body')) ], refused => '42501',
            before => [ 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA seeme TO attack_app' ], after => \@regrant ],
        [ 'the extension\'s internal functions, all granted by mistake' => [qw(mallory gateway)], [ map { "SELECT seeme.$_" } q(close_tables_below('public.papers')), q(create_write_policy('public.papers', 'UPDATE', 'true')), q(set_grants('attack_mallory')),
            q(note_key_use('{key_id_oscar}')), q(is_in_table('model', '{hidden_memo}')), q(name_of_resource('model', '{hidden_memo}')), q(require_acceptable(NULL)) ], allows => [ 'seeme.api_keys' ],
            before => [ 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA seeme TO attack_app' ], after => \@regrant ],
        [ 'the extension\'s internal functions' => [qw(gateway mallory stranger)], [ map { "SELECT seeme.$_" } q(missing_permissions('{*}', NULL, '{globex}')), q(was_released('model', '{hidden_memo}')), q(is_assigned('model', '{hidden_memo}')),
            q(is_retired('{globex}')), q(has_memberships('{globex}', '{oscar}')), q(missing_below('{globex}', '{oscar}')), q(could_invite('{oscar}', NULL, NULL, '{globex}', NULL, NULL, false)), q(membership_in('{globex}', '{oscar}')), q(why_key_is_silent('{key_id_oscar}')), q(email_for('organizations:read')), q(end_invitations('{}')), q(note_key_use('{key_id_oscar}')), q(random_token('x')),
            q(check_code('x')), q(set_grants('attack_mallory')), q(create_write_policy('public.papers', 'UPDATE', 'true')), q(close_tables_below('public.papers')) ], refused => '42501', each => 1 ],
        [ 'the administrator\'s functions' => [qw(gateway mallory maker)], [ q(SELECT public.seeme_grant_usage('attack_stranger')), q(SELECT public.seeme_grant_provisioning('attack_mallory')), q(SELECT public.seeme_protect('public.memos', 'models', owner_column => 'owner_id')),
            q(SELECT public.seeme_unprotect('public.papers')) ], refused => '42501' ],
        [ 'LOAD the library' => [qw(gateway mallory maker)], [ q(LOAD 'seeme_rbac'), q(LOAD '$libdir/seeme_rbac') ], refused => '42501' ],
        [ 'another SQL function on the library\'s symbols' => [qw(mallory maker)], [ map { "CREATE FUNCTION pg_temp.door(uuid, uuid) RETURNS void LANGUAGE $_ AS 'seeme_rbac', 'seeme.login_by_key'" } qw(c internal) ], refused => '42501' ],
        [ 'a database role that bears the name of somebody\'s' => 'maker', [ 'ALTER ROLE attack_maker RENAME TO attack_victim', 'CREATE ROLE attack_helper LOGIN' ], refused => '42501' ],
    );
}

1;
