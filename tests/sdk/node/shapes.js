'use strict';
// The tool and the output format that the tests use.

const assert = require('node:assert/strict');
const { z } = require('zod');

const WEATHER = {
  type: 'object',
  properties: {
    city: { type: 'string' },
    unit: { type: 'string', enum: ['celsius', 'fahrenheit'] },
    days: { type: 'integer' },
  },
  required: ['city', 'unit', 'days'],
  additionalProperties: false,
};

const Event = z.object({
  title: z.string(),
  kind: z.enum(['meeting', 'party']),
  guests: z.array(z.string()),
  seats: z.number().int(),
  price: z.number().nullable(),
});

/** Asserts that these are valid arguments of the strict tool. */
function assertIsWeather(text) {
  const called = JSON.parse(text);
  assert.deepEqual(Object.keys(called).sort(), ['city', 'days', 'unit']);
  assert.equal(typeof called.city, 'string');
  assert.ok(['celsius', 'fahrenheit'].includes(called.unit));
  assert.ok(Number.isInteger(called.days));
}

module.exports = {
  Event,
  assertIsWeather,
  TOOL: { type: 'function', function: { name: 'weather', strict: true, parameters: WEATHER } },
  RESPONSES_TOOL: { type: 'function', name: 'weather', strict: true, parameters: WEATHER },
};
