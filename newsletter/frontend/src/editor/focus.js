// Where focus goes after the page has changed under somebody's hands.
//  - Up and Down (data-move="up|down" data-move-of="<id>"): focus stays on the button that was pressed; at an
//    end, where that one is disabled, it goes to the other.
//  - data-focus in an answer: the person asked to go there, so focus follows.
let pressed = null

export function startFocus() {
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-move]')
    pressed = button ? { way: button.dataset.move, of: button.dataset.moveOf } : null
  })
  document.addEventListener('htmx:afterSettle', () => {
    const wanted = document.querySelector('[data-focus]')
    if (wanted) {
      wanted.removeAttribute('data-focus')
      wanted.focus()
    } else if (pressed) {
      const buttons = [...document.querySelectorAll(`[data-move-of="${CSS.escape(pressed.of)}"]`)]
      const same = buttons.find((button) => button.dataset.move === pressed.way && !button.disabled)
      ;(same ?? buttons.find((button) => !button.disabled))?.focus()
    }
    pressed = null
  })
  // Alt and an arrow do the same from the item itself; never while typing.
  document.addEventListener('keydown', (event) => {
    const way = { ArrowUp: 'up', ArrowDown: 'down' }[event.key]
    if (!way || !event.altKey || event.target.closest?.('input, textarea, select, [contenteditable]')) return
    const button = event.target.closest?.('[data-movable]')?.querySelector(`[data-move="${way}"]`)
    if (!button) return
    event.preventDefault()
    button.click()
  })
}
