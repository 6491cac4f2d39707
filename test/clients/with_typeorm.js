'use strict';
// with_typeorm.js [SOCKET]: TypeORM, on the server itself or through the pooler at SOCKET.

const { DataSource, EntitySchema } = require('typeorm');
const { asPerson } = require('../../doc/clients/seeme_typeorm');
const { ok, list } = require('./harness');
const { check } = require('./ways');

const entity = (name, columns) => new EntitySchema({
  name, tableName: name, columns: { id: { type: 'int', primary: true }, ...columns } });
const papers = entity('papers', { project_id: { type: 'uuid' }, title: { type: 'text' } });
const notes = entity('notes', { owner_id: { type: 'uuid' }, touched: { type: 'int' } });

const open = ({ host, port, database, user }, max, entities = [papers, notes]) => new DataSource({
  type: 'postgres', host, port, database, username: user, poolSize: max, entities }).initialize();

const ways = {
  'reads by repositories': async (manager, ledger, topic, person) => {
    const found = await manager.getRepository('papers').find({ order: { id: 'ASC' } });
    ledger.expect(topic, list(found), person.papers);
    ledger.expect(topic, list(await manager.find('notes', { order: { id: 'ASC' } })), person.notes);
  },
  'reads by the query builder': async (manager, ledger, topic, person) => {
    const found = manager.createQueryBuilder('notes', 'n').orderBy('n.id').getMany();
    ledger.expect(topic, list(await found), person.notes);
  },
  'saves an entity': async (manager, ledger, topic, person, number, name) => {
    const own = Number(person.notes.split(' ')[number % 5] ?? 0);
    const note = await manager.findOneBy('notes', { id: own });
    ledger.expect(topic, note?.owner_id ?? null, person.id);
    if (!note) return undefined;
    note.touched += 1;
    await manager.save('notes', note); // a savepoint of its own
    return () => ledger.wrote(name);
  },
};

// synchronize(), with a schema as it is, and with another type for the scope column.
async function push(owner, app, stateOf) {
  const synchronize = async (where, columns) => {
    const source = await open(where, 1, [entity('drafts', columns)]);
    const state = await stateOf(source.synchronize());
    await source.destroy();
    return state;
  };
  const more = { owner_id: { type: 'uuid' }, more: { type: 'text', nullable: true } };
  let state = await synchronize(app, more);
  ok(state === '42501', 'synchronize() by the application\'s role is refused', [state]);
  state = await synchronize(owner, { owner_id: { type: 'text' } });
  ok(state === '2BP01', 'synchronize() by the owner does not drop a scope column', [state]);
  state = await synchronize(owner, more);
  ok(state === 'no error', 'synchronize() by the owner adds a column', [state]);
}

check({
  open,
  close: (source) => source.destroy(),
  asPerson,
  begin: (source, work) => source.transaction(work),
  rows: (at, text, values) => at.query(text, values),
  count: async (at, text, values) => {
    const answer = await at.query(text, values);
    return answer[1] ?? answer.length; // of an UPDATE: its rows, and how many there were
  },
  savepoint: (manager, work) => manager.transaction(work),
  state: (error) => error.code,
  ways,
  push,
});
