/**
 * What runs inside, in front of a program or of its tests. `exchange` is the only way out, and both ends take turns: the guest
 * speaks, the host answers.
 *
 * `serve` loads the program and calls its function when asked. It shares an interpreter with the program, which may replace any
 * part of it: all that this gains is another way to say a result. `examine` runs the tests in an interpreter that the program
 * never enters; their `candidate` asks the host, which asks the program.
 */
import type { Language } from "./sandbox.ts";

const pythonPlain = `
import json, sys, types, builtins, collections
from json import dumps, loads
def encode(value, depth=0):
    kind = type(value)
    if depth > 100: raise TypeError("is nested too deeply")
    if value is None or kind is bool or kind is str: return value
    if kind is int: return ["i", hex(value)]
    if kind is float: return ["f", repr(value)]
    if kind is complex: return ["c", [["f", repr(value.real)], ["f", repr(value.imag)]]]
    if kind is bytes or kind is bytearray: return ["b", value.hex()]
    if kind is list: return ["l", [encode(item, depth + 1) for item in value]]
    if kind is tuple: return ["t", [encode(item, depth + 1) for item in value]]
    if kind is set or kind is frozenset: return ["s", sorted((encode(item, depth + 1) for item in value), key=dumps)]
    if kind in (dict, collections.OrderedDict, collections.defaultdict, collections.Counter):
        return ["d", [[encode(key, depth + 1), encode(item, depth + 1)] for key, item in value.items()]]
    raise TypeError("is a " + kind.__name__ + ", which is no plain data")
def decode(value):
    if value is None or type(value) is bool or type(value) is str: return value
    tag, content = value
    if tag == "i": return int(content, 16)
    if tag == "f": return float(content)
    if tag == "c": return complex(*[decode(part) for part in content])
    if tag == "b": return bytes.fromhex(content)
    if tag == "l": return [decode(item) for item in content]
    if tag == "t": return tuple([decode(item) for item in content])
    if tag == "s": return {frozenset(item) if type(item) is set else item for item in map(decode, content)}
    if tag == "d": return {decode(key): decode(item) for key, item in content}
    raise ValueError("no such type")
def describe(error):
    try: return {"type": type(error).__name__[:100], "message": str(error)[:300]}
    except BaseException: return {"type": "error", "message": ""}
def module(name):
    made = types.ModuleType(name)
    sys.modules[name] = made
    return vars(made)
`;

const python = {
  serve: `${pythonPlain}
def serve(exchange):
    start = loads(exchange('{"state": "ready"}'))
    try:
        names = module("program")
        exec(compile(start["program"], "program.py", "exec"), names)
        function = names[start["function"]]
    except BaseException as error:
        exchange(dumps({"state": "broken", "error": describe(error)}))
        return
    reply = {"state": "loaded"}
    while True:
        request = loads(exchange(dumps(reply)))
        reply = {"id": request["id"]}
        try:
            value = function(*decode(request["args"]), **decode(request["named"]))
        except BaseException as error:
            reply["error"] = describe(error)
        else:
            try: reply["value"] = encode(value)
            except BaseException as error: reply["refused"] = describe(error)["message"]
serve(exchange)
`,
  examine: `${pythonPlain}
def examine(exchange):
    start = loads(exchange('{"state": "ready"}'))
    def candidate(*args, **named):
        reply = loads(exchange(dumps({"args": encode(list(args)), "named": encode(named)})))
        if "error" in reply:
            kind = getattr(builtins, reply["error"]["type"], None)
            plain = isinstance(kind, type) and issubclass(kind, Exception) and kind is not AssertionError
            raise (kind if plain else RuntimeError)(reply["error"]["message"])
        return decode(reply["value"])
    try:
        names = module("tests")
        exec(compile(start["setup"], "setup.py", "exec"), names)
        names[start["function"]] = candidate
        exec(compile(start["tests"], "tests.py", "exec"), names)
        if names.get("check", candidate) is not candidate: names["check"](candidate)
    except BaseException as error:
        at, line = error.__traceback__, 0
        while at:
            if at.tb_frame.f_code.co_filename == "tests.py": line = at.tb_lineno
            at = at.tb_next
        exchange(dumps({"failed": describe(error)["type"], "line": line}))
    else:
        exchange('{"passed": true}')
examine(exchange)
`,
};

