/** `laban init`: a project of one's own, with a contract, an agent, a test and everything around them. */
import { relative, resolve } from 'node:path'
import { defineCommand } from '../command.ts'

export const init = defineCommand({
  name: 'init',
  summary: 'Make a project: a contract, an agent, its test, configuration, Dockerfile',
  description:
    'Writes into a new or empty folder; a folder that holds something needs --merge, which adds what is missing. A file that exists ' +
    'is never changed.',
  arguments: [{ name: 'dir', summary: 'Folder of the project. Default: this one', isRequired: false }],
  options: {
    merge: { kind: 'flag', summary: 'Also into a folder that holds something; what is there stays as it is' },
  },
  examples: [
    { command: 'laban init my-agents', explains: 'In a new folder' },
    { command: 'laban init --merge', explains: 'Into the project of this folder' },
  ],
  async run([dir = '.'], { merge }, { output }) {
    const { writeProject } = await import('../init/project-files.ts')
    const { readVersion } = await import('../version.ts')
    const target = resolve(dir)
    const { written, kept } = writeProject({ dir: target, version: readVersion(), merge })
    const shown = relative(process.cwd(), target)
    for (const path of written) output.line(`+ ${path}`)
    for (const path of kept) output.line(`= ${path}`)
    output.note(`${written.length} files written${kept.length === 0 ? '' : `, ${kept.length} kept as they were`}`)
    output.note(`next:  ${shown === '' ? '' : `cd ${shown} && `}npm install && npm test && npm run dev`)
    if (kept.includes('package.json')) {
      output.note('package.json was kept: it needs "type": "module" and the dependency laban')
    }
  },
})
