// On a phone the desk shows one part at a time. Which one is in the address (#outline), so Back works.
const PARTS = ['outline', 'write', 'preview']

function show() {
  const wanted = location.hash.slice(1)
  const part = PARTS.includes(wanted) ? wanted : 'write'
  document.body.dataset.part = part
  for (const link of document.querySelectorAll('[data-part-link]')) {
    if (link.hash === `#${part}`) link.setAttribute('aria-current', 'true')
    else link.removeAttribute('aria-current')
  }
}

export function startParts() {
  if (!document.querySelector('[data-part-link]')) return
  show()
  addEventListener('hashchange', show)
}
