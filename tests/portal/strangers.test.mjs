// Whatever a session may not see or do stays so, on every page and in every form that somebody with more rights comes to.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { browser } from './support/browser.mjs';
import { filled } from './support/filled.mjs';
import { PORTAL, enter, link, session } from './support/portal.mjs';
import { Receiver } from './support/receiver.mjs';
import { tenant } from './support/stack.mjs';
import { ID, kind, walk } from './support/walk.mjs';

const one = browser();
const MARK = `of-somebody-${randomUUID().slice(0, 8)}`;
let receiver, mine, urls, forms, state;

before(async () => {
  receiver = await Receiver.open();
  mine = await filled(receiver, (place) => `${MARK} ${place}`);
  await one.visit({ name: 'strangers' }, async (page) => {
    await enter(page, await link(mine));
    const pages = await walk(page, page.url());
    urls = [...new Set(pages.flatMap(({ url, parts, links }) => [url, ...parts, ...links]))].filter((url) => url.startsWith(PORTAL));
    const all = pages.flatMap((seen) => seen.forms).filter(({ method, action }) => method === 'post' && !action.endsWith('/leave'));
    forms = [...new Map(all.map((form) => [`${kind(form.action)} ${form.buttons}`, form])).values()];
  });
  state = await kept();
});
after(() => receiver?.close());

/** What nobody may change who has no right to. */
const kept = () => Promise.all(['/v1/webhooks', `/v1/webhooks/${mine.fails.id}/deliveries`].map((path) => mine.customer.done('GET', path)));

const hasId = (text) => text.match(ID) !== null;

/** A form as somebody else sends it, with a token of his own. */
async function sent(visitor, { action, fields }, token) {
  return visitor.post(action, [...fields.filter(([name]) => name !== 'form'), ['form', token]]);
}

test('there is something to refuse', () => {
  assert.ok(urls.filter(hasId).length > 10, `${urls}`);
  assert.ok(forms.filter(({ action }) => hasId(action)).length > 5, JSON.stringify(forms));
});

test("another tenant's pages are not there", async () => {
  const stranger = await session(await tenant());
  for (const url of urls.filter(hasId)) {
    const { status, body } = await stranger.get(url);
    assert.equal(status, 404, url);
    assert.ok(!body.includes(MARK), url);
  }
});

test("another tenant's things are not there for any form", async () => {
  const stranger = await session(await tenant());
  const token = await stranger.token();
  const about = forms.filter(({ action, fields }) => hasId(action) || fields.some(([, value]) => hasId(String(value))));
  for (const form of about) {
    const { status, body } = await sent(stranger, form, token);
    assert.equal(status, 404, form.action);
    assert.ok(!body.includes(MARK), form.action);
  }
  assert.deepEqual(await kept(), state);
});

test('a session that may only look changes nothing by any form', (t) =>
  one.visit({ name: 'read-only' }, async (page) => {
    const wishes = { capabilities: ['view'] };
    await enter(page, await link(mine, wishes));
    const own = (await walk(page, page.url())).flatMap((seen) => seen.forms.map(({ action }) => kind(action)));
    const visitor = await session(mine, wishes);
    const token = await visitor.token();
    const others = forms.filter(({ action }) => !own.includes(kind(action)));
    assert.ok(others.length > 5, `it sees ${own}`);
    for (const form of others) assert.equal((await sent(visitor, form, token)).status, 403, form.action);
    assert.deepEqual(await kept(), state);
    t.diagnostic(`it may send ${[...new Set(own)]}`);
  }));

test('a session for some webhooks sees nothing of the others, and does nothing to them', async () => {
  const visitor = await session(mine, { webhook_ids: [mine.well.id] });
  const token = await visitor.token();
  const lists = [mine.fails, mine.off].map(({ id }) => mine.customer.done('GET', `/v1/webhooks/${id}/deliveries?limit=100`));
  const theirs = (await Promise.all(lists)).flatMap(({ deliveries }) => deliveries.map(({ id }) => id));
  const outside = [mine.fails.id, mine.off.id, ...theirs];
  const isOutside = (text) => (text.match(ID) ?? []).some((id) => outside.includes(id));
  for (const url of urls) {
    const { status, body } = await visitor.get(url);
    if (isOutside(url)) assert.equal(status, 404, url);
    else assert.ok(!isOutside(body), `${url} tells of what is outside`);
  }
  for (const form of forms.filter(({ action }) => isOutside(action))) {
    assert.equal((await sent(visitor, form, token)).status, 404, form.action);
  }
  const { status } = await visitor.post(`${PORTAL}/webhooks/new`, { form: token, url: 'https://example.com/', events: '*' });
  assert.equal(status, 403, 'it makes none');
  assert.deepEqual(await kept(), state);
});
