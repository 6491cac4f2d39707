from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import event, text

_asking = ContextVar("asking", default=(None, None))


@contextmanager
def person(user_id=None, token=None):
    """Every transaction that begins in here, of a Session or of an engine's connection, is this person's."""
    before = _asking.set((user_id, token))
    try:
        yield
    finally:
        _asking.reset(before)


def identify(engine):
    """Once for each engine."""

    @event.listens_for(engine, "begin")
    def begin(connection):
        user_id, token = _asking.get()
        if user_id is not None:
            connection.execute(text("SELECT seeme_assume(CAST(:user_id AS uuid))"), {"user_id": str(user_id)})
        elif token is not None:
            connection.execute(text("SELECT seeme_login(:token)"), {"token": token})
