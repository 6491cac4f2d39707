'use strict';
// with_drizzle.js [SOCKET]: Drizzle over node-postgres, on the server itself or through the pooler
// at SOCKET.

const { Pool } = require('pg');
const { asc, eq, sql } = require('drizzle-orm');
const { pushSchema } = require('drizzle-kit/api');
const { drizzle } = require('drizzle-orm/node-postgres');
const { integer, pgTable, text, uuid } = require('drizzle-orm/pg-core');
const { asPerson } = require('../../doc/clients/seeme_drizzle');
const { ok, list } = require('./harness');
const { check } = require('./ways');

const papers = pgTable('papers', {
  id: integer().primaryKey(), project_id: uuid().notNull(), title: text().notNull() });
const notes = pgTable('notes', {
  id: integer().primaryKey(), owner_id: uuid().notNull(), touched: integer().notNull() });

const open = (where, max) =>
  drizzle(new Pool({ ...where, max }), { schema: { papers, notes } });
const close = (db) => db.$client.end();

// The statements that all clients share, as Drizzle has them: text and parameters in turn.
function run(at, statement, values = []) {
  const parts = statement.split(/\$\d/).flatMap((part, n) =>
    n === 0 ? [sql.raw(part)] : [sql.param(values[n - 1]), sql.raw(part)]);
  return at.execute(sql.join(parts));
}

const ways = {
  'reads by the query builder': async (tx, ledger, topic, person) => {
    const select = (table) => tx.select().from(table).orderBy(asc(table.id));
    ledger.expect(topic, list(await select(papers)), person.papers);
    ledger.expect(topic, list(await select(notes)), person.notes);
  },
  'reads by relational queries': async (tx, ledger, topic, person) => {
    const rows = await tx.query.papers.findMany({ columns: { id: true }, orderBy: asc(papers.id) });
    ledger.expect(topic, list(rows), person.papers);
  },
  'writes by the query builder': async (tx, ledger, topic, person, number, name) => {
    const own = Number(person.notes.split(' ')[number % 5] ?? 0);
    const [changed] = await tx.update(notes).set({ touched: sql`${notes.touched} + 1` })
      .where(eq(notes.id, own)).returning();
    ledger.expect(topic, changed?.owner_id ?? null, person.id);
    return () => person.id && ledger.wrote(name);
  },
};

// What drizzle-kit push runs, with a schema that says nothing of policies.
async function push(owner, app, stateOf) {
  const drafts = pgTable('drafts', {
    id: integer().primaryKey(), owner_id: uuid().notNull(), more: text() });
  for (const user of [owner, app]) {
    const db = open(user, 1);
    const write = process.stdout.write;
    process.stdout.write = () => true; // it draws what it is doing
    const { statementsToExecute, apply } = await pushSchema({ drafts }, db, ['public'], ['drafts'])
      .finally(() => { process.stdout.write = write; });
    ok(statementsToExecute.some((statement) => /DISABLE ROW LEVEL SECURITY/.test(statement)),
      'push wants to take the protection off', statementsToExecute);
    const state = await stateOf(apply());
    ok(state === '42501', `push by ${user.user} is refused`, [state]);
    await close(db);
  }
}

check({
  open,
  close,
  asPerson,
  begin: (db, work) => db.transaction(work),
  rows: async (at, statement, values) => (await run(at, statement, values)).rows,
  count: async (at, statement, values) => (await run(at, statement, values)).rowCount,
  savepoint: (at, work) => at.transaction(work),
  state: (error) => error.cause?.code ?? error.code,
  ways,
  push,
});
