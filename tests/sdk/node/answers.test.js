'use strict';
// Complete responses of every endpoint.

const assert = require('node:assert/strict');
const { toFile } = require('openai');
const { zodResponseFormat, zodTextFormat } = require('openai/helpers/zod');
const { judge } = require('./judge.js');
const { Event, RESPONSES_TOOL, TOOL, assertIsWeather } = require('./shapes.js');

const onEach = judge();
const CHAT = { model: 'gpt-4.1', messages: [{ role: 'user', content: 'Hello.' }] };
const TEXT = { model: 'gpt-4.1', input: 'Hello.' };

onEach('a chat completion has n choices', async ({ client }) => {
  const completion = await client.chat.completions.create({ ...CHAT, n: 2 });
  assert.deepEqual(completion.choices.map(({ index }) => index), [0, 1]);
  assert.ok(completion.choices.every(({ message }) => message.content));
  const { prompt_tokens, completion_tokens, total_tokens } = completion.usage;
  assert.equal(total_tokens, prompt_tokens + completion_tokens);
});

onEach('a forced tool is called', async ({ client }) => {
  const completion = await client.chat.completions.create({ ...CHAT, tools: [TOOL], tool_choice: 'required' });
  const [choice] = completion.choices;
  assert.equal(choice.finish_reason, 'tool_calls');
  assert.equal(choice.message.tool_calls[0].function.name, 'weather');
  assertIsWeather(choice.message.tool_calls[0].function.arguments);
});

onEach('structured output of a chat completion is parsed', async ({ client }) => {
  const format = zodResponseFormat(Event, 'event');
  const completion = await client.chat.completions.parse({ ...CHAT, response_format: format });
  assert.deepEqual(Event.parse(completion.choices[0].message.parsed), completion.choices[0].message.parsed);
});

onEach('the raw response has the request id', async ({ client }) => {
  const { data, response, request_id } = await client.chat.completions.create(CHAT).withResponse();
  assert.equal(response.status, 200);
  assert.ok(request_id);
  assert.equal(data._request_id, request_id);
});

onEach('a prompt is completed', async ({ client }) => {
  const completion = await client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt: 'Hello.' });
  assert.ok(completion.choices[0].text);
});

onEach('both encodings of an embedding are equal', async ({ mocks, client }) => {
  const asked = { model: 'text-embedding-3-small', input: 'Hello.', dimensions: 64 };
  const decoded = await client.embeddings.create(asked);
  assert.equal(JSON.parse((await mocks.requests())[0].body).encoding_format, 'base64');
  await mocks.reset();
  const floats = await client.embeddings.create({ ...asked, encoding_format: 'float' });
  assert.equal(floats.data[0].embedding.length, 64);
  assert.deepEqual(decoded.data[0].embedding, floats.data[0].embedding);
});

onEach('a response is created and continued', async ({ client }) => {
  const first = await client.responses.create(TEXT);
  assert.ok(first.output_text);
  const second = await client.responses.create({ ...TEXT, previous_response_id: first.id });
  assert.equal(second.previous_response_id, first.id);
});

onEach('a structured response is parsed', async ({ client }) => {
  const response = await client.responses.parse({ ...TEXT, text: { format: zodTextFormat(Event, 'event') } });
  assert.deepEqual(Event.parse(response.output_parsed), response.output_parsed);
});

onEach('a response calls a forced function', async ({ client }) => {
  const response = await client.responses.create({
    ...TEXT,
    tools: [RESPONSES_TOOL],
    tool_choice: { type: 'function', name: 'weather' },
  });
  assert.equal(response.output[0].type, 'function_call');
  assertIsWeather(response.output[0].arguments);
});

onEach('a conversation is compacted', async ({ client }) => {
  const compacted = await client.responses.compact(TEXT);
  assert.equal(compacted.object, 'response.compaction');
  assert.ok(compacted.output.some(({ type }) => type === 'compaction'));
});

onEach('an image is generated', async ({ client }) => {
  const images = await client.images.generate({ model: 'gpt-image-1', prompt: 'A cat.' });
  assert.ok(Buffer.from(images.data[0].b64_json, 'base64').length > 0);
});

onEach('speech is generated', async ({ client }) => {
  const spoken = await client.audio.speech.create({ model: 'tts-1', input: 'Hello.', voice: 'alloy' });
  assert.equal(spoken.headers.get('content-type'), 'audio/mpeg');
  assert.ok((await spoken.arrayBuffer()).byteLength > 0);
});

for (const hearing of ['transcriptions', 'translations']) {
  onEach(`audio.${hearing} returns text`, async ({ client }) => {
    const file = await toFile(Buffer.from('RIFF'), 'silence.wav');
    const heard = (more) => client.audio[hearing].create({ model: 'whisper-1', file, ...more });
    assert.ok((await heard({})).text);
    assert.equal(typeof (await heard({ response_format: 'text' })), 'string');
    assert.ok((await heard({ response_format: 'verbose_json' })).segments.length > 0);
  });
}

onEach(
  'a text is moderated',
  async ({ client }) => {
    const moderation = await client.moderations.create({ input: 'Hello.' });
    assert.equal(moderation.results[0].flagged, false);
  },
  ['openai'],
);

onEach('a model is retrieved', async ({ client }) => {
  assert.equal((await client.models.retrieve('gpt-4.1')).id, 'gpt-4.1');
});
