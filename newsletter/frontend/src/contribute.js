// The pages on which people write what they send in: the editor of formatted words, a count of words that is left,
// saving by itself for whoever is signed in, and a question before unsaved words are lost. Everything works without.
// (Of the desk's scripts it takes the editor alone, and only when there is a field for it: what two pages share is a
// file of its own, and the desk has to load it too.)

const AFTER = 5_000
const AGAIN = 15_000
const QUIET = 1_500
const MARK = '<!--xhtml-->'

function say(sentence) {
  const element = document.getElementById('said')
  element.textContent = ''
  setTimeout(() => (element.textContent = sentence), 100) // readers notice a change, not the same text twice
}

async function startRich() {
  if (!document.querySelector('textarea[data-xhtml]') || !document.getElementById('rich-parts')) return
  const { enhance } = await import('./editor/rich_field.js')
  enhance(document)
}

// --- how many words are left

// As the server counts: links by their words, and no mark of a list or of bold.
function wordsIn(area) {
  const text = area.value.startsWith(MARK)
    ? area.value.slice(MARK.length).replace(/<\/(p|li|h3)>|<[uo]l>/g, ' ').replace(/<[^>]*>/g, '')
      .replaceAll('&nbsp;', ' ').replace(/&[a-z]+;/g, '&') // "R & D" are two words
    : area.value.replace(/\]\([^)\s]*\)/g, ']')
  return text.split(/\s+/).filter((word) => /[\p{L}\p{N}_]/u.test(word)).length
}

function startCounting(box) {
  const most = Number(box.dataset.words)
  const hint = box.querySelector('[data-words-hint]')
  if (!hint) return
  const shown = document.createElement('span')
  const spoken = document.createElement('span')
  shown.setAttribute('aria-hidden', 'true')
  spoken.className = 'govuk-visually-hidden'
  spoken.setAttribute('role', 'status')
  hint.append(' ', shown, spoken)
  let timer = null
  const look = () => {
    const areas = [...box.querySelectorAll('textarea[data-xhtml]')]
    const left = most - areas.reduce((sum, area) => sum + wordsIn(area), 0)
    const { one, many, overOne, over } = hint.dataset
    const words = left >= 0 ? (left === 1 ? one : many) : left === -1 ? overOne : over
    shown.textContent = words.replace('{left}', left).replace('{over}', -left)
    hint.classList.toggle('govuk-error-message', left < 0)
    clearTimeout(timer)
    // Said aloud when it matters, and not at every word.
    timer = setTimeout(() => (spoken.textContent = left < 20 ? shown.textContent : ''), QUIET)
  }
  box.addEventListener('input', look)
  look()
}

// --- unsaved words

const wordsOf = (form) =>
  new URLSearchParams([...new FormData(form)].filter(([name, value]) => name !== 'expected' && typeof value === 'string')).toString()
const kept = new WeakMap()

function startKeeping(form) {
  kept.set(form, form.querySelector('.govuk-form-group--error') ? null : wordsOf(form))
  form.addEventListener('submit', () => kept.delete(form))
}

addEventListener('beforeunload', (event) => {
  for (const form of document.querySelectorAll('form[data-keep]')) {
    if (kept.has(form) && kept.get(form) !== wordsOf(form)) event.preventDefault()
  }
})

// --- saving by itself

function startSaving(form) {
  const told = form.querySelector('[data-saved]')
  let timer = null
  let running = false
  let stopped = false
  const tell = (words, bad = false) => {
    told.textContent = words
    told.classList.toggle('app-saved--bad', bad)
    if (bad) say(words)
  }
  const plan = (delay) => {
    clearTimeout(timer)
    if (!stopped) timer = setTimeout(save, delay)
  }
  async function save() {
    const words = wordsOf(form)
    if (running || kept.get(form) === words) return
    running = true
    tell(form.dataset.saving)
    const body = new FormData(form)
    // Files go with the buttons; a script that sent them each time would send them often.
    for (const [name, value] of [...body]) if (typeof value !== 'string') body.delete(name)
    body.delete('do')
    try {
      const answer = await fetch(form.action, { method: 'POST', body, headers: { 'X-Autosave': '1' } })
      const said = await answer.json()
      if (answer.ok) {
        form.elements.expected.value = said.expected
        kept.set(form, words)
        tell(said.at)
        if (wordsOf(form) !== words) plan(AFTER)
      } else if (answer.status === 409) {
        stopped = true
        tell(form.dataset.clash, true)
      } else {
        tell(answer.status === 401 ? form.dataset.signedOut : said.sentence || form.dataset.failed, true)
        plan(AGAIN)
      }
    } catch {
      tell(form.dataset.failed, true)
      plan(AGAIN)
    } finally {
      running = false
    }
  }
  form.addEventListener('input', () => plan(AFTER))
  form.addEventListener('submit', () => {
    stopped = true
    clearTimeout(timer)
  })
}

startRich()
document.querySelectorAll('[data-words]').forEach(startCounting)
document.querySelectorAll('form[data-keep]').forEach(startKeeping)
document.querySelectorAll('form[data-saves]').forEach(startSaving)
