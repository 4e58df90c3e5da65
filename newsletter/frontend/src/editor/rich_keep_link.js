// The last words of a link may be typed anew: what is typed over them, or after deleting them, is still the link's,
// until the cursor is moved or the sentence goes on behind a mark.
import { Extension } from '@tiptap/core'
import { Plugin } from '@tiptap/pm/state'

const linkOf = (node) => node?.marks.find((mark) => mark.type.name === 'link')

// The link that everything between two places stands in.
function linkAround(doc, from, to) {
  const links = []
  doc.nodesBetween(from, to, (node) => {
    if (node.isText) links.push(linkOf(node))
  })
  return links[0] && links.every((link) => link?.eq(links[0])) ? links[0] : null
}

function typedOver(view, from, to, text) {
  const { doc, schema, tr } = view.state
  const link = from < to && linkAround(doc, from, to)
  if (!link) return false
  const marks = link.addToSet(doc.resolve(from).marksAcross(doc.resolve(to)) ?? [])
  view.dispatch(tr.replaceWith(from, to, schema.text(text, marks)).setStoredMarks(marks).scrollIntoView())
  return true
}

function goesOn(transactions, before, { doc, selection, storedMarks, tr }) {
  if (!transactions.some((each) => each.docChanged) || !selection.empty || storedMarks) return null
  const { pos, nodeBefore } = selection.$from
  const link = linkOf(nodeBefore)
  if (!link) return null
  const grew = doc.content.size - before.doc.content.size
  if (grew < 0) return linkOf(before.doc.nodeAt(pos))?.eq(link) ? tr.setStoredMarks(nodeBefore.marks) : null
  if (!before.storedMarks?.some((mark) => mark.eq(link))) return null
  if (grew === 1 && /[.,;:!?)]$/.test(nodeBefore.text)) return tr.removeMark(pos - 1, pos, link)
  return tr.setStoredMarks(nodeBefore.marks)
}

export const KeepLink = Extension.create({
  name: 'keepLink',
  addProseMirrorPlugins: () => [new Plugin({ props: { handleTextInput: typedOver }, appendTransaction: goesOn })],
})
