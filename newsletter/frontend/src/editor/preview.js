// The preview beside the desk: it follows what is typed, without losing its place; the open section is marked, and a
// click on another opens it. The next picture is drawn in a second frame out of sight, which then takes the first
// one's place: nothing flickers, and the page's history stays as it was.
import { prepareAll } from './frames.js'
import { fresh } from './unsaved.js'

const AFTER = 400
const PATIENCE = 10_000

const area = () => document.getElementById('preview')
const current = () => area()?.querySelector('iframe[data-preview]:not([data-next])')
const section = () => document.querySelector('form[data-autosave]')
const desk = () => document.getElementById('desk')
const inSight = () => area()?.offsetParent !== null

let timer = null
let drawing = false
let again = false
let shown = null // the words that the frame shows
let number = 0

function later() {
  clearTimeout(timer)
  timer = setTimeout(draw, AFTER)
}

async function draw() {
  clearTimeout(timer)
  const form = section()
  if (!form || !area()?.dataset.typed || !current() || !inSight()) return
  if (drawing) {
    again = true
    return
  }
  const words = fresh(form)
  drawing = true
  const next = await load(form)
  drawing = false
  if (next) {
    swap(next)
    shown = words
  }
  if (again) {
    again = false
    later()
  }
}

// A frame of its own with the answer to the typed words; null when there is none.
function load(form) {
  const next = current().cloneNode()
  number += 1
  next.name = `preview-${number}`
  next.dataset.next = 'yes'
  next.tabIndex = -1
  next.setAttribute('aria-hidden', 'true')
  for (const name of ['src', 'data-prepared']) next.removeAttribute(name)
  current().after(next)
  const post = document.createElement('form')
  post.method = 'post'
  post.action = area().dataset.typed
  post.target = next.name
  post.hidden = true
  for (const [name, value] of new FormData(form)) {
    const field = document.createElement('textarea') // an input would lose the line breaks
    field.name = name
    field.value = value
    post.append(field)
  }
  document.body.append(post)
  return new Promise((resolve) => {
    const end = (good) => {
      clearTimeout(patience)
      post.remove()
      if (!good) next.remove()
      resolve(good ? next : null)
    }
    const patience = setTimeout(() => end(false), PATIENCE)
    next.addEventListener('load', () => {
      const page = next.contentDocument
      if (page?.URL === 'about:blank') return
      end(Boolean(page?.body?.childElementCount) && !page.querySelector('[data-error-page]'))
    })
    post.submit()
  })
}

function swap(next) {
  const old = current()
  const hadFocus = document.activeElement === old
  const place = area().scrollTop
  next.setAttribute('height', old.getAttribute('height'))
  old.remove()
  delete next.dataset.next
  next.removeAttribute('aria-hidden')
  next.removeAttribute('tabindex')
  prepareAll(area())
  mark(next)
  area().scrollTop = place
  if (hadFocus) next.focus()
}

const partsOf = (frame, block) => [...(frame.contentDocument?.querySelectorAll(`[data-block="${CSS.escape(block)}"]`) ?? [])]

// A line at the side of what the open section draws. Set by script: a policy that forbids inline styles allows it.
function mark(frame) {
  const page = frame.contentDocument
  const open = desk()?.dataset.open
  if (!page?.body || !open) return
  const colour = getComputedStyle(document.body).getPropertyValue('--accent').trim() || '#0e5a63'
  for (const part of page.querySelectorAll('[data-block]')) {
    const here = part.dataset.block === open
    part.style.boxShadow = here ? `inset 3px 0 0 ${colour}` : ''
    part.style.cursor = here ? '' : 'pointer'
  }
}

function goTo(frame) {
  const open = desk()?.dataset.open
  const [first] = open ? partsOf(frame, open) : []
  if (!first || !inSight()) return
  const top = frame.getBoundingClientRect().top + first.getBoundingClientRect().top
  const pane = area()
  if (pane.scrollHeight > pane.clientHeight + 1 && getComputedStyle(pane).overflowY === 'auto') {
    pane.scrollTop += top - pane.getBoundingClientRect().top - 80
  } else if (location.hash === '#preview') scrollBy(0, top - 120)
}

function begin(frame) {
  if (!frame || frame.dataset.begun) return
  frame.dataset.begun = 'yes'
  const ready = () => {
    mark(frame)
    goTo(frame)
  }
  frame.addEventListener('load', ready)
  if (frame.contentDocument?.readyState === 'complete' && frame.contentDocument.URL !== 'about:blank') ready()
}

export function startPreview() {
  if (!area()) return
  prepareAll(area()) // a frame is measured before its place is looked for
  begin(current())
  shown = section() && fresh(section())
  const follow = (event) => {
    if (section() && event.target.form === section()) later()
  }
  document.addEventListener('input', follow)
  document.addEventListener('change', follow)
  document.addEventListener('desk:saved', (event) => {
    if (event.detail.words !== shown) later()
  })
  document.addEventListener('desk:changed', later)
  document.addEventListener('htmx:load', () => begin(current()))
  document.addEventListener('preview:block', (event) => {
    const { block } = event.detail
    if (block !== desk()?.dataset.open) document.querySelector(`#b-${CSS.escape(block)} a`)?.click()
  })
  addEventListener('hashchange', () => {
    if (location.hash !== '#preview' || !current()) return
    if (section() && fresh(section()) !== shown) draw()
    requestAnimationFrame(() => goTo(current()))
  })
}
