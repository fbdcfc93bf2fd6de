import { expect, test } from "@jest/globals";
import { type AddedToken, AddedTokenSplitter } from "./added-tokens.ts";

const token = (content: string, more: Partial<AddedToken> = {}): AddedToken => ({
  id: 0,
  content,
  special: true,
  lstrip: false,
  rstrip: false,
  normalized: false,
  ...more,
});
const split = (text: string, ...tokens: AddedToken[]) =>
  new AddedTokenSplitter(tokens).split(text).map((piece) => (typeof piece === "string" ? piece : [piece.content]));

test("the leftmost token wins, and of those the longest", () => {
  const tokens = [token("<a>"), token("<a><b>"), token("><b")];
  expect(split("x<a><b>y<a>", ...tokens)).toEqual(["x", ["<a><b>"], "y", ["<a>"]]);
  expect(split("<a><b", ...tokens)).toEqual([["<a>"], "<b"]);
});

test("a beginning of a token is text", () => {
  expect(split("<|en <|end|", token("<|end|>"))).toEqual(["<|en <|end|"]);
});

test("nothing comes of an empty text", () => {
  expect(split("", token("<a>"))).toEqual([]);
  expect(split("")).toEqual([]);
});

test("lstrip and rstrip take the spaces beside the token", () => {
  expect(split("a <m> b", token("<m>", { lstrip: true }))).toEqual(["a", ["<m>"], " b"]);
  expect(split("a <m> \n b", token("<m>", { rstrip: true }))).toEqual(["a ", ["<m>"], "b"]);
  expect(split("<m>  <m>", token("<m>", { rstrip: true }))).toEqual([["<m>"], ["<m>"]]);
});

test("an empty token is never found", () => {
  expect(split("ab", token(""))).toEqual(["ab"]);
});
