'use strict';

// asPerson(prisma, identity, work, options): work(tx) in one transaction, in which this person is
// asking. options: Prisma's own for a transaction, such as { timeout: 10_000 }.
// identity is { userId }, of somebody whom your application has signed in; or { token }; or
// null: nobody. With keys that are no uuid: seeme_assume(seeme_uuid('user', ${identity.userId})).
const asPerson = (prisma, identity, work, options) => prisma.$transaction(async (tx) => {
  if (identity?.userId) await tx.$queryRaw`SELECT seeme_assume(${identity.userId}::uuid)`;
  else if (identity?.token) await tx.$queryRaw`SELECT seeme_login(${identity.token})`;
  const result = await work(tx);
  // Fails if an error was swallowed; COMMIT would roll back without a word.
  await tx.$queryRaw`SELECT 1`;
  return result;
}, options);

module.exports = { asPerson };
