'use strict';

const pg = require('@dataplan/pg/adaptors/pg');

// makeSeemePgService(options): PostGraphile 5's makePgService, with an adaptor that names the
// principal. Each transaction is that of the identity in the request's pgSettings:
// { 'seeme.user_id': id }, { 'seeme.token': token }, or without either: nobody's.
function createWithPgClient(options, variant) {
  const withPgClient = pg.createWithPgClient(options, variant);
  const asPerson = (pgSettings, work) => {
    const { 'seeme.user_id': userId, 'seeme.token': token, ...settings } = pgSettings ?? {};
    if (userId == null && token == null) return withPgClient(settings, work);
    return withPgClient(settings, (client) => client.withTransaction(async (transaction) => {
      if (userId != null) {
        await transaction.query({ text: 'SELECT seeme_assume($1)', values: [userId] });
      } else {
        await transaction.query({ text: 'SELECT seeme_login($1)', values: [token] });
      }
      return work(transaction);
    }));
  };
  asPerson.release = withPgClient.release;
  return asPerson;
}

const makeSeemePgService = (options) => {
  const service = pg.makePgService(options);
  return { ...service, adaptor: { ...service.adaptor, createWithPgClient } };
};

module.exports = { makeSeemePgService };
