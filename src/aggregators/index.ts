export { majority, type MajorityOptions } from "./majority.ts";
