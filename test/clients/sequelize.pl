# Sequelize: people interleaved over one pooled connection never see each other's rows, by
# doc/clients/seeme_sequelize.js; and what sync() does with protected tables.
use strict;
use warnings;
use SeemeTest;
use ClientsTest;
use Test::More;

my $dba = client_world('clients_sequelize');
owned_table();
# One that is made anew.
$dba->do('CREATE TABLE discards (id int PRIMARY KEY, owner_id uuid NOT NULL)');
$dba->do('ALTER TABLE discards OWNER TO clients_sequelize_owner');
$dba->do(q{SELECT seeme_protect('discards', 'drafts', owner_column => 'owner_id')});
$dba->do('GRANT SELECT ON discards TO clients_sequelize_app');
$ClientsTest::requests = 2_500;
run_client('node', ClientsTest::client_file('with_sequelize.js'));
is_still_protected();
my @findings = rows($dba, q{SELECT * FROM seeme_security_report() AS r WHERE r::text ~ 'discards'});
ok(@findings > 0, 'the report names the table that was protected until it was made anew');
run_client('node', ClientsTest::client_file('with_sequelize.js'), start_pgbouncer('transaction'));
done_testing();
