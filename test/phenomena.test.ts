/** The phenomena that need no model, or a few problems of one: all of them run, and what is known exactly comes out. */
import { expect, test } from "vitest";
import { phenomena } from "../phenomena/list.ts";
import { measure } from "../phenomena/measure.ts";
import { exactly, judged, overall, type World } from "../phenomena/phenomenon.ts";
import { figure } from "../phenomena/plot.ts";
import { report } from "../phenomena/report.ts";

const world: World = "simulated";

test("the verdict is that of the interval: beyond the margin, beyond it on the other side, or neither", () => {
  const effect = { name: "a gain", world, unit: "points", margin: 0.05 };
  const verdict = (low: number, high: number) =>
    judged({ ...effect, estimate: { value: (low + high) / 2, low, high } }).verdict;
  expect(verdict(0.06, 0.1)).toBe("reproduced");
  expect(verdict(0.04, 0.1)).toBe("not reproduced");
  expect(verdict(-0.1, -0.06)).toBe("reversed");
  expect(verdict(-0.1, -0.04)).toBe("not reproduced");
  const [yes, no, reversed] = [0.1, 0, -0.1].map((value) => judged({ ...effect, estimate: exactly(value) }));
  if (!yes || !no || !reversed) throw new Error("three effects");
  expect([[yes], [yes, no], [yes, no, reversed]].map(overall)).toEqual(["reproduced", "not reproduced", "reversed"]);
});

test("all of them run on few problems; what has a known law is reproduced, and all of it is told", async () => {
  const rows = await measure([...new Set(phenomena.flatMap(({ measurements }) => measurements))], {
    quick: true,
    threads: 0,
  });
  const all = await Promise.all(
    phenomena.map(async (phenomenon) => ({ phenomenon, findings: await phenomenon.conclude(rows) })),
  );
  const known = all.flatMap(({ phenomenon, findings }) =>
    findings.effects
      .filter((effect) => effect.world === "simulated")
      .map(({ name, verdict }) => [phenomenon.name, name, verdict]),
  );
  // The mode of small random models is missed about as often as not; few worlds do not tell an error of 3 points.
  const open = known.filter(([, name]) => !/mode is likelier|error of the law/.test(name ?? ""));
  expect(open.length).toBeGreaterThanOrEqual(11);
  expect(open.filter(([, , verdict]) => verdict !== "reproduced")).toEqual([]);
  const page = report(all);
  for (const { phenomenon, findings } of all) {
    expect(page).toContain(phenomenon.claim);
    const drawing = figure(findings.panels);
    expect(drawing).not.toMatch(/NaN|undefined/);
    for (const { title } of findings.panels) expect(drawing).toContain(title);
  }
}, 300_000); // some 18 seconds alone on a core: every method of the page, end to end
