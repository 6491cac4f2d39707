# Attacks that write the identity: every way in which SQL sets a setting. The weak schemes are
# attacked in the same ways.
package Attacks::Identity;

use strict;
use warnings;

my $usual = [qw(gateway mallory)];
my $everybody = [qw(gateway token mallory stranger)];
my @all = qw(rbac guc jwt role);
my $every_mode = 'direct session transaction statement';
my $set = q{pg_catalog.set_config('{setting}', '{forged}', true)};
my $read = 'SELECT id, title FROM {papers}';

# Each entry: name, statements; what it breaks of the weak schemes when that is not all of them;
# who tries when that is not everybody; more.
sub vectors {
    return map { my ($name, $try, %more) = @$_;
        { name => $name, try => $try, as => $usual, on => \@all, breaks => 'guc jwt role',
        together => 1, %more } } (
        [ 'SET' => [ q(SET {setting} = '{forged}') ] ],
        [ 'SET LOCAL' => [ q(SET LOCAL {setting} = '{forged}') ], weak_modes => $every_mode ],
        [ 'SET SESSION … TO' => [ q(SET SESSION {setting} TO '{forged}') ] ],
        [ 'set_config in a SELECT, for the transaction' => [ "SELECT $set" ] ],
        [ 'set_config in a SELECT, for the session' =>
            [ q{SELECT set_config('{setting}', '{forged}', false)} ] ],
        [ 'set_config in WHERE' => [ "$read WHERE $set IS NOT NULL", $read ] ],
        [ 'set_config in a CTE' =>
            [ "SELECT p.id, p.title FROM (WITH x AS MATERIALIZED (SELECT $set AS s) SELECT s FROM x) q, {papers} p" ], as => $everybody, weak_modes => $every_mode ],
        [ 'set_config in UNION' => [ "SELECT 0, $set UNION ALL $read" ] ],
        [ 'set_config in ORDER BY' => [ "$read ORDER BY $set, id" ] ],
        [ 'set_config in RETURNING' => [ "UPDATE {papers} SET title = title RETURNING $set" ],
            own_rows => 1 ],
        [ 'set_config in LIMIT' => [ "$read LIMIT (SELECT length($set))" ] ],
        [ 'set_config in FROM' =>
            [ "SELECT p.id, p.title FROM $set AS s, LATERAL (SELECT * FROM {papers} WHERE s IS NOT NULL OFFSET 0) p" ] ],
        [ 'set_config in HAVING' => [ "SELECT count(*) FROM {papers} HAVING $set IS NOT NULL",
            $read ] ],
        [ 'set_config in FILTER of an aggregate' =>
            [ "SELECT string_agg(title, ',') FILTER (WHERE $set IS NOT NULL) FROM {papers}" ] ],
        [ 'set_config in a window' =>
            [ "SELECT id, title, row_number() OVER (ORDER BY $set) FROM {papers}", $read ] ],
        [ 'set_config in VALUES' => [ "VALUES ($set)" ] ],
        [ 'set_config after role none' => [ "SELECT set_config('role', 'none', true), $set" ],
            as => $everybody, weak_modes => $every_mode ],
        [ 'set_config in EXPLAIN ANALYZE' => [ "EXPLAIN ANALYZE SELECT $set" ] ],
        [ 'set_config in a prepared statement' => [ "PREPARE forge AS SELECT $set", 'EXECUTE forge',
            'DEALLOCATE forge' ] ],
        [ 'set_config in a cursor' => [ "DECLARE forge CURSOR FOR SELECT $set", 'FETCH forge' ] ],
        [ 'set_config in CREATE TABLE AS' =>
            [ "CREATE TEMP TABLE forge ON COMMIT DROP AS SELECT $set AS s" ] ],
        [ 'set_config in the default of a column' =>
            [ "CREATE TEMP TABLE forge (a int, s text DEFAULT $set) ON COMMIT DROP",
            'INSERT INTO forge (a) VALUES (1)' ] ],
        [ 'set_config in a check constraint' =>
            [ "CREATE TEMP TABLE forge (a int CHECK ($set IS NOT NULL)) ON COMMIT DROP",
            'INSERT INTO forge VALUES (1)' ] ],
        [ 'set_config in a domain' =>
            [ "CREATE DOMAIN pg_temp.forge AS text CHECK ($set IS NOT NULL)",
            q{SELECT 'x'::pg_temp.forge}, 'DROP DOMAIN pg_temp.forge' ] ],
        [ 'set_config in a trigger' => [ 'CREATE TEMP TABLE forge (a int) ON COMMIT DROP',
            "CREATE FUNCTION pg_temp.forge() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN PERFORM $set; RETURN NEW; END \$\$",
            'CREATE TRIGGER forge BEFORE INSERT ON forge FOR EACH ROW EXECUTE FUNCTION pg_temp.forge()', 'INSERT INTO forge VALUES (1)' ] ],
        [ 'set_config in a view' => [ "CREATE TEMP VIEW forge AS SELECT $set AS s",
            'SELECT s FROM forge', 'DROP VIEW forge' ] ],
        [ 'set_config by query_to_xml' =>
            [ q{SELECT query_to_xml('SELECT set_config(''{setting}'', ''{forged}'', true)', true, true, '')} ], breaks => 'guc jwt role' ],
        [ 'set_config by ts_stat' =>
            [ q{SELECT * FROM ts_stat('SELECT to_tsvector(set_config(''{setting}'', ''{forged}'', true))')} ], breaks => 'guc jwt role' ],
        [ 'set_config in a DO block' => [ "DO \$\$ BEGIN PERFORM $set; END \$\$" ] ],
        [ 'set_config in a DO block that handles the error' =>
            [ "DO \$\$ BEGIN BEGIN PERFORM $set; EXCEPTION WHEN OTHERS THEN NULL; END; END \$\$" ] ],
        [ 'set_config in parallel workers' =>
            [ 'SET LOCAL {parallel} = on', 'SET LOCAL parallel_setup_cost = 0',
            'SET LOCAL min_parallel_table_scan_size = 0', "$read WHERE $set IS NOT NULL", $read ] ],
        [ 'set_config in a function that claims to be parallel safe' =>
            [ 'SET LOCAL {parallel} = on',
            "CREATE FUNCTION pg_temp.forge() RETURNS text LANGUAGE sql PARALLEL SAFE AS \$\$ SELECT $set \$\$", 'SELECT id, title, pg_temp.forge() FROM {papers}' ], breaks => '' ],
        [ 'the SET clause of a function' =>
            [ "CREATE FUNCTION pg_temp.forge() RETURNS SETOF text LANGUAGE sql SET {setting} = '{forged}' AS \$\$ SELECT title FROM {papers} \$\$", 'SELECT * FROM pg_temp.forge()' ], breaks => 'role' ],
        [ 'the SET clause of a SECURITY DEFINER function' =>
            [ "CREATE FUNCTION pg_temp.forge() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER SET {setting} = '{forged}' AS \$\$ SELECT title FROM {papers} \$\$", 'SELECT * FROM pg_temp.forge()' ], breaks => '' ],
        [ 'SET in a procedure' =>
            [ "CREATE PROCEDURE pg_temp.forge() LANGUAGE plpgsql AS \$\$ BEGIN SET LOCAL {setting} = '{forged}'; END \$\$", 'CALL pg_temp.forge()' ] ],
        [ 'UPDATE pg_settings' =>
            [ q{UPDATE pg_settings SET setting = '{forged}' WHERE name = '{setting}'} ],
            breaks => '' ],
        [ 'SET in a savepoint that is released' =>
            [ 'SAVEPOINT s', q(SET LOCAL {setting} = '{forged}'), 'RELEASE s' ], raw => 1 ],
        [ 'SET in a savepoint that is rolled back' =>
            [ 'SAVEPOINT s', q(SET LOCAL {setting} = '{forged}'), $read, 'ROLLBACK TO s' ],
            raw => 1 ],
        [ 'RESET, then SET' => [ 'RESET {setting}', q(SET {setting} = '{forged}') ] ],
        [ 'RESET ALL, then SET' => [ 'RESET ALL', q(SET {setting} = '{forged}') ] ],
        [ 'SET … TO DEFAULT, then SET LOCAL' =>
            [ 'SET {setting} TO DEFAULT', q(SET LOCAL {setting} = '{forged}') ] ],
        [ 'SET … FROM CURRENT' =>
            [ "CREATE FUNCTION pg_temp.forge() RETURNS SETOF text LANGUAGE sql SET {setting} FROM CURRENT AS \$\$ SELECT title FROM {papers} \$\$", q(SET LOCAL {setting} = '{forged}'), 'SELECT * FROM pg_temp.forge()' ] ],
        [ 'other spellings of the setting' =>
            [ map { "SELECT set_config('$_', '{forged}', true)" } 'SEEME_RBAC.USER_ID',
            'Seeme_Rbac.User_Id', 'seeme_rbac.user_id ', ' seeme_rbac.user_id', 'seeme_rbac.user',
            'seeme.user_id', 'seeme_rbac.identity',
            "seeme_rbac.user\x{5f}id", 'seeme_rbac..user_id', 'seeme_rbac.user_id.x' ], on => [],
            breaks => '' ],
        [ 'letters that look like those of the setting' =>
            [ map { "SELECT set_config(U&'$_', '{forged}', true)" } 'seeme_rbac.user\ff3fid',
            'seem\0435_rbac.user_id', 'seeme_rbac.us\212fr_id', 'seeme_rbac.user_\0131d',
            '\ff53eeme_rbac.user_id', 'seeme_rbac\2024user_id' ], on => [], breaks => '' ],
        [ 'other spellings of an id' =>
            [ map { "SELECT set_config('seeme_rbac.user_id', $_, true)" } q{upper('{oscar}')},
            q{'{' || '{oscar}' || '}'}, q{replace('{oscar}', '-', '')}, q{'{mallory},{oscar}'},
            q{'{mallory}/{oscar}'}, q{'{oscar}/{key_id_oscar}'}, q{' {oscar}'}, q{NULL}, q{''} ],
            on => [], breaks => '' ],
        [ 'a placeholder made before the library is loaded' => [ $read ],
            first => [ q(SET {setting} = '{forged}') ], weak_modes => 'transaction', together => 0,
            denial => 1, as => $everybody ],
        [ 'a placeholder made before the library is loaded, by set_config' => [ $read ],
            first => [ q{SELECT set_config('{setting}', '{forged}', false)} ],
            weak_modes => 'transaction', together => 0, denial => 1, as => $everybody ],
        [ 'a start-up option' => [ $read ], options => '-c {setting}={forged}', as => $everybody,
            on => [], breaks => '', together => 0 ],
        [ 'a start-up option with --' => [ $read ], options => '--{setting}={forged}', on => [],
            breaks => '', together => 0 ],
        [ 'the start-up option role' => [ $read ], options => '-c role=attack_oscar', on => [],
            breaks => '', together => 0 ],
        [ 'ALTER ROLE … SET' => [ q(ALTER ROLE CURRENT_USER SET {setting} = '{forged}'), $read ],
            on => [], breaks => '' ],
        [ 'ALTER ROLE … SET before the library is loaded' => [ $read ],
            first => [ q(ALTER ROLE CURRENT_USER SET {setting} = '{forged}') ], on => [],
            breaks => '', together => 0, tidy => 1 ],
        [ 'ALTER ROLE … IN DATABASE … SET' =>
            [ q(ALTER ROLE CURRENT_USER IN DATABASE attacks SET {setting} = '{forged}'), $read ],
            on => [], breaks => '' ],
        [ 'ALTER DATABASE … SET' => [ q(ALTER DATABASE attacks SET {setting} = '{forged}') ],
            on => [], breaks => '', refused => '42501' ],
        [ 'ALTER SYSTEM SET' => [ q(ALTER SYSTEM SET {setting} = '{forged}') ], on => [],
            breaks => '', together => 0, refused => '42501 25001' ],
        [ 'GRANT SET ON PARAMETER, by a careless administrator' =>
            [ q(SET LOCAL {setting} = '{forged}'), "SELECT $set" ], as => [qw(gateway token)],
            on => [], breaks => '', refused => '42501',
            before => [ 'GRANT SET ON PARAMETER seeme_rbac.user_id TO attack_app' ],
            after => [ 'REVOKE SET ON PARAMETER seeme_rbac.user_id FROM attack_app' ] ],
        [ 'SET ROLE to the victim' => [ 'SET ROLE attack_oscar' ], on => [], breaks => '',
            refused => '42501' ],
        [ 'SET ROLE to the victim, by a member of the victim\'s role' =>
            [ 'SET ROLE attack_oscar', $read ], on => [], breaks => '',
            before => [ 'GRANT attack_oscar TO attack_gateway, attack_door, attack_mallory, attack_stranger' ], after => [ 'REVOKE attack_oscar FROM attack_gateway, attack_door, attack_mallory, attack_stranger' ] ],
        [ 'SET ROLE to the gateway, by a member of the gateway\'s role' =>
            [ 'SET ROLE attack_gateway', q(SELECT public.seeme_assume('{oscar}')) ],
            as => [qw(token mallory stranger)], on => [], breaks => '', refused => '42501',
            before => [ 'GRANT attack_gateway TO attack_door, attack_mallory, attack_stranger' ],
            after => [ 'REVOKE attack_gateway FROM attack_door, attack_mallory, attack_stranger' ] ],
        [ 'RESET ROLE, SET ROLE NONE' => [ 'SET ROLE attack_app', 'RESET ROLE', $read,
            'SET ROLE NONE', $read ], on => [qw(guc jwt role)], breaks => '' ],
        [ 'SET SESSION AUTHORIZATION' => [ 'SET SESSION AUTHORIZATION attack_oscar' ], on => [],
            breaks => '', refused => '42501' ],
        [ 'SET SESSION AUTHORIZATION by set_config' =>
            [ q{SELECT set_config('session_authorization', 'attack_oscar', true), 'x'} ], on => [],
            breaks => '', refused => '42501' ],
        [ 'DISCARD ALL' => [ 'DISCARD ALL', $read ], on => [], breaks => '', together => 0 ],
        [ 'the current organization is somebody else\'s' =>
            [ q(SET LOCAL seeme_rbac.current_organization = '{globex}'),
            'SELECT seeme_current_user_context()',
            q(SELECT seeme_has_permission('datasets:read', organization => '{globex}')), $read ],
            on => [], breaks => '' ],
    );
}

1;
