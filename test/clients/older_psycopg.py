"""older_psycopg.py [SOCKET]: psycopg2 and its pool, on the server itself or through the pooler at SOCKET."""
from contextlib import contextmanager
from queue import Queue

from psycopg2.pool import ThreadedConnectionPool

from harness import Ways, control, pooler, run, set_session_user, where_it_is
from seeme_psycopg2 import as_person

clients = 2 if pooler else 1
pool = ThreadedConnectionPool(clients, clients, **where_it_is)
# This pool raises an error where others wait for a connection.
turns = Queue()
for _ in range(clients):
    turns.put(None)


@contextmanager
def transaction(**identity):
    turns.get()
    connection = pool.getconn()
    try:
        with as_person(connection, **identity) as cursor:
            yield cursor
    finally:
        pool.putconn(connection)
        turns.put(None)


class Statements(Ways):
    def fetch(self, at, statement, *parameters):
        at.execute(statement, parameters)
        return at.fetchall()

    def change(self, at, statement, *parameters):
        at.execute(statement, parameters)
        return at.rowcount

    @contextmanager
    def savepoint(self, at):
        at.execute("SAVEPOINT s")
        try:
            yield
        except Exception:
            at.execute("ROLLBACK TO SAVEPOINT s")
            raise

    def state_of(self, error):
        return error.pgcode


def read(user_id, statement):
    with transaction() as cursor:
        if user_id is not None:
            cursor.execute(set_session_user, (user_id,))
        cursor.execute(statement)
        return cursor.fetchall()


run("two clients of pgbouncer" if pooler else "a pool of one", 4, Statements, transaction)
control(read, 4)
pool.closeall()
print("done")
