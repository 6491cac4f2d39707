'use strict';

const { sql } = require('drizzle-orm');

// asPerson(db, identity, work): work(tx) in one transaction, in which this person is asking.
// identity is { userId }, of somebody whom your application has signed in; or { token }; or
// null: nobody.
const asPerson = (db, identity, work) => db.transaction(async (tx) => {
  if (identity?.userId) await tx.execute(sql`SELECT seeme_assume(${identity.userId})`);
  else if (identity?.token) await tx.execute(sql`SELECT seeme_login(${identity.token})`);
  const result = await work(tx);
  // Fails if an error was swallowed; COMMIT would roll back without a word.
  await tx.execute(sql`SELECT 1`);
  return result;
});

module.exports = { asPerson };
