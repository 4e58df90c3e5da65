// form[data-autosave] saves itself two seconds after typing stops: the same POST as Save, answered in JSON. One
// request is under way at most; what failed on the way is tried again as it was, so that an answer that was lost
// does no harm. The bar says how it stands; it is said aloud at the first save and when something fails.
import { say } from './announce.js'
import { changed, forget, fresh, keep, noteSaved } from './unsaved.js'

const AFTER = 2_000
const RETRIES = [2_000, 4_000, 8_000, 16_000, 32_000]
const LOOK_AGAIN = 5_000
const PATIENCE = 30_000
const IDLE = 700 // after a save, before the checks are asked

const form = () => document.querySelector('form[data-autosave]')
const notes = () => document.getElementById('notes')
const desk = () => document.getElementById('desk')

let state = { name: 'saved', words: null }
let timer = null
let running = null
let unanswered = null // a body that was sent and not answered
let failures = 0
let announced = false
let stopped = false // until the page is loaded again: somebody has to choose
let checking = null

function show(name, words) {
  const was = state.name
  state = { name, words }
  paint()
  const failed = ['offline', 'busy', 'clash', 'signed-out', 'refused'].includes(name)
  if ((failed && was !== name) || (name === 'saved' && !announced)) say(words)
  if (name === 'saved') announced = true
  for (const note of ['clash', 'signed-out', 'other']) {
    const element = document.getElementById(`note-${note}`)
    if (element) element.hidden = note !== name
  }
}

function paint() {
  const bar = document.getElementById('saved')
  if (!bar || state.words === null) return
  bar.hidden = false
  bar.classList.toggle('app-saved--bad', !['saved', 'saving', 'typing'].includes(state.name))
  bar.querySelector('.app-icon')?.toggleAttribute('hidden', state.name !== 'saved')
  bar.querySelector('[data-state]').textContent = state.words
}

const sentence = (name, values = {}) =>
  Object.entries(values).reduce((words, [key, value]) => words.replace(`{${key}}`, value), notes().dataset[name])

function plan(delay = AFTER) {
  clearTimeout(timer)
  timer = setTimeout(save, delay)
}

// Saves what is not saved. Resolves to whether everything is.
export async function save() {
  clearTimeout(timer)
  const ours = form()
  if (!ours || stopped) return !ours || !changed(ours)
  if (running) {
    await running
    return changed(ours) && failures === 0 ? save() : !changed(ours)
  }
  if (!changed(ours) && !unanswered) return true
  running = send(ours)
  await running
  running = null
  if (changed(ours) && failures === 0 && !stopped && state.name !== 'refused') plan()
  return !changed(ours)
}

async function send(ours) {
  const body = unanswered ?? { data: new FormData(ours), words: fresh(ours) }
  if (failures === 0) show('saving', sentence('saving'))
  let answer = null
  try {
    body.data.set('csrf_token', ours.elements.csrf_token.value)
    answer = await fetch(ours.action, {
      method: 'POST',
      body: body.data,
      headers: { Accept: 'application/json', 'X-Autosave': 'yes' },
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE),
    })
  } catch {
    return failed(body, navigator.onLine ? 'busy' : 'offline')
  }
  const told = await answer.json().catch(() => null)
  if (answer.ok && told) return done(ours, body, told)
  if (answer.type === 'opaqueredirect' || answer.status === 400 || answer.status === 401) return signInAgain(ours)
  if (answer.status === 409) return stop('clash', sentence('clash'))
  if (answer.status >= 500 || answer.status === 429 || answer.ok) return failed(body, 'busy')
  unanswered = null
  failures = 0
  show('refused', sentence('refused', { why: told?.problems?.[0]?.sentence ?? told?.error ?? String(answer.status) }))
}

function failed(body, name) {
  unanswered = body
  show(name, sentence(name))
  plan(RETRIES[Math.min(failures, RETRIES.length - 1)])
  failures += 1
}

function stop(name, words) {
  stopped = true
  unanswered = null
  show(name, words)
}

function done(ours, body, told) {
  unanswered = null
  failures = 0
  ours.elements.expected.value = told.expected
  noteSaved(ours, body.words)
  if (changed(ours)) keep(desk().dataset.open, ours)
  else forget(desk().dataset.open)
  show('saved', [sentence('saved', { at: told.at }), told.remark].filter(Boolean).join('. '))
  if (told.remark) say(told.remark)
  desk().dataset.content = told.content
  clearTimeout(checking)
  checking = setTimeout(check, IDLE)
  document.dispatchEvent(new CustomEvent('desk:saved', { detail: { words: body.words } }))
}

