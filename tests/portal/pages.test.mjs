// Every page that links lead to, of a tenant in whose things strangers wrote scripts: browsers, readers and machines take all of them.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { SIZES, browser, picture } from './support/browser.mjs';
import { filled, working } from './support/filled.mjs';
import { barriers, invalid, overflowing } from './support/judges.mjs';
import { unreached } from './support/keyboard.mjs';
import { PORTAL, enter, link } from './support/portal.mjs';
import { Receiver } from './support/receiver.mjs';
import { tenant } from './support/stack.mjs';
import { kind, offers, walk } from './support/walk.mjs';

const one = browser();

/** A text that breaks out of an element, an attribute, a comment or a script where it is not written as text. */
const hostile = (place) => `${place} --></script>'"><script>alert(1)</script><img src=x onerror=alert(2)><svg onload=alert(3)>`.slice(0, 127);

let receiver, mine;
before(async () => {
  receiver = await Receiver.open();
  mine = await filled(receiver, hostile);
});
after(() => receiver?.close());

/** What is amiss with a page that is shown, for whomever. */
async function amiss(page, seen, faults) {
  const name = `page-${seen.kind.replaceAll(/[^\w]+/g, '-')}`;
  // What is loaded once the page is there, is.
  await page.waitForLoadState('networkidle');
  const found = [...(await invalid(seen.html)), ...(await overflowing(page))];
  await picture(page, name);
  found.push(...(await barriers(page)));
  found.push(...(await unreached(page)));
  // In the dark, as it is left.
  await page.setViewportSize(SIZES.narrow);
  found.push(...(await overflowing(page)));
  await picture(page, `${name}-narrow`);
  await page.setViewportSize(SIZES.desk);
  await page.emulateMedia({ colorScheme: 'light' });
  return [...found, ...faults.splice(0)];
}

/** Has every page of a walk judged, and says of all of them at once what is amiss. */
async function sound(page, starts, faults) {
  const told = [];
  const pages = await walk(page, starts, async (seen) => {
    const found = await amiss(page, seen, faults);
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
    const pages = await sound(page, [page.url(), ...jobs.map((id) => `${PORTAL}/jobs/${id}`)], faults);
    assert.ok(pages.some((seen) => seen.kind === '/deliveries/{id}'), `${pages.map((seen) => seen.kind)}`);
  }));

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

test('all pages of a tenant who has nothing yet are sound, and say what to do next', () =>
  one.visit({ name: 'walk-empty' }, async (page, faults) => {
    await enter(page, await link(await tenant()));
    const pages = await sound(page, page.url(), faults);
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
