import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

// OWASP's scrypt parameters for 32 MiB of memory: N = 2^15, r = 8, p = 3.
const cost = { N: 2 ** 15, r: 8, p: 3 }
const shape = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([\w-]+)\$([\w-]+)$/

/** A salted scrypt hash of a password: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`, both base64url. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derive(password, salt, cost)
  return `$scrypt$ln=${Math.log2(cost.N)},r=${cost.r},p=${cost.p}$${salt.toString('base64url')}$${hash.toString('base64url')}`
}

/** Whether that hash was made of this password. Takes as long where there is no hash, so that time tells nothing. */
export async function verifyPassword(password: string, hash: string | undefined): Promise<boolean> {
  const match = shape.exec(hash ?? '')
  if (!match) {
    await derive(password, randomBytes(16), cost)
    return false
  }
  const [, ln, r, p, salt = '', expected = ''] = match
  const derived = await derive(password, Buffer.from(salt, 'base64url'), {
    N: 2 ** Number(ln),
    r: Number(r),
    p: Number(p),
  })
  return timingSafeEqual(derived, Buffer.from(expected, 'base64url'))
}

function derive(
  password: string,
  salt: Buffer,
  { N, r, p }: Required<Pick<ScryptOptions, 'N' | 'r' | 'p'>>,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, 32, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}
