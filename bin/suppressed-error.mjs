/**
 * The name by which SWC 1.16's code for `using` calls SuppressedError, and which it declares under another one
 * (`_SuppressedError1`): without this, an error in a block whose resource also fails to be disposed of comes out as a
 * ReferenceError. The mistake came with https://github.com/swc-project/swc/pull/12006.
 */
globalThis._SuppressedError ??=
  globalThis.SuppressedError ??
  class SuppressedError extends Error {
    constructor(error, suppressed, message) {
      super(message);
      this.name = "SuppressedError";
      this.error = error;
      this.suppressed = suppressed;
    }
  };
