'use strict';

// asPerson(pool, identity, work): work(client) in one transaction, in which this person is asking.
// identity is { userId }, of somebody whom your application has signed in; or { token }; or null: nobody.
async function asPerson(pool, identity, work) {
  const client = await pool.connect();
  let unusable;
  try {
    await client.query('BEGIN');
    if (identity?.userId) await client.query('SELECT seeme_assume($1)', [identity.userId]);
    else if (identity?.token) await client.query('SELECT seeme_login($1)', [identity.token]);
    const result = await work(client);
    // PostgreSQL answers ROLLBACK where an error was swallowed on the way: nothing was kept.
    const { command } = await client.query('COMMIT');
    if (command !== 'COMMIT') throw new Error('the transaction failed and was rolled back');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((problem) => { unusable = problem; });
    throw error;
  } finally {
    client.release(unusable);
  }
}

module.exports = { asPerson };
