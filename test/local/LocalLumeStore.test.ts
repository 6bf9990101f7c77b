/**
 * What a local Lume remembers: over restarts, over damage to its file, and for how long.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import { assert, describe } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as path from "node:path"
import type * as LocalLume from "../../src/local/LocalLume.js"
import { clean, live, quickly, refusal, serve, slowFlow } from "./lume.js"
import { flow, folders, people } from "./support.js"

const people1 = { flowVersion: "people:v1", sourcePath: "people.csv" }
const clean1 = { flowVersion: "people:v1", sourcePath: "clean.csv" }

/** Folders for one local Lume after the other, and what lies in their store. */
const setUp = (options: Partial<LocalLume.Options> = {}) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const places = yield* folders({ "people.csv": people, "clean.csv": clean })
    const all = { flows: [flow, slowFlow], ...places, ...options }
    const file = (name: string) => path.join(places.targets, ".lume", name)
    const journal = file("journal.jsonl")
    return {
      ...places,
      options: all,
      journal,
      /** A local Lume that closes when this is done. */
      during: <A, E, R>(use: (server: Effect.Effect.Success<ReturnType<typeof serve>>) => Effect.Effect<A, E, R>) =>
        Effect.scoped(Effect.flatMap(serve(all), use)),
      refusal: refusal(all),
      files,
      read: Effect.map(files.readFileString(journal), (text) => text.split("\n")),
      edit: (change: (text: string) => string) =>
        Effect.flatMap(files.readFileString(journal), (text) => files.writeFileString(journal, change(text)))
    }
  })

