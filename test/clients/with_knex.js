'use strict';
// with_knex.js [SOCKET]: Knex, on the server itself or through the pooler at SOCKET.

const knex = require('knex');
const { asPerson } = require('../../doc/clients/seeme_knex');
const { ok, list } = require('./harness');
const { check } = require('./ways');

const open = (connection, connections, more) =>
  knex({ client: 'pg', connection, pool: { min: 0, max: connections }, ...more });
// The statements that all clients share number their parameters.
const raw = (at, text, values) => at.raw(text.replace(/\$\d/g, '?'), values ?? []);

const ways = {
  'reads by the query builder': async (trx, ledger, topic, person) => {
    ledger.expect(topic, list(await trx('papers').select('id').orderBy('id')), person.papers);
    ledger.expect(topic, list(await trx('notes').select('id').orderBy('id')), person.notes);
  },
  'writes by the query builder': async (trx, ledger, topic, person, number, name) => {
    const [changed] = await trx('notes').where('id', person.notes.split(' ')[number % 5] || 0)
      .increment('touched', 1).returning('owner_id');
    ledger.expect(topic, changed?.owner_id ?? null, person.id);
    return () => person.id && ledger.wrote(name);
  },
};

// Migrations of the owner, who is under the policies.
const source = (up) => ({ getMigrations: async () => ['one'], getMigrationName: (name) => name,
  getMigration: async () => ({ up, down: async () => {} }) });
async function push(owner, app, stateOf) {
  const migrate = async (connection, name, up) => {
    const db = open(connection, 1);
    const state = await stateOf(db.migrate.latest({
      migrationSource: source(up), tableName: name, schemaName: 'migrations' }));
    await db.destroy();
    return state;
  };
  let state = await migrate(owner, 'adds',
    (trx) => trx.schema.alterTable('drafts', (t) => t.text('state')));
  ok(state === 'no error', 'a migration by the owner adds a column', [state]);
  let changed;
  const backfill = async (trx) => { changed = await trx('drafts').update({ state: 'open' }); };
  state = await migrate(owner, 'backfills', backfill);
  ok(state === 'no error' && changed === 0,
    'a backfill by the owner changes no row, and does not say so', [state, changed]);
  state = await migrate({ ...owner, options: '-c row_security=off' }, 'tells', backfill);
  ok(state === '42501', 'with row_security = off it fails instead', [state]);
  state = await migrate(owner, 'alters',
    (trx) => trx.schema.alterTable('drafts', (t) => t.text('owner_id').alter()));
  ok(state === '0A000', '.alter() of the type of a scope column is refused', [state]);
  const db = open(app, 1);
  state = await stateOf(db.schema.alterTable('drafts', (t) => t.text('more')));
  ok(state === '42501', 'the application\'s role alters no table', [state]);
  await db.destroy();
}

check({
  open,
  close: (db) => db.destroy(),
  asPerson,
  begin: (db, work) => db.transaction(work),
  rows: async (at, text, values) => (await raw(at, text, values)).rows,
  count: async (at, text, values) => (await raw(at, text, values)).rowCount,
  savepoint: (at, work) => at.transaction(work),
  state: (error) => error.code,
  ways,
  push,
});
