# A query on thousands of projects, memberships and organizations can be cancelled (rule 7.9) before
# it ends. What was read until then is not taken for everything. track_functions counts the calls
# that ended.
use strict;
use warnings;
use List::Util qw(max min);
use SeemeTest;
use Test::More;
use Time::HiRes 'time';

create_database('cancel', 'seeme_rbac');
my $dbh = connect_to('cancel');
my ($owner, $person, $admin) = map { "0a000000-0000-4000-8000-00000000000$_" } 1 .. 3;
$dbh->do(<<"SQL");
SET session_replication_role = replica;
CREATE FUNCTION id(kind text, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS \$\$ SELECT (kind || '000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid \$\$;
INSERT INTO seeme.users (id, username) SELECT id('0a', n), 'person ' || n FROM generate_series(1, 3000) AS n;
-- Organization 0 has 4,000 projects and 3,000 members; 4,000 others have one project each.
INSERT INTO seeme.organizations (id, name, slug, owner_id) SELECT id('02', n), 'O' || n, 'o-' || n, '$owner' FROM generate_series(0, 4000) AS n;
INSERT INTO seeme.projects (id, organization_id, name, slug) SELECT id('01', n), id('02', 0), 'P' || n, 'p-' || n FROM generate_series(1, 4000) AS n;
INSERT INTO seeme.projects (id, organization_id, name, slug) SELECT id('03', n), id('02', n), 'P', 'p' FROM generate_series(1, 4000) AS n;
INSERT INTO seeme.memberships (organization_id, user_id, role_id) SELECT id('02', 0), id('0a', n), CASE WHEN n = 3 THEN seeme.admin_role() END FROM generate_series(2, 3000) AS n;
INSERT INTO seeme.memberships (organization_id, user_id) SELECT id('02', n), '$person' FROM generate_series(1, 4000) AS n;
INSERT INTO seeme.memberships (organization_id, project_id, user_id, role_id)
SELECT id('02', CASE kind WHEN '01' THEN 0 ELSE n END), id(kind, n), '$person', '00000000-0000-4000-8000-000000000006' FROM generate_series(1, 4000) AS n, unnest(ARRAY['01', '03']) AS kind;
INSERT INTO seeme.project_resources (organization_id, project_id, resource_type, resource_id, resource_name)
SELECT id('02', CASE kind WHEN '01' THEN 0 ELSE n END), id(kind, n), 'model', id('0d', right(kind, 1)::int), 'm' FROM generate_series(1, 4000) AS n, unnest(ARRAY['01', '03']) AS kind;
RESET session_replication_role;
ANALYZE;
SQL
$dbh->do(<<'SQL');
CREATE FUNCTION calls() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT coalesce(sum(calls), 0) FROM pg_stat_xact_user_functions WHERE funcname LIKE 'seeme\_%' AND funcname <> 'seeme_assume' OR schemaname = 'seeme' $$;
CREATE FUNCTION cancelled(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE was bigint := calls(); answer text;
BEGIN
  EXECUTE query INTO answer;
  RETURN 'answered ' || answer;
EXCEPTION WHEN query_canceled THEN
  RETURN 'cancelled after ' || calls() - was || ' calls';
END $$;
SET track_functions = 'all';
SQL

sub as_somebody {
    my ($who, $code) = @_;
    $dbh->begin_work;
    $dbh->do("SELECT seeme_assume('$who')") if $who;
    my @answer = eval { $code->() };
    my $error = $@;
    $dbh->rollback;
    die $error if $error;
    return $answer[0];
}

# Forgets what was remembered of those who ask.
sub forget { $dbh->do("UPDATE seeme.users SET name = name WHERE id IN ('$person', '$admin')") }

# What comes of a question that is cancelled in the middle. Nothing can be said of one that was
# cancelled before it began, or had come to its end by then, as on a machine that is busy with
# other things: it is asked again, with another time.
sub cancelled {
    my ($who, $query) = @_;
    my ($said, $ms, $too_late) = ('', 1e6, 0);
    for (1 .. 2) {
        forget();
        my $began;
        as_somebody($who, sub { $began = time; value($dbh, $query) });
        $ms = min($ms, (time - $began) * 1000 / 2);
    }
    for my $attempt (1 .. 40) {
        forget();
        $said = as_somebody($who, sub {
            $dbh->do('SET LOCAL statement_timeout = ' . max(1, int $ms));
            return eval { value($dbh, 'SELECT cancelled(?)', $query) } // 'too early';
        });
        return $said if $said eq 'cancelled after 0 calls'
            || ($said =~ /^cancelled/ && $too_late++ == 3);
        $ms = $said eq 'too early' ? $ms * 1.5 : $ms / 1.2;
    }
    return $said;
}

for (
    [ $person, q{SELECT seeme_has_permission('models:read', resource => id('0d', 1))},
        'of a resource in the projects of one organization', 0 ],
    [ $person, q{SELECT seeme_has_permission('models:read', resource => id('0d', 3))},
        'of many organizations', 0 ],
    [ $person, q{SELECT seeme_has_permission('projects:*', resource => id('0d', 3), resource_type => 'model')},          'a wildcard', 0 ],
    [ $person, q{SELECT seeme_user_has_permission('0a000000-0000-4000-8000-000000000002', 'models:read', resource => id('0d', 1))}, 'about oneself', 0 ],
    [ $admin,  q{SELECT seeme_user_has_permission('0a000000-0000-4000-8000-000000000002', 'models:read', resource => id('0d', 1))}, 'about another person', 0 ],
    [ $person, q{SELECT cardinality(seeme_permissions(resource => id('0d', 1), resource_type => 'model'))},              'all codes', 8 ],
    [ $person, q{SELECT cardinality(seeme_permitted_projects('projects:read'))},
        'a list of projects', 8000 ],
    [ $person, q{SELECT cardinality(seeme_permitted_projects('projects:*'))},
        'by a wildcard', 0 ],
    [ $person, q{SELECT cardinality(seeme_permitted_organizations('organizations:read'))},
        'a list of organizations', 0 ],
    [ $person, q{SELECT cardinality(seeme_permitted_resources('projects:read', 'model'))},
        'a list of resources', 2 ],
    [ $person, q{SELECT count(*) FROM seeme_explain_permission('0a000000-0000-4000-8000-000000000002', 'models:read', resource => id('0d', 3))}, 'an explanation', 8000 ],
    [ $admin,  q{SELECT count(*) FROM seeme_permitted_users('organizations:update', resource => id('0d', 1), resource_type => 'model')}, 'who', 2 ],
    [ undef,   q{SELECT count(*) FROM seeme_permitted_users('projects:read', resource => id('0d', 3), resource_type => 'model')}, 'who, in many organizations', 2 ],
    [ $admin,  q{SELECT cardinality(seeme.missing_permissions_below(id('02', 0), '0a000000-0000-4000-8000-000000000002'))},          'what somebody holds below', 0 ],
) {
    my ($who, $query, $what, $answer) = @$_;
    is(cancelled($who, $query), 'cancelled after 0 calls',
        "threat: a question does not stop for a cancel: $what");
    is(as_somebody($who, sub { value($dbh, $query) }) || 0, $answer, 'and is answered afterwards');
}
is(as_somebody($person,
    sub { value($dbh, q{SELECT count(*) FROM generate_series(1, 4000) AS n WHERE seeme_has_permission('projects:read', project => id('01', n))}) }), 4000,
    'nothing that was half read is taken for all');

done_testing();
