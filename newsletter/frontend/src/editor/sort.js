// Dragging in the outline, from 640 px up, by the dots of <ol data-sort>. The list shows at once what a drop would
// mean; the drop is one POST with the new place, and the order is put back with a sentence when it is refused.
import htmx from 'htmx.org'
import { say } from './announce.js'

const wide = matchMedia('(min-width: 640px)')
const lists = () => document.querySelectorAll('ol[data-sort]')
const movable = (list) => [...list.children].filter((item) => 'movable' in item.dataset)

let drag = null

export function startSort() {
  const show = () => lists().forEach((list) => list.classList.toggle('is-sortable', wide.matches))
  show()
  wide.addEventListener('change', show)
  document.addEventListener('htmx:load', show)
  document.addEventListener('pointerdown', begin)
  document.addEventListener('pointermove', move)
  document.addEventListener('pointerup', () => end(true))
  document.addEventListener('pointercancel', () => end(false))
  document.addEventListener('keydown', (event) => event.key === 'Escape' && end(false))
  document.addEventListener('htmx:beforeSwap', refused)
}

// A button up or down that is refused answers with a whole page, which has no outline to put in place of this one.
function refused({ detail }) {
  if (!detail.xhr.responseText.includes('data-error-page')) return
  const page = new DOMParser().parseFromString(detail.xhr.responseText, 'text/html')
  const sentence = page.querySelector('[data-error-page]')?.textContent
  detail.shouldSwap = false
  document.querySelector('[data-sort-said]').textContent = sentence
  say(sentence)
}

function begin(event) {
  const item = event.target.closest?.('.is-sortable > [data-place-url]')
  if (!item || event.button !== 0 || !event.target.closest('.app-outline__grip')) return
  event.preventDefault() // no words are chosen on the way
  const list = item.parentElement
  drag = { item, list, before: [...list.children], from: movable(list).indexOf(item) }
  item.classList.add('is-dragged')
}

// The others make room: the item itself stays in the page, so that the pointer is not lost.
function move(event) {
  if (!drag) return
  const { item, list } = drag
  const others = movable(list).filter((each) => each !== item)
  const middle = (each) => each.getBoundingClientRect().top + each.offsetHeight / 2
  const wanted = others.filter((each) => middle(each) < event.clientY).length
  for (let at = movable(list).indexOf(item); at !== wanted; at += at < wanted ? 1 : -1) {
    if (at < wanted) item.before(item.nextElementSibling)
    else item.after(item.previousElementSibling)
  }
  item.scrollIntoView({ block: 'nearest' })
}

function end(dropped) {
  if (!drag) return
  const { item, list, before, from } = drag
  drag = null
  item.classList.remove('is-dragged')
  if (!dropped) list.append(...before)
  else if (movable(list).indexOf(item) !== from) drop(list, item, before)
}

async function drop(list, item, before) {
  try {
    const answer = await fetch(item.dataset.placeUrl, {
      method: 'POST',
      headers: { 'X-CSRFToken': document.querySelector('meta[name=csrf-token]').content },
      body: new URLSearchParams({ place: [...list.children].indexOf(item) + 1 }),
    })
    const page = await answer.text()
    if (!answer.ok || !page.includes('id="outline"')) throw new Error(answer.status)
    htmx.swap('#outline', page, { swapStyle: 'outerHTML' }, { select: '#outline', selectOOB: '#preview,#bar' })
  } catch {
    list.append(...before)
    document.querySelector('[data-sort-said]').textContent = list.dataset.refused
    say(list.dataset.refused)
  }
}
