// The same from a CommonJS module, which TypeScript allows from 5.8 on.
import { LumeClient } from "effect-lume"

export const layer: typeof LumeClient.layer = LumeClient.layer
