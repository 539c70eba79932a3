/** Where a Redis is, and how it is signed in to. */
export interface RedisPlace {
  /** The server itself, or where `master` is given the Sentinels that know where it is. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  /** Its name with the Sentinels. */
  readonly master?: string
  /** Encrypted, with a certificate that must be valid; Sentinels too. */
  readonly isEncrypted: boolean
  readonly username?: string
  readonly password?: string
  /** For Sentinels, where they ask for one. */
  readonly sentinelPassword?: string
  /** The number of its database. */
  readonly database: number
}

const single = /^redis(?<tls>s?):\/\/((?<sign>[^/]*)@)?(?<hosts>[^/?@,]+)(\/(?<database>\d*))?$/
const watched =
  /^redis(?<tls>s?)\+sentinel:\/\/((?<sign>[^/]*)@)?(?<hosts>[^/?@]+)\/(?<master>[\w.-]+)(\/(?<database>\d+))?(\?sentinelPassword=(?<sentinel>[^&]+))?$/

/** What such a URL says; undefined for one that cannot be understood. */
export function parseRedisUrl(url: string): RedisPlace | undefined {
  const parts = (single.exec(url) ?? watched.exec(url))?.groups
  if (!parts) return undefined
  try {
    const { master, sentinel, sign = '' } = parts
    const [username = '', password = ''] = sign.split(/:(.*)/s).map(decodeURIComponent)
    return {
      hosts: (parts.hosts ?? '').split(',').map((host) => parseHost(host, master ? 26_379 : 6379)),
      ...(master && { master }),
      isEncrypted: parts.tls === 's',
      ...(username && { username }),
      ...(password && { password }),
      ...(sentinel && { sentinelPassword: decodeURIComponent(sentinel) }),
      database: Number(parts.database ?? 0),
    }
  } catch {
    return undefined
  }
}

/** @throws TypeError for what is no host. */
function parseHost(text: string, usual: number) {
  const { hostname, port } = new URL(`http://${text}/`)
  // A port of 80 is the protocol's own, and so left out.
  const given = /:(\d+)$/.exec(text)?.[1] ?? port
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(given || usual) }
}
