// What somebody pastes, from Word, Outlook, Google Docs or a web page, as the closed schema, and what was left out.
import { safeAddress } from './rich_addresses.js'
import { assemble, tidy, write } from './rich_writing.js'

const BREAKS = new Set(
  'P DIV BLOCKQUOTE PRE SECTION ARTICLE HEADER FOOTER ASIDE MAIN NAV FIGURE FIGCAPTION ADDRESS TABLE CAPTION TR TD TH DL DT DD HR BR FORM'.split(' '),
)
const UNSEEN = new Set('SCRIPT STYLE TEMPLATE NOSCRIPT TITLE IFRAME OBJECT SVG MATH META LINK HEAD XML SELECT BUTTON'.split(' '))
const PICTURES = new Set(['IMG', 'PICTURE', 'VIDEO', 'CANVAS'])
const HEADING = /^H[1-6]$/
const WORD_HEADING = /\bMso(Heading\d|Title)\b/
const LOOKS = /(^|;)\s*(color|background|font-family|font-size|font:)/i
const SLANTED = new Set(['I', 'EM', 'U'])
const DELETED = new Set(['DEL', 'S', 'STRIKE'])
const BULLET = /^[\s\u00a0]*[•·▪◦●○■‣⁃\uf0b7\uf0a7\uf076](?:[\s\u00a0]+|(?=\S))/u
const WORD_NUMBER = /^[\s\u00a0(]*(?:\d{1,3}|[a-z]{1,2}|[ivxlc]{1,6})[.)]/i

const styleOf = (element) => element.getAttribute('data-style') ?? ''
const weightOf = (style) => /(?:^|;)\s*font-weight\s*:\s*([a-z0-9]+)/i.exec(style)?.[1]
const heavy = (weight) => weight === 'bold' || weight === 'bolder' || Number(weight) >= 600

class Reader {
  constructor() {
    this.pieces = []
    this.left = { looks: false, slanted: false, pictures: 0, tables: 0, comments: false, deleted: false, addresses: 0 }
    this.open = null // the piece that words go to
    this.words = []
  }

  end() {
    const runs = tidy(this.words)
    this.words = []
    if (!runs.length) return
    const into = this.open ?? { tag: 'p' }
    if (into.point && into.point.runs) into.point.runs.push({ text: ' ' }, ...runs) // a point's second paragraph
    else {
      const piece = into.point ?? { tag: into.tag, level: into.level }
      piece.runs = runs
      this.pieces.push(piece)
    }
  }

  // `now` is what the surroundings say: strong, href, slanted, tag of the paragraph, list (its tag and level), point.
  read(parent, now) {
    for (const child of parent.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) this.text(child.data, now)
      else if (child.nodeType === Node.ELEMENT_NODE) this.element(child, now)
    }
  }

  text(data, now) {
    if (!data) return
    if (now.slanted && data.trim()) this.left.slanted = true
    if (!this.words.length) this.open = now
    this.words.push({ text: data, strong: now.strong, href: now.href })
  }

  element(element, before) {
    const name = element.tagName.toUpperCase()
    const style = styleOf(element)
    if (name === 'XML' || UNSEEN.has(name) || this.isLeftOut(element, name, style)) return
    if (name === 'FONT' || LOOKS.test(style)) this.left.looks = true
    const now = { ...before, ...this.spoken(element, name, style, before) }
    if (name === 'UL' || name === 'OL') {
      this.end()
      this.read(element, { ...now, list: { tag: name.toLowerCase(), level: (before.list?.level ?? 0) + 1 }, point: null, tag: 'p' })
      this.end()
    } else if (name === 'LI') {
      this.end()
      const list = before.list ?? { tag: 'ul', level: 1 }
      this.read(element, { ...now, list, point: { ...list }, tag: 'p' })
      this.end()
    } else if (HEADING.test(name) || (name === 'P' && WORD_HEADING.test(element.className))) {
      this.end()
      this.read(element, { ...now, tag: 'h3', point: before.point })
      this.end()
    } else if (/mso-list:\s*l\d/i.test(style) && !/mso-list:\s*ignore/i.test(style)) {
      this.wordPoint(element, style, now)
    } else if (BREAKS.has(name)) {
      if (name === 'TABLE' && isGrid(element)) this.left.tables += 1
      this.end()
      this.read(element, now)
      this.end()
    } else this.read(element, now)
  }

  isLeftOut(element, name, style) {
    if (PICTURES.has(name)) {
      const seen = !['0', '1'].includes(element.getAttribute('width')) // a counting pixel is no picture
      this.left.pictures += seen ? 1 : 0
      return true
    }
    if (/mso-element:\s*(comment|para-border)|mso-special-character:\s*comment/i.test(style) || /\bMsoComment/.test(element.className)) {
      this.left.comments = true
      return true
    }
    if (DELETED.has(name) && element.textContent.trim()) {
      this.left.deleted = true
      return true
    }
    return /display\s*:\s*none|mso-hide\s*:\s*all|mso-list\s*:\s*ignore/i.test(style)
  }

  spoken(element, name, style, before) {
    const weight = weightOf(style)
    const now = {}
    if (name === 'STRONG' || name === 'B') now.strong = true
    if (weight) now.strong = heavy(weight)
    if (SLANTED.has(name) || /font-style\s*:\s*italic/i.test(style)) now.slanted = !before.href
    if (name === 'A' && element.hasAttribute('href')) {
      const typed = element.getAttribute('href')
      now.href = safeAddress(typed)
      if (!now.href && !typed.startsWith('#')) this.left.addresses += 1
    }
    return now
  }

  // Word writes a list as paragraphs that look like one: the level is in the style, the mark in a span of its own.
  wordPoint(element, style, now) {
    this.end()
    const level = Number(/level(\d)/i.exec(style)?.[1] ?? 1)
    const mark = [...element.querySelectorAll('span')].find((span) => /mso-list:\s*ignore/i.test(styleOf(span)))
    const list = { tag: WORD_NUMBER.test(mark?.textContent ?? '') ? 'ol' : 'ul', level }
    this.read(element, { ...now, list, point: { ...list }, tag: 'p' })
    this.end()
  }
}

