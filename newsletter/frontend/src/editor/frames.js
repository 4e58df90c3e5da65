// <iframe data-preview>: the mail itself, in a sandbox without scripts. It grows to its content's height, its
// links open nothing (data-opens: a page of their own), and a click on a section tells the page which one.
const MARGIN = 2

function fit(frame) {
  const page = frame.contentDocument?.documentElement
  if (!page) return
  const panes = [frame.closest('.app-preview'), document.scrollingElement].filter(Boolean)
  const places = panes.map((pane) => pane.scrollTop)
  frame.setAttribute('height', '0') // so that a shorter mail is measured shorter
  frame.setAttribute('height', String(page.scrollHeight + MARGIN))
  panes.forEach((pane, number) => (pane.scrollTop = places[number]))
}

function prepare(frame) {
  const page = frame.contentDocument
  if (!page?.body) return
  fit(frame)
  new ResizeObserver(() => requestAnimationFrame(() => fit(frame))).observe(frame.parentElement)
  for (const picture of page.images) picture.addEventListener('load', () => fit(frame), { once: true })
  page.addEventListener('click', (event) => {
    const link = event.target.closest('a')
    if (link) {
      event.preventDefault()
      if ('opens' in frame.dataset && /^https?:$/.test(link.protocol)) window.open(link.href, '_blank', 'noopener,noreferrer')
    }
    const block = event.target.closest('[data-block]')?.dataset.block
    if (block) frame.dispatchEvent(new CustomEvent('preview:block', { bubbles: true, detail: { block } }))
  })
}

export function startFrames() {
  prepareAll()
  document.addEventListener('htmx:load', (event) => prepareAll(event.target.parentNode ?? document))
}

export function prepareAll(root = document) {
  for (const frame of root.querySelectorAll('iframe[data-preview]')) {
    if (frame.dataset.prepared) continue
    frame.dataset.prepared = 'yes'
    frame.addEventListener('load', () => prepare(frame))
    if (frame.contentDocument?.readyState === 'complete') prepare(frame)
  }
}
