// One field of formatted words: an editor in the place of its text area, which stays in the form and holds what is
// posted. As long as nothing is changed the text area keeps what the server wrote into it.
import { Editor } from '@tiptap/core'
import { UndoRedo } from '@tiptap/extensions/undo-redo'
import { closeHistory } from '@tiptap/pm/history'
import { DOMParser } from '@tiptap/pm/model'
import { safeAddress } from './rich_addresses.js'
import { Keys } from './rich_keys.js'
import { openLink } from './rich_link.js'
import { fromHtml, fromLines } from './rich_paste.js'
import { schema, treeOf } from './rich_schema.js'
import { counted, part, toldOf } from './rich_telling.js'
import { makeToolbar } from './rich_toolbar.js'
import { write } from './rich_writing.js'

// Tells the server that XHTML follows, and no light markup (newsletter/web/lightmarkup.py).
const MARK = '<!--xhtml-->'

const fields = new WeakMap()

// A point without words of its own has an empty line in the editor.
const shown = (xhtml) => xhtml.replace(MARK, '').replace(/<li>(?=<[uo]l>)/g, '<li><p></p>')

function elementOf(html) {
  const body = document.implementation.createHTMLDocument('').body
  body.innerHTML = html
  return body
}

class RichField {
  constructor(area) {
    this.area = area
    this.id = area.id
    this.typed = area.value
    this.frame = part('frame')
    area.before(this.frame)
    this.editor = new Editor({
      element: this.frame,
      injectCSS: false,
      extensions: [...schema, UndoRedo, Keys],
      content: shown(area.value.startsWith(MARK) ? area.value : area.dataset.xhtml),
      enablePasteRules: false,
      editorProps: {
        attributes: this.attributes(),
        transformPastedHTML: (html) => this.pasted(html),
        clipboardTextParser: (text, context) => this.pastedLines(text, context),
        handlePaste: (view, event) => {
          view.dispatch(closeHistory(view.state.tr)) // so that Undo takes back the paste alone
          return this.pastedAddress(event)
        },
        handleKeyDown: (_view, event) => this.key(event),
      },
    })
    this.stored = this.xhtml()
    this.toolbar = makeToolbar(this.editor, this.id)
    this.frame.prepend(this.toolbar.element)
    this.count = part('count')
    this.said = part('said')
    this.frame.after(this.count, this.said)
    this.said.querySelector('button').addEventListener('click', () => this.takeBack())
    this.hide()
    this.editor.on('update', () => this.changed())
    area.addEventListener('input', this.outside)
    this.recount()
  }

  attributes() {
    const label = document.querySelector(`label[for="${CSS.escape(this.id)}"]`)
    label.id ||= `${this.id}-label`
    label.addEventListener('click', () => this.editor.commands.focus())
    const attributes = { class: 'app-rich__text', role: 'textbox', 'aria-multiline': 'true', 'aria-labelledby': label.id, spellcheck: 'true' }
    const described = this.area.getAttribute('aria-describedby')
    if (described) attributes['aria-describedby'] = described
    if (this.area.classList.contains('govuk-textarea--error')) attributes['aria-invalid'] = 'true'
    const language = this.area.closest('[lang]')?.lang
    if (language) attributes.lang = language
    return attributes
  }

  // Whatever leads to the field by its id leads to the editor.
  hide() {
    this.area.id = `${this.id}-source`
    this.area.hidden = true
    this.editor.view.dom.id = this.id
    this.frame.classList.toggle('app-rich--error', this.area.classList.contains('govuk-textarea--error'))
  }

  xhtml() {
    return write(treeOf(this.editor.state.doc))
  }

  changed() {
    const now = this.xhtml()
    this.own = now === this.stored ? this.typed : MARK + now
    if (this.area.value !== this.own) {
      this.area.value = this.own
      this.area.dispatchEvent(new Event('input', { bubbles: true }))
    }
    this.recount()
  }

  // Somebody else wrote into the text area (words put back that were not saved): show those.
  outside = () => {
    if (this.area.value === this.own) return
    if (this.area.value.startsWith(MARK)) this.editor.commands.setContent(shown(this.area.value))
    else if (this.area.value === this.typed) this.editor.commands.setContent(shown(this.stored))
    else this.leave()
  }

  recount() {
    const { doc } = this.editor.state
    const words = doc.textBetween(0, doc.content.size, ' ').split(/\s+/).filter(Boolean).length
    this.count.textContent = counted('words', words)
  }

  key(event) {
    const command = event.ctrlKey || event.metaKey
    if (command && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') openLink(this.editor)
    else if (event.altKey && event.key === 'F10') this.toolbar.focus()
    else return false
    event.preventDefault()
    return true
  }

  pasted(html) {
    if (html.includes('data-pm-slice')) return html // from a field like this one
    const found = fromHtml(html)
    this.tell(toldOf(found))
    return found.html
  }

  pastedLines(text, context) {
    const { html } = fromLines(text)
    this.tell('')
    return DOMParser.fromSchema(this.editor.schema).parseSlice(elementOf(html), { context })
  }

  // An address pasted over chosen words makes them a link.
  pastedAddress(event) {
    const { selection, doc } = this.editor.state
    const text = event.clipboardData?.getData('text/plain').trim() ?? ''
    if (selection.empty || !/^https?:\/\/\S+$/.test(text) || !selection.$from.sameParent(selection.$to)) return false
    if (/^https?:/.test(doc.textBetween(selection.from, selection.to))) return false
    return this.editor.commands.setMark('link', { href: safeAddress(text) })
  }

  tell(sentence) {
    this.said.hidden = !sentence
    if (!sentence) return
    const status = this.said.querySelector('[role=status]')
    status.textContent = ''
    setTimeout(() => (status.textContent = sentence), 100) // readers notice a change
  }

  takeBack() {
    this.tell('')
    this.editor.chain().focus().undo().run()
  }

  // Back to the text area, with what stands in it.
  leave() {
    this.area.removeEventListener('input', this.outside)
    this.editor.destroy()
    for (const element of [this.frame, this.count, this.said]) element.remove()
    this.area.id = this.id
    this.area.hidden = false
    fields.delete(this.area)
  }
}

// Editors for the fields under `root`. One whose words were changed before we came stays a text area.
export function enhance(root) {
  for (const area of root.querySelectorAll('textarea[data-xhtml]')) {
    if (fields.has(area)) continue
    if (area.value !== area.defaultValue && !area.value.startsWith(MARK)) continue
    const focused = document.activeElement === area
    const field = new RichField(area)
    fields.set(area, field)
    if (focused) field.editor.commands.focus()
    area.form?.classList.add('has-rich')
  }
}
