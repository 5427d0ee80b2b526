// `GET /docs`, the page that shows the API's document, as its readers open it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { browser, picture } from './support/browser.mjs';
import { barriers, invalid, overflowing } from './support/judges.mjs';
import { stack } from './support/stack.mjs';

const one = browser();
const url = `${stack.api_url}/docs`;
const shown = (page, selector) => page.locator(selector).filter({ visible: true }).count();

for (const size of ['desk', 'phone', 'narrow']) {
  for (const scripts of [true, false]) {
    const name = `docs-${size}${scripts ? '' : '-without-scripts'}`;
    test(`all of the reference is there: ${name}`, () =>
      one.visit({ size, scripts, name }, async (page) => {
        await page.goto(url);
        await picture(page, name, { fullPage: false });
        const all = await page.locator('.operation').count();
        assert.ok(all > 30, `it has ${all} operations`);
        assert.equal(await shown(page, '.operation'), all, 'some operations are hidden');
        assert.equal(await shown(page, '#words'), scripts ? 1 : 0, 'the search is there only where it works');
        assert.deepEqual(await overflowing(page), []);
      }));
  }
}

test('a search of the reference leaves what has the words', () =>
  one.visit({ name: 'docs-search' }, async (page) => {
    await page.goto(url);
    const all = await page.locator('.operation').count();
    await page.fill('#words', 'rotate SECRET');
    const found = await shown(page, '.operation');
    assert.ok(found > 0 && found < all / 2, `it leaves ${found} operations of ${all}`);
    assert.equal(await shown(page, '#rotateWebhookSecret'), 1);
    assert.equal(await shown(page, 'nav li'), found, 'the list of operations is searched as well');
    await page.fill('#words', 'retry_schedule');
    assert.ok((await shown(page, '#createWebhook .hit')) > 0, 'a field that was found is marked');
    await page.fill('#words', 'no such thing anywhere');
    assert.equal(await shown(page, '.operation'), 0);
    await page.fill('#words', '');
    assert.equal(await shown(page, '.operation'), all, 'an empty search shows all');
  }));

test('the reference is valid, and shuts nobody out', () =>
  one.visit({ name: 'docs' }, async (page) => {
    const answer = await page.goto(url);
    assert.deepEqual(await invalid(await answer.text()), []);
    // All of it, for what is folded is judged as well.
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)));
    assert.deepEqual(await barriers(page), []);
    await picture(page, 'docs-dark', { fullPage: false });
  }));
