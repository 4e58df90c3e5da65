// <form data-guard>: leaving with words that nobody has saved asks first.
const fresh = (form) =>
  new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, value.name ?? value])).toString()
const saved = new WeakMap()

// What a refused form shows is nowhere but on this page.
const atStart = (form) => (form.querySelector('.govuk-form-group--error') ? 'nothing' : fresh(form))

const guarded = () => [...document.querySelectorAll('form[data-guard]')]
const changed = (form) => saved.has(form) && saved.get(form) !== fresh(form)

export function startGuard() {
  guarded().forEach((form) => saved.set(form, atStart(form)))
  document.addEventListener('htmx:load', () => {
    for (const form of guarded()) if (!saved.has(form)) saved.set(form, atStart(form))
  })
  document.addEventListener('submit', (event) => saved.delete(event.target))
  document.addEventListener('htmx:afterRequest', (event) => {
    const form = event.target.closest?.('form[data-guard]')
    if (form) saved.set(form, event.detail.successful ? fresh(form) : 'nothing')
  })
  addEventListener('beforeunload', (event) => {
    if (guarded().some(changed)) event.preventDefault()
  })
}
