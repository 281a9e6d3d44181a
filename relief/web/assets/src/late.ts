// Parts of a page that take a while to work out arrive after the page: the link that stands in their place is fetched.
for (const part of document.querySelectorAll<HTMLElement>('[data-late]')) {
  fetch(part.dataset['late'] ?? '', {headers: {Accept: 'text/html'}, redirect: 'error'})
    .then(async (answer) => {
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('[data-part]');
      if (answer.ok && fresh) part.replaceChildren(fresh);
    })
    .catch(() => undefined); // the link stays
}