describe("after a restart", () => {
  live("ended runs are as they were, and a source path that has succeeded is still refused", () =>
    Effect.gen(function* () {
      const { during } = yield* setUp()
      const runMetadata = { ключ: [1.5, null, { __proto__: 1 }] }
      const before = yield* during(({ lume, send }) =>
        Effect.gen(function* () {
          yield* lume.runAndWait(clean1, quickly)
          yield* lume.runAndWait({ ...people1, sourcePath: "nowhere.csv" }, quickly)
          const { id } = yield* lume.runAndWait({ ...people1, runMetadata }, quickly)
          return yield* send(`/runs/${id}`)
        })
      )
      assert.deepNestedInclude(before.body, { run_metadata: runMetadata, "metadata.results.rejected_rows": 2 })
      const id = Reflect.get(Object(before.body), "id")
      yield* Effect.repeatN(
        during(({ lume, send }) =>
          Effect.gen(function* () {
            assert.deepStrictEqual((yield* send(`/runs/${id}`)).body, before.body)
            assert.strictEqual((yield* Effect.flip(lume.run(clean1)))._tag, "AlreadyProcessedError")
            yield* lume.runAndWait(people1, quickly)
            yield* lume.runAndWait({ ...people1, sourcePath: "nowhere.csv" }, quickly)
          })
        ),
        1
      )
    })
  )

  live("runs that had begun are CRASHED, and those still CREATED are made, in their order", () =>
    Effect.gen(function* () {
      const spillFolder = yield* Effect.flatMap(FileSystem.FileSystem, (files) => files.makeTempDirectoryScoped())
      const { during, files, targets } = yield* setUp({ concurrency: 1, spillFolder })
      const [begun, first, second] = yield* during(({ lume }) =>
        Effect.gen(function* () {
          const begun = yield* lume.run({ ...clean1, flowVersion: "slow:v1" })
          yield* Effect.repeat(lume.refresh(begun), { until: (run) => run._tag === "Transforming" })
          return [begun, yield* lume.run(people1), yield* lume.run(clean1)] as const
        })
      )
      // what a process that is killed leaves
      for (const { id } of [begun, first]) {
        yield* files.makeDirectory(path.join(targets, `.${id}.work`, "output"), { recursive: true })
        yield* files.makeDirectory(path.join(spillFolder, `.${id}.spill`))
      }
      yield* files.makeDirectory(path.join(targets, begun.id))
      // what others have there, such as a server without a store
      const others = [".run_notes", `.run_${"0".repeat(26)}.work`]
      yield* Effect.forEach(others, (name) => files.makeDirectory(path.join(targets, name)))
      yield* during(({ lume }) =>
        Effect.gen(function* () {
          const crashed = yield* lume.runStatus(begun.id)
          assert(crashed._tag === "Crashed")
          const { errors, pipeline } = yield* crashed.metadata
          assert.deepStrictEqual(errors, [
            {
              stage: "TRANSFORMING",
              errorCode: "PROCESS_ENDED",
              message:
                "The local Lume's process ended while the run was TRANSFORMING. Nothing was written. Submit it again."
            }
          ])
          assert.strictEqual(pipeline._tag, "Some")
          const [made, last] = yield* Effect.all([lume.wait(first, quickly), lume.wait(second, quickly)])
          assert(made._tag === "PartialFailed" && last._tag === "Succeeded")
          const after = yield* Effect.all([made.metadata, last.metadata])
          const [one, other] = after.map(({ pipeline }) => DateTime.toEpochMillis(pipeline.completedAt))
          assert.isAtMost(Number(one), Number(other))
        })
      )
      assert.sameMembers(yield* files.readDirectory(targets), [".lume", ...others, first.id, second.id])
      assert.deepStrictEqual(yield* files.readDirectory(spillFolder), [])
      yield* during(({ lume }) =>
        Effect.gen(function* () {
          assert.strictEqual((yield* lume.runStatus(begun.id))._tag, "Crashed")
        })
      )
    })
  )

  live("a run whose flow is gone has FAILED, and says so", () =>
    Effect.gen(function* () {
      const { during, options } = yield* setUp({ concurrency: 1 })
      const waiting = yield* during(({ lume }) =>
        Effect.zipRight(lume.run({ ...clean1, flowVersion: "slow:v1" }), lume.run(clean1))
      )
      // two at a time, because the slow run has not begun before the restart where the machine is busy
      const { lume } = yield* serve({ ...options, concurrency: 2, flows: [slowFlow] })
      const failed = yield* lume.wait(waiting, quickly)
      assert(failed._tag === "Failed")
      const [error] = (yield* failed.metadata).errors
      assert(error !== undefined)
      assert.strictEqual(error.errorCode, "FLOW_NOT_FOUND")
      assert.include(error.message, "people:v1")
    })
  )

  live("key and secret are the same, unless they are one's own or nothing is kept", () =>
    Effect.gen(function* () {
      const { during, files, options, refusal, targets } = yield* setUp({ webhook: { url: "http://127.0.0.1:9" } })
      const keys = during(({ apiKey, webhookSecret }) =>
        Effect.succeed({ apiKey: Redacted.value(apiKey), secret: Option.map(webhookSecret, Redacted.value) })
      )
      const first = yield* keys
      assert.isAbove(first.apiKey.length, 30)
      assert.isAbove(Option.getOrThrow(first.secret).length, 30)
      assert.deepStrictEqual(yield* keys, first)

      const secret = Redacted.make("own-secret")
      const own = { apiKey: Redacted.make("own-key"), webhook: { url: "http://127.0.0.1:9", secret } }
      const given = yield* Effect.scoped(serve({ ...options, ...own }))
      assert.strictEqual(Redacted.value(given.apiKey), "own-key")
      assert.strictEqual(Redacted.value(Option.getOrThrow(given.webhookSecret)), "own-secret")
      assert.deepStrictEqual(yield* keys, first)
      const inMemory = yield* Effect.scoped(serve({ ...options, store: "memory", webhook: undefined }))
      assert.notStrictEqual(Redacted.value(inMemory.apiKey), first.apiKey)
      assert.strictEqual(inMemory.webhookSecret._tag, "None")

      yield* files.writeFileString(path.join(targets, ".lume/keys.json"), "{}")
      assert.match(yield* refusal, /keys\.json can't be read\. Remove it to get new keys\.$/)
    })
  )
})

describe("the store", () => {
  live("is the same text on Effect 3 and 4: a local Lume of either goes on with one of the other", () =>
    Effect.gen(function* () {
      const { during, files, journal, targets } = yield* setUp({ keepFor: Infinity })
      const written = [
        '{"effect_lume":1}',
        '{"_tag":"Processed","flowVersion":"people:v1","sourcePath":"clean.csv"}',
        '{"_tag":"Accepted","id":"run_1","at":1000,"request":{"flowVersion":"people:v1","sourcePath":"clean.csv","runMetadata":{"by":["me",null]}}}',
        '{"_tag":"Ended","id":"run_1","at":2000,"status":"SUCCEEDED","metadata":{"é":1.5},"deliver":false}',
        ""
      ].join("\n")
      const keys = '{"apiKey":"local-key","webhookSecret":"local-secret"}'
      const store = path.dirname(journal)
      yield* files.makeDirectory(store, { recursive: true })
      yield* files.writeFileString(journal, written)
      yield* files.writeFileString(path.join(store, "keys.json"), keys)
      yield* during(({ apiKey, lume, send }) =>
        Effect.gen(function* () {
          assert.strictEqual(Redacted.value(apiKey), "local-key")
          assert.deepStrictEqual((yield* send("/runs/run_1")).body, {
            id: "run_1",
            status: "SUCCEEDED",
            metadata: { é: 1.5 },
            run_metadata: { by: ["me", null] }
          })
          assert.strictEqual((yield* Effect.flip(lume.run(clean1)))._tag, "AlreadyProcessedError")
        })
      )
      assert.strictEqual(yield* files.readFileString(journal), written)
      // new keys are written as those were
      yield* files.remove(path.join(store, "keys.json"))
      yield* during(() => Effect.void)
      const made = yield* files.readFileString(path.join(targets, ".lume", "keys.json"))
      assert.match(made, /^\{"apiKey":"local-[\w-]+","webhookSecret":"local-secret-[\w-]+"\}$/)
    })
  )
})

describe("the journal", () => {
  /** A journal of one run that has ended, and that run's id. */
  const written = Effect.gen(function* () {
    const all = yield* setUp()
    const { id } = yield* all.during(({ lume }) => lume.runAndWait(clean1, quickly))
    return { ...all, id, status: all.during(({ lume }) => Effect.map(lume.runStatus(id), ({ status }) => status)) }
  })

  live("a last line that was cut off is dropped, wherever the cut is", () =>
    Effect.gen(function* () {
      const { edit, files, journal, read, status } = yield* written
      const whole = yield* files.readFile(journal)
      const lines = yield* read
      const last = Buffer.byteLength(lines.at(-2) ?? "") + 1
      for (const cut of [2, 3, last - 1]) {
        yield* files.writeFile(journal, whole.subarray(0, whole.length - cut))
        assert.strictEqual(yield* status, "CRASHED", `${cut} bytes were cut off`)
      }
      yield* files.writeFile(journal, whole)
      // the half of a character, and a line that lacks nothing but its end
      yield* edit((text) => `${text}{"_tag":"é`.slice(0, -1))
      yield* files.writeFile(journal, new Uint8Array([...(yield* files.readFile(journal)), 0xc3]))
      assert.strictEqual(yield* status, "SUCCEEDED")
      yield* files.writeFile(journal, whole.subarray(0, whole.length - 1))
      assert.strictEqual(yield* status, "SUCCEEDED")
    })
  )

  live.each([
    ["is no JSON", (line: string) => line.slice(0, -3)],
    ["is JSON that is no entry", () => '{"_tag":"Accepted","id":"run_1"}'],
    ["tells of a run that there is not", (line: string) => line.replaceAll(/run_\w+/g, "run_1")],
    ["is not in UTF-8", (line: string) => line.replace("run_", "run_\xff")]
  ] as const)("a line in the middle that %s is refused, and the file stays as it is", ([, damage]) =>
    Effect.gen(function* () {
      const { files, journal, read, refusal } = yield* written
      const lines = yield* read
      const damaged = lines.map((line, index) => (index === 3 ? damage(line) : line)).join("\n")
      const bytes = Buffer.from(`${damaged}\n`, damaged.includes("\xff") ? "latin1" : "utf8")
      yield* files.writeFile(journal, bytes)
      const message = yield* refusal
      assert.include(message, `Line 4 of ${journal} is broken: `)
      assert.include(message, "Restore the file from a copy, or move it away, which forgets all runs.")
      assert.deepStrictEqual(Buffer.from(yield* files.readFile(journal)), bytes)
    })
  )

  live("has nothing of a submit that was refused while it was out of sight", () =>
    Effect.gen(function* () {
      const { during, files, read, targets } = yield* setUp()
      yield* during(({ lume, submit }) =>
        Effect.gen(function* () {
          yield* files.rename(targets, `${targets}-away`)
          const refused = yield* submit({ flow_version: "people:v1", source_path: "clean.csv" })
          assert.strictEqual(refused.status, 503)
          yield* files.rename(`${targets}-away`, targets)
          yield* lume.runAndWait(people1, quickly)
        })
      )
      const count = (tag: string) => Effect.map(read, (lines) => lines.filter((line) => line.includes(tag)).length)
      assert.deepStrictEqual(yield* Effect.all([count('"Accepted"'), count('"Ended"')]), [1, 1])
      yield* during(({ lume }) => lume.runAndWait(clean1, quickly))
    })
  )

  live("of another version is refused, and so is a file that is none", () =>
    Effect.gen(function* () {
      const { edit, journal, refusal } = yield* written
      yield* edit((text) => text.replace(/^.*\n/, '{"effect_lume":2}\n'))
      assert.strictEqual(
        yield* refusal,
        `${journal} was written by another version of effect-lume: its format is 2, this one reads 1. Use that version, or another targets folder.`
      )
      yield* edit(() => "")
      assert.include(yield* refusal, `Line 1 of ${journal} is broken`)
      yield* edit(() => "Dear diary\n")
      assert.include(yield* refusal, `Line 1 of ${journal} is broken`)
    })
  )
})

describe("what is forgotten", () => {
  live("ended runs beyond the number leave memory and file; outputs and source paths stay", () =>
    Effect.gen(function* () {
      const { during, files, read, targets } = yield* setUp({ keepRuns: 2, concurrency: 1 })
      const ids = yield* during(({ lume }) =>
        Effect.gen(function* () {
          const { id: first } = yield* lume.runAndWait(clean1, quickly)
          const { id: second } = yield* lume.runAndWait(people1, quickly)
          const { id: third } = yield* lume.runAndWait(people1, quickly)
          assert.strictEqual((yield* Effect.flip(lume.runStatus(first)))._tag, "RunNotFoundError")
          assert.strictEqual((yield* lume.runStatus(second))._tag, "PartialFailed")
          return [first, second, third] as const
        })
      )
      yield* during(({ lume }) =>
        Effect.gen(function* () {
          const lines = (yield* read).join("\n")
          assert.notInclude(lines, ids[0])
          assert.include(lines, ids[1])
          assert.include(lines, ids[2])
          assert.strictEqual((yield* Effect.flip(lume.run(clean1)))._tag, "AlreadyProcessedError")
        })
      )
      assert.includeMembers(yield* files.readDirectory(targets), [...ids])
    })
  )

  live("ended runs are kept for a time, and no unfinished one is ever dropped", () =>
    Effect.gen(function* () {
      const { during } = yield* setUp({ keepFor: "1 milli", keepRuns: 1, concurrency: 1 })
      const { ended, waiting } = yield* during(({ lume }) =>
        Effect.gen(function* () {
          const ended = yield* lume.run(people1)
          yield* Effect.retry(Effect.flip(lume.runStatus(ended.id)), { while: () => true })
          yield* lume.run({ ...clean1, flowVersion: "slow:v1" })
          return { ended, waiting: yield* lume.run({ ...clean1, flowVersion: "slow:v1" }) }
        })
      )
      const { status } = yield* during(({ lume }) =>
        Effect.zipRight(Effect.flip(lume.runStatus(ended.id)), lume.runStatus(waiting.id))
      )
      assert.oneOf(status, ["CREATED", "SYNCING_SOURCE", "TRANSFORMING"])
    })
  )
})

describe("in memory", () => {
  live("nothing is kept, nobody is locked out, and nothing is cleared", () =>
    Effect.gen(function* () {
      const { during, files, targets } = yield* setUp({ store: "memory" })
      yield* files.makeDirectory(path.join(targets, ".run_01HYE5ZJ4T8Q2W00000000000X"), { recursive: true })
      const { id } = yield* during(({ lume }) => during(() => lume.runAndWait(clean1, quickly)))
      yield* during(({ lume }) =>
        Effect.gen(function* () {
          assert.strictEqual((yield* Effect.flip(lume.runStatus(id)))._tag, "RunNotFoundError")
          yield* lume.run(clean1)
        })
      )
      assert.include(yield* files.readDirectory(targets), ".run_01HYE5ZJ4T8Q2W00000000000X")
      assert.notInclude(yield* files.readDirectory(targets), ".lume")
    })
  )
})
