// Every page: the components' own behaviour, and two small courtesies. Nothing here is needed to use a page.
import {
  Button,
  CharacterCount,
  Checkboxes,
  ErrorSummary,
  FileUpload,
  PasswordInput,
  Radios,
  ServiceNavigation,
  SkipLink,
  createAll,
} from 'govuk-frontend'

// The components refuse to start without these classes; upstream sets them in an inline script, which our
// content security policy forbids.
document.body.classList.add('js-enabled', 'govuk-frontend-supported')

createAll(Button, { preventDoubleClick: true })
for (const component of [
  CharacterCount,
  Checkboxes,
  ErrorSummary,
  FileUpload,
  PasswordInput,
  Radios,
  ServiceNavigation,
  SkipLink,
]) {
  createAll(component)
}

// What has just happened is read first, unless a problem is (the error summary takes the focus itself).
if (!document.querySelector('.govuk-error-summary')) document.querySelector('[data-flash]')?.focus()

// A deadline panel closes by itself. It counts the seconds the server gave, not this machine's clock.
// Nothing ticks: 15 and 5 minutes before, and when it is over, it says so once, also to whoever hears the page.
const SOON = [15, 5]
for (const panel of document.querySelectorAll('[data-closes-in]')) {
  const closesAt = performance.now() + Number(panel.dataset.closesIn) * 1000
  const [open, closed, soon] = ['open', 'closed', 'soon'].map((part) => panel.querySelector(`[data-${part}]`))
  const said = document.getElementById('said')
  let told = Infinity
  const look = () => {
    const left = closesAt - performance.now()
    if (left <= 0) {
      open.hidden = true
      closed.hidden = false
      said.textContent = closed.textContent
      return
    }
    const minutes = Math.min(...SOON.filter((each) => left <= each * 60_000))
    if (soon && minutes < told) {
      told = minutes
      soon.textContent = said.textContent = soon.dataset.soon.replace('{minutes}', minutes)
      soon.hidden = false
    }
    const next = SOON.map((each) => left - each * 60_000).filter((each) => each > 0)
    setTimeout(look, Math.min(left, 60_000, ...next))
  }
  look()
}

// <button data-print> and <button data-copy="#id"> work only with scripts, so they are hidden until here.
for (const button of document.querySelectorAll('button[data-print]')) {
  button.hidden = false
  button.addEventListener('click', () => window.print())
}
for (const button of document.querySelectorAll('button[data-copy]')) {
  if (!navigator.clipboard) continue
  button.hidden = false
  button.addEventListener('click', async () => {
    const source = document.querySelector(button.dataset.copy)
    await navigator.clipboard.writeText((source.value ?? source.textContent).trim())
    const said = button.parentElement.querySelector('[role=status]')
    if (said) said.textContent = button.dataset.copied
  })
}

// Where the sign-up form asks for a sum, it is done meanwhile.
const sum = document.querySelector('input[data-challenge]')
if (sum) import('./work.js').then(({ work }) => work(sum))

// A page whose one button only goes on, for browsers without scripts.
document.querySelector('form[data-submit-at-once]')?.requestSubmit()
