/** The move that wins, in a game of Hex: x joins top and bottom, o left and right. */
import { alphaBeta, game, type GameState, outcome, run } from "ponderosa";
import { hex, type HexPosition } from "ponderosa/games";

const rules = hex(5);
const problem = { id: "hex", prompt: "x to move", data: [12, 6, 8, 17] }; // c3 b2 d2 c4: a cell is row × 5 + column

// Cells near the middle first: the sooner a good move is seen, the more of the others need no look.
const near = (move: number) => 1 / (1 + Math.hypot((move % 5) - 2, Math.floor(move / 5) - 2));
const policy = game(rules, { prior: (_, moves) => moves.map(near), name: "middle" });

// Five moves ahead; what is not decided by then counts as even, so 1 is a proof.
const search = alphaBeta<GameState<HexPosition>>({
  turn: ({ position }) => rules.turn(position),
  depth: 5,
  branch: 25,
});
const scorer = outcome(rules, { evaluate: () => 0, name: "even" });

const { text, outcome: found, nodes } = await run(search, problem, { policy, scorer });
const line = found?.line.map(({ state }) => rules.moveName(state.move ?? 0));
console.log(`x plays ${line?.[0]}: ${line?.join(" ")}, value ${found?.value}, ${nodes.length} positions`);
console.log(text);

// Prints:
// x plays b4: b4 c2 d1 b3 b5, value 1, 35843 positions
//   a b c d e
// 1  . . . x .
//  2  . o o x .
//   3  . o x . .
//    4  . x o . .
//     5  . x . . .
