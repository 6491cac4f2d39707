'use strict';
// node_postgres.js [SOCKET]: node-postgres and its pool, on the server itself or through the pooler at SOCKET.

const { Pool } = require('pg');
const { asPerson } = require('../../doc/clients/seeme_pg');
const { world, Ledger, ok, interleave, identityOf, anotherThan, list, stateOf } = require('./harness');

const pooler = process.argv[2];
const poolOf = (max) => new Pool({
  host: pooler ?? world.socket, port: pooler ? 6432 : 5432, database: world.database, user: world.user, max });

const statements = {
  who: 'SELECT seeme_user_id() AS id, pg_backend_pid() AS backend',
  papers: 'SELECT id FROM papers ORDER BY id',
  notes: 'SELECT id FROM notes ORDER BY id',
};

async function sees(client, ledger, topic, person) {
  const who = (await client.query(statements.who)).rows[0];
  ledger.backends.add(who.backend);
  ledger.expect(topic, who.id, person.id);
  ledger.expect(topic, list((await client.query(statements.papers)).rows), person.papers);
  ledger.expect(topic, list((await client.query(statements.notes)).rows), person.notes);
}

// What a request does, once it is somebody's; it may throw, and is rolled back then.
const undo = new Error('undo');
const ways = {
  'reads': sees,
  'reads by named prepared statements': async (client, ledger, topic, person) => {
    for (const kind of ['papers', 'notes']) {
      ledger.expect(topic, list((await client.query({ name: kind, text: statements[kind] })).rows), person[kind]);
    }
  },
  'reads on after an error within a savepoint': async (client, ledger, topic, person) => {
    await client.query('SAVEPOINT s');
    ledger.expect(topic, await stateOf(client.query('SELECT 1 / 0')), '22012');
    await client.query('ROLLBACK TO SAVEPOINT s');
    await sees(client, ledger, topic, person);
  },
  'fails in the middle and is rolled back': async (client, ledger, topic) => {
    ledger.expect(topic, await stateOf(client.query('SELECT 1 / 0')), '22012');
    ledger.expect(topic, await stateOf(client.query(statements.papers)), '25P02');
    throw undo;
  },
  'swallows an error, which COMMIT tells': async (client, ledger, topic) => {
    ledger.expect(topic, await stateOf(client.query('SELECT 1 / 0')), '22012');
    return 'not committed';
  },
  'writes and is rolled back': async (client, ledger, topic, person) => {
    const { rows } = await client.query('UPDATE papers SET title = $1 RETURNING id', [`by ${person.id}`]);
    ledger.expect(topic, list(rows.sort((a, b) => a.id - b.id)), person.editable);
    throw undo;
  },
  'inserts where nobody of them may': async (client, ledger, topic) => {
    ledger.expect(topic, await stateOf(client.query('INSERT INTO papers VALUES (9000, $1, $2)', [world.delta, 'x'])), '42501');
    throw undo;
  },
  'writes on their own row': async (client, ledger, topic, person, number, name) => {
    const own = Number(person.notes.split(' ')[number % 5] ?? 0);
    const { rowCount } = await client.query('UPDATE notes SET touched = touched + 1 WHERE id = $1', [own]);
    ledger.expect(topic, rowCount, person.id ? 1 : 0);
    return () => person.id && ledger.wrote(name);
  },
  'writes on somebody else\'s row': async (client, ledger, topic, person, number, name) => {
    const other = anotherThan(name, number).notes.split(' ').map(Number);
    const { rowCount } = await client.query('UPDATE notes SET touched = 0 WHERE id = ANY ($1)', [other]);
    ledger.expect(topic, rowCount, 0);
  },
  'tries to be somebody else as well': async (client, ledger, topic, person, number, name) => {
    if (!person.id) return sees(client, ledger, topic, person);
    ledger.expect(topic, await stateOf(client.query('SELECT seeme_assume($1)', [anotherThan(name, number).id])), '28000');
    throw undo;
  },
};

// A named statement stays with its connection, which a pooler hands to the next client.
if (pooler) delete ways['reads by named prepared statements'];

async function run(label, connections, requests) {
  const ledger = new Ledger(label);
  const pool = poolOf(connections);
  const kinds = Object.keys(ways);
  await interleave(ledger, requests, 8, async (name, number) => {
    const topic = kinds[number % kinds.length];
    const person = world.people[name];
    try {
      const kept = await asPerson(pool, identityOf(name, number >> 4), (client) => ways[topic](client, ledger, topic, person, number >> 8, name));
      if (typeof kept === 'function') kept();
      if (kept === 'not committed') ledger.expect(topic, kept, 'an error');
    } catch (error) {
      if (error !== undo) ledger.expect(topic, error.message, 'the transaction failed and was rolled back');
    }
  });
  ledger.expect('somebody disabled gets an error, and no transaction',
    await stateOf(asPerson(pool, { userId: world.disabled }, (client) => client.query('SELECT 1'))), '28000');
  await asPerson(pool, null, (client) => sees(client, ledger, 'reads', world.people.nobody));
  await pool.end();
  ledger.report();
  return ledger;
}

// The same people, the same reads, but who is asking is a setting of the session: what anybody sees who did not set it
// is what whoever had the connection before them left behind.
async function control() {
  const ledger = new Ledger('control');
  const pool = poolOf(pooler ? 2 : 1);
  await interleave(ledger, 500, 8, async (name) => {
    const client = await pool.connect();
    await client.query('BEGIN');
    if (name !== 'nobody') await client.query("SELECT set_config('app.user', $1, false)", [world.people[name].id]);
    ledger.expect('reads', list((await client.query('SELECT id FROM session_notes ORDER BY id')).rows), world.people[name].notes);
    await client.query('COMMIT');
    client.release();
  });
  await pool.end();
  const [wrong, answers] = [ledger.wrong(), ledger.answers()];
  ok(wrong > 0 && wrong < answers, `control: with a setting of the session for an identity, this harness sees a leak (${wrong} of ${answers} answers)`);
}

// What other sessions can read of this one's statements.
async function token_is_a_parameter() {
  const pool = poolOf(2);
  const { tokens: [token] } = world.people.paul;
  await asPerson(pool, { token }, async () => {
    const watcher = await pool.connect();
    const { rows } = await watcher.query(
      "SELECT query FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid() AND query LIKE '%seeme_login%'");
    watcher.release();
    ok(rows.length === 1 && !rows[0].query.includes(token), 'a token is bound, and does not stand in pg_stat_activity', rows.map((row) => row.query));
  });
  await pool.end();
}

(async () => {
  if (pooler) {
    // Two clients of the pooler, which has one connection.
    const ledger = await run('two clients of pgbouncer', 2, world.requests);
    ok(ledger.requests >= world.requests && ledger.backends.size === 1, `two clients of pgbouncer: ${ledger.requests} requests on one backend`, [...ledger.backends]);
  } else {
    const one = await run('a pool of one', 1, world.requests);
    ok(one.requests >= world.requests && one.backends.size === 1, `a pool of one: ${one.requests} requests on one backend`, [...one.backends]);
    const several = await run('a pool of four', 4, world.requests / 5);
    ok(several.backends.size === 4, `a pool of four: ${several.requests} requests on four backends`, [...several.backends]);
    await token_is_a_parameter();
  }
  await control();
  console.log('done');
})().catch((error) => { console.error(error); process.exit(1); });
