'use strict';
// Starts mocks for each test file and creates a client for each test.

const assert = require('node:assert/strict');
const { after, before, test } = require('node:test');
const { Serve, SURFACES } = require('./serve.js');

/** Starts mocks for the tests of a file. Returns a function that declares a test on each surface. */
function judge() {
  let mocks;
  before(async () => {
    mocks = await Serve.start();
  });
  after(async () => assert.equal(await mocks.stop(), 0));

  return function onEach(sentence, check, surfaces = SURFACES) {
    for (const surface of surfaces) {
      test(`${sentence} (${surface})`, async () => {
        await mocks.reset();
        await check({ mocks, surface, client: mocks.client(surface) });
      });
    }
  };
}

module.exports = { judge };
