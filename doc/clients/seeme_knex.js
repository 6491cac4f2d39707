'use strict';

// asPerson(knex, identity, work): work(trx) in one transaction, in which this person is asking.
// identity is { userId }, of somebody whom your application has signed in; or { token }; or
// null: nobody.
const asPerson = (knex, identity, work) => knex.transaction(async (trx) => {
  if (identity?.userId) await trx.raw('SELECT seeme_assume(?)', [identity.userId]);
  else if (identity?.token) await trx.raw('SELECT seeme_login(?)', [identity.token]);
  const result = await work(trx);
  // Fails if an error was swallowed; COMMIT would roll back without a word.
  await trx.raw('SELECT 1');
  return result;
});

module.exports = { asPerson };
