import { fact } from '../../src/core/events.js'
import { books } from './model/books.js'

/** The value that a write must not have. */
export const deadly = 666

/** A business that ends its process, without a chance to do anything, as soon as such a write has committed. */
export const slices = [books]

const orders = new Set<string>()
fact('statement.finished').listen(({ text, inTransaction, values }) => {
  if (inTransaction && (text.includes(String(deadly)) || values.includes(deadly))) orders.add(text)
})
fact('transaction.committed').listen(() => {
  if (orders.size > 0) process.kill(process.pid, 'SIGKILL')
})
