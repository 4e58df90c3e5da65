// Bundles src/ into newsletter/web/static/dist: names with a content hash, manifest.json to find them by, and
// the licence texts of everything the bundles hold (whoever redistributes the package redistributes those).
import * as esbuild from 'esbuild'
import * as sass from 'sass'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))
process.chdir(here)
const dist = path.resolve(here, '../web/static/dist')
const out = path.resolve(here, 'node_modules/.dist') // swapped in at the end, so a failed build breaks nothing

const scss = {
  name: 'scss',
  setup(build) {
    build.onLoad({ filter: /\.scss$/ }, ({ path: file }) => {
      const made = sass.compile(file, { loadPaths: ['node_modules', 'src'], quietDeps: true })
      return { contents: made.css, loader: 'css', watchFiles: made.loadedUrls.map(fileURLToPath) }
    })
  },
}

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const result = await esbuild.build({
  entryPoints: ['src/site.js', 'src/editor.js', 'src/contribute.js', 'src/site.scss'],
  entryNames: '[name]-[hash]',
  chunkNames: 'part-[hash]',
  bundle: true,
  minify: true,
  format: 'esm',
  splitting: true,
  target: ['es2022'],
  outdir: out,
  metafile: true,
  legalComments: 'none',
  plugins: [scss],
})

const manifest = {}
const packages = new Set(['govuk-frontend']) // its styles reach the bundle through sass, unseen by esbuild
for (const [file, output] of Object.entries(result.metafile.outputs)) {
  if (output.entryPoint) {
    manifest[path.basename(output.entryPoint).replace('.scss', '.css')] = path.basename(file)
  }
  for (const input of Object.keys(output.inputs)) {
    const found = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/)
    if (found) packages.add(found[1])
  }
}
writeFileSync(path.join(out, 'manifest.json'), JSON.stringify(manifest, null, 1) + '\n')

// Some packages are published without their licence text: those we keep in licences/.
const licenceOf = (name, folder) => {
  const kept = path.join('licences', `${name.replace('/', '__')}.txt`)
  if (existsSync(kept)) return kept
  const brought = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file))
  if (!brought) throw new Error(`${name} brings no licence text, and licences/ has none for it`)
  return path.join(folder, brought)
}
const notice = (name) => {
  const folder = path.join('node_modules', name)
  const about = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'))
  const words = readFileSync(licenceOf(name, folder), 'utf8').trim()
  return `== ${name} ${about.version} (${about.license})\n\n${words}\n`
}
writeFileSync(path.join(out, 'THIRD-PARTY-NOTICES.txt'), [...packages].sort().map(notice).join('\n'))

mkdirSync(path.dirname(dist), { recursive: true })
rmSync(dist, { recursive: true, force: true })
renameSync(out, dist)
