/** `npm run trial -- <name>`: trials that take minutes, by hand; their figures stand in docs/design/. */
const [name = ''] = process.argv.splice(2, 1)
const TRIALS: Readonly<Record<string, () => Promise<unknown>>> = {
  'kill-steps': () => import('./kill-steps.ts'),
  takeover: () => import('./takeover.ts'),
  'new-version': () => import('./new-version.ts'),
  'bad-days': () => import('./bad-days.ts'),
  why: () => import('./why.ts'),
  'lost-answers': () => import('./lost-answers.ts'),
}
const trial = TRIALS[name]
if (trial === undefined) {
  process.stderr.write(`no trial is called "${name}"; there are ${Object.keys(TRIALS).join(', ')}\n`)
  process.exitCode = 64
} else await trial()
