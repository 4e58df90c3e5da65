// The staff's pages: live parts on top of pages that work without them.
import 'htmx.org'
import { startAnnouncing } from './editor/announce.js'
import { startDialogs } from './editor/dialogs.js'
import { startFocus } from './editor/focus.js'
import { startFrames } from './editor/frames.js'
import { startParts } from './editor/parts.js'
import { startPasting } from './editor/paste.js'
import { startPictures } from './editor/pictures.js'
import { startPolling } from './editor/polling.js'
import { configureRequests } from './editor/requests.js'
import { startRich } from './editor/rich.js'
import { startSort } from './editor/sort.js'
import { startGuard } from './editor/unsaved.js'

configureRequests()
startAnnouncing()
startDialogs()
startFocus()
startFrames()
startGuard()
startParts()
startPasting()
startPictures()
startPolling()
startRich()
startSort()
document.addEventListener('htmx:load', (event) => startFrames(event.target.parentNode ?? document))
