// A button that prints the page; without script it stays hidden and the browser's own menu does the same.
for (const button of document.querySelectorAll<HTMLButtonElement>('[data-print]')) {
  button.hidden = false;
  button.addEventListener('click', () => window.print());
}
