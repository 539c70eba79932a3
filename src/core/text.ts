import { z } from 'zod'

/** Whether the database keeps that text as it is: it refuses U+0000, and half a surrogate pair is no UTF-8. */
export function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

/** Any text that is {@link isStorable}: what every text of an input that is written begins from. */
export const text = () => z.string().refine(isStorable, 'A text holds neither U+0000 nor half a surrogate pair.')
