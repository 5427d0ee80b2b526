// A page by the keyboard alone.

/** What nobody comes to: the first Tab leads to the way past what all pages have, and those after it to each control. */
export async function unreached(page) {
  // By what they are written as, since a part of the page may be loaded again meanwhile.
  const expected = await page.evaluate(() => {
    const seen = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest('[inert]');
    // Of a group of radio buttons one is in the order; arrows lead to the others.
    window.called = (one) => (one.type === 'radio' ? `the choice of ${one.name}` : one.outerHTML.slice(0, 200));
    const able = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]';
    const all = [...document.querySelectorAll(able)].filter((one) => !one.disabled && one.tabIndex >= 0 && seen(one));
    // From the very beginning.
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute('tabindex');
    return all.map(window.called);
  });
  const missed = new Set(expected);
  // A field for times has a stop for each of its parts, and one for its calendar.
  const parts = (await page.locator('input[type=datetime-local]:visible').count()) * 7;
  const faults = expected[0]?.includes('class="skip"') ? [] : [`the first control is not the way past the others: ${expected[0]}`];
  for (let press = 0; press < expected.length + parts + 3 && missed.size; press += 1) {
    await page.keyboard.press('Tab');
    const here = await page.evaluate(() => window.called(document.activeElement));
    if (press === 0 && here !== expected[0]) faults.push(`the first Tab leads to ${here}`);
    missed.delete(here);
  }
  return [...faults, ...[...missed].map((one) => `Tab never comes to ${one}`)];
}
