/**
 * The process of one contender: `node worker.mjs <module> <name> [...args]`. It makes the contender once and gives it
 * each task that the parent sends.
 */
const [module, name, ...args] = process.argv.slice(2)
const { contenders } = await import(new URL(module, import.meta.url).href)
const run = await contenders[name](...args)

process.on("message", async (task) => process.send?.(await run(task)))
