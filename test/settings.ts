/** The secret that the tests' servers sign with. */
export const jwtSecret = 'a secret of the tests, long enough to be one'

/** The URL of another database of the same server. */
export function databaseUrl(server: string, name: string): string {
  const url = new URL(server)
  url.pathname = `/${name}`
  return url.href
}
