"""What the programs in Python share: see ClientsTest.pm for what they are told and what they have to print."""
import json
import os
import random
import sys
import threading
from collections import Counter, defaultdict
from inspect import getmembers, ismethod, signature
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "doc" / "clients"))

with open(os.environ["SEEME_WORLD"]) as file:
    world = json.load(file)
people = world["people"]
names = sorted(people)
pooler = sys.argv[1] if len(sys.argv) > 1 else None
where_it_is = {"host": pooler or world["socket"], "port": 6432 if pooler else 5432, "dbname": world["database"], "user": world["user"]}


class Undo(Exception):
    """Ends a request that shall be rolled back."""


class Ledger:
    def __init__(self, label):
        self.label = label
        self.lock = threading.Lock()
        self.answers, self.wrong, self.examples = Counter(), Counter(), defaultdict(list)
        self.committed, self.backends, self.requests = Counter(), set(), 0

    def expect(self, topic, got, expected):
        with self.lock:
            self.answers[topic] += 1
            if got != expected:
                self.wrong[topic] += 1
                self.examples[topic].append(f"got {got!r}, not {expected!r}")

    def wrote(self, name):
        with self.lock:
            self.committed[name] += 1

    def report(self):
        for topic, answers in sorted(self.answers.items()):
            wrong = self.wrong[topic]
            ok(wrong == 0, f"{self.label}: {topic} ({answers} answers)", [f"{wrong} are wrong", *self.examples[topic][:3]])
        for name, writes in self.committed.items():
            print("committed", name, writes)


def ok(passed, name, remarks=()):
    print("ok" if passed else "not ok", name)
    if not passed:
        print(*remarks, sep="\n")


def interleave(ledger, requests, workers, request):
    """So many requests, by threads that take turns at whatever they wait for: request(person, number)."""
    roll = random.Random(20240229)
    failures = []

    def work():
        try:
            while not failures:
                with ledger.lock:
                    if ledger.requests >= requests:
                        return
                    ledger.requests += 1
                    name, number = roll.choice(names), roll.randrange(1 << 20)
                request(name, number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def identity_of(name, number):
    """By user_id or by one of the tokens, whichever the number says, as arguments of the recipes."""
    person = people[name]
    if person["id"] is None:
        return {}
    choice = number % (len(person["tokens"]) + 1)
    return {"user_id": person["id"]} if choice == 0 else {"token": person["tokens"][choice - 1]}


def another_than(name, number):
    others = [other for other in names if other not in (name, "nobody")]
    return people[others[number % len(others)]]


def listed(rows):
    return " ".join(str(row[0]) for row in rows)


class Ways:
    """What a request does, once it is somebody's. A subclass says how statements are run: fetch() answers with rows and
    change() with how many there were; state_of() with the SQLSTATE of what they raised. Parameters are %s."""

    papers, notes = "SELECT id FROM papers ORDER BY id", "SELECT id FROM notes ORDER BY id"

    def __init__(self, ledger):
        self.ledger = ledger

    def refused(self, run, *arguments):
        try:
            run(*arguments)
        except Exception as error:
            return self.state_of(error)
        return "no error"

    def sees(self, at, topic, person):
        expect = self.ledger.expect
        (who, backend), = self.fetch(at, "SELECT seeme_user_id()::text, pg_backend_pid()")
        self.ledger.backends.add(backend)
        expect(topic, who, person["id"])
        expect(topic, listed(self.fetch(at, self.papers)), person["papers"])
        expect(topic, listed(self.fetch(at, self.notes)), person["notes"])

    def reads(self, at, topic, person, name, number):
        self.sees(at, topic, person)

    def fails_in_the_middle_and_is_rolled_back(self, at, topic, person, name, number):
        self.ledger.expect(topic, self.refused(self.fetch, at, "SELECT 1 / 0"), "22012")
        self.ledger.expect(topic, self.refused(self.fetch, at, self.papers), "25P02")
        raise Undo

    def reads_on_after_an_error_within_a_savepoint(self, at, topic, person, name, number):
        def fails():
            with self.savepoint(at):
                self.fetch(at, "SELECT 1 / 0")
        self.ledger.expect(topic, self.refused(fails), "22012")
        self.sees(at, topic, person)

    def writes_and_is_rolled_back(self, at, topic, person, name, number):
        rows = self.fetch(at, "UPDATE papers SET title = %s RETURNING id", f"by {name}")
        self.ledger.expect(topic, listed(sorted(rows)), person["editable"])
        raise Undo

    def inserts_where_nobody_of_them_may(self, at, topic, person, name, number):
        self.ledger.expect(topic, self.refused(self.change, at, "INSERT INTO papers VALUES (9000, %s, 'x')", world["delta"]), "42501")
        raise Undo

    def writes_on_their_own_row(self, at, topic, person, name, number):
        own = int(person["notes"].split()[number % 5]) if person["id"] else 0
        changed = self.change(at, "UPDATE notes SET touched = touched + 1 WHERE id = %s", own)
        self.ledger.expect(topic, changed, 1 if person["id"] else 0)
        return bool(person["id"])

    def tries_to_write_on_the_row_of_another(self, at, topic, person, name, number):
        other = int(another_than(name, number)["notes"].split()[number % 5])
        self.ledger.expect(topic, self.change(at, "UPDATE notes SET touched = 0 WHERE id = %s", other), 0)

    def tries_to_be_somebody_else_as_well(self, at, topic, person, name, number):
        if person["id"] is None:
            return self.sees(at, topic, person)
        self.ledger.expect(topic, self.refused(self.fetch, at, "SELECT seeme_assume(%s::uuid)", another_than(name, number)["id"]), "28000")
        raise Undo

    def all(self):
        return [name for name, method in getmembers(self, ismethod) if "number" in signature(method).parameters]


def run(label, workers, kind, transaction, requests=None):
    """transaction(**identity) is the recipe's: a context whose value statements are run at."""
    requests = requests or world["requests"]
    ledger = Ledger(label)
    ways = kind(ledger)
    every = ways.all()

    def request(name, number):
        way = every[number % len(every)]
        try:
            with transaction(**identity_of(name, number >> 4)) as at:
                wrote = getattr(ways, way)(at, way.replace("_", " "), people[name], name, number >> 8)
            if wrote:
                ledger.wrote(name)
        except Undo:
            pass

    def ask_as_disabled():
        with transaction(user_id=world["disabled"]) as at:
            ways.fetch(at, "SELECT 1")

    interleave(ledger, requests, workers, request)
    ledger.expect("somebody disabled gets an error, and no transaction", ways.refused(ask_as_disabled), "28000")
    request("nobody", every.index("reads"))
    ledger.report()
    ok(ledger.requests >= requests and len(ledger.backends) == 1,
       f"{label}: {ledger.requests} requests on one backend", ledger.backends)


def control(read, workers):
    """The same people, the same reads, but who is asking is a setting of the session, left behind for whoever comes next.
    read(person's id or None, statement) runs in a transaction without an identity, after setting app.user if there is one."""
    ledger = Ledger("control")

    def request(name, number):
        rows = read(people[name]["id"], "SELECT id FROM session_notes ORDER BY id")
        ledger.expect("reads", listed(rows), people[name]["notes"])

    interleave(ledger, 500, workers, request)
    wrong, answers = ledger.wrong["reads"], ledger.answers["reads"]
    ok(0 < wrong < answers,
       f"control: with a setting of the session for an identity, this harness sees a leak ({wrong} of {answers} answers)")


set_session_user = "SELECT set_config('app.user', %s, false)"
