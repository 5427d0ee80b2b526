// Without it all is there; with it, what lacks a word of the search is hidden.
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const words = document.getElementById('words');
  const found = document.getElementById('found');
  const parts = all('[data-find]').map((part) => ({
    part,
    text: part.textContent.toLowerCase(),
    entry: document.querySelector(`[data-of="${part.dataset.id}"]`),
    fields: all('.fields > div', part).map((field) => ({ field, text: field.textContent.toLowerCase() })),
  }));
  const groups = all('[data-group]');
  const search = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const has = (text) => wanted.every((word) => text.includes(word));
    let operations = 0;
    let schemas = 0;
    for (const { part, text, entry, fields } of parts) {
      const fits = has(text);
      part.hidden = !fits;
      if (entry) entry.hidden = !fits;
      if (fits && entry) operations += 1;
      else if (fits) schemas += 1;
      for (const one of fields) one.field.classList.toggle('hit', wanted.length > 0 && has(one.text));
    }
    for (const group of groups) group.hidden = !group.querySelector('[data-find]:not([hidden]), [data-of]:not([hidden])');
    found.textContent = wanted.length ? `${operations} operations, ${schemas} schemas and answers` : '';
  };
  words.addEventListener('input', search);
  // A link into what is hidden shows all again.
  addEventListener('hashchange', () => {
    const target = document.getElementById(location.hash.slice(1));
    if (!target?.closest('[hidden]')) return;
    words.value = '';
    search();
    target.scrollIntoView();
  });
  document.getElementById('search').hidden = false;
})();
