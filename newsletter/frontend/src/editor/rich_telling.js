// The sentences of the rich text field. They are written in the page (templates/base/_rich.html), in its language.
const parts = () => document.getElementById('rich-parts')

export const words = (name) => parts().content.querySelector(`[data-text="${name}"]`).textContent

// One thing or several: "links-one" and "links-many", in which {n} is the number.
export const counted = (name, number) => words(`${name}-${number === 1 ? 'one' : 'many'}`).replace('{n}', number)

export const part = (name) => parts().content.querySelector(`[data-part="${name}"]`).cloneNode(true)

// What to say of a paste; nothing where all of it was kept and none of it was a link.
export function toldOf({ left, links }) {
  const said = ['looks', 'slanted', 'comments', 'deleted'].filter((name) => left[name]).map((name) => words(name))
  for (const name of ['pictures', 'tables', 'addresses']) if (left[name]) said.push(counted(name, left[name]))
  if (links) said.push(counted('links', links))
  return said.join(' ')
}
