'use strict';
// with_prisma.js [SOCKET]: Prisma's client without an engine, on the server itself or through the
// pooler at SOCKET.

const { spawnSync } = require('child_process');
const fs = require('fs');
const path = require('path');
const { PrismaPg } = require('@prisma/adapter-pg');
const { asPerson } = require('../../doc/clients/seeme_prisma');
const { world, ok, list } = require('./harness');
const { check } = require('./ways');

// The command line would first fetch an engine for schemas, in place of which it has one in
// WebAssembly here: a file that is there keeps it from doing so.
const cli = require.resolve('prisma/build/index.js');
const prisma = (folder, env, ...args) => spawnSync(process.execPath, [cli, ...args], {
  cwd: folder, encoding: 'utf8',
  env: { ...process.env, DATABASE_URL: 'postgresql://none', CHECKPOINT_DISABLE: '1',
    PRISMA_HIDE_UPDATE_MESSAGE: '1', PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', ...env },
});
fs.symlinkSync(path.resolve(cli, '../../..'), path.join(world.directory, 'node_modules'));

function generate() {
  const schema = path.join(world.directory, 'schema.prisma');
  fs.copyFileSync(path.join(__dirname, 'schema.prisma'), schema);
  const { status, stderr } = prisma(world.directory, {}, 'generate', '--schema', schema);
  if (status !== 0) throw new Error(stderr);
  return require(path.join(world.directory, 'generated'));
}
const { PrismaClient } = generate();

const open = ({ host, port, database, user }, max) =>
  new PrismaClient({ adapter: new PrismaPg({ host, port, database, user, max }) });
// A transaction waits for a connection for two seconds, unless told otherwise.
const options = { maxWait: 600_000, timeout: 60_000 };

const ways = {
  'reads by the models': async (tx, ledger, topic, person) => {
    ledger.expect(topic, list(await tx.papers.findMany({ orderBy: { id: 'asc' } })), person.papers);
    ledger.expect(topic, list(await tx.notes.findMany({ orderBy: { id: 'asc' } })), person.notes);
    ledger.expect(topic, await tx.notes.count(), person.notes.split(' ').filter(Boolean).length);
  },
  'writes by the models': async (tx, ledger, topic, person, number, name) => {
    const id = Number(person.notes.split(' ')[number % 5] ?? 0);
    const { count } = await tx.notes.updateMany({
      where: { id }, data: { touched: { increment: 1 } } });
    ledger.expect(topic, count, person.id ? 1 : 0);
    return () => person.id && ledger.wrote(name);
  },
  'updates one row by a model': async (tx, ledger, topic, person, number, name) => {
    const id = Number(person.notes.split(' ')[number % 5] ?? 0);
    const changed = await tx.notes.update({ where: { id }, data: { touched: { increment: 1 } } })
      .catch((error) => error.code);
    ledger.expect(topic, changed.owner_id ?? changed, person.id ?? 'P2025');
    return () => person.id && ledger.wrote(name);
  },
};

const stateIn = (error) =>
  (error.meta?.driverAdapterError ?? error).cause?.originalCode ?? error.code;

// The array form of a transaction; and what the models' own functions say outside of one.
async function more(where) {
  const db = open(where, 1);
  const { paul, gina } = world.people;
  const [, papers] = await db.$transaction([
    db.$queryRaw`SELECT seeme_assume(${paul.id}::uuid)`,
    db.papers.findMany({ orderBy: { id: 'asc' } }),
  ]);
  ok(list(papers) === paul.papers, 'an array of statements is a transaction as well', [papers]);
  const id = Number(gina.notes.split(' ')[0]);
  const said = async (name, args) => db.notes[name](args)
    .then((answer) => JSON.stringify(answer), (error) => stateIn(error));
  const answers = [
    await said('findUnique', { where: { id } }), await said('findUniqueOrThrow', { where: { id } }),
    await said('update', { where: { id }, data: { touched: 7 } }),
    await said('delete', { where: { id } }), await said('deleteMany', { where: { id } }),
    await said('create', { data: { id: 9000, owner_id: gina.id } }),
    await said('upsert', {
      where: { id }, update: { touched: 7 }, create: { id, owner_id: gina.id } }),
  ];
  const expected = ['null', 'P2025', 'P2025', 'P2025', '{"count":0}', '42501', '42501'];
  ok(String(answers) === String(expected), 'outside of a transaction, a row is not there', answers);
  // A transaction that takes longer than its timeout is rolled back.
  const slow = await asPerson(db, { userId: gina.id }, async (tx) => {
    await tx.notes.updateMany({ data: { touched: 7 } });
    await new Promise((resolve) => { setTimeout(resolve, 300); });
  }, { timeout: 100 }).catch(stateIn);
  ok(slow === 'P2028', 'one that takes too long fails', [slow]);
  const touched = await asPerson(db, { userId: gina.id },
    (tx) => tx.notes.count({ where: { touched: 7 } }));
  ok(touched === 0, 'and has changed nothing', [touched]);
  await db.$disconnect();
}

// prisma db push: as the schema is; without the index; with another type for the scope column.
function push(owner, app) {
  const folder = path.join(world.directory, 'push');
  fs.mkdirSync(folder);
  fs.copyFileSync(path.join(__dirname, 'prisma.config.js'), path.join(folder, 'prisma.config.js'));
  const schema = fs.readFileSync(path.join(__dirname, 'schema.prisma'), 'utf8');
  const pushed = ({ user, host }, drafts) => {
    fs.writeFileSync(path.join(folder, 'schema.prisma'), `${schema}
      model drafts {\n id Int @id\n ${drafts}\n }
      model session_notes {\n id Int?\n owner_id String? @db.Uuid\n touched Int?\n @@ignore\n }`);
    const { status, stdout, stderr } = prisma(folder, { PUSH_USER: user, PUSH_HOST: host,
      PUSH_DATABASE: world.database }, 'db', 'push', '--skip-generate', '--accept-data-loss');
    return status === 0 ? 'pushed' : stdout + stderr;
  };
  const column = 'owner_id String @db.Uuid';
  let said = pushed(app, `${column}\n more String?\n @@index([owner_id])`);
  ok(/must be owner of table drafts/.test(said),
    'push by the application\'s role is refused', [said]);
  said = pushed(owner, `${column}\n more String?\n @@index([owner_id])`);
  ok(said === 'pushed', 'push by the owner adds a column', [said]);
  said = pushed(owner, 'owner_id String\n more String?\n @@index([owner_id])');
  ok(/cannot alter type of a column used in a policy/.test(said),
    'push by the owner does not change the type of a scope column', [said]);
  said = pushed(owner, `${column}\n more String?`);
  ok(said === 'pushed', 'push by the owner drops an index that the schema lacks', [said]);
}

let savepoints = 0;
check({
  open,
  close: (prisma) => prisma.$disconnect(),
  asPerson: (prisma, identity, work) => asPerson(prisma, identity, work, options),
  begin: (prisma, work) => prisma.$transaction(work, options),
  rows: (at, text, values = []) => at.$queryRawUnsafe(text, ...values),
  count: (at, text, values = []) => at.$executeRawUnsafe(text, ...values),
  savepoint: async (tx, work) => { // Prisma has none of its own
    savepoints += 1;
    const name = `s${savepoints}`;
    await tx.$executeRawUnsafe(`SAVEPOINT ${name}`);
    try {
      return await work(tx);
    } catch (error) {
      await tx.$executeRawUnsafe(`ROLLBACK TO SAVEPOINT ${name}`);
      throw error;
    }
  },
  state: stateIn,
  ways,
  push: async (owner, app) => { push(owner, app); await more(app); },
});
