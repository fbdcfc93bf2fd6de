/** After the last test: ends the worker, when one was started. */
export default async function closeDesk() {
  await globalThis.tsxlaTestDesk?.close();
}