// What there is to mend, once nobody types: a save waits for no check. Nothing is lost when it goes unanswered.
async function check() {
  const ours = form()
  if (!ours || running) return
  const answer = await fetch(`${ours.action}/found`, { headers: { Accept: 'application/json' }, redirect: 'manual' }).catch(() => null)
  const told = answer?.ok && (await answer.json().catch(() => null))
  if (told && ours === form() && told.content >= Number(desk().dataset.content)) refreshParts(told)
}

function refreshParts(told) {
  const mend = document.getElementById('mend')
  if (mend && !mend.contains(document.activeElement)) mend.innerHTML = told.mend
  const toMend = document.getElementById('to-mend')
  if (toMend) {
    toMend.hidden = !told.stopping
    for (const number of toMend.querySelectorAll('[data-number]')) number.textContent = told.stopping
  }
  for (const { id, name, sign, words } of told.rows) {
    const row = document.getElementById(`b-${id}`)
    const spot = row?.querySelector('[data-sign]')
    if (!spot) continue
    const named = row.querySelector('[data-name]')
    if (named.textContent !== name) named.textContent = name
    spot.className = sign ? `app-dot${sign === '?' ? ' app-dot--warn' : ''}` : ''
    spot.firstElementChild.textContent = sign
    spot.lastElementChild.textContent = sign ? words : ''
  }
}

// --- signed out, or signed in anew in another tab: this page's token is of the old session

async function signInAgain(ours) {
  unanswered = null
  const page = await fetch(location.pathname, { redirect: 'manual' }).catch(() => null)
  if (!page) return failed({ data: new FormData(ours), words: fresh(ours) }, 'offline')
  if (page.type === 'opaqueredirect' || !page.ok) {
    failures = Math.max(failures, 1)
    show('signed-out', sentence('signedOut'))
    return plan(LOOK_AGAIN)
  }
  const other = new DOMParser().parseFromString(await page.text(), 'text/html')
  const token = other.querySelector('meta[name=csrf-token]')?.content
  if (other.getElementById('desk')?.dataset.person !== desk().dataset.person) {
    failures = Math.max(failures, 1)
    show('other', sentence('signedOut'))
    return plan(LOOK_AGAIN)
  }
  if (!token || failures > RETRIES.length) return stop('refused', sentence('refused', { why: String(page.status) }))
  document.querySelector('meta[name=csrf-token]').content = token
  for (const field of document.querySelectorAll('input[name=csrf_token]')) field.value = token
  failures += 1
  plan(0)
}

// --- leaving this page for another: save first

const beingLeft = new WeakSet()

async function saveThen(go) {
  const patience = new Promise((resolve) => setTimeout(resolve, 5_000))
  await Promise.race([save(), patience])
  go()
}

function onClick(event) {
  const link = event.target.closest?.('a[href]')
  const ours = form()
  if (!link || !ours || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return
  const samePage = link.origin + link.pathname + link.search === location.origin + location.pathname + location.search
  if (link.target || link.origin !== location.origin || (samePage && link.hash) || !(changed(ours) || running)) return
  event.preventDefault()
  saveThen(() => location.assign(link.href))
}

function onSubmit(event) {
  const ours = form()
  const other = event.target
  if (!ours || event.defaultPrevented || beingLeft.has(other) || other.matches('[hx-post], dialog form[method=dialog]')) return
  const busy = other === ours ? Boolean(running) : changed(ours) || Boolean(running)
  clearTimeout(timer)
  if (!busy) return
  event.preventDefault()
  event.stopImmediatePropagation()
  const again = () => {
    beingLeft.add(other)
    if (other === ours) noteSaved(ours, fresh(ours))
    other.requestSubmit(event.submitter)
  }
  if (other === ours) running.then(again)
  else saveThen(again)
}

export function startAutosave() {
  if (!form() || !notes()) return
  document.addEventListener('input', typed)
  document.addEventListener('change', typed)
  document.addEventListener('click', onClick)
  document.addEventListener('submit', onSubmit, true)
  document.addEventListener('htmx:afterSettle', paint) // the bar may be a new one
  addEventListener('online', () => plan(0))
  addEventListener('focus', () => state.name === 'signed-out' && plan(0))
  document.addEventListener('visibilitychange', () => {
    if (document.hidden && form() && changed(form())) save()
  })
}

function typed(event) {
  const ours = form()
  if (!ours || event.target.form !== ours) return
  if (!changed(ours)) return
  keep(desk().dataset.open, ours)
  if (stopped) return
  if (['saved', 'refused'].includes(state.name)) show('typing', sentence('typing'))
  clearTimeout(checking)
  if (failures === 0 && !running) plan()
}
