/**
 * What arbitrary values are made of, in fast-check's words: the source has one form for both of Effect's majors, and
 * Effect 4 derives arbitrary values from schemas only.
 */
import * as Schema from "effect/Schema"

/** Makes values: a schema of what they are made of, and how they are made of it. */
export class Generator<out A> {
  readonly schema: Schema.Codec<unknown>
  readonly read: (made: unknown) => A

  constructor(schema: Schema.Codec<unknown>, read: (made: unknown) => A) {
    this.schema = schema
    this.read = read
  }

  map<B>(f: (value: A) => B): Generator<B> {
    return new Generator(this.schema, (made) => f(this.read(made)))
  }

  filter<B extends A>(is: (value: A) => value is B): Generator<B>
  filter(is: (value: A) => boolean): Generator<A>
  filter(is: (value: A) => boolean): Generator<A> {
    return new Generator(this.schema.check(Schema.makeFilter((made) => is(this.read(made)))), this.read)
  }
}

/** Values of a schema, as they are. */
const values = <A>(schema: Schema.Codec<A>): Generator<A> =>
  // what is made by a schema has its type
  new Generator(schema as Schema.Codec<unknown>, (made) => made as A)

type Values<G> = G extends Generator<infer A> ? A : never

const integer = ({ max = 2 ** 31 - 1, min = -(2 ** 31) }: { readonly min?: number; readonly max?: number } = {}) =>
  values(Schema.Int.check(Schema.isBetween({ minimum: min, maximum: max })))

const string = ({ maxLength = 20, minLength = 0 }: { readonly minLength?: number; readonly maxLength?: number } = {}) =>
  values(Schema.String.check(Schema.isBetweenLength(minLength, maxLength)))

const constantFrom = <const A>(...all: ReadonlyArray<A>): Generator<A> =>
  // the index is within the list
  integer({ min: 0, max: all.length - 1 }).map((index) => all[index] as A)

const tuple = <const G extends ReadonlyArray<Generator<unknown>>>(
  ...items: G
): Generator<{ readonly [K in keyof G]: Values<G[K]> }> =>
  values(Schema.Tuple(items.map(({ schema }) => schema))).map(
    (made) => made.map((value, index) => items[index]?.read(value)) as { readonly [K in keyof G]: Values<G[K]> }
  )

const array = <A>(
  item: Generator<A>,
  { maxLength = 10 }: { readonly maxLength?: number } = {}
): Generator<ReadonlyArray<A>> =>
  values(Schema.Array(item.schema).check(Schema.isMaxLength(maxLength))).map((made) => made.map(item.read))

const oneof = <const G extends ReadonlyArray<Generator<unknown>>>(...some: G): Generator<Values<G[number]>> =>
  tuple(integer({ min: 0, max: some.length - 1 }), tuple(...some)).map(
    ([index, all]) => all[index] as Values<G[number]>
  )

const dictionary = <A>(
  key: Generator<string>,
  value: Generator<A>,
  { maxKeys = 10 }: { readonly maxKeys?: number } = {}
): Generator<{ readonly [key: string]: A }> =>
  array(tuple(key, value), { maxLength: maxKeys }).map((entries) => Object.fromEntries(entries))

const record = <const G extends { readonly [key: string]: Generator<unknown> }, K extends keyof G = keyof G>(
  fields: G,
  { requiredKeys }: { readonly requiredKeys?: ReadonlyArray<K> } = {}
): Generator<{ readonly [Key in K]: Values<G[Key]> } & { readonly [Key in keyof G]?: Values<G[Key]> }> => {
  const isRequired = (key: string) => requiredKeys === undefined || requiredKeys.some((required) => required === key)
  const schemas = Object.entries(fields).map(([key, { schema }]) => [
    key,
    isRequired(key) ? schema : Schema.optionalKey(schema)
  ])
  return values(Schema.Struct(Object.fromEntries(schemas) as Record<string, Schema.Codec<unknown>>)).map(
    (made) =>
      Object.fromEntries(Object.entries(made).map(([key, value]) => [key, fields[key]?.read(value)])) as {
        readonly [Key in K]: Values<G[Key]>
      } & { readonly [Key in keyof G]?: Values<G[Key]> }
  )
}

/** As fast-check has them, as far as they are needed. */
export const generators = {
  array,
  boolean: () => values(Schema.Boolean),
  constant: <const A>(value: A): Generator<A> => values(Schema.Null).map(() => value),
  constantFrom,
  dictionary,
  double: ({
    max = Number.MAX_VALUE,
    min = -Number.MAX_VALUE
  }: {
    readonly min?: number
    readonly max?: number
    readonly noNaN?: true
    readonly noDefaultInfinity?: true
  }) => values(Schema.Finite.check(Schema.isBetween({ minimum: min, maximum: max }))),
  integer,
  jsonValue: (): Generator<unknown> => values(Schema.Json),
  maxSafeNat: () => integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  nat: (max?: number) => integer({ min: 0, ...(max !== undefined && { max }) }),
  oneof,
  option: <A>(some: Generator<A>): Generator<A | null> => oneof(some, constantFrom(null)),
  record,
  string,
  stringMatching: (pattern: RegExp) => values(Schema.String.check(Schema.isPattern(pattern))),
  tuple
}

/** @see generators */
export type Generators = typeof generators
