'use strict';
// with_postgrest.js [SOCKET]: the statements that PostgREST 16.2 sends, in its order: BEGIN, the
// settings of the request, db-pre-request, one statement for the request, COMMIT. All of them are
// prepared, unless there is a pooler at SOCKET (db-prepared-statements = false).

const { Pool } = require('pg');
const { world, Ledger, ok, interleave, anotherThan, stateOf } = require('./harness');

const pooler = process.argv[2];
const role = `${world.database}_app`;
const poolOf = (max) => new Pool({
  host: pooler ?? world.socket, port: pooler ? 6432 : 5432,
  database: world.database, user: world.user, max });

const prepared = new Map();
const send = (client, text, values) => {
  if (pooler) return client.query(text, values);
  if (!prepared.has(text)) prepared.set(text, String(prepared.size));
  return client.query({ name: prepared.get(text), text, values });
};

// The settings of a request (Query/PreQuery.hs).
const settings = 'select set_config(\'search_path\', $1, true), set_config(\'role\', $2, true), '
  + 'set_config(\'request.jwt.claims\', $3, true), set_config(\'request.method\', $4, true), '
  + 'set_config(\'request.path\', $5, true), set_config(\'request.headers\', $6, true), '
  + 'set_config(\'request.cookies\', $7, true)';

// What the statement of a request ends in (Query/Statements.hs).
const answer = (total, scalar) => `SELECT ${total} AS total_result_set, `
  + 'pg_catalog.count(_postgrest_t) AS page_total, '
  + `coalesce(${scalar ? 'json_agg(_postgrest_t.pgrst_scalar)->0, \'null\''
    : 'json_agg(_postgrest_t), \'[]\''}) AS body, `
  + 'nullif(current_setting(\'response.headers\', true), \'\') AS response_headers, '
  + 'nullif(current_setting(\'response.status\', true), \'\') AS response_status, '
  + '\'\' AS response_inserted ';
const mutation = (statement) => `WITH pgrst_source AS (${statement}) ${answer('\'\'')}`
  + 'FROM (SELECT "pgrst_source".* FROM "pgrst_source") _postgrest_t';
const all = (table) => `RETURNING "api"."${table}".*`;
// (PostgREST says by the protocol that $1 is json.)
const body = (columns, types) => 'FROM (SELECT $1::json AS json_data) pgrst_payload, LATERAL '
  + `(SELECT ${columns} FROM json_to_record(pgrst_payload.json_data) AS _(${types}) ) pgrst_body `;
const call = (name, argument) => 'WITH pgrst_source AS (SELECT pgrst_call.pgrst_scalar '
  + `FROM (SELECT "api"."${name}"(${argument}) pgrst_scalar) pgrst_call) `
  + `${answer('null::bigint', true)}FROM (SELECT "${name}".* FROM "pgrst_source" AS "${name}") `
  + '_postgrest_t';

// A request, as its method, its path and its statement with values.
const requests = {
  list: (table) => ['GET', `/${table}?select=id&order=id.asc`,
    `WITH pgrst_source AS ( SELECT "api"."${table}"."id" FROM "api"."${table}" `
    + `ORDER BY "api"."${table}"."id" ASC ) , `
    + `pgrst_source_count AS (SELECT 1 FROM "api"."${table}") `
    + answer('(SELECT pg_catalog.count(*) FROM pgrst_source_count)')
    + 'FROM ( SELECT * FROM pgrst_source ) _postgrest_t', []],
  one: (table, id) => ['GET', `/${table}?select=id&id=eq.${id}`,
    `WITH pgrst_source AS ( SELECT "api"."${table}"."id" FROM "api"."${table}" `
    + `WHERE  "api"."${table}"."id" = $1 LIMIT $2 OFFSET $3 ) ${answer('null::bigint')}`
    + 'FROM ( SELECT * FROM pgrst_source ) _postgrest_t', [id, 1, 0]],
  patch: (table, column, type, value, id) => ['PATCH', `/${table}?id=eq.${id}`,
    mutation(`UPDATE "api"."${table}" SET "${column}" = "pgrst_body"."${column}" `
      + `${body(`"${column}"`, `"${column}" ${type}`)} WHERE  "api"."${table}"."id" = $2 `
      + all(table)),
    [JSON.stringify({ [column]: value }), id]],
  post: (table, columns, row) => ['POST', `/${table}`,
    mutation(`INSERT INTO "api"."${table}"(${columns[0]}) SELECT ${columns[1]} `
      + `${body(columns[0], columns[2])} ${all(table)}`), [JSON.stringify(row)]],
  remove: (table, id) => ['DELETE', `/${table}?id=eq.${id}`, mutation(
    `DELETE FROM "api"."${table}"  WHERE  "api"."${table}"."id" = $1 ${all(table)}`), [id]],
  ask: (name) => ['GET', `/rpc/${name}`, call(name, ''), []],
  touch: (id) => ['POST', '/rpc/touch',
    call('touch', '"note_id" := $1::integer'), [id]],
  forge: (headers) => ['POST', '/rpc/forge', call('forge', '"headers" := $1::text'), [headers]],
};
const note = ['"id", "owner_id"', '"pgrst_body"."id", "pgrst_body"."owner_id"',
  '"id" integer, "owner_id" uuid'];
