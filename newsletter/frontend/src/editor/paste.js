// <textarea data-paste-into="id">: what is pasted keeps its headings, lists and links in a hidden field, as long as
// nobody changes the words. The server reads and cleans it; without a script the words alone are sent.
const WORDS = 'pasted-words'

const tell = (name) => {
  const place = document.getElementById(WORDS)
  if (place) place.textContent = place.dataset[name] ?? ''
}

export function startPasting() {
  for (const area of document.querySelectorAll('textarea[data-paste-into]')) {
    const kept = document.getElementById(area.dataset.pasteInto)
    if (!kept) continue
    let pasted = false
    area.addEventListener('paste', (event) => {
      const html = event.clipboardData?.getData('text/html') ?? ''
      const whole = area.selectionStart === 0 && area.selectionEnd === area.value.length
      // Pictures travel inside the paste and make it large; they are not brought in.
      kept.value = whole ? html.replace(/src\s*=\s*(["'])data:[^"']*\1/gi, '') : ''
      pasted = kept.value !== ''
      tell(pasted ? 'kept' : '')
    })
    area.addEventListener('input', (event) => {
      if (event.inputType === 'insertFromPaste' && pasted) return
      if (kept.value) tell('plain')
      kept.value = ''
      pasted = false
    })
  }
}
