// The toolbar: one tab stop, arrows move inside it, Esc returns to the text. Each button says whether it is pressed.
import { furtherIn, furtherOut } from './rich_keys.js'
import { openLink } from './rich_link.js'
import { part } from './rich_telling.js'

const ACTS = {
  bold: { do: (editor) => editor.chain().focus().toggleMark('bold').run(), on: (editor) => editor.isActive('bold'), can: (editor) => !editor.isActive('heading') },
  heading: { do: (editor) => editor.chain().focus().toggleNode('heading', 'paragraph').run(), on: (editor) => editor.isActive('heading'), can: (editor) => !editor.isActive('listItem') },
  points: { do: (editor) => editor.chain().focus().toggleList('bulletList', 'listItem').run(), on: (editor) => listAround(editor) === 'bulletList' },
  numbers: { do: (editor) => editor.chain().focus().toggleList('orderedList', 'listItem').run(), on: (editor) => listAround(editor) === 'orderedList' },
  in: { do: (editor) => furtherIn(editor), can: (editor) => editor.can().sinkListItem('listItem') },
  out: { do: (editor) => furtherOut(editor), can: (editor) => editor.can().liftListItem('listItem') },
  link: { do: openLink, on: (editor) => editor.isActive('link') },
  undo: { do: (editor) => editor.chain().focus().undo().run(), can: (editor) => editor.can().undo() },
  redo: { do: (editor) => editor.chain().focus().redo().run(), can: (editor) => editor.can().redo() },
}

// The innermost list that the cursor is in.
function listAround(editor) {
  const { $from } = editor.state.selection
  for (let depth = $from.depth; depth > 0; depth -= 1) {
    if ($from.node(depth).type.isInGroup('list')) return $from.node(depth).type.name
  }
  return ''
}

export function makeToolbar(editor, id) {
  const bar = part('toolbar')
  bar.setAttribute('aria-controls', id)
  const buttons = [...bar.querySelectorAll('button')]
  const reach = (button) => buttons.forEach((each) => (each.tabIndex = each === button ? 0 : -1))
  const usable = () => buttons.filter((button) => button.getAttribute('aria-disabled') !== 'true')

  function show() {
    for (const button of buttons) {
      const act = ACTS[button.dataset.act]
      if (act.on) button.setAttribute('aria-pressed', String(act.on(editor)))
      const able = act.can?.(editor) ?? true
      button.setAttribute('aria-disabled', String(!able))
    }
    if (!buttons.some((button) => button.tabIndex === 0)) reach(buttons[0])
  }

  bar.addEventListener('mousedown', (event) => event.preventDefault()) // the text keeps its selection
  bar.addEventListener('click', (event) => {
    const button = event.target.closest('button')
    if (!button || button.getAttribute('aria-disabled') === 'true') return
    reach(button)
    ACTS[button.dataset.act].do(editor)
  })
  bar.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      event.preventDefault()
      return editor.commands.focus()
    }
    const all = usable()
    const at = all.indexOf(document.activeElement)
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    const next = all[(to + all.length) % all.length]
    reach(next)
    next.focus()
  })
  editor.on('transaction', show)
  show()
  return { element: bar, focus: () => (usable().find((button) => button.tabIndex === 0) ?? buttons[0]).focus() }
}
