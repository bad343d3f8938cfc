/** The models that need nothing but this package; engines and servers have sub-paths of their own. */
export type { TreeShape } from "./draft.ts";
export { ledgered, type LedgeredModel } from "./ledgered.ts";
export {
  scripted,
  type ScriptedCall,
  type ScriptedModel,
  type ScriptedOptions,
  type ScriptedReply,
  type ScriptedRequest,
} from "./scripted.ts";
export {
  speculative,
  type SpeculativeCounts,
  type SpeculativeModel,
  type SpeculativeOptions,
  tokensPerPass,
} from "./speculative.ts";
export { randomTabular, tabular, type TabularModel, type TabularOptions, type WeightedText } from "./tabular.ts";
