'use strict';
// What the tests of query builders and ORMs for Node share: what a request does, once it is
// somebody's, and the runs that each recipe has to pass. See ClientsTest.pm for what a program is
// told and what it has to print.
//
// A client is an object of
//   open(where, connections)        a pool on { host, port, database, user }, of that size
//   close(db)
//   asPerson(db, identity, work)    the recipe's
//   begin(db, work)                 work(at) in a transaction that names nobody
//   rows(at, text, values)          the rows of a statement with $1, $2; at: db or a transaction
//   count(at, text, values)         how many rows a statement changed
//   savepoint(at, work)             work(inner) within a savepoint, which an error undoes
//   state(error)                    the SQLSTATE
//   ways                            more that a request may do, by the client's own means

const { world, Ledger, ok, interleave, identityOf, anotherThan, list } = require('./harness');

const pooler = process.argv[2];
const where = {
  host: pooler ?? world.socket, port: pooler ? 6432 : 5432,
  database: world.database, user: world.user };
const papers = 'SELECT id FROM papers ORDER BY id';
const notes = 'SELECT id FROM notes ORDER BY id';
const undo = new Error('undo');

function check(client) {
  const stateOf = (promise) => promise.then(() => 'no error',
    (error) => client.state(error) ?? String(error));

  async function sees(at, ledger, topic, person) {
    const [asking] = await client.rows(at,
      'SELECT seeme_user_id() AS id, pg_backend_pid() AS backend');
    ledger.backends.add(asking.backend);
    ledger.expect(topic, asking.id, person.id);
    ledger.expect(topic, list(await client.rows(at, papers)), person.papers);
    ledger.expect(topic, list(await client.rows(at, notes)), person.notes);
  }

  // Each may throw, and is rolled back then.
  const ways = {
    'reads': sees,
    'reads on after an error within a savepoint': async (at, ledger, topic, person) => {
      const failing = client.savepoint(at, (inner) => client.rows(inner, 'SELECT 1 / 0'));
      ledger.expect(topic, await stateOf(failing), '22012');
      await sees(at, ledger, topic, person);
    },
    'fails in the middle and is rolled back': async (at, ledger, topic) => {
      ledger.expect(topic, await stateOf(client.rows(at, 'SELECT 1 / 0')), '22012');
      ledger.expect(topic, await stateOf(client.rows(at, papers)), '25P02');
      throw undo;
    },
    'swallows an error, and is told': async (at, ledger, topic) => {
      ledger.expect(topic, await stateOf(client.rows(at, 'SELECT 1 / 0')), '22012');
      return 'not committed';
    },
    'writes and is rolled back': async (at, ledger, topic, person) => {
      const rows = await client.rows(at, papers);
      ledger.expect(topic, list(rows), person.papers);
      const changed = await client.count(at, 'UPDATE papers SET title = $1', [`by ${person.id}`]);
      ledger.expect(topic, changed, person.editable.split(' ').filter(Boolean).length);
      throw undo;
    },
    'inserts where nobody of them may': async (at, ledger, topic) => {
      const insert = client.count(at,
        'INSERT INTO papers VALUES (9000, $1, $2)', [world.delta, 'x']);
      ledger.expect(topic, await stateOf(insert), '42501');
      throw undo;
    },
    'writes on their own row': async (at, ledger, topic, person, number, name) => {
      const own = Number(person.notes.split(' ')[number % 5] ?? 0);
      const changed = await client.count(at,
        'UPDATE notes SET touched = touched + 1 WHERE id = $1', [own]);
      ledger.expect(topic, changed, person.id ? 1 : 0);
      return () => person.id && ledger.wrote(name);
    },
    'writes on somebody else\'s row': async (at, ledger, topic, person, number, name) => {
      const other = Number(anotherThan(name, number).notes.split(' ')[number % 5]);
      const changed = await client.count(at, 'UPDATE notes SET touched = 0 WHERE id = $1', [other]);
      ledger.expect(topic, changed, 0);
    },
    'tries to be somebody else as well': async (at, ledger, topic, person, number, name) => {
      if (!person.id) return sees(at, ledger, topic, person);
      const other = anotherThan(name, number).id;
      const assumed = client.rows(at, 'SELECT seeme_assume($1)', [other]);
      ledger.expect(topic, await stateOf(assumed), '28000');
      throw undo;
    },
    ...client.ways,
  };

  // These forget the recipe.
  const forgetful = {
    'a forgotten name: a transaction sees and changes no rows': (db, ledger, topic) =>
      client.begin(db, async (at) => {
        await sees(at, ledger, topic, world.people.nobody);
        ledger.expect(topic, await client.count(at, 'UPDATE notes SET touched = 0'), 0);
      }),
    'a forgotten transaction: statements see and change no rows': async (db, ledger, topic) => {
      ledger.expect(topic, list(await client.rows(db, papers)), '');
      ledger.expect(topic, list(await client.rows(db, notes)), '');
      ledger.expect(topic, await client.count(db, 'UPDATE notes SET touched = 0'), 0);
    },
  };

  async function run(label, connections, requests) {
    const ledger = new Ledger(label);
    const db = await client.open(where, connections);
    const kinds = [...Object.keys(ways), ...Object.keys(forgetful)];
    await interleave(ledger, requests, 8, async (name, number) => {
      const topic = kinds[number % kinds.length];
      if (forgetful[topic]) return forgetful[topic](db, ledger, topic);
      try {
        const kept = await client.asPerson(db, identityOf(name, number >> 4),
          (at) => ways[topic](at, ledger, topic, world.people[name], number >> 8, name));
        if (typeof kept === 'function') kept();
        if (kept === 'not committed') ledger.expect(topic, kept, 'an error');
      } catch (error) {
        if (error !== undo) ledger.expect(topic, client.state(error) ?? String(error), '25P02');
      }
    });
    const refused = client.asPerson(db, { userId: world.disabled },
      (at) => client.rows(at, 'SELECT 1'));
    ledger.expect('somebody disabled gets an error, and no transaction',
      await stateOf(refused), '28000');
    await client.asPerson(db, null, (at) => sees(at, ledger, 'reads', world.people.nobody));
    await client.close(db);
    ledger.report();
    ok(ledger.requests >= requests && ledger.backends.size === (pooler ? 1 : connections),
      `${label}: ${ledger.requests} requests on ${ledger.backends.size} backends`,
      [...ledger.backends]);
  }

  // The statement that is forgotten goes to another connection, which has no principal.
  async function past_the_transaction() {
    const db = await client.open(where, 2);
    const { paul } = world.people;
    await client.asPerson(db, { userId: paul.id }, async (at) => {
      const seen = list(await client.rows(db, papers));
      ok(seen === '', 'within a request, a statement past its transaction sees no rows', [seen]);
      ok(list(await client.rows(at, papers)) === paul.papers,
        'within its transaction, the person\'s rows');
      // (The pool of node-postgres closes a connection after such an error.)
      const insert = stateOf(client.count(db, 'INSERT INTO notes VALUES (9000, $1)', [paul.id]));
      ok(await insert === '42501', 'past it, an INSERT is refused', [await insert]);
    });
    await client.close(db);
  }

  // What other sessions can read of this one's statements.
  async function token_is_a_parameter() {
    const db = await client.open(where, 2);
    const { tokens: [token] } = world.people.paul;
    await client.asPerson(db, { token }, async () => {
      const found = await client.rows(db, `SELECT query FROM pg_stat_activity
        WHERE usename = current_user AND pid <> pg_backend_pid() AND query LIKE '%seeme_login%'`);
      ok(found.length === 1 && !found[0].query.includes(token),
        'a token is bound, and does not stand in pg_stat_activity', found.map((row) => row.query));
    });
    await client.close(db);
  }

  // The same people, the same reads, but who is asking is a setting of the session: what anybody
  // sees who did not set it is what was left behind in the connection.
  async function control() {
    const ledger = new Ledger('control');
    const db = await client.open(where, 1);
    await interleave(ledger, 500, 8, (name) => client.begin(db, async (at) => {
      const { id, notes: expected } = world.people[name];
      if (id) await client.rows(at, 'SELECT set_config(\'app.user\', $1, false)', [id]);
      const rows = await client.rows(at, 'SELECT id FROM session_notes ORDER BY id');
      ledger.expect('reads', list(rows), expected);
    }));
    await client.close(db);
    const [wrong, answers] = [ledger.wrong(), ledger.answers()];
    ok(wrong > 0 && wrong < answers,
      'control: with a setting of the session for an identity, this harness sees a leak '
      + `(${wrong} of ${answers} answers)`);
  }

  (async () => {
    if (pooler) {
      await run('two clients of pgbouncer', 2, world.requests);
    } else {
      await run('a pool of one', 1, world.requests);
      await run('a pool of four', 4, world.requests / 5);
      await past_the_transaction();
      await token_is_a_parameter();
      await client.push?.({ ...where, user: world.owner }, where, stateOf);
    }
    await control();
    console.log('done');
  })().catch((error) => { console.error(error); process.exit(1); });
}

module.exports = { check };
