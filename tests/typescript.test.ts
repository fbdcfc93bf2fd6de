/** What SWC makes of TypeScript here, where it has been wrong. */
import { expect, test } from "@jest/globals";

test("an error in a block whose resource can't be disposed of arrives, beside that of the disposal", async () => {
  const failing = async () => {
    await using _ = { [Symbol.asyncDispose]: () => Promise.reject(new Error("while disposing")) };
    throw new Error("in the block");
  };
  await expect(failing()).rejects.toMatchObject({
    name: "SuppressedError",
    error: { message: "while disposing" },
    suppressed: { message: "in the block" },
  });
});
