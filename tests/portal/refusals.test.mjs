// What the portal refuses to whoever has no right to it.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { browser } from './support/browser.mjs';
import { PORTAL, Visitor, enter, link, session } from './support/portal.mjs';
import { operator, stack, tenant } from './support/stack.mjs';
import { until } from './support/until.mjs';

const one = browser();
const FORM = { 'sec-fetch-site': 'same-origin' };

const used = (url) => new Visitor('').post(`${PORTAL}/enter`, { token: url.split('/').at(-1) }, FORM);

test('of twenty who use a link at once one comes in', async () => {
  const { url } = await link(await tenant());
  const answers = await Promise.all(Array.from({ length: 20 }, () => used(url)));
  const came = answers.filter(({ status }) => status === 303);
  assert.equal(came.length, 1, `they were answered ${answers.map(({ status }) => status)}`);
  for (const { status, headers } of answers.filter((answer) => answer !== came[0])) {
    assert.deepEqual([status, headers.getSetCookie()], [401, []]);
  }
});

test('whoever opens a used link is told to ask for another', () =>
  one.visit({ name: 'used-link' }, async (page) => {
    const { url } = await link(await tenant());
    assert.equal((await used(url)).status, 303);
    await page.goto(url);
    await page.getByRole('heading', { name: 'This link does not open any more' }).waitFor();
    assert.deepEqual(await page.context().cookies(), []);
  }));

test('no link takes the place of a session before its visitor has pressed the button', () =>
  one.visit({ name: 'another-link' }, async (page) => {
    const [mine, theirs] = await Promise.all([tenant(), tenant()]);
    await enter(page, await link(mine));
    const before = await page.context().cookies();
    const { url } = await link(theirs);
    await page.goto(url);
    await page.getByText('goes on in this browser').waitFor();
    await page.getByRole('link', { name: /^Go on as / }).click();
    await page.waitForURL(`${PORTAL}/webhooks`);
    assert.deepEqual(await page.context().cookies(), before, 'it is the same session');
    await page.goto(url);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.waitForURL(`${PORTAL}/webhooks`);
    const [cookie] = await page.context().cookies();
    assert.notEqual(cookie.value, before[0].value);
    // The one before it ends, and so does what a function remembers of it.
    const old = new Visitor(`${before[0].name}=${before[0].value}`);
    await until('it ends', async () => (await old.get(`${PORTAL}/webhooks`)).status === 401, { within: 90_000 });
    assert.equal((await new Visitor(`${cookie.name}=${cookie.value}`).get(`${PORTAL}/webhooks`)).status, 200);
  }));

test('a link is late after its five minutes', async () => {
  const { url } = await link(await tenant());
  const hash = createHash('sha256').update(url.split('/').at(-1)).digest('hex');
  // Time goes by in its row, and nowhere else.
  await dynamodb('UpdateItem', {
    TableName: stack.tables.config,
    Key: { pk: { S: `PORTAL#${hash}` }, sk: { S: 'LINK' } },
    UpdateExpression: 'SET usable_until = :past',
    ConditionExpression: 'usable_until > :past',
    ExpressionAttributeValues: { ':past': { N: String(Math.floor(Date.now() / 1000) - 1) } },
  });
  const { status, headers } = await used(url);
  assert.deepEqual([status, headers.getSetCookie()], [401, []]);
});

test('a session that the provider ends ends within a minute, and its forms do nothing', async () => {
  const [mine, theirs] = await Promise.all([tenant(), tenant()]);
  const { url, session_id } = await link(mine);
  const { headers } = await used(url);
  const ended = new Visitor(headers.getSetCookie()[0].split(';')[0]);
  const [other, either] = [await session(mine), await session(theirs)];
  const token = await ended.token();
  await Promise.all([either.get(`${PORTAL}/webhooks`), other.get(`${PORTAL}/webhooks`)]);
  await operator.done('DELETE', `/v1/tenants/${mine.id}/portal/${session_id}`);
  await operator.done('DELETE', `/v1/tenants/${theirs.id}/portal`);
  // What a function knows of a session it remembers for most of that minute, and each asks another.
  const over = (visitor) => until('it ends', async () => (await visitor.get(`${PORTAL}/webhooks`)).status === 401, { within: 90_000 });
  await Promise.all([over(ended), over(either)]);
  const { status } = await ended.post(`${PORTAL}/webhooks/new`, { form: token, url: 'https://example.com/', events: '*' }, FORM);
  assert.equal(status, 401);
  assert.equal((await other.get(`${PORTAL}/webhooks`)).status, 200, 'the others go on');
  assert.deepEqual((await mine.customer.done('GET', '/v1/webhooks')).webhooks, []);
});

