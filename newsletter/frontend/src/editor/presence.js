// Who else is here: told and asked every twenty seconds, while the page is in sight.
import { changed } from './unsaved.js'

const EVERY = 20_000

const desk = () => document.getElementById('desk')
let timer = null

async function tell() {
  clearTimeout(timer)
  if (document.hidden || !desk()) return
  timer = setTimeout(tell, EVERY)
  const body = new URLSearchParams({ block: desk().dataset.open ?? '' })
  const headers = { Accept: 'application/json', 'X-CSRFToken': document.querySelector('meta[name=csrf-token]')?.content ?? '' }
  try {
    const answer = await fetch(desk().dataset.here, { method: 'POST', body, headers, redirect: 'manual' })
    if (answer.ok) show(await answer.json())
  } catch {
    // no connection: the bar says so when there is something to save
  }
}

function show({ html, rows, version, content }) {
  const here = document.getElementById('here')
  if (here && here.innerHTML.trim() !== html.trim()) here.innerHTML = html
  for (const spot of document.querySelectorAll('[data-others]')) {
    const mine = rows.filter((each) => spot.closest('li').id === `b-${each.id}`)
    const names = mine.map((each) => each.name).join(', ')
    if (spot.dataset.others === names) continue
    spot.dataset.others = names
    spot.replaceChildren(...mine.map((each) => face(each.name)))
  }
  const form = document.querySelector('form[data-autosave]')
  const note = document.getElementById('note-changed')
  const behind = form && !changed(form) && version > Number(form.elements.expected.value)
  if (note) note.hidden = !behind
  if (String(content) !== desk().dataset.content) {
    desk().dataset.content = content
    document.dispatchEvent(new CustomEvent('desk:changed'))
  }
}

function face(name) {
  const element = document.createElement('span')
  element.className = 'app-face'
  element.title = name
  const letters = name.split(/\s+/).filter(Boolean).map((word) => word[0].toUpperCase())
  const shown = document.createElement('span')
  shown.setAttribute('aria-hidden', 'true')
  shown.textContent = (letters[0] ?? '') + (letters.length > 1 ? letters.at(-1) : '')
  const heard = document.createElement('span')
  heard.className = 'govuk-visually-hidden'
  heard.textContent = name
  element.append(shown, heard)
  return element
}

export function startPresence() {
  if (!desk()?.dataset.here) return
  tell()
  document.addEventListener('visibilitychange', tell)
}
