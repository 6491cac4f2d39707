# Attacks by objects that the attacker makes, and attacks on the objects of the extension and of
# other people.
package Attacks::Objects;

use strict;
use warnings;

my $path = 'SET search_path = workshop, pg_temp, pg_catalog, public';
my $body = 'LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE \'%\', $1; RETURN true; END $$';

sub vectors {
    return map { my ($name, $try, %more) = @$_;
        { name => $name, as => 'maker', try => $try, %more } } (
        # Shadowing
        [ 'uuid = uuid of one\'s own' =>
            [ 'CREATE FUNCTION workshop.same(uuid, uuid) RETURNS boolean LANGUAGE sql IMMUTABLE AS \'SELECT true\'', 'CREATE OPERATOR workshop.= (FUNCTION = workshop.same, LEFTARG = uuid, RIGHTARG = uuid)', $path,
            'SELECT id, title FROM public.papers', 'SELECT body FROM public.memos',
            'SELECT name FROM seeme.organizations',
            q(INSERT INTO public.papers VALUES (903, '{delta}', 'planted', 'x')) ],
            refused => '42501' ],
        [ 'text = text of one\'s own' =>
            [ 'CREATE FUNCTION workshop.same(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS \'SELECT true\'', 'CREATE OPERATOR workshop.= (FUNCTION = workshop.same, LEFTARG = text, RIGHTARG = text)', $path,
            q(SELECT public.seeme_login('seeme_key_guess')) ], refused => '28000' ],
        [ 'a seeme_has_permission of one\'s own' =>
            [ 'CREATE FUNCTION workshop.seeme_has_permission(permission text, organization uuid = NULL, team uuid = NULL, project uuid = NULL, resource uuid = NULL, resource_type text = NULL) RETURNS boolean LANGUAGE sql AS \'SELECT true\'', $path,
            'SELECT id, title FROM public.papers',
            q(UPDATE public.papers SET title = 'mine' WHERE id > 10) ] ],
        [ 'a pg_temp.seeme_has_permission, pg_temp.seeme_user_id' =>
            [ 'CREATE FUNCTION pg_temp.seeme_has_permission(permission text, organization uuid = NULL, team uuid = NULL, project uuid = NULL, resource uuid = NULL, resource_type text = NULL) RETURNS boolean LANGUAGE sql AS \'SELECT true\'',
            'CREATE FUNCTION pg_temp.seeme_user_id() RETURNS uuid LANGUAGE sql AS $$ SELECT \'{oscar}\'::uuid $$', 'SET search_path = pg_temp, public', 'SELECT id, title FROM public.papers', 'SELECT body FROM public.memos', 'SELECT seeme_current_user_context()' ], as => [qw(maker gateway)], together => 1 ],
        [ 'functions of pg_catalog\'s names' =>
            [ (map {
                "CREATE FUNCTION workshop.$_ LANGUAGE sql AS 'SELECT true'" } 'row_security_active(oid) RETURNS boolean', 'row_security_active(text) RETURNS boolean', 'has_table_privilege(text, text) RETURNS boolean'), $path,
            q(DELETE FROM public.papers WHERE id = 21), q(SELECT seeme.provisions_users()),
            'SELECT username FROM seeme.users' ] ],
        [ 'an overload that fits better' =>
            [ 'CREATE FUNCTION public.seeme_has_permission(permission text, project uuid) RETURNS boolean LANGUAGE sql AS \'SELECT true\'', 'SELECT id, title FROM public.papers' ] ],
        [ 'replacing the extension\'s functions' =>
            [ 'CREATE OR REPLACE FUNCTION public.seeme_user_id() RETURNS uuid LANGUAGE sql AS $$ SELECT \'{oscar}\'::uuid $$', 'ALTER FUNCTION public.seeme_user_id() OWNER TO CURRENT_USER', 'ALTER FUNCTION public.seeme_has_permission COST 1', 'DROP FUNCTION public.seeme_user_id() CASCADE', 'ALTER FUNCTION public.seeme_login(text) SET search_path = workshop' ], refused => '42501', each => 1 ],
        [ 'a cast of one\'s own' =>
            [ 'CREATE FUNCTION workshop.u(text) RETURNS uuid LANGUAGE sql AS $$ SELECT \'{oscar}\'::uuid $$', 'CREATE CAST (text AS uuid) WITH FUNCTION workshop.u(text) AS IMPLICIT' ], refused => '42501' ],
        [ 'a table that looks like the extension\'s' =>
            [ 'CREATE TABLE workshop.memberships AS SELECT * FROM seeme.memberships',
            'CREATE TEMP TABLE memberships AS SELECT * FROM workshop.memberships',
            'SET search_path = pg_temp, workshop, seeme, public',
            q(INSERT INTO memberships (organization_id, user_id, role_id) VALUES ('{globex}', '{mona}', '{admin_role}')), 'SELECT id, title FROM public.papers' ] ],
        [ 'something in the schema seeme' => [ 'CREATE TABLE seeme.mine (a int)',
            'CREATE FUNCTION seeme.mine() RETURNS int LANGUAGE sql AS \'SELECT 1\'',
            'CREATE VIEW seeme.mine AS SELECT 1', 'ALTER SCHEMA seeme OWNER TO CURRENT_USER',
            'DROP SCHEMA seeme CASCADE' ], refused => '42501', each => 1 ],

        # Other people's tables
        [ 'CREATE POLICY, ALTER TABLE on a protected table' =>
            [ 'CREATE POLICY mine ON public.papers USING (true)',
            'ALTER POLICY seeme_select ON public.papers USING (true)',
            'DROP POLICY seeme_select ON public.papers',
            'ALTER TABLE public.papers DISABLE ROW LEVEL SECURITY',
            'ALTER TABLE public.papers NO FORCE ROW LEVEL SECURITY',
            'ALTER TABLE public.papers OWNER TO CURRENT_USER',
            'ALTER TABLE public.papers DISABLE TRIGGER ALL',
            'ALTER TABLE seeme.users DISABLE TRIGGER ALL',
            'CREATE POLICY mine ON seeme.users USING (true)' ], refused => '42501', each => 1,
            as => [qw(maker gateway)] ],
        [ 'CREATE TRIGGER, RULE, INDEX, STATISTICS on somebody else\'s table' =>
            [ 'CREATE FUNCTION workshop.t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$', 'CREATE TRIGGER t AFTER INSERT ON public.papers FOR EACH ROW EXECUTE FUNCTION workshop.t()', 'CREATE TRIGGER t AFTER INSERT ON seeme.memberships FOR EACH ROW EXECUTE FUNCTION workshop.t()',
            'CREATE RULE r AS ON SELECT TO public.papers DO INSTEAD SELECT 1',
            'CREATE INDEX ON public.papers ((length(title)))',
            'CREATE STATISTICS workshop.s ON id, title FROM public.papers', 'ANALYZE public.papers',
            'CREATE INDEX ON seeme.users (email)' ] ],
        [ 'triggers on the extension\'s tables, TRIGGER granted by mistake' =>
            [ 'CREATE FUNCTION workshop.t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE \'%\', NEW; RETURN NEW; END $$', 'CREATE TRIGGER t AFTER INSERT ON seeme.memberships FOR EACH ROW EXECUTE FUNCTION workshop.t()' ], refused => '42501',
            before => [ 'GRANT TRIGGER ON seeme.memberships TO attack_maker' ] ],
        [ 'a converting foreign key to the extension\'s tables, REFERENCES granted by mistake' =>
            [ 'CREATE TABLE workshop.r (id text)',
            'ALTER TABLE workshop.r ADD FOREIGN KEY (id) REFERENCES seeme.users (id)' ],
            refused => '42804 42501',
            before => [ 'GRANT REFERENCES ON seeme.users TO attack_maker' ] ],
        [ 'inheriting from a protected table' =>
            [ 'CREATE TABLE workshop.child () INHERITS (public.papers)' ], refused => '42501' ],
        [ 'attaching a partition, being inherited' =>
            [ 'CREATE TABLE workshop.parent (id int, project_id uuid NOT NULL, title text NOT NULL, kind text NOT NULL)', 'ALTER TABLE public.papers INHERIT workshop.parent', 'SELECT title FROM workshop.parent' ] ],
        [ 'a view, given to others' => [ 'CREATE VIEW workshop.v AS SELECT * FROM public.papers',
            'GRANT SELECT ON workshop.v TO PUBLIC', 'SELECT * FROM workshop.v' ] ],
        [ 'a view with a leaking function and without a barrier' =>
            [ "CREATE FUNCTION workshop.leak(text) RETURNS boolean COST 0.0000001 $body",
            'CREATE VIEW workshop.v WITH (security_barrier = false) AS SELECT * FROM public.papers',
            'SELECT id FROM workshop.v WHERE workshop.leak(title)' ] ],
        [ 'a materialized view' =>
            [ 'CREATE MATERIALIZED VIEW workshop.m AS SELECT * FROM public.papers',
            'SELECT * FROM workshop.m', 'REFRESH MATERIALIZED VIEW workshop.m',
            'SELECT * FROM workshop.m',
            'CREATE MATERIALIZED VIEW workshop.u AS SELECT * FROM seeme.users',
            'SELECT * FROM workshop.u' ] ],
        [ 'a rule on a table of one\'s own' => [ 'CREATE TABLE workshop.w (a int)',
            'CREATE RULE r AS ON INSERT TO workshop.w DO ALSO UPDATE public.papers SET title = \'mine\' WHERE id > 10', 'INSERT INTO workshop.w VALUES (1)', 'CREATE RULE s AS ON UPDATE TO workshop.w DO INSTEAD SELECT * FROM public.papers', 'UPDATE workshop.w SET a = 2' ] ],
        [ 'SECURITY DEFINER functions of one\'s own' =>
            [ 'CREATE FUNCTION workshop.d() RETURNS SETOF public.papers LANGUAGE sql SECURITY DEFINER AS \'SELECT * FROM public.papers\'', 'SELECT * FROM workshop.d()', 'ALTER FUNCTION workshop.d() OWNER TO attack_oscar', 'ALTER FUNCTION workshop.d() OWNER TO postgres' ], refused => '42501' ],
        [ 'somebody else\'s SECURITY DEFINER function shows whose rows' =>
            [ 'SELECT * FROM workshop.of_oscar()' ], as => [qw(mallory gateway stranger)],
            before =>
                [ 'CREATE FUNCTION workshop.of_oscar() RETURNS SETOF public.papers LANGUAGE sql SECURITY DEFINER AS \'SELECT * FROM public.papers\'', 'ALTER FUNCTION workshop.of_oscar() OWNER TO attack_oscar' ], after => [ 'DROP FUNCTION workshop.of_oscar()' ] ],
        [ 'event triggers' =>
            [ 'CREATE FUNCTION workshop.e() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$', 'CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION workshop.e()', 'ALTER EVENT TRIGGER seeme_guard_own_tables DISABLE', 'DROP EVENT TRIGGER seeme_guard_own_tables' ], refused => '42501' ],
        [ 'ALTER DEFAULT PRIVILEGES' =>
            [ 'ALTER DEFAULT PRIVILEGES FOR ROLE postgres GRANT ALL ON TABLES TO PUBLIC',
            'ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA seeme GRANT ALL ON TABLES TO PUBLIC', 'ALTER DEFAULT PRIVILEGES FOR ROLE attack_gateway GRANT ALL ON FUNCTIONS TO PUBLIC' ], refused => '42501', each => 1 ],
        [ 'GRANT of what one was granted' => [ 'GRANT SELECT ON public.papers TO PUBLIC',
            'GRANT attack_app TO attack_oscar', 'GRANT attack_gateway TO CURRENT_USER',
            'GRANT EXECUTE ON FUNCTION public.seeme_assume(uuid) TO CURRENT_USER',
            'GRANT ALL ON seeme.users TO CURRENT_USER' ] ],
        [ 'the extension\'s trigger functions on a table of one\'s own' =>
            [ 'CREATE TABLE workshop.memberships (LIKE seeme.memberships)',
            map { "CREATE TRIGGER t BEFORE INSERT ON workshop.memberships FOR EACH ROW EXECUTE FUNCTION seeme.$_()" } qw(enforce_membership_rules skip_restored_foreign_keys write_audit_log seat_owner seat_creator follow_resource) ], refused => '42501' ],
        [ 'the extension\'s trigger functions on a table of one\'s own, granted by mistake' =>
            [ 'CREATE TABLE workshop.memberships (LIKE seeme.memberships)',
            (map { "CREATE TRIGGER $_ BEFORE INSERT ON workshop.memberships FOR EACH ROW EXECUTE FUNCTION seeme.$_()" } qw(skip_restored_foreign_keys remove_lower_memberships)),
            q(INSERT INTO workshop.memberships (organization_id, user_id) VALUES ('{globex}', '{oscar}')), 'SET row_security = off', q(INSERT INTO workshop.memberships (organization_id, user_id) VALUES ('{globex}', '{oscar}')) ],
            before => [ 'GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA seeme TO attack_app' ],
            after => [ 'REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA seeme FROM attack_app',
            q(SELECT public.seeme_grant_usage('attack_app')) ] ],

        # The owner of tables, of which one is protected
        [ 'the owner of a protected table looks at other tables' =>
            [ 'SELECT id, title FROM public.papers',
            'CREATE POLICY more ON workshop.ledger USING (EXISTS (SELECT FROM public.papers p WHERE p.id = 21))', q(SELECT * FROM workshop.ledger, public.papers WHERE papers.id > 10), 'SELECT * FROM seeme.protected_tables' ], before => [ ledger() ] ],
        [ 'the owner of a protected table has the administrator run code of theirs' =>
            [ 'CREATE FUNCTION workshop.grab(uuid) RETURNS uuid LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN EXECUTE \'ALTER ROLE attack_maker SUPERUSER\'; RETURN $1; EXCEPTION WHEN insufficient_privilege OR OTHERS THEN RETURN $1; END $$',
            'CREATE INDEX ON workshop.ledger (workshop.grab(id))',
            'ALTER TABLE workshop.ledger ADD CHECK (workshop.grab(id) IS NOT NULL)' ],
            before => [ ledger() ],
            mid => [ 'ANALYZE workshop.ledger', 'VACUUM workshop.ledger',
            'REINDEX TABLE workshop.ledger',
            q(UPDATE seeme.project_resources SET resource_name = 'x' WHERE false),
            q(DELETE FROM workshop.ledger WHERE id = '99999999-0000-4000-8000-0000000000aa') ],
            then => [ 'SELECT id, title FROM public.papers' ] ],
        [ 'a protected table that the owner swaps for another' =>
            [ 'ALTER TABLE workshop.ledger RENAME TO ledger_old',
            'CREATE VIEW workshop.ledger AS SELECT * FROM public.memos',
            'SELECT * FROM workshop.ledger',
            q(INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES ('{alpha}', 'model', '{hidden_memo}')) ], before => [ ledger() ], allows => [ 'seeme.protected_tables' ] ],
        [ 'a row of one\'s own table under the id of a hidden row' =>
            [ q(INSERT INTO workshop.ledger VALUES ('{hidden_memo}', '{mona}')),
            q(INSERT INTO seeme.project_resources (project_id, resource_type, resource_id) VALUES ('{alpha}', 'model', '{hidden_memo}')), 'SELECT body FROM public.memos' ], before => [ ledger() ], allows => [ 'seeme.released_resources' ] ],
        [ 'an unprotected table with a trigger that others fire' =>
            [ 'CREATE TABLE workshop.bait (a int)', 'GRANT INSERT ON workshop.bait TO PUBLIC',
            'CREATE FUNCTION workshop.hook() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN RAISE NOTICE \'%\', (SELECT string_agg(title, \',\') FROM public.papers WHERE id > 10); RETURN NEW; END $$',
            'CREATE TRIGGER hook BEFORE INSERT ON workshop.bait FOR EACH ROW EXECUTE FUNCTION workshop.hook()', 'INSERT INTO workshop.bait VALUES (1)' ] ],
        [ 'transition tables' => [ 'CREATE TABLE workshop.w (a int)',
            'CREATE FUNCTION workshop.t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE \'%\', (SELECT string_agg(n::text, \',\') FROM n); RETURN NULL; END $$', 'CREATE TRIGGER t AFTER UPDATE ON public.papers REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION workshop.t()' ], refused => '42501' ],
        [ 'ALTER EXTENSION' => [ 'ALTER EXTENSION seeme_rbac UPDATE',
            'ALTER EXTENSION seeme_rbac DROP FUNCTION public.seeme_user_id()',
            'ALTER EXTENSION seeme_rbac ADD SCHEMA workshop', 'DROP EXTENSION seeme_rbac CASCADE',
            'CREATE EXTENSION seeme_rbac SCHEMA workshop',
            'COMMENT ON EXTENSION seeme_rbac IS \'x\'' ] ],
    );
}

# A protected table of the maker's.
sub ledger {
    return ('CREATE TABLE workshop.ledger (id uuid PRIMARY KEY, owner_id uuid)',
        'ALTER TABLE workshop.ledger OWNER TO attack_maker',
        q{SELECT public.seeme_protect('workshop.ledger', 'models', resource_id_column => 'id', owner_column => 'owner_id')});
}

1;
