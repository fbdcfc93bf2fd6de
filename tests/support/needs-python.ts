/**
 * Imported for its effect by tests, and by helpers of tests, that start a worker or run Python.
 *
 * A quick run leaves out every file that reaches this one through its imports (../runs/choose.ts). A file that needs
 * Python and does not import it fails there: a quick run has no Python.
 */
if (process.env.TSXLA_TEST_RUN === "quick")
  throw new Error("this file needs Python, and a quick run has none: run `npm run jest -- FILE`");

export {};
