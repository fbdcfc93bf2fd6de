import { expect, test } from "@jest/globals";
import { parseAddress } from "./address.ts";

test("a socket's path is made absolute", () => {
  expect(parseAddress("unix:/run/w.sock")).toEqual({
    text: "unix:/run/w.sock",
    target: "unix:/run/w.sock",
    tls: false,
    local: true,
  });
  expect(parseAddress("unix:w.sock").target).toBe(`unix:${process.cwd()}/w.sock`);
  expect(parseAddress("unix:///run/w.sock").target).toBe("unix:/run/w.sock");
});

test.each([
  ["localhost:8470", true],
  ["127.0.0.1:8470", true],
  ["[::1]:8470", true],
  ["127.evil.example:8470", false],
  ["10.0.0.7:8470", false],
  ["dns:workers.example:8470", false],
  ["dns:localhost:8470", false],
  ["grpcs://workers.example:8470", false],
])("%s stays on this machine: %s", (text, local) => {
  expect(parseAddress(text).local).toBe(local);
});

test("grpcs:// means TLS", () => {
  expect(parseAddress("grpcs://workers.example:443")).toMatchObject({ tls: true, target: "dns:workers.example:443" });
});

test.each(["", "unix:", "localhost", "host:0", "host:70000", "http://host:80", "::1:80", "a:b:80", "host:8x"])(
  "'%s' is refused with the forms that there are",
  (text) => {
    expect(() => parseAddress(text)).toThrow("wanted  unix:PATH, HOST:PORT, dns:NAME:PORT");
  },
);
