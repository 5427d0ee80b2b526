// What judges a page: axe-core for people who see or move badly, html-validate for browsers, and how much room it takes. Each tells of
// what is amiss, and of nothing where all is well.

import axe from 'axe-core';
import { HtmlValidate } from 'html-validate';

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
// What the colours decide; all else is the same in the dark.
const COLOURS = ['color-contrast', 'link-in-text-block'];

const validator = new HtmlValidate({ extends: ['html-validate:standard'] });

/** Who is shut out of the page, and by what: in the light by every rule of WCAG 2.2 AA, in the dark by those of colours. */
export async function barriers(page) {
  // By the debugger: a page's own policy lets no script in.
  await page.evaluate(axe.source);
  const light = await broken(page, 'light', { runOnly: { type: 'tag', values: WCAG } });
  const dark = await broken(page, 'dark', { runOnly: { type: 'rule', values: COLOURS } });
  return [...light, ...dark];
}

async function broken(page, colorScheme, options) {
  await page.emulateMedia({ colorScheme });
  const asked = { ...options, resultTypes: ['violations'], preload: false };
  const found = await page.evaluate((how) => window.axe.run(document, how), asked);
  const judged = [...found.passes, ...found.violations, ...found.incomplete].map((rule) => rule.id);
  const faults = found.violations.map(({ id, nodes }) => {
    const places = nodes.slice(0, 3).map(({ target, failureSummary }) => `${target} (${failureSummary.replaceAll(/\s+/g, ' ')})`);
    return `${colorScheme}: ${id} at ${places.join('; ')}`;
  });
  return judged.includes('color-contrast') ? faults : [...faults, `${colorScheme}: nobody judged the contrast`];
}

/** Where the page is no HTML as the standard has it. */
export async function invalid(html) {
  const { results } = await validator.validateString(html);
  return results.flatMap(({ messages }) => messages.map((one) => `${one.line}:${one.column} ${one.ruleId}: ${one.message}`));
}

/** What makes a reader scroll sideways. */
export async function overflowing(page) {
  const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  if (wide <= room) return [];
  const beyond = await page.evaluate(() => {
    const out = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > innerWidth + 1);
    return out.slice(-3).map((one) => one.outerHTML.slice(0, 120));
  });
  return [`it is ${wide} wide where there is room for ${room}: ${beyond.join(' | ')}`];
}
