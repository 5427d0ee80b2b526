// What every page has to be, for whomever: each judge is asked, in the light and in the dark, at a desk and where there is little room.

import { SIZES, picture } from './browser.mjs';
import { barriers, invalid, overflowing } from './judges.mjs';
import { unreached } from './keyboard.mjs';

/** What is amiss with a page that is shown, for whomever. */
export async function amiss(page, seen, faults) {
  const name = `page-${seen.of ?? ''}${seen.kind.replaceAll(/[^\w]+/g, '-')}`;
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
