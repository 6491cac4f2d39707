# The extension's own lists, against queries by hand on copies of its tables.
use strict;
use warnings;
use Bench::Results;
use Bench::Session;
use Bench::Turns;

my $me  = q{current_setting('app.user_id')::uuid};
my $own = qq{ANY (ARRAY(SELECT organization_id FROM copy.memberships
    WHERE user_id = $me AND team_id IS NULL AND project_id IS NULL))};
my $now = q{coalesce(m.valid_from <= clock_timestamp(), true)
    AND coalesce(clock_timestamp() < m.valid_until, true)};

# The codes that a role gives, and those that somebody holds in an organization.
my $codes = q{SELECT r.id AS role_id, p.name FROM copy.roles r JOIN copy.permissions p
    ON NOT p.is_wildcard AND r.permissions && ARRAY['*', p.name, p.resource || ':*',
       '*:' || p.action]};

my %by_hand = (
    organizations => qq{SELECT * FROM copy.organizations WHERE id = $own},
    teams         => qq{SELECT * FROM copy.teams WHERE organization_id = $own},
    projects      => qq{SELECT * FROM copy.projects WHERE organization_id = $own},
    users         => qq{SELECT * FROM copy.users WHERE id IN
        (SELECT user_id FROM copy.memberships WHERE organization_id = $own)},
    organization_members => qq{
        SELECT m.id, m.organization_id, m.user_id, m.role_id, r.name, u.email, u.username,
               u.firstname, u.name
          FROM copy.memberships m JOIN copy.users u ON u.id = m.user_id
          LEFT JOIN copy.roles r ON r.id = m.role_id
         WHERE m.organization_id = $own AND m.team_id IS NULL AND m.project_id IS NULL},
);

# Everything that the context tells, for a member of one organization.
my $context = qq{
    SELECT jsonb_build_object('user_id', $me,
      'organizations', (SELECT jsonb_agg(to_jsonb(o) - '{created_at,updated_at,archived_at}'::text[]
                                         ORDER BY o.name, o.id)
                          FROM copy.organizations o WHERE o.id = $own),
      'current_organization', (SELECT to_jsonb(o) - '{created_at,updated_at,archived_at}'::text[]
                                 FROM copy.organizations o WHERE o.id = $own),
      'roles', (SELECT jsonb_agg(to_jsonb(r) - '{created_at,updated_at}'::text[]
                       || jsonb_build_object(
                            'level', CASE WHEN m.project_id IS NOT NULL THEN 'project'
                              WHEN m.team_id IS NOT NULL THEN 'team' ELSE 'organization' END,
                            'team_id', m.team_id, 'project_id', m.project_id)
                       ORDER BY m.project_id IS NOT NULL, m.team_id IS NOT NULL, r.name, m.id)
                  FROM copy.memberships m JOIN copy.roles r ON r.id = m.role_id
                 WHERE m.organization_id = $own AND m.user_id = $me AND $now),
      'permissions', (SELECT jsonb_agg(DISTINCT c.name)
                        FROM copy.memberships m JOIN ($codes) AS c USING (role_id)
                       WHERE m.organization_id = $own AND m.user_id = $me AND m.team_id IS NULL
                         AND m.project_id IS NULL AND $now))};

