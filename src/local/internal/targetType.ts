/**
 * What the target's file keeps of a field's type, nested types too. A CSV or TSV file keeps the text of every value.
 */
import { type DuckDBType, DuckDBTypeId } from "@duckdb/node-api"
import * as Array from "effect/Array"
import type { Format } from "./format.js"
import * as sql from "./sql.js"

type Family = Format["family"]

const partsOf = (type: DuckDBType): ReadonlyArray<DuckDBType> => {
  switch (type.typeId) {
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return [type.valueType]
    case DuckDBTypeId.MAP:
      return [type.keyType, type.valueType]
    case DuckDBTypeId.STRUCT:
      return type.entryTypes
    case DuckDBTypeId.UNION:
      return type.memberTypes
    default:
      return []
  }
}

const firstOf = <A>(type: DuckDBType, find: (type: DuckDBType) => A | undefined): A | undefined => {
  const found = find(type)
  if (found !== undefined) return found
  for (const part of partsOf(type)) {
    const inside = firstOf(part, find)
    if (inside !== undefined) return inside
  }
  return undefined
}

const holds = (type: DuckDBType, is: (type: DuckDBType) => boolean): boolean =>
  firstOf(type, (part) => (is(part) ? part : undefined)) !== undefined

const isNameless = (type: DuckDBType): boolean => type.typeId === DuckDBTypeId.STRUCT && type.entryNames.includes("")

const unfit = (type: DuckDBType): string | undefined => {
  switch (type.typeId) {
    case DuckDBTypeId.INTERVAL:
      return "it is an INTERVAL, which Parquet cuts to milliseconds. Cast it to VARCHAR, or make it a number by epoch(…)."
    case DuckDBTypeId.TIME_TZ:
      return "it is a TIME WITH TIME ZONE, whose zone Parquet does not keep. Cast it to VARCHAR or TIME."
    case DuckDBTypeId.UNION:
      return "it is a UNION, which Parquet does not keep. Cast it to VARCHAR, or make it a STRUCT."
    default:
      return undefined
  }
}

/** Why a file of this family can't keep the values of a type; `undefined` where it can. */
export const problem = (family: Family, type: DuckDBType): string | undefined =>
  holds(type, isNameless)
    ? "it has parts without names. Name them, as in {'first': …, 'second': …}."
    : family === "parquet"
      ? firstOf(type, unfit)
      : undefined

const isHuge = ({ typeId }: DuckDBType): boolean => typeId === DuckDBTypeId.HUGEINT || typeId === DuckDBTypeId.UHUGEINT

/** A type with `DECIMAL(38,0)` for the integers of 128 bits, which Parquet knows only as inexact numbers. */
const withDecimals = (type: DuckDBType): string => {
  switch (type.typeId) {
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
      return "DECIMAL(38,0)"
    case DuckDBTypeId.LIST:
      return `${withDecimals(type.valueType)}[]`
    case DuckDBTypeId.ARRAY:
      return `${withDecimals(type.valueType)}[${type.length}]`
    case DuckDBTypeId.MAP:
      return `MAP(${withDecimals(type.keyType)}, ${withDecimals(type.valueType)})`
    case DuckDBTypeId.STRUCT:
      return `STRUCT(${Array.zipWith(type.entryNames, type.entryTypes, (name, part) => `${sql.name(name)} ${withDecimals(part)}`).join(", ")})`
    default:
      return type.alias ?? type.toString()
  }
}

/** The type to which values are cast for a Parquet file; `undefined` where none is needed. */
export const parquetCast = (type: DuckDBType | undefined): string | undefined =>
  type !== undefined && holds(type, isHuge) ? withDecimals(type) : undefined

const isInexact = ({ alias, typeId }: DuckDBType): boolean =>
  typeId === DuckDBTypeId.FLOAT || typeId === DuckDBTypeId.DOUBLE || typeId === DuckDBTypeId.VARIANT || alias === "JSON"

/** SQL that is true where a value holds NaN or Infinity, which JSON does not know; `undefined` where the type can't. */
export const holdsNoNumber = (type: DuckDBType | undefined, value: string): string | undefined => {
  if (type === undefined || !holds(type, isInexact)) return undefined
  return type.typeId === DuckDBTypeId.FLOAT || type.typeId === DuckDBTypeId.DOUBLE
    ? `NOT isfinite(${value})`
    : // Outside of its strings, JSON has no other word with nan or inf in it.
      `regexp_matches(regexp_replace(to_json(${value})::VARCHAR, '"(?:[^"\\\\]|\\\\.)*"', '', 'g'), '(?i)nan|inf')`
}
