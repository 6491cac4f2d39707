"""with_sqlalchemy.py [SOCKET]: SQLAlchemy's Session and Core, on the server itself or through the pooler at SOCKET."""
from contextlib import contextmanager

from sqlalchemy import Column, Integer, Text, create_engine, select, text, update
from sqlalchemy.dialects.postgresql import UUID
from sqlalchemy.orm import Session, declarative_base

from harness import Ways, control, listed, ok, people, pooler, run, set_session_user, where_it_is, world
from seeme_sqlalchemy import identify, person

clients = 2 if pooler else 1
# This pool serves those who wait in no order, so one of them may wait for long.
engine = create_engine("postgresql+psycopg2://", connect_args=where_it_is, pool_size=clients, max_overflow=0, pool_timeout=600, future=True)
identify(engine)
Base = declarative_base()


class Paper(Base):
    __tablename__ = "papers"
    id = Column(Integer, primary_key=True)
    project_id = Column(UUID)
    title = Column(Text)


class Note(Base):
    __tablename__ = "notes"
    id = Column(Integer, primary_key=True)
    owner_id = Column(UUID)
    touched = Column(Integer)


def bound(statement, parameters):
    for number, _ in enumerate(parameters):
        statement = statement.replace("%s::uuid", f"CAST(:p{number} AS uuid)").replace("%s", f":p{number}", 1)
    return text(statement), {f"p{number}": value for number, value in enumerate(parameters)}


class Statements(Ways):
    def fetch(self, at, statement, *parameters):
        return [tuple(row) for row in at.execute(*bound(statement, parameters))]

    def change(self, at, statement, *parameters):
        return at.execute(*bound(statement, parameters)).rowcount

    def savepoint(self, at):
        return at.begin_nested()

    def state_of(self, error):
        return error.orig.pgcode


class Objects(Statements):
    def reads_objects(self, at, topic, who, name, number):
        self.ledger.expect(topic, " ".join(str(paper.id) for paper in at.scalars(select(Paper).order_by(Paper.id))), who["papers"])
        self.ledger.expect(topic, " ".join(str(note.id) for note in at.scalars(select(Note).order_by(Note.id))), who["notes"])

    def changes_an_object(self, at, topic, who, name, number):
        note = at.scalars(select(Note).order_by(Note.id).limit(1)).first()
        self.ledger.expect(topic, note is not None, who["id"] is not None)
        if note is not None:
            note.touched = Note.touched + 1
        return note is not None

    def changes_all_objects_and_is_rolled_back(self, at, topic, who, name, number):
        changed = at.execute(update(Paper).values(title=name).execution_options(synchronize_session=False)).rowcount
        self.ledger.expect(topic, changed, len(who["editable"].split()))
        at.rollback()
        # The next transaction of this Session begins for the same person.
        self.ledger.expect(topic, listed(at.execute(select(Note.id).order_by(Note.id))), who["notes"])


@contextmanager
def session(**identity):
    with person(**identity), Session(engine, future=True) as opened, opened.begin():
        yield opened


@contextmanager
def unfinished_session(**identity):
    with person(**identity), Session(engine, future=True) as opened:
        yield opened
        opened.commit()


@contextmanager
def core(**identity):
    with person(**identity), engine.begin() as connection:
        yield connection


def read(user_id, statement):
    with core() as connection:
        if user_id is not None:
            connection.execute(*bound(set_session_user, (user_id,)))
        return connection.execute(text(statement)).all()


where = "two clients of pgbouncer" if pooler else "a pool of one"
run(f"Session, {where}", 4, Objects, unfinished_session)
run(f"Core, {where}", 4, Statements, core, world["requests"] // 5)
control(read, 4)
with person(user_id=people["paul"]["id"]), engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
    rows = connection.execute(text("SELECT id FROM papers")).all()
    ok(rows == [], "with AUTOCOMMIT there is no transaction, and nobody in it", rows)
engine.dispose()
print("done")
