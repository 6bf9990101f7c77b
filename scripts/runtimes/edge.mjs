// Makes the checks in an edge runtime, which has the web's globals and none of Node's.
import { EdgeVM } from "@edge-runtime/vm"
import { readFileSync } from "node:fs"

const [bundle, url] = process.argv.slice(2)
const vm = new EdgeVM()
vm.evaluate(readFileSync(bundle, "utf8"))
console.log(JSON.stringify(await vm.evaluate(`checks.report(${JSON.stringify(url)})`)))
