// The closed schema: paragraphs, sub-headings, two sorts of list up to three deep, bold, links. Nothing else can be
// in the text, whatever is typed, pasted or dropped.
import { Mark, Node, mergeAttributes } from '@tiptap/core'
import { safeAddress } from './rich_addresses.js'

const Doc = Node.create({ name: 'doc', topNode: true, content: 'block+' })
const Text = Node.create({ name: 'text', group: 'inline' })

const Paragraph = Node.create({
  name: 'paragraph',
  group: 'block',
  content: 'text*',
  priority: 1000,
  parseHTML: () => [{ tag: 'p' }],
  renderHTML: () => ['p', 0],
})

const Heading = Node.create({
  name: 'heading',
  group: 'block',
  content: 'text*',
  marks: 'link',
  defining: true,
  parseHTML: () => [{ tag: 'h3' }],
  renderHTML: () => ['h3', 0],
})

const listOf = (name, tag) =>
  Node.create({
    name,
    group: 'block list',
    content: 'listItem+',
    parseHTML: () => [{ tag }],
    renderHTML: () => [tag, 0],
  })

const ListItem = Node.create({
  name: 'listItem',
  content: 'paragraph list*',
  defining: true,
  parseHTML: () => [{ tag: 'li' }],
  renderHTML: () => ['li', 0],
})

const Bold = Mark.create({
  name: 'bold',
  parseHTML: () => [{ tag: 'strong' }],
  renderHTML: () => ['strong', 0],
  addKeyboardShortcuts() {
    const toggle = () => this.editor.commands.toggleMark('bold')
    return { 'Mod-b': toggle, 'Mod-B': toggle }
  },
})

const Link = Mark.create({
  name: 'link',
  priority: 1001,
  inclusive: false,
  addAttributes: () => ({ href: { default: '' } }),
  parseHTML: () => [
    {
      tag: 'a[href]',
      getAttrs: (element) => {
        const href = safeAddress(element.getAttribute('href'))
        return href ? { href } : false
      },
    },
  ],
  renderHTML: ({ HTMLAttributes }) => ['a', mergeAttributes(HTMLAttributes), 0],
})

export const schema = [Doc, Text, Paragraph, Heading, listOf('bulletList', 'ul'), listOf('orderedList', 'ol'), ListItem, Bold, Link]

const runsOf = (block) =>
  block.content.content.map((text) => ({
    text: text.text,
    strong: text.marks.some((mark) => mark.type.name === 'bold'),
    href: text.marks.find((mark) => mark.type.name === 'link')?.attrs.href ?? '',
  }))

const TAGS = { paragraph: 'p', heading: 'h3', bulletList: 'ul', orderedList: 'ol' }

function nodeOf(block) {
  const tag = TAGS[block.type.name]
  if (!block.type.isInGroup('list')) return { tag, runs: runsOf(block) }
  const items = block.content.content.map((item) => {
    const [words, ...lists] = item.content.content
    return { runs: runsOf(words), lists: lists.map(nodeOf) }
  })
  return { tag, items }
}

// The document as the tree that rich_writing.js writes.
export const treeOf = (doc) => doc.content.content.map(nodeOf)
