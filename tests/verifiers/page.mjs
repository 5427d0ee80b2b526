// What the runners of the pages' programs share: finding a program in a page, and every way to flip one bit of a body.

import { readFileSync } from 'node:fs';

/**
 * The lines of a page from the line that begins with `first` to the text `last`, which ends the program wherever it
 * stands in its line; the `nth` such place in the page.
 */
export function program(page, first, last, nth = 0) {
  const lines = readFileSync(page, 'utf8').split('\n');
  const starts = lines.flatMap((line, index) => (line.startsWith(first) ? [index] : []));
  if (starts.length <= nth) throw new Error(`the page has no line ${nth} that begins with ${first}`);
  const rest = lines.slice(starts[nth]).join('\n');
  const end = rest.indexOf(last);
  if (end < 0) throw new Error(`the program does not end with ${last}`);
  return rest.slice(0, end + last.length) + '\n';
}

/** A module of this source, imported. */
export function load(source) {
  return import(`data:text/javascript;base64,${Buffer.from(source).toString('base64')}`);
}

/** All of standard input. */
export function input() {
  return readFileSync(0);
}

/** Every body that differs from this one in one bit. */
export function* flipped(body) {
  for (let bit = 0; bit < body.length * 8; bit += 1) {
    const copy = Buffer.from(body);
    copy[bit >> 3] ^= 1 << (bit & 7);
    yield copy;
  }
}

/** TypeScript as JavaScript: without annotations of parameters and results, assertions, and non-null marks. */
export function withoutTypes(source) {
  return source
    .replaceAll(/: (string|boolean)(?=,?\n|\) |,| \{)/g, '')
    .replaceAll(/ as string(?=[;,)])/g, '')
    .replaceAll(/(\w)!(?=[,)])/g, '$1');
}
