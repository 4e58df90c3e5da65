// <button data-opens="id"> opens a <dialog id> as a modal one; Esc and <button data-closes> close it, and the
// browser returns focus to where it came from. Without scripts the button is a link to a page of its own.
export function startDialogs() {
  document.addEventListener('click', (event) => {
    const opener = event.target.closest?.('[data-opens]')
    const dialog = opener && document.getElementById(opener.dataset.opens)
    if (dialog?.showModal) {
      event.preventDefault()
      dialog.showModal()
      dialog.querySelector('form button:enabled')?.focus() // what one came to choose, not the way out
    } else if (event.target.closest?.('[data-closes]')) {
      event.preventDefault()
      event.target.closest('dialog')?.close()
    } else if (event.target.matches?.('dialog[open]')) {
      event.target.close() // a click on the backdrop
    }
  })
}
