// Makes the checks where packages are imported by their names, on Node, Bun and Deno.
import { report } from "./checks.mjs"

console.log(JSON.stringify(await report(process.argv[2])))
