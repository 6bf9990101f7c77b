/**
 * DuckDB as effects: a database in memory that can touch only the files it is given, and queries that can be interrupted.
 */
import { type DuckDBConnection, DuckDBInstance, type DuckDBType } from "@duckdb/node-api"
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import process from "node:process"
import * as os from "node:os"
import * as path from "node:path"
import { oneLine } from "../../internal/text.js"
import * as sql from "./sql.js"

/** DuckDB refused or failed. */
export class DuckDBError extends Data.TaggedError("DuckDBError")<{
  /** DuckDB's own word for the kind of error, such as `Binder` or `Out of Memory`; empty where it has none. */
  readonly kind: string
  /** What DuckDB says, without its kind, its picture of the query and its advice, in one line. It can hold values. */
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
  readonly one: <A, I>(
    schema: Schema.Schema<A, I>,
    query: string,
    parameters?: ReadonlyArray<string>
  ) => Effect.Effect<A, DuckDBError>
  /** Reads a query without running it: syntax, names and types are checked. */
  readonly shape: (query: string) => Effect.Effect<Shape, DuckDBError>
  /** The types of a query's columns. It is not run. */
  readonly types: (query: string) => Effect.Effect<ReadonlyArray<DuckDBType>, DuckDBError>
}

// The two runs that a server has at a time leave half of the machine's memory to others.
// A container's limit, which Node gives as 0 where there is none, is the machine's memory for it.
const defaultMemoryLimit = BigInt(Math.floor(Math.min(os.totalmem(), process.constrainedMemory() || Infinity) / 4))

const kind = /^([A-Za-z ]+?) Error: /
const advice = /\n\s*\n|\n\s*(LINE \d|Possible |Try |Either add|Candidate |Did you mean)/

const fromUnknown = (error: unknown): DuckDBError => {
  const text = error instanceof Error ? error.message : String(error)
  const [prefix = "", word = ""] = kind.exec(text) ?? []
  const [said = ""] = text.slice(prefix.length).split(advice)
  return new DuckDBError({ kind: word, message: oneLine(said, 500) })
}

/** A connection, and how many of its queries go on: one that does not heed its interruption outlives its fiber. */
interface Session {
  readonly connection: DuckDBConnection
  running: Promise<unknown> | undefined
}

/** Interrupts what runs until it has ended. DuckDB forgets an interruption that comes before its query has begun, so one is not enough. */
const interruptUntil = ({ connection }: Session, ended: Promise<unknown>): Effect.Effect<void> =>
  Effect.sync(() => connection.interrupt()).pipe(
    Effect.repeat(Schedule.spaced("5 millis")),
    Effect.interruptible,
    Effect.raceFirst(Effect.promise(() => ended)),
    Effect.asVoid
  )

/**
 * Interrupts a query, and waits for its end, but not for longer than two seconds: DuckDB heeds an interruption between
 * two vectors of 2,048 values, and some expressions take long for one. Its threads run in real time, whatever clock
 * this fiber has.
 */
const interrupt = (session: Session, ended: Promise<unknown>): Effect.Effect<void> =>
  interruptUntil(session, ended).pipe(
    Effect.forkDaemon,
    Effect.flatMap((fiber) => Effect.interruptible(Fiber.await(fiber))),
    Effect.timeout("2 seconds"),
    Effect.ignore,
    Effect.withClock(Clock.make())
  )

const interruptible = <A>(session: Session, start: () => Promise<A>): Effect.Effect<A, DuckDBError> =>
  Effect.async((resume) => {
    const running = start().then(
      (value) => resume(Effect.succeed(value)),
      (error: unknown) => resume(Effect.fail(fromUnknown(error)))
    )
    const ended: Promise<void> = running.then(() => {
      // by then, the next query may be running: closing the connection under it would block both for ever
      if (session.running === ended) session.running = undefined
    })
    session.running = ended
    return interrupt(session, ended)
  })

const prepared = async <A>(
  { connection }: Session,
  query: string,
  read: (statement: Awaited<ReturnType<DuckDBConnection["prepare"]>>) => A
): Promise<A> => {
  const statement = await connection.prepare(query)
  const result = read(statement)
  statement.destroySync()
  return result
}

const columnsOf = <A>(count: number, column: (index: number) => A): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, index) => column(index))

const wrap = (session: Session): Database => ({
  run: (statement, parameters = []) =>
    Effect.asVoid(interruptible(session, () => session.connection.run(statement, [...parameters]))),
  one: (schema, query, parameters = []) =>
    interruptible(session, () => session.connection.runAndReadAll(query, [...parameters])).pipe(
      // The query and the schema stand side by side in our own code.
      Effect.flatMap((reader) => Effect.orDie(Schema.decodeUnknown(schema)(reader.getRowObjectsJson()[0])))
    ),
  shape: (query) =>
    interruptible(session, () =>
      prepared(session, query, (statement) => {
        const parameters = statement.parameterCount
        // A query with parameters has no columns before they are bound.
        const count = parameters > 0 ? 0 : statement.columnCount
        return { parameters, columns: columnsOf(count, (index) => statement.columnName(index)) }
      })
    ),
  types: (query) =>
    interruptible(session, () =>
      prepared(session, query, (statement) => columnsOf(statement.columnCount, (index) => statement.columnType(index)))
    )
})

/** The places that a database may touch. */
export interface Places {
  /** The only files that it may read. */
  readonly files: ReadonlyArray<string>
  /** The only folder that it may write to. */
  readonly folder: string
  /** The folder for what does not fit into memory, which need not exist. Default: inside `folder`. */
  readonly spill?: string | undefined
  /** How many bytes of memory it may use. Default: a quarter of the machine's, or of the container's limit. */
  readonly memoryLimit?: bigint | undefined
}

const settings = ({ files, folder, spill = path.join(folder, "spill") }: Places): ReadonlyArray<string> => [
  // What a time without a zone means is no matter of where this process runs.
  "SET TimeZone = 'UTC'",
  `SET allowed_paths = [${files.map(sql.text).join(", ")}]`,
  `SET allowed_directories = [${sql.text(folder)}]`,
  `SET temp_directory = ${sql.text(spill)}`,
  "SET enable_external_access = false",
  "SET lock_configuration = true"
]

const connect = async ({
  memoryLimit = defaultMemoryLimit
}: Places): Promise<Session & { readonly close: () => void }> => {
  const instance = await DuckDBInstance.create(":memory:", {
    threads: "2",
    memory_limit: `${memoryLimit}B`,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false"
  })
  const connection = await instance.connect()
  const close = () => {
    connection.closeSync()
    instance.closeSync()
  }
  return { connection, running: undefined, close }
}

/**
 * Opens a database for one run. A run has an instance to itself: what may be read and written is a setting of the
 * instance, and one run's tables and memory are no other's business.
 */
export const open = (places: Places): Effect.Effect<Database, DuckDBError, Scope.Scope> =>
  Effect.gen(function* () {
    const session = yield* Effect.acquireRelease(
      Effect.tryPromise({ try: () => connect(places), catch: fromUnknown }),
      ({ close, running }) =>
        Effect.sync(() => {
          // DuckDB does not interrupt a query of a connection that is closed.
          if (running === undefined) close()
          else void running.then(close)
        })
    )
    const database = wrap(session)
    yield* Effect.forEach(settings(places), (setting) => database.run(setting), { discard: true })
    return database
  })
