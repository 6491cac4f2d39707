'use strict';
// postgraphile.js [SOCKET]: PostGraphile 4 serves GraphQL over HTTP to people who take turns, over one connection to the
// server itself, or to the pooler at SOCKET.

const http = require('http');
const { Pool } = require('pg');
const { makePluginHook, postgraphile, withPostGraphileContext } = require('postgraphile');
const { SeemePlugin } = require('../../doc/clients/seeme_postgraphile');
const { world, names, Ledger, ok, interleave, identityOf, anotherThan, list } = require('./harness');

const pooler = process.argv[2];
const poolOf = (max) => new Pool({
  host: pooler ?? world.socket, port: pooler ? 6432 : 5432, database: world.database, user: world.user, max });

// Stands for an application's sessions: the header names the person and how they come.
const sessionOf = (req) => {
  const [name, number] = req.headers.authorization.split(' ');
  return name === 'disabled' ? { userId: world.disabled } : identityOf(name, Number(number));
};

let socket = 0;
async function serve(pool, options) {
  const server = http.createServer(postgraphile(pool, 'public', {
    graphiql: false, disableQueryLog: true, extendedErrors: ['errcode'], retryOnInitFail: false, ...options }));
  socket += 1;
  await new Promise((resolve) => { server.listen(`${world.directory}/graphql.${socket}`, resolve); });
  return server;
}

const agent = new http.Agent({ keepAlive: true });
function ask(server, authorization, query, variables = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({
      socketPath: server.address(), path: '/graphql', method: 'POST', agent, headers: { authorization, 'content-type': 'application/json' } },
    (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => resolve({ ...JSON.parse(text), status: response.statusCode }));
    });
    request.on('error', reject);
    request.end(JSON.stringify({ query, variables }));
  });
}

const codes = (answer) => [...new Set((answer.errors ?? []).map((error) => error.errcode ?? error.extensions?.exception?.errcode ?? error.message))].join(' ');

const everything = 'asking backend allPapers(orderBy: ID_ASC) { nodes { id } } allNotes(orderBy: ID_ASC) { nodes { id } }';
function check(ledger, topic, person, data) {
  ledger.backends.add(data.backend);
  ledger.expect(topic, data.asking, person.id);
  ledger.expect(topic, list(data.allPapers.nodes), person.papers);
  ledger.expect(topic, list(data.allNotes.nodes), person.notes);
}

// The first row of each, for who has one.
const paperOf = (person, number) => { const ids = person.editable.split(' '); return Number(ids[number % ids.length] || 101); };
const ways = {
  'a query': async (send, ledger, topic, person) => {
    const answer = await send(`{ ${everything} }`);
    ledger.expect(topic, codes(answer), '');
    check(ledger, topic, person, answer.data);
  },
  'a query that fails in the middle': async (send, ledger, topic) => {
    const answer = await send('{ fails allPapers { nodes { id } } }');
    ledger.expect(topic, /\b22012\b/.test(codes(answer)), true);
  },
  'a mutation of somebody\'s own row': async (send, ledger, topic, person, number, name) => {
    const own = Number(person.notes.split(' ')[number % 5] ?? 0);
    const answer = await send(`mutation ($id: Int!) { touch(input: { noteId: $id }) { integer query { ${everything} } } }`, { id: own });
    ledger.expect(topic, codes(answer), '');
    ledger.expect(topic, answer.data.touch.integer, person.id ? own : null);
    check(ledger, topic, person, answer.data.touch.query);
    if (person.id) ledger.wrote(name);
  },
  'a mutation of somebody else\'s row': async (send, ledger, topic, person, number, name) => {
    const id = Number(anotherThan(name, number).notes.split(' ')[number % 5]);
    const answer = await send('mutation ($id: Int!) { touch(input: { noteId: $id }) { integer } }', { id });
    ledger.expect(topic, answer.data.touch.integer, null);
    const generated = await send('mutation ($id: Int!) { updateNoteById(input: { id: $id, notePatch: { touched: 0 } }) { note { id } } }', { id });
    ledger.expect(topic, /^No values were updated/.test(generated.errors?.[0].message), true);
  },
  'the generated update': async (send, ledger, topic, person, number) => {
    const id = paperOf(person, number);
    const answer = await send('mutation ($id: Int!, $title: String!) { updatePaperById(input: { id: $id, paperPatch: { title: $title } }) { paper { id } } }',
      { id, title: `paper ${number}` });
    ledger.expect(topic, answer.data.updatePaperById?.paper.id ?? null, person.editable ? id : null);
  },
  'the generated insert, where nobody of them may': async (send, ledger, topic) => {
    const answer = await send('mutation ($project: UUID!) { createPaper(input: { paper: { id: 9000, projectId: $project, title: "x" } }) { paper { id } } }',
      { project: world.delta });
    ledger.expect(topic, codes(answer), '42501');
  },
  'two mutations, the second refused': async (send, ledger, topic, person, number, name) => {
    if (!person.id) return;
    const own = Number(person.notes.split(' ')[number % 5]);
    const answer = await send(`mutation ($id: Int!, $project: UUID!) {
      touch(input: { noteId: $id }) { integer }
      createPaper(input: { paper: { id: 9000, projectId: $project, title: "x" } }) { query { ${everything} } } }`, { id: own, project: world.delta });
    ledger.expect(topic, codes(answer), '42501');
    ledger.expect(topic, answer.data.touch.integer, own);
    ledger.wrote(name); // PostGraphile keeps those that went well
  },
  'a careless wrapper of seeme_assume': async (send, ledger, topic, person, number, name) => {
    if (!person.id) return;
    const answer = await send(`mutation ($id: UUID!) { become(input: { personId: $id }) { uuid query { ${everything} } } }`, { id: anotherThan(name, number).id });
    ledger.expect(topic, codes(answer), '28000');
  },
};

