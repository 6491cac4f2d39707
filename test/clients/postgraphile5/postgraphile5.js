'use strict';
// postgraphile5.js [SOCKET]: PostGraphile 5 answers GraphQL of people who take turns, over one
// connection to the server itself, or to the pooler at SOCKET. The requests come without HTTP.

const { Pool } = require('pg');
const { postgraphile } = require('postgraphile');
const { PostGraphileAmberPreset } = require('postgraphile/presets/amber');
const { grafast } = require('postgraphile/grafast');
const { makePgService } = require('postgraphile/adaptors/pg');
const { makeSeemePgService } = require('../../../doc/clients/seeme_postgraphile5');
const { world, Ledger, ok, interleave, identityOf, anotherThan, list } = require('../harness');

const pooler = process.argv[2];
const poolOf = (max) => new Pool({
  host: pooler ?? world.socket, port: pooler ? 6432 : 5432,
  database: world.database, user: world.user, max });

// Stands for an application's sessions.
const settingsOf = (name, number) => {
  const { userId, token } = identityOf(name, number) ?? {};
  return { ...(userId && { 'seeme.user_id': userId }), ...(token && { 'seeme.token': token }) };
};

async function serve(pool, makeService) {
  const instance = postgraphile({
    extends: [PostGraphileAmberPreset],
    pgServices: [makeService({ pool, schemas: ['public'], pubsub: false })],
    grafast: { context: (request) => ({ pgSettings: request.pgSettings }) },
    gather: { pgStrictFunctions: true },
  });
  const { schema, resolvedPreset } = await instance.getSchemaResult();
  const ask = (pgSettings, source, variableValues) =>
    grafast({ schema, source, variableValues, resolvedPreset, requestContext: { pgSettings } });
  return { ask, schema, release: () => instance.release() };
}

const codes = (answer) => [...new Set((answer.errors ?? []).map((error) =>
  error.originalError?.code ?? error.message))].join(' ');
const everything = 'asking backend allPapers(orderBy: ROW_ID_ASC) { nodes { rowId } } '
  + 'allNotes(orderBy: ROW_ID_ASC) { nodes { rowId } }';
const ids = ({ nodes }) => list(nodes.map(({ rowId }) => ({ id: rowId })));
function check(ledger, topic, person, data) {
  ledger.backends.add(data.backend);
  ledger.expect(topic, data.asking, person.id);
  ledger.expect(topic, ids(data.allPapers), person.papers);
  ledger.expect(topic, ids(data.allNotes), person.notes);
}

const ways = {
  'a query': async (send, ledger, topic, person) => {
    const answer = await send(`{ ${everything} }`);
    ledger.expect(topic, codes(answer), '');
    check(ledger, topic, person, answer.data);
  },
  'a mutation of somebody\'s own row': async (send, ledger, topic, person, number, name) => {
    const id = Number(person.notes.split(' ')[number % 5] ?? 0);
    const answer = await send(`mutation ($id: Int!) { touch(input: { noteId: $id }) {
      result query { ${everything} } } }`, { id });
    ledger.expect(topic, codes(answer), '');
    ledger.expect(topic, answer.data.touch.result, person.id ? id : null);
    check(ledger, topic, person, answer.data.touch.query);
    if (person.id) ledger.wrote(name);
  },
  'a mutation of somebody else\'s row': async (send, ledger, topic, person, number, name) => {
    const id = Number(anotherThan(name, number).notes.split(' ')[number % 5]);
    const answer = await send(
      'mutation ($id: Int!) { touch(input: { noteId: $id }) { result } }', { id });
    ledger.expect(topic, answer.data.touch.result, null);
    const generated = await send(`mutation ($id: Int!) {
      updateNoteByRowId(input: { rowId: $id, notePatch: { touched: 0 } }) { note { rowId } } }`,
    { id });
    ledger.expect(topic, generated.data.updateNoteByRowId?.note ?? null, null);
    ledger.expect(topic, codes(generated), '');
  },
  'the generated insert, where nobody of them may': async (send, ledger, topic) => {
    const answer = await send(`mutation ($project: UUID!) { createPaper(input: {
      paper: { rowId: 9000, projectId: $project, title: "x" } }) { paper { rowId } } }`,
    { project: world.delta });
    ledger.expect(topic, codes(answer), '42501');
  },
  'a careless wrapper of seeme_assume': async (send, ledger, topic, person, number, name) => {
    if (!person.id) return;
    const answer = await send(
      'mutation ($id: UUID!) { become(input: { personId: $id }) { result } }',
      { id: anotherThan(name, number).id });
    ledger.expect(topic, codes(answer), '28000');
  },
};

async function run(label) {
  const ledger = new Ledger(label);
  const pool = poolOf(1);
  const server = await serve(pool, makeSeemePgService);
  const fields = Object.values(server.schema.getTypeMap()).flatMap((type) =>
    [type.name, ...Object.keys(type.getFields?.() ?? {})]);
  ok(fields.includes('allPapers') && fields.includes('updatePaperByRowId'),
    `${label}: the schema has the protected table`, fields.filter((name) => /paper/i.test(name)));
  const leaked = fields.filter((name) => /seeme|apiKey|membership/i.test(name));
  ok(leaked.length === 0, `${label}: a GraphQL client cannot call seeme_assume`, leaked);
  const kinds = Object.keys(ways);
  await interleave(ledger, world.requests, 8, async (name, number) => {
    const topic = kinds[number % kinds.length];
    const send = (query, variables) => server.ask(settingsOf(name, number >> 4), query, variables);
    await ways[topic](send, ledger, topic, world.people[name], number >> 8, name);
  });
  const refused = await server.ask({ 'seeme.user_id': world.disabled }, `{ ${everything} }`);
  ledger.expect('somebody disabled gets an error, and no rows',
    `${codes(refused)} ${refused.data?.allPapers}`, '28000 null');
  await server.release();
  await pool.end();
  ledger.report();
  ok(ledger.requests >= world.requests && ledger.backends.size === 1,
    `${label}: ${ledger.requests} requests on one backend`, [...ledger.backends]);
}

// PostGraphile's own service with the same settings: nobody is asking.
async function control() {
  const ledger = new Ledger('control');
  const pool = poolOf(1);
  const server = await serve(pool, makePgService);
  await interleave(ledger, 200, 8, async (name) => {
    const { id } = world.people[name];
    const { data } = await server.ask(id && { 'seeme.user_id': id },
      '{ allNotes(orderBy: ROW_ID_ASC) { nodes { rowId } } }');
    ledger.expect('control', ids(data.allNotes), world.people[name].notes);
  });
  await server.release();
  await pool.end();
  const [wrong, answers] = [ledger.wrong(), ledger.answers()];
  ok(wrong > 0 && wrong < answers, 'control: without the recipe nobody asks, and this harness '
    + `sees rows missing (${wrong} of ${answers} answers)`);
}

(async () => {
  await run(pooler ? 'GraphQL through pgbouncer' : 'GraphQL over one connection');
  await control();
  console.log('done');
})().catch((error) => { console.error(error); process.exit(1); });
