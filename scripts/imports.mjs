/**
 * Who may import whom within `src/`, as a rule of the linter: no import runs upwards, types included.
 *
 * A module may import from the stages before its own, and a folder from itself. The linter runs such rules as an
 * experiment: `test/imports.test.ts` shows for each pair of modules that it does.
 */

/** From the ground up. Modules of one stage don't know each other. */
const trunk = [
  ["internal/"],
  ["LumeMetadata", "RunRequest"],
  ["LumeRun"],
  ["LumeError", "RunEvents"],
  ["client/"],
  ["LumeClient", "WebhookDeliveries"],
  ["LumeWebhook"]
]

/** What stands on it: three branches, which don't know each other. */
const orders = [
  [...trunk, ["testkit/"], ["LumeTest"], ["index"]],
  [...trunk, ["local/"], ["cli/"]],
  [...trunk, ["workflow/"]]
]

/** Where only Node runs; everything else runs in browsers and on edge runtimes too. */
const onNode = new Set(["local/", "workflow/", "cli/"])

/** The modules of the client that know the platform's HTTP client; the others know no HTTP. */
const http = new Set(["body", "endpoints", "exchange", "options", "transportFailure"].map((name) => `client/${name}`))

/** What a module that runs everywhere may import from other packages. */
const portable = /^(effect|@effect\/platform)\//

/** The path of a module within `src/`, without its ending; empty for what is elsewhere. */
const withinSrc = (path) => /^.*\/src\/(.*?)\.[cm]?[jt]s$/.exec(path)?.[1] ?? ""

/** A folder of `src/` by its name and a slash, a module beside the folders by its name. */
const placeOf = (module) => /^[^/]*\/?/.exec(module)[0]

const isBefore = (order, to, from) => {
  const stage = (place) => order.findIndex((stage) => stage.includes(place))
  return stage(to) !== -1 && stage(to) < stage(from)
}

/** What is wrong with an import of `specifier` in the file `filename`; `undefined` if nothing is. */
const refuse = (filename, specifier) => {
  const module = withinSrc(filename)
  const from = placeOf(module)
  if (specifier.startsWith(".")) {
    const to = placeOf(withinSrc(new URL(specifier, `file://${filename}`).pathname))
    return to === from || orders.some((order) => isBefore(order, to, from))
      ? undefined
      : `${from} does not know ${to || "what is outside of src"}: an import goes to what is before it in CONTRIBUTING.md.`
  }
  if (!onNode.has(from) && !portable.test(specifier)) {
    return "This module runs in browsers and on edge runtimes too: it imports effect/… and @effect/platform/… only."
  }
  return from === "client/" && !http.has(module) && specifier.startsWith("@effect/platform/")
    ? `${module} knows no HTTP. Of the client, only ${[...http].join(", ")} do.`
    : undefined
}

const create = (context) => {
  const check = (node) => {
    const specifier = node.source?.value
    const message = typeof specifier === "string" ? refuse(context.filename, specifier) : undefined
    if (message !== undefined) context.report({ node, message })
  }
  return {
    ImportDeclaration: check,
    ExportAllDeclaration: check,
    ExportNamedDeclaration: check,
    ImportExpression: check,
    TSImportType: check
  }
}

export default { meta: { name: "imports" }, rules: { order: { create } } }
