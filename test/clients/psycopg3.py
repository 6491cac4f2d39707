"""psycopg3.py [SOCKET]: psycopg 3 and its pool, on the server itself or through the pooler at SOCKET."""
from functools import partial

import psycopg
from psycopg_pool import ConnectionPool

from harness import Ways, control, ok, people, pooler, run, set_session_user, where_it_is
from seeme_psycopg import as_person

# A prepared statement stays with its connection, which a pooler hands to the next client.
options = {**where_it_is, "prepare_threshold": None if pooler else 1}
clients = 2 if pooler else 1


class Statements(Ways):
    def fetch(self, at, statement, *parameters):
        return at.execute(statement, parameters).fetchall()

    def change(self, at, statement, *parameters):
        return at.execute(statement, parameters).rowcount

    def savepoint(self, at):
        return at.transaction()

    def state_of(self, error):
        return error.sqlstate


def read(user_id, statement):
    with as_person(pool) as connection:
        if user_id is not None:
            connection.execute(set_session_user, (user_id,))
        return connection.execute(statement).fetchall()


with ConnectionPool(min_size=clients, max_size=clients, kwargs=options) as pool:
    run("two clients of pgbouncer" if pooler else "a pool of one", 4, Statements, partial(as_person, pool))
    control(read, 4)
    if not pooler:
        with psycopg.connect(**where_it_is) as watcher, as_person(pool, token=people["paul"]["tokens"][0]):
            queries = watcher.execute(
                "SELECT query FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()").fetchall()
        ok(len(queries) == 1 and "seeme_login($1)" in queries[0][0] and people["paul"]["tokens"][0] not in queries[0][0],
           "a token is bound, and does not stand in pg_stat_activity", queries)
print("done")
