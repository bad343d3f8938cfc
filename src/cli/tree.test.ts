import { expect, test } from "vitest";
import type { Failure } from "../errors.ts";
import type { Node } from "../node.ts";
import type { Score } from "../scorer.ts";
import { paint, treeLines } from "./terminal.ts";
import { treeSvg } from "./svg.ts";
import { prune, sketch } from "./tree.ts";

const root = node("root", undefined, "");

function node(
  id: string,
  parent: Node<string> | undefined,
  state: string,
  rest: Partial<Node<string>> = {},
): Node<string> {
  return {
    id,
    parent,
    state,
    depth: parent ? parent.depth + 1 : 0,
    logProb: -1,
    logProposal: -1,
    totalLogProb: parent ? parent.totalLogProb - 1 : 0,
    length: 1,
    done: false,
    failure: undefined,
    score: undefined,
    ...rest,
  };
}

const answer = (id: string, text: string, correct: boolean): Node<string> =>
  node(id, root, text, { done: true, score: { kind: "verdict", correct, evidence: correct ? "reaches 9" : "misses" } });

const sixAnswers = [
  answer("0", "a\nb\nc\n", false),
  answer("1", "a\nb\nc\n", false),
  answer("2", "a\nd\n", true),
  answer("3", "x\ny\n", false),
  answer("4", "a\nd", true), // the last line break is missing
  answer("5", "z\n", false),
];

function drawn(
  nodes: readonly Node<string>[],
  { best, rows = 40 }: { best?: Node<string>; rows?: number } = {},
): string[] {
  const tree = sketch<string>((state) => state);
  tree.grow([root, ...nodes]);
  return treeLines(prune(tree, { best, rows }), { columns: 80 }).map((line) => paint(line, { color: false }));
}

test("revisions hang below the answer that they revise, and are drawn as answers of their own", () => {
  const first = answer("0", "a\nb\n", false);
  const again = { ...answer("1", "a\nb\n", false), parent: first };
  const better = { ...answer("2", "a\nd\n", true), parent: again };
  expect(drawn([first, again, better])).toEqual([
    "╰─ a     ×3",
    "   ├─ b  ✗ misses  log p −1.0  ×2",
    "   ╰─ d  ✓ reaches 9  log p −1.0",
  ]);
});

test("answers that begin alike share their beginning; what does not fork does not indent", () => {
  expect(drawn(sixAnswers, { best: sixAnswers[2] as Node<string> })).toEqual([
    "├─ a     ×4",
    "│  ├─ b  ×2",
    "│  │  c  ✗ misses  log p −1.0  ×2",
    "│  ╰─ d  ✓ reaches 9  log p −1.0  ×2",
    "├─ x",
    "│  y     ✗ misses  log p −1.0",
    "╰─ z     ✗ misses  log p −1.0",
  ]);
});

test("where rows are few, the way to the best is kept, then right answers, and the rest is counted", () => {
  expect(drawn(sixAnswers, { best: sixAnswers[3] as Node<string>, rows: 6 })).toEqual(
    [
      "├─ a  ×4",
      "│  ├─ d  ✓ reaches 9  log p −1.0  ×2",
      "│  ╰─ … 2 more",
      "├─ x",
      "│  y     ✗ misses  log p −1.0",
      "╰─ z     ✗ misses  log p −1.0",
    ].map((line) => line.replace("a  ×4", "a     ×4")),
  );
});

test.each([1, 2, 3, 4, 6, 9, 17])("%i rows are never exceeded, and every answer is drawn or counted", (rows) => {
  const lines = drawn(sixAnswers, { rows });
  expect(lines.length).toBeLessThanOrEqual(rows);
  const counted = lines
    .flatMap((line) => [...line.matchAll(/… (\d+) more|[✓✗].*×(\d+)|[✓✗]/g)])
    .map(([, more, equal]) => Number(more ?? equal ?? 1));
  expect(counted.reduce((sum, count) => sum + count, 0)).toBe(6);
});

test("the same answers, by lines or by characters, make the same tree of lines", () => {
  const steps = (cut: RegExp) =>
    sixAnswers.flatMap(({ id, state, score }) => {
      let at = root;
      const pieces = `${state.trimEnd()}\n`.match(cut) as string[];
      return pieces.map((piece, i) => {
        const done = i === pieces.length - 1;
        at = node(`${id}.${i}`, at, at.state + piece, { done, ...(done && { score }) });
        return at;
      });
    });
  const texts = (lines: string[]) => lines.map((line) => line.replace(/log p .*/, "").trimEnd());
  expect(texts(drawn(steps(/.*\n/g))).filter((line) => !line.includes("×")).length).toBeGreaterThan(0);
  expect(texts(drawn(steps(/.*\n/g)))[0]).toBe("├─ a     ×4");
  expect(texts(drawn(steps(/./gs))).map((line) => line.replace(/ *[✓✗×].*/, ""))).toEqual(
    texts(drawn(steps(/.*\n/g))).map((line) => line.replace(/ *[✓✗×].*/, "")),
  );
});

