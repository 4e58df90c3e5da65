// One live region for the page. An answer speaks by an element with data-say in it, or by the header
// HX-Trigger: {"say": "Contact, now 4 of 8"}.
const region = () => document.getElementById('said')

export function say(sentence) {
  const element = region()
  if (!element || !sentence) return
  element.textContent = ''
  setTimeout(() => (element.textContent = sentence), 100) // readers notice a change, not the same text twice
}

export function startAnnouncing() {
  document.addEventListener('say', (event) => say(event.detail?.value ?? event.detail))
  document.addEventListener('htmx:load', (event) => {
    const element = event.target.matches?.('[data-say]')
      ? event.target
      : event.target.querySelector?.('[data-say]')
    if (element) say(element.dataset.say)
  })
}
