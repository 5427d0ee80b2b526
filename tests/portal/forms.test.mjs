// Every form that links lead to, of a tenant in whose things strangers wrote scripts: with what nobody should send, and as it is.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { amiss } from './support/amiss.mjs';
import { browser } from './support/browser.mjs';
import { filled, hostile } from './support/filled.mjs';
import { enter, link } from './support/portal.mjs';
import { Receiver } from './support/receiver.mjs';
import { kind, offers, walk } from './support/walk.mjs';

const one = browser();

let receiver, mine;
before(async () => {
  receiver = await Receiver.open();
  mine = await filled(receiver, hostile);
});
after(() => receiver?.close());

test('what forms lead to is sound, whatever is sent', (t) =>
  one.visit({ name: 'forms' }, async (page, faults) => {
    await enter(page, await link(mine));
    const forms = formsOf(await walk(page, page.url()));
    t.diagnostic(`${forms.length} forms: ${forms.map(({ action }) => kind(action)).join(' ')}`);
    const told = [];
    for (const form of forms) {
      let often = 0;
      for (const typed of [hostile('typed'), null]) {
        await page.goto(form.url);
        const answer = await sent(page, form, typed);
        // What was done already is not offered again.
        if (!answer) continue;
        often += 1;
        const seen = { kind: `${kind(form.action)} ${typed ? 'as nobody should' : 'as it is'}`, html: await answer.text() };
        // Before the keyboard leads elsewhere.
        const found = seen.html.includes('id="errors"') ? await unfocused(page) : [];
        found.push(...(await amiss(page, seen, faults)));
        if (answer.status() >= 500) found.push(`it is answered ${answer.status()}`);
        told.push(...found.map((fault) => `${seen.kind} (${form.url}): ${fault}`));
      }
      if (!often) told.push(`${kind(form.action)} (${form.url}): the form is gone before it was sent`);
    }
    assert.ok(told.length === 0, told.join('\n'));
  }));

/** Each form once: what signs out is left out, and what deletes comes last. */
function formsOf(pages) {
  const all = pages.flatMap(({ url, forms }) => forms.map((form) => ({ ...form, url }))).filter(({ action }) => !action.endsWith('/leave'));
  const once = [...new Map(all.map((form) => [`${form.method} ${kind(form.action)}`, form])).values()];
  return once.sort((one, other) => one.action.endsWith('/delete') - other.action.endsWith('/delete'));
}

/** Sends a form of the page that is shown, if it still has it, with this typed wherever something can be, though a browser would not let
 * it be. */
async function sent(page, { method, action }, typed) {
  const at = (await offers(page)).forms.findIndex((form) => form.method === method && kind(form.action) === kind(action));
  if (at < 0) return null;
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.request().isNavigationRequest() && response.status() !== 303),
    page.locator('form').nth(at).evaluate((form, text) => {
      for (const field of text === null ? [] : form.elements) {
        if (field.matches('select')) field.add(new Option(text, text, true, true));
        if (!field.matches('textarea, input:not([type=hidden], [type=checkbox], [type=radio])')) continue;
        if (field.type !== 'textarea') field.type = 'text';
        field.value = text;
      }
      form.noValidate = true;
      form.requestSubmit();
    }, typed),
  ]);
  await page.waitForLoadState();
  return answer;
}

/** Whoever hears a page is told first what is wrong, and led to where. */
async function unfocused(page) {
  const faults = [];
  if ((await page.evaluate(() => document.activeElement?.id)) !== 'errors') faults.push('the focus is not where it says what is wrong');
  for (const href of await page.locator('#errors a').evaluateAll((links) => links.map((one) => one.getAttribute('href')))) {
    if (!(await page.locator(`[id="${href.slice(1)}"]`).count())) faults.push(`${href} leads nowhere`);
  }
  return faults;
}
