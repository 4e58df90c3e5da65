// The dialog for a link: its words and its address. Words that say nothing are asked about once.
import { getMarkRange } from '@tiptap/core'
import { shownAddress, typedAddress } from './rich_addresses.js'
import { part, words } from './rich_telling.js'

let dialog = null
let current = null

const field = (name) => dialog.querySelector(`[name="${name}"]`)
const vague = (text) => words('vague-words').split('|').includes(text.trim().replace(/[\s.:!>»]+$/, '').toLowerCase())

function fault(name, sentence, kind = 'error') {
  const group = field(name).closest('.govuk-form-group')
  const message = group.querySelector('[data-fault]')
  message.hidden = !sentence
  message.querySelector('span').textContent = kind === 'error' ? message.dataset.prefix : ''
  message.lastChild.textContent = sentence ? ` ${sentence}` : ''
  group.classList.toggle('govuk-form-group--error', Boolean(sentence))
  field(name).setAttribute('aria-invalid', String(Boolean(sentence) && kind === 'error'))
  if (sentence) field(name).focus()
}

function made() {
  if (dialog?.isConnected) return dialog
  dialog = part('link')
  document.body.append(dialog)
  dialog.querySelector('form').addEventListener('submit', (event) => {
    event.preventDefault()
    save()
  })
  dialog.querySelector('[data-remove]').addEventListener('click', () => finish((chain) => chain.unsetMark('link')))
  dialog.addEventListener('close', () => current?.editor.commands.focus())
  return dialog
}

function finish(change) {
  const { editor, range } = current
  dialog.close()
  change(editor.chain().focus().setTextSelection(range)).run()
}

function save() {
  const text = field('words').value.trim()
  const href = typedAddress(field('address').value)
  fault('words', '')
  fault('address', '')
  if (!href) fault('address', words(field('address').value.trim() ? 'bad-address' : 'no-address'))
  if (!text) return fault('words', words('no-words'))
  if (!href) return
  if (vague(text) && current.asked !== text) {
    current.asked = text
    return fault('words', words('vague'), 'warning')
  }
  const { range } = current
  if (text === current.text) return finish((chain) => chain.setMark('link', { href }))
  finish((chain) =>
    chain
      .insertContentAt(range, { type: 'text', text, marks: [...current.marks, { type: 'link', attrs: { href } }] })
      .setTextSelection(range.from + text.length),
  )
}

// Opens for the link the cursor is in, or for the words that are chosen (of one paragraph).
export function openLink(editor) {
  const { state } = editor
  const { $from, $to } = state.selection
  const type = state.schema.marks.link
  const around = getMarkRange($from, type) ?? (state.selection.empty ? null : getMarkRange($to, type))
  const range = around ?? { from: $from.pos, to: $from.sameParent($to) ? $to.pos : $from.end() }
  const text = state.doc.textBetween(range.from, range.to)
  const href = around ? state.doc.nodeAt(around.from)?.marks.find((mark) => mark.type === type)?.attrs.href : ''
  const bold = state.doc.nodeAt(range.from)?.marks.some((mark) => mark.type.name === 'bold') && !state.selection.empty
  current = { editor, range, text, marks: bold ? [{ type: 'bold' }] : [], asked: null }
  made()
  field('words').value = text
  field('address').value = shownAddress(href ?? '')
  fault('words', '')
  fault('address', '')
  dialog.querySelector('[data-remove]').hidden = !around
  dialog.showModal()
  field(text ? 'address' : 'words').focus()
}
