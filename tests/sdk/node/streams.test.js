'use strict';
// Streams: the raw iterator, the helpers, and broken streams.

const assert = require('node:assert/strict');
const { APIConnectionError, APIError } = require('openai');
const { judge } = require('./judge.js');
const { RESPONSES_TOOL, TOOL, assertIsWeather } = require('./shapes.js');

const onEach = judge();
const CHAT = { model: 'gpt-4.1', messages: [{ role: 'user', content: 'Hello.' }] };
const TEXT = { model: 'gpt-4.1', input: 'Hello.' };

/** Returns the events of a stream, and the error that ended it, if any. */
async function read(stream) {
  const events = [];
  try {
    for await (const event of stream) events.push(event);
  } catch (error) {
    return { events, error };
  }
  return { events };
}

onEach('a chat completion is streamed with its usage last', async ({ client }) => {
  const { events } = await read(
    await client.chat.completions.create({ ...CHAT, stream: true, stream_options: { include_usage: true } }),
  );
  const chunks = events.filter(({ choices }) => choices.length > 0);
  assert.equal(chunks[0].choices[0].delta.role, 'assistant');
  assert.ok(chunks.map(({ choices }) => choices[0].delta.content ?? '').join('').length > 10);
  assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
  assert.deepEqual(events.at(-1).choices, []);
  assert.ok(events.at(-1).usage.total_tokens > 0);
});

onEach('the helper accumulates a chat completion', async ({ client }) => {
  const stream = client.chat.completions.stream(CHAT);
  const pieces = [];
  stream.on('content', (delta) => pieces.push(delta));
  const completion = await stream.finalChatCompletion();
  assert.ok(pieces.length > 2);
  assert.equal(completion.choices[0].message.content, pieces.join(''));
});

onEach('the helper assembles a tool call', async ({ client }) => {
  const stream = client.chat.completions.stream({ ...CHAT, tools: [TOOL], tool_choice: 'required' });
  const completion = await stream.finalChatCompletion();
  assert.equal(completion.choices[0].finish_reason, 'tool_calls');
  assertIsWeather(completion.choices[0].message.tool_calls[0].function.arguments);
});

onEach('a completion is streamed', async ({ client }) => {
  const { events, error } = await read(
    await client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'Hello.', stream: true }),
  );
  assert.equal(error, undefined);
  assert.ok(events.map(({ choices }) => choices[0]?.text ?? '').join('').length > 0);
});

onEach('events of a response are ordered and numbered', async ({ client }) => {
  const { events } = await read(await client.responses.create({ ...TEXT, stream: true }));
  const order = events.map(({ type }) => type).filter((type, at, types) => type !== types[at - 1]);
  assert.deepEqual(order, [
    'response.created',
    'response.in_progress',
    'response.output_item.added',
    'response.content_part.added',
    'response.output_text.delta',
    'response.output_text.done',
    'response.content_part.done',
    'response.output_item.done',
    'response.completed',
  ]);
  assert.deepEqual(events.map(({ sequence_number }) => sequence_number), [...events.keys()]);
});

onEach('the helper accumulates a response', async ({ client }) => {
  const response = await client.responses.stream(TEXT).finalResponse();
  assert.equal(response.status, 'completed');
  assert.ok(response.output_text);
});

onEach('the helper assembles a function call', async ({ client }) => {
  const stream = client.responses.stream({ ...TEXT, tools: [RESPONSES_TOOL], tool_choice: 'required' });
  const response = await stream.finalResponse();
  assertIsWeather(response.output[0].arguments);
});

for (const end of ['reset', 'close']) {
  onEach(`a stream broken by ${end} throws after the received events`, async ({ mocks, surface, client }) => {
    await mocks.play(surface, { wire: { cut: { at: { events: 2 }, end } } });
    const { events, error } = await read(await client.chat.completions.create({ ...CHAT, stream: true }));
    assert.ok(error);
    // A reset discards data that the client has not read yet.
    const came = end === 'reset' ? [0, 1, 2] : [2];
    assert.ok(came.includes(events.length), `received ${events.length} events`);
  });
}

onEach('an error within a stream throws', async ({ mocks, surface, client }) => {
  await mocks.play(surface, 'stream_error');
  const { events, error } = await read(await client.chat.completions.create({ ...CHAT, stream: true }));
  assert.ok(events.length > 0);
  assert.ok(error instanceof APIError);
  assert.ok(!(error instanceof APIConnectionError));
});

onEach('a failed response throws at its error event', async ({ mocks, surface, client }) => {
  await mocks.play(surface, 'response_failed');
  const { events, error } = await read(await client.responses.create({ ...TEXT, stream: true }));
  assert.deepEqual(events.map(({ type }) => type), ['response.created', 'response.in_progress']);
  assert.ok(error instanceof APIError);
  assert.equal(error.code, 'server_error');
});