async function run(label) {
  const ledger = new Ledger(label);
  const pool = poolOf(1);
  const server = await serve(pool, { pluginHook: makePluginHook([SeemePlugin]), pgSettings: sessionOf });
  const { data } = await ask(server, 'nobody 0', '{ __schema { types { name fields { name } } } }');
  const fields = data.__schema.types.flatMap((type) => [type.name, ...(type.fields ?? []).map((field) => field.name)]);
  ok(fields.includes('allPapers') && fields.includes('updatePaperById'), `${label}: the schema has the protected table`);
  const leaked = fields.filter((name) => /seeme|apiKey|membership/i.test(name));
  ok(leaked.length === 0, `${label}: a GraphQL client cannot call seeme_assume, nor anything else of the extension`, leaked);
  const kinds = Object.keys(ways);
  await interleave(ledger, world.requests, 8, async (name, number) => {
    const topic = kinds[number % kinds.length];
    const send = (query, variables) => ask(server, `${name} ${number >> 4}`, query, variables);
    await ways[topic](send, ledger, topic, world.people[name], number >> 8, name);
  });
  const refused = await ask(server, 'disabled 0', `{ ${everything} }`);
  ledger.expect('somebody disabled gets an error, and no data', `${refused.status} ${codes(refused)} ${refused.data}`, '401 this person cannot be identified here undefined');
  await ways['a query']((query) => ask(server, 'nobody 0', query), ledger, 'a query', world.people.nobody);
  server.close();
  await pool.end();
  ledger.report();
  ok(ledger.requests >= world.requests && ledger.backends.size === 1, `${label}: ${ledger.requests} requests on one backend`, [...ledger.backends]);
}

// What PostGraphile does for each statement of a subscription.
async function subscriptions(label) {
  const ledger = new Ledger(label);
  const pool = poolOf(1);
  const pluginHook = makePluginHook([SeemePlugin]);
  await interleave(ledger, 500, 8, async (name, number) => {
    await withPostGraphileContext({ pgPool: pool, pluginHook, pgSettings: identityOf(name, number), singleStatement: true }, async ({ pgClient }) => {
      for (const table of ['papers', 'notes', 'papers']) {
        const { rows } = await pgClient.query(`SELECT id FROM ${table} WHERE $1 ORDER BY id`, [true]);
        ledger.expect('each statement is its person\'s', list(rows), world.people[name][table]);
      }
    });
  });
  await pool.end();
  ledger.report();
}

// PostGraphile without the plugin, and with the setting of a session for an identity: the same question, asked as here.
async function controls() {
  const ask_all = async (server, topic, field) => {
    const ledger = new Ledger(topic);
    await interleave(ledger, 200, 8, async (name, number) => {
      const answer = await ask(server, `${name} ${number}`, `{ ${field}(orderBy: ID_ASC) { nodes { id } } }`);
      ledger.expect(topic, list(answer.data[field].nodes), world.people[name].notes);
    });
    return [ledger.wrong(), ledger.answers()];
  };
  const pool = poolOf(1);
  let server = await serve(pool, {});
  let [wrong, answers] = await ask_all(server, 'control', 'allNotes');
  ok(wrong > 0 && wrong < answers, `control: without the plugin nobody asks, and this harness sees rows missing (${wrong} of ${answers} answers)`);
  server.close();
  const leaky = {
    withPostGraphileContext: () => async ({ pgPool, pgSettings }, execute) => {
      const pgClient = await pgPool.connect();
      if (pgSettings) await pgClient.query("SELECT set_config('app.user', $1, false)", [pgSettings]);
      try { return await execute({ pgClient }); } finally { pgClient.release(); }
    },
  };
  server = await serve(pool, {
    pluginHook: makePluginHook([leaky]), pgSettings: (req) => world.people[req.headers.authorization.split(' ')[0]].id });
  [wrong, answers] = await ask_all(server, 'control', 'allSessionNotes');
  ok(wrong > 0 && wrong < answers, `control: with a setting of the session for an identity, this harness sees a leak (${wrong} of ${answers} answers)`);
  server.close();
  await pool.end();
}

(async () => {
  await run(pooler ? 'GraphQL through pgbouncer' : 'GraphQL over one connection');
  await subscriptions('statements of subscriptions');
  await controls();
  agent.destroy();
  console.log('done');
})().catch((error) => { console.error(error); process.exit(1); });
