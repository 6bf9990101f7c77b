/**
 * DuckDB as effects: a database in memory that can touch only the files it is given, and queries that can be interrupted.
 */
import { type DuckDBConnection, DuckDBInstance } from "@duckdb/node-api"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as ParseResult from "effect/ParseResult"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as os from "node:os"
import * as path from "node:path"
import { oneLine } from "../../internal/text.js"
import * as sql from "./sql.js"

/** DuckDB refused or failed. */
export class DuckDBError extends Data.TaggedError("DuckDBError")<{
  /** DuckDB's own word for the kind of error, such as `Binder` or `Out of Memory`; empty where it has none. */
  readonly kind: string
  /** What DuckDB says, without its kind, its picture of the query and its advice, in one line. */
  readonly message: string
}> {}

/** What a prepared query would give. */
export interface Shape {
  readonly columns: ReadonlyArray<string>
  readonly parameters: number
}

/** A database. Everything in it is gone when its scope closes. */
export interface Database {
  /** Runs one statement; `parameters` are bound to `$1`, `$2` and so on. */
  readonly run: (statement: string, parameters?: ReadonlyArray<string>) => Effect.Effect<void, DuckDBError>
  /** Runs a query that gives one row, which `schema` reads. */
  readonly one: <A, I>(schema: Schema.Schema<A, I>, query: string) => Effect.Effect<A, DuckDBError>
  /** Reads a query without running it: syntax, names and types are checked. */
  readonly shape: (query: string) => Effect.Effect<Shape, DuckDBError>
}

// An instance has a quarter of the machine's memory, so that the two runs which a server has at a time leave half of it
// to others. What does not fit is spilled to disk.
const memoryLimit = `${Math.floor(os.totalmem() / 4 / 2 ** 20)}MiB`

const kind = /^([A-Za-z ]+?) Error: /
const advice = /\n\s*\n|\n\s*(LINE \d|Possible |Try |Either add)/

const fromUnknown = (error: unknown): DuckDBError => {
  const text = error instanceof Error ? error.message : String(error)
  const [prefix = "", word = ""] = kind.exec(text) ?? []
  const [said = ""] = text.slice(prefix.length).split(advice)
  return new DuckDBError({ kind: word, message: oneLine(said, 500) })
}

/**
 * Interrupts what runs on a connection until it has ended. DuckDB forgets an interruption that comes before its query
 * has begun, so one is not enough. Its threads run in real time, whatever clock this fiber has.
 */
const interrupt = (connection: DuckDBConnection, running: Promise<void>): Effect.Effect<void> =>
  Effect.sync(() => connection.interrupt()).pipe(
    Effect.repeat(Schedule.spaced("5 millis")),
    Effect.withClock(Clock.make()),
    Effect.interruptible,
    Effect.raceFirst(Effect.promise(() => running)),
    Effect.asVoid
  )

const interruptible = <A>(connection: DuckDBConnection, start: () => Promise<A>): Effect.Effect<A, DuckDBError> =>
  Effect.async((resume) => {
    const running = start().then(
      (value) => resume(Effect.succeed(value)),
      (error: unknown) => resume(Effect.fail(fromUnknown(error)))
    )
    return interrupt(connection, running)
  })

const shape = async (connection: DuckDBConnection, query: string): Promise<Shape> => {
  const prepared = await connection.prepare(query)
  const parameters = prepared.parameterCount
  const columns =
    parameters > 0 ? [] : Array.from({ length: prepared.columnCount }, (_, index) => prepared.columnName(index))
  prepared.destroySync()
  return { columns, parameters }
}

const wrap = (connection: DuckDBConnection): Database => ({
  run: (statement, parameters = []) =>
    Effect.asVoid(interruptible(connection, () => connection.run(statement, [...parameters]))),
  one: (schema, query) =>
    interruptible(connection, () => connection.runAndReadAll(query)).pipe(
      Effect.flatMap((reader) => Schema.decodeUnknown(schema)(reader.getRowObjectsJson()[0])),
      // The query and the schema stand side by side in our own code.
      Effect.catchTag("ParseError", (error: ParseResult.ParseError) => Effect.die(error))
    ),
  shape: (query) => interruptible(connection, () => shape(connection, query))
})

/** The places that a database may touch. */
export interface Places {
  /** The only files that it may read. */
  readonly files: ReadonlyArray<string>
  /** The only folder that it may write to. */
  readonly folder: string
}

const lock = ({ files, folder }: Places): ReadonlyArray<string> => [
  `SET allowed_paths = [${files.map(sql.text).join(", ")}]`,
  `SET allowed_directories = [${sql.text(folder)}]`,
  `SET temp_directory = ${sql.text(path.join(folder, "spill"))}`,
  "SET enable_external_access = false",
  "SET lock_configuration = true"
]

/**
 * Opens a database for one run. A run has an instance to itself: what may be read and written is a setting of the
 * instance, and one run's tables and memory are no other's business.
 */
export const open = (places: Places): Effect.Effect<Database, DuckDBError, Scope.Scope> =>
  Effect.gen(function* () {
    const instance = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: () =>
          DuckDBInstance.create(":memory:", {
            threads: "2",
            memory_limit: memoryLimit,
            autoinstall_known_extensions: "false",
            autoload_known_extensions: "false"
          }),
        catch: fromUnknown
      }),
      (instance) => Effect.sync(() => instance.closeSync())
    )
    const connection = yield* Effect.acquireRelease(
      Effect.tryPromise({ try: () => instance.connect(), catch: fromUnknown }),
      (connection) => Effect.sync(() => connection.closeSync())
    )
    const database = wrap(connection)
    yield* Effect.forEach(lock(places), (setting) => database.run(setting), { discard: true })
    return database
  })
