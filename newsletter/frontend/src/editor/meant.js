// <a href="…#field" data-meant="words">: the words that a check means are chosen in the field that the link leads to,
// on this page or on the next. They stay in this tab: in an address they would be written down on their way.
const KEY = 'newsletter.meant'
const PATIENCE = 3000

const loose = (text) => text.replace(/[\s\u00a0]/g, ' ')

// Of an excerpt that is cut off, its longest whole part.
const sought = (words) => loose(words).split('…').map((part) => part.trim()).sort((a, b) => b.length - a.length)[0]

function chooseInText(field, words) {
  const texts = []
  const walker = document.createTreeWalker(field, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) texts.push(walker.currentNode)
  const start = loose(texts.map((text) => text.data).join('')).indexOf(words)
  if (start < 0) return
  const placeOf = (offset) => {
    for (const text of texts) {
      if (offset <= text.data.length) return [text, offset]
      offset -= text.data.length
    }
  }
  const [from, to] = [placeOf(start), placeOf(start + words.length)]
  // By way of the editor: it would soon put its own selection in the place of one that was made behind its back.
  const { editor } = field
  editor.commands.setTextSelection({ from: editor.view.posAtDOM(...from), to: editor.view.posAtDOM(...to) })
  from[0].parentElement.scrollIntoView({ block: 'center' })
}

function choose(id, words) {
  const field = document.getElementById(id)
  if (!field) return
  field.focus()
  if (field.editor) return chooseInText(field, words)
  const start = loose(field.value ?? '').indexOf(words)
  if (start >= 0) field.setSelectionRange?.(start, start + words.length)
}

// An editor for formatted words takes its field's place a moment later.
function chooseWhenReady(id, words, until = Date.now() + PATIENCE) {
  if (!words || !id) return
  const waits = document.getElementById(id)?.matches('textarea[data-xhtml]') && document.getElementById('rich-parts')
  if (waits && Date.now() < until) setTimeout(() => chooseWhenReady(id, words, until), 50)
  else choose(id, words)
}

// Storage may be forbidden: then the link leads to the field alone.
function exchange(words) {
  try {
    const kept = sessionStorage.getItem(KEY)
    if (words) sessionStorage.setItem(KEY, words)
    else sessionStorage.removeItem(KEY)
    return kept
  } catch {
    return null
  }
}

export function startMeaning() {
  const kept = exchange('')
  if (kept) chooseWhenReady(location.hash.slice(1), sought(kept))
  document.addEventListener('click', (event) => {
    const link = event.target.closest?.('a[data-meant]')
    if (!link) return
    if (link.getAttribute('href').startsWith('#')) setTimeout(chooseWhenReady, 0, link.hash.slice(1), sought(link.dataset.meant))
    else exchange(link.dataset.meant)
  })
}
