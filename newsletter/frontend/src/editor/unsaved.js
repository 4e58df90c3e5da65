// Words that nobody has saved: leaving with them asks first (form[data-guard]); those of a section are kept in this
// browser until they are saved, let go, or their writer signs out, and offered back when they were not.
import { say } from './announce.js'

const PREFIX = 'newsletter.words:'
const OLDEST = 14 * 24 * 3600_000
const NOT_WORDS = new Set(['csrf_token', 'expected'])

export const wordsOf = (form) => [...new FormData(form)].filter(([name]) => !NOT_WORDS.has(name)).map(([name, value]) => [name, value.name ?? value])
export const fresh = (form) => new URLSearchParams(wordsOf(form)).toString()

const saved = new WeakMap()

// What a refused form shows is nowhere but on this page.
const atStart = (form) => (form.querySelector('.govuk-form-group--error') ? 'nothing' : fresh(form))

const guarded = () => [...document.querySelectorAll('form[data-guard]')]
export const changed = (form) => saved.has(form) && saved.get(form) !== fresh(form)
export const noteSaved = (form, words) => saved.set(form, words)

export function startGuard() {
  guarded().forEach((form) => saved.set(form, atStart(form)))
  document.addEventListener('htmx:load', () => {
    for (const form of guarded()) if (!saved.has(form)) saved.set(form, atStart(form))
  })
  document.addEventListener('submit', (event) => {
    if (!event.defaultPrevented) saved.delete(event.target)
    if (event.target.action?.endsWith('/sign-out')) forgetAll()
  })
  document.addEventListener('htmx:afterRequest', (event) => {
    const form = event.target.closest?.('form[data-guard]')
    if (form) saved.set(form, event.detail.successful ? fresh(form) : 'nothing')
  })
  addEventListener('beforeunload', (event) => {
    if (guarded().some(changed)) event.preventDefault()
  })
  startKeeping()
}

// --- kept in this browser

// Storage may be full, or forbidden: then nothing is kept, and everything else works.
function attempt(act) {
  try {
    return act()
  } catch {
    return null
  }
}

const desk = () => document.getElementById('desk')
const keyOf = (block) => `${PREFIX}${desk().dataset.person}:${block}`
let offered = false // words on offer are not to be written over by new ones

export function keep(block, form) {
  if (offered) return
  const expected = form.elements.expected?.value ?? ''
  attempt(() => localStorage.setItem(keyOf(block), JSON.stringify({ at: Date.now(), expected, words: wordsOf(form) })))
}

export function forget(block) {
  if (!offered) attempt(() => localStorage.removeItem(keyOf(block)))
}

function eachKept(act) {
  attempt(() => {
    for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) act(key)
  })
}

const forgetAll = () => eachKept((key) => localStorage.removeItem(key))
const read = (key) => attempt(() => JSON.parse(localStorage.getItem(key)))

function startKeeping() {
  if (!desk()?.dataset.person) return
  eachKept((key) => {
    if (Date.now() - (read(key)?.at ?? 0) > OLDEST) localStorage.removeItem(key)
  })
  settled()
  const block = desk().dataset.open
  const form = document.querySelector('form[data-autosave]')
  const kept = block && form && read(keyOf(block))
  if (!kept) return
  if (new URLSearchParams(kept.words).toString() === fresh(form)) forget(block)
  else offer(block, form, kept)
}

// The address says what was saved, or given up for somebody else's words, on the way here.
function settled() {
  const address = new URL(location.href)
  for (const name of ['saved', 'let_go']) {
    const block = address.searchParams.get(name)
    if (block) forget(block)
    address.searchParams.delete(name)
  }
  if (address.href !== location.href) history.replaceState(history.state, '', address)
}

function whenOf(at) {
  const then = new Date(at)
  const today = then.toDateString() === new Date().toDateString()
  const minutes = then.getMinutes() ? `:${String(then.getMinutes()).padStart(2, '0')}` : ''
  const time = `${then.getHours() % 12 || 12}${minutes}${then.getHours() < 12 ? 'am' : 'pm'}` // as all other times here
  return today ? time : `${time}, ${then.toLocaleDateString(document.documentElement.lang, { day: 'numeric', month: 'long' })}`
}

function offer(block, form, kept) {
  const note = document.getElementById('note-kept')
  if (!note) return
  offered = true
  const words = document.getElementById('notes').dataset.kept.replace('{when}', whenOf(kept.at))
  note.querySelector('[data-kept-words]').textContent = words
  note.hidden = false
  say(words)
  note.addEventListener('click', (event) => {
    const way = event.target.closest('[data-kept]')?.dataset.kept
    if (!way) return
    offered = false
    if (way === 'back') return putBack(form, kept)
    forget(block)
    note.hidden = true
    form.querySelector('input:not([type=hidden]), textarea:not([hidden]), [role=textbox]')?.focus()
  })
}

// They go the way of every save: where the section was changed meanwhile, both texts are shown.
function putBack(form, kept) {
  const again = document.createElement('form')
  again.method = 'post'
  again.action = form.action
  const fields = [...kept.words, ['expected', kept.expected], ['csrf_token', form.elements.csrf_token.value]]
  for (const [name, value] of fields) {
    const field = document.createElement('input')
    field.type = 'hidden'
    Object.assign(field, { name, value })
    again.append(field)
  }
  again.hidden = true
  document.body.append(again)
  guarded().forEach((each) => saved.delete(each))
  again.submit()
}
