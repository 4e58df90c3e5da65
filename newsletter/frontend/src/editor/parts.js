// On a phone the desk shows one part at a time. Which one is in the address (#outline, or what
// stands in it), so Back works.
const PARTS = ['outline', 'write', 'preview']

function show() {
  const target = document.getElementById(location.hash.slice(1))
  const part = PARTS.find((name) => target?.closest(`#${name}`)) ?? 'write'
  const wasHidden = target?.offsetParent === null
  document.body.dataset.part = part
  if (wasHidden) target.scrollIntoView({ block: 'center' })
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
