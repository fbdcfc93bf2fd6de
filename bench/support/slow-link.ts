/** A way to a worker that takes as long as one across a network: a TCP proxy that holds back what passes. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Listens on this machine for connections to `unix:PATH`; each direction takes half of `roundTripMs`. */
export async function slowLink(address: string, roundTripMs: number): Promise<AsyncDisposable & { address: string }> {
  const open = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect(address.replace(/^unix:/, ""));
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(from);
      from.on("data", (chunk) => setTimeout(() => to.writable && to.write(chunk), roundTripMs / 2));
      from.on("close", () => {
        open.delete(from);
        setTimeout(() => to.end(), roundTripMs / 2);
      });
      from.on("error", () => to.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
