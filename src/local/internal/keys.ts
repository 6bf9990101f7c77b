/**
 * The key and the webhook's secret of a local Lume that was given none, the same after each start.
 */
import * as FileSystem from "@effect/platform/FileSystem"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import * as path from "node:path"
import { visibleAscii } from "../../client/apiKey.js"
import { because, LocalLumeError } from "./error.js"

/** What clients must send, and what deliveries are signed with. */
export interface Keys {
  readonly apiKey: Redacted.Redacted
  readonly webhookSecret: Redacted.Redacted
}

/** Visible ASCII: it is sent as a header, and stands in one line of a terminal. */
const Secret = Schema.String.pipe(Schema.pattern(visibleAscii))

// Effect 4 has no encoding of what is redacted
const File = Schema.parseJson(Schema.Struct({ apiKey: Secret, webhookSecret: Secret }))
const decodeFile = Schema.decode(File)
const encodeFile = Schema.encode(File)

const decode = (text: string) =>
  Effect.map(decodeFile(text), ({ apiKey, webhookSecret }): Keys => ({
    apiKey: Redacted.make(apiKey),
    webhookSecret: Redacted.make(webhookSecret)
  }))

const encode = ({ apiKey, webhookSecret }: Keys) =>
  encodeFile({ apiKey: Redacted.value(apiKey), webhookSecret: Redacted.value(webhookSecret) })

// A secret asks for more than Effect's Random.
const random = (prefix: string): string => prefix + randomBytes(24).toString("base64url")

/** New ones. */
export const make: Effect.Effect<Keys> = Effect.sync(() => ({
  apiKey: Redacted.make(random("local-")),
  webhookSecret: Redacted.make(random("local-secret-"))
}))

/** Those that are kept in the folder; new ones where there are none yet. */
export const keep = (folder: string): Effect.Effect<Keys, LocalLumeError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const file = path.join(folder, "keys.json")
    if (yield* files.exists(file)) {
      return yield* Effect.mapError(
        Effect.flatMap(files.readFileString(file), decode),
        () => new LocalLumeError({ message: `${file} can't be read. Remove it to get new keys.` })
      )
    }
    const keys = yield* make
    yield* files.writeFileString(`${file}.new`, yield* Effect.orDie(encode(keys)), { flag: "w", mode: 0o600 })
    yield* files.rename(`${file}.new`, file)
    return keys
  }).pipe(
    Effect.mapError((error) =>
      error._tag === "LocalLumeError"
        ? error
        : because((why) => `The keys in ${folder} can't be kept: ${why}. Check its permissions.`)(error)
    )
  )
