// <form data-palette>: the kinds of section. "Find" shows those whose name or purpose has every word typed, and says
// how many; Down goes on to them, arrows move among them, Enter adds the only one left.
const form = () => document.querySelector('[data-palette]')
const field = () => document.getElementById('palette-find')
const usable = () => [...form().querySelectorAll('[data-palette-kind]:not([hidden]) button:enabled')]

let saying = null

export function startPalette() {
  prepare()
  document.addEventListener('htmx:load', prepare)
  document.addEventListener('input', (event) => event.target === field() && filter())
  document.addEventListener('keydown', press)
  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('[data-opens="palette"]') || !form()?.closest('dialog[open]')) return
    field().value = ''
    filter(false)
    field().focus()
  })
}

function prepare() {
  const find = form()?.querySelector('[data-palette-find]')
  if (find) find.hidden = false
}

// A quotation is found as a "quote" too: by the name it has in the program.
const wordsOf = (kind) => `${kind.textContent} ${kind.querySelector('button').value}`.toLowerCase()

function filter(aloud = true) {
  const words = field().value.toLowerCase().split(/\s+/).filter(Boolean)
  let found = 0
  for (const group of form().querySelectorAll('[data-palette-group]')) {
    const kinds = [...group.querySelectorAll('[data-palette-kind]')]
    for (const kind of kinds) kind.hidden = !words.every((word) => wordsOf(kind).includes(word))
    const left = kinds.filter((kind) => !kind.hidden).length
    group.hidden = !left
    found += left
  }
  const { one, many, none } = form().querySelector('[data-palette-find]').dataset
  const sentence = { 0: none, 1: one }[found] ?? many.replace('{n}', found)
  const status = document.getElementById('palette-found')
  clearTimeout(saying)
  if (!words.length || !aloud) status.textContent = ''
  else saying = setTimeout(() => (status.textContent = sentence), 300) // when the typing has come to rest
}

function press(event) {
  if (!form()?.contains(event.target)) return
  const all = usable()
  const at = all.indexOf(event.target)
  if (event.target === field() && event.key === 'Enter') {
    event.preventDefault() // else it would press the first kind, seen or not
    if (all.length === 1) all[0].click()
    else all[0]?.focus()
    return
  }
  const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1 }[event.key]
  const sideways = event.key === 'ArrowLeft' || event.key === 'ArrowRight'
  if (to === undefined || (at < 0 && (event.target !== field() || sideways))) return
  event.preventDefault()
  if (to < 0) field().focus()
  else all[Math.min(to, all.length - 1)]?.focus()
}
