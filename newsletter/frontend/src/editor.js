// The staff's pages: live parts on top of pages that work without them.
import 'htmx.org'
import { startAnnouncing } from './editor/announce.js'
import { startAutosave } from './editor/autosave.js'
import { startDialogs } from './editor/dialogs.js'
import { startFocus } from './editor/focus.js'
import { startParts } from './editor/parts.js'
import { configureRequests } from './editor/requests.js'
import { startRich } from './editor/rich.js'
import { startGuard } from './editor/unsaved.js'

configureRequests()
startAnnouncing()
startAutosave()
startDialogs()
startFocus()
startGuard()
startParts()
startRich()

// What few pages need comes when the first of its elements does.
const rooms = [
  ['[data-upload], [data-upload-plain], [data-picture-field]', async () => (await import('./editor/pictures.js')).startPictures()],
  ['textarea[data-paste-into]', async () => (await import('./editor/paste.js')).startPasting()],
  ['#desk[data-here]', async () => (await import('./editor/presence.js')).startPresence()],
  ['iframe[data-preview]', async () => (await import('./editor/frames.js')).startFrames()],
  ['#preview', async () => (await import('./editor/preview.js')).startPreview()],
  ['a[data-meant], form[data-guard]', async () => (await import('./editor/meant.js')).startMeaning()],
  ['[data-palette]', async () => (await import('./editor/palette.js')).startPalette()],
  ['[data-poll]', async () => (await import('./editor/polling.js')).startPolling()],
  ['ol[data-sort]', async () => (await import('./editor/sort.js')).startSort()],
]
function startWhatIsNeeded() {
  for (const room of [...rooms]) {
    const [wanted, start] = room
    if (!document.querySelector(wanted)) continue
    rooms.splice(rooms.indexOf(room), 1)
    start()
  }
}
startWhatIsNeeded()
document.addEventListener('htmx:load', startWhatIsNeeded)