# The findings that a review of these organizations has.
my $review = qq{
    WITH member AS (
      SELECT m.*, coalesce(u.username, u.email, m.user_id::text) AS who, u.disabled_at,
             CASE WHEN m.project_id IS NOT NULL THEN 'project'
                  WHEN m.team_id IS NOT NULL THEN 'team' ELSE 'organization' END AS level
        FROM copy.memberships m LEFT JOIN copy.users u ON u.id = m.user_id
       WHERE m.organization_id = $own)
    SELECT 'membership expires', organization_id, id, who, level, valid_until FROM member
     WHERE valid_until > clock_timestamp() AND valid_until <= clock_timestamp() + '30 days'
    UNION ALL
    SELECT 'membership has ended', organization_id, id, who, level, valid_until FROM member
     WHERE valid_until <= clock_timestamp()
    UNION ALL
    SELECT 'member without a role', organization_id, id, who, 'at no level', created_at
      FROM member AS m
     WHERE level = 'organization' AND role_id IS NULL
       AND NOT EXISTS (SELECT FROM copy.memberships o WHERE o.organization_id = m.organization_id
                          AND o.user_id = m.user_id AND o.role_id IS NOT NULL)
    UNION ALL
    SELECT 'member is disabled', organization_id, id, who, level, disabled_at FROM member
     WHERE disabled_at <= clock_timestamp() AND level = 'organization'
    UNION ALL
    SELECT 'owner is disabled', o.id, o.owner_id, o.name, '', u.disabled_at
      FROM copy.organizations o JOIN copy.users u ON u.id = o.owner_id
     WHERE o.id = $own AND u.disabled_at <= clock_timestamp()
    UNION ALL
    SELECT 'role is unused', r.organization_id, r.id, r.name, array_to_string(r.permissions, ', '),
           r.updated_at
      FROM copy.roles r
     WHERE r.organization_id = $own
       AND NOT EXISTS (SELECT FROM copy.memberships m WHERE m.role_id = r.id)
       AND NOT EXISTS (SELECT FROM copy.invitations i WHERE i.role_id = r.id
                          AND i.accepted_at IS NULL AND i.expires_at > clock_timestamp())
    UNION ALL
    SELECT 'key is dormant', k.organization_id, k.id, k.name, k.key_prefix, last.used_at
      FROM copy.api_keys k, LATERAL (SELECT max(u.used_at) AS used_at FROM copy.api_key_uses u
                                      WHERE u.key_id = k.id) AS last
     WHERE k.organization_id = $own
       AND coalesce(last.used_at, k.created_at) < clock_timestamp() - interval '30 days'
    UNION ALL
    SELECT 'invitation is open', i.organization_id, i.id, i.email, NULL, i.expires_at
      FROM copy.invitations i
     WHERE i.organization_id = $own AND i.accepted_at IS NULL AND i.expires_at > clock_timestamp()
     ORDER BY 1, 2, 6, 3};

sub matrix {
    my ($organization) = @_;
    return qq{
    SELECT coalesce(u.username, u.email, u.id::text), held.name, 'x'
      FROM (SELECT DISTINCT m.user_id, c.name
              FROM copy.memberships m JOIN ($codes) AS c USING (role_id)
             WHERE m.organization_id = '$organization' AND m.team_id IS NULL
               AND m.project_id IS NULL AND $now) AS held
      JOIN copy.users u ON u.id = held.user_id
     WHERE coalesce(clock_timestamp() < u.disabled_at, true)
     ORDER BY 1, 2};
}

define lists => 'the own lists of a small tenant, and a matrix of many members', sub {
    my @common = (database => 'lists', measure => 'run', reference => 'by_hand');
    $name{by_hand} = 'hand-written query, copies of the tables';
    for my $list (qw(organizations teams projects organization_members users)) {
        my $case     = "SELECT * FROM seeme.$list";
        my $measured = queries(
            $case,                                                              'tenant',
            [by_hand => $by_hand{$list}, seeme => "SELECT * FROM seeme.$list"], @common
        );
        hold_either($case, 'ms', $measured, 'seeme', 'by_hand', 2, 0.3);
    }
    my ($tenant, $crowd) =
        $dba->selectrow_array("SELECT bench.id('organization', 7), bench.id('organization', -1)");
    for (
        [
            'seeme_current_user_context()',        'tenant', $context,
            'SELECT seeme_current_user_context()', 'measure'
        ],
        ['seeme_review()', 'tenant', $review, 'SELECT * FROM seeme_review()', 'run'],
        [
            'seeme_permission_matrix(), a small tenant', 'tenant', matrix($tenant),
            "SELECT * FROM seeme_permission_matrix(organization => '$tenant')", 'run'
        ],
        [
            "seeme_permission_matrix(), $size->{crowd} members", 'of-crowd', matrix($crowd),
            "SELECT * FROM seeme_permission_matrix(organization => '$crowd')", 'run'
        ],
    ) {
        my ($case, $who, $by_hand, $ours, $measure) = @$_;
        my $measured = queries(
            $case, $who, [by_hand => $by_hand, seeme => $ours], @common,
            measure => $measure
        );
        hold($case, 'ratio', 'ms', $measured, 'seeme', 'by_hand', '<= 3');
    }
};

1;