/** A call of the emulator's tables, which takes any signature. */
async function dynamodb(operation, body) {
  const credential = `test/20260101/${stack.region}/dynamodb/aws4_request`;
  const answer = await fetch(stack.endpoint_url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${operation}`,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host, Signature=none`,
    },
  });
  if (!answer.ok) throw new Error(`${operation} answered ${answer.status}: ${await answer.text()}`);
}

/** Another site of this machine, with one page: all that the browser is told of it. */
async function elsewhere(html) {
  const server = createServer((_, answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end(html));
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return server;
}

// The stack is at 127.0.0.1. Another name is another site, which a browser sends no cookie from; another port is not, and it does.
for (const [what, host, sent] of [['another site', 'localhost', false], ['another origin of the same site', '127.0.0.1', true]]) {
  test(`a form on ${what} changes nothing, with the visitor's cookie or without`, async () => {
    const mine = await tenant();
    const made = await mine.customer.done('POST', '/v1/webhooks/create', { url: 'https://example.com/hook', events: ['*'] });
    const forged = (path) => `<form method="post" action="${PORTAL}/${path}"><input name="url" value="https://evil.example/"><button>Win</button></form>`;
    const server = await elsewhere(`<!doctype html><title>Elsewhere</title>${forged(`webhooks/${made.id}/delete`)}`);
    const origin = `http://${host}:${server.address().port}`;
    try {
      await one.visit({ name: `forged-${host}`, origins: [origin] }, async (page) => {
        await enter(page, await link(mine));
        await page.goto(`${origin}/`);
        const posted = page.waitForRequest((request) => request.method() === 'POST');
        await page.getByRole('button').click();
        const request = await posted;
        const answer = await request.response();
        assert.equal('cookie' in (await request.allHeaders()), sent);
        assert.equal(answer.status(), sent ? 403 : 401);
      });
      assert.deepEqual((await mine.customer.done('GET', '/v1/webhooks')).webhooks.map(({ id }) => id), [made.id]);
    } finally {
      server.close();
    }
  });
}

test('a form with the token of another session changes nothing', async () => {
  const mine = await tenant();
  const [visitor, other] = [await session(mine), await session(mine)];
  const before = await mine.customer.done('GET', '/v1/webhooks');
  for (const form of [await other.token(), '', undefined]) {
    const { status } = await visitor.post(`${PORTAL}/webhooks/new`, { ...(form === undefined ? {} : { form }), url: 'https://example.com/', events: '*' });
    assert.equal(status, 403);
  }
  assert.deepEqual(await mine.customer.done('GET', '/v1/webhooks'), before);
});

test('nobody shows the portal in a frame whom the operator has not named', async () => {
  const server = await elsewhere(`<!doctype html><title>Elsewhere</title><iframe src="${PORTAL}/left" title="framed"></iframe>`);
  const origin = `http://localhost:${server.address().port}`;
  try {
    await one.visit({ name: 'framed', origins: [origin] }, async (page, faults) => {
      await page.goto(`${origin}/`);
      await until('the browser refuses the frame', () => page.frames().some((frame) => frame.url().startsWith('chrome-error:')));
      // It says so, which elsewhere is a fault.
      const told = faults.splice(0);
      assert.ok(told.every((fault) => fault.includes('frame')), `${told}`);
    });
    for (const path of ['left', 'webhooks', 'enter/nonsense']) {
      const { headers } = await fetch(`${PORTAL}/${path}`);
      assert.match(headers.get('content-security-policy'), /frame-ancestors 'none'/, path);
      assert.equal(headers.get('x-frame-options'), 'DENY', path);
    }
  } finally {
    server.close();
  }
});