// Rows of several cells are a table to read; anything else only lays a page out.
const isGrid = (table) =>
  table.querySelectorAll('tr').length > 1 && [...table.querySelectorAll('tr')].some((row) => [...row.children].filter((cell) => cell.textContent.trim()).length > 1)

// "•  one" typed as a paragraph is a point.
function withTypedBullets(pieces) {
  return pieces.map((piece) => {
    const first = piece.runs[0].text
    if (piece.tag !== 'p' || !BULLET.test(first)) return piece
    const [, ...rest] = piece.runs
    const text = first.replace(BULLET, '')
    return { tag: 'ul', level: 1, runs: text ? [{ ...piece.runs[0], text }, ...rest] : rest }
  })
}

const linksIn = (pieces) =>
  pieces.reduce((sum, { runs }) => sum + runs.filter((run, at) => run.href && run.href !== runs[at - 1]?.href).length, 0)

// Our policy allows no inline style, not even in a page that is never shown: it is read as data instead.
const unstyled = (html) =>
  html
    .replace(/<style[\s\S]*?(<\/style>|$)/gi, '')
    .replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\sstyle(?=\s*=)/i, ' data-style'))

// { html, left, links } of what was copied as HTML. Conditional comments hide the marks of Word's lists.
export function fromHtml(html) {
  const page = document.implementation.createHTMLDocument('')
  page.body.innerHTML = unstyled(html)
    .replace(/<!--\[if[\s\S]*?<!\[endif\]-->/gi, '')
    .replace(/<!\[(if|endif)[^>]*>/gi, '')
    .replace(/<\/?o:p[^>]*>/gi, '')
  const reader = new Reader()
  if (/class="?Mso|\bfont-family/i.test(html)) reader.left.looks = true
  reader.read(page.body, { strong: false, href: '', slanted: false, tag: 'p', list: null, point: null })
  reader.end()
  const pieces = withTypedBullets(reader.pieces.filter(({ runs }) => runs.length)).filter(({ runs }) => runs.length)
  return { html: write(assemble(pieces)), left: reader.left, links: linksIn(pieces) }
}

// The same of plain lines: marks at their start make points, an empty line parts paragraphs, an address is a link.
export function fromLines(text) {
  const pieces = []
  let above = null
  for (const line of text.replace(/\r\n?/g, '\n').split('\n')) {
    const [, spaces, mark, rest] = /^([ \t\u00a0]*)([-*–•·▪◦●○‣]|\d{1,3}[.)])[ \t\u00a0]+(\S.*)$/u.exec(line) ?? []
    if (mark) {
      const tag = /^\d/.test(mark) ? 'ol' : 'ul'
      const nested = above?.point && spaces.length > above.indent
      const level = nested ? above.level + 1 : above?.point && spaces.length === above.indent ? above.level : 1
      above = { tag, level, runs: linked(rest), point: true, indent: spaces.length }
      pieces.push(above)
    } else if (!line.trim()) above = above?.point ? above : null
    else if (above && (!above.point || /^\s/.test(line))) above.runs.push({ text: ' ' }, ...linked(line))
    else pieces.push((above = { tag: 'p', runs: linked(line) }))
  }
  return { html: write(assemble(pieces)), left: {}, links: 0 }
}

// The words with each bare web address as a link; a full stop after it is the sentence's.
function linked(line) {
  return line.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]])/).map((text, at) => ({ text, href: at % 2 ? safeAddress(text) : '' }))
}
