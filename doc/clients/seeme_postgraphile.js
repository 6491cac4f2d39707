'use strict';

const { asPerson } = require('./seeme_pg');

// A server plugin of PostGraphile 4. Whatever a request asks of the database, queries and mutations alike, is asked in
// one transaction by the identity that pgSettings(req) answered with: { userId }, { token } or null.
const SeemePlugin = {
  withPostGraphileContext: () => async ({ pgPool, pgSettings, singleStatement }, execute) => {
    if (singleStatement) { // a subscription: each of its statements is a transaction
      return execute({ pgClient: { query: (...query) => asPerson(pgPool, pgSettings, (client) => client.query(...query)) } });
    }
    let answer;
    try {
      await asPerson(pgPool, pgSettings, async (pgClient) => { answer = await execute({ pgClient }); });
    } catch (error) {
      if (error.code === '28000') error.statusCode = 401; // unknown, disabled, expired
      if (!answer?.errors) throw error; // otherwise the answer says what failed
    }
    return answer;
  },
};

module.exports = { SeemePlugin };
