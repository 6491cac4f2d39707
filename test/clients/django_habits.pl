# Django's habits, as doc/clients.md and doc/testing.md tell them: a middleware, RETURNING, children
# that delete() deletes first, and fixtures of a TestCase.
use strict;
use warnings;
use ClientsTest;
use Test::More;

run_program('with_django_habits.py');
done_testing();
