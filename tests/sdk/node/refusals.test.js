'use strict';
// Rejections, failures and broken connections, as errors of the SDK.

const assert = require('node:assert/strict');
const OpenAI = require('openai');
const { judge } = require('./judge.js');

const onEach = judge();
const CHAT = { model: 'gpt-5', messages: [{ role: 'user', content: 'Hello.' }] };
const CALLS = {
  'chat.completions': (client, more) => client.chat.completions.create({ ...CHAT, ...more }),
  completions: (client, more) =>
    client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'Hello.', ...more }),
  embeddings: (client, more) =>
    client.embeddings.create({ model: 'text-embedding-3-small', input: 'Hello.', ...more }),
  responses: (client, more) => client.responses.create({ model: 'gpt-4.1', input: 'Hello.', ...more }),
  'responses.compact': (client, more) => client.responses.compact({ model: 'gpt-4.1', input: 'Hello.', ...more }),
  images: (client, more) => client.images.generate({ model: 'gpt-image-1', prompt: 'A cat.', ...more }),
  'audio.speech': (client, more) =>
    client.audio.speech.create({ model: 'tts-1', input: 'Hello.', voice: 'alloy', ...more }),
  moderations: (client, more) => client.moderations.create({ input: 'Hello.', ...more }),
};
// Legacy endpoints, and speech, name the parameter only in the message.
const WITHOUT_CODE = ['completions', 'embeddings', 'audio.speech'];

for (const [endpoint, call] of Object.entries(CALLS)) {
  onEach(
    `${endpoint} rejects an unknown parameter`,
    async ({ client }) => {
      const refused = await call(client, { model_group: 'main' }).catch((error) => error);
      assert.ok(refused instanceof OpenAI.BadRequestError, String(refused));
      assert.match(refused.message, /model_group/);
      const named = WITHOUT_CODE.includes(endpoint) ? [null, null] : ['unknown_parameter', 'model_group'];
      assert.deepEqual([refused.code, refused.param], named);
    },
    endpoint === 'moderations' ? ['openai'] : undefined,
  );
}

onEach('a wrong key is rejected', async ({ mocks, surface }) => {
  const client = mocks.client(surface, { apiKey: 'sk-fallproof-wrong' });
  await assert.rejects(CALLS['chat.completions'](client), OpenAI.AuthenticationError);
});

onEach('an unknown path is not found', async ({ client }) => {
  await assert.rejects(client.post('/chat/complete', { body: {} }), OpenAI.NotFoundError);
});

const FAILURES = {
  server_error: OpenAI.InternalServerError,
  overloaded: OpenAI.InternalServerError,
  quota_exceeded: OpenAI.RateLimitError,
  forbidden: OpenAI.PermissionDeniedError,
  model_not_found: OpenAI.NotFoundError,
  context_length_exceeded: OpenAI.BadRequestError,
  conflict: OpenAI.ConflictError,
  unprocessable: OpenAI.UnprocessableEntityError,
};

for (const [behavior, kind] of Object.entries(FAILURES)) {
  onEach(`${behavior} raises ${kind.name}`, async ({ mocks, surface, client }) => {
    await mocks.play(surface, behavior);
    await assert.rejects(CALLS['chat.completions'](client), kind);
  });
}

onEach('a rate-limited call is retried after a wait', async ({ mocks, surface }) => {
  await mocks.play(surface, { reply: 'rate_limited', headers: { 'retry-after-ms': '30' } }, 'ok');
  const started = performance.now();
  await CALLS['chat.completions'](mocks.client(surface, { maxRetries: 1 }));
  assert.ok(performance.now() - started >= 30);
  const [first, second] = await mocks.requests();
  assert.deepEqual([first.status, second.status], [429, 200]);
  assert.equal(first.body, second.body);
});

for (const fault of ['connection_reset', 'connection_closed', 'truncated_body']) {
  onEach(`${fault} raises a connection error`, async ({ mocks, surface, client }) => {
    await mocks.play(surface, fault);
    await assert.rejects(CALLS['chat.completions'](client));
  });
}

onEach('a missing response is a timeout', async ({ mocks, surface }) => {
  await mocks.play(surface, 'connection_stalled');
  const client = mocks.client(surface, { timeout: 250 });
  await assert.rejects(CALLS['chat.completions'](client), OpenAI.APIConnectionTimeoutError);
});
