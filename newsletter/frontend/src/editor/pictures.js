// Pictures: uploading with a bar, by drop and paste; choosing one in a dialog over the section that shows it.
// Without scripts the same forms work as pages.
import { say } from './announce.js'

const MOST = 10 * 1024 * 1024
const token = () => document.querySelector('meta[name=csrf-token]')?.content ?? ''

// --- uploading

function show(area, sentence) {
  const error = area.querySelector('[data-upload-error]')
  error.textContent = sentence
  error.hidden = !sentence
}

// Sends one file; the name and the anchor of the picture that it became, or null when it was refused (the area says
// why).
function send(area, file) {
  show(area, '')
  if (file.size > MOST) {
    show(area, area.dataset.tooLarge)
    return Promise.resolve(null)
  }
  const bar = area.querySelector('[data-upload-bar]')
  const progress = bar.querySelector('progress')
  const request = new XMLHttpRequest() // fetch cannot say how far an upload is
  const form = new FormData()
  form.append('file', file, 'picture')
  progress.value = 0
  bar.hidden = false
  say(area.dataset.uploading)
  return new Promise((resolve) => {
    const end = (sentence, added = null) => {
      bar.hidden = true
      if (sentence) show(area, sentence)
      resolve(added)
    }
    request.upload.addEventListener('progress', (event) => {
      if (event.lengthComputable) progress.value = Math.round((event.loaded / event.total) * 100)
    })
    request.addEventListener('load', () => {
      if (request.status === 201) end('', request.response)
      else end(request.response?.sentence ?? (request.status === 413 ? area.dataset.tooLarge : area.dataset.lost))
    })
    for (const lost of ['error', 'abort', 'timeout']) request.addEventListener(lost, () => end(area.dataset.lost))
    request.open('POST', area.dataset.upload)
    request.responseType = 'json'
    request.timeout = 120_000
    request.setRequestHeader('Accept', 'application/json')
    request.setRequestHeader('X-CSRFToken', token())
    request.send(form)
  })
}

async function take(area, files) {
  if (area.dataset.busy) return
  area.dataset.busy = 'yes'
  let added = null
  for (const file of files) added = (await send(area, file)) ?? added
  delete area.dataset.busy
  const input = area.querySelector('input[type=file]')
  input.value = '' // it is sent: the form must not send it again
  if (!added) return input.focus()
  area.dispatchEvent(new CustomEvent('picture:added', { bubbles: true, detail: added }))
}

const pictured = (files) => [...(files ?? [])].filter((file) => file.type.startsWith('image/'))

function startUploads(root = document) {
  for (const area of root.querySelectorAll('[data-upload]')) {
    if (area.dataset.prepared) continue
    area.dataset.prepared = 'yes'
    area.querySelector('[data-upload-more]').hidden = false
    area.addEventListener('change', (event) => {
      if (event.target.files?.length) take(area, event.target.files)
    })
    area.addEventListener('dragover', (event) => {
      event.preventDefault()
      area.classList.add('app-upload--over')
    })
    area.addEventListener('dragleave', () => area.classList.remove('app-upload--over'))
    area.addEventListener('drop', (event) => {
      event.preventDefault()
      area.classList.remove('app-upload--over')
      if (event.dataTransfer.files.length) take(area, event.dataTransfer.files)
    })
  }
  for (const button of root.querySelectorAll('[data-upload-plain]')) button.hidden = true
}

// --- choosing in a dialog

let opener = null
const box = () => document.getElementById('picture-dialog') ?? make()

function make() {
  const dialog = document.createElement('dialog')
  dialog.id = 'picture-dialog'
  dialog.className = 'app-dialog'
  dialog.addEventListener('close', () => {
    dialog.replaceChildren()
    opener?.focus()
  })
  document.body.append(dialog)
  return dialog
}

function fill(html, typed) {
  const dialog = box()
  const heading = document.createElement('h2')
  heading.className = 'govuk-heading-m'
  heading.id = 'picture-dialog-title'
  heading.textContent = opener.innerText.trim() // without what is hidden in it
  dialog.replaceChildren(heading, document.createRange().createContextualFragment(html))
  dialog.setAttribute('aria-labelledby', heading.id)
  const alt = dialog.querySelector('[name=alt]')
  if (alt && typed) {
    alt.value = typed.alt
    dialog.querySelector('[name=decorative]').checked = typed.decorative
  }
  startUploads(dialog)
  return dialog
}

