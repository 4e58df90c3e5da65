// The sum behind the sign-up form (newsletter/web/public/proof_of_work.py): done while somebody fills it in. Whoever
// presses before it is done waits for it; where the browser cannot do it, the form goes as it is.
const AT_ONCE = 250

const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

async function solve({ salt, challenge, below }) {
  const encoder = new TextEncoder()
  for (let first = 0; first < below; first += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, below - first) }, (_, at) => first + at)
    const found = await Promise.all(
      numbers.map((number) => crypto.subtle.digest('SHA-256', encoder.encode(`${salt}.${number}`))),
    )
    const at = found.findIndex((digest) => hex(digest) === challenge)
    if (at >= 0) return first + at
    // The page stays quick to the hand.
    await new Promise((resolve) => setTimeout(resolve))
  }
  return null
}

export function work(field) {
  if (!globalThis.crypto?.subtle) return
  const { salt, ends, challenge, seal, below } = field.dataset
  const solved = solve({ salt, challenge, below: Number(below) }).then((number) => {
    if (number !== null) field.value = [salt, ends, challenge, seal, number].join('.')
  })
  let done = false
  solved.finally(() => {
    done = true
  })
  field.form.addEventListener('submit', (event) => {
    if (done) return
    event.preventDefault()
    const button = event.submitter
    solved.finally(() => field.form.requestSubmit(button))
  })
}
