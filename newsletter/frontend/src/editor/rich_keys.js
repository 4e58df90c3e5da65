// What the keys do in lists, and marks at the start of a line ("- ", "1. ", "## ") becoming what they mean.
import { Extension, textblockTypeInputRule, wrappingInputRule } from '@tiptap/core'
import { DEEPEST_LIST } from './rich_writing.js'

export const isList = (node) => node.type.isInGroup('list')

function depthOf(node) {
  let deepest = 0
  node.forEach((child) => (deepest = Math.max(deepest, depthOf(child))))
  return deepest + (isList(node) ? 1 : 0)
}

// One step further in, where three levels allow it.
export const furtherIn = (editor) =>
  editor
    .chain()
    .sinkListItem('listItem')
    .command(({ tr }) => {
      const fits = depthOf(tr.doc) <= DEEPEST_LIST
      if (!fits) tr.setMeta('preventDispatch', true)
      return fits
    })
    .run()

export const furtherOut = (editor) => editor.commands.liftListItem('listItem')

const atEdge = (selection, edge) =>
  selection.empty && selection.$from.parentOffset === (edge === 'start' ? 0 : selection.$from.parent.content.size)

export const Keys = Extension.create({
  name: 'keys',
  priority: 900,
  addKeyboardShortcuts() {
    const { editor } = this
    const enter = () => editor.isActive('listItem') && editor.commands.splitListItem('listItem')
    return {
      Enter: enter,
      'Shift-Enter': () => enter() || editor.commands.first(({ commands }) => [() => commands.splitBlock()]),
      'Mod-]': () => furtherIn(editor),
      'Mod-[': () => furtherOut(editor),
      'Mod-Shift-7': () => editor.commands.toggleList('orderedList', 'listItem'),
      'Mod-Shift-8': () => editor.commands.toggleList('bulletList', 'listItem'),
      'Mod-Alt-3': () => editor.commands.toggleNode('heading', 'paragraph'),
      Backspace: () => {
        if (!atEdge(editor.state.selection, 'start')) return false
        if (editor.commands.undoInputRule()) return true
        if (editor.isActive('listItem')) return furtherOut(editor)
        if (editor.isActive('heading')) return editor.commands.setNode('paragraph')
        return editor.commands.joinTextblockBackward()
      },
      Delete: () => atEdge(editor.state.selection, 'end') && editor.commands.joinTextblockForward(),
    }
  },
  addInputRules() {
    const { bulletList, orderedList, heading } = this.editor.schema.nodes
    return [
      wrappingInputRule({ find: /^\s*[-*•]\s$/, type: bulletList }),
      wrappingInputRule({ find: /^\s*1[.)]\s$/, type: orderedList }),
      textblockTypeInputRule({ find: /^##\s$/, type: heading }),
    ]
  },
})
