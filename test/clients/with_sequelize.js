'use strict';
// with_sequelize.js [SOCKET]: Sequelize, on the server itself or through the pooler at SOCKET.

const { DataTypes, Sequelize } = require('sequelize');
const { asPerson } = require('../../doc/clients/seeme_sequelize');
const { ok, list } = require('./harness');
const { check } = require('./ways');

function open({ host, port, database, user }, max) {
  const sequelize = new Sequelize(database, user, '', {
    dialect: 'postgres', host, port, logging: false, define: { timestamps: false },
    pool: { max, acquire: 600_000 } });
  const id = () => ({ type: DataTypes.INTEGER, primaryKey: true });
  sequelize.define('papers', { id: id(), project_id: DataTypes.UUID, title: DataTypes.TEXT });
  sequelize.define('notes', { id: id(), owner_id: DataTypes.UUID, touched: DataTypes.INTEGER });
  return sequelize;
}

// at: a transaction, or a Sequelize outside of one.
const query = (at, text, bind, type) => (at.sequelize ?? at).query(text, {
  bind, type, transaction: at.sequelize ? at : undefined });

const ways = {
  'reads by models': async (transaction, ledger, topic, person) => {
    const { papers, notes } = transaction.sequelize.models;
    ledger.expect(topic, list(await papers.findAll({ order: ['id'], transaction })), person.papers);
    ledger.expect(topic, list(await notes.findAll({ order: ['id'], transaction })), person.notes);
  },
  'writes by models': async (transaction, ledger, topic, person, number, name) => {
    const own = Number(person.notes.split(' ')[number % 5] ?? 0);
    const note = await transaction.sequelize.models.notes.findByPk(own, { transaction });
    ledger.expect(topic, note?.owner_id ?? null, person.id);
    await note?.increment('touched', { transaction });
    return () => note && ledger.wrote(name);
  },
};

// sync(): what it does with protected tables, and whom it leaves them to.
async function push(owner, app, stateOf) {
  const sync = async (where, table, options) => {
    const sequelize = open(where, 1);
    const model = sequelize.define(table, {
      id: { type: DataTypes.INTEGER, primaryKey: true },
      owner_id: { type: DataTypes.UUID, allowNull: false },
    });
    const state = await stateOf(model.sync(options));
    await sequelize.close();
    return state;
  };
  let state = await sync(app, 'drafts');
  ok(state === 'no error', 'sync() of a table that exists does nothing', [state]);
  state = await sync(app, 'drafts', { alter: true });
  ok(state === '42501', 'sync({ alter: true }) by the application\'s role is refused', [state]);
  state = await sync(app, 'drafts', { force: true });
  ok(state === '42501', 'sync({ force: true }) by the application\'s role is refused', [state]);
  state = await sync(owner, 'drafts', { alter: true });
  ok(state === '0A000', 'sync({ alter: true }) by the owner is refused', [state]);
  state = await sync(owner, 'discards', { force: true });
  ok(state === 'no error', 'sync({ force: true }) by the owner makes the table anew', [state]);
  const sequelize = open(app, 1);
  state = await stateOf(sequelize.query('SELECT * FROM discards'));
  ok(state === '42501', 'which is granted to nobody then', [state]);
  await sequelize.close();
}

check({
  open,
  close: (sequelize) => sequelize.close(),
  asPerson,
  begin: (sequelize, work) => sequelize.transaction(work),
  rows: (at, text, bind) => query(at, text, bind, 'SELECT'),
  count: async (at, text, bind) => (await query(at, text, bind))[1].rowCount,
  savepoint: (transaction, work) => transaction.sequelize.transaction({ transaction }, work),
  state: (error) => error.original?.code ?? error.code,
  ways,
  push,
});
