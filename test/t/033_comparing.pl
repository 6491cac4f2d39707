# doc/comparing.md tells the truth in a larger world: what it lists is what
# seeme_user_has_permission and the application's own rule say of every person, project and action.
# (That the page's own example runs as it is printed: 004_documentation.pl.)
use strict;
use warnings;
use IPC::Run 'run';
use SeemeTest;
use Test::More;

open my $file, '<', 'doc/comparing.md' or die "doc/comparing.md: $!";
my $page = do { local $/; <$file> };
close $file or die $!;
my ($before, $after, $end) = split /^## (?:Where a project's role replaces|How long it takes).*\n/m,
    $page;
ok defined $end, 'the page has the parts that are run here';
sub boxes { my ($text) = @_; return $text =~ /^```sql\n(.*?)^```$/msg }

create_roles('comparing_app NOLOGIN');
create_database('comparing', 'seeme_rbac');
sub typed {
    my ($what, @boxes) = @_;
    my ($sql, $said) = (join("\n", @boxes), '');
    ok run(['psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', 'comparing'],
        '<', \$sql, '>&', \$said), $what or diag $said;
    return;
}

# Everybody in the application's tables, before they are mirrored: 40 people more, 5 workspaces, 30
# projects, each kind of role in each place, and people who belong nowhere.
my ($tables, @rest) = boxes($before);
typed('the tables are made', $tables, <<'SQL');
INSERT INTO users SELECT i, 'p' || i || '@example.com' FROM generate_series(20, 59) AS i;
INSERT INTO workspaces SELECT i, 'W' || i, i FROM generate_series(20, 24) AS i;
INSERT INTO workspace_members
SELECT w, u, (ARRAY['admin', 'editor', 'viewer'])[1 + (u * 7 + w) % 3]
  FROM generate_series(20, 24) AS w, generate_series(25, 55) AS u WHERE (u + w) % 4 < 2;
INSERT INTO projects SELECT i, 20 + i % 5, 'P' || i FROM generate_series(200, 229) AS i;
INSERT INTO project_members
SELECT p.id, m.user_id, (ARRAY['editor', 'viewer', 'none'])[1 + (m.user_id * 5 + p.id) % 3]
  FROM projects p JOIN workspace_members m USING (workspace_id)
 WHERE p.id >= 200 AND (p.id * 3 + m.user_id * 11) % 5 = 0;
SQL
my $dba = connect_to('comparing');

# The application's rule once more, in other words: of each pair that anybody could ask about.
my $oracle = <<'SQL';
CREATE VIEW compare.asked AS
SELECT u.id AS person, p.id AS project, a.action,
       coalesce(w.owner_id = u.id OR m.role = 'admin'
         OR m.role IS NOT NULL AND (o.role = 'editor' OR o.role = 'viewer' AND a.action = 'view'
            OR o.role IS NULL AND (m.role = 'editor' OR a.action = 'view')), false) AS old,
       seeme_user_has_permission(seeme_uuid('user', u.id), a.permission,
         project => seeme_uuid('project', p.id)) AS new
  FROM users u
 CROSS JOIN projects p
  JOIN workspaces w ON w.id = p.workspace_id
 CROSS JOIN compare.actions a
  LEFT JOIN workspace_members m ON (m.workspace_id, m.user_id) = (p.workspace_id, u.id)
  LEFT JOIN project_members o ON (o.project_id, o.user_id) = (p.id, u.id)
SQL
sub agrees {
    my ($when) = @_;
    $dba->begin_work;
    $dba->do('CALL compare.ask()');
    $dba->commit;
    $dba->do('DROP TABLE IF EXISTS compare.oracle');
    $dba->do('CREATE TABLE compare.oracle AS TABLE compare.asked');
    is join("\n", rows($dba, <<'SQL')), '', "$when: what is listed is what differs, pair by pair";
(SELECT person, project, action, old, new FROM compare.differences
 EXCEPT SELECT person, project, action, old, new FROM compare.oracle WHERE old <> new)
UNION ALL
(SELECT person, project, action, old, new FROM compare.oracle WHERE old <> new
 EXCEPT SELECT person, project, action, old, new FROM compare.differences)
SQL
    is join("\n", rows($dba, <<'SQL')), '', "$when: and seeme_permitted_users says the same";
WITH by_project AS (
  SELECT u.id AS person, p.id AS project, a.action
    FROM projects p CROSS JOIN compare.actions a
   CROSS JOIN LATERAL seeme_permitted_users(a.permission,
     project => seeme_uuid('project', p.id)) AS n (id)
    JOIN users u ON seeme_uuid('user', u.id) = n.id)
(TABLE by_project EXCEPT TABLE compare.new) UNION ALL (TABLE compare.new EXCEPT TABLE by_project)
SQL
    return value($dba, 'SELECT count(*) FROM compare.differences');
}

