'use strict';
// For `prisma db push` in with_prisma.js: the engine for schemas that comes with the command line
// connects by the same adapter as the client. (The adapter does not know the type name, and some
// others that the catalog has.)

const { Client } = require('pg');
const { PrismaPg } = require('@prisma/adapter-pg');

const known = { 18: 25, 19: 25, 22: 1005, 28: 23, 1003: 1009 };
function renamed(result) {
  const fields = result?.fields ?? [];
  for (const field of fields) field.dataTypeID = known[field.dataTypeID] ?? field.dataTypeID;
  return result;
}
class CatalogClient extends Client {
  query(...args) {
    const last = args.pop();
    if (typeof last === 'function') {
      return super.query(...args, (error, result) => last(error, renamed(result)));
    }
    const answer = super.query(...args, last);
    return typeof answer?.then === 'function' ? answer.then(renamed) : answer;
  }
}

module.exports = {
  schema: 'schema.prisma',
  experimental: { adapter: true },
  engine: 'js',
  adapter: async () => new PrismaPg({
    Client: CatalogClient, host: process.env.PUSH_HOST, port: 5432,
    database: process.env.PUSH_DATABASE, user: process.env.PUSH_USER }),
};
