// A walk through all pages that links lead to, and what each of them offers.

import { PORTAL } from './portal.mjs';

// A walk ends, whatever pages link to.
const MOST = 120;

/** An id of something that belongs to one tenant. */
export const ID = /\b(?:(?:wh|dlv|job|rec|can|ten|key)_[0-9A-Za-z]{16,}|evt_[\w-]+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/g;

/** What names one thing of many: an id, or a type of events. */
const named = (segment) => (segment.match(ID) || segment.includes('.') ? '{id}' : segment);

/** What a page has in common with others of its kind: its path without names, and its query's parameters. */
export function kind(url) {
  const { pathname, searchParams } = new URL(url);
  const query = [...new Set(searchParams.keys())].sort();
  const path = pathname.slice(new URL(PORTAL).pathname.length).split('/').map(named).join('/');
  return path + (query.length ? `?${query.join('&')}` : '');
}

/** Visits these pages, and one of each other kind that links lead to from there, and has `look` look at it there; all that was found. */
export async function walk(page, starts, look = async () => {}) {
  const waiting = [starts].flat();
  const [given, known, kinds, pages] = [new Set(waiting), new Set(waiting), new Map(), []];
  while (waiting.length && pages.length < MOST) {
    const url = waiting.shift();
    const often = kinds.get(kind(url)) ?? 0;
    if (often && !given.has(url)) continue;
    kinds.set(kind(url), often + 1);
    const answer = await page.goto(url);
    const html = await answer.text();
    const called = often ? `${kind(url)} ${often + 1}` : kind(url);
    const seen = { url, kind: called, status: answer.status(), html, ...(await offers(page)) };
    pages.push(seen);
    await look(seen);
    for (const next of seen.links.filter((one) => one.startsWith(`${PORTAL}/`) && !known.has(one))) {
      known.add(next);
      waiting.push(next);
    }
  }
  return pages;
}

/** The links, the forms and the parts of the page that is shown. */
export function offers(page) {
  return page.evaluate(() => {
    const whole = (url) => new URL(url, document.baseURI).href;
    const links = [...document.querySelectorAll('a[href]')].map((one) => one.href.split('#')[0]);
    const parts = [...document.querySelectorAll('[data-load], img[src]')].map((one) => whole(one.dataset.load ?? one.getAttribute('src')));
    const forms = [...document.forms].map((form) => ({
      method: form.method,
      action: whole(form.getAttribute('action') ?? ''),
      fields: [...new FormData(form)],
      buttons: [...form.querySelectorAll('button[name], input[type=submit][name]')].map((one) => [one.name, one.value]),
    }));
    return { links: [...new Set(links)], parts, forms };
  });
}
