/** The driver's own conversion of a parameter's value to what it writes. */
declare module 'pg/lib/utils.js' {
  const driver: { prepareValue(value: unknown): unknown }
  export default driver
}
