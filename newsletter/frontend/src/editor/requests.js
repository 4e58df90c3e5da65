// How htmx asks: with our CSRF token, without eval, without a style sheet of its own.
import htmx from 'htmx.org'

export function configureRequests() {
  Object.assign(htmx.config, {
    allowEval: false,
    allowScriptTags: false,
    includeIndicatorStyles: false,
    selfRequestsOnly: true,
    historyCacheSize: 0, // pages hold people's data: none of it is left in the browser's storage
    scrollIntoViewOnBoost: false,
    timeout: 30_000,
    // A refused form comes back as 422 with its errors in place, and belongs on the page like any other answer.
    responseHandling: [
      { code: '204', swap: false },
      { code: '2..', swap: true },
      { code: '422', swap: true },
      { code: '...', swap: false, error: true },
    ],
  })

  document.addEventListener('htmx:configRequest', (event) => {
    const token = document.querySelector('meta[name=csrf-token]')?.content
    if (token && event.detail.verb !== 'get') event.detail.headers['X-CSRFToken'] = token
  })
}