const paper = ['"id", "project_id", "title"',
  '"pgrst_body"."id", "pgrst_body"."project_id", "pgrst_body"."title"',
  '"id" integer, "project_id" uuid, "title" text'];

// serve(pool, headers, request, options): what PostgREST makes of a request. options: rollback
// (Prefer: tx=rollback), no_pre_request. A GET is read-only. touch and forge are volatile, so
// PostgREST would take them by POST alone, and that is read and write.
async function serve(pool, headers, [method, path, text, values], options = {}) {
  const client = await pool.connect();
  const mode = method === 'GET' ? 'READ ONLY' : 'READ WRITE';
  try {
    await client.query(`BEGIN ISOLATION LEVEL READ COMMITTED ${mode}`);
    await send(client, settings, ['"api", "public"', role, JSON.stringify({ role }), method,
      path.replace(/\?.*/, ''), JSON.stringify(headers), '{}']);
    if (!options.no_pre_request) await send(client, 'select "auth"."identify"()', []);
    const { rows: [row] } = await send(client, text, values);
    await client.query(options.rollback ? 'ROLLBACK' : 'COMMIT');
    return { total: row.total_result_set, rows: row.body };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
}

// By a signed token or by an API key, whichever the number says.
function headersOf(person, number) {
  if (person === 'nobody') return {};
  return number % 2 ? { authorization: `Bearer ${world.signed[person]}` }
    : { 'x-api-key': world.people[person].tokens[0] };
}
const ids = (result) => result.rows.map((row) => row.id).join(' ');
const count = (ids_of) => ids_of.split(' ').filter(Boolean).length;

const ways = {
  'GET': async (ask, ledger, topic, person) => {
    ledger.expect(topic, (await ask(requests.ask('asking'))).rows, person.id);
    for (const table of ['papers', 'notes']) {
      const seen = await ask(requests.list(table));
      ledger.expect(topic, ids(seen), person[table]);
      ledger.expect(topic, Number(seen.total), count(person[table]));
    }
  },
  'GET of somebody else\'s row': async (ask, ledger, topic, person, number, name) => {
    const other = anotherThan(name, number).notes.split(' ')[number % 5];
    ledger.expect(topic, ids(await ask(requests.one('notes', other))), '');
  },
  'PATCH of a paper': async (ask, ledger, topic, person, number, name) => {
    const changed = await ask(requests.patch('papers', 'title', 'text', name, 101 + number % 400),
      { rollback: true });
    const id = String(101 + number % 400);
    ledger.expect(topic, ids(changed), person.editable.split(' ').includes(id) ? id : '');
  },
  'PATCH of somebody else\'s row': async (ask, ledger, topic, person, number, name) => {
    const other = anotherThan(name, number).notes.split(' ')[number % 5];
    const changed = await ask(requests.patch('notes', 'touched', 'integer', 0, other));
    ledger.expect(topic, ids(changed), '');
  },
  'DELETE of somebody else\'s row': async (ask, ledger, topic, person, number, name) => {
    const other = anotherThan(name, number).notes.split(' ')[number % 5];
    ledger.expect(topic, ids(await ask(requests.remove('notes', other))), '');
  },
  'DELETE of their own row, Prefer: tx=rollback': async (ask, ledger, topic, person, number) => {
    const own = person.notes.split(' ')[number % 5] || '0';
    const gone = await ask(requests.remove('notes', own), { rollback: true });
    ledger.expect(topic, ids(gone), person.id ? own : '');
  },
  'POST where nobody of them may': async (ask, ledger, topic) => {
    const row = { id: 9000, project_id: world.delta, title: 'x' };
    ledger.expect(topic, await stateOf(ask(requests.post('papers', paper, row))), '42501');
  },
  'POST of a row of their own, Prefer: tx=rollback': async (ask, ledger, topic, person) => {
    const row = { id: 9000, owner_id: person.id };
    const post = ask(requests.post('notes', note, row), { rollback: true });
    if (!person.id) return ledger.expect(topic, await stateOf(post), '42501');
    return ledger.expect(topic, ids(await post), '9000');
  },
  'RPC that writes': async (ask, ledger, topic, person, number, name) => {
    const own = Number(person.notes.split(' ')[number % 5] || 0);
    ledger.expect(topic, (await ask(requests.touch(own))).rows, person.id ? own : null);
    if (person.id) ledger.wrote(name);
  },
  'RPC that forges the headers': async (ask, ledger, topic, person, number, name) => {
    if (!person.id) return;
    const [other] = Object.keys(world.signed).filter((each) => each !== name);
    const headers = JSON.stringify(headersOf(other, number));
    ledger.expect(topic, await stateOf(ask(requests.forge(headers))), '28000');
  },
  'without db-pre-request, nobody is asking': async (ask, ledger, topic) => {
    const without = { no_pre_request: true };
    ledger.expect(topic, (await ask(requests.ask('asking'), without)).rows, null);
    ledger.expect(topic, ids(await ask(requests.list('papers'), without)), '');
  },
};

async function run(label, connections, times) {
  const ledger = new Ledger(label);
  const pool = poolOf(connections);
  const kinds = Object.keys(ways);
  await interleave(ledger, times, 8, async (name, number) => {
    const topic = kinds[number % kinds.length];
    const headers = headersOf(name, number >> 4);
    await ways[topic]((request, options) => serve(pool, headers, request, options),
      ledger, topic, world.people[name], number >> 8, name);
    const { rows: backend } = await serve(pool, {}, requests.ask('backend'));
    ledger.backends.add(backend);
  });
  for (const [what, token] of Object.entries(world.bad)) {
    const request = serve(pool, { authorization: `Bearer ${token}` }, requests.list('papers'));
    const refused = await stateOf(request);
    ledger.expect('a bad token is an error', `${what}: ${refused}`, `${what}: 28000`);
  }
  ledger.expect('GET', ids(await serve(pool, {}, requests.list('papers'))), '');
  await pool.end();
  ledger.report();
  ok(ledger.requests >= times && ledger.backends.size === (pooler ? 1 : connections),
    `${label}: ${ledger.requests} requests on ${ledger.backends.size} backends`,
    [...ledger.backends]);
}

// Claims are settings that anybody may write: nobody is asking by them.
async function claims() {
  const pool = poolOf(1);
  const client = await pool.connect();
  await client.query('BEGIN');
  await send(client, settings, ['"api", "public"', role,
    JSON.stringify({ role, sub: world.people.paul.id }), 'GET', '/papers', '{}', '{}']);
  const { rows } = await client.query(
    'SELECT seeme_user_id() AS id, (SELECT count(*) FROM papers)::int AS papers');
  ok(rows[0].id === null && rows[0].papers === 0, 'claims alone name nobody', rows);
  await client.query('ROLLBACK');
  client.release();
  await pool.end();
}

// What other sessions can read of this one's statements.
async function token_is_a_parameter() {
  const pool = poolOf(2);
  const client = await pool.connect();
  await client.query('BEGIN');
  const token = world.signed.paul;
  const headers = JSON.stringify({ authorization: `Bearer ${token}` });
  const first = [settings, ['"api", "public"', role, '{}', 'GET', '/', headers, '{}']];
  for (const [text, values] of [first, ['select "auth"."identify"()', []]]) {
    await send(client, text, values);
    const { rows } = await pool.query(`SELECT query FROM pg_stat_activity
      WHERE usename = session_user AND pid <> pg_backend_pid()`);
    ok(rows.length === 1 && rows[0].query === text,
      'a token does not stand in pg_stat_activity', rows);
  }
  await client.query('ROLLBACK');
  client.release();
  await pool.end();
}

(async () => {
  if (pooler) {
    await run('two clients of pgbouncer', 2, world.requests);
  } else {
    await run('a pool of one', 1, world.requests);
    await run('a pool of four', 4, world.requests / 5);
    await token_is_a_parameter();
  }
  await claims();
  console.log('done');
})().catch((error) => { console.error(error); process.exit(1); });
