'use strict';

// asPerson(dataSource, identity, work): work(manager) in one transaction, in which this person is
// asking.
// identity is { userId }, of somebody whom your application has signed in; or { token }; or
// null: nobody.
const asPerson = (dataSource, identity, work) => dataSource.transaction(async (manager) => {
  if (identity?.userId) await manager.query('SELECT seeme_assume($1)', [identity.userId]);
  else if (identity?.token) await manager.query('SELECT seeme_login($1)', [identity.token]);
  const result = await work(manager);
  // Fails if an error was swallowed; COMMIT would roll back without a word.
  await manager.query('SELECT 1');
  return result;
});

module.exports = { asPerson };