typed('the page is typed up to its first list', @rest);
$dba->do($oracle);
cmp_ok agrees('roles in the organization'), '>', 40,
    'where a role replaces, many people could do more than before';
is value($dba, 'SELECT count(*) FROM compare.differences WHERE old'), 0, 'and nobody less';

typed('the page is typed up to its end', boxes($after));
is agrees('roles in the projects'), 0, 'mapped as the page says, nothing differs';

# What changes later, by everybody who changes it.
$dba->do($_) for 'INSERT INTO users VALUES (90, \'new@example.com\')',
    q{INSERT INTO workspace_members VALUES (20, 90, 'editor'), (21, 90, 'viewer')},
    q{UPDATE workspace_members SET role = 'viewer' WHERE user_id % 3 = 0},
    q{UPDATE workspace_members SET role = 'admin' WHERE user_id = 31},
    q{UPDATE project_members SET role = 'editor' WHERE user_id % 5 = 0},
    'DELETE FROM workspace_members WHERE user_id = 40',
    'DELETE FROM project_members WHERE user_id = 41',
    'DELETE FROM projects WHERE id = 203';
is agrees('later'), 0, 'and nothing after members, roles and projects have changed';

# A person of the application, by its own statements.
$dba->do($_) for q{SELECT seeme_grant_usage('comparing_app')},
    'GRANT SELECT, INSERT, UPDATE, DELETE ON workspace_members, project_members TO comparing_app',
    'GRANT SELECT ON users, workspaces, projects TO comparing_app',
    'GRANT INSERT, DELETE ON workspaces, projects TO comparing_app';
sub changes {
    my ($key, $sql) = @_;
    $dba->begin_work;
    $dba->do(q{SELECT seeme_assume(seeme_uuid('user', ?))}, undef, $key);
    $dba->do('SET LOCAL ROLE comparing_app');
    my $state = sqlstate_of($dba, $sql);
    if ($state) { $dba->rollback } else { $dba->commit }
    return $state;
}
is changes(1, q{UPDATE workspace_members SET role = 'viewer' WHERE user_id = 2}), '',
    'an owner changes a role in the workspace';
is changes(1, q{INSERT INTO project_members VALUES (100, 4, 'viewer')}), '',
    'and one in a project';
is agrees('an owner'), 0, 'and nothing differs';
is changes(3, q{UPDATE workspace_members SET role = 'editor' WHERE user_id = 3}), '42501',
    'a viewer does not become an editor by the application\'s table';
is changes(3, q{INSERT INTO project_members VALUES (101, 3, 'editor')}), '42501',
    'nor in one project';
is agrees('a viewer'), 0, 'and nothing differs';

is changes(1, q{INSERT INTO projects VALUES (104, 10, 'Shop')}), '', 'an owner adds a project';
is agrees('a new project'), 0, 'and everybody has their role there';
is changes(3, 'DELETE FROM workspace_members WHERE user_id = 3'), '', 'a viewer leaves';
is agrees('somebody left'), 0, 'and nothing differs';
is changes(20, 'DELETE FROM workspaces WHERE id = 20'), '', 'an owner deletes a workspace';
is value($dba, 'SELECT count(*) FROM projects WHERE workspace_id = 20'), 0, 'and all of it';
is agrees('a workspace less'), 0, 'and nothing differs';

# What a DBA does beside the mirrors is seen.
$dba->do(q{UPDATE seeme.users SET disabled_at = now() WHERE id = seeme_uuid('user', 4)});
is_deeply [ rows($dba, 'TABLE compare.differences') ], [], 'nothing is asked anew by itself';
cmp_ok agrees('somebody is disabled'), '>', 0, 'a disabled person may do less than before';
is value($dba, 'SELECT count(*) FROM compare.differences WHERE person <> 4 OR new OR NOT old'), 0,
    'and nobody else, nor more';
done_testing;
