// Where a link may lead, as the server keeps it: https, mailto and tel; http becomes https.
import { kept } from './rich_writing.js'

const EMAIL = /^[^\s:/@]+@[^\s:/@]+\.[^\s:/@]+$/
const BARE_DOMAIN = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}(:\d+)?([/?#]\S*)?$/i
const encode = (rest) => rest.replace(/[\s<>"\\^`|]/g, encodeURIComponent)

// The address as it may stand in a link, or "" where it may not.
export function safeAddress(typed) {
  let address = kept(typed ?? '').trim().replace(/ +/g, ' ')
  if (/^www\./i.test(address)) address = `https://${address}`
  const [, scheme, rest] = /^([^:]*):(.+)$/.exec(address) ?? []
  if (!rest) return ''
  if (/^(mailto|tel)$/i.test(scheme)) return `${scheme.toLowerCase()}:${encode(rest.trim())}`
  if (!/^https?$/i.test(scheme) || !rest.startsWith('//')) return ''
  const host = /^\/\/(?:[^/?#@]*@)?([^/?#:]*)/.exec(rest)[1]
  return host ? `https:${encode(rest)}` : ''
}

// What a person types into the field "Address": without a scheme it is a web or an email address.
export function typedAddress(typed) {
  const address = typed.trim()
  if (EMAIL.test(address)) return safeAddress(`mailto:${address}`)
  return safeAddress(BARE_DOMAIN.test(address) ? `https://${address}` : address)
}

// An address as somebody would type it.
export const shownAddress = (href) => href.replace(/^(mailto|tel):/, '')
