import { describe, expect, test } from "@jest/globals";
import { readToolCalls } from "./tool-calls.ts";

const call = (name: string, given: string) => ({ name, arguments: given });

describe("calls of tools in a text", () => {
  test("are read one in a block, or a list of them, with the text beside them", () => {
    expect(
      readToolCalls(
        'I look.\n<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>\n<tool_call>\n' +
          '[{"arguments": {}, "name": "g"}, {"name": "h"}]</tool_call> Done.',
      ),
    ).toEqual({ content: "I look.\nDone.", calls: [call("f", '{"a": 1}'), call("g", "{}"), call("h", "{}")] });
  });

  test("keep their arguments as they were written", () => {
    const given = '{"id": 12345678901234567890, "x": 1.0, "s": "\\u00e9 </tool_call> {", "x": 2}';
    expect(readToolCalls(`<tool_call>{"name": "f", "arguments": ${given}}</tool_call>`).calls).toEqual([
      call("f", given),
    ]);
  });

  test("may lack the last tag, where the text ends", () => {
    expect(readToolCalls('<tool_call>{"name": "f", "arguments": {}}\n')).toEqual({
      content: "",
      calls: [call("f", "{}")],
    });
  });

  test.each([
    "<tool_call>",
    "<tool_call></tool_call>",
    "<tool_call>[]</tool_call>",
    '<tool_call>{"name": "f", "arguments": {"a": </tool_call>',
    '<tool_call>{"name": "f", "arguments": "{}"}</tool_call>',
    '<tool_call>{"name": 1, "arguments": {}}</tool_call>',
    '<tool_call>{"arguments": {}}</tool_call>',
    '<tool_call>[{"name": "f"}, 2]</tool_call>',
    '<tool_call>{"name": "f"} and so on</tool_call>',
    "<tool_call>{'name': 'f'}</tool_call>",
    "no call\n",
  ])("that are malformed stay text: %s", (text) => {
    expect(readToolCalls(text)).toEqual({ content: text, calls: [] });
  });

  test("that are malformed stay text beside those that are not", () => {
    const bad = '<tool_call>{"name": }</tool_call>';
    expect(readToolCalls(`${bad}<tool_call>{"name": "f"}</tool_call>`)).toEqual({
      content: bad,
      calls: [call("f", "{}")],
    });
    expect(readToolCalls(`<tool_call>${'<tool_call>{"name": "f"}</tool_call>'}`)).toEqual({
      content: "<tool_call>",
      calls: [call("f", "{}")],
    });
  });
});
