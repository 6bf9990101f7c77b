/**
 * Errors whose JSON says what they say.
 */

/** Adds the message to what `JSON.stringify` writes of an error of this class; by itself it leaves the message out. */
export const messageInJson = <C extends { readonly prototype: Error }>(errorClass: C): C => {
  Object.defineProperty(errorClass.prototype, "name", {
    configurable: true,
    get(this: { readonly _tag: string }) {
      return this._tag
    }
  })
  Object.defineProperty(errorClass.prototype, "toJSON", {
    configurable: true,
    writable: true,
    value(this: Error) {
      return { message: this.message, ...Object.fromEntries(Object.entries(this)) }
    }
  })
  return errorClass
}
