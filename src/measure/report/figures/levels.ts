/** Accuracy by level, of difficulty or what else problems are grouped by: a panel a level, a row a method, at the highest budget that a method has. */
import { plural, short } from "../numbers.ts";
import type { Report } from "../report.ts";
import { intervalsText } from "../table.ts";
import { inPercent } from "./lines.ts";
import { ink, looksOf } from "./looks.ts";
import { type FigurePlan, panelGap } from "./plot.ts";

/** Panels of a row, and of a figure. */
const across = 4;
const most = 12;

export function levelsFigure(report: Report): FigurePlan | undefined {
  const { levels, level, evaluation } = report;
  if (levels.length === 0) return undefined;
  const panels = levels.slice(0, most);
  const looks = looksOf(report);
  const placeOf = (i: number) => ({ fx: i % across, fy: Math.floor(i / across) });
  const rows = panels.flatMap(({ cells }, i) =>
    [...looks.keys()].flatMap((method) => {
      const last = cells.findLast((cell) => cell.method === method && cell.accuracy.value !== undefined);
      const point = last && inPercent(last.accuracy);
      return point ? [{ ...placeOf(i), method, ...point }] : [];
    }),
  );
  const shown = panels.flatMap(({ cells }) => cells.map(({ accuracy }) => accuracy));
  const titles = panels.map((panel, i) => ({
    ...placeOf(i),
    name: short(panel.level, 22),
    size: plural(panel.problems, "problem"),
  }));
  const columns = Math.min(across, panels.length);
  const down = Math.ceil(panels.length / across);
  const names = [...looks.keys()].map((method) => short(method, 22));
  const marginLeft = 14 + 6.6 * Math.max(4, ...names.map((name) => name.length));
  const panel = 24 * looks.size;
  const dropped = levels.length - panels.length;
  return {
    name: "levels",
    title: "Accuracy by level",
    caption: `Each method at ${evaluation.budgets.length > 1 ? "its highest budget" : "the budget"}, ${intervalsText(shown, level, "intervals")}: where a method gains, and where nothing helps. Levels have fewer problems than the whole, so their intervals are wider.${looks.size < evaluation.methods.length ? " The best methods and the baseline are shown." : ""}${dropped > 0 ? ` ${plural(dropped, "further level")} ${dropped === 1 ? "is" : "are"} not drawn.` : ""}`,
    plot: (plot) => ({
      width: Math.max(480, marginLeft + 20 + 190 * columns),
      height: 90 + panel * down + 0.67 * panel * (down - 1),
      marginLeft,
      marginRight: 16,
      marginTop: 46,
      marginBottom: 44,
      x: { domain: [0, 100] },
      y: { type: "point", domain: [...looks.keys()], padding: 0.7 },
      fx: { axis: null, domain: Array.from({ length: columns }, (_, i) => i), ...panelGap(columns, 0.18) },
      fy: { axis: null, domain: Array.from({ length: down }, (_, i) => i), ...panelGap(down, 0.4) },
      marks: [
        plot.gridX([0, 25, 50, 75, 100], { stroke: "currentColor", strokeOpacity: 0.12 }),
        plot.axisX([0, 50, 100], { label: "accuracy, %", labelAnchor: "center", labelArrow: "none", tickSize: 0 }),
        plot.axisY({ tickSize: 0, label: null, fx: 0, tickFormat: (method: string) => short(method, 22) }),
        plot.text(titles, {
          fx: "fx",
          fy: "fy",
          text: "name",
          frameAnchor: "top-left",
          dy: -26,
          fontWeight: 600,
          fontSize: 12.5,
        }),
        plot.text(titles, {
          fx: "fx",
          fy: "fy",
          text: "size",
          frameAnchor: "top-left",
          dy: -10,
          fontSize: 11,
          fillOpacity: 0.8,
        }),
        [...looks].map(([method, { color, symbol }]) => {
          const own = rows.filter((row) => row.method === method);
          return [
            plot.ruleY(
              own.filter(({ low }) => low !== undefined),
              { fx: "fx", fy: "fy", y: "method", x1: "low", x2: "high", stroke: color, strokeWidth: 1.8 },
            ),
            plot.dot(own, { fx: "fx", fy: "fy", y: "method", x: "y", fill: color === ink ? ink : color, symbol, r: 4 }),
          ];
        }),
      ],
    }),
  };
}
