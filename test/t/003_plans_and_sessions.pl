# A connection keeps plans, functions, parallel workers and cursors for later. None of them keeps
# anything of a person.
use strict;
use warnings;
use SeemeTest;
use Test::More;

create_roles('plans_app NOLOGIN', 'plans_gateway LOGIN IN ROLE plans_app',
    'plans_edith LOGIN IN ROLE plans_app', 'plans_olga LOGIN IN ROLE plans_app');
create_database('plans', 'seeme_rbac');
my $dba = connect_to('plans');
make_world($dba, 'plans_app');
$dba->do("UPDATE seeme.users SET database_role = 'plans_' || username WHERE username IN ('edith', 'olga')");
$dba->do('GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO plans_gateway');
$dba->do(<<'SQL');
CREATE FUNCTION count_papers() RETURNS bigint LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT count(*) FROM papers); END $$;
CREATE FUNCTION may_read(p uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN seeme_has_permission('datasets:read', project => p); END $$;
CREATE VIEW paper_titles WITH (security_invoker = true) AS SELECT id, title FROM papers;
GRANT SELECT ON paper_titles TO plans_app;
SQL

my %count = (paul => 25, gina => 25, vera => 75, edith => 75, stan => 0);
my $gateway = connect_to('plans', 'plans_gateway');
my $alpha = id_of('alpha');

sub as {
    my ($person, $sql) = @_;
    $gateway->begin_work;
    value($gateway, 'SELECT seeme_assume(?)', id_of($person)) if $person ne 'nobody';
    my $value = value($gateway, $sql);
    $gateway->commit;
    return $value;
}

for my $mode (qw(auto force_generic_plan force_custom_plan)) {
    # What SQL prepares before anybody has asked in a session serves everybody who asks later.
    $gateway->disconnect;
    $gateway = connect_to('plans', 'plans_gateway');
    $gateway->do("SET plan_cache_mode = $mode");
    $gateway->do($_) for (
        'PREPARE every AS SELECT count(*) FROM papers',
        'PREPARE one (int) AS SELECT count(*) FROM papers WHERE id = $1',
        'PREPARE within (uuid) AS SELECT count(*) FROM papers WHERE project_id = $1',
        'PREPARE asked (text, uuid) AS SELECT seeme_has_permission($1, project => $2)::int',
        'PREPARE fixed AS SELECT seeme_has_permission(\'datasets:read\', project => \'' . $alpha
        . '\')::int',
    );
    for my $statement (['EXECUTE every', \%count], ['SELECT count_papers()', \%count],
        ['SELECT count(*) FROM paper_titles', \%count],
        ['EXECUTE one (101)', { paul => 1, gina => 0, vera => 1, edith => 1, stan => 0 }],
        ['EXECUTE one (401)', { paul => 0, gina => 1, vera => 0, edith => 0, stan => 0 }],
        ["EXECUTE within ('$alpha')",
            { paul => 25, gina => 0, vera => 25, edith => 25, stan => 0 }],
        ["EXECUTE asked ('datasets:update', '$alpha')",
            { paul => 0, gina => 0, vera => 0, edith => 1, stan => 0 }],
        ['EXECUTE fixed', { paul => 1, gina => 0, vera => 1, edith => 1, stan => 0 }],
        ["SELECT may_read('$alpha')::int",
            { paul => 1, gina => 0, vera => 1, edith => 1, stan => 0 }])
    {
        my ($sql, $expected) = @$statement;
        # often enough that a plan is chosen, and everybody after everybody else
        my @wrong;
        for my $person ((qw(paul gina nobody vera edith stan gina paul edith vera)) x 2) {
            my $got = as($person, $sql);
            push @wrong, "$person: $got" if $got != ($expected->{$person} // 0);
        }
        is_deeply(\@wrong, [], "$mode: $sql follows whoever asks");
    }
    $gateway->do('DEALLOCATE ALL');
}
$gateway->do('RESET plan_cache_mode');

# Parallel workers are whoever their leader is.
{
    my $force = $gateway->{pg_server_version} >= 160000 ? 'debug_parallel_query'
        : 'force_parallel_mode';
    $gateway->do("SET $_") for ('parallel_setup_cost = 0', 'parallel_tuple_cost = 0',
        'min_parallel_table_scan_size = 0', 'min_parallel_index_scan_size = 0', "$force = on");
    my @wrong;
    for my $person (qw(paul gina nobody vera stan edith paul)) {
        my $got = as($person, 'SELECT count(*) FROM papers');
        push @wrong, "$person: $got" if $got != ($count{$person} // 0);
    }
    is_deeply(\@wrong, [], 'parallel workers see what their leader sees');
    $gateway->begin_work;
    value($gateway, 'SELECT seeme_assume(?)', id_of('vera'));
    my $plan = join "\n",
        rows($gateway, 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM papers');
    $gateway->commit;
    like($plan, qr/Workers Launched: [1-9]|Gather/, 'there were workers') or diag $plan;
    $gateway->do("RESET $_")
        for ('parallel_setup_cost', 'parallel_tuple_cost', 'min_parallel_table_scan_size',
        'min_parallel_index_scan_size', $force);
}

# Two connections: what one changes, the other notices at its next statement, prepared long before.
my $edith = connect_to('plans', 'plans_edith');
my $olga = connect_to('plans', 'plans_olga');
for my $mode (qw(force_generic_plan force_custom_plan)) {
    $edith->do("SET plan_cache_mode = $mode");
    $edith->do('PREPARE every AS SELECT count(*) FROM papers');
    my $change = $edith->prepare('UPDATE papers SET title = title WHERE id = 101',
        { pg_prepare_now => 1 });
    my $look = sub { return join ' ', value($edith, 'EXECUTE every'), 0 + $change->execute,
        value($edith, 'SELECT count_papers()'), value($edith, "SELECT may_read('$alpha')::int"); };
    my $give = sub {
        my ($role) = @_;
        $olga->do('UPDATE seeme.organization_members SET role_id = (SELECT id FROM seeme.roles WHERE organization_id IS NULL AND name = ?) WHERE user_id = ?', undef, $role, id_of('edith'));
    };
    is($look->(), '75 1 75 1', "$mode: an Editor reads and changes");
    $give->('Viewer');
    is($look->(), '75 0 75 1', "$mode: a Viewer reads");
    $give->(undef);
    is($look->(), '0 0 0 0', "$mode: a member without a role does neither");
    $edith->begin_work;
    is($look->(), '0 0 0 0', "$mode: nor in a transaction");
    $give->('Editor');
    is($look->(), '75 1 75 1', "$mode: which is given the right while it is open");
    $olga->do('DELETE FROM seeme.organization_members WHERE user_id = ?', undef, id_of('edith'));
    is($look->(), '0 0 0 0', "$mode: and loses it with the membership");
    $edith->rollback;
    $olga->do('INSERT INTO seeme.organization_members (organization_id, user_id, role_id) SELECT ?, ?, id FROM seeme.roles WHERE organization_id IS NULL AND name = ?',
        undef, id_of('acme'), id_of('edith'), 'Editor');
    is($look->(), '75 1 75 1', "$mode: a new membership counts at once");
    $olga->do("UPDATE seeme.memberships SET valid_until = now() + interval '0.3 s' WHERE user_id = ?", undef, id_of('edith'));
    is($look->(), '75 1 75 1', "$mode: also one that ends soon");
    select undef, undef, undef, 0.5;
    is($look->(), '0 0 0 0', "$mode: until it has ended");
    $olga->do('UPDATE seeme.memberships SET valid_until = NULL WHERE user_id = ?', undef,
        id_of('edith'));
    $dba->do('UPDATE seeme.users SET disabled_at = now() WHERE username = ?', undef, 'edith');
    is($look->(), '0 0 0 0', "$mode: who is disabled does nothing");
    $dba->do('UPDATE seeme.users SET disabled_at = NULL WHERE username = ?', undef, 'edith');
    $dba->do('INSERT INTO seeme.projects (id, organization_id, name) VALUES (?, ?, ?)', undef,
        'd0000000-0000-4000-8000-00000000000f', id_of('acme'), 'Later');
    $dba->do("INSERT INTO papers VALUES (501, 'd0000000-0000-4000-8000-00000000000f', 'later')");
    is($look->(), '76 1 76 1', "$mode: a project that was made later is seen");
    $dba->do("DELETE FROM seeme.projects WHERE name = 'Later'");
    is($look->(), '75 1 75 1', "$mode: and its rows are not when it is gone");
    $dba->do('DELETE FROM papers WHERE id = 501');
    $edith->do('DEALLOCATE every');
}

# A role that was renamed away or dropped takes nobody along.
$dba->do("UPDATE seeme.users SET database_role = NULL WHERE username = 'edith'");
is(value($edith, 'SELECT count(*) FROM papers'), 0,
    'who is no longer mapped to a person is nobody, on the same connection');
$dba->do("UPDATE seeme.users SET database_role = 'plans_edith' WHERE username = 'vera'");
is(value($edith, 'SELECT username FROM seeme.users WHERE id = seeme_user_id()'), 'vera',
    'and somebody else when mapped to them');

# Any client can start a connection that uses no system index: what is held is the same, also by
# somebody with many memberships.
$dba->do('INSERT INTO seeme.projects (organization_id, name) SELECT ?, name FROM generate_series(1, 8) AS name', undef, id_of('acme'));
$dba->do("INSERT INTO seeme.memberships (organization_id, project_id, user_id) SELECT organization_id, id, ? FROM seeme.projects WHERE name IN ('1', '2', '3', '4', '5', '6', '7', '8')", undef, id_of('paul'));
{
    local $ENV{PGOPTIONS} = '-c ignore_system_indexes=on';
    my $slow = connect_to('plans', 'plans_gateway');
    $slow->begin_work;
    value($slow, 'SELECT seeme_assume(?)', id_of('paul'));
    is(value($slow, "SELECT seeme_has_permission('datasets:read', project => ?)::int",
        id_of($_->[0])), $_->[1], "without indexes, of a person with many memberships: $_->[0]")
        for ['alpha', 1], ['beta', 0];
    $slow->rollback;
    $slow->disconnect;
}

$_->disconnect for $gateway, $edith, $olga, $dba;
done_testing();
