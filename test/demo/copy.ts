import { execFileSync } from 'node:child_process'
import { chmod, cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const house = join(import.meta.dirname, '../..')
const made = ['.git', '.data', 'node_modules', 'dist', 'coverage']

/** The whole tree in a folder of its own, without what is made of it. */
export async function copyHouse() {
  const folder = await mkdtemp(join(tmpdir(), 'house-'))
  await chmod(folder, 0o755)
  await cp(house, folder, { recursive: true, filter: (path) => !made.includes(basename(path)) })
  await symlink(join(house, 'node_modules'), join(folder, 'node_modules'))
  // Not ours: this process's own variables tell tools that they run inside of it.
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0' }
  return {
    folder,
    env,
    /** Runs a command in it, `before` ahead on the PATH; answers what it printed and throws where it fails. */
    run(command: string[], before = folder): string {
      const [program = '', ...args] = command
      const options = { cwd: folder, env: { ...env, PATH: `${before}:${env.PATH}` }, maxBuffer: 2 ** 26 }
      try {
        return execFileSync(program, args, { ...options, encoding: 'utf8', stdio: 'pipe' })
      } catch (error) {
        // Compilers complain on standard output, which the error does not show.
        throw new Error(`${(error as Error).message}\n${(error as { stdout?: string }).stdout}`)
      }
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  }
}