const inForm = (name) => opener?.form?.elements[`d.${name}`]
const typedNow = (root, prefix = '') => ({
  alt: root.elements?.[`${prefix}alt`]?.value ?? '',
  decorative: Boolean(root.elements?.[`${prefix}decorative`]?.checked),
})

async function open(button) {
  opener = button
  const chosen = inForm(button.dataset.pictureField)?.value ?? ''
  const address = `${new URL(button.form.action).pathname}/picture/${button.dataset.pictureField}`
  const html = await part(`${address}?chosen=${encodeURIComponent(chosen)}`)
  if (html === null) return button.form.requestSubmit(button) // the page of its own says what is wrong
  const dialog = fill(html, typedNow(button.form, 'd.'))
  dialog.showModal()
  ;(dialog.querySelector('[name=media]:checked') ?? dialog.querySelector('[type=file]'))?.focus()
}

async function part(address, options = {}) {
  try {
    const answer = await fetch(address, { ...options, headers: { 'X-Part': 'yes', 'X-CSRFToken': token() } })
    if (answer.status === 204) return ''
    return (answer.ok || answer.status === 422) && !answer.redirected ? await answer.text() : null
  } catch {
    return null
  }
}

// Asks whether the choice is complete; then puts it into the section's form, which saves itself as ever.
async function choose(form) {
  const data = new FormData(form)
  data.set('do', 'check')
  data.delete('file')
  const html = await part(form.action, { method: 'POST', body: data })
  if (html === null) return form.submit()
  if (html) {
    const dialog = fill(html)
    ;(dialog.querySelector('.govuk-form-group--error :is(input, textarea)') ?? dialog).focus()
    return say(dialog.querySelector('.govuk-error-message:not([hidden])')?.textContent)
  }
  const picked = form.querySelector('[name=media]:checked')
  const group = opener.closest('[data-picture]')
  const shown = group.querySelector('.app-picture__shown')
  shown.src = picked.dataset.src
  shown.hidden = false
  group.querySelector('[data-picture-none]').hidden = true
  group.querySelector('[data-picture-some]').hidden = false
  const typed = typedNow(form)
  if (inForm('alt')) inForm('alt').value = typed.decorative ? '' : typed.alt
  if (inForm('decorative')) inForm('decorative').checked = typed.decorative
  const field = inForm(opener.dataset.pictureField)
  field.value = picked.value
  for (const kind of ['input', 'change']) field.dispatchEvent(new Event(kind, { bubbles: true }))
  box().close()
}

export function startPictures() {
  startUploads()
  document.addEventListener('htmx:load', (event) => startUploads(event.target.parentNode ?? document))
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-picture-field]')
    if (!button?.form || !window.HTMLDialogElement) return
    event.preventDefault()
    open(button)
  })
  document.addEventListener('submit', (event) => {
    if (!event.target.matches?.('dialog [data-choose]')) return
    event.preventDefault()
    choose(event.target)
  })
  // A picture that has its words already offers them.
  document.addEventListener('change', (event) => {
    const alt = event.target.matches?.('[data-choose] [name=media]') && event.target.form.elements.alt
    if (!alt) return
    if (!alt.value || alt.value === alt.dataset.offered) alt.value = event.target.dataset.alt
    alt.dataset.offered = event.target.dataset.alt
  })
  document.addEventListener('picture:added', async (event) => {
    const form = event.target.closest('[data-choose]')
    if (!form) {
      location.hash = event.detail.anchor
      return location.reload()
    }
    const html = await part(`${form.dataset.choose}?chosen=${encodeURIComponent(event.detail.name)}`)
    const fresh = html && document.createRange().createContextualFragment(html).querySelector('[data-choices]')
    if (!fresh) return
    const before = form.querySelector('[data-choices]')
    if (before) before.replaceWith(fresh)
    else event.target.after(fresh)
    ;(form.elements.alt ?? form.querySelector('[name=media]:checked'))?.focus()
  })
  document.addEventListener('paste', (event) => {
    const area = document.querySelector('dialog[open] [data-upload]') ?? document.querySelector('main [data-upload]')
    const files = pictured(event.clipboardData?.files)
    if (!area || !files.length) return
    event.preventDefault()
    take(area, files)
  })
}