const javascriptPlain = `
const { parse, stringify } = JSON;
const encode = (value, depth = 0) => {
  if (depth > 100) throw new TypeError("is nested too deeply");
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (value === undefined) return ["u"];
  if (typeof value === "number") return ["f", Object.is(value, -0) ? "-0" : String(value)];
  if (typeof value === "bigint") return ["i", (value < 0n ? "-0x" : "0x") + (value < 0n ? -value : value).toString(16)];
  if (Array.isArray(value)) return ["l", Array.from(value, (item) => encode(item, depth + 1))];
  const kind = Object.getPrototypeOf(value);
  if (kind === Set.prototype) return ["s", [...value].map((item) => encode(item, depth + 1))];
  if (kind === Object.prototype || kind === null)
    return ["d", Object.entries(value).map(([name, item]) => [name, encode(item, depth + 1)])];
  throw new TypeError("is a " + (value.constructor?.name ?? typeof value) + ", which is no plain data");
};
const decode = (value) => {
  if (value === null || typeof value !== "object") return value;
  const [tag, content] = value;
  if (tag === "u") return undefined;
  if (tag === "f") return Number(content);
  if (tag === "i") {
    const whole = content[0] === "-" ? -BigInt(content.slice(1)) : BigInt(content);
    return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole;
  }
  if (tag === "l") return content.map(decode);
  if (tag === "s") return new Set(content.map(decode));
  if (tag === "d") return Object.fromEntries(content.map(([name, item]) => [name, decode(item)]));
  throw new TypeError("no such type");
};
const describe = (error) => {
  try { return { type: String(error.name).slice(0, 100), message: String(error.message).slice(0, 300) }; }
  catch { return { type: "error", message: "" }; }
};
`;

const javascript = {
  serve: `(() => {
${javascriptPlain}
const { exchange, eval: globally } = globalThis;
const start = parse(exchange('{"state": "ready"}'));
let called;
try {
  called = globally(start.program + "\\n;" + start.function); // at once, as \`const\` is seen in its own evaluation only
  if (typeof called !== "function") throw new TypeError(start.function + " is not a function");
} catch (error) {
  exchange(stringify({ state: "broken", error: describe(error) }));
  return;
}
for (let reply = { state: "loaded" }; ; ) {
  const request = parse(exchange(stringify(reply)));
  reply = { id: request.id };
  let value;
  try { value = called(...decode(request.args)); } catch (error) { reply.error = describe(error); continue; }
  try { reply.value = encode(value); } catch (error) { reply.refused = describe(error).message; }
}
})()`,
  examine: `(() => {
${javascriptPlain}
const { exchange, eval: globally } = globalThis;
const start = parse(exchange('{"state": "ready"}'));
const candidate = (...args) => {
  const reply = parse(exchange(stringify({ args: encode(args), named: ["d", []] })));
  if (reply.error) throw Object.assign(new Error(reply.error.message), { name: reply.error.type });
  return decode(reply.value);
};
try {
  globalThis.assert = (holds) => { if (!holds) throw Object.assign(new Error(), { name: "AssertionError" }); };
  globalThis.candidate = candidate;
  const named = "\\nvar " + start.function + " = candidate;\\n";
  globally(start.setup + named + start.tests + "\\n;typeof check === 'function' && check !== candidate ? check : undefined")?.(candidate);
  exchange('{"passed": true}');
} catch (error) {
  exchange(stringify({ failed: describe(error).type, line: 0 }));
}
})()`,
};

export const guests: Readonly<Record<Language, { readonly serve: string; readonly examine: string }>> = {
  python,
  javascript,
};
