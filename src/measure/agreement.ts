/**
 * Do raters agree more than chance would make them? For judges, graders and people.
 *
 * - `cohenKappa`: two raters, every item rated by both, labels without order.
 * - `krippendorffAlpha`: any number of raters, ratings may be missing, labels, ranks or numbers.
 *
 * Both are 1 for full agreement and 0 for what chance gives; chance is each rater's own share of labels for κ, the shares of all
 * ratings together for α. Neither is defined where only one label occurs: then there is nothing to agree on.
 *
 * Intervals are bootstraps over items. Simulated with two judges who are right in 80%, 95% intervals hold the truth in 92% to 95% at
 * 30 items and in 95% from 50 on; at 10 items with a rare label in 64%. So they are refused below 30.
 */
import { bootstrap, type BootstrapOptions } from "./bootstrap.ts";
import { type Estimate, withoutInterval } from "./estimate.ts";

export type Label = string | number;

export interface AgreementOptions extends BootstrapOptions {
  /** Below as many items the interval is refused. @default 30 */
  readonly fewest?: number;
}

/**
 * κ = (p_o − p_e) / (1 − p_e): the observed share of equal labels, corrected by the share that independent raters with the same
 * habits would have. Cohen 1960, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement
 * 20(1), 37-46.
 */
export function cohenKappa(
  first: readonly Label[],
  second: readonly Label[],
  { fewest = 30, ...options }: AgreementOptions = {},
): Estimate {
  if (first.length !== second.length)
    throw new RangeError(
      `Cannot compare raters as both must have rated the same items: current numbers are ${first.length} and ${second.length}`,
    );
  if (first.length === 0) return withoutInterval(undefined, "there are no items");
  const places = placesOf([...first, ...second]);
  const a = Int32Array.from(first, (label) => places.get(label) as number);
  const b = Int32Array.from(second, (label) => places.get(label) as number);
  const [rows, columns] = [new Float64Array(places.size), new Float64Array(places.size)];
  const kappa = (counts: Int32Array): number | undefined => {
    rows.fill(0);
    columns.fill(0);
    let [items, equal] = [0, 0];
    for (let i = 0; i < counts.length; i++) {
      const count = counts[i] as number;
      const [x, y] = [a[i] as number, b[i] as number];
      items += count;
      rows[x] = (rows[x] as number) + count;
      columns[y] = (columns[y] as number) + count;
      if (x === y) equal += count;
    }
    let chance = 0;
    for (let c = 0; c < rows.length; c++) chance += (rows[c] as number) * (columns[c] as number);
    const most = items ** 2;
    return chance === most ? undefined : (equal * items - chance) / (most - chance); // both times items²: exact
  };
  if (kappa(new Int32Array(first.length).fill(1)) === undefined)
    return withoutInterval(undefined, "both raters gave one and the same label to every item");
  return estimated(first.length, kappa, fewest, options);
}

export interface KrippendorffOptions extends AgreementOptions {
  /**
   * How far two ratings are apart: `nominal`, they differ or not; `ordinal`, by how many ratings lie between them; `interval`, by
   * their squared difference. @default "nominal"
   */
  readonly metric?: "nominal" | "ordinal" | "interval";
}

/**
 * α = 1 − D_o / D_e: observed disagreement within items over that of all ratings paired at random. `ratings` are
 * [raters][items], undefined where a rater has not rated. Items with fewer than two ratings say nothing and are left out; an item
 * with m ratings counts m times. Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"; Krippendorff 2004, "Content
 * Analysis", 2nd edition, chapter 11. His own interval resamples pairs, not items.
 */
export function krippendorffAlpha(
  ratings: readonly (readonly (Label | undefined)[])[],
  { metric = "nominal", fewest = 30, ...options }: KrippendorffOptions = {},
): Estimate {
  const items = Math.max(0, ...ratings.map((row) => row.length));
  const rated = Array.from({ length: items }, (_, item) =>
    ratings.map((row) => row[item]).filter((label) => label !== undefined),
  ).filter((labels) => labels.length > 1);
  if (rated.length === 0) return withoutInterval(undefined, "no item has two ratings");
  const labels = [...placesOf(rated.flat()).keys()];
  if (metric !== "nominal") {
    const wrong = labels.find((label) => !Number.isFinite(label));
    if (wrong !== undefined)
      throw new RangeError(
        `Cannot give ${metric} agreement as ratings must be numbers: one is ${JSON.stringify(wrong)}`,
      );
    labels.sort((a, b) => (a as number) - (b as number));
  }
  const places = new Map(labels.map((label, i) => [label, i]));
  // Flat lists, as the bootstrap reads them many times: what an item was rated, and which two different labels it was given.
  const given = { item: [] as number[], label: [] as number[] };
  const differing = { item: [] as number[], low: [] as number[], high: [] as number[], weight: [] as number[] };
  for (const [item, row] of rated.entries())
    for (const [x, label] of row.entries()) {
      const place = places.get(label) as number;
      given.item.push(item);
      given.label.push(place);
      for (const other of row.slice(0, x)) {
        const there = places.get(other) as number;
        if (there === place) continue;
        differing.item.push(item);
        differing.low.push(Math.min(place, there));
        differing.high.push(Math.max(place, there));
        differing.weight.push(1 / (row.length - 1));
      }
    }

  const totals = new Float64Array(labels.length); // n_c: ratings of each label
  const before = new Float64Array(labels.length); // ratings below the middle of label c
  const distance = (c: number, k: number): number => {
    if (metric === "nominal") return 1;
    if (metric === "ordinal") return ((before[k] as number) - (before[c] as number)) ** 2;
    return ((labels[k] as number) - (labels[c] as number)) ** 2;
  };
  const alpha = (counts: Int32Array): number | undefined => {
    totals.fill(0);
    let n = 0;
    for (let x = 0; x < given.item.length; x++) {
      const count = counts[given.item[x] as number] as number;
      const label = given.label[x] as number;
      totals[label] = (totals[label] as number) + count;
      n += count;
    }
    for (let c = 0, sum = 0; c < totals.length; sum += totals[c++] as number)
      before[c] = sum + (totals[c] as number) / 2;
    let observed = 0;
    for (let x = 0; x < differing.item.length; x++) {
      const count = counts[differing.item[x] as number] as number;
      const apart = distance(differing.low[x] as number, differing.high[x] as number);
      observed += count * (differing.weight[x] as number) * apart;
    }
    let expected = 0;
    for (let c = 0; c < totals.length; c++)
      for (let k = 0; k < c; k++) expected += (totals[c] as number) * (totals[k] as number) * distance(c, k);
    return expected === 0 ? undefined : 1 - ((n - 1) * observed) / expected;
  };
  if (labels.length === 1) return withoutInterval(undefined, "every rating is the same");
  return estimated(rated.length, alpha, fewest, options);
}

function estimated(
  items: number,
  statistic: (counts: Int32Array) => number | undefined,
  fewest: number,
  options: BootstrapOptions,
): Estimate {
  if (items >= fewest) return bootstrap(items, statistic, options);
  return withoutInterval(statistic(new Int32Array(items).fill(1)), `a bootstrap of ${items} items is too short`);
}

function placesOf(labels: readonly Label[]): Map<Label, number> {
  const places = new Map<Label, number>();
  for (const label of labels) if (!places.has(label)) places.set(label, places.size);
  return places;
}
