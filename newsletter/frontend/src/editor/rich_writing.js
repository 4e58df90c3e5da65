// The stored form of formatted words, written exactly as the server's sanitiser writes it, so that what is saved is
// what was seen. A tree is [{ tag: 'p'|'h3', runs }, { tag: 'ul'|'ol', items: [{ runs, lists }] }], and a run is
// { text, strong, href }. tests/browser/test_rich.py holds the two writers together.
export const DEEPEST_LIST = 3

const LINE_ENDS = /[\r\n\v\f\u0085\u2028\u2029\t]|\p{Zs}/gu
const DROPPED = /[\p{Cc}\p{Co}\p{Cs}\p{Cn}\u00ad\u180e\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]/gu
const STRUCK = /^[ \u0338]*\u0338/ // a stroke through what stands before it: here, through a tag's ">"

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const quoted = (text) => escape(text).replaceAll('"', '&quot;').replaceAll("'", '&#x27;')

// Only characters that print, and plain spaces.
export const kept = (text) => text.replace(LINE_ENDS, ' ').replace(DROPPED, '').normalize('NFC')

// Single spaces, none at the ends and none inside the edge of a link; equal looks joined.
export function tidy(runs) {
  const joined = []
  let space = false
  for (const run of runs) {
    const whole = kept(run.text).replace(STRUCK, (found) => (found.includes(' ') ? ' ' : ''))
    const text = whole.trim().replace(/ +/g, ' ')
    if (!text) {
      space ||= whole !== ''
      continue
    }
    const gap = (space || whole.startsWith(' ')) && joined.length ? ' ' : ''
    space = whole.endsWith(' ')
    const next = { text, strong: Boolean(run.strong), href: run.href || '' }
    const last = joined.at(-1)
    if (last && last.strong === next.strong && last.href === next.href) last.text = (last.text + gap + text).normalize('NFC')
    else if (last && gap) joined.push(...apart(joined.pop(), next))
    else joined.push(next)
  }
  return joined
}

// The gap between two looks belongs to the plainer one; a gap inside one link stays in it.
function apart(last, next) {
  const shared = last.href === next.href ? last.href : ''
  if (!last.strong && last.href === shared) return [{ ...last, text: `${last.text} ` }, next]
  if (!next.strong && next.href === shared) return [last, { ...next, text: ` ${next.text}` }]
  return [last, { text: ' ', strong: false, href: shared }, next]
}

function spans(runs) {
  let written = ''
  for (let at = 0; at < runs.length;) {
    const { href } = runs[at]
    let inside = ''
    for (; at < runs.length && runs[at].href === href; at += 1) {
      const text = escape(runs[at].text)
      inside += runs[at].strong ? `<strong>${text}</strong>` : text
    }
    written += href ? `<a href="${quoted(href)}">${inside}</a>` : inside
  }
  return written
}

function list({ tag, items }) {
  const written = items
    .map((item) => ({ text: spans(tidy(item.runs)), below: item.lists.map(list).join('') }))
    .filter(({ text, below }) => text || below)
    .map(({ text, below }) => `<li>${text}${below}</li>`)
    .join('')
  return written && `<${tag}>${written}</${tag}>`
}

function node(each) {
  if (each.items) return list(each)
  const runs = each.tag === 'h3' ? each.runs.map((run) => ({ ...run, strong: false })) : each.runs
  const text = spans(tidy(runs))
  return text && `<${each.tag}>${text}</${each.tag}>`
}

export const write = (tree) => tree.map(node).join('')

// The tree of pieces in order, each a paragraph, a heading or a point: { tag: 'p'|'h3'|'ul'|'ol', level, runs }.
export function assemble(pieces) {
  const tree = []
  let open = []
  for (const { tag, level = 1, runs } of pieces) {
    if (tag !== 'ul' && tag !== 'ol') {
      open = []
      tree.push({ tag, runs })
      continue
    }
    let depth = Math.min(level, open.length + 1, DEEPEST_LIST)
    open = open.slice(0, depth)
    if (open.length === depth && open[depth - 1].tag !== tag) open.pop()
    if (open.length < depth) {
      const made = { tag, items: [] }
      ;(open.at(-1)?.items.at(-1).lists ?? tree).push(made)
      open.push(made)
    }
    open.at(-1).items.push({ runs, lists: [] })
  }
  return tree
}