test("text that is being written is drawn, and replaced by the answer", () => {
  const tree = sketch<string>((state) => state);
  tree.grow([root]);
  const lines = () => treeLines(prune(tree, { rows: 9 }), { columns: 80 }).map((line) => paint(line, { color: false }));
  tree.write("0", "a\nb");
  tree.write("1", "a\n");
  expect(lines()).toEqual(["╰─ a ▌  ×2"]);
  tree.write("0", "\n");
  expect(lines()).toEqual(["├─ a ▌  ×2", "│  b ▌"].map((line) => line.replace("├", "╰").replace("│", " ")));
  const nodes = [
    root,
    answer("0", "a\nb\n", true),
    node("1", root, "", { done: true, failure: { code: "timeout", message: "too slow" } }),
  ];
  tree.grow(nodes);
  expect(lines()).toEqual(["├─ a", "│  b                ✓ reaches 9  log p −1.0", "╰─ 1 failed sample  too slow"]);
  expect(tree.root.samples).toBe(2);
  expect(tree.root.writing).toBe(0);
});

test("hostile text is shown as text, in the terminal and in the picture", () => {
  const hostile = answer("0", '\x1b[2J<script>alert(1)</script>\u202e & "x"\n', true);
  const [line] = drawn([hostile]);
  expect(line).toContain("␛[2J<script>alert(1)</script><202E>");
  const tree = sketch<string>((state) => state);
  tree.grow([root, hostile]);
  const svg = treeSvg(prune(tree, { best: hostile, rows: 40 }), { question: "<q>&", title: "t\x00", footer: "f" });
  expect(svg).not.toMatch(/<script/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
  expect(svg).not.toMatch(/[\x00-\x08\x0b-\x1f\u202e]/);
  expect(svg).toContain("␛[2J&lt;script&gt;alert(1)&lt;/");
});

test.each<[Score | undefined, Failure | undefined, string]>([
  [{ kind: "probability", value: 0.625 }, undefined, "╰─ a  • value 0.63  log p −1.0"],
  [{ kind: "log-likelihood", value: -2.5 }, undefined, "╰─ a  • score −2.50  log p −1.0"],
  [{ kind: "reward", value: 3 }, undefined, "╰─ a  • reward 3.00  log p −1.0"],
  [undefined, undefined, "╰─ a  •  log p −1.0"],
])("a score says its scale: %j", (score, failure, line) => {
  expect(drawn([node("0", root, "a", { done: true, score, failure })])).toEqual([line]);
});

test("what a constraint refuses is marked, what it lets pass is not", () => {
  const kept = node("0", root, "a\n", { score: { kind: "verdict", correct: true } });
  const refused: Score = { kind: "verdict", correct: false, evidence: "against the pattern" };
  const never: Score = { kind: "probability", value: 0, evidence: "against the pattern" };
  const done: Score = { kind: "verdict", correct: true, evidence: "keeps to the pattern" };
  expect(
    drawn([
      kept,
      node("0.0", kept, "a\nb", { done: true, score: done }),
      node("1", root, "c\n", { score: refused }),
      node("2", root, "d\n", { score: never }),
    ]),
  ).toEqual([
    "├─ a",
    "│  b  ✓ keeps to the pattern  log p −2.0",
    "├─ c  ✗ against the pattern  log p −1.0",
    "╰─ d  ✗ against the pattern  log p −1.0",
  ]);
});

test("a tree of 100,000 answers is drawn in the time of a frame", () => {
  const nodes = Array.from({ length: 100_000 }, (_, i) => answer(String(i), `${i % 300}\n${i}\n`, i === 77_777));
  const tree = sketch<string>((state) => state);
  tree.grow([root, ...nodes]);
  const startedAt = performance.now();
  const lines = treeLines(prune(tree, { best: nodes[77_777], rows: 30 }), { columns: 80 });
  expect(performance.now() - startedAt).toBeLessThan(500); // some 10 ms on a quiet machine
  expect(lines).toHaveLength(30);
});
