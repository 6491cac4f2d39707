"""with_django_keys.py SOCKET SUPERUSER: an application of Django's with integer keys is protected."""
import sys
import tempfile
import textwrap
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

directory = tempfile.TemporaryDirectory()
app = Path(directory.name) / "shop"
(app / "migrations").mkdir(parents=True)
(app / "__init__.py").write_text("")
(app / "migrations" / "__init__.py").write_text("")
(app / "models.py").write_text(textwrap.dedent("""
    from django.db import models


    class Person(models.Model):
        email = models.TextField()


    class Company(models.Model):
        title = models.TextField()
        boss = models.ForeignKey(Person, models.PROTECT)


    class Board(models.Model):
        title = models.TextField()
        company = models.ForeignKey(Company, models.PROTECT)


    class Card(models.Model):
        title = models.TextField()
        board = models.ForeignKey(Board, models.PROTECT)
        author = models.ForeignKey(Person, models.PROTECT)
"""))
sys.path.insert(0, directory.name)


def connection_of(user):
    return {"ENGINE": "django.db.backends.postgresql", "HOST": sys.argv[1],
            "NAME": "django_keys", "USER": user}


settings.configure(USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
                   INSTALLED_APPS=["shop"],
                   DATABASES={"default": connection_of(sys.argv[2]),
                              "app": connection_of("django_keys_app")})
django.setup()

from django.db import Error, ProgrammingError, connection, transaction  # noqa: E402
from seeme_django import as_person  # noqa: E402
from shop.models import Board, Card, Company, Person  # noqa: E402


def ok(passed, name, *remarks):
    print("ok" if passed else "not ok", name)
    if not passed:
        print(*remarks, sep="\n")


def is_equal(got, expected, name):
    ok(got == expected, name, f"got {got!r}, not {expected!r}")


def execute(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def migrate(name, statements):
    (app / "migrations" / f"{name}.py").write_text(textwrap.dedent(f"""
        from django.db import migrations


        class Migration(migrations.Migration):
            dependencies = [("shop", "0001_initial")]
            operations = [migrations.RunSQL({statements!r})]
    """))
    call_command("migrate", "shop", verbosity=0)


def code_of(error):
    cause = error.__cause__
    return getattr(cause, "sqlstate", None) or cause.pgcode  # psycopg 3, psycopg 2


def titles(**identity):
    with as_person(using="app", **identity):
        return list(Card.objects.using("app").order_by("id").values_list("title", flat=True))


def state_of(statement, **identity):
    try:
        with as_person(using="app", **identity):
            statement(Card.objects.using("app"))
        return None
    except Error as error:
        return code_of(error)


call_command("makemigrations", "shop", verbosity=0)
call_command("migrate", "shop", verbosity=0)
ada = Person.objects.create(email="ada@example.com")
bob = Person.objects.create(email="bob@example.com")
acme = Company.objects.create(title="Acme", boss=ada)
roadmap = Board.objects.create(title="Roadmap", company=acme)
hiring = Board.objects.create(title="Hiring", company=acme)
Card.objects.create(title="Ship it", board=roadmap, author=ada)
Card.objects.create(title="Interview", board=hiring, author=ada)

execute("""
    SELECT seeme_mirror('shop_person', 'users', '{"id": "id", "email": "email"}'),
           seeme_mirror('shop_company', 'organizations',
                        '{"id": "id", "name": "title", "owner_id": "boss_id"}'),
           seeme_mirror('shop_board', 'projects',
                        '{"id": "id", "organization_id": "company_id", "name": "title"}')""")
execute("""
    INSERT INTO seeme.organization_members (organization_id, user_id)
    VALUES (seeme_uuid('organization', %s), seeme_uuid('user', %s))""", acme.id, bob.id)

try:
    with transaction.atomic():
        execute("SELECT seeme_protect('shop_card', 'cards', project_column => 'board_id', "
                "owner_column => 'author_id')")
    ok(False, "integer keys are refused")
except ProgrammingError as error:
    is_equal(code_of(error), "42804", "integer keys are refused")
    hint = error.__cause__.diag.message_hint
migrate("0002_protect_cards", hint)
is_equal(execute("SELECT count(*) FROM seeme.protected_tables WHERE table_name = "
                 "'shop_card'::regclass"), [(1,)], "the hint runs in a migration by RunSQL")
try:
    call_command("makemigrations", "shop", check=True, dry_run=True, verbosity=0)
    ok(True, "Django sees no difference between models without the columns and the migrations")
except SystemExit:
    ok(False, "Django sees no difference between models without the columns and the migrations")

execute("""
    INSERT INTO seeme.roles (organization_id, name, permissions)
    VALUES (seeme_uuid('organization', %s), 'Writer', '{cards:*}')""", acme.id)
execute("""
    INSERT INTO seeme.project_members (project_id, user_id, role_id)
    SELECT seeme_uuid('project', %s), seeme_uuid('user', %s), id FROM seeme.roles
     WHERE name = 'Writer'""", roadmap.id, bob.id)
execute("SELECT seeme_grant_usage('django_keys_app')")
execute("GRANT EXECUTE ON FUNCTION seeme_assume(uuid) TO django_keys_app")
execute("GRANT SELECT, INSERT, UPDATE, DELETE ON shop_card TO django_keys_app")
execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO django_keys_app")
id_of = {person.id: execute("SELECT seeme_uuid('user', %s)", person.id)[0][0]
         for person in (ada, bob)}

is_equal(titles(), [], "threat: without a person Django reads cards")
is_equal(titles(user_id=id_of[bob.id]), ["Ship it"],
         "a person reads the cards of their board, by a model without the generated columns")
is_equal(titles(user_id=id_of[ada.id]), ["Ship it", "Interview"],
         "the owner of the company reads all of its cards")
is_equal(state_of(lambda cards: cards.create(title="New", board_id=roadmap.id, author_id=bob.id),
                  user_id=id_of[bob.id]), None, "a person adds a card to their board")
is_equal(state_of(lambda cards: cards.create(title="New", board_id=hiring.id, author_id=bob.id),
                  user_id=id_of[bob.id]), "42501",
         "threat: a person adds a card to another board")
is_equal(state_of(lambda cards: cards.filter(title="Ship it").update(board_id=hiring.id),
                  user_id=id_of[bob.id]), "42501",
         "threat: a person moves a card to another board by its integer key")
with as_person(user_id=id_of[bob.id], using="app"):
    card = Card.objects.using("app").get(title="New")
    card.title = "Newer"
    card.save()
    card.refresh_from_db()
is_equal(titles(user_id=id_of[bob.id]), ["Ship it", "Newer"],
         "save() and refresh_from_db() work with a model without the generated columns")
with as_person(user_id=id_of[bob.id], using="app"):
    Card.objects.using("app").bulk_create(
        [Card(title=f"Bulk {n}", board_id=roadmap.id, author_id=bob.id) for n in range(3)])
    Card.objects.using("app").filter(title__startswith="Bulk").delete()
is_equal(titles(user_id=id_of[bob.id]), ["Ship it", "Newer"],
         "bulk_create() and delete() do so, too")
print("done")
