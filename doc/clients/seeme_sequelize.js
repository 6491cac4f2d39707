'use strict';

// asPerson(sequelize, identity, work): work(transaction) in one transaction, in which this person
// is asking.
// identity is { userId }, of somebody whom your application has signed in; or { token }; or
// null: nobody.
const asPerson = (sequelize, identity, work) => sequelize.transaction(async (transaction) => {
  const ask = (text, ...bind) => sequelize.query(text, { bind, transaction });
  if (identity?.userId) await ask('SELECT seeme_assume($1)', identity.userId);
  else if (identity?.token) await ask('SELECT seeme_login($1)', identity.token);
  const result = await work(transaction);
  // Fails if an error was swallowed; COMMIT would roll back without a word.
  await ask('SELECT 1');
  return result;
});

module.exports = { asPerson };
