// The staff's pages: live parts on top of pages that work without them.
import 'htmx.org'
import { startAnnouncing } from './editor/announce.js'
import { startAutosave } from './editor/autosave.js'
import { startDialogs } from './editor/dialogs.js'
import { startFocus } from './editor/focus.js'
import { startFrames } from './editor/frames.js'
import { startPalette } from './editor/palette.js'
import { startParts } from './editor/parts.js'
import { startPasting } from './editor/paste.js'
import { startPictures } from './editor/pictures.js'
import { startPolling } from './editor/polling.js'
import { startPresence } from './editor/presence.js'
import { startPreview } from './editor/preview.js'
import { configureRequests } from './editor/requests.js'
import { startRich } from './editor/rich.js'
import { startSort } from './editor/sort.js'
import { startGuard } from './editor/unsaved.js'

configureRequests()
startAnnouncing()
startAutosave()
startDialogs()
startFocus()
startFrames()
startGuard()
startPalette()
startParts()
startPasting()
startPictures()
startPolling()
startPresence()
startPreview()
startRich()
startSort()
document.addEventListener('htmx:load', (event) => startFrames(event.target.parentNode ?? document))
