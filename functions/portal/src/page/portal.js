// Every page works without this. Elements say by attributes what it may do for them:
//   form[data-press]            is sent when the page is there
//   time[datetime]              is written in the reader's zone, with UTC beside
//   button[data-copy=ID]        copies the text of the element with that id
//   [data-load=URL]             is filled with that part of a page as soon as it comes into view
//   [data-reload=SECONDS]       beside data-load: is loaded again, at first so often, while it is there and the page is looked at, until
//                               something in it has data-final
//   [data-live=ID]              as a field in it changes, its form is posted to data-live-url, and what comes back is put into that element
//   [data-patterns=ID]          has boxes of types: one that a pattern of that field takes is ticked, and stays out of what is sent
//   [data-scripted]             is true only where this runs: it is shown
//   [data-find=ID]              has a field by which the items of that list are looked through
(() => {
  'use strict';
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const two = (number) => String(number).padStart(2, '0');

  const zoned = (time) => {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime()) || time.dataset.done) return;
    time.dataset.done = '1';
    const offset = -at.getTimezoneOffset();
    if (offset === 0) return;
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    const own = document.createElement('span');
    own.textContent = `${day} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
    const utc = document.createElement('small');
    utc.textContent = time.textContent;
    time.replaceChildren(own, ' ', utc);
  };

  const copying = (button) => {
    const source = document.getElementById(button.dataset.copy);
    if (!source) return;
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener('click', async () => {
      const text = source.value ?? source.textContent;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = document.body.dataset.copied;
        button.setAttribute('aria-live', 'polite');
        setTimeout(() => { button.textContent = label; }, 2000);
      } catch {
        // A frame may not be let near the clipboard: then the text is selected, and copied by hand.
        getSelection().selectAllChildren(source);
      }
    });
  };

  // What an element of a part is called, so that it is found again in the part that follows.
  const called = (one) => one.id || one.getAttribute('href')
    || `${one.closest('[id]')?.id} ${(one.querySelector('summary') ?? one).textContent}`;

  // What the server wrote is parsed as a document of its own, in which nothing runs. What was open stays open, what was loaded stays there,
  // and the reader stays where he is: what he looks at does not move when something comes in above it.
  const put = (place, text) => {
    const parsed = new DOMParser().parseFromString(text, 'text/html');
    const open = new Set(all('details[open]', place).map(called));
    const focused = place.contains(document.activeElement) ? called(document.activeElement) : '';
    const loaded = all('[data-load]', place).filter((one) => one.firstElementChild);
    const top = (one) => one.getBoundingClientRect().top;
    const seen = top(place) < 0 && all('a[href]', place).find((one) => top(one) >= 0);
    const [name, height] = seen ? [called(seen), top(seen)] : [];
    place.replaceChildren(...parsed.body.childNodes);
    begin(place);
    for (const one of all('[data-load]', place)) {
      const same = loaded.find((other) => other.dataset.load === one.dataset.load);
      if (!same) continue;
      inView?.unobserve(one);
      one.replaceWith(same);
    }
    const still = name && all('a[href]', place).find((one) => called(one) === name);
    if (still) scrollBy(0, top(still) - height);
    all('details', place).filter((one) => open.has(called(one))).forEach((one) => { one.open = true; });
    if (focused) all('a, button, summary', place).find((one) => called(one) === focused)?.focus({ preventScroll: true });
  };

  const shown = new WeakMap();
  const load = async (place, seconds) => {
    try {
      const answer = await fetch(place.dataset.load, { headers: { 'x-part': '1' }, credentials: 'same-origin' });
      const text = await answer.text();
      if (answer.status === 401) location.reload();
      // What somebody is about to copy stays.
      else if (answer.ok && shown.get(place) !== text && (getSelection().isCollapsed || !place.contains(getSelection().anchorNode))) {
        shown.set(place, text);
        put(place, text);
      }
    } catch { /* What is there stays. */ }
    again(place, seconds * 1.2);
  };

  // What goes on for long is asked for less and less often.
  const again = (place, seconds) => {
    if (!(seconds > 0) || place.querySelector('[data-final]')) return;
    setTimeout(() => {
      if (!place.isConnected) return;
      if (document.hidden) document.addEventListener('visibilitychange', () => load(place, seconds), { once: true });
      else load(place, seconds);
    }, Math.min(seconds, 60) * 1000);
  };

  // What is there already is not asked for at once.
  const start = (place) => {
    const seconds = Number(place.dataset.reload ?? 0);
    if (seconds > 0 && place.firstElementChild) again(place, seconds);
    else load(place, seconds);
  };

  const inView = 'IntersectionObserver' in window
    ? new IntersectionObserver((seen) => {
      for (const { isIntersecting, target } of seen) {
        if (!isIntersecting) continue;
        inView.unobserve(target);
        start(target);
      }
    }, { rootMargin: '200px' })
    : null;

  const live = (fields) => {
    const place = document.getElementById(fields.dataset.live);
    const form = fields.closest('form');
    if (!place || !form) return;
    let waiting;
    let asked = 0;
    fields.addEventListener('input', () => {
      clearTimeout(waiting);
      waiting = setTimeout(async () => {
        const own = asked += 1;
        try {
          const body = new URLSearchParams(new FormData(form));
          const answer = await fetch(fields.dataset.liveUrl, { method: 'POST', body, headers: { 'x-part': '1' }, credentials: 'same-origin' });
          // An older answer may come after a newer one.
          if (answer.ok && own === asked) put(place, await answer.text());
        } catch { /* What is there stays. */ }
      }, 400);
    });
  };

  const finding = (box) => {
    const list = document.getElementById(box.dataset.find);
    const input = box.querySelector('input');
    if (!list || !input) return;
    box.hidden = false;
    input.addEventListener('input', () => {
      const words = input.value.toLowerCase().split(/\s+/);
      for (const item of list.children) {
        const text = item.textContent.toLowerCase();
        item.hidden = !words.every((word) => text.includes(word));
      }
    });
    // Enter would send the form that it stands in.
    input.addEventListener('keydown', (event) => { if (event.key === 'Enter') event.preventDefault(); });
  };

  // Whoever ticked a box himself has it sent, whatever patterns there are.
  const patterned = (boxes) => {
    const field = document.getElementById(boxes.dataset.patterns);
    const mark = () => {
      const patterns = field.value.split(/[\s,]+/).filter((pattern) => pattern.endsWith('.*'));
      for (const note of all('[data-through]', boxes)) {
        const box = note.parentElement.querySelector('input');
        const pattern = patterns.find((one) => box.value.startsWith(one.slice(0, -1)));
        note.hidden = !pattern;
        note.textContent = pattern ? `${note.dataset.through} ${pattern}` : '';
        if (pattern && !box.checked) box.checked = box.disabled = true;
        else if (!pattern && box.disabled) box.checked = box.disabled = false;
      }
    };
    field.addEventListener('input', mark);
    mark();
  };

  function begin(within) {
    all('time[datetime]', within).forEach(zoned);
    all('button[data-copy]', within).forEach(copying);
    all('[data-load]', within).forEach((place) => (inView ? inView.observe(place) : start(place)));
    all('[data-live]', within).forEach(live);
    all('[data-find]', within).forEach(finding);
    all('[data-patterns]', within).forEach(patterned);
    all('[data-scripted]', within).forEach((one) => { one.hidden = false; });
  }

  begin(document);
  // On a phone the ways between pages are a row that is pushed aside.
  all('nav [aria-current=page]').forEach((one) => { one.closest('nav').scrollLeft = one.offsetLeft - 48; });
  document.getElementById('errors')?.focus();
  document.querySelector('form[data-press]')?.requestSubmit();
})();
