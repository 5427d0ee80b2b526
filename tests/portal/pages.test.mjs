// Every page that links lead to, of a tenant in whose things strangers wrote scripts: browsers, readers and machines take all of them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { amiss } from './support/amiss.mjs';
import { browser } from './support/browser.mjs';
import { filled, hostile, working } from './support/filled.mjs';
import { PORTAL, enter, link } from './support/portal.mjs';
import { Receiver } from './support/receiver.mjs';
import { tenant } from './support/stack.mjs';
import { walk } from './support/walk.mjs';

const one = browser();

let receiver, mine;
before(async () => {
  receiver = await Receiver.open();
  mine = await filled(receiver, hostile);
});
after(() => receiver?.close());

/** Has every page of a walk judged, and says of all of them at once what is amiss; `of` is whose pages they are. */
async function sound(page, starts, faults, of = '') {
  const told = [];
  const pages = await walk(page, starts, async (seen) => {
    const found = await amiss(page, { ...seen, of }, faults);
    if (seen.status !== 200) found.push(`it is answered ${seen.status}`);
    told.push(...found.map((one) => `${seen.kind} (${seen.url}): ${one}`));
  });
  assert.ok(told.length === 0, told.join('\n'));
  return pages;
}

test('all pages of a tenant with much to show are sound, whatever strangers wrote', (t) =>
  one.visit({ name: 'walk' }, async (page, faults) => {
    await enter(page, await link(mine));
    const others = [`webhooks/${mine.well.id}`, `webhooks/${mine.fails.id}`, `webhooks/${mine.off.id}`, `deliveries/${mine.failed[0]}`];
    const pages = await sound(page, [page.url(), ...others.map((path) => `${PORTAL}/${path}`)], faults);
    t.diagnostic(`${pages.length} pages: ${pages.map(({ kind }) => kind).join(' ')}`);
    for (const place of ['tenant', 'webhook', 'description', 'type', 'excerpt', 'data', 'tag']) {
      const shown = hostile(place).slice(0, 30).replaceAll('>', '&gt;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
      assert.ok(pages.some(({ html }) => html.includes(shown)), `no page shows what stands as ${place}`);
    }
  }));

test('all pages of a tenant who has jobs are sound, and lead to what its webhooks were told', () =>
  one.visit({ name: 'walk-jobs' }, async (page, faults) => {
    const { jobs, ...theirs } = await working(receiver, hostile);
    await enter(page, await link(theirs));
    const pages = await sound(page, [page.url(), ...jobs.map((id) => `${PORTAL}/jobs/${id}`)], faults, 'jobs-');
    assert.ok(pages.some((seen) => seen.kind === '/deliveries/{id}'), `${pages.map((seen) => seen.kind)}`);
  }));

test('all pages of a tenant who has nothing yet are sound, and say what to do next', () =>
  one.visit({ name: 'walk-empty' }, async (page, faults) => {
    await enter(page, await link(await tenant()));
    const pages = await sound(page, page.url(), faults, 'empty-');
    assert.ok(pages.some(({ html }) => html.includes('class="empty"')));
  }));

test('the pages that say why there is no other are sound', () =>
  one.visit({ name: 'walk-errors' }, async (page, faults) => {
    const told = [];
    for (const path of ['', 'no/such/page', 'enter/nonsense', 'left', 'webhooks']) {
      const url = path ? `${PORTAL}/${path}` : PORTAL;
      const html = await (await page.request.get(url)).text();
      await page.goto(url);
      // A link's page presses its own button.
      if (path.startsWith('enter/')) await page.waitForURL(`${PORTAL}/enter`);
      told.push(...(await amiss(page, { kind: `none ${path}`, html }, faults)).map((one) => `${path}: ${one}`));
    }
    assert.ok(told.length === 0, told.join('\n'));
  }));
