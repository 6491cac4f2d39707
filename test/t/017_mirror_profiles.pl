# People change their own names in a mirrored table of users, which are written here when the
# transaction commits: with keys of every type, by the key itself and by a generated column of ids.
use strict;
use warnings;
use SeemeTest;
use Test::More;

create_roles('profiles_app NOLOGIN');
create_database('profiles', 'citext', 'seeme_rbac');
my $dbh = connect_to('profiles');
$dbh->do(q{SELECT seeme_grant_usage('profiles_app')});

my $uuid = 'd1000000-0000-4000-8000-00000000000a';
my @cases = (
    [ 'smallint', 7, 8 ], [ 'integer', 42, 43 ], [ 'bigint', '9000000000', '9000000001' ],
    [ 'text', 'cjld2cjxh0000qzrmn831i7rn', 'cjld2cyuq0000t3rmniod1foy' ],
    [ 'text', q{it's \\ "one"}, q{it's} ], [ 'text', uc $uuid, 'x' ],
    [ 'varchar(30)', 'cl9ebqhxk00003b600tymydho', 'cl9' ], [ 'citext', 'Alpha', 'Beta' ],
    [ 'uuid', $uuid, 'd1000000-0000-4000-8000-00000000000b' ],
);
for my $case (@cases) {
    my ($type, $key, $other) = @$case;
    for my $generated ($type eq 'uuid' ? (0) : (0, 1)) {
        my $made = $generated ? q{, "User Id" uuid GENERATED ALWAYS AS (seeme_uuid('user', "Key"))
            STORED} : '';
        $made =~ s/"Key"/"Key"::bigint/ if $type eq 'smallint';
        $made =~ s/"Key"/"Key"::text/ if $type =~ /^(citext|varchar)/;
        my $column = $generated ? 'User Id' : 'Key';
        my $what = "$type, " . ($generated ? 'a generated column' : 'the key itself') . ", $key";
        $dbh->do('CREATE TABLE "My People" ("Key" ' . $type . ' PRIMARY KEY, "Mail" text, ' .
            qq{"First Name" text, "name" text$made)});
        $dbh->do(q{INSERT INTO "My People" ("Key", "Mail", "First Name", name) VALUES
            (?, 'a@app.example', 'A', 'A'), (?, 'b@app.example', 'B', 'B')}, undef, $key, $other);
        $dbh->do(q{SELECT seeme_mirror('"My People"', 'users', } .
            qq{'{"id": "$column", "email": "Mail", "firstname": "First Name", "name": "name"}', } .
            q{protect => true)});
        $dbh->do('GRANT SELECT, UPDATE ON "My People" TO profiles_app');
        my $state = eval {
            $dbh->begin_work;
            $dbh->do(q{SELECT seeme_assume(seeme_uuid('user', ?::text))}, undef, $key);
            $dbh->do('SET LOCAL ROLE profiles_app');
            $dbh->do(q{UPDATE "My People" SET "First Name" = 'New', name = 'Name'});
            $dbh->commit;
            '';
        } // $dbh->state;
        $dbh->rollback if !$dbh->{AutoCommit};
        is($state, '', "a person changes their own names: $what");
        is_deeply [ rows($dbh, 'SELECT firstname, name FROM seeme.users ORDER BY email') ],
            [ 'New|Name', 'B|B' ], 'these are here, and nobody else\'s';
        is_deeply [ rows($dbh, q{SELECT * FROM seeme_mirror_differences('"My People"')}) ], [],
            'nothing differs';
        eval { $dbh->do(q{UPDATE "My People" SET "Mail" = 'no address' WHERE name = 'B'}) };
        like($@, qr/row "Key" = \Q$other\E\.$/m, 'an error names the row by its key');
        $dbh->do(q{DELETE FROM "My People"});
        $dbh->do(q{SELECT seeme_unmirror('"My People"')});
        $dbh->do('DROP TABLE "My People"');
    }
}
$dbh->disconnect;

done_testing();
