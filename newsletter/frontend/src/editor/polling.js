// <div data-poll="/issues/7/sending/part" data-poll-seconds="2"> fetches itself again, for as long as the answer
// asks to be. Never in a hidden tab; slower as the server is slower; it backs off while there is no answer.
import htmx from 'htmx.org'

const SLOWEST = 60_000
const POLITENESS = 10 // wait at least so many times as long as the server took

const timers = new WeakMap()
const delays = new WeakMap()

const wanted = (element) => Number(element.dataset.pollSeconds || 5) * 1000

function schedule(element) {
  clearTimeout(timers.get(element))
  if (document.hidden || !element.isConnected) return
  timers.set(
    element,
    setTimeout(() => poll(element), delays.get(element) ?? wanted(element)),
  )
}

async function poll(element) {
  if (document.hidden || !element.isConnected) return
  const began = performance.now()
  let answered = false
  const note = (event) => {
    answered = event.detail.successful
  }
  element.addEventListener('htmx:afterRequest', note, { once: true })
  try {
    await htmx.ajax('GET', element.dataset.poll, { source: element, target: element, swap: 'outerHTML' })
  } finally {
    element.removeEventListener('htmx:afterRequest', note)
  }
  const took = performance.now() - began
  const before = delays.get(element) ?? wanted(element)
  const next = answered ? Math.max(wanted(element), took * POLITENESS) : before * 2
  // After a good answer the element is a new one, under the same id; it starts from what we learned.
  const current = element.isConnected ? element : element.id && document.getElementById(element.id)
  if (!current?.dataset?.poll) return
  delays.set(current, Math.min(next, SLOWEST))
  schedule(current)
}

const all = () => document.querySelectorAll('[data-poll]')

export function startPolling() {
  all().forEach(schedule)
  document.addEventListener('htmx:load', (event) => {
    const found = event.target.matches?.('[data-poll]') ? [event.target] : []
    for (const element of [...found, ...event.target.querySelectorAll('[data-poll]')]) {
      if (!timers.has(element)) schedule(element)
    }
  })
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) all().forEach((element) => clearTimeout(timers.get(element)))
    else all().forEach(poll) // whoever comes back wants to see how it stands now
  })
}
