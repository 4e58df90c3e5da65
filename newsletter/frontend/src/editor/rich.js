// <textarea data-xhtml>: formatted words get an editor. It is fetched only where there is such a field; until it has
// come, and wherever it does not come, the text area with its light markup does the same work.
export function startRich() {
  load(document)
  document.addEventListener('htmx:load', (event) => load(event.target.parentNode ?? document))
}

async function load(root) {
  if (!root.querySelector('textarea[data-xhtml]') || !document.getElementById('rich-parts')) return
  const { enhance } = await import('./rich_field.js')
  enhance(root.isConnected === false ? document : root)
}
