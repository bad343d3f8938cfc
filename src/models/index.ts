/** The models that need nothing but this package; engines and servers have sub-paths of their own. */
export {
  scripted,
  type ScriptedCall,
  type ScriptedModel,
  type ScriptedOptions,
  type ScriptedReply,
  type ScriptedRequest,
} from "./scripted.ts";
export { randomTabular, tabular, type TabularModel, type TabularOptions, type WeightedText } from "./tabular.ts";
