'use strict';
// What the programs for Node share: see ClientsTest.pm for what they are told and what they have to print.

const fs = require('fs');

const world = JSON.parse(fs.readFileSync(process.env.SEEME_WORLD, 'utf8'));
const names = Object.keys(world.people).sort();

// The same numbers in every run.
function dice(seed) {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

class Ledger {
  constructor(label) {
    this.label = label;
    this.topics = {};
    this.committed = {};
    this.backends = new Set();
    this.requests = 0;
  }

  expect(topic, got, expected) {
    const of = (this.topics[topic] ??= { answers: 0, wrong: 0, examples: [] });
    of.answers += 1;
    if (got === expected) return;
    of.wrong += 1;
    if (of.examples.length < 3) of.examples.push(`got ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`);
  }

  wrote(person) { this.committed[person] = (this.committed[person] ?? 0) + 1; }

  wrong() { return Object.values(this.topics).reduce((sum, topic) => sum + topic.wrong, 0); }

  answers() { return Object.values(this.topics).reduce((sum, topic) => sum + topic.answers, 0); }

  report() {
    for (const [topic, { answers, wrong, examples }] of Object.entries(this.topics).sort()) {
      ok(wrong === 0, `${this.label}: ${topic} (${answers} answers)`, [`${wrong} are wrong`, ...examples]);
    }
    for (const [person, writes] of Object.entries(this.committed)) console.log(`committed ${person} ${writes}`);
  }
}

function ok(passed, name, remarks = []) {
  console.log(`${passed ? 'ok' : 'not ok'} ${name}`);
  if (!passed) for (const remark of remarks) console.log(remark);
}

// interleave(ledger, requests, workers, request): so many requests, by workers that take turns at whatever they wait for;
// request(person, way) takes a person by name, and a number to choose what to do by.
async function interleave(ledger, requests, workers, request) {
  const roll = dice(20240229);
  const worker = async () => {
    while (ledger.requests < requests) {
      ledger.requests += 1;
      await request(names[roll(names.length)], roll(1 << 20));
    }
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

// By user_id or by one of the tokens, whichever the number says.
function identityOf(person, number) {
  const { id, tokens } = world.people[person];
  if (!id) return null;
  const choice = number % (tokens.length + 1);
  return choice === 0 ? { userId: id } : { token: tokens[choice - 1] };
}

// Everybody else, one of them.
function anotherThan(person, number) {
  const others = names.filter((name) => name !== person && name !== 'nobody');
  return world.people[others[number % others.length]];
}

const list = (rows) => rows.map((row) => row.id).join(' ');
const stateOf = (promise) => promise.then(() => 'no error', (error) => error.code ?? String(error));

module.exports = { world, names, Ledger, ok, interleave, identityOf, anotherThan, list, stateOf };
